//! Private Link services: own services behind a load balancer that others connect to.

use std::net::IpAddr;

use crate::model::{Sym, Tri};

relations! { PRIVATE_LINK_RELATIONS:
    /// `private_link_service(service, alias, location, destination, settled)`: a Private Link service (PLS-01). `alias` in lower case (PLS-09); `destination` is
    /// the address that Direct Connect leads to (PLS-16).
    PrivateLinkService private_link_service { service: Sym, alias: Sym, location: Sym, destination: Option<IpAddr>, settled: bool }

    /// `private_link_frontend(service, frontend)`: the load balancer frontend it stands in front of (PLS-02).
    PrivateLinkFrontend private_link_frontend { service: Sym, frontend: Sym }

    /// `private_link_nat(config, service, subnet, address)`: an address that its packets come from (PLS-02, PLS-05).
    PrivateLinkNat private_link_nat { config: Sym, service: Sym, subnet: Sym, address: Option<IpAddr> }

    /// `private_link_visible(service, subscription)`: whoever is in `subscription` may ask for a connection; `*` stands for everybody (PLS-06).
    PrivateLinkVisible private_link_visible { service: Sym, subscription: Sym }

    /// `private_link_auto_approval(service, subscription)`: requests from `subscription` are approved at once; `*` stands for everybody (PLS-08).
    PrivateLinkAutoApproval private_link_auto_approval { service: Sym, subscription: Sym }

    /// `subnet_private_link_open(subnet, open)`: `privateLinkServiceNetworkPolicies` of the subnet is `Disabled`: a Private Link service may take its addresses
    /// there (PLS-05); `maybe` where it has a value that is not known. No row: they are on, as they are on a new subnet.
    SubnetPrivateLinkOpen subnet_private_link_open { subnet: Sym, open: Tri }
}
