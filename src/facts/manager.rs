//! Azure Virtual Network Manager: groups of networks, what is deployed to them, admin rules and connectivity.

use std::net::IpAddr;

use crate::facts::network::{Direction, HopKind, Protocol};
use crate::facts::selector::{PortList, Selectors};
use crate::model::Sym;

words! {
    /// What an admin rule says; a word that is not known is `unknown`.
    AdminAccess { Allow = "allow", AlwaysAllow = "alwaysallow", Deny = "deny", Unknown = "unknown" }
}
words! {
    /// What of a network manager is deployed.
    ManagerPart { Admin = "admin", Connectivity = "connectivity" }
}
words! {
    /// Which rules count in networks with services that bring their own (AVN-07).
    IntentServices { None = "none", AllowRulesOnly = "allowrulesonly", All = "all", Unknown = "unknown" }
}
words! {
    /// How a connectivity configuration joins networks.
    Topology { Mesh = "mesh", HubAndSpoke = "hubandspoke", Unknown = "unknown" }
}
words! {
    /// What a routing collection adds so that neighbours need no detour.
    LocalRouting {
        NotSpecified = "notspecified", Subnet = "directroutingwithinsubnet", Network = "directroutingwithinvnet", Unknown = "unknown",
    }
}
words! {
    /// One of the two address fields of a rule.
    Field { Source = "source", Destination = "destination" }
}

relations! { MANAGER_RELATIONS:
    /// `network_manager(manager, level)`: a network manager; `level` is 0 where its scope holds a management group, else 1: the higher scope comes
    /// first (AVN-06).
    NetworkManager network_manager { manager: Sym, level: u16 }

    /// `group_member(group, member, vnet)`: the network or subnet `member`, which is or lies in `vnet`, belongs to the network group: as a static member
    /// or because its own list of memberships says so (AVN-12). `group` is empty where it does not say to which.
    GroupMember group_member { group: Sym, member: Sym, vnet: Sym }

    /// `memberships_listed(resource)`: the export lists the groups that `resource` belongs to. One row anywhere means that whoever has none is in no
    /// group by policy.
    MembershipsListed memberships_listed { resource: Sym }

    /// `group_policy(policy, group)`: the policy adds members to the group; empty where the export does not say to which. So does the row of a member that
    /// does not say who it is.
    GroupPolicy group_policy { policy: Sym, group: Sym }

    /// `manager_listing(vnet, what)`: the export lists what of the kind is in force in `vnet`, be it nothing (AVN-02).
    ManagerListing manager_listing { vnet: Sym, what: ManagerPart }

    /// `manager_applied(vnet, what, configuration)`: the configuration is in force in `vnet` (AVN-02).
    ManagerApplied manager_applied { vnet: Sym, what: ManagerPart, configuration: Sym }

    /// `admin_configuration(configuration, manager, intent)`: a security admin configuration; `intent` says which of its rules count beside services that
    /// bring their own.
    AdminConfiguration admin_configuration { configuration: Sym, manager: Sym, intent: IntentServices }

    /// `admin_collection(collection, configuration, group)`: the rules of the collection are meant for the members of the group (AVN-01);
    /// empty where the export does not say for which.
    AdminCollection admin_collection { collection: Sym, configuration: Sym, group: Sym }

    /// `admin_rule(rule, collection, direction, priority, access, protocol, sources, source_ports, destinations, destination_ports)`: a security admin rule
    /// (AVN-03). Fields as in `nsg_rule`; the groups of networks that they name besides are in `admin_rule_group`.
    AdminRule admin_rule {
        rule: Sym, collection: Sym, direction: Direction, priority: u32, access: AdminAccess, protocol: Protocol, sources: Selectors,
        source_ports: PortList, destinations: Selectors, destination_ports: PortList,
    }

    /// `admin_rule_group(rule, field, group)`: the field also names the addresses of the group's members.
    AdminRuleGroup admin_rule_group { rule: Sym, field: Field, group: Sym }

    /// `connectivity(configuration, topology, global)`: a connectivity configuration (PEER-14); `global` joins networks of different regions.
    Connectivity connectivity { configuration: Sym, topology: Topology, global: bool }

    /// `connectivity_hub(configuration, vnet)`: its hub.
    ConnectivityHub connectivity_hub { configuration: Sym, vnet: Sym }

    /// `connectivity_group(configuration, group, direct, hub_gateway, global)`: it joins the members of the group: among themselves where `direct`, to the
    /// hub's gateway where `hub_gateway`.
    ConnectivityGroup connectivity_group { configuration: Sym, group: Sym, direct: bool, hub_gateway: bool, global: bool }

    /// `routing_collection(collection, group, gateway_routes, local)`: routes of a network manager meant for the members of the group (RTE-24).
    /// `gateway_routes` is false where its tables keep no routes of gateways.
    RoutingCollection routing_collection { collection: Sym, group: Sym, gateway_routes: bool, local: LocalRouting }

    /// `routing_rule(rule, collection, destination, hop, hop_address)`: one of those routes, as in `route`.
    RoutingRule routing_rule { rule: Sym, collection: Sym, destination: Selectors, hop: HopKind, hop_address: Option<IpAddr> }
}
