//! The settled facts as the evaluation of points sees them: compiled once, looked up often.

mod assembled;
mod boundary;
mod claims;
mod exits;
mod firewalls;
mod groups;
mod guards;
mod instances;
mod owners;
mod proxies;
mod sites;
mod slots;
mod strangers;
mod unseen;

pub use guards::Guard;
pub use instances::{Named, is_scale_set, machines_of, nics_of, share_guest};
pub use owners::{Owners, Perhaps, endpoint_addresses};
pub use proxies::{Passage, Proxy};
pub use sites::{Entrance, leads_to_site, site_ids, unread_sites};
pub use strangers::{Stranger, Strangers};

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::explain::outsiders::Pool;
use crate::explain::packet::Host;
use crate::explain::pieces::Bounds;
use crate::explain::way::Way;
use crate::explain::{attacker, filters, outsiders};
use crate::facts::Index;
use crate::facts::network::{Direction, EndpointPolicies, ObservedDoubt, ObservedRoute};
use crate::facts::platform::Platform;
use crate::facts::store_facts::{Service, StorePart};
use crate::model::{Prefix, Set, Sym, Tri, net};
use crate::rules::admin::AdminProgram;
use crate::rules::azure_firewall::Firewall;
use crate::rules::boundary::Boundary;
use crate::rules::filter::Program;
use crate::rules::manager;
use crate::rules::network::Spaces;
use crate::rules::observed::{Sighting, is_of_family};
use crate::rules::route::{Context, Network, Origin, Table};

/// Addresses of the internet by interface filter, subnet, whether they are IPv6, and side.
type Internet = FxHashMap<(Sym, Sym, bool, Outward), Rc<Vec<IpAddr>>>;

/// Ways to proxies: by proxy, public address, what is sent there, by whom, and whether it is a session.
type Taken = FxHashMap<(Sym, Sym, Set, Option<IpAddr>, bool), Way>;

/// Compiled groups by id and direction; `None` for one that is not in the input.
type Programs = FxHashMap<(Sym, Direction), Option<Rc<Program>>>;

/// Firewalls of stores by store and part; `None` for a store that is not in the input.
type Guards<'a> = FxHashMap<(Sym, Sym), Option<Rc<Guard<'a>>>>;

use assembled::{network, table_input};

/// On which side of a flow the internet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outward {
    /// It is sent to.
    To,
    /// It sends.
    From,
}

/// The facts of one estate with what is compiled from them. Not shared between threads.
pub struct World<'a> {
    /// The facts.
    pub index: &'a Index,
    /// What is true of Azure.
    pub platform: &'a Platform,
    networks: RefCell<FxHashMap<Sym, Arc<Network>>>,
    /// The spaces of the peers of a network.
    spaces: RefCell<FxHashMap<Sym, Arc<Spaces>>>,
    contexts: RefCell<FxHashMap<(Sym, Sym), Rc<Context>>>,
    /// The routes of subnets that see their network in their own way (PEER-12).
    own_contexts: RefCell<FxHashMap<Sym, Rc<Context>>>,
    learned: RefCell<FxHashMap<Sym, Rc<sites::Learned>>>,
    site_prefixes: RefCell<FxHashMap<Sym, Rc<[Prefix]>>>,
    /// Whether sites may have addresses besides those listed.
    with_unlisted: RefCell<FxHashMap<Sym, bool>>,
    /// Some of those; nothing where there are too many to look at.
    pub(crate) unlisted: RefCell<FxHashMap<Sym, Option<Rc<Vec<IpAddr>>>>>,
    programs: RefCell<Programs>,
    admin_programs: RefCell<FxHashMap<(Sym, Direction), Rc<AdminProgram>>>,
    endpoints_by_address: FxHashMap<IpAddr, Vec<Sym>>,
    boundary: OnceCell<Boundary>,
    unaddressed_members: OnceCell<Vec<(Sym, Sym)>>,
    endpoints_outside: OnceCell<Vec<(Service, Sym, Sym)>>,
    parts_outside: OnceCell<Vec<(Service, StorePart)>>,
    bounds: OnceCell<Bounds>,
    memberships: RefCell<FxHashMap<Sym, Tri>>,
    estate_addresses: OnceCell<Arc<[Prefix]>>,
    transit: OnceCell<(Vec<Prefix>, Vec<Sym>)>,
    regions: OnceCell<Vec<Sym>>,
    regions_of_rules: OnceCell<Vec<(Sym, Sym)>>,
    hosts_of_rules: OnceCell<Vec<Sym>>,
    missing_balancers: OnceCell<rustc_hash::FxHashSet<Sym>>,
    pub(crate) untold_pools: OnceCell<Vec<Sym>>,
    pub(crate) pool_of_anybody: OnceCell<Sym>,
    unseen_endpoints: OnceCell<Vec<Sym>>,
    untold_endpoints: OnceCell<Vec<(Sym, Sym)>>,
    unseen_interface: OnceCell<Sym>,
    unseen_subnets: OnceCell<FxHashMap<Sym, Sym>>,
    lost_rules: OnceCell<Vec<(Sym, Sym)>>,
    strangers: OnceCell<Strangers>,
    listed_addresses: OnceCell<Vec<IpAddr>>,
    lost_public_ips: [OnceCell<Sym>; 2],
    hidden_holder: OnceCell<Sym>,
    rivals: OnceCell<FxHashMap<Sym, (Sym, Sym)>>,
    half_seen: OnceCell<Sym>,
    hidden_balancers: OnceCell<Vec<(Sym, Sym)>>,
    proxies: OnceCell<Vec<Proxy>>,
    /// What becomes of what proxies are sent from the internet, as far as that was looked at.
    pub(crate) taken: RefCell<Taken>,
    pools: [OnceCell<Pool>; 2],
    internet: RefCell<Internet>,
    firewalls: RefCell<FxHashMap<Sym, Rc<Firewall>>>,
    guards: RefCell<Guards<'a>>,
}

