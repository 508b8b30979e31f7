//! The network half as the private-access half asks for it: ways to private endpoints and to public front ends.

use std::cell::RefCell;
use std::net::IpAddr;

use crate::explain::hubs::sends_on;
use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::point::over_a_hub;
use crate::explain::transport::{self, Arrival, Client, Transport};
use crate::explain::walk::{Home, Target, Trail, Walk, no_way_out, way_out};
use crate::explain::way::{Kind, Step, Way};
use crate::explain::world::World;
use crate::explain::{dns_reach, filters};
use crate::facts::store_facts::Service;
use crate::model::{Prefix, Set, Span, Stage, Sym, Tri, Via, net};
use crate::rules::azure_firewall::Named;
use crate::rules::dns::Reach;
use crate::rules::filter::SourcePorts;
use crate::rules::hub;
use crate::rules::observed::BY_SERVICE_ENDPOINT;
use crate::rules::outbound::PublicSource;
use crate::rules::paas_firewall::{Origin, Source};
use crate::rules::route::{Entry, Hop, Origin as RouteOrigin};
use crate::rules::service_endpoint;
use crate::rules::tag::ServiceClass;

/// A public front end as the destination of a packet.
#[derive(Clone, Debug)]
pub struct FrontEnd {
    /// The service.
    pub service: Service,
    /// What filters and routes compare.
    pub class: ServiceClass,
    /// Whether a service endpoint of the first subnet covers it, where the asker says so.
    pub covered: Option<Tri>,
}

/// The network half, for packets of one place.
pub struct FromPlace<'w, 'a> {
    /// The facts.
    pub world: &'w World<'a>,
    /// Where they come from.
    pub from: From,
    /// Whether TCP needs its way back.
    pub session: bool,
}

/// Where packets come from.
#[derive(Clone, Debug)]
pub enum From {
    /// A machine.
    Host(Host),
    /// On premises, in at a gateway's subnet, with the connection they come by.
    Site(Vec<(Host, Step)>),
    /// The internet.
    Outside,
}

impl<'a> FromPlace<'_, 'a> {
    fn walk(&self, asked: Set, target: Target, home: Home, origin: Option<IpAddr>) -> Walk<'_, 'a> {
        Walk { world: self.world, asked, session: self.session, target, home, origin, sender: Sym::EMPTY, sources: RefCell::default() }
    }
}

impl Transport for FromPlace<'_, '_> {
    fn to_private_endpoint(&self, client: &Client, endpoint: Sym, address: IpAddr, traffic: Set) -> Vec<Way> {
        let target = Target::Endpoint(endpoint);
        match &self.from {
            From::Outside => Vec::new(),
            From::Host(host) => {
                let asgs = self.world.asgs_of(host.ip_config);
                let dst_asgs = self.world.asgs_before_endpoint(endpoint);
                let packet = Packet { dst_asgs, name: client.name, ..Packet::new(Seen::At(host.ip), asgs, address) };
                self.walk(traffic, target, Home::Network(host.vnet), Some(host.ip)).from(host, &packet)
            }
            From::Site(entrances) => {
                if entrances.is_empty() {
                    if let Some(branch) = self.world.hub_site(client_site(client)) {
                        return vec![over_a_hub(branch)];
                    }
                    let text = "no connection of a gateway leads to the site".to_owned();
                    let none = step(Stage::Gateway, Span::NONE, "gateway.3", text).by(client_site(client), "").kind(Kind::Absence);
                    return vec![Way { via: Via::Gateway, steps: vec![none] }];
                }
                let mut ways = Vec::new();
                for (host, connection) in entrances {
                    let packet = Packet { name: client.name, ..Packet::new(Seen::At(host.ip), Vec::new(), address) };
                    let walk = self.walk(traffic, target.clone(), Home::Site(client_site(client)), Some(host.ip));
                    let mut entered = Trail { steps: vec![connection.clone()], via: Some(Via::Gateway), ..Trail::default() };
                    entered.steps.extend(walk.advertised(host.subnet, &packet));
                    walk.onward(host, &packet, entered, &mut ways);
                }
                ways
            }
        }
    }

