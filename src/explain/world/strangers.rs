//! Who may have an address that nobody lists, and which subnets and networks hold an address: made once, looked up by prefix.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::model::{Prefix, Stage, Sym, net};

use super::World;

/// Something behind which an address may be: what it is called, where that shows, and the code.
pub type Stranger = (Sym, Stage, &'static str);

/// The strangers of an estate, and its spaces, by prefix.
#[derive(Debug, Default)]
pub struct Strangers {
    /// Those that may have any address which is not in the networks that see them.
    anywhere: Vec<(Stranger, Vec<Sym>)>,
    /// Those that may have the addresses of a prefix, and the network that sees them.
    within: FxHashMap<Prefix, Vec<(Stranger, Sym)>>,
    /// Where routes were seen to lead that nothing else tells of.
    seen: FxHashMap<Prefix, Vec<Stranger>>,
    /// The networks by their address spaces.
    networks: FxHashMap<Prefix, Vec<Sym>>,
    /// The subnets by their prefixes.
    subnets: FxHashMap<Prefix, Vec<Sym>>,
    /// By network a subnet of which the input does not hold the range: any address between those of the others may be in it.
    unseen: FxHashMap<Sym, Sym>,
}

/// What stands under a prefix that holds the address.
fn holding<T>(all: &FxHashMap<Prefix, Vec<T>>, ip: IpAddr) -> impl Iterator<Item = &T> {
    let longest = net::host(ip).prefix_len();
    let prefixes = (0..=longest).map(move |length| Prefix::new(ip, length).expect("no longer than the address").trunc());
    prefixes.filter_map(|prefix| all.get(&prefix)).flatten()
}

impl Strangers {
    fn of(world: &World<'_>) -> Strangers {
        let index = world.index;
        let mut out = Strangers::default();
        for row in index.vnet_prefixes.rows() {
            out.networks.entry(row.prefix.trunc()).or_default().push(row.vnet);
        }
        for row in index.subnet_prefixes.rows() {
            out.subnets.entry(row.prefix.trunc()).or_default().push(row.subnet);
        }
        let mut anywhere: FxHashMap<Stranger, Vec<Sym>> = FxHashMap::default();
        for vnet in index.vnet.rows().map(|row| row.vnet) {
            let network = world.network(vnet);
            let learned = network.gateway.unknown_routes;
            if !learned.is_empty() {
                anywhere.entry((learned, Stage::Gateway, world.doubt_of_routes(learned))).or_default().push(vnet);
            }
            for (prefix, target, _) in &network.gateway.routes {
                if index.virtual_hub.has(*target) {
                    out.within.entry(prefix.trunc()).or_default().push(((*target, Stage::Gateway, "W-VWAN"), vnet));
                }
            }
            for peer in network.peers.iter().filter(|peer| peer.usable.hi() && !index.vnet.has(peer.vnet)) {
                let stranger = (peer.vnet, Stage::Route, "W-MISSING");
                if peer.open || peer.forwarded {
                    anywhere.entry(stranger).or_default().push(vnet);
                }
                for (prefix, _) in &peer.prefixes {
                    out.within.entry(prefix.trunc()).or_default().push((stranger, vnet));
                }
            }
        }
        out.anywhere.extend(anywhere);
        out.unseen.clone_from(world.unseen_subnets());
        let away = ["virtualnetworkgateway", "vnetpeering", "vnetglobalpeering", "connectedgroup"];
        for row in index.observed_route.rows().filter(|row| away.contains(&row.hop.as_str()) && row.source.as_str() != "user") {
            out.seen.entry(row.prefix.trunc()).or_default().push((row.nic, Stage::Route, "W-UNSUPPORTED"));
        }
        out
    }

    /// Who may have the address without the input saying so: networks behind hubs, what they learn, networks that were not
    /// exported, and whoever somebody saw a route to (GW-01, GW-04, SND-04, RTE-07). Sorted by name.
    pub fn at(&self, ip: IpAddr) -> Vec<Stranger> {
        // On premises nobody can announce what is the network's own (GW-05).
        let own: Vec<Sym> = holding(&self.networks, ip).copied().collect();
        let sees = |vnet: &Sym| !own.contains(vnet);
        let mut found: Vec<Stranger> =
            self.anywhere.iter().filter(|(_, networks)| networks.iter().any(sees)).map(|(stranger, _)| *stranger).collect();
        found.extend(holding(&self.within, ip).filter(|(_, vnet)| sees(vnet)).map(|(stranger, _)| *stranger));
        if own.is_empty() {
            found.extend(holding(&self.seen, ip));
        }
        if holding(&self.subnets, ip).next().is_none() {
            let unseen = own.iter().filter_map(|vnet| self.unseen.get(vnet));
            found.extend(unseen.map(|subnet| (*subnet, Stage::Route, "W-MISSING")));
        }
        found.sort_by_key(|(resource, stage, code)| (resource.as_str(), *stage as u8, *code));
        found.dedup();
        found
    }

    /// The subnets of the input with a usable address, sorted by name (ADR-04).
    pub fn subnets_of(&self, ip: IpAddr, world: &World<'_>) -> Vec<Sym> {
        let mut found: Vec<Sym> = holding(&self.subnets, ip).copied().filter(|subnet| world.index.subnet.has(*subnet)).collect();
        found.retain(|subnet| world.index.subnet_prefixes.get(*subnet).iter().any(|row| net::is_usable(&row.prefix, ip)));
        Sym::sort(&mut found);
        found.dedup();
        found
    }
}

impl World<'_> {
    /// The strangers of the estate.
    pub fn strangers(&self) -> &Strangers {
        self.strangers.get_or_init(|| Strangers::of(self))
    }
}