impl<'a> World<'a> {
    /// A world over these facts.
    pub fn new(index: &'a Index, platform: &'a Platform) -> World<'a> {
        let mut endpoints_by_address: FxHashMap<IpAddr, Vec<Sym>> = FxHashMap::default();
        for endpoint in index.private_endpoint.rows() {
            for address in endpoint_addresses(index, endpoint.endpoint) {
                endpoints_by_address.entry(address).or_default().push(endpoint.endpoint);
            }
        }
        World {
            index,
            platform,
            networks: RefCell::default(),
            spaces: RefCell::default(),
            contexts: RefCell::default(),
            own_contexts: RefCell::default(),
            learned: RefCell::default(),
            site_prefixes: RefCell::default(),
            with_unlisted: RefCell::default(),
            unlisted: RefCell::default(),
            programs: RefCell::default(),
            admin_programs: RefCell::default(),
            endpoints_by_address,
            boundary: OnceCell::new(),
            unaddressed_members: OnceCell::new(),
            endpoints_outside: OnceCell::new(),
            parts_outside: OnceCell::new(),
            bounds: OnceCell::new(),
            memberships: RefCell::default(),
            estate_addresses: OnceCell::new(),
            transit: OnceCell::new(),
            regions: OnceCell::new(),
            regions_of_rules: OnceCell::new(),
            hosts_of_rules: OnceCell::new(),
            missing_balancers: OnceCell::new(),
            untold_pools: OnceCell::new(),
            pool_of_anybody: OnceCell::new(),
            unseen_endpoints: OnceCell::new(),
            untold_endpoints: OnceCell::new(),
            unseen_interface: OnceCell::new(),
            unseen_subnets: OnceCell::new(),
            lost_rules: OnceCell::new(),
            strangers: OnceCell::new(),
            listed_addresses: OnceCell::new(),
            lost_public_ips: Default::default(),
            hidden_holder: OnceCell::new(),
            rivals: OnceCell::new(),
            half_seen: OnceCell::new(),
            hidden_balancers: OnceCell::new(),
            proxies: OnceCell::new(),
            taken: RefCell::default(),
            pools: Default::default(),
            internet: RefCell::default(),
            firewalls: RefCell::default(),
            guards: RefCell::default(),
        }
    }

    /// Whether the limits of the first Private Link documents are asked for (M-06).
    pub fn is_2019(&self) -> bool {
        self.index.era.has(Sym::new("2019"))
    }

    /// What belongs to the estate of all public addresses, sorted: the symbolic internet has the others (IN-01).
    pub fn estate_addresses(&self) -> Arc<[Prefix]> {
        let all = || {
            let index = self.index;
            let mut found: Vec<Prefix> = index.public_ip_address.rows().map(|row| net::host(row.address)).collect();
            found.extend(index.public_ip_ranges.rows().map(|row| row.prefix));
            found.extend(index.site_nats.rows().map(|row| net::host(row.address)));
            found.extend(index.circuit_public_prefixes.rows().map(|row| row.prefix));
            found.sort_unstable();
            found.dedup();
            found.into()
        };
        self.estate_addresses.get_or_init(all).clone()
    }

    /// The network of a subnet; empty where the subnet is not in the input.
    pub fn vnet_of(&self, subnet: Sym) -> Sym {
        self.index.subnet.one(subnet).map_or(Sym::EMPTY, |row| row.vnet)
    }

    /// The region of the network of a subnet.
    pub fn region_of_subnet(&self, subnet: Sym) -> Sym {
        self.index.vnet.one(self.vnet_of(subnet)).map_or(Sym::EMPTY, |row| row.location)
    }

    /// What a network is to its subnets.
    pub fn network(&self, vnet: Sym) -> Arc<Network> {
        if let Some(network) = self.networks.borrow().get(&vnet) {
            return network.clone();
        }
        let beyond = |vnet: Sym| {
            let known = self.spaces.borrow().get(&vnet).cloned();
            known.unwrap_or_else(|| {
                let found = Arc::new(assembled::spaces(self.index, vnet));
                self.spaces.borrow_mut().insert(vnet, found.clone());
                found
            })
        };
        let network = Arc::new(network(self.index, vnet, &beyond));
        self.networks.borrow_mut().insert(vnet, network.clone());
        network
    }

    /// The effective routes of a subnet.
    pub fn context(&self, subnet: Sym) -> Rc<Context> {
        let table = self.index.subnet_route_table.one(subnet).map_or(Sym::EMPTY, |row| row.table);
        let context = self.context_of(self.vnet_of(subnet), table);
        if self.index.subnet.has(subnet) {
            if let Some(observed) = self.observed_context(subnet) {
                return observed;
            }
            let partial = context.network.peers.iter().any(|peer| peer.partial);
            let own = partial || (!table.is_empty() && self.heeds_routes(subnet) != Heeds::All);
            return if own { self.own_context(subnet, table) } else { context };
        }
        // Of a subnet that is not in the input nobody knows the network.
        Rc::new(Context { unknown: subnet, ..(*context).clone() })
    }

    /// The effective routes that somebody saw at an interface in the subnet (RTE-07). Where interfaces of one subnet were seen to have different
    /// ones, they were seen at different times: what not all of them have is there perhaps.
    fn observed_context(&self, subnet: Sym) -> Option<Rc<Context>> {
        if self.index.observed_routes.is_empty() {
            return None;
        }
        if let Some(context) = self.own_contexts.borrow().get(&subnet) {
            return Some(context.clone());
        }
        let configs = self.index.ip_configs_by_subnet.get(subnet).iter();
        let mut nics: Vec<Sym> = configs.map(|config| config.nic).filter(|nic| self.index.observed_routes.has(*nic)).collect();
        Sym::sort(&mut nics);
        nics.dedup();
        let first = *nics.first()?;
        let bare = |nic: Sym| {
            let rows = self.index.observed_route.get(nic).iter();
            rows.map(|row| ObservedRoute { nic: first, ..*row }).collect::<BTreeSet<_>>()
        };
        let tables: Vec<BTreeSet<ObservedRoute>> = nics.iter().map(|nic| bare(*nic)).collect();
        let all: BTreeSet<ObservedRoute> = tables.iter().flatten().copied().collect();
        let doubted = |row: &ObservedRoute| nics.iter().any(|nic| self.is_doubted(&ObservedRoute { nic: *nic, ..*row }));
        // One without a row of a family tells nothing of it.
        let tells = |table: &BTreeSet<ObservedRoute>, row: &ObservedRoute| table.iter().any(|told| is_of_family(&told.prefix, &row.prefix));
        let surely = |row: &ObservedRoute| tables.iter().all(|table| table.contains(row) || !tells(table, row)) && !doubted(row);
        let everywhere = |row: &ObservedRoute| if surely(row) { Tri::Yes } else { Tri::Maybe };
        let rows: Vec<(ObservedRoute, Tri)> = all.into_iter().map(|row| (row, everywhere(&row))).collect();
        let context = Rc::new(Context::observed(self.network(self.vnet_of(subnet)), first, &rows, self.platform));
        self.own_contexts.borrow_mut().insert(subnet, context.clone());
        Some(context)
    }

    /// The effective routes of a subnet in a network with subnet peerings: it sees those that it takes part in as they are (PEER-12).
    fn own_context(&self, subnet: Sym, table: Sym) -> Rc<Context> {
        if let Some(context) = self.own_contexts.borrow().get(&subnet) {
            return context.clone();
        }
        let vnet = self.vnet_of(subnet);
        let mut network = (*self.network(vnet)).clone();
        for peer in network.peers.iter_mut().filter(|peer| peer.partial) {
            if self.takes_part(vnet, peer, subnet).lo() {
                *peer = peer.for_member();
            }
        }
        let heeds = self.heeds_routes(subnet);
        let mut input = table_input(self.index, table);
        let mut kept = true;
        if let (Table::Known { gateway_routes, .. }, true) = (&mut input, heeds != Heeds::All) {
            kept = std::mem::replace(gateway_routes, true);
        }
        let mut context = Context::new(Arc::new(network), &input, self.platform);
        for entry in &mut context.entries {
            let doubted = match heeds {
                Heeds::All => false,
                Heeds::NoDefault => entry.origin.is_user() && entry.prefix.prefix_len() == 0,
                Heeds::Perhaps => entry.origin.is_user(),
            };
            if doubted || (!kept && entry.origin == Origin::Gateway) {
                entry.sure = entry.sure.min(Tri::Maybe);
            }
        }
        let context = Rc::new(context);
        self.own_contexts.borrow_mut().insert(subnet, context.clone());
        context
    }

    /// Whether one of two copies of what was seen at an interface lacks the route.
    fn is_doubted(&self, row: &ObservedRoute) -> bool {
        let ObservedRoute { nic, prefix, source, hop, address } = *row;
        self.index.observed_doubt.get(nic).contains(&ObservedDoubt { nic, prefix, source, hop, address })
    }

    /// Where on the subnet somebody saw a route with this hop, in Azure's word, to a prefix that `within` holds (RTE-07).
    pub fn seen_route(&self, subnet: Sym, hop: &str, within: impl Fn(&Prefix) -> bool) -> Sighting {
        let nics = self.index.ip_configs_by_subnet.get(subnet).iter().map(|config| config.nic);
        let at = |nic: Sym| {
            let rows = || self.index.observed_route.get(nic).iter().filter(|row| row.hop.as_str() == hop && within(&row.prefix));
            match rows().next() {
                None => Sighting::Nowhere,
                Some(_) if rows().all(|row| self.is_doubted(row)) => Sighting::Disputed,
                Some(_) => Sighting::Everywhere,
            }
        };
        let looked = nics.filter(|nic| self.index.observed_routes.has(*nic)).map(at);
        looked.reduce(|one, other| if one == other { one } else { Sighting::Disputed }).unwrap_or(Sighting::NotLooked)
    }

    /// Whether only one side of the peering is in the input.
    pub fn is_one_sided(&self, peering: Sym) -> bool {
        let side = self.index.peering.one(peering);
        side.is_some_and(|side| !self.index.peerings_by_vnet.get(side.remote).iter().any(|other| other.remote == side.vnet))
    }

    /// Which of a person's routes count in a subnet of the platform's own kinds (RTE-21, RTE-22, ADR-09).
    pub fn heeds_routes(&self, subnet: Sym) -> Heeds {
        match self.index.subnet.one(subnet).map_or("", |row| row.name.as_str()) {
            "gatewaysubnet" => Heeds::NoDefault,
            "azurebastionsubnet" => Heeds::Perhaps,
            _ if self.index.subnet_delegations.has(subnet) => Heeds::Perhaps,
            _ => Heeds::All,
        }
    }

    /// The admin rules of one direction on a subnet (AVN-01).
    pub fn admin_program(&self, vnet: Sym, subnet: Sym, direction: Direction) -> Rc<AdminProgram> {
        if let Some(program) = self.admin_programs.borrow().get(&(subnet, direction)) {
            return program.clone();
        }
        let lost = self.lost_rules.get_or_init(|| manager::lost_rules(self.index));
        let program = Rc::new(manager::admin_program(self.index, vnet, subnet, direction, lost));
        self.admin_programs.borrow_mut().insert((subnet, direction), program.clone());
        program
    }

    /// The effective routes of a network with a route table (empty: none).
    pub fn context_of(&self, vnet: Sym, table: Sym) -> Rc<Context> {
        if let Some(context) = self.contexts.borrow().get(&(vnet, table)) {
            return context.clone();
        }
        let context = Rc::new(Context::new(self.network(vnet), &table_input(self.index, table), self.platform));
        self.contexts.borrow_mut().insert((vnet, table), context.clone());
        context
    }

    /// The rules of a group in one direction; `None` where the group is not in the input (SND-04).
    pub fn program(&self, nsg: Sym, direction: Direction) -> Option<Rc<Program>> {
        if let Some(program) = self.programs.borrow().get(&(nsg, direction)) {
            return program.clone();
        }
        let program =
            self.index.tells_rules_of(nsg).then(|| Rc::new(Program::new(nsg, direction, self.index.nsg_rules.get(nsg), self.platform)));
        self.programs.borrow_mut().insert((nsg, direction), program.clone());
        program
    }

    /// Whether the input holds the group that filters in a subnet under this name: Azure lets none of another region filter there (NSG-15).
    pub fn is_group_of(&self, nsg: Sym, subnet: Sym) -> bool {
        let (own, theirs) = (self.region_of_subnet(subnet), self.index.resource.one(nsg).map_or(Sym::EMPTY, |row| row.location));
        self.index.tells_rules_of(nsg) && (own == theirs || own.is_empty() || theirs.is_empty())
    }

    /// The compiled rules of a firewall, made where nobody has asked for them yet.
    pub fn firewall_once(&self, device: Sym, compile: impl FnOnce() -> Firewall) -> Rc<Firewall> {
        if let Some(known) = self.firewalls.borrow().get(&device) {
            return known.clone();
        }
        let firewall = Rc::new(compile());
        self.firewalls.borrow_mut().insert(device, firewall.clone());
        firewall
    }

    /// Every prefix that an appliance on the way compares addresses with, and the tags its filters name.
    pub fn transit(&self) -> &(Vec<Prefix>, Vec<Sym>) {
        self.transit.get_or_init(|| {
            let (mut cuts, mut tags) = (Vec::new(), Vec::new());
            for nic in self.index.nic.rows().filter(|nic| nic.forwarding) {
                for config in self.index.ip_configs_by_nic.get(nic.nic) {
                    let (prefixes, named) = filters::compared(self, nic.nic, config.subnet);
                    cuts.extend(prefixes);
                    tags.extend(named);
                }
            }
            cuts.extend(self.index.appliance_allows.rows().flat_map(|row| [row.from, row.to]));
            let (further, named) = self.firewalls_compare();
            cuts.extend(further);
            tags.extend(named);
            cuts.sort_unstable();
            cuts.dedup();
            tags.sort_unstable();
            tags.dedup();
            (cuts, tags)
        })
    }

    /// The regions that a network or a store of the estate is in.
    pub fn regions(&self) -> &[Sym] {
        self.regions.get_or_init(|| {
            let networks = self.index.vnet.rows().map(|row| row.location);
            let mut regions: Vec<Sym> = networks.chain(self.index.store_parts.rows().map(|row| row.location)).collect();
            Sym::sort(&mut regions);
            regions.dedup();
            regions
        })
    }

    /// The regional tags that rules of the estate name: the service's tag and the region.
    pub fn regions_of_rules(&self) -> &[(Sym, Sym)] {
        self.regions_of_rules.get_or_init(|| attacker::regions_of_rules(self))
    }

    /// The hosts that application rules name and that are no store inside the boundary.
    pub fn hosts_of_rules(&self) -> &[Sym] {
        self.hosts_of_rules.get_or_init(|| attacker::hosts_of_rules(self))
    }

    /// One address of the internet for each answer that anything in the estate can give.
    pub fn pool(&self, v6: bool) -> &Pool {
        self.pools[usize::from(v6)].get_or_init(|| Pool::of(self, v6))
    }

    /// One address of the internet for each answer that what a place meets on the way out to it, or in from it, can give (IN-01);
    /// remembered by the filters and the subnet of the place.
    pub fn outsiders(&self, at: &Host, outward: Outward) -> Rc<Vec<IpAddr>> {
        let filter = self.index.nic_nsg.one(at.nic).map_or(Sym::EMPTY, |row| row.nsg);
        let v6 = at.ip.is_ipv6();
        let key = (filter, at.subnet, v6, outward);
        if let Some(found) = self.internet.borrow().get(&key) {
            return found.clone();
        }
        let found = Rc::new(match outward {
            Outward::To => outsiders::destinations(self, at),
            Outward::From => outsiders::sources(self, at.nic, at.subnet, v6),
        });
        self.internet.borrow_mut().insert(key, found.clone());
        found
    }
}