    fn to_unseen_endpoint(&self, client: &Client, endpoint: Sym, address: Option<IpAddr>) -> Vec<Way> {
        let text = format!("private endpoint {} is not in the input: it may stand where the packet gets", named(endpoint));
        let unseen = step(Stage::Route, Span::UNKNOWN, "address.10", text).by(endpoint, "").kind(Kind::Absence).code("W-MISSING");
        let way = |mut steps: Vec<Step>| {
            steps.push(unseen.clone());
            Way { via: Via::PrivateEndpoint, steps }
        };
        match &self.from {
            From::Outside => Vec::new(),
            From::Host(host) if !self.world.may_meet(host.subnet, endpoint, address) => Vec::new(),
            From::Host(host) => vec![way(address.map_or_else(Vec::new, |address| {
                let packet = Packet::new(Seen::At(host.ip), self.world.asgs_of(host.ip_config), address);
                filters::outbound(self.world, host, packet.source(), packet.destination(), packet.ports, Set::tcp_udp())
            }))],
            From::Site(entrances) if entrances.is_empty() => self.world.hub_site(client_site(client)).map(over_a_hub).into_iter().collect(),
            From::Site(entrances) => {
                let near = entrances.iter().filter(|(host, _)| self.world.may_meet(host.subnet, endpoint, address));
                near.map(|(_, connection)| way(vec![connection.clone()])).collect()
            }
        }
    }

    fn to_service(&self, client: &Client, class: &transport::ServiceClass, covered: Tri, traffic: Set) -> Vec<(Way, Arrival)> {
        let From::Host(host) = &self.from else { return Vec::new() };
        let front_end =
            FrontEnd { service: class.service, class: ServiceClass { tag: class.tag, region: class.region }, covered: Some(covered) };
        let asgs = self.world.asgs_of(host.ip_config);
        let packet = Packet { service: Some(front_end), name: client.name, ..Packet::new(Seen::At(host.ip), asgs, PUBLIC_STAND_IN) };
        let walk = self.walk(traffic, Target::Anyone, Home::Network(host.vnet), Some(host.ip));
        let ways = walk.from(host, &packet);
        let sources = walk.sources.into_inner();
        ways.into_iter().enumerate().map(|(n, way)| (way, sources.get(&n).cloned().map_or(Arrival::Unknown, Arrival::Showing))).collect()
    }

    fn session(&self) -> bool {
        self.session
    }

    fn dns_server(&self, client: &Client, server: IpAddr) -> Reach {
        dns_reach::reach(self.world, &self.from, client_site(client), server)
    }
}

/// What to call a private endpoint of which perhaps not even the id is known.
fn named(endpoint: Sym) -> &'static str {
    if endpoint.is_empty() { "of the connection" } else { short(endpoint) }
}

/// The site a client is at; empty for one in a network.
fn client_site(client: &Client) -> Sym {
    match client.kind {
        transport::ClientKind::Site(site) => site,
        _ => Sym::EMPTY,
    }
}

/// Stands for the address of a front end wherever only its being public counts.
pub const PUBLIC_STAND_IN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(20, 0, 0, 1));

impl Walk<'_, '_> {
    /// From the routes of `at`'s subnet on, to a public front end.
    pub fn onward_to_service(&self, at: &Host, packet: &Packet, front_end: &FrontEnd, trail: Trail, ways: &mut Vec<Way>) {
        let covered = match front_end.covered {
            Some(covered) if trail.appliances.is_empty() => covered,
            _ => service_endpoint::of(self.world.index, self.world.platform, at.subnet, front_end.service, front_end.class.region).covered,
        };
        let context = self.world.context(at.subnet);
        let entries = context.select_front_end(&front_end.class, self.world.platform);
        // Somebody saw a route of a service endpoint that the subnet does not say it has: the two contradict each other (RTE-07).
        let within = |prefix: &Prefix| front_end.class.within(prefix, self.world.platform).hi();
        let seen = || self.world.seen_route(at.subnet, BY_SERVICE_ENDPOINT, within);
        let covered = if covered == Tri::No && seen().is_some() { Tri::Maybe } else { covered };
        let contested = if covered.hi() { self.contested(at, front_end) } else { None };
        let beside = if contested.is_some() { covered.min(Tri::Maybe) } else { covered };
        if beside.hi() {
            self.by_service_endpoint(at, front_end, beside, contested.unwrap_or("SE_SCOPE"), trail.clone(), ways);
        }
        if beside.lo() {
            return;
        }
        let certain = !beside.hi() && matches!(entries.as_slice(), [entry] if entry.sure.lo());
        if entries.is_empty() {
            let text = format!("no route of {} leads to public addresses", short(at.subnet));
            let nothing = step(Stage::Route, Span::NONE, "route.4", text).by(at.subnet, "").kind(Kind::Absence);
            ways.push(trail.clone().and(nothing).end(Via::Public));
        }
        for entry in &entries {
            let routed = self.route_step(at, entry, &format!("{} front ends", front_end.class.tag), certain);
            self.follow(at, packet, entry, trail.clone().and(routed), ways);
        }
    }

