//! What the private-access half of an evaluation asks of the network half.

use std::net::IpAddr;

use crate::explain::way::Way;
use crate::facts::store_facts::Service;
use crate::model::{Set, Sym, Tri};
use crate::rules::azure_firewall::Named;
use crate::rules::dns::Reach;
use crate::rules::paas_firewall::Source;

/// What kind of thing sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// A machine in a virtual network, or one that could be placed there.
    Machine,
    /// The internet: one of its addresses, or the given one.
    Internet(Option<IpAddr>),
    /// A site on premises.
    Site(Sym),
}

/// Who sends, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The subnet; empty outside a virtual network.
    pub subnet: Sym,
    /// Its virtual network.
    pub vnet: Sym,
    /// The network interface; empty for a machine that could be placed in the subnet.
    pub nic: Sym,
    /// Its address configuration.
    pub ip_config: Sym,
    /// What it is.
    pub kind: ClientKind,
    /// What it calls the destination.
    pub name: Named,
}

/// The public front ends of one service in one region: a class of addresses nobody lists one by one (M-14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceClass {
    /// The service.
    pub service: Service,
    /// Its service tag, lower case: `storage`, `azurekeyvault`, `sql`; the regional tag is this, a dot and the region.
    pub tag: Sym,
    /// The region of the front end; empty where it is not known.
    pub region: Sym,
}

impl Client {
    /// One of the kind that sends from no known place in a virtual network.
    pub fn nowhere(kind: ClientKind, name: Named) -> Client {
        Client { subnet: Sym::EMPTY, vnet: Sym::EMPTY, nic: Sym::EMPTY, ip_config: Sym::EMPTY, kind, name }
    }
}

/// What packets show a front end when they get there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Arrival {
    /// This.
    Showing(Source),
    /// Something unknown stands on the way: nobody can tell.
    Unknown,
}

/// The network half.
pub trait Transport {
    /// The ways to the address of a private endpoint, up to its interface: the client's filters, the route, peering, gateway, appliances and the filter of
    /// the endpoint's subnet (PE-18 … PE-27). One for each candidate; none where no way is imaginable.
    fn to_private_endpoint(&self, client: &Client, endpoint: Sym, address: IpAddr, traffic: Set) -> Vec<Way>;

    /// The ways to a private endpoint that was not exported, as far as it may stand where the client's packets get; at `address` where a name tells it.
    /// None of them is sure, and there is none where it stands nowhere near (PE-18, PE-37).
    fn to_unseen_endpoint(&self, client: &Client, endpoint: Sym, address: Option<IpAddr>) -> Vec<Way>;

    /// The ways to the public front ends of `service`, each with the source its packets show there. `covered` says whether a service endpoint of the
    /// client's subnet covers them; where that is not sure, there are ways with and without it and none of them is sure (CNV-05).
    fn to_service(&self, client: &Client, service: &ServiceClass, covered: Tri, traffic: Set) -> Vec<(Way, Arrival)>;

    /// Whether TCP needs its way back (SES-01).
    fn session(&self) -> bool {
        true
    }

    /// Whether the client gets through to a DNS server (DNS-05).
    fn dns_server(&self, client: &Client, server: IpAddr) -> Reach;
}
