//! Through an Azure Firewall, and in at its own addresses (AFW-01 to AFW-11).
//!
//! What it lets through goes on by the routes of its subnet, from the firewall itself as a place. Which pass lets it through decides about the source, so
//! the two are ways of their own.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;

use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::translate::Ports;
use crate::explain::walk::{Home, Passed, Target, Trail, Walk};
use crate::explain::way::{Kind, Step, Way};
use crate::explain::world::World;
use crate::facts::azure_firewall::{FirewallInspector, FirewallPass};
use crate::facts::selector::Selector;
use crate::model::{Prefix, Proto, Set, Span, Stage, Sym, Tri, Via, net};
use crate::rules::azure_firewall::{self as kernel, Firewall, Held, Met};
use crate::rules::dns::{Answer, firewall::resolve_at_firewall};
use crate::rules::filter::SourcePorts;
use crate::rules::outbound::{Method, firewall_methods};
use crate::rules::route::{Context, Hop};

/// Hops through devices before a walk is given up as a loop.
const MAX_DEVICES: usize = 16;

/// One way through the rules.
pub struct Passage {
    /// What lets it through, and doubts about it.
    pub steps: Vec<Step>,
    /// Whether the source becomes the firewall's.
    pub translated: Tri,
}

impl Walk<'_, '_> {
    /// The packet is handed to the firewall at `address`, its next hop.
    pub fn through_firewall(&self, device: Sym, vnet: Sym, address: IpAddr, packet: &Packet, trail: Trail, ways: &mut Vec<Way>) {
        let mut trail = trail;
        if trail.appliances.is_empty() && trail.via == Some(Via::Appliance) {
            trail.via = Some(Via::AzureFirewall);
        }
        let lost = |why: String, rule: &str| step(Stage::AzureFirewall, Span::NONE, "azure_firewall.7", why).by(device, rule);
        if trail.appliances.iter().any(|passed| passed.nic == device) || trail.appliances.len() >= MAX_DEVICES {
            let text = format!("the packet comes back to firewall {}: a loop", short(device));
            ways.push(trail.and(lost(text, "loop")).end(Via::AzureFirewall));
            return;
        }
        if packet.dst.is_ipv6() {
            let text = format!("firewall {} passes IPv4 only", short(device));
            ways.push(trail.and(lost(text, "ipv6").kind(Kind::Default)).end(Via::AzureFirewall));
            return;
        }
        let at = self.firewall_place(device, vnet, address);
        trail.steps.extend(self.unsupported_default_route(&at));
        for passage in self.passages(&at, packet) {
            let mut trail = trail.clone();
            trail.steps.extend(passage.steps);
            for translated in [false, true] {
                let wanted = match passage.translated {
                    Tri::Yes => translated,
                    Tri::No => !translated,
                    Tri::Maybe => true,
                };
                if wanted {
                    let mut trail = trail.clone();
                    if passage.translated == Tri::Maybe {
                        let word = if translated { "replaces" } else { "keeps" };
                        let text = format!("firewall {} {word} the source address, or not: that is not known", short(device));
                        let unsure = step(Stage::AzureFirewall, Span::UNKNOWN, "azure_firewall.16", text).by(device, "privateRanges");
                        trail = trail.and(unsure.kind(Kind::Assumption).code("W-UNSUPPORTED"));
                    }
                    self.leave_firewall(&at, address, translated, packet, trail, ways);
                }
            }
        }
    }

    /// The firewall as a place that sends: its address in its subnet. The interface is the firewall itself.
    fn firewall_place(&self, device: Sym, vnet: Sym, address: IpAddr) -> Host {
        let rows = self.world.index.device_addresses.get(device).iter().filter(|row| row.address == address);
        let subnet = rows.map(|row| row.subnet).find(|subnet| self.world.vnet_of(*subnet) == vnet).unwrap_or_default();
        Host { ip: address, ip_config: Sym::EMPTY, nic: device, subnet, vnet }
    }

