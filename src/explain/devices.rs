//! What stands between the two ends: appliances, gateways, private endpoints.

use std::net::IpAddr;

use crate::explain::filters;
use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::private_link;
use crate::explain::walk::{Passed, Target, Trail, Walk, device_words, tri_span};
use crate::explain::way::{Kind, Step, Way};
use crate::facts::config::ApplianceAllow;
use crate::facts::network::Protocol;
use crate::model::{Prefix, Proto, Set, Span, Stage, Sym, Tri, Via};
use crate::rules::filter::SourcePorts;
use crate::rules::lead::{self, Lead};
use crate::rules::peering::Joint;
use crate::rules::tag::Place;

/// Hops through appliances before a walk is given up as a loop.
const MAX_APPLIANCES: usize = 16;

impl Walk<'_, '_> {
    /// The packet is handed to the appliance at `address` (NVA-01 to NVA-10).
    pub fn through_appliance(&self, at: &Host, address: IpAddr, packet: &Packet, trail: Trail, ways: &mut Vec<Way>) {
        let mut trail = trail;
        trail.via = trail.via.or(Some(Via::Appliance));
        let networks = self.networks_of_hop(at, address);
        if networks.is_empty() {
            let text = format!("appliance {address} is neither in {} nor in a directly peered network", short(at.vnet));
            let lost = step(Stage::Route, Span::NONE, "appliance.1", text).by(at.subnet, address.to_string());
            ways.push(trail.and(lost).end(Via::Appliance));
            return;
        }
        if networks.len() > 1 {
            // Networks with the same addresses cannot be peered; where the input shows it, either may have the hop (RTE-23).
            let text = format!("several peered networks have {address}: which of them is meant is not known");
            let unsure = step(Stage::Route, Span::UNKNOWN, "appliance.11", text).by(at.subnet, address.to_string());
            trail = trail.and(unsure.kind(Kind::Assumption).code("W-OVERLAP"));
        }
        for (vnet, _) in networks {
            self.to_hop_in(vnet, at, address, packet, trail.clone(), ways);
        }
    }

    /// The same in one of the networks.
    fn to_hop_in(&self, vnet: Sym, at: &Host, address: IpAddr, packet: &Packet, mut trail: Trail, ways: &mut Vec<Way>) {
        if vnet != at.vnet {
            trail.steps.extend(self.peering_steps(at, vnet, packet, &trail));
            trail.steps.extend(self.hop_steps(at, vnet, address));
        }
        if packet.service.is_none() && packet.dst == address {
            // The next hop is the destination itself.
            self.deliver(vnet, packet, trail, Via::Appliance, ways);
            return;
        }
        let owners = self.world.owners(address, vnet);
        for endpoint in &owners.endpoints {
            let text = format!("{address} is private endpoint {}, which forwards nothing", short(*endpoint));
            let lost = step(Stage::Appliance, Span::NONE, "appliance.9", text).by(*endpoint, address.to_string());
            ways.push(trail.clone().and(lost).end(Via::Appliance));
        }
        for (device, kind) in &owners.devices {
            if self.world.index.azure_firewall.has(*device) {
                self.through_firewall(*device, vnet, address, packet, trail.clone(), ways);
                continue;
            }
            let (stage, via) = device_words(*kind);
            let mut trail = trail.clone();
            trail.via = (trail.appliances.is_empty()).then_some(via);
            let text = format!("{} {} is the next hop; what it does is not modelled", kind.as_str(), short(*device));
            let unknown = step(stage, Span::UNKNOWN, "appliance.2", text).by(*device, "").kind(Kind::Assumption).code("W-UNSUPPORTED");
            ways.push(trail.and(unknown).end(via));
        }
        for frontend in &owners.frontends {
            self.through_balancer(*frontend, vnet, address, packet, trail.clone(), ways);
        }
        for host in &owners.hosts {
            self.through_host(host, address, packet, trail.clone(), ways);
        }
        if owners.is_nobody() {
            let text = format!("nobody in the input has the next hop address {address}");
            let unknown = step(Stage::Appliance, Span::UNKNOWN, "appliance.3", text).by(vnet, address.to_string());
            ways.push(trail.and(unknown.kind(Kind::Assumption).code("W-NVA-UNKNOWN")).end(Via::Appliance));
        }
    }

