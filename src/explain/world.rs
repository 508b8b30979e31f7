//! The settled facts as the evaluation of points sees them: compiled once, looked up often.

use std::cell::{OnceCell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::explain::outsiders::Pool;
use crate::explain::packet::{Host, StepExt, short, step};
use crate::explain::pieces::Bounds;
use crate::explain::way::{Kind, Step};
use crate::explain::{filters, outsiders};
use crate::facts::Index;
use crate::facts::network::{ConnectionKind, DeviceKind, Direction, EndpointPolicies, GatewayKind, MachineKind, NicRole, PublicSku};
use crate::facts::platform::Platform;
use crate::facts::private_access::AddressSource;
use crate::model::{Prefix, Span, Stage, Sym, Tri, net};
use crate::rules::admin::AdminProgram;
use crate::rules::azure_firewall::Firewall;
use crate::rules::between;
use crate::rules::filter::Program;
use crate::rules::gateway::GatewayRoutes;
use crate::rules::manager;
use crate::rules::network::{Around, AroundGateways, assemble, assemble_gateways};
use crate::rules::outbound::{Exits, Method, Nat, methods};
use crate::rules::route::{Context, Network, Origin, Table};

/// Addresses of the internet by interface filter, subnet, whether they are IPv6, and side.
type Internet = FxHashMap<(Sym, Sym, bool, Outward), Rc<Vec<IpAddr>>>;

/// Compiled groups by id and direction; `None` for one that is not in the input.
type Programs = FxHashMap<(Sym, Direction), Option<Rc<Program>>>;

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
    contexts: RefCell<FxHashMap<(Sym, Sym), Rc<Context>>>,
    /// The routes of subnets that see their network in their own way (PEER-12).
    own_contexts: RefCell<FxHashMap<Sym, Rc<Context>>>,
    /// Addresses that sites may have besides those listed; nothing where there are too many to look at.
    pub(crate) unlisted: RefCell<FxHashMap<Sym, Option<Rc<Vec<IpAddr>>>>>,
    programs: RefCell<Programs>,
    admin_programs: RefCell<FxHashMap<(Sym, Direction), Rc<AdminProgram>>>,
    endpoints_by_address: FxHashMap<IpAddr, Vec<Sym>>,
    subscriptions: RefCell<Option<rustc_hash::FxHashSet<Sym>>>,
    bounds: OnceCell<Bounds>,
    memberships: RefCell<FxHashMap<Sym, Tri>>,
    transit: OnceCell<(Vec<Prefix>, Vec<Sym>)>,
    regions: OnceCell<Vec<Sym>>,
    pools: [OnceCell<Pool>; 2],
    internet: RefCell<Internet>,
    firewalls: RefCell<FxHashMap<Sym, Rc<Firewall>>>,
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
            contexts: RefCell::default(),
            own_contexts: RefCell::default(),
            unlisted: RefCell::default(),
            programs: RefCell::default(),
            admin_programs: RefCell::default(),
            endpoints_by_address,
            subscriptions: RefCell::default(),
            bounds: OnceCell::new(),
            memberships: RefCell::default(),
            transit: OnceCell::new(),
            regions: OnceCell::new(),
            pools: Default::default(),
            internet: RefCell::default(),
            firewalls: RefCell::default(),
        }
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
        let network = Arc::new(network(self.index, vnet));
        self.networks.borrow_mut().insert(vnet, network.clone());
        network
    }

    /// The effective routes of a subnet.
    pub fn context(&self, subnet: Sym) -> Rc<Context> {
        let table = self.index.subnet_route_table.one(subnet).map_or(Sym::EMPTY, |row| row.table);
        let context = self.context_of(self.vnet_of(subnet), table);
        if self.index.subnet.has(subnet) {
            let partial = context.network.peers.iter().any(|peer| peer.partial);
            let own = partial || (!table.is_empty() && self.heeds_routes(subnet) != Heeds::All);
            return if own { self.own_context(subnet, table) } else { context };
        }
        // Of a subnet that is not in the input nobody knows the network.
        Rc::new(Context { unknown: subnet, ..(*context).clone() })
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
        let program = Rc::new(manager::admin_program(self.index, vnet, subnet, direction));
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
        let program = self.index.nsg.has(nsg).then(|| Rc::new(Program::new(nsg, direction, self.index.nsg_rules.get(nsg), self.platform)));
        self.programs.borrow_mut().insert((nsg, direction), program.clone());
        program
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

    /// Whether any private endpoint has the address.
    pub fn is_endpoint_address(&self, address: IpAddr) -> bool {
        self.endpoints_by_address.contains_key(&address)
    }

    /// The private endpoints that hold `address` in `vnet`, sorted by id.
    pub fn endpoints_at(&self, address: IpAddr, vnet: Sym) -> Vec<Sym> {
        let mut found: Vec<Sym> = self
            .endpoints_by_address
            .get(&address)
            .into_iter()
            .flatten()
            .copied()
            .filter(|e| self.index.private_endpoint.one(*e).is_some_and(|row| self.vnet_of(row.subnet) == vnet))
            .collect();
        found.sort_by_key(|e| e.as_str());
        found
    }

    /// The addresses of a private endpoint (PE-06), sorted.
    pub fn endpoint_addresses(&self, endpoint: Sym) -> Vec<IpAddr> {
        endpoint_addresses(self.index, endpoint)
    }

    /// Whether membership in a group counts surely: only where all its members are in one network (NSG-09).
    fn membership(&self, asg: Sym) -> Tri {
        *self.memberships.borrow_mut().entry(asg).or_insert_with(|| {
            let members = self.index.ip_configs_by_asg.get(asg).iter();
            let mut vnets = members.filter_map(|row| self.index.ip_config.one(row.ip_config)).map(|config| self.vnet_of(config.subnet));
            let first = vnets.next();
            if vnets.all(|vnet| Some(vnet) == first) { Tri::Yes } else { Tri::Maybe }
        })
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
            cuts.sort();
            cuts.dedup();
            tags.sort();
            tags.dedup();
            (cuts, tags)
        })
    }

    /// The regions that a network or a store of the estate is in.
    pub fn regions(&self) -> &[Sym] {
        self.regions.get_or_init(|| {
            let networks = self.index.vnet.rows().map(|row| row.location);
            let mut regions: Vec<Sym> = networks.chain(self.index.store_parts.rows().map(|row| row.location)).collect();
            regions.sort_by_key(|region| region.as_str());
            regions.dedup();
            regions
        })
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

    /// The application security groups of an address configuration; membership counts surely only where all members of a group are in one
    /// network (NSG-09).
    pub fn asgs_of(&self, ip_config: Sym) -> Vec<(Sym, Tri)> {
        let mut asgs: Vec<(Sym, Tri)> =
            self.index.ip_config_asgs.get(ip_config).iter().map(|row| (row.asg, self.membership(row.asg))).collect();
        asgs.sort();
        asgs
    }
}