    /// A default route that leads elsewhere than to the internet is supported with a management address only (RTE-22, AFW-11).
    fn unsupported_default_route(&self, at: &Host) -> Option<Step> {
        let forced = self.world.index.azure_firewall.one(at.nic).is_some_and(|row| row.forced);
        let context = self.world.context(at.subnet);
        let whole = context.entries.iter().filter(|entry| entry.prefix.prefix_len() == 0 && entry.prefix.addr().is_ipv4());
        // A route that is perhaps learned is none that the firewall was set up with.
        let other = whole.filter(|entry| entry.sure.lo()).min_by_key(|entry| entry.origin).filter(|entry| entry.hop != Hop::Internet)?;
        let text = format!(
            "the default route of {} leads away from the internet, which a firewall without a management address needs",
            short(at.subnet)
        );
        let doubt = step(Stage::AzureFirewall, Span::UNKNOWN, "azure_firewall.8", text).by(at.subnet, other.prefix.to_string());
        (!forced).then(|| doubt.at_fact(other.source).kind(Kind::Assumption).code("W-UNSUPPORTED"))
    }

    /// A packet as the rules see it, where the firewall's subnet has this context.
    fn seen<'s>(&'s self, packet: &'s Packet, context: &'s Context) -> kernel::Seen<'s> {
        kernel::Seen {
            source: packet.source(),
            destination: packet.destination(),
            name: packet.name,
            context,
            platform: self.world.platform,
        }
    }

    /// The ways through the rules for a packet on its way elsewhere; where it is refused, one that says so stands first (AFW-02 to AFW-05). `at` is the
    /// firewall; its subnet is empty in a hub.
    pub fn passages(&self, at: &Host, packet: &Packet) -> Vec<Passage> {
        let firewall = self.world.firewall(at.nic);
        let context = self.world.context(at.subnet);
        let mut doubts: Vec<Step> = self.inspected(&firewall, packet).into_iter().collect();
        if !firewall.missing.is_empty() {
            let steps = firewall.missing.iter().map(|id| missing(at.nic, *id)).chain(doubts).collect();
            return vec![Passage { steps, translated: Tri::Maybe }];
        }
        let seen = self.seen(packet, &context);
        let network = firewall.met(FirewallPass::Network, &seen);
        let application = firewall.met(FirewallPass::Application, &seen);
        let (by_network, by_application) = kernel::passes(&network, &application);
        let keeps = firewall.keeps_source(packet.destination().place, self.world.platform);
        // A NAT rule is meant for the firewall's own addresses: whether one takes packets for others is not known.
        let translated = firewall.met(FirewallPass::Nat, &seen).into_iter().find(|met| {
            let exact = |selector: &Selector| matches!(selector, Selector::Prefix(_));
            met.traffic.may.meets(self.asked) && met.rule.destinations.iter().any(exact)
        });
        if let Some(met) = translated {
            let text = format!("NAT rule {} of firewall {} may take it, though it is for another address", met.rule.path, short(at.nic));
            doubts.push(
                self.rule_step(at.nic, Span::UNKNOWN, text, &met.rule.path, met.rule.source).kind(Kind::Assumption).code("W-UNSUPPORTED"),
            );
        }
        let mut out = Vec::new();
        for (met, span, translated, pass) in
            [(&network, by_network, keeps.negated(), "network"), (&application, by_application, Tri::Yes, "application")]
        {
            if !span.may.is_empty() {
                let steps = std::iter::once(self.decided(at.nic, met, span, pass)).chain(doubts.iter().cloned()).collect();
                out.push((span.may.meets(self.asked), Passage { steps, translated }));
            }
        }
        if !out.iter().any(|(open, _)| *open) {
            let denying =
                kernel::deciding(&network, by_network, self.asked).or_else(|| kernel::deciding(&application, by_application, self.asked));
            let closed = match denying {
                Some(rule) => {
                    let text = format!("firewall {} denies it by rule {}", short(at.nic), rule.path);
                    self.rule_step(at.nic, Span::NONE, text, &rule.path, rule.source)
                }
                None => {
                    let text = format!("no rule of firewall {} lets it through", short(at.nic));
                    step(Stage::AzureFirewall, Span::NONE, "azure_firewall.9", text).by(at.nic, "").kind(Kind::Default)
                }
            };
            out.insert(0, (true, Passage { steps: vec![closed], translated: Tri::No }));
        }
        // The pass that lets the asked traffic through is the way a person wants to see first.
        out.sort_by_key(|(open, _)| !open);
        out.into_iter().map(|(_, passage)| passage).collect()
    }

    fn rule_step(&self, device: Sym, span: Span, text: String, path: &str, source: Sym) -> Step {
        step(Stage::AzureFirewall, span, "azure_firewall.5", text).by(device, path).at_fact(source).kind(Kind::Fact)
    }

    /// What one pass lets through, and the rule that decides the asked traffic.
    fn decided(&self, device: Sym, met: &[Met<'_>], span: Span, pass: &str) -> Step {
        let word = match (self.asked.within(span.sure), self.asked.meets(span.may)) {
            (true, _) => "allows it",
            (false, false) => "does not allow it",
            _ => "perhaps allows it",
        };
        let name = short(device);
        let mut decided = match kernel::deciding(met, span, self.asked) {
            Some(rule) => {
                let text = format!("firewall {name} {word} by {pass} rule {}", rule.path);
                let mut by = self.rule_step(device, span, text, &rule.path, rule.source);
                if !rule.missing.is_empty() && span.sure != span.may {
                    by.text = format!("{}; IP group {} is not in the input", by.text, short(rule.missing));
                    by = by.by(rule.missing, "").code("W-MISSING");
                }
                by
            }
            None => {
                let text = format!("firewall {name} {word} by a {pass} rule");
                step(Stage::AzureFirewall, span, "azure_firewall.5", text).by(device, "")
            }
        };
        if pass == "application" {
            decided.label = "azure_firewall.6";
        }
        if span.sure != span.may && decided.code.is_empty() { decided.code("W-UNSUPPORTED") } else { decided }
    }

    /// What is dropped for its content or reputation is nobody's to know (AFW-09): flows from and to the internet become doubtful.
    fn inspected(&self, firewall: &Firewall, packet: &Packet) -> Option<Step> {
        let (owner, what) = firewall.inspection?;
        let space = |ip: &IpAddr| self.world.index.vnet_prefixes.rows().any(|row| row.prefix.contains(ip));
        let outside = |ip: &IpAddr| net::is_public(*ip) && !space(ip);
        let public = packet.service.is_some()
            || outside(&packet.dst)
            || match &packet.src {
                Seen::At(ip) => outside(ip),
                Seen::SomePublic => true,
            };
        let (word, rule) = match what {
            FirewallInspector::ThreatIntelligence => ("threat intelligence", "threatIntelMode"),
            FirewallInspector::IntrusionDetection => ("intrusion detection", "intrusionDetection"),
        };
        let text = format!("{word} of {} drops what it recognises", short(owner));
        let doubt = step(Stage::AzureFirewall, Span::UNKNOWN, "azure_firewall.10", text).by(owner, rule);
        public.then(|| doubt.kind(Kind::Assumption).code("W-UNSUPPORTED"))
    }

    /// Out of the firewall by the routes of its subnet, with its own source or with an address of the firewall (AFW-07, AFW-08).
    fn leave_firewall(&self, at: &Host, address: IpAddr, translated: bool, packet: &Packet, trail: Trail, ways: &mut Vec<Way>) {
        let mut sent = packet.clone();
        if translated {
            sent.src_asgs = Vec::new();
            sent.ports = SourcePorts::Translated;
        }
        let outward = packet.service.is_some() || net::is_public(packet.dst);
        let sources = if translated && !outward { self.instances(at) } else { vec![address] };
        let each = sources.into_iter().map(|ip| {
            let exit = Host { ip, ..at.clone() };
            if translated {
                sent.src = Seen::At(ip);
            }
            let mut trail = trail.clone();
            trail.appliances.push(Passed { nic: at.nic, address, exit: exit.clone(), translated, before: packet.src.clone() });
            (exit, sent.clone(), trail)
        });
        let each: Vec<_> = each.collect();
        if let [(exit, sent, trail)] = &each[..] {
            // INVARIANT: what front ends see is remembered by the place of a way in this very list.
            self.onward(exit, sent, trail.clone(), ways);
            return;
        }
        let walked = each.into_iter().map(|(exit, sent, trail)| {
            let mut ways = Vec::new();
            self.onward(&exit, &sent, trail, &mut ways);
            ways
        });
        ways.extend(whichever(walked.collect(), at.nic));
    }

    /// The addresses that the instances behind the firewall may send from, as far as anything tells them apart.
    fn instances(&self, at: &Host) -> Vec<IpAddr> {
        let rows = self.world.index.subnet_prefixes.get(at.subnet).iter();
        let ranges = rows.filter(|row| row.prefix.contains(&at.ip)).filter_map(|row| net::usable(&row.prefix));
        let found: Vec<IpAddr> = ranges.flat_map(|(first, last)| self.world.bounds().pieces(first, last, |_| true)).collect();
        if found.is_empty() { vec![at.ip] } else { found }
    }

    /// The packet is for one of the firewall's own addresses: NAT rules, or nothing (AFW-06). `sources` are those it may have.
    pub fn at_firewall(&self, device: Sym, packet: &Packet, sources: &[Seen], trail: Trail, ways: &mut Vec<Way>) {
        let index = self.world.index;
        let firewall = self.world.firewall(device);
        let mut trail = trail;
        trail.via = trail.via.or(Some(Via::AzureFirewall));
        if index.azure_firewall.one(device).is_some_and(|row| !row.hub.is_empty()) {
            ways.push(trail.and(in_hub(device)).end(Via::AzureFirewall));
            return;
        }
        if !firewall.missing.is_empty() {
            trail.steps.extend(firewall.missing.iter().map(|id| missing(device, *id)));
            ways.push(trail.end(Via::AzureFirewall));
            return;
        }
        let Some(place) = index.device_addresses.get(device).iter().min_by_key(|row| (row.subnet.as_str(), row.address)) else {
            let text = format!("the address of firewall {} in its subnet is not in the input", short(device));
            let unknown = step(Stage::AzureFirewall, Span::UNKNOWN, "azure_firewall.11", text).by(device, "");
            ways.push(trail.and(unknown.kind(Kind::Assumption).code("W-MISSING")).end(Via::AzureFirewall));
            return;
        };
        let at = self.firewall_place(device, self.world.vnet_of(place.subnet), place.address);
        let mut found = Vec::new();
        for met in self.translations(&firewall, &at, packet, sources) {
            let mut inner = Vec::new();
            self.translated(&at, &met, packet, sources, &trail, None, &mut inner);
            found.push((met.traffic.may.meets(self.asked), inner));
        }
        if packet.dst == at.ip
            && let Some(answered) = self.answers_names(device)
        {
            found.push((answered.span.may.meets(self.asked), vec![trail.clone().and(answered).end(Via::AzureFirewall)]));
        }
        found.sort_by_key(|(open, _)| !open);
        if !found.first().is_some_and(|(open, _)| *open) {
            let text = format!("no NAT rule of firewall {} takes it", short(device));
            let closed = step(Stage::AzureFirewall, Span::NONE, "azure_firewall.9", text).by(device, "").kind(Kind::Default);
            ways.push(trail.and(closed).end(Via::AzureFirewall));
        }
        ways.extend(found.into_iter().flat_map(|(_, inner)| inner));
    }

    /// The NAT rules that take the packet, whichever of its sources it has.
    fn translations<'f>(&self, firewall: &'f Firewall, at: &Host, packet: &Packet, sources: &[Seen]) -> Vec<Met<'f>> {
        let context = self.world.context(at.subnet);
        let mut merged: Vec<Met<'f>> = Vec::new();
        for (n, source) in sources.iter().enumerate() {
            let packet = Packet { src: source.clone(), ..packet.clone() };
            let seen = self.seen(&packet, &context);
            let found = firewall.translations(&seen);
            for met in &mut merged {
                let now = found.iter().find(|other| std::ptr::eq(other.rule, met.rule)).map_or(Span::NONE, |other| other.traffic);
                met.traffic = Span { sure: met.traffic.sure.and(now.sure), may: met.traffic.may.or(now.may) };
            }
            for met in found {
                if !merged.iter().any(|known| std::ptr::eq(known.rule, met.rule)) {
                    merged.push(Met { traffic: if n == 0 { met.traffic } else { met.traffic.doubted() }, ..met });
                }
            }
        }
        merged
    }

    /// In from `client` on the internet to one machine by a NAT rule of the firewall; ports are those the machine sees. Empty where no rule leads there.
    pub fn in_by_firewall(&self, device: Sym, host: &Host, client: IpAddr) -> Vec<Way> {
        let index = self.world.index;
        let firewall = self.world.firewall(device);
        let open = |why: Step| vec![Way { via: Via::AzureFirewall, steps: vec![why] }];
        if let Some(id) = firewall.missing.first() {
            return open(missing(device, *id));
        }
        if index.azure_firewall.one(device).is_some_and(|row| !row.hub.is_empty()) {
            return open(in_hub(device));
        }
        let Some(place) = index.device_addresses.get(device).iter().min_by_key(|row| (row.subnet.as_str(), row.address)) else {
            return Vec::new();
        };
        let at = self.firewall_place(device, self.world.vnet_of(place.subnet), place.address);
        let sources = [Seen::At(client)];
        let mut ways = Vec::new();
        for public in index.device_public_ips.get(device) {
            let Some(public) = index.public_ip_address.one(public.public_ip) else {
                let text = format!("public address {} of firewall {} is not known", short(public.public_ip), short(device));
                let unknown = step(Stage::AzureFirewall, Span::UNKNOWN, "azure_firewall.11", text).by(public.public_ip, "");
                ways.extend(open(unknown.kind(Kind::Assumption).code("W-MISSING")));
                continue;
            };
            let packet = Packet::new(Seen::At(client), Vec::new(), public.address);
            for met in
                self.translations(&firewall, &at, &packet, &sources).iter().filter(|met| self.world.leads_to(device, met.rule, host.ip))
            {
                self.translated(&at, met, &packet, &sources, &Trail::default(), Some(host), &mut ways);
            }
        }
        ways
    }

    /// What one NAT rule sends on: the walk from the firewall to the translated address, read back as the traffic in front of it. With `behind` only what
    /// gets to that machine, as the traffic it sees.
    #[expect(clippy::too_many_arguments, reason = "a translation has two sides and a rule")]
    fn translated(
        &self,
        at: &Host,
        met: &Met<'_>,
        packet: &Packet,
        sources: &[Seen],
        trail: &Trail,
        behind: Option<&Host>,
        ways: &mut Vec<Way>,
    ) {
        let device = at.nic;
        let firewall = &self.world.firewall(device);
        let Some(translation) = met.rule.translation else { return };
        let to = translation.address.map_or_else(|| translation.fqdn.to_string(), |address| address.to_string());
        let port = translation.port.map_or(String::new(), |port| format!(":{port}"));
        let ports = Ports { taken: met.traffic.may, port: translation.port };
        let span = match behind {
            None => met.traffic,
            Some(_) => Span { sure: ports.forward(met.traffic.sure), may: ports.forward(met.traffic.may) },
        };
        let word = if self.asked.meets(span.may) { "sends it" } else { "sends other ports" };
        let text = format!("NAT rule {} of firewall {} {word} to {to}{port}", met.rule.path, short(device));
        let mut taken = self.rule_step(device, span, text, &met.rule.path, met.rule.source);
        taken.label = "azure_firewall.12";
        if met.traffic.sure != met.traffic.may {
            taken =
                if met.rule.missing.is_empty() { taken.code("W-UNSUPPORTED") } else { taken.by(met.rule.missing, "").code("W-MISSING") };
        }
        let mut front = trail.clone().and(taken);
        if self.world.index.azure_firewall.one(device).is_some_and(|row| row.forced) {
            let text = format!("firewall {} has a management address: with forced tunnelling NAT rules are not supported", short(device));
            let doubt = step(Stage::AzureFirewall, Span::UNKNOWN, "azure_firewall.8", text).by(device, "managementIpConfiguration");
            front = front.and(doubt.kind(Kind::Assumption).code("W-UNSUPPORTED"));
        }
        front
            .steps
            .extend(self.inspected(firewall, &Packet { src: sources.first().cloned().unwrap_or(Seen::SomePublic), ..packet.clone() }));
        let held = match translation.address {
            Some(address) => Held { addresses: vec![address], certain: true, public: false },
            None => self.world.held(device, translation.fqdn.as_str()),
        };
        if !held.certain || held.addresses.is_empty() {
            let text = format!("what {to} resolves to for firewall {} is not known", short(device));
            let unknown = step(Stage::Dns, Span::UNKNOWN, "dns.1", text).by(device, to).kind(Kind::Assumption).code("DNS_UNKNOWN");
            ways.push(front.and(unknown).end(Via::AzureFirewall));
            return;
        }
        let from_outside = net::is_public(packet.dst);
        let walk = Walk {
            world: self.world,
            asked: if behind.is_some() { self.asked } else { ports.forward(self.asked) },
            session: self.session,
            target: behind.map_or(Target::Anyone, |host| Target::Host(host.clone())),
            home: if from_outside { Home::Internet } else { self.home },
            origin: self.origin,
            sources: RefCell::default(),
        };
        let mut each = Vec::new();
        for address in held.addresses {
            let asgs = behind.filter(|host| host.ip == address).map(|host| self.world.asgs_of(host.ip_config));
            for source in sources {
                let doubts = walk.denied_behind(at, firewall, source, address);
                for ip in self.instances(at) {
                    let exit = Host { ip, ..at.clone() };
                    let passed = Passed { nic: device, address: at.ip, exit: exit.clone(), translated: true, before: source.clone() };
                    let before = if from_outside { &[] } else { &trail.appliances[..] };
                    let appliances = before.iter().cloned().chain([passed]).collect();
                    let behind = Trail { steps: doubts.clone(), appliances, ..Trail::default() };
                    let inner = Packet { ports: packet.ports, ..Packet::new(Seen::At(ip), Vec::new(), address) };
                    let inner = Packet { dst_asgs: asgs.clone().unwrap_or_else(|| self.world.asgs_at(address)), ..inner };
                    let mut found = Vec::new();
                    walk.onward(&exit, &inner, behind, &mut found);
                    each.push(found);
                }
            }
        }
        for way in whichever(each, device) {
            let mut out = front.clone();
            out.steps.extend(way.steps.into_iter().map(|step| if behind.is_some() { step } else { ports.read_back(step) }));
            if from_outside {
                out.steps.extend(self.way_home(trail));
            }
            ways.push(out.end(Via::AzureFirewall));
        }
    }

    /// A network rule that denies what a NAT rule sends on: whether it counts is not settled (AFW-06). In the traffic behind the translation.
    fn denied_behind(&self, at: &Host, firewall: &Firewall, source: &Seen, address: IpAddr) -> Vec<Step> {
        let context = self.world.context(at.subnet);
        let packet = Packet::new(source.clone(), Vec::new(), address);
        let seen = self.seen(&packet, &context);
        let network = firewall.met(FirewallPass::Network, &seen);
        let denied = kernel::first_match(&network, false).may;
        let rule = network.iter().find(|met| !met.rule.allow && met.traffic.may.meets(self.asked)).map(|met| met.rule);
        let Some(rule) = rule.filter(|_| !denied.is_empty()) else { return Vec::new() };
        let text = format!("rule {} denies what is translated: whether that counts is not settled", rule.path);
        let span = Span { sure: Set::ALL.minus(denied), may: Set::ALL };
        vec![self.rule_step(at.nic, span, text, &rule.path, rule.source).kind(Kind::Assumption).code("W-UNSUPPORTED")]
    }

    /// A DNS proxy answers questions at its private address.
    pub fn answers_names(&self, device: Sym) -> Option<Step> {
        let index = self.world.index;
        let policy = index.azure_firewall.one(device).map_or(Sym::EMPTY, |row| row.policy);
        let owner = if policy.is_empty() { device } else { policy };
        let port = |proto| Set::of(proto, (53, 53), crate::model::traffic::ANY_PORT);
        let asked = Span::exactly(port(Proto::Tcp).or(port(Proto::Udp)));
        let text = format!("firewall {} answers DNS questions", short(device));
        let answers =
            step(Stage::AzureFirewall, asked, "azure_firewall.13", text).by(device, "enableProxy").at_fact(owner).kind(Kind::Fact);
        index.firewall_dns_proxy.has(owner).then_some(answers)
    }
}

