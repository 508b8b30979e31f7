//! What stands between the two ends: appliances, gateways, private endpoints, public addresses.

use std::net::IpAddr;

use crate::explain::filters;
use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::private_link;
use crate::explain::walk::{Passed, Target, Trail, Walk, device_words, tri_span};
use crate::explain::way::{Kind, Step, Way};
use crate::facts::network::{Protocol, PublicSku};
use crate::model::{Proto, Set, Span, Stage, Sym, Tri, Via};
use crate::rules::filter::SourcePorts;
use crate::rules::lead::{self, Lead};
use crate::rules::outbound::PublicSource;
use crate::rules::peering::Joint;

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
        for peer in network.peers.iter().filter(|peer| peer.usable.hi()) {
            let there = peer.prefixes.iter().filter(|(prefix, _)| prefix.contains(&address)).map(|(_, sure)| *sure).max();
            let sure = there.unwrap_or(Tri::No).and(if peer.partial { peer.whole } else { peer.usable });
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
        for exit in &exits {
            for translated in [false, true] {
                let wanted = match snat {
                    Tri::Yes => translated,
                    Tri::No => !translated,
                    Tri::Maybe => true,
                };
                if wanted {
                    self.leave_appliance(host, exit, address, translated, snat, packet, trail.clone(), ways);
                }
            }
        }
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
        trail.appliances.push(Passed { nic: host.nic, address, exit: exit.clone(), translated, before });
        let out = filters::outbound(self.world, exit, packet.source(), packet.destination(), packet.ports, self.asked);
        trail.steps.extend(out);
        self.onward(exit, &packet, trail, ways);
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
        let holds = |prefix: &crate::model::Prefix, ip: IpAddr| prefix.prefix_len() == 0 || prefix.contains(&ip);
        let mut passed = Set::EMPTY;
        for allow in index.appliance_allows.get(nic) {
            let from = match &packet.src {
                Seen::At(ip) => holds(&allow.from, *ip),
                Seen::SomePublic => allow.from.prefix_len() == 0,
            };
            let to = match &packet.service {
                Some(front_end) => allow.to.prefix_len() == 0 || front_end.class.within(&allow.to, self.world.platform).lo(),
                None => holds(&allow.to, packet.dst),
            };
            if from && to {
                passed = passed.or(stated(allow.protocol, &allow.ports.items()));
            }
        }
        let word = if self.asked.meets(passed) { "forwards" } else { "does not forward" };
        let text = format!("it is stated that {name} {word} it");
        let by = step(Stage::Appliance, Span::exactly(passed), "appliance.6", text).by(nic, "[[appliance]]");
        (by.kind(Kind::Assumption), appliance.snat)
    }

    /// The interfaces a packet may leave an appliance by: the forwarding ones of its machine.
    fn exits_of(&self, host: &Host) -> Vec<Host> {
        let index = self.world.index;
        let Some(machine) = index.nic_machine.one(host.nic).map(|row| row.machine) else { return vec![host.clone()] };
        let mut exits = vec![host.clone()];
        for row in index.nics_by_machine.get(machine) {
            if row.nic != host.nic && index.nic.one(row.nic).is_some_and(|nic| nic.forwarding) {
                exits.extend(self.world.hosts_of_nic(row.nic));
            }
        }
        exits.sort_by_key(|exit| (exit.nic.as_str(), exit.ip));
        exits
    }

    /// The packet reaches a private endpoint's interface: consent, then the filter of its subnet (PE-10, PE-23).
    pub fn to_endpoint(&self, endpoint: Sym, packet: &Packet, trail: Trail, via: Via, ways: &mut Vec<Way>) {
        let index = self.world.index;
        let mut trail = trail;
        if !matches!(&self.target, Target::Anyone) && self.target != Target::Endpoint(endpoint) {
            let text = format!("{} is the address of private endpoint {}", packet.dst, short(endpoint));
            ways.push(trail.and(step(Stage::Route, Span::NONE, "address.5", text).by(endpoint, "")).end(via));
            return;
        }
        if self.target == Target::Anyone {
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
            let back = self.way_back_from_endpoint(subnet, &trail);
            trail.steps.extend(back);
        }
        let connection = index.private_endpoint_connections.get(endpoint).first().filter(|_| self.target == Target::Anyone);
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
                Some(store) => {
                    let http = index.store_access.one(store.store).is_some_and(|access| access.plain_http);
                    let part = crate::rules::private_endpoint::base_part(connection.group);
                    crate::rules::private_endpoint::front_end(self.world.platform, store.service, store.kind, part, http, true)
                }
                None => crate::rules::private_endpoint::unseen_target(self.world.platform, connection.group),
            };
            answers = answers.or(if certain { behind } else { behind.doubted() });
        }
        let text = format!("private endpoint {} answers at the ports of its service", short(endpoint));
        step(Stage::PrivateEndpoint, answers, "endpoint.1", text).by(endpoint, "").at_fact(endpoint).kind(Kind::Fact).code("PE_PORT")
    }

    /// The packet is sent to a public address with one of the sources that `source` allows.
    pub fn at_public_address(&self, packet: &Packet, source: &PublicSource, trail: Trail, ways: &mut Vec<Way>) {
        let index = self.world.index;
        let owners = index.public_ips_by_address.get(packet.dst);
        let ranges = if owners.is_empty() { self.ranges_with(packet.dst) } else { Vec::new() };
        if !ranges.is_empty() {
            let mut frontends: Vec<Sym> =
                ranges.iter().flat_map(|range| index.load_balancer_frontends_by_range.get(*range)).map(|row| row.frontend).collect();
            frontends.sort_by_key(|frontend| frontend.as_str());
            if !frontends.is_empty() {
                frontends.into_iter().for_each(|frontend| self.to_public_frontend(frontend, packet, source, trail.clone(), ways));
                return;
            }
            let lost = Some(self.world.hidden_holder()).filter(|holder| !holder.is_empty()).unwrap_or(self.world.lost_public_ip());
            if !lost.is_empty() {
                ways.push(trail.and(hidden(packet.dst, lost)).end(Via::Public));
                return;
            }
            let text = format!("{} belongs to a public IP prefix of the input and to no public address", packet.dst);
            let closed = step(Stage::Route, Span::NONE, "inbound.3", text).by(Sym::EMPTY, "no-endpoint").kind(Kind::Absence);
            ways.push(trail.and(closed).end(Via::Public));
            return;
        }
        if let Some(hub) = index.firewalls_by_hub_address.get(packet.dst).iter().min_by_key(|row| row.firewall.as_str()) {
            self.at_firewall(hub.firewall, packet, &[], trail, ways);
            return;
        }
        if owners.is_empty() {
            let other = matches!(&self.target, Target::Host(_) | Target::Endpoint(_) | Target::Site(_) | Target::Network(_));
            let span = if other { Span::NONE } else { Span::ALL };
            let text = format!("{} is an address of the internet", packet.dst);
            let mut trail = trail.and(step(Stage::Delivered, span, "outbound.3", text).kind(Kind::Default));
            trail.steps.extend(self.lost_address(packet.dst));
            trail.steps.extend(self.way_home(&trail));
            ways.push(trail.end(Via::Public));
            return;
        }
        for owner in owners {
            let sku = index.public_ip.one(owner.public_ip).map_or(PublicSku::Unknown, |row| row.sku);
            let mut nobody = true;
            for config in index.ip_configs_by_public_ip.get(owner.public_ip) {
                let nic = index.ip_config.one(config.ip_config).map(|row| row.nic);
                if let Some(nic) = nic.filter(|nic| !index.nic.has(*nic)) {
                    nobody = false;
                    let text = format!("interface {} is not in the input", short(nic));
                    let missing = step(Stage::Route, Span::UNKNOWN, "inbound.3", text).by(nic, "").kind(Kind::Absence);
                    ways.push(trail.clone().and(missing.code("W-MISSING")).end(Via::Public));
                    continue;
                }
                if !self.world.is_endpoint_config(config.ip_config) {
                    continue; // nothing answers behind a detached interface (ADR-07)
                }
                let hosts = self.world.hosts_of_config(config.ip_config);
                nobody &= hosts.is_empty();
                let each = hosts.iter().map(|host| {
                    let mut ways = Vec::new();
                    self.public_in(host, owner.public_ip, sku, packet, source, trail.clone(), &mut ways);
                    ways
                });
                ways.extend(any_place(each.collect()));
            }
            for frontend in self.world.frontends_of_public_ip(owner.public_ip) {
                nobody = false;
                self.to_public_frontend(frontend, packet, source, trail.clone(), ways);
            }
            for device in index.devices_by_public_ip.get(owner.public_ip) {
                if index.gateway.has(device.device) || index.nat_gateway.has(device.device) {
                    continue; // its address leads to no machine (IN-12)
                }
                nobody = false;
                if index.azure_firewall.has(device.device) {
                    let sources = match source {
                        PublicSource::SomeAzure => vec![Seen::SomePublic],
                        PublicSource::OneOf(list) => {
                            let (mut cuts, tags) = self.world.firewalls_compare();
                            cuts.extend(tags.into_iter().flat_map(|tag| self.world.platform.tag(tag).unwrap_or_default()));
                            crate::explain::pieces::of(list, &cuts, |_| true).into_iter().map(Seen::At).collect()
                        }
                    };
                    self.at_firewall(device.device, packet, &sources, trail.clone(), ways);
                    continue;
                }
                let kind = index.device.one(device.device).map_or(crate::facts::network::DeviceKind::Other, |row| row.kind);
                if self.is_proxy(kind) {
                    self.at_public_proxy(device.device, owner.public_ip, packet, source, trail.clone(), ways);
                    continue;
                }
                let (stage, via) = device_words(kind);
                let text = format!("{} {} has the address; what it does is not modelled", kind.as_str(), short(device.device));
                let unknown = step(stage, Span::UNKNOWN, "inbound.4", text).by(device.device, "").kind(Kind::Assumption);
                ways.push(trail.clone().and(unknown.code("W-UNSUPPORTED")).end(via));
            }
            if let Some(holder) = self.holder_elsewhere(owner.public_ip) {
                let text = format!("public address {} belongs to {}, which is not in the input", short(owner.public_ip), short(holder));
                let missing = step(Stage::Route, Span::UNKNOWN, "inbound.3", text).by(holder, "").kind(Kind::Absence);
                ways.push(trail.clone().and(missing.code("W-MISSING")).end(Via::Public));
                nobody = false;
            }
            let hidden_holder = self.world.hidden_holder();
            if nobody && !hidden_holder.is_empty() && !self.is_claimed(owner.public_ip) {
                ways.push(trail.clone().and(hidden(packet.dst, hidden_holder)).end(Via::Public));
                nobody = false;
            }
            if nobody {
                let text = format!("no machine answers at public address {}", short(owner.public_ip));
                let of_nat = index.nat_gateway_public_ips.rows().any(|row| row.public_ip == owner.public_ip);
                let stage = if of_nat { Stage::Nat } else { Stage::Route };
                let closed = step(stage, Span::NONE, "inbound.3", text).by(owner.public_ip, "no-endpoint").kind(Kind::Absence);
                ways.push(trail.clone().and(closed).end(Via::Public));
            }
        }
    }

    /// Who has a public address by what the address itself says, where nobody in the input claims it.
    fn holder_elsewhere(&self, public_ip: Sym) -> Option<Sym> {
        let said = self.world.index.public_ip_holder.one(public_ip);
        said.filter(|_| !self.is_claimed(public_ip)).map(|row| row.holder)
    }

    /// Whether somebody in the input says that it has the public address.
    fn is_claimed(&self, public_ip: Sym) -> bool {
        let index = self.world.index;
        index.ip_configs_by_public_ip.has(public_ip)
            || index.devices_by_public_ip.has(public_ip)
            || !self.world.frontends_of_public_ip(public_ip).is_empty()
            || index.nat_gateway_public_ips.rows().any(|row| row.public_ip == public_ip)
    }

    /// In by an instance public address (IN-02, IN-03): every possible source must be admitted for the answer to be sure.
    #[expect(clippy::too_many_arguments, reason = "the address has a resource, a kind and a machine behind it")]
    pub fn public_in(
        &self,
        host: &Host,
        public_ip: Sym,
        sku: PublicSku,
        packet: &Packet,
        source: &PublicSource,
        trail: Trail,
        ways: &mut Vec<Way>,
    ) {
        let mut trail = trail;
        let text = format!("public address {} stands for {}", short(public_ip), short(host.name(self.world)));
        trail = trail.and(step(Stage::Nat, Span::ALL, "inbound.1", text).by(public_ip, "").at_fact(public_ip).kind(Kind::Fact));
        if let Some(chained) = self.chained(host.ip_config) {
            trail = trail.and(chained);
        }
        ways.push(self.from_outside(host, public_ip, sku, packet, source, &[host.ip], trail).end(Via::Public));
    }

    /// A remark on an address that nobody has: a public address that something names and that was not exported may be just this one (SND-04).
    fn lost_address(&self, ip: IpAddr) -> Option<Step> {
        let lost = self.world.lost_public_ip();
        (self.target == Target::Anyone && !lost.is_empty()).then(|| {
            let text = format!("public address {} is not in the input: it may be {ip}", short(lost));
            step(Stage::Delivered, Span::ALL, "inbound.11", text).by(lost, "").code("W-MISSING")
        })
    }

    /// In front of a machine that public space leads to: closed until a group opens it (IN-03), then what the filters say of every possible source
    /// and of every destination in `seen` that they may look at (NSG-06), then the way back (SES-02).
    #[expect(clippy::too_many_arguments, reason = "the address has a resource, a kind and a machine behind it")]
    pub fn from_outside(
        &self,
        host: &Host,
        public_ip: Sym,
        sku: PublicSku,
        packet: &Packet,
        source: &PublicSource,
        seen: &[IpAddr],
        trail: Trail,
    ) -> Trail {
        let index = self.world.index;
        let mut trail = trail;
        let unfiltered = !index.subnet_nsg.has(host.subnet) && !index.nic_nsg.has(host.nic);
        if unfiltered && sku != PublicSku::Basic {
            // A subnet that is not in the input may have a group that opens it.
            let missing = !index.subnet.has(host.subnet);
            let unknown = missing || sku == PublicSku::Unknown;
            let span = if unknown { Span::UNKNOWN } else { Span::NONE };
            let text = format!("a Standard public address is closed while no NSG opens {}", short(host.nic));
            let closed = step(Stage::NsgInbound, span, "inbound.2", text).by(public_ip, "sku=Standard").kind(Kind::Default);
            let missing = missing || !index.public_ip.has(public_ip);
            let closed = if unknown { closed.code(if missing { "W-MISSING" } else { "W-UNSUPPORTED" }) } else { closed };
            trail = trail.and(self.perhaps_opened(host, packet, closed));
        }
        let sources: Vec<Seen> = match source {
            PublicSource::SomeAzure => vec![Seen::SomePublic],
            PublicSource::OneOf(list) => self.told_apart(host, list).into_iter().map(Seen::At).collect(),
        };
        trail.steps.extend(self.admitted(host, packet, &sources, seen));
        if self.session {
            trail.steps.extend(filters::whichever(sources.iter().map(|seen| self.way_back_to_internet(host, seen)).collect()));
        }
        trail.steps.extend(self.way_home(&trail));
        trail
    }

    /// What the filters in front of `host` say where the packet has one of these sources and one of these destinations, nobody knows which: all must
    /// be admitted for certainty.
    pub fn admitted(&self, host: &Host, packet: &Packet, sources: &[Seen], destinations: &[IpAddr]) -> Vec<Step> {
        let asgs = self.world.asgs_of(host.ip_config);
        let met = |(source, dst): (&Seen, &IpAddr)| {
            let inner = Packet { src: source.clone(), dst: *dst, dst_asgs: asgs.clone(), ..packet.clone() };
            filters::inbound(self.world, host, &inner, self.asked)
        };
        filters::whichever(sources.iter().flat_map(|source| destinations.iter().map(move |dst| (source, dst))).map(met).collect())
    }

    /// The public prefixes of the input that hold an address, sorted by name.
    fn ranges_with(&self, ip: IpAddr) -> Vec<Sym> {
        let rows = self.world.index.public_ip_ranges.rows().filter(|row| row.prefix.contains(&ip));
        let mut ranges: Vec<Sym> = rows.map(|row| row.public_ip_prefix).collect();
        ranges.sort_by_key(|range| range.as_str());
        ranges
    }

    /// One address for each part of `list` that the filters in front of `host` and its routes tell apart.
    fn told_apart(&self, host: &Host, list: &[crate::model::Prefix]) -> Vec<IpAddr> {
        if list.iter().all(|prefix| prefix.prefix_len() == prefix.max_prefix_len()) {
            return list.iter().map(|prefix| prefix.network()).collect();
        }
        let cuts = filters::cuts(self.world, host.nic, host.subnet);
        crate::explain::pieces::of(list, &cuts, |_| true)
    }
}

/// A machine whose address is not known may have any of several: only what all of them let through is sure (ADR-06).
pub fn any_place(mut each: Vec<Vec<Way>>) -> Vec<Way> {
    if each.len() < 2 {
        return each.pop().unwrap_or_default();
    }
    let sure = each.iter().map(|ways| ways.iter().fold(Set::EMPTY, |set, way| set.or(way.span().sure))).fold(Set::ALL, Set::and);
    let mut all: Vec<Way> = each.into_iter().flatten().collect();
    for way in &mut all {
        let text = "the machine's own address is not known".to_owned();
        let unsure = step(Stage::NsgInbound, Span { sure, may: Set::ALL }, "address.1", text);
        way.steps.push(unsure.kind(Kind::Assumption).code("W-MISSING"));
    }
    all
}

/// A public address of the input that nobody is known to have, and that `holder` perhaps has.
fn hidden(ip: IpAddr, holder: Sym) -> Step {
    let text =
        format!("nobody in the input says that it has {ip}: {}, of which not everything is in the input, perhaps has", short(holder));
    step(Stage::Route, Span::UNKNOWN, "inbound.3", text).by(holder, "").kind(Kind::Absence).code("W-MISSING")
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
