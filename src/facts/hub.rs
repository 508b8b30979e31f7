//! Virtual WAN: hubs, the networks connected to them, their route tables; and route servers.

use std::net::IpAddr;

use crate::model::{Prefix, Sym};

words! {
    /// The traffic that a routing policy of a hub is about (VW-04); `unknown` where the input does not say.
    PolicyKind { Internet = "internet", Private = "private", Unknown = "unknown" }
}

/// The list in the body of a hub's gateway for sites, circuits or clients that holds its connections, and their type: without any the gateway announces nothing.
pub const CONNECTIONS: [(&str, &str); 3] = [
    ("connections", "microsoft.network/vpngateways/vpnconnections"),
    ("expressRouteConnections", "microsoft.network/expressroutegateways/expressrouteconnections"),
    ("p2SConnectionConfigurations", "microsoft.network/p2svpngateways/p2sconnectionconfigurations"),
];

relations! { HUB_RELATIONS:
    /// `virtual_wan(wan, standard)`: a virtual WAN; a basic one joins no networks (VW-02).
    VirtualWan virtual_wan { wan: Sym, standard: bool }

    /// `virtual_hub(hub, wan)`: a hub of the WAN.
    VirtualHub virtual_hub { hub: Sym, wan: Sym }

    /// `route_server(server, subnet)`: a route server, whose routes come from peers that the export does not hold (NVA-11). From either side of the link.
    RouteServer route_server { server: Sym, subnet: Sym }

    /// `hub_connection(connection, hub, vnet, internet, table)`: `vnet` is connected to the hub and sends by the hub's route table (VW-01, VW-02); `internet`
    /// where it takes the hub's default route (`enableInternetSecurity`).
    HubConnection hub_connection { connection: Sym, hub: Sym, vnet: Sym, internet: bool, table: Sym }

    /// `hub_propagation(connection, table)`: the prefixes of the connection's network are in the table (VW-02).
    HubPropagation hub_propagation { connection: Sym, table: Sym }

    /// `hub_label(connection, label)`: they are in every table of the WAN with the label.
    HubLabel hub_label { connection: Sym, label: Sym }

    /// `hub_connection_route(connection, prefix, address)`: a static route of the connection to an appliance in its network (VW-03).
    HubConnectionRoute hub_connection_route { connection: Sym, prefix: Prefix, address: IpAddr }

    /// `hub_table(table, hub)`: a route table of the hub.
    HubTable hub_table { table: Sym, hub: Sym }

    /// `hub_table_label(table, label)`: the table carries the label, in lower case.
    HubTableLabel hub_table_label { table: Sym, label: Sym }

    /// `hub_route(table, prefix, next)`: a static route of the table to a firewall or a connection (VW-03).
    HubRoute hub_route { table: Sym, prefix: Prefix, next: Sym }

    /// `hub_policy(hub, kind, next)`: the routing intent of the hub sends the traffic of the kind through `next` (VW-04).
    HubPolicy hub_policy { hub: Sym, kind: PolicyKind, next: Sym }

    /// `hub_guard(hub, device)`: the device stands in the hub, so that a routing intent may send traffic through it: the firewall or the security provider that
    /// the hub names, and whatever of a type that is not modelled says that it is in the hub (VW-04).
    HubGuard hub_guard { hub: Sym, device: Sym }

    /// `hub_branch(branch, hub)`: a gateway of the hub for sites, circuits or clients, whose routes the export does not hold. From either side of the link; `hub`
    /// is empty where the gateway does not tell it.
    HubBranch hub_branch { branch: Sym, hub: Sym }

    /// `hub_doubt(resource, hub)`: something that is not modelled changes the routes of the hub (VW-06).
    HubDoubt hub_doubt { resource: Sym, hub: Sym }
}
