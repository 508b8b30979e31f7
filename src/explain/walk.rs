//! A packet's way through the network, hop by hop: out of an interface, along the routes, through appliances, in at the other end.

use std::cell::RefCell;
use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::explain::candidates::{Candidate, Choice, choose, perhaps_service};
use crate::explain::filters;
use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::partial::whole_step;
use crate::explain::way::{Kind, Step, Way};
use crate::explain::world::{Heeds, World};
use crate::model::traffic::ANY_PORT;
use crate::model::{Proto, Set, Span, Stage, Sym, Tri, Via, net};
use crate::rules::filter::SourcePorts;
use crate::rules::outbound::Method;
use crate::rules::paas_firewall::Source;
use crate::rules::route::{Entry, Hop, Origin};

/// Who a packet is meant for, where the asker knows: the same address may exist in other networks as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Whoever has the address.
    Anyone,
    /// The same, where the input says that a DNS server answers there: whether or not it tells of the machine.
    Server,
    /// This machine.
    Host(Host),
    /// This private endpoint.
    Endpoint(Sym),
    /// This site on premises.
    Site(Sym),
    /// The internet.
    Internet,
    /// Whoever stands in this network outside the boundary.
    Network(Sym),
}

impl Target {
    /// Whether whoever has the address will do.
    pub fn is_anyone(&self) -> bool {
        matches!(self, Target::Anyone | Target::Server)
    }
}

/// The question every part of a walk has in common.
pub struct Walk<'w, 'a> {
    /// The facts.
    pub world: &'w World<'a>,
    /// The traffic that is asked for: it picks the items that the steps name, not their spans.
    pub asked: Set,
    /// Whether TCP needs its way back.
    pub session: bool,
    /// Who it is for.
    pub target: Target,
    /// Where the first source is at home: replies must lead there.
    pub home: Home,
    /// The first source's private address, where it has one.
    pub origin: Option<IpAddr>,
    /// The address configuration of the first source; empty where it has none.
    pub sender: Sym,
    /// What packets show a front end at the end of a way, by the way's place in the list.
    pub sources: RefCell<FxHashMap<usize, Source>>,
}

/// Where a source is at home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// In a network.
    Network(Sym),
    /// On premises, at this site.
    Site(Sym),
    /// On the internet.
    Internet,
}

/// Where a packet has been.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    /// The steps so far.
    pub steps: Vec<Step>,
    /// The first device on the way.
    pub via: Option<Via>,
    /// The appliances on the way, and the subnet each sends from.
    pub appliances: Vec<Passed>,
    /// The network that the last hop left from.
    pub from: Sym,
    /// The gateways it has come through since the last appliance.
    pub gateways: Vec<Sym>,
}

/// An appliance that a packet has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The interface it came in by.
    pub nic: Sym,
    /// The address it was sent to.
    pub address: IpAddr,
    /// The interface it left by.
    pub exit: Host,
    /// Whether the source was replaced there.
    pub translated: bool,
    /// The source it came with.
    pub before: Seen,
    /// The address at which it took the packet for somebody else: answers show it again behind it.
    pub stands_for: Option<IpAddr>,
}

impl Trail {
    /// The trail with one more step.
    #[must_use]
    pub fn and(mut self, step: Step) -> Trail {
        self.steps.push(step);
        self
    }

    /// Ends the trail here.
    pub fn end(self, via: Via) -> Way {
        Way { via: self.via.unwrap_or(via), steps: self.steps }
    }
}

impl<'w, 'a> Walk<'w, 'a> {
    /// All ways of a packet from `from` to the address of `packet`.
    pub fn from(&self, from: &Host, packet: &Packet) -> Vec<Way> {
        let steps = filters::outbound(self.world, from, packet.source(), packet.destination(), packet.ports, self.asked);
        let mut ways = Vec::new();
        self.onward(from, packet, Trail { steps, ..Trail::default() }, &mut ways);
        ways
    }

