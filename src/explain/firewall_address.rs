//! In at the own addresses of an Azure Firewall: its NAT rules send on what comes there, from the firewall itself (AFW-06).

use std::cell::RefCell;
use std::net::IpAddr;

use crate::explain::azure_firewall::{missing, whichever};
use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::translate::Ports;
use crate::explain::walk::{Home, Passed, Target, Trail, Walk};
use crate::explain::way::{Kind, Step, Way};
use crate::facts::azure_firewall::FirewallPass;
use crate::model::{Proto, Set, Span, Stage, Sym, Via, net};
use crate::rules::azure_firewall::{self as kernel, Firewall, Met};

impl Walk<'_, '_> {
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
        let target = kernel::Target::of(&translation);
        let port = translation.port.map_or(String::new(), |port| format!(":{port}"));
        let ports = Ports { taken: met.traffic.may, port: translation.port };
        let span = match behind {
            None => met.traffic,
            Some(_) => Span { sure: ports.forward(met.traffic.sure), may: ports.forward(met.traffic.may) },
        };
        let word = if self.asked.meets(span.may) { "sends it" } else { "sends other ports" };
        let to = match target {
            kernel::Target::Address(address) => format!("to {address}{port}"),
            kernel::Target::Name(name) => format!("to {name}{port}"),
            kernel::Target::Untold => "on".to_owned(),
        };
        let text = format!("NAT rule {} of firewall {} {word} {to}", met.rule.path, short(device));
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
        let held = match target {
            kernel::Target::Address(address) => Ok(vec![address]),
            kernel::Target::Name(name) => {
                let held = self.world.held(device, name.as_str());
                let text = format!("what {name} resolves to for firewall {} is not known", short(device));
                let unknown = step(Stage::Dns, Span::UNKNOWN, "dns.1", text).by(device, name.as_str()).code("DNS_UNKNOWN");
                if held.certain && !held.addresses.is_empty() { Ok(held.addresses) } else { Err(unknown) }
            }
            kernel::Target::Untold => {
                let text = format!("NAT rule {} of firewall {} does not tell where it sends what it takes", met.rule.path, short(device));
                Err(self.rule_step(device, Span::UNKNOWN, text, &met.rule.path, met.rule.source).code("W-UNSUPPORTED"))
            }
        };
        let addresses = match held {
            Ok(addresses) => addresses,
            Err(unknown) => return ways.push(front.and(unknown.kind(Kind::Assumption)).end(Via::AzureFirewall)),
        };
        let from_outside = net::is_public(packet.dst);
        let walk = Walk {
            world: self.world,
            asked: if behind.is_some() { self.asked } else { ports.forward(self.asked) },
            session: self.session,
            target: behind.map_or(Target::Anyone, |host| Target::Host(host.clone())),
            home: if from_outside { Home::Internet } else { self.home },
            origin: self.origin,
            sender: self.sender,
            sources: RefCell::default(),
        };
        let mut each = Vec::new();
        for address in addresses {
            let asgs = behind.filter(|host| host.ip == address).map(|host| self.world.asgs_of(host.ip_config));
            for source in sources {
                let doubts = walk.denied_behind(at, firewall, source, address);
                for ip in self.instances(at) {
                    let exit = Host { ip, ..at.clone() };
                    let (nic, before, stands_for) = (device, source.clone(), Some(packet.dst));
                    let passed = Passed { nic, address: at.ip, exit: exit.clone(), translated: true, before, stands_for };
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

/// What a firewall in a virtual hub does with what comes in at its public addresses (VW-05).
fn in_hub(device: Sym) -> Step {
    let text = format!("firewall {} stands in a virtual hub: what comes in there is not modelled", short(device));
    step(Stage::AzureFirewall, Span::UNKNOWN, "azure_firewall.11", text).by(device, "").kind(Kind::Assumption).code("W-VWAN")
}