impl World<'_> {
    /// The application security groups of an interface, which its filters go by: surely where all its configurations are members, else
    /// perhaps (NSG-09, decision on forwarded packets).
    pub fn asgs_of_nic(&self, nic: Sym) -> Vec<(Sym, Tri)> {
        let configs = self.index.ip_configs_by_nic.get(nic);
        let mut asgs: Vec<(Sym, Tri)> = configs.iter().flat_map(|config| self.asgs_of(config.ip_config)).collect();
        asgs.sort();
        asgs.dedup();
        let member = |asg: Sym, config: Sym| self.index.ip_config_asgs.get(config).iter().any(|row| row.asg == asg);
        for (asg, sure) in &mut asgs {
            if !configs.iter().all(|config| member(*asg, config.ip_config)) {
                *sure = Tri::Maybe;
            }
        }
        asgs
    }

    /// The application security groups of whoever has a literal address, for rules that name groups on the other side (NSG-09, NSG-13).
    pub fn asgs_at(&self, ip: IpAddr) -> Vec<(Sym, Tri)> {
        let index = self.index;
        let known = index.ip_configs_by_address.get(ip).iter().flat_map(|row| self.asgs_of(row.ip_config));
        let mut asgs: Vec<(Sym, Tri)> = known.collect();
        for row in index.ip_config_asgs.rows().filter(|row| !index.ip_config_address.has(row.ip_config)) {
            let subnet = index.ip_config.one(row.ip_config).map_or(Sym::EMPTY, |config| config.subnet);
            if index.subnet_prefixes.get(subnet).iter().any(|row| row.prefix.contains(&ip)) {
                asgs.push((row.asg, Tri::Maybe));
            }
        }
        for endpoint in self.endpoints_by_address.get(&ip).into_iter().flatten() {
            let filtered = self.endpoint_filtered(*endpoint);
            asgs.extend(self.endpoint_asgs(*endpoint).into_iter().map(|(asg, _)| (asg, filtered)));
        }
        asgs.sort_by_key(|(asg, sure)| (*asg, std::cmp::Reverse(*sure)));
        asgs.dedup_by_key(|(asg, _)| *asg);
        asgs
    }

    /// The networks that the members of a group live in.
    pub fn networks_of_asg(&self, asg: Sym) -> Vec<Sym> {
        let index = self.index;
        let configs = index.ip_configs_by_asg.get(asg).iter().filter_map(|member| index.ip_config.one(member.ip_config));
        let mut vnets: Vec<Sym> = configs.map(|config| self.vnet_of(config.subnet)).collect();
        let endpoints = index.private_endpoints_by_asg.get(asg).iter().filter_map(|member| index.private_endpoint.one(member.endpoint));
        vnets.extend(endpoints.map(|endpoint| self.vnet_of(endpoint.subnet)));
        vnets
    }

    /// Whether the security group of its subnet filters what comes to a private endpoint (PE-22, PE-23).
    pub fn endpoint_filtered(&self, endpoint: Sym) -> Tri {
        let subnet = self.index.private_endpoint.one(endpoint).map_or(Sym::EMPTY, |row| row.subnet);
        match self.index.subnet_private_endpoint_policy.one(subnet).map(|row| row.policies) {
            Some(EndpointPolicies::Enabled | EndpointPolicies::Nsg) => Tri::Yes,
            Some(EndpointPolicies::Unknown) => Tri::Maybe,
            Some(EndpointPolicies::Disabled | EndpointPolicies::RouteTable) | None => Tri::No,
        }
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

/// Who has an address in a network.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    /// Machines, sorted by configuration.
    pub hosts: Vec<Host>,
    /// Interfaces without a machine: they answer nothing, but may be a next hop.
    pub detached: Vec<Host>,
    /// Private endpoints.
    pub endpoints: Vec<Sym>,
    /// Frontends of internal load balancers.
    pub frontends: Vec<Sym>,
    /// Devices whose own behaviour is not modelled.
    pub devices: Vec<(Sym, DeviceKind)>,
    /// Where it is not known whether somebody has the address (SND-07).
    pub perhaps: Option<Perhaps>,
}