    /// The networks the hop address lies in, and whether the way there surely is one: the packet's own, or those directly peered.
    pub fn networks_of_hop(&self, at: &Host, address: IpAddr) -> Vec<(Sym, Tri)> {
        let network = self.world.network(at.vnet);
        if network.own.iter().any(|own| own.contains(&address)) {
            return vec![(at.vnet, Tri::Yes)];
        }
        let mut found: Vec<(Sym, Tri)> = Vec::new();
        let usable = || network.peers.iter().filter(|peer| peer.usable.hi());
        // A network of unknown addresses has none that another one has: peers do not overlap.
        let taken = usable().any(|peer| peer.holds(&address).lo());
        for peer in usable() {
            let there = if peer.open && taken { Tri::No } else { peer.holds(&address) };
            let sure = there.and(if peer.partial { peer.whole } else { peer.usable });
            if sure.hi() && !found.iter().any(|(vnet, _)| *vnet == peer.vnet) {
                found.push((peer.vnet, sure));
            }
        }
        found.sort_by_key(|(vnet, _)| vnet.as_str());
        found
    }

    /// What an appliance in another network is as a next hop: its subnet must take part in a subnet peering (PEER-12), and whether a connected
    /// group leads to one is not documented (NVA-01).
    fn hop_steps(&self, at: &Host, vnet: Sym, address: IpAddr) -> Vec<Step> {
        let network = self.world.network(at.vnet);
        let Some(peer) = network.peers.iter().find(|peer| peer.vnet == vnet && peer.usable.hi()) else { return Vec::new() };
        let mut out = self.world.partial_steps(at, peer, address);
        if !peer.holds(&address).lo() {
            let text = format!("whether the next hop address {address} is in {} is not known", short(vnet));
            let unsure = step(Stage::Route, Span::UNKNOWN, "appliance.12", text).by(peer.peering, address.to_string());
            out.push(unsure.kind(Kind::Assumption).code(if peer.open { "W-MISSING" } else { "W-OVERLAP" }));
        }
        if peer.joint == Joint::Group {
            let text =
                format!("whether an appliance in {}, a member of the same connected group, can be a next hop is not known", short(vnet));
            let unsure = step(Stage::Route, Span::UNKNOWN, "appliance.10", text).by(peer.peering, address.to_string());
            out.push(unsure.kind(Kind::Assumption).code("W-NVA-UNKNOWN"));
        }
        out
    }

    /// The packet is handed to the appliance at `host`; `address` is where replies to it may be sent.
    pub fn through_host(&self, host: &Host, address: IpAddr, packet: &Packet, trail: Trail, ways: &mut Vec<Way>) {
        let index = self.world.index;
        let name = short(host.name(self.world));
        match self.is_for(host, packet) {
            // What is addressed to the interface needs no forwarding (ADR-12).
            Tri::Yes => return self.deliver(host.vnet, packet, trail, Via::Appliance, ways),
            Tri::Maybe => {
                let text = format!("whether {} is an address of {} is not in the input", packet.dst, short(host.nic));
                let perhaps = step(Stage::Route, Span::UNKNOWN, "address.7", text).by(host.nic, "").kind(Kind::Assumption);
                ways.push(trail.clone().and(perhaps.code("W-MISSING")).end(Via::Appliance));
            }
            Tri::No => {}
        }
        // Routes look at the destination, which no appliance changes: whatever it did to the source, it would send the packet the same way.
        let back_at_it = trail.appliances.iter().any(|passed| self.machine_of(passed.nic) == self.machine_of(host.nic));
        if back_at_it || trail.appliances.len() >= MAX_APPLIANCES {
            let text = format!("the packet comes back to appliance {name}: a loop");
            ways.push(trail.and(step(Stage::Appliance, Span::NONE, "appliance.4", text).by(host.nic, "loop")).end(Via::Appliance));
            return;
        }
        let mut trail = trail;
        trail.steps.extend(filters::inbound(self.world, host, packet, self.asked));
        if !index.nic.one(host.nic).is_some_and(|nic| nic.forwarding) {
            let text = format!("{} has enableIPForwarding=false: it drops what is not for itself", short(host.nic));
            let drop = step(Stage::Appliance, Span::NONE, "appliance.5", text).by(host.nic, "enableIPForwarding=false");
            trail = trail.and(drop.at_fact(host.nic).kind(Kind::Fact));
        }
        let (contract, snat) = self.contract(host.nic, packet, name);
        trail = trail.and(contract);
        let exits = self.exits_of(host);
        let missing = self.world.index.nics_by_machine.get(self.machine_of(host.nic)).iter().map(|row| row.nic);
        if let Some(nic) = missing.filter(|nic| !index.nic.has(*nic)).min_by_key(|nic| nic.as_str()) {
            let text = format!("interface {} of appliance {name} is not in the input: it may leave there", short(nic));
            let unknown = step(Stage::Appliance, Span::UNKNOWN, "appliance.7", text).by(nic, "").kind(Kind::Assumption);
            ways.push(trail.clone().and(unknown.code("W-MISSING")).end(Via::Appliance));
        }
        // An appliance that is stated to forward it leaves by whichever interface leads there (NVA-07); without a statement the step before says
        // that nothing is known.
        for hosts in &exits {
            if snat != Tri::Yes {
                self.leave_appliance(host, &hosts[0], address, false, snat, packet, trail.clone(), ways);
            }
            if snat != Tri::No {
                let leave = |exit: &Host| {
                    let mut ways = Vec::new();
                    self.leave_appliance(host, exit, address, true, snat, packet, trail.clone(), &mut ways);
                    ways
                };
                ways.extend(self.by_one_of(hosts[0].nic, trail.steps.len(), hosts.iter().map(leave).collect()));
            }
        }
    }