    fn by_service_endpoint(&self, at: &Host, front_end: &FrontEnd, covered: Tri, doubt: &'static str, trail: Trail, ways: &mut Vec<Way>) {
        let mine = self.origin == Some(at.ip) || trail.appliances.last().is_some_and(|passed| passed.translated);
        let text = format!("a service endpoint of {} takes it straight to {}", short(at.subnet), front_end.class.tag);
        let span = if covered.lo() { Span::exactly(Set::tcp()) } else { Span::exactly(Set::tcp()).doubted() };
        let span = if mine { span } else { Span::NONE };
        let mut routed =
            step(Stage::Route, span, "route.7", text).by(at.subnet, front_end.class.tag.as_str()).at_fact(at.subnet).kind(Kind::Fact);
        if !covered.lo() {
            routed = routed.kind(Kind::Assumption).code(doubt);
        }
        let tenant = self.world.index.resource.one(at.vnet).map_or(Sym::EMPTY, |row| row.tenant);
        self.sources.borrow_mut().insert(ways.len(), Source::ServiceEndpoint { subnet: at.subnet, vnet: at.vnet, tenant });
        let mut trail = trail.and(routed);
        trail.steps.extend(self.way_home(&trail));
        ways.push(trail.end(Via::ServiceEndpoint));
    }