    /// From the routes of `at`'s subnet on.
    pub fn onward(&self, at: &Host, packet: &Packet, mut trail: Trail, ways: &mut Vec<Way>) {
        if !self.world.index.subnet.has(at.subnet) {
            let text = format!("subnet {} is not in the input", short(at.subnet));
            let missing = step(Stage::Route, Span::UNKNOWN, "route.9", text).by(at.subnet, "").kind(Kind::Assumption).code("W-MISSING");
            ways.push(trail.and(missing).end(Via::VnetLocal));
            return;
        }
        if packet.service.is_none() && net::is_many(packet.dst) {
            let text = format!("{} is no address of one machine: multicast and broadcast are dropped", packet.dst);
            let dropped = step(Stage::Route, Span::NONE, "route.11", text).by(at.subnet, "multicast").kind(Kind::Default);
            ways.push(trail.and(dropped).end(Via::VnetLocal));
            return;
        }
        if let Some(front_end) = &packet.service {
            self.onward_to_service(at, packet, front_end, trail, ways);
            return;
        }
        let choice = choose(self.world, at.subnet, packet.dst);
        let unlisted = perhaps_service(self.world, at.subnet, packet.dst);
        let unlisted = unlisted.filter(|_| self.target.is_anyone() && !self.asked.and(Set::tcp()).is_empty());
        let straight = |candidate: &Candidate| matches!(candidate, Candidate::Service { .. } | Candidate::Endpoint { .. });
        if let Some(service) = unlisted.filter(|_| !choice.candidates.iter().any(straight)) {
            let text =
                format!("whether the service endpoint {service} of {} covers {} is not in the service tags", short(at.subnet), packet.dst);
            let perhaps = step(Stage::Route, Span::exactly(Set::tcp()).doubted(), "route.7", text).by(at.subnet, service.as_str());
            let perhaps = perhaps.kind(Kind::Assumption).code("W-MISSING");
            ways.push(trail.clone().and(perhaps.clone()).end(Via::ServiceEndpoint));
            // Where the routes lead to the internet too it is the same address either way, but for policies of the endpoint.
            let elsewhere = |candidate: &Candidate| !matches!(candidate, Candidate::Route(entry) if entry.hop == Hop::Internet);
            if choice.candidates.iter().any(elsewhere) || self.world.index.subnet_endpoint_policies.has(at.subnet) {
                let others = Set::ALL.minus(Set::tcp());
                trail = trail.and(Step { span: Span { sure: others, may: Set::ALL }, ..perhaps });
            }
        }
        if self.target.is_anyone() {
            self.past_routes(at, packet, &choice, &trail, ways);
        }
        if choice.candidates.is_empty() {
            let text = format!("no route of {} leads to {}", short(at.subnet), packet.dst);
            let nothing = step(Stage::Route, Span::NONE, "route.4", text).by(at.subnet, "").kind(Kind::Absence);
            ways.push(trail.clone().and(nothing).end(Via::VnetLocal));
        }
        for candidate in &choice.candidates {
            let trail = trail.clone();
            match candidate {
                Candidate::Route(entry) => {
                    let routed = self.route_step(at, entry, &packet.dst.to_string(), choice.certain);
                    self.follow(at, packet, entry, trail.and(routed), ways);
                }
                Candidate::Endpoint { endpoint, vnet } => {
                    let text = format!("{} has a route of its own to private endpoint {}", packet.dst, short(*endpoint));
                    let span = if choice.certain { Span::ALL } else { Span::UNKNOWN };
                    let mut routed = step(Stage::Route, span, "route.5", text).by(*endpoint, format!("{}/32", packet.dst));
                    if !choice.certain {
                        routed = routed.code("W-UNSUPPORTED").kind(Kind::Assumption);
                    }
                    let mut trail = trail.and(routed);
                    if *vnet != at.vnet {
                        trail.steps.extend(self.peering_steps(at, *vnet, packet, &trail));
                    }
                    self.to_endpoint(*endpoint, packet, trail, Via::PrivateEndpoint, ways);
                }
                Candidate::Service { service, .. } => {
                    let text = format!("the service endpoint {service} of {} takes it", short(at.subnet));
                    let span = if choice.certain { Span::exactly(Set::tcp()) } else { Span::exactly(Set::tcp()).doubted() };
                    let mut routed = step(Stage::Route, span, "route.7", text).by(at.subnet, service.as_str()).at_fact(at.subnet);
                    if !choice.certain {
                        routed = routed.code(self.doubt_beside_service(&choice)).kind(Kind::Assumption);
                    }
                    let mut trail = trail.and(routed);
                    if self.world.index.subnet_endpoint_policies.has(at.subnet) {
                        let text = "an endpoint policy is attached, and the account behind the address is not known".to_owned();
                        let policy = step(Stage::ServiceEndpointPolicy, Span::UNKNOWN, "endpoint_policy.1", text);
                        trail = trail.and(policy.by(at.subnet, "").kind(Kind::Assumption).code("SEP_DENY"));
                    }
                    if matches!(&self.target, Target::Host(_) | Target::Endpoint(_) | Target::Site(_) | Target::Network(_)) {
                        let text = format!("{} is a front end of Azure: behind it is nobody's machine or site", packet.dst);
                        trail = trail.and(step(Stage::Route, Span::NONE, "route.7", text).by(at.subnet, "").kind(Kind::Default));
                    }
                    ways.push(trail.end(Via::ServiceEndpoint));
                }
            }
        }
    }