/// Why an address without a known owner may have one after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Perhaps {
    /// The subnet it lies in.
    pub subnet: Sym,
    /// In plain words.
    pub why: &'static str,
    /// The warning code.
    pub code: &'static str,
    /// Nothing at all stands in the subnet: whoever could be placed there has no rules of its own (ADR-16).
    pub placeable: bool,
}

/// The sites on premises: those a person named, then the local network gateways that are not one of them; sorted by name.
pub fn site_ids(index: &Index) -> Vec<Sym> {
    let mut stated: Vec<Sym> = index.site.rows().map(|row| row.site).collect();
    stated.sort_by_key(|site| site.as_str());
    let named = |id: Sym| stated.iter().any(|site| site.as_str().eq_ignore_ascii_case(short(id)));
    let circuits = index.connection.rows().filter(|row| row.kind == ConnectionKind::ExpressRoute && !row.peer.is_empty());
    let known = index.local_gateway.rows().map(|row| row.site).chain(circuits.map(|row| row.peer));
    let mut found: Vec<Sym> = known.filter(|id| !named(*id)).collect();
    found.sort_by_key(|site| site.as_str());
    found.dedup();
    stated.into_iter().chain(found).collect()
}

/// Where packets from on premises come into a network.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// The gateway's subnet, whose routes they take.
    pub subnet: Sym,
    /// The connection they come by.
    pub step: Step,
}

impl Owners {
    /// Whether no owner is known.
    pub fn is_nobody(&self) -> bool {
        self.hosts.is_empty() && self.endpoints.is_empty() && self.frontends.is_empty() && self.devices.is_empty()
    }
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

    /// The addresses at a site on premises: what its local network gateway lists and what a person stated (GW-01), sorted.
    pub fn site_prefixes(&self, site: Sym) -> Vec<Prefix> {
        let listed = self.index.local_gateway_prefixes.get(site).iter().map(|row| row.prefix);
        let mut prefixes: Vec<Prefix> = listed.chain(self.index.site_prefixes.get(site).iter().map(|row| row.prefix)).collect();
        prefixes.sort();
        prefixes.dedup();
        prefixes
    }