/// A policy or a group that is not in the input: it may allow and deny anything (AFW-01).
fn missing(device: Sym, id: Sym) -> Step {
    let text = format!("{} is not in the input: what firewall {} lets through is not known", short(id), short(device));
    step(Stage::AzureFirewall, Span::UNKNOWN, "azure_firewall.14", text).by(id, "").kind(Kind::Absence).code("W-MISSING")
}

/// What a firewall in a virtual hub does with what comes in at its public addresses (VW-05).
fn in_hub(device: Sym) -> Step {
    let text = format!("firewall {} stands in a virtual hub: what comes in there is not modelled", short(device));
    step(Stage::AzureFirewall, Span::UNKNOWN, "azure_firewall.11", text).by(device, "").kind(Kind::Assumption).code("W-VWAN")
}

/// Which of several addresses a packet has is not known: only what all of them let through is sure.
fn whichever(mut each: Vec<Vec<Way>>, device: Sym) -> Vec<Way> {
    if each.len() < 2 {
        return each.pop().unwrap_or_default();
    }
    let sure = each.iter().map(|ways| ways.iter().fold(Set::EMPTY, |set, way| set.or(way.span().sure))).fold(Set::ALL, Set::and);
    let mut all: Vec<Way> = each.into_iter().flatten().collect();
    for way in &mut all {
        let text = format!("which address of its subnet firewall {} sends with is not known", short(device));
        let unsure = step(Stage::AzureFirewall, Span { sure, may: Set::ALL }, "azure_firewall.15", text).by(device, "");
        way.steps.push(unsure.kind(Kind::Assumption).code("W-UNSUPPORTED"));
    }
    all
}

