//! Who gets which addresses, and who is peered with whom: everything that two networks must agree on.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::dice::Dice;
use super::{Options, Shape};

/// The one tenant of a generated estate.
pub(super) const TENANT: &str = "11111111-1111-4111-8111-111111111111";

/// Networks that share hub, zones and site: Azure allows 500 peerings a network.
const GROUP: usize = 400;

/// Networks of a mesh that are all peered with each other.
const MESH: usize = 20;

const LOCATIONS: [(usize, &str); 4] = [(50, "westeurope"), (25, "northeurope"), (15, "eastus"), (10, "westus")];

/// One virtual network to be.
pub(super) struct Net {
    /// Its number: its stream of chance, its addresses.
    pub(super) index: usize,
    /// The block of networks it belongs to.
    pub(super) group: usize,
    /// Whether it is the hub of its group.
    pub(super) is_hub: bool,
    /// Subnets for workloads; a hub has three of its own kind.
    pub(super) subnets: usize,
    /// Its address space.
    pub(super) space: Ipv4Net,
    /// Its region.
    pub(super) location: &'static str,
}

impl Net {
    /// Its name, and the middle of the names of what is in it.
    pub(super) fn name(&self) -> String {
        if self.is_hub { format!("hub-{:02}", self.group) } else { format!("net-{:04}", self.index) }
    }

    /// The resource group of everything that belongs to it.
    pub(super) fn group_name(&self) -> String {
        format!("rg-{}", self.name())
    }

    /// Fifty networks share a subscription.
    pub(super) fn subscription(&self) -> String {
        format!("aaaaaaaa-0000-4000-8000-{:012x}", self.index / 50 + 1)
    }

    /// The id of a resource of its group; `name` with the parents' names before it.
    pub(super) fn id(&self, kind: &str, name: &str) -> String {
        let mut types = kind.split('/');
        let namespace = types.next().unwrap_or(kind);
        let path: String = types.zip(name.split('/')).map(|(kind, name)| format!("/{kind}/{name}")).collect();
        format!("/subscriptions/{}/resourceGroups/{}/providers/{namespace}{path}", self.subscription(), self.group_name())
    }

    /// The id of the network itself.
    pub(super) fn vnet_id(&self) -> String {
        self.id("Microsoft.Network/virtualNetworks", &self.name())
    }

    /// The id of one of its subnets.
    pub(super) fn subnet_id(&self, subnet: &str) -> String {
        self.id("Microsoft.Network/virtualNetworks/subnets", &format!("{}/{subnet}", self.name()))
    }

    /// The name of a workload subnet.
    pub(super) fn subnet_name(&self, subnet: usize) -> String {
        format!("snet-{subnet:03}")
    }

    /// The whole /24 that a workload subnet may use.
    pub(super) fn slot(&self, subnet: usize) -> Ipv4Net {
        slice(self.space, 24, subnet)
    }

    /// The address at `host` of the /24 at `subnet`.
    pub(super) fn address(&self, subnet: usize, host: u32) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.slot(subnet).network()) + host)
    }

    /// The address of a hub's appliance: the first free one of its subnet `nva`.
    pub(super) fn appliance(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.space.network()) + 64 + 4)
    }

    /// The public address number `n` of this network, below 128.
    pub(super) fn public_address(&self, n: usize) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(Ipv4Addr::new(20, 32, 0, 0)) + (self.index * 128 + n % 128) as u32)
    }
}

/// The part of `space` with `length` bits at `position`.
pub(super) fn slice(space: Ipv4Net, length: u8, position: usize) -> Ipv4Net {
    let network = u32::from(space.network()) + (position as u32) * (1 << (32 - length));
    Ipv4Net::new(network.into(), length).expect("lengths in a plan are below 32")
}

/// How one network sees another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Peering {
    /// The other network.
    pub(super) remote: usize,
    /// `Connected`, `Initiated` or `Disconnected`.
    pub(super) state: &'static str,
    /// Whether this side offers its gateway.
    pub(super) offers_gateway: bool,
    /// Whether this side uses the other's gateway.
    pub(super) uses_gateway: bool,
}

/// The whole estate in outline.
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) nets: Vec<Net>,
    peerings: Vec<Vec<Peering>>,
}