    /// Where the packets of a site come in: the subnets of the gateways that are connected to it, or to a local network gateway with
    /// addresses of the site.
    pub fn entrances(&self, site: Sym) -> Vec<Entrance> {
        let index = self.index;
        let wanted = self.site_prefixes(site);
        let mut out: Vec<Entrance> = Vec::new();
        for connection in index.connection.rows() {
            let same = connection.peer == site || self.is_called(connection.peer, site);
            let overlapping = !same
                && index.local_gateway.has(connection.peer)
                && index.site.has(site)
                && index.local_gateway_prefixes.get(connection.peer).iter().any(|row| wanted.iter().any(|w| net::overlap(w, &row.prefix)));
            if !same && !overlapping {
                continue;
            }
            let mut subnets: Vec<Sym> = index.gateway_subnets.get(connection.gateway).iter().map(|row| row.subnet).collect();
            // Where packets of a gateway go that is not in the input, and of one whose circuit may pass it by (GW-08), nobody knows.
            let fits = match index.gateway.one(connection.gateway).map(|gateway| gateway.kind) {
                Some(GatewayKind::Vpn) => connection.kind == ConnectionKind::Ipsec,
                Some(GatewayKind::ExpressRoute) => connection.kind == ConnectionKind::ExpressRoute && connection.connected.lo(),
                Some(GatewayKind::Unknown) | None => false,
            };
            if subnets.is_empty() || !fits {
                subnets = vec![Sym::EMPTY];
            }
            for subnet in subnets {
                let text = format!("connection {} brings it to gateway {}", short(connection.connection), short(connection.gateway));
                let sure = connection.connected.lo() && fits;
                let span = if sure { Span::ALL } else { Span::UNKNOWN };
                let mut by = step(Stage::Gateway, span, "gateway.4", text).by(connection.gateway, short(connection.connection));
                by = by.at_fact(connection.connection).kind(Kind::Fact);
                if !sure {
                    by = by.kind(Kind::Assumption).code("W-CONN-STATE");
                }
                out.push(Entrance { subnet, step: by });
            }
        }
        out.sort_by(|a, b| (a.subnet.as_str(), &a.step.text).cmp(&(b.subnet.as_str(), &b.step.text)));
        out.dedup_by(|a, b| a.subnet == b.subnet);
        out
    }

    /// The application security groups of a private endpoint (PE-23), sorted.
    pub fn endpoint_asgs(&self, endpoint: Sym) -> Vec<(Sym, Tri)> {
        let mut asgs: Vec<(Sym, Tri)> = self.index.private_endpoint_asgs.get(endpoint).iter().map(|row| (row.asg, Tri::Yes)).collect();
        asgs.sort();
        asgs
    }

    /// Whether a resource id lies inside the trust boundary.
    pub fn inside(&self, id: Sym) -> bool {
        let index = self.index;
        let parts = crate::model::ids::id_parts(id.as_str());
        let known = index.resource.one(id);
        let tenant = known.map_or(Sym::EMPTY, |row| row.tenant);
        let subscription = Sym::new(parts.subscription);
        let subscriptions_known = !index.boundary_subscription.is_empty();
        let tenants_known = !index.boundary_tenant.is_empty();
        if subscriptions_known && !index.boundary_subscription.has(subscription) {
            return false;
        }
        if tenants_known && !tenant.is_empty() && !index.boundary_tenant.has(tenant) {
            return false;
        }
        // Without a stated boundary it is what the input holds.
        subscriptions_known || known.is_some() || self.subscriptions().contains(&subscription)
    }

