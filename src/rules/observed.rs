//! Effective routes that somebody saw on the platform, as the context of a subnet.

use std::sync::Arc;

use crate::facts::network::{HopKind, ObservedRoute, Route};
use crate::facts::platform::Platform;
use crate::facts::selector::{Selector, Selectors};
use crate::model::{Prefix, Sym, Tri};
use crate::rules::peering::{Joint, Peer};
use crate::rules::route::{Context, Hop, Network, Origin, Table, defaults};

/// Azure's word for a route to a private endpoint.
pub const TO_PRIVATE_ENDPOINT: &str = "interfaceendpoint";

/// Azure's word for a route of a service endpoint.
pub const BY_SERVICE_ENDPOINT: &str = "virtualnetworkserviceendpoint";

/// Where on a subnet somebody saw a route (RTE-07).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// Nobody looked.
    NotLooked,
    /// At no interface at which somebody looked.
    Nowhere,
    /// At each of them.
    Everywhere,
    /// At some of them, or in one of two copies.
    Disputed,
}

impl Sighting {
    /// Whether somebody who looked saw the route, though perhaps not all did.
    pub fn is_some(self) -> bool {
        matches!(self, Sighting::Everywhere | Sighting::Disputed)
    }

    /// Whether somebody who looked did not surely see the route.
    pub fn is_lacking(self) -> bool {
        matches!(self, Sighting::Nowhere | Sighting::Disputed)
    }
}

impl Context {
    /// The table that somebody saw on the platform, in the place of the derived one (RTE-07).
    ///
    /// Each row comes with whether it is surely there. `nic` stands for the interfaces at which somebody looked. Every interface has routes for each family of
    /// its network: where no row is of one, nobody knows them (ADR-14).
    pub fn observed(network: Arc<Network>, nic: Sym, rows: &[(ObservedRoute, Tri)], platform: &Platform) -> Context {
        let mut context = Context::new(network.clone(), &Table::None, platform);
        context.entries.clear();
        context.tag_sure.clear();
        context.tag_maybe.clear();
        (context.unknown, context.unknown_routes) = (Sym::EMPTY, Sym::EMPTY);
        rows.iter().for_each(|(row, there)| context.add_observed(row, *there, platform));
        let own = &network.own;
        for prefix in defaults().into_iter().filter(|all| own.is_empty() || own.iter().any(|prefix| is_of_family(all, prefix))) {
            if !rows.iter().any(|(row, _)| is_of_family(&prefix, &row.prefix)) {
                let unknown = Sym::new("unknown");
                context.add_observed(&ObservedRoute { nic, prefix, source: unknown, hop: unknown, address: None }, Tri::Maybe, platform);
            }
        }
        if context.network.own.is_empty() {
            // What is local is of the network's space (NSG-20); whether it has more is not told.
            let local = |wanted: Tri| rows.iter().filter(move |(row, there)| is_local(row) && *there == wanted).map(|(row, _)| row.prefix);
            context.tag_sure.extend(local(Tri::Yes));
            context.tag_maybe.extend(defaults());
        }
        context.settle();
        context
    }

    fn add_observed(&mut self, row: &ObservedRoute, there: Tri, platform: &Platform) {
        let network = self.network.clone();
        let (prefix, source) = (row.prefix, row.nic);
        match (row.source.as_str(), row.hop.as_str()) {
            // Routes of endpoints are looked at where such a destination is asked for.
            ("default", TO_PRIVATE_ENDPOINT | BY_SERVICE_ENDPOINT) => {}
            ("user", hop) => {
                let hop = HopKind::parse(hop).unwrap_or(HopKind::Unknown);
                let destination = Selectors::new([Selector::Prefix(prefix)]);
                self.add_user_route(&Route { route: source, table: source, destination, hop, hop_address: row.address }, there, platform);
            }
            ("virtualnetworkgateway", "virtualnetworkgateway") => {
                self.push(prefix, Origin::Gateway, Hop::Gateway, there, source);
                if there.lo() { &mut self.tag_sure } else { &mut self.tag_maybe }.push(prefix);
            }
            ("default", "vnetlocal") => self.push(prefix, Origin::SystemLocal, Hop::Local, there, source),
            ("default", "internet") => self.push(prefix, Origin::SystemInternet, Hop::Internet, there, source),
            ("default", "none") => self.push(prefix, Origin::SystemNone, Hop::None, there, source),
            ("default", "vnetpeering" | "vnetglobalpeering" | "connectedgroup") => {
                let group = row.hop.as_str() == "connectedgroup";
                let origin = if group { Origin::SystemGroup } else { Origin::SystemPeering };
                let holds =
                    |peer: &&Peer| peer.prefixes.iter().any(|(there, _)| there.contains(&prefix)) && (peer.joint == Joint::Group) == group;
                let peers: Vec<Sym> = network.peers.iter().filter(holds).map(|peer| peer.vnet).collect();
                match peers.as_slice() {
                    [peer] => self.push(prefix, origin, Hop::Peering(*peer), there, source),
                    _ => self.push(prefix, origin, Hop::Unknown, Tri::Maybe, source), // which network is not in the input
                }
            }
            // A word that nobody knows may lead anywhere.
            _ => {
                self.push(prefix, Origin::User, Hop::Unknown, Tri::Maybe, source);
                self.tag_maybe.push(prefix);
            }
        }
    }
}

/// Whether two prefixes are of one family of addresses.
pub fn is_of_family(one: &Prefix, other: &Prefix) -> bool {
    one.network().is_ipv6() == other.network().is_ipv6()
}

/// Whether the platform itself delivers by the route inside the network.
fn is_local(row: &ObservedRoute) -> bool {
    (row.source.as_str(), row.hop.as_str()) == ("default", "vnetlocal")
}