    /// The ways by each of the addresses that an interface may show instead of the source: which it is nobody says, so that all must get there (NVA-06). What is
    /// not known stands `at` a place among the steps.
    fn by_one_of(&self, nic: Sym, at: usize, each: Vec<Vec<Way>>) -> Vec<Way> {
        let sure = |ways: &Vec<Way>| ways.iter().fold(Span::NONE, |span, way| span.or(way.span().within(self.asked))).sure;
        let agreed = each.iter().map(sure).fold(self.asked, Set::and);
        let several = each.len() > 1;
        let mut ways: Vec<Way> = each.into_iter().flatten().collect();
        if several && agreed != self.asked {
            let text = format!("which of its addresses {} shows instead of the source is not known", short(nic));
            let span = Span { sure: agreed, may: Set::ALL };
            let unsure = step(Stage::Appliance, span, "appliance.13", text).by(nic, "snat").kind(Kind::Assumption).code("W-NVA");
            ways.iter_mut().for_each(|way| way.steps.insert(at.min(way.steps.len()), unsure.clone()));
        }
        ways
    }

    #[expect(clippy::too_many_arguments, reason = "an appliance has two sides and a packet two forms")]
    fn leave_appliance(
        &self,
        host: &Host,
        exit: &Host,
        address: IpAddr,
        translated: bool,
        snat: Tri,
        packet: &Packet,
        trail: Trail,
        ways: &mut Vec<Way>,
    ) {
        let mut trail = trail;
        let mut packet = packet.clone();
        let before = packet.src.clone();
        if translated {
            packet.src = Seen::At(exit.ip);
            packet.src_asgs = self.world.asgs_of(exit.ip_config);
            packet.ports = SourcePorts::Translated;
        }
        if snat == Tri::Maybe {
            let word = if translated { "replaces" } else { "keeps" };
            let text = format!("{} {word} the source address, or not: that is not stated", short(host.nic));
            let unsure = step(Stage::Appliance, Span::UNKNOWN, "appliance.8", text).by(host.nic, "snat");
            trail = trail.and(unsure.kind(Kind::Assumption).code("W-NVA"));
        }
        // A load balancer in front keeps the two directions together where the packet leaves by the interface it came in by.
        let address = if exit.nic == host.nic { address } else { host.ip };
        trail.gateways.clear();
        trail.appliances.push(Passed { nic: host.nic, address, exit: exit.clone(), translated, before, stands_for: None });
        let out = filters::outbound(self.world, exit, packet.source(), packet.destination(), packet.ports, self.asked);
        trail.steps.extend(out);
        self.onward(exit, &packet, trail, ways);
    }

    /// Whether the packet is addressed to the interface itself: to any of its addresses, or to one that only the asker knows.
    fn is_for(&self, host: &Host, packet: &Packet) -> Tri {
        if packet.service.is_some() {
            return Tri::No;
        }
        match &self.target {
            Target::Host(target) if target.ip == packet.dst && target.nic == host.nic => Tri::Yes,
            target => match self.world.has_address(host.nic, packet.dst) {
                Tri::Maybe if !target.is_anyone() => Tri::No,
                has => has,
            },
        }
    }

    /// The machine of an interface; one without a machine stands for itself.
    fn machine_of(&self, nic: Sym) -> Sym {
        self.world.index.nic_machine.one(nic).map_or(nic, |row| row.machine)
    }