    /// The subscriptions that resources of the input belong to.
    fn subscriptions(&self) -> std::cell::Ref<'_, rustc_hash::FxHashSet<Sym>> {
        if self.subscriptions.borrow().is_none() {
            *self.subscriptions.borrow_mut() = Some(self.index.resource.rows().map(|row| row.subscription).collect());
        }
        std::cell::Ref::map(self.subscriptions.borrow(), |found| found.as_ref().expect("filled above"))
    }

    /// Whether an endpoint policy on the subnet admits a scope outside the boundary (SEP-08, X-11); one that nobody can read may be.
    pub fn scopes_outside(&self, subnet: Sym) -> Tri {
        let index = self.index;
        let policies = index.subnet_endpoint_policies.get(subnet).iter();
        let scopes = policies.flat_map(|row| index.endpoint_policy_scopes.get(row.policy));
        let outside = scopes.map(|row| match row.scope.as_str() {
            "" => Tri::No,
            alias if alias.starts_with("/services/") => Tri::No,
            id if id.starts_with("/subscriptions/") => Tri::from_bool(!self.inside(row.scope)),
            _ if index.store.has(row.scope) => Tri::No,
            _ => Tri::Maybe,
        });
        outside.max().unwrap_or(Tri::No)
    }

    /// Who has `ip` in `vnet` (ADR-11), and where nobody is known to, whether somebody may.
    pub fn owners(&self, ip: IpAddr, vnet: Sym) -> Owners {
        let mut owners = self.known_owners(ip, vnet);
        if owners.is_nobody() {
            owners.perhaps = self.perhaps_owned(ip, vnet);
        }
        owners
    }

    fn known_owners(&self, ip: IpAddr, vnet: Sym) -> Owners {
        let index = self.index;
        let (endpoints, frontends) = (self.endpoints_at(ip, vnet), self.frontends_at(ip, vnet));
        let mut owners = Owners { endpoints, frontends, ..Owners::default() };
        for row in index.ip_configs_by_address.get(ip) {
            let Some(config) = index.ip_config.one(row.ip_config) else { continue };
            if self.vnet_of(config.subnet) != vnet {
                continue;
            }
            let host = Host { ip, ip_config: config.ip_config, nic: config.nic, subnet: config.subnet, vnet };
            match index.nic.one(config.nic).map(|nic| nic.role) {
                Some(NicRole::Machine) => owners.hosts.push(host),
                Some(NicRole::Detached) => owners.detached.push(host),
                Some(NicRole::PrivateEndpoint) => {
                    if owners.endpoints.is_empty() {
                        owners.devices.push((config.nic, DeviceKind::Other)); // an endpoint that is not in the input
                    }
                }
                Some(NicRole::PrivateLinkService) => owners.devices.push((config.nic, DeviceKind::PrivateLinkService)),
                Some(NicRole::Platform) | None => owners.devices.push((config.nic, DeviceKind::Other)),
            }
        }
        for row in index.devices_by_address.get(ip) {
            if self.vnet_of(row.subnet) == vnet {
                let kind = index.device.one(row.device).map_or(DeviceKind::Other, |device| device.kind);
                owners.devices.push((row.device, kind));
            }
        }
        owners.hosts.sort_by_key(|host| host.ip_config.as_str());
        owners.devices.sort_by_key(|(device, _)| device.as_str());
        owners.devices.dedup();
        owners
    }

    /// Whether an address without a known owner may have one after all (ADR-06, ADR-09, ADR-16, SND-07).
    fn perhaps_owned(&self, ip: IpAddr, vnet: Sym) -> Option<Perhaps> {
        let index = self.index;
        let subnet = index
            .subnets_by_vnet
            .get(vnet)
            .iter()
            .find(|subnet| index.subnet_prefixes.get(subnet.subnet).iter().any(|row| row.prefix.contains(&ip)))?
            .subnet;
        let dynamic = index.ip_configs_by_subnet.get(subnet).iter().any(|config| {
            !index.ip_config_address.has(config.ip_config) && index.nic.one(config.nic).is_some_and(|n| is_endpoint_nic(n.role))
        });
        let because = |why, code| Some(Perhaps { subnet, why, code, placeable: false });
        let frontends = index.load_balancer_frontends_by_subnet.get(subnet);
        let inhabited = index.ip_configs_by_subnet.has(subnet) || index.private_endpoints_by_subnet.has(subnet) || !frontends.is_empty();
        if index.subnet_delegations.has(subnet) {
            because("the subnet is delegated to a service", "W-DELEGATED")
        } else if index.devices_by_subnet.has(subnet) || index.gateways_by_subnet.has(subnet) {
            because("instances of a device stand in the subnet", "W-UNSUPPORTED")
        } else if dynamic {
            because("a machine in the subnet has an address that the input does not tell", "W-MISSING")
        } else if frontends.iter().any(|frontend| frontend.address.is_none()) {
            because("a load balancer in the subnet has an address that the input does not tell", "W-MISSING")
        } else if !inhabited {
            Some(Perhaps { subnet, why: "nothing in the input stands in the subnet", code: "W-MISSING", placeable: true })
        } else {
            None
        }
    }

    /// The places behind an interface.
    pub fn hosts_of_nic(&self, nic: Sym) -> Vec<Host> {
        let mut configs: Vec<Sym> = self.index.ip_configs_by_nic.get(nic).iter().map(|config| config.ip_config).collect();
        configs.sort_by_key(|config| config.as_str());
        configs.into_iter().flat_map(|config| self.hosts_of_config(config)).collect()
    }

    /// The place behind an address configuration; where its address is not known, one for each address that makes a difference (ADR-06).
    pub fn hosts_of_config(&self, ip_config: Sym) -> Vec<Host> {
        let Some(config) = self.index.ip_config.one(ip_config) else { return Vec::new() };
        let host = |ip| Host { ip, ip_config, nic: config.nic, subnet: config.subnet, vnet: self.vnet_of(config.subnet) };
        let known = self.index.ip_config_address.get(ip_config);
        if known.is_empty() && !self.index.subnet.has(config.subnet) {
            return vec![host(IpAddr::from([0, 0, 0, 0]))]; // nowhere, until its subnet is known
        }
        if known.is_empty() {
            return self.free_addresses(config.subnet).into_iter().map(host).collect();
        }
        known.iter().map(|row| host(row.address)).collect()
    }

    /// What the estate tells apart.
    pub fn bounds(&self) -> &Bounds {
        self.bounds.get_or_init(|| Bounds::of(self))
    }

    /// The usable addresses of a subnet that nobody has (ADR-04, ADR-06): one for each piece in which every address gets the same answers.
    pub fn free_addresses(&self, subnet: Sym) -> Vec<IpAddr> {
        let vnet = self.vnet_of(subnet);
        let free = |ip: IpAddr| self.known_owners(ip, vnet).is_nobody();
        let ranges = self.index.subnet_prefixes.get(subnet).iter().filter_map(|row| net::usable(&row.prefix));
        ranges.flat_map(|(first, last)| self.bounds().pieces(first, last, free)).collect()
    }

    /// Whether a machine sends and answers with the address configuration (ADR-07).
    pub fn is_endpoint_config(&self, ip_config: Sym) -> bool {
        let nic = self.index.ip_config.one(ip_config).and_then(|config| self.index.nic.one(config.nic));
        nic.is_some_and(|nic| is_endpoint_nic(nic.role))
    }

    /// Whether two names are of one site: the id of a local network gateway, or the name a person gave the site.
    pub fn same_site(&self, a: Sym, b: Sym) -> bool {
        a == b || self.is_called(a, b) || self.is_called(b, a) || {
            let (ours, theirs) = (self.site_prefixes(a), self.site_prefixes(b));
            ours.iter().any(|p| theirs.iter().any(|q| net::overlap(p, q)))
        }
    }

    /// Whether a person named the site after the local network gateway or circuit.
    pub fn is_called(&self, id: Sym, site: Sym) -> bool {
        self.index.site.has(site) && short(id).eq_ignore_ascii_case(site.as_str())
    }

    /// The public addresses that the packets of a site leave with: those a person stated, and those of its circuits' Microsoft peerings (R-05,
    /// GW-15), sorted.
    pub fn site_sources(&self, site: Sym) -> Vec<Prefix> {
        let stated = self.index.site_nats.rows().filter(|row| self.same_site(row.site, site)).map(|row| net::host(row.address));
        let shown = self.index.circuit_public_prefixes.rows().filter(|row| self.same_site(row.circuit, site)).map(|row| row.prefix);
        let mut sources: Vec<Prefix> = stated.chain(shown).collect();
        sources.sort_unstable();
        sources.dedup();
        sources
    }

    /// How the packets of a place leave for public addresses (OUT-02).
    pub fn exits(&self, at: &Host, v6: bool) -> Vec<Method> {
        let index = self.index;
        if index.azure_firewall.has(at.nic) {
            return self.firewall_exits(at, v6);
        }
        let family = |prefix: &Prefix| prefix.addr().is_ipv6() == v6;
        let nat = self.nat_of(at.subnet, v6);
        // An address that is not known yet is one of IPv4; one of the other family is no way out for this packet.
        let instance = index.ip_config_public_ip.get(at.ip_config).iter().find_map(|row| {
            let address = index.public_ip_address.one(row.public_ip).map(|row| net::host(row.address));
            address.as_ref().map_or(!v6, family).then_some((row.public_ip, address))
        });
        let machine = index.nic_machine.one(at.nic).map(|row| row.machine);
        // Whether a Standard address hangs on the interface: of an address without a known kind nobody can tell.
        let standard_address = |nic: Sym| {
            let configs = index.ip_configs_by_nic.get(nic).iter();
            let addresses = configs.flat_map(|config| index.ip_config_public_ip.get(config.ip_config));
            let kinds = addresses.map(|row| match index.public_ip.one(row.public_ip).map(|ip| ip.sku) {
                Some(PublicSku::Basic) => Tri::No,
                Some(PublicSku::Standard | PublicSku::StandardV2) => Tri::Yes,
                Some(PublicSku::Unknown) | None => Tri::Maybe,
            });
            kinds.max().unwrap_or(Tri::No)
        };
        let barred = machine.map_or(Tri::No, |machine| {
            let flexible = index.machine_scale_set.has(machine)
                || index.machine.one(machine).is_some_and(|row| row.kind == MachineKind::FlexibleScaleSet);
            let nics = index.nics_by_machine.get(machine).iter();
            nics.map(|row| standard_address(row.nic)).max().unwrap_or(Tri::No).or(Tri::from_bool(flexible))
        });
        let barred = barred.or(self.barred_by_balancer(at));
        let mut allowed = index.subnet_default_outbound.one(at.subnet).map_or(Tri::Yes, |row| row.allowed).and(barred.negated());
        if index.subnet_delegations.has(at.subnet) {
            allowed = Tri::Maybe;
        }
        let (outbound_rules, balancing_rules) = self.balancer_exits(at, v6);
        let missing_pool = self.missing_pool(at);
        let chained = index.gateway_chain.has(at.ip_config);
        methods(&Exits { nat, instance, chained, outbound_rules, balancing_rules, missing_pool, default_allowed: allowed, v6 })
    }

    /// The NAT gateway of a subnet, with its addresses of one family.
    pub fn nat_of(&self, subnet: Sym, v6: bool) -> Option<Nat> {
        let row = self.index.subnet_nat_gateway.one(subnet)?;
        let sku = self.index.nat_gateway.one(row.gateway).map(|gateway| gateway.sku);
        let family = |prefix: &Prefix| prefix.addr().is_ipv6() == v6;
        let addresses = self.nat_addresses(row.gateway).map(|all| all.into_iter().filter(family).collect());
        Some((row.gateway, sku, addresses))
    }

    /// The addresses of a NAT gateway; `None` where some of them are not in the input.
    fn nat_addresses(&self, gateway: Sym) -> Option<Vec<Prefix>> {
        let index = self.index;
        let mut addresses = Vec::new();
        for row in index.nat_gateway_public_ips.get(gateway) {
            addresses.push(net::host(index.public_ip_address.one(row.public_ip)?.address));
        }
        for row in index.nat_gateway_ranges.get(gateway) {
            let ranges = index.public_ip_ranges.get(row.public_ip_prefix);
            if ranges.is_empty() {
                return None;
            }
            addresses.extend(ranges.iter().map(|range| range.prefix));
        }
        addresses.sort();
        Some(addresses)
    }
}