    /// To private endpoints whose address the input does not tell, in networks to which none of the chosen routes leads: an endpoint has a route of its own
    /// (PE-20, ADR-06).
    fn past_routes(&self, at: &Host, packet: &Packet, choice: &Choice, trail: &Trail, ways: &mut Vec<Way>) {
        let network = self.world.network(at.vnet);
        let peers = network.peers.iter().filter(|peer| peer.usable.hi()).map(|peer| peer.vnet);
        for vnet in std::iter::once(at.vnet).chain(peers) {
            let leads = |candidate: &Candidate| match candidate {
                Candidate::Route(entry) if vnet == at.vnet => entry.hop == Hop::Local,
                Candidate::Route(entry) => entry.hop == Hop::Peering(vnet),
                Candidate::Endpoint { .. } | Candidate::Service { .. } => false,
            };
            if choice.candidates.iter().any(leads) {
                continue;
            }
            let mut trail = trail.clone();
            if vnet != at.vnet {
                trail.steps.extend(self.peering_steps(at, vnet, packet, &trail));
            }
            self.to_untold_endpoints(vnet, packet, &trail, ways);
        }
    }

    /// Why a service endpoint is only one of several candidates (RTE-12).
    fn doubt_beside_service(&self, choice: &Choice) -> &'static str {
        let entries =
            || choice.candidates.iter().filter_map(|candidate| if let Candidate::Route(entry) = candidate { Some(entry) } else { None });
        let learned = entries().find(|entry| entry.origin == Origin::Gateway && entry.open);
        match learned {
            Some(entry) if !entries().any(|entry| entry.origin.is_user()) => self.world.doubt_of_routes(entry.source),
            _ => "W-SE-UDR",
        }
    }

    /// The step that a chosen entry is.
    pub fn route_step(&self, at: &Host, entry: &Entry, dst: &str, certain: bool) -> Step {
        let (word, open) = match entry.hop {
            Hop::Local => ("stays in the network".to_owned(), true),
            Hop::Peering(vnet) => (format!("goes to peered network {}", short(vnet)), true),
            Hop::Appliance(ip) => (format!("goes to appliance {ip}"), true),
            Hop::Gateway => ("goes to the virtual network gateway".to_owned(), true),
            Hop::Internet => ("goes to the internet".to_owned(), true),
            Hop::None => ("is dropped".to_owned(), false),
            Hop::Unknown => ("can go anywhere".to_owned(), true),
        };
        let from = match entry.source {
            Sym::EMPTY => "system route".to_owned(),
            nic if self.world.index.observed_routes.has(nic) => format!("the route seen at {}", short(nic)),
            table if self.world.index.unlisted.has(table) => format!("table {}, whose list `routes` is not in the input,", short(table)),
            source => format!("route {}", short(source)),
        };
        let text = match entry.source == at.vnet && !self.world.index.vnet.has(at.vnet) {
            true => format!("network {} is not in the input: what {} sends to {dst} {word}", short(at.vnet), short(at.subnet)),
            false => format!("by {from} {} what {} sends to {dst} {word}", entry.prefix, short(at.subnet)),
        };
        let span = match (open, certain) {
            (false, _) => Span::NONE,
            (true, true) => Span::ALL,
            (true, false) => Span::UNKNOWN,
        };
        let kind = if entry.source.is_empty() { Kind::Default } else { Kind::Fact };
        let owner = if entry.source.is_empty() { at.subnet } else { entry.source };
        let routed = step(Stage::Route, span, "route.4", text).by(owner, entry.prefix.to_string()).at_fact(entry.source).kind(kind);
        if certain || !open {
            return routed;
        }
        let code = match (entry.origin, entry.open) {
            // Something that is not in the input may route here too.
            _ if !self.world.context(at.subnet).unknown.is_empty() => "W-MISSING",
            // Another interface of the subnet was seen without it.
            _ if !entry.sure.lo() && self.world.index.observed_routes.has(entry.source) => "W-MISSING",
            (Origin::Gateway, true) => self.world.doubt_of_routes(entry.source),
            (Origin::SystemPeering | Origin::SystemGroup, true) => "W-MISSING",
            (Origin::SystemGroup, _) => "W-AVNM-DYN",
            (Origin::SystemPeering, _) if self.world.is_one_sided(entry.source) => "W-MISSING",
            // Whether a manager's routes are deployed stands nowhere.
            (origin, _) if self.world.network(at.vnet).manager_routes.unsettle(origin == Origin::Gateway) => "W-AVNM-DYN",
            (Origin::Gateway, false) => self.world.doubt_of_site(entry.source),
            (_, _) if entry.hop == Hop::Unknown => "W-MISSING",
            _ if entry.origin.is_user() && self.world.heeds_routes(at.subnet) == Heeds::NoDefault => "W-GWSUBNET",
            _ if entry.origin.is_user() && self.world.heeds_routes(at.subnet) == Heeds::Perhaps => "W-DELEGATED",
            _ => "W-OVERLAP",
        };
        routed.kind(Kind::Assumption).code(code)
    }

    /// Goes where a chosen entry leads.
    pub fn follow(&self, at: &Host, packet: &Packet, entry: &Entry, trail: Trail, ways: &mut Vec<Way>) {
        let trail = Trail { from: at.vnet, ..trail };
        match entry.hop {
            Hop::None => ways.push(trail.end(Via::VnetLocal)),
            Hop::Local => {
                let own = &self.world.network(at.vnet).own;
                // What the platform itself delivers locally is of the network's space, whether or not the input tells that.
                if own.iter().any(|own| own.contains(&packet.dst)) || own.is_empty() && entry.origin == Origin::SystemLocal {
                    self.deliver(at.vnet, packet, trail, Via::VnetLocal, ways);
                } else if own.is_empty() {
                    let text = format!("the address space of network {} is not in the input", short(at.vnet));
                    let unknown = step(Stage::Route, Span::UNKNOWN, "route.8", text).by(at.vnet, entry.prefix.to_string());
                    self.deliver(at.vnet, packet, trail.and(unknown.kind(Kind::Assumption).code("W-MISSING")), Via::VnetLocal, ways);
                } else {
                    let text = format!("{} is not in network {}", packet.dst, short(at.vnet));
                    let outside = step(Stage::Route, Span::NONE, "route.8", text).by(at.vnet, entry.prefix.to_string());
                    ways.push(trail.and(outside).end(Via::VnetLocal));
                }
            }
            Hop::Peering(vnet) => {
                let mut trail = trail;
                trail.steps.extend(self.peering_steps(at, vnet, packet, &trail));
                let via = if entry.origin == Origin::SystemGroup { Via::ConnectedGroup } else { Via::Peering };
                self.deliver(vnet, packet, trail, via, ways);
            }
            Hop::Appliance(address) => self.through_appliance(at, address, packet, trail, ways),
            Hop::Gateway => match &packet.service {
                Some(front_end) if self.world.index.virtual_hub.has(entry.source) && !entry.open => {
                    self.over_hub_to_front_end(at, entry.source, packet, front_end, trail, ways);
                }
                Some(_) => self.by_site_to_front_end(at, trail, ways),
                None => self.to_gateway(at, packet, trail, ways),
            },
            Hop::Internet => match &packet.service {
                Some(front_end) => self.to_front_end(at, packet, front_end, trail, ways),
                None => self.to_public(at, packet, trail, ways),
            },
            Hop::Unknown => {
                let text = "where it goes is not known".to_owned();
                let unknown =
                    step(Stage::Route, Span::UNKNOWN, "route.9", text).by(entry.source, "").kind(Kind::Assumption).code("W-MISSING");
                ways.push(trail.and(unknown).end(Via::VnetLocal));
            }
        }
    }

    /// What a peering does to a packet that crosses it (PEER-05 to PEER-07).
    pub fn peering_steps(&self, at: &Host, vnet: Sym, packet: &Packet, trail: &Trail) -> Vec<Step> {
        let network = self.world.network(at.vnet);
        let mut out = Vec::new();
        let Some(peer) = network.peers.iter().find(|peer| peer.vnet == vnet && peer.usable.hi()) else { return out };
        let whole = whole_step(peer, format!("whether the link with {} carries traffic is not known", short(vnet)));
        out.extend(whole.map(|step| if self.world.is_one_sided(peer.peering) { step.code("W-MISSING") } else { step }));
        out.extend(self.world.partial_steps(at, peer, packet.dst));
        if !peer.access {
            let text = format!("the peering with {} has allowVirtualNetworkAccess=false", short(vnet));
            let doubt = step(Stage::Peering, Span::UNKNOWN, "peering.2", text);
            out.push(doubt.by(peer.peering, "allowVirtualNetworkAccess=false").at_fact(peer.peering).code("W-PEER-NOACCESS"));
        }
        let foreign = !trail.appliances.is_empty()
            && match &packet.src {
                Seen::At(ip) => !network.own.iter().any(|own| own.contains(ip)),
                Seen::SomePublic => true,
            };
        if foreign {
            out.extend(self.refuses_forwarded(at.vnet, vnet));
        }
        out
    }

    /// The doubt about a packet that crosses the peering from `sending` to `vnet` with a source outside `sending`, where `vnet` does not take such (PEER-06).
    pub fn refuses_forwarded(&self, sending: Sym, vnet: Sym) -> Option<Step> {
        let receiving: Vec<_> = self.world.index.peerings_by_vnet.get(vnet).iter().filter(|side| side.remote == sending).collect();
        if receiving.iter().all(|side| side.forwarded) && !receiving.is_empty() {
            return None;
        }
        let sent = || self.world.network(sending).peers.iter().find(|peer| peer.vnet == vnet).map(|peer| peer.peering);
        let side = receiving.first().map(|side| side.peering).or_else(sent).unwrap_or_default();
        let text = format!("{} does not take forwarded traffic: allowForwardedTraffic=false", short(vnet));
        let doubt = step(Stage::Peering, Span::UNKNOWN, "peering.3", text);
        Some(doubt.by(side, "allowForwardedTraffic=false").at_fact(side).code("W-FWD-OFF"))
    }

    /// The packet leaves for a public destination by the platform's own means.
    fn to_public(&self, at: &Host, packet: &Packet, trail: Trail, ways: &mut Vec<Way>) {
        if !net::is_public(packet.dst) {
            let text = format!("{} is a private address: the internet does not lead there", packet.dst);
            ways.push(trail.and(step(Stage::Route, Span::NONE, "route.10", text).by(at.subnet, "Internet")).end(Via::Public));
            return;
        }
        if matches!(self.home, Home::Site(_)) && trail.appliances.is_empty() || !trail.gateways.is_empty() {
            let text = "a gateway is no way out to the internet".to_owned();
            ways.push(trail.and(step(Stage::Route, Span::NONE, "route.10", text).by(at.subnet, "Internet")).end(Via::Public));
            return;
        }
        if packet.src != Seen::At(at.ip) {
            let text = format!("{} leaves with a source that is not its own: nothing translates it", short(at.nic));
            ways.push(trail.and(step(Stage::Nat, Span::NONE, "outbound.4", text).by(at.nic, "")).end(Via::Public));
            return;
        }
        let methods = self.exits(at, packet.dst.is_ipv6());
        if methods.is_empty() {
            ways.push(trail.and(no_way_out(at)).end(Via::Public));
            return;
        }
        for method in methods {
            let leaves = way_out(at, &method);
            let mut trail = trail.clone();
            if !self.asked.is_empty() && self.asked.within(Set::of(Proto::Tcp, (25, 25), ANY_PORT)) {
                let text = "whether the subscription may send to port 25 is not in the input".to_owned();
                trail = trail.and(step(Stage::Nat, Span::ALL, "outbound.9", text).by(at.subnet, "").code("W-SMTP"));
            }
            let seen = Packet { ports: SourcePorts::Translated, src_asgs: Vec::new(), ..packet.clone() };
            self.at_public_address(&seen, &method.source, trail.and(leaves), ways);
        }
    }
}