impl World<'_> {
    /// The rules of an Azure Firewall.
    pub fn firewall(&self, device: Sym) -> Rc<Firewall> {
        self.firewall_once(device, || Firewall::new(self.index, device, &|name| self.held(device, name)))
    }

    /// Whether a NAT rule of the firewall may lead to the address, or nobody knows its rules.
    pub fn firewall_may_lead_to(&self, device: Sym, address: IpAddr) -> bool {
        let firewall = self.firewall(device);
        !firewall.missing.is_empty() || firewall.rules.iter().any(|rule| self.leads_to(device, rule, address))
    }

    fn leads_to(&self, device: Sym, rule: &kernel::Rule, address: IpAddr) -> bool {
        rule.translation.is_some_and(|to| match to.address {
            Some(to) => to == address,
            None => {
                let held = self.held(device, to.fqdn.as_str());
                !held.certain || held.addresses.contains(&address)
            }
        })
    }

    /// What a name leads to when the firewall asks for it.
    pub fn held(&self, device: Sym, name: &str) -> Held {
        let found = resolve_at_firewall(self.index, self.platform, device, name);
        let certain = found.answer != Answer::Unknown && found.answer != Answer::ServFail;
        let public = found.answer == Answer::Public;
        Held { addresses: found.addresses, certain, public }
    }

    /// How the packets of a firewall leave for public addresses (OUT-13): by the NAT gateway of its subnet, else with its own addresses.
    pub fn firewall_exits(&self, at: &Host, v6: bool) -> Vec<Method> {
        if v6 {
            return Vec::new();
        }
        let index = self.index;
        let addresses = index.device_public_ips.get(at.nic).iter();
        let addresses = addresses.map(|row| index.public_ip_address.one(row.public_ip).map(|row| net::host(row.address)));
        let in_hub = index.firewall_hub_addresses.get(at.nic).iter().map(|row| Some(net::host(row.address)));
        let mut known: Vec<Option<Prefix>> = addresses.chain(in_hub).collect();
        known.sort_unstable();
        let own = (!known.is_empty()).then(|| (at.nic, known.into_iter().collect()));
        firewall_methods(self.nat_of(at.subnet, v6), own)
    }

    /// Every prefix that a firewall and the routes behind it compare addresses with, and the service tags that its rules name.
    pub fn firewalls_compare(&self) -> (Vec<Prefix>, Vec<Sym>) {
        let (mut cuts, mut tags) = (Vec::new(), Vec::new());
        for row in self.index.azure_firewall.rows() {
            let firewall = self.firewall(row.firewall);
            for rule in &firewall.rules {
                cuts.extend(rule.names.iter().flat_map(|name| &name.held.addresses).map(|address| net::host(*address)));
                for selector in rule.sources.iter().chain(&rule.destinations) {
                    match selector {
                        Selector::Prefix(prefix) => cuts.push(*prefix),
                        Selector::Tag(tag) => tags.push(*tag),
                        Selector::Any | Selector::Asg(_) => {}
                    }
                }
            }
            for address in self.index.device_addresses.get(row.firewall) {
                cuts.push(net::host(address.address));
                cuts.extend(self.context(address.subnet).cuts());
            }
        }
        cuts.extend(self.index.firewall_private_ranges.rows().map(|row| row.prefix));
        (cuts, tags)
    }
}