/// The addresses of a private endpoint: of its interface, else what the endpoint itself says, best source first (PE-06).
pub fn endpoint_addresses(index: &Index, endpoint: Sym) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = index
        .private_endpoint_nics
        .get(endpoint)
        .iter()
        .flat_map(|row| index.ip_configs_by_nic.get(row.nic))
        .flat_map(|config| index.ip_config_address.get(config.ip_config))
        .map(|row| row.address)
        .collect();
    for source in [AddressSource::CustomDns, AddressSource::Static] {
        if found.is_empty() {
            found =
                index.private_endpoint_addresses.get(endpoint).iter().filter(|row| row.source == source).map(|row| row.address).collect();
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The address configurations of a network interface that can send and answer: not those of platform interfaces.
pub fn is_endpoint_nic(role: NicRole) -> bool {
    role == NicRole::Machine
}

fn network(index: &Index, vnet: Sym) -> Network {
    let mut around = Around { own: prefixes_of(index, vnet), gateway: gateways(index, vnet), ..Around::default() };
    for side in index.peerings_by_vnet.get(vnet) {
        let remote = side.remote;
        around.sides.push(*side);
        // A hub has many peers and its peers few: look on the side with fewer rows.
        let (there, here) = (index.peerings_by_vnet.get(remote), index.peerings_by_remote.get(vnet));
        let other = if there.len() < here.len() { there } else { here };
        around.reciprocal.extend(other.iter().filter(|row| row.vnet == remote && row.remote == vnet));
        around.recorded.extend(index.peering_prefixes.get(side.peering));
        let both = around.sides.last().into_iter().chain(&around.reciprocal).map(|row| row.peering);
        let only_v6: Vec<Sym> = both.filter(|peering| index.peering_only_v6.has(*peering)).collect();
        around.only_v6.extend(only_v6);
        around.known.extend(index.vnet.one(remote).map(|row| row.vnet));
        around.remote_space.extend(prefixes_of(index, remote).into_iter().map(|prefix| (remote, prefix)));
        if side.forwarded {
            around.beyond.extend(beyond(index, remote).into_iter().map(|(of, prefix)| (remote, of, prefix)));
        }
        if side.use_remote_gateways {
            around.remote_gateways.push((remote, gateways(index, remote)));
        }
    }
    around.managed = manager::links(index, vnet);
    for peer in around.managed.iter().filter(|peer| peer.remote_gateway) {
        around.remote_gateways.push((peer.vnet, gateways(index, peer.vnet)));
    }
    around.clouds = index.clouded.get(vnet).iter().filter(|row| row.what.as_str() == "routes").map(|row| row.resource).collect();
    around.clouds.extend(Some(manager::unread_routes(index, vnet)).filter(|resource| !resource.is_empty()));
    around.in_input = index.vnet.has(vnet);
    around.filters_clouded = index.clouded.get(vnet).iter().any(|row| row.what.as_str() == "filters");
    assemble(vnet, &around)
}

/// The spaces of the peers of `vnet`, with the network each belongs to.
fn beyond(index: &Index, vnet: Sym) -> Vec<(Sym, Prefix)> {
    let mut out = Vec::new();
    for side in index.peerings_by_vnet.get(vnet) {
        let recorded = index.peering_prefixes.get(side.peering).iter().map(|row| row.prefix);
        out.extend(recorded.chain(prefixes_of(index, side.remote)).map(|prefix| (side.remote, prefix)));
    }
    out.extend(
        manager::links(index, vnet).into_iter().flat_map(|peer| peer.prefixes.into_iter().map(move |(prefix, _)| (peer.vnet, prefix))),
    );
    out
}

fn prefixes_of(index: &Index, vnet: Sym) -> Vec<Prefix> {
    index.vnet_prefixes.get(vnet).iter().map(|row| row.prefix).collect()
}

/// What the gateways that stand in the subnets of `vnet` offer.
fn gateways(index: &Index, vnet: Sym) -> GatewayRoutes {
    let mut around = AroundGateways::default();
    for subnet in index.subnets_by_vnet.get(vnet) {
        for row in index.gateways_by_subnet.get(subnet.subnet) {
            around.gateways.extend(index.gateway.get(row.gateway));
        }
    }
    for gateway in &around.gateways {
        around.connections.extend(index.connections_by_gateway.get(gateway.gateway));
        around.default_sites.extend(index.gateway_default_sites.get(gateway.gateway).iter().map(|row| (row.gateway, row.site)));
        around.clients.extend(index.gateway_client_pools.get(gateway.gateway).iter().map(|row| (row.gateway, row.prefix)));
    }
    for connection in &around.connections {
        around.behind.extend(index.local_gateway_prefixes.get(connection.peer).iter().map(|row| (row.site, row.prefix)));
        around.bgp_peers.extend(index.local_gateway.get(connection.peer).iter().filter(|site| site.bgp).map(|site| site.site));
    }
    around.networks = Some(around.gateways.iter().flat_map(|row| between::networks_behind(index, vnet, row.gateway)).collect());
    for subnet in index.subnets_by_vnet.get(vnet) {
        around.route_servers.extend(index.route_servers_by_subnet.get(subnet.subnet).iter().map(|row| row.server));
    }
    around.hubs = crate::rules::hub::offered(index, vnet);
    assemble_gateways(&around)
}

fn table_input(index: &Index, table: Sym) -> Table {
    if table.is_empty() {
        return Table::None;
    }
    match index.route_table.one(table) {
        None => Table::Missing(table),
        Some(row) => {
            let mut routes = index.routes.get(table).to_vec();
            routes.sort();
            let overrides = index.route_bgp_overrides.get(table).iter().map(|row| (row.route, row.wins)).collect();
            Table::Known { table, gateway_routes: row.gateway_routes, routes, overrides }
        }
    }
}