impl Walk<'_, '_> {
    /// The ways by which a place leaves for public addresses with what is asked for; where none carries it, all of them say so.
    pub fn exits(&self, at: &Host, v6: bool) -> Vec<Method> {
        let mut all = self.world.exits(at, v6);
        if all.iter().any(|method| method.span.may.meets(self.asked)) {
            all.retain(|method| method.span.may.meets(self.asked));
        } else if !self.asked.is_empty() {
            all.iter_mut().for_each(|method| method.text = "the way out to the internet is for other protocols");
        }
        all
    }
}

/// A place without any way to leave for public addresses.
pub fn no_way_out(at: &Host) -> Step {
    let text = format!("{} has no way out to the internet", short(at.subnet));
    step(Stage::Nat, Span::NONE, "outbound.5", text).by(at.subnet, "defaultOutboundAccess").kind(Kind::Absence)
}

/// One of the ways by which a place leaves for public addresses.
pub fn way_out(at: &Host, method: &Method) -> Step {
    let (owner, kind) = if method.resource.is_empty() { (at.subnet, Kind::Default) } else { (method.resource, Kind::Fact) };
    let leaves = step(method.stage, method.span, "outbound.1", method.text.to_owned());
    leaves.by(owner, "").at_fact(method.resource).kind(kind).code(method.code)
}

/// The stage and the `via` that a device stands for.
pub fn device_words(kind: crate::facts::network::DeviceKind) -> (Stage, Via) {
    use crate::facts::network::DeviceKind::*;
    match kind {
        AzureFirewall => (Stage::AzureFirewall, Via::AzureFirewall),
        PrivateLinkService => (Stage::LoadBalancer, Via::PrivateLinkService),
        ApplicationGateway | Bastion | VirtualHub | Other => (Stage::Appliance, Via::Appliance),
    }
}

/// Whether an answer of a lookup is certain.
pub fn tri_span(tri: Tri) -> Span {
    match tri {
        Tri::Yes => Span::ALL,
        Tri::Maybe => Span::UNKNOWN,
        Tri::No => Span::NONE,
    }
}