impl World<'_> {
    /// Whether the security group of its subnet filters what comes to a private endpoint (PE-22, PE-23).
    pub fn endpoint_filtered(&self, endpoint: Sym) -> Tri {
        let subnet = self.index.private_endpoint.one(endpoint).map_or(Sym::EMPTY, |row| row.subnet);
        if self.other_subnet_of(endpoint).is_some() {
            return Tri::Maybe;
        }
        match self.endpoint_policies(subnet) {
            Some(EndpointPolicies::Enabled | EndpointPolicies::Nsg) => Tri::Yes,
            Some(EndpointPolicies::Unknown) => Tri::Maybe,
            None if !self.index.subnet.has(subnet) && !self.is_2019() => Tri::Maybe, // a subnet that is not in the input
            Some(EndpointPolicies::Disabled | EndpointPolicies::RouteTable) | None => Tri::No,
        }
    }

    /// The subnet in which the interface of a private endpoint says it stands, where the endpoint says another: one of the two is out of date (SND-02). The first
    /// by id.
    pub fn other_subnet_of(&self, endpoint: Sym) -> Option<Sym> {
        self.other_subnets_of(endpoint).min_by_key(|subnet| subnet.as_str())
    }

    /// All of those.
    pub fn other_subnets_of(&self, endpoint: Sym) -> impl Iterator<Item = Sym> {
        let index = self.index;
        let own = index.private_endpoint.one(endpoint).map(|row| row.subnet).filter(|subnet| !subnet.is_empty());
        let configs = index.private_endpoint_nics.get(endpoint).iter().flat_map(|row| index.ip_configs_by_nic.get(row.nic));
        configs.map(|config| config.subnet).filter(move |subnet| own.is_some_and(|own| *subnet != own))
    }

    /// Which filters of a subnet apply to private endpoints in it: in the first years none ever did (PE-22, PE-25).
    pub fn endpoint_policies(&self, subnet: Sym) -> Option<EndpointPolicies> {
        self.index.subnet_private_endpoint_policy.one(subnet).map(|row| row.policies).filter(|_| !self.is_2019())
    }
}

/// How far a subnet follows the route table that hangs on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heeds {
    /// As every subnet does.
    All,
    /// Its default route, and that gateway routes are off, count only perhaps.
    NoDefault,
    /// All of its routes count only perhaps.
    Perhaps,
}

impl World<'_> {
    /// Whether the connection of a private endpoint carries traffic (PE-10, PE-11).
    pub fn consent(&self, endpoint: Sym) -> Tri {
        self.index
            .private_endpoint_connections
            .get(endpoint)
            .iter()
            .map(|consumer| crate::rules::consent::of(self.index, consumer).admitted)
            .max()
            .unwrap_or(Tri::No)
    }

    /// What the estate tells apart.
    pub fn bounds(&self) -> &Bounds {
        self.bounds.get_or_init(|| Bounds::of(self))
    }
}