impl Plan {
    /// `None` where the addresses do not suffice.
    pub(super) fn new(options: &Options) -> Option<Plan> {
        let per_net = if options.shape == Shape::Flat { 250 } else { 10 };
        let count = options.subnets.div_ceil(per_net).max(1);
        let length = if options.shape == Shape::Flat { 16 } else { 20 };
        let mut spaces = spaces(length);
        let mut dice = Dice::new(options.seed, 0);
        let mut nets: Vec<Net> = Vec::new();
        for n in 0..count {
            let group = n / GROUP;
            let mut add = |is_hub: bool, subnets: usize| {
                let (index, location) = (nets.len(), dice.weighted(&LOCATIONS));
                nets.push(Net { index, group, is_hub, subnets, space: spaces.next()?, location });
                Some(())
            };
            if options.shape == Shape::HubSpoke && n % GROUP == 0 {
                add(true, 0)?;
            }
            add(false, per_net.min(options.subnets - (n * per_net).min(options.subnets)))?;
        }
        let mut plan = Plan { seed: options.seed, peerings: vec![Vec::new(); nets.len()], nets };
        match options.shape {
            Shape::HubSpoke => plan.peer_with_hubs(&mut dice),
            Shape::Mesh => plan.peer_in_groups(&mut dice),
            Shape::Flat => {}
        }
        Some(plan)
    }

    /// The stream of chance of one network.
    pub(super) fn dice(&self, net: &Net) -> Dice {
        Dice::new(self.seed, net.index as u64 + 1)
    }

    /// The hub that `net` is a spoke of.
    pub(super) fn hub(&self, net: &Net) -> Option<&Net> {
        self.nets.iter().step_by(GROUP + 1).find(|hub| hub.is_hub && hub.group == net.group)
    }

    /// The network that keeps the DNS zones of a group: its first.
    pub(super) fn keepers(&self) -> impl Iterator<Item = &Net> {
        self.nets.iter().enumerate().filter(|(n, net)| *n == 0 || self.nets[n - 1].group != net.group).map(|(_, net)| net)
    }

    /// The network that keeps the zones `net` is linked to.
    pub(super) fn keeper(&self, net: &Net) -> &Net {
        self.keepers().find(|keeper| keeper.group == net.group).unwrap_or(&self.nets[0])
    }

    /// How `net` sees its neighbours.
    pub(super) fn peerings(&self, net: &Net) -> &[Peering] {
        &self.peerings[net.index]
    }

    /// Spokes with their hub, hubs with each other, one spoke in twenty with another spoke.
    fn peer_with_hubs(&mut self, dice: &mut Dice) {
        let hubs: Vec<usize> = self.nets.iter().filter(|net| net.is_hub).map(|net| net.index).collect();
        for (n, &one) in hubs.iter().enumerate() {
            for &other in &hubs[n + 1..] {
                self.join(one, other, false);
            }
        }
        let spokes: Vec<usize> = self.nets.iter().filter(|net| !net.is_hub).map(|net| net.index).collect();
        let mut joined = BTreeSet::new();
        for &spoke in &spokes {
            let hub = hubs[self.nets[spoke].group];
            match dice.below(100) {
                0..2 => self.peerings[spoke].push(Peering { remote: hub, state: "Initiated", offers_gateway: false, uses_gateway: false }),
                2 => self.peerings[spoke].push(Peering { remote: hub, state: "Disconnected", offers_gateway: false, uses_gateway: false }),
                chance => self.join(hub, spoke, chance < 60),
            }
            let friend = spokes[dice.below(spokes.len())];
            if dice.chance(5) && friend != spoke && joined.insert((spoke.min(friend), spoke.max(friend))) {
                self.join(spoke, friend, false);
            }
        }
    }

    /// Everyone with everyone in groups; one in fifty was asked for and never accepted.
    fn peer_in_groups(&mut self, dice: &mut Dice) {
        for one in 0..self.nets.len() {
            for other in one + 1..self.nets.len().min((one / MESH + 1) * MESH) {
                if dice.chance(2) {
                    self.peerings[one].push(Peering { remote: other, state: "Initiated", offers_gateway: false, uses_gateway: false });
                } else {
                    self.join(one, other, false);
                }
            }
        }
    }

    fn join(&mut self, one: usize, other: usize, gateway: bool) {
        self.peerings[one].push(Peering { remote: other, state: "Connected", offers_gateway: gateway, uses_gateway: false });
        self.peerings[other].push(Peering { remote: one, state: "Connected", offers_gateway: false, uses_gateway: gateway });
    }
}

/// Address spaces of `length` bits: 10/8, then 172.16/12, then 100.64/10.
fn spaces(length: u8) -> impl Iterator<Item = Ipv4Net> {
    [([10, 0, 0, 0], 8), ([172, 16, 0, 0], 12), ([100, 64, 0, 0], 10)].into_iter().flat_map(move |(base, len)| {
        let whole = Ipv4Net::new(Ipv4Addr::from(base), len).expect("lengths of the table are IPv4 lengths");
        whole.subnets(length).expect("a network is smaller than the space it is cut from")
    })
}