    /// Why the service endpoint perhaps does not win: a user's route at least as long as the service's prefixes leads elsewhere than to the internet, or a
    /// gateway announces one of those prefixes (RTE-12). What nobody knows of does not displace it: its routes come before a gateway's (RTE-09, SE-06).
    /// `None` where it surely wins.
    fn contested(&self, at: &Host, front_end: &FrontEnd) -> Option<&'static str> {
        let context = self.world.context(at.subnet);
        let tag = self.world.platform.tag(front_end.class.tag);
        let within = |prefix: &Prefix| front_end.class.within(prefix, self.world.platform).hi();
        let by_user = |entry: &Entry| {
            entry.hop != Hop::Internet
                && match tag {
                    Some(prefixes) => net::held_by_any(prefixes, &entry.prefix) || (entry.open && net::holds_any(&entry.prefix, prefixes)),
                    None => entry.prefix.prefix_len() > 0,
                }
        };
        let by_gateway = |entry: &Entry| tag.map_or(entry.prefix.prefix_len() > 0, |prefixes| prefixes.contains(&entry.prefix));
        let counts = |entry: &Entry| match entry.origin {
            RouteOrigin::Gateway => by_gateway(entry),
            origin => origin.is_user() && by_user(entry),
        };
        let contested = context.entries.iter().any(|entry| entry.sure.hi() && within(&entry.prefix) && counts(entry));
        // Somebody saw the routes of the subnet, and none of a service endpoint among them: the two contradict each other (RTE-07).
        let seen = self.world.seen_route(at.subnet, BY_SERVICE_ENDPOINT, within);
        let unseen = seen.is_lacking().then_some("SE_SCOPE");
        (contested || !context.unknown.is_empty()).then_some("W-SE-UDR").or(unseen)
    }

    /// The packet leaves for a front end by the platform's own means; the source it shows there (R-04, OUT-11).
    pub fn to_front_end(&self, at: &Host, packet: &Packet, front_end: &FrontEnd, trail: Trail, ways: &mut Vec<Way>) {
        if packet.src != Seen::At(at.ip) {
            let text = format!("{} leaves with a source that is not its own: nothing translates it", short(at.nic));
            ways.push(trail.and(step(Stage::Nat, Span::NONE, "outbound.4", text).by(at.nic, "")).end(Via::Public));
            return;
        }
        let region = self.region_of(at);
        let back = self.way_home(&trail);
        let same = if region.is_empty() || front_end.class.region.is_empty() {
            Tri::Maybe
        } else {
            Tri::from_bool(region == front_end.class.region)
        };
        let same = if front_end.service == Service::Storage { same } else { Tri::No };
        let mut trail = trail;
        if same == Tri::Maybe {
            let text = "whether the account is in the region of the subnet is not known".to_owned();
            let unsure = step(Stage::Nat, Span::UNKNOWN, "outbound.6", text).by(at.subnet, "").kind(Kind::Assumption);
            trail = trail.and(unsure.code("W-MISSING"));
        }
        if same.hi() {
            let text = "storage of the same region is reached inside Azure, whatever the way out".to_owned();
            // It is documented for private subnets; who has no way out for another reason is perhaps cut off (OUT-09, OUT-10).
            let private = self.world.index.subnet_default_outbound.one(at.subnet).is_some_and(|row| row.allowed == Tri::No);
            let leaves = || self.world.exits(at, false).iter().any(|method| !method.span.within(Set::tcp()).sure.is_empty());
            let span = Span::exactly(Set::tcp());
            let inside = match private || leaves() {
                true => step(Stage::Nat, span, "outbound.6", text).by(at.subnet, "").kind(Kind::Default),
                false => {
                    let unsure = step(Stage::Nat, span.doubted(), "outbound.6", text).by(at.subnet, "").kind(Kind::Assumption);
                    unsure.code("W-UNSUPPORTED")
                }
            };
            self.sources.borrow_mut().insert(ways.len(), Source::SameRegionAzure);
            let mut inside = trail.clone().and(inside);
            inside.steps.extend(back.iter().cloned());
            ways.push(inside.end(Via::Public));
        }
        if same.lo() {
            return;
        }
        let methods = self.exits(at, false);
        if methods.is_empty() {
            ways.push(trail.and(no_way_out(at)).end(Via::Public));
            return;
        }
        for method in methods {
            let leaves = way_out(at, &method);
            let (addresses, certain) = match method.source {
                PublicSource::OneOf(addresses) => (addresses, true),
                PublicSource::SomeAzure => (Vec::new(), false),
            };
            self.sources.borrow_mut().insert(ways.len(), Source::Public { addresses, certain, origin: Origin::Azure });
            let mut out = trail.clone().and(leaves);
            out.steps.extend(back.iter().cloned());
            ways.push(out.end(Via::Public));
        }
    }

    /// The region that a place sends from: that of its network, or of the hub that its firewall stands in.
    fn region_of(&self, at: &Host) -> Sym {
        let index = self.world.index;
        let hub = index.azure_firewall.one(at.nic).map_or(Sym::EMPTY, |row| row.hub);
        match hub {
            Sym::EMPTY => self.world.region_of_subnet(at.subnet),
            hub => index.resource.one(hub).map_or(Sym::EMPTY, |row| row.location),
        }
    }

    /// By a route that a virtual hub announced: past the devices that the hub puts in the way, and out by the last of them (VW-04).
    pub fn over_hub_to_front_end(&self, at: &Host, hub_id: Sym, packet: &Packet, front_end: &FrontEnd, trail: Trail, ways: &mut Vec<Way>) {
        let index = self.world.index;
        let within = |prefix: &Prefix| front_end.class.within(prefix, self.world.platform);
        let choices = hub::onward(index, at.vnet, hub_id, &within);
        let outward = choices.iter().all(|choice| choice.vnet.is_empty());
        let what = format!("what is for {} front ends", front_end.class.tag);
        if choices.is_empty() || !outward {
            let text = format!("where hub {} sends {what} is not known", short(hub_id));
            let unknown = step(Stage::Gateway, Span::UNKNOWN, "hub.3", text).by(hub_id, "").kind(Kind::Assumption).code("W-VWAN");
            ways.push(trail.and(unknown).end(Via::Gateway));
            return;
        }
        for choice in choices {
            for (trail, packet) in self.past_hub_devices(&choice.devices, packet, trail.clone().and(sends_on(hub_id, &what, &choice))) {
                match choice.devices.last().filter(|device| index.azure_firewall.has(**device)) {
                    Some(firewall) => {
                        let from = self.firewall_in_hub(*firewall);
                        let sent = Packet { src: Seen::At(from.ip), src_asgs: Vec::new(), ports: SourcePorts::Translated, ..packet };
                        self.to_front_end(&from, &sent, front_end, trail, ways);
                    }
                    None => ways.push(trail.end(Via::Gateway)),
                }
            }
        }
    }

    /// Forced tunnelling: the packet goes on premises and perhaps leaves there.
    pub fn by_site_to_front_end(&self, at: &Host, trail: Trail, ways: &mut Vec<Way>) {
        let text = "it goes on premises; whether it leaves there is not known".to_owned();
        let unknown = step(Stage::Gateway, Span::UNKNOWN, "gateway.5", text).by(at.vnet, "").kind(Kind::Assumption).code("W-UNSUPPORTED");
        let mut addresses: Vec<_> = self.world.index.site_nats.rows().map(|row| crate::model::net::host(row.address)).collect();
        addresses.sort_unstable();
        let certain = !addresses.is_empty();
        if self.world.network(at.vnet).gateway.unknown_routes.is_empty() {
            self.sources.borrow_mut().insert(ways.len(), Source::Public { addresses, certain, origin: Origin::OnPrem });
        }
        ways.push(trail.and(unknown).end(Via::Gateway));
    }
}

impl Packet {
    /// A packet as its sender makes it.
    pub fn new(src: Seen, src_asgs: Vec<(Sym, Tri)>, dst: IpAddr) -> Packet {
        Packet { src, src_asgs, dst, dst_asgs: Vec::new(), ports: SourcePorts::Kept, service: None, name: Named::Unknown }
    }
}