    /// What is stated of the appliance behind `nic` (NVA-05), and whether it translates.
    fn contract(&self, nic: Sym, packet: &Packet, name: &str) -> (Step, Tri) {
        let index = self.world.index;
        let Some(appliance) = index.appliance.one(nic) else {
            let text = format!("what appliance {name} forwards is not stated");
            let unknown = step(Stage::Appliance, Span::UNKNOWN, "appliance.6", text).by(nic, "").kind(Kind::Assumption).code("W-NVA");
            return (unknown, Tri::Maybe);
        };
        let allows = index.appliance_allows.get(nic);
        let traffic = |allow: &ApplianceAllow| stated(allow.protocol, &allow.ports.items());
        let holds = |prefix: &Prefix, ip: IpAddr| prefix.contains(&ip) || prefix.prefix_len() == 0 && prefix.addr().is_ipv4();
        let passed = |src: IpAddr, dst: IpAddr| {
            let fitting = allows.iter().filter(|allow| holds(&allow.from, src) && holds(&allow.to, dst));
            fitting.fold(Set::EMPTY, |set, allow| set.or(traffic(allow)))
        };
        // Of an end whose address nobody knows every part that the prefixes make of it counts (M-14).
        let parts = |place: Place<'_>, prefixes: Vec<Prefix>| match place {
            Place::At(ip) => vec![ip],
            place => place.parts(prefixes, self.world.platform),
        };
        let sources = parts(packet.source().place, allows.iter().map(|allow| allow.from).collect());
        let destinations = parts(packet.destination().place, allows.iter().map(|allow| allow.to).collect());
        let each = sources.iter().flat_map(|src| destinations.iter().map(|dst| passed(*src, *dst)));
        let either = |a: Span, b: Span| Span { sure: a.sure.and(b.sure), may: a.may.or(b.may) };
        let nowhere = || Span { sure: Set::EMPTY, may: allows.iter().fold(Set::EMPTY, |set, allow| set.or(traffic(allow))) };
        let span = each.map(Span::exactly).reduce(either).unwrap_or_else(nowhere);
        let open = self.asked.meets(span.may) && !self.asked.within(span.sure) && span.sure != span.may;
        let word = match self.asked.meets(span.may) {
            true if open => "forwards some packets that look like",
            true => "forwards",
            false => "does not forward",
        };
        let text = format!("it is stated that {name} {word} it");
        let by = step(Stage::Appliance, span, "appliance.6", text).by(nic, "[[appliance]]").kind(Kind::Assumption);
        (if open { by.code("W-NVA") } else { by }, appliance.snat)
    }

    /// The interfaces a packet may leave an appliance by, the forwarding ones of its machine: the places that an address of each stands for, of the packet's
    /// family, the one it came in by first.
    fn exits_of(&self, host: &Host) -> Vec<Vec<Host>> {
        let index = self.world.index;
        let places = |nic: Sym| {
            let mut hosts = self.world.hosts_of_nic(nic);
            hosts.retain(|other| other.ip.is_ipv4() == host.ip.is_ipv4() && other.ip_config != host.ip_config);
            hosts.sort_by_key(|other| (!index.ip_config.one(other.ip_config).is_some_and(|row| row.primary), other.ip));
            hosts
        };
        let mut exits = vec![[vec![host.clone()], places(host.nic)].concat()];
        let others = index.nic_machine.one(host.nic).map_or(&[][..], |row| index.nics_by_machine.get(row.machine)).iter();
        let others = others.filter(|row| row.nic != host.nic && index.nic.one(row.nic).is_some_and(|nic| nic.forwarding));
        exits.extend(others.map(|row| places(row.nic)).filter(|hosts| !hosts.is_empty()));
        exits.sort_by_key(|hosts| hosts[0].nic.as_str());
        exits
    }

    /// The packet reaches a private endpoint's interface: consent, then the filter of its subnet (PE-10, PE-23).
    pub fn to_endpoint(&self, endpoint: Sym, packet: &Packet, trail: Trail, via: Via, ways: &mut Vec<Way>) {
        let index = self.world.index;
        let mut trail = trail;
        if !self.target.is_anyone() && self.target != Target::Endpoint(endpoint) {
            let text = format!("{} is the address of private endpoint {}", packet.dst, short(endpoint));
            ways.push(trail.and(step(Stage::Route, Span::NONE, "address.5", text).by(endpoint, "")).end(via));
            return;
        }
        if self.target.is_anyone() {
            // Somebody who dials the address: whoever asks for the endpoint itself adds these two.
            trail = trail.and(self.front_of(endpoint));
            let consent = self.world.consent(endpoint);
            if !consent.lo() {
                let text = format!("the connection of {} is not approved in every view", short(endpoint));
                let state = step(Stage::Consent, tri_span(consent), "consent.1", text).by(endpoint, "").at_fact(endpoint).kind(Kind::Fact);
                trail = trail.and(if consent.hi() { state.code("PE_STATE") } else { state });
            }
        }
        let subnet = index.private_endpoint.one(endpoint).map_or(Sym::EMPTY, |row| row.subnet);
        if let Some(other) = self.world.other_subnet_of(endpoint) {
            let text =
                format!("{} says that it stands in {}, and its interface that it does in {}", short(endpoint), short(subnet), short(other));
            let unsure = step(Stage::Route, Span::UNKNOWN, "address.14", text).by(endpoint, "").at_fact(endpoint);
            trail = trail.and(unsure.kind(Kind::Assumption).code("W-UNSUPPORTED"));
        }
        let filtered = self.world.endpoint_filtered(endpoint);
        if let (true, Some(nsg)) = (filtered.hi(), index.subnet_nsg.one(subnet)) {
            let asgs = self.world.endpoint_asgs(endpoint);
            let own = crate::rules::tag::Party { place: packet.destination().place, asgs: &asgs };
            let direction = crate::facts::network::Direction::Inbound;
            let (mut met, _) =
                filters::group(self.world, nsg.nsg, direction, own, packet.source(), SourcePorts::Ignored, subnet, self.asked);
            if filtered == Tri::Maybe {
                met.span = met.span.or(Span::UNKNOWN);
                met.code = "W-UNSUPPORTED";
            }
            trail = trail.and(met);
        }
        if self.session {
            let back = self.way_back_from_endpoint(subnet, packet.dst, &trail);
            trail.steps.extend(back);
        }
        let connection = index.private_endpoint_connections.get(endpoint).iter().min_by_key(|row| row.connection.as_str());
        let connection = connection.filter(|_| self.target.is_anyone());
        match connection.and_then(|row| private_link::behind(self.world, row.target, self.asked, self.session)) {
            None => ways.push(trail.end(via)),
            Some(tails) => ways.extend(tails.into_iter().map(|tail| {
                let mut trail = trail.clone();
                trail.steps.extend(tail);
                trail.end(via)
            })),
        }
    }

    /// What answers behind a private endpoint: TCP and UDP at the ports of its service (PE-17, M-16).
    fn front_of(&self, endpoint: Sym) -> Step {
        let index = self.world.index;
        let mut answers = Span::NONE;
        for Lead { connection, certain } in lead::of_endpoint(index, endpoint) {
            let behind = match index.store.one(connection.target) {
                _ if crate::rules::private_link::service(index, connection.target).is_some() => Span::exactly(Set::tcp_udp()),
                Some(store) => crate::rules::private_endpoint::front_end_of(index, self.world.platform, store, connection.group, true),
                None => crate::rules::private_endpoint::unseen_target(self.world.platform, connection.target, connection.group),
            };
            answers = answers.or(if certain { behind } else { behind.doubted() });
        }
        let text = format!("private endpoint {} answers at the ports of its service", short(endpoint));
        step(Stage::PrivateEndpoint, answers, "endpoint.1", text).by(endpoint, "").at_fact(endpoint).kind(Kind::Fact).code("PE_PORT")
    }
}

/// The traffic that a line of a contract lists.
fn stated(protocol: Protocol, ports: &[(u16, u16)]) -> Set {
    let of = |proto: Proto| ports.iter().fold(Set::EMPTY, |set, range| set.or(Set::of(proto, *range, crate::model::traffic::ANY_PORT)));
    match protocol {
        Protocol::Tcp => of(Proto::Tcp),
        Protocol::Udp => of(Proto::Udp),
        Protocol::Icmp => Set::of_proto(Proto::Icmp),
        Protocol::Esp => Set::of_proto(Proto::Esp),
        Protocol::Ah => Set::of_proto(Proto::Ah),
        Protocol::Any if ports == [crate::model::traffic::ANY_PORT] => Set::ALL,
        Protocol::Any => of(Proto::Tcp).or(of(Proto::Udp)),
    }
}
