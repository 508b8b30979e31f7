//! Through an Azure Firewall (AFW-01 to AFW-11); `firewall_address` has what is sent to its own addresses.
//!
//! What it lets through goes on by the routes of its subnet, from the firewall itself as a place. Which pass lets it through decides about the source, so
//! the two are ways of their own.

use std::net::IpAddr;

use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::walk::{Passed, Trail, Walk};
use crate::explain::way::{Kind, Step, Way};
use crate::facts::azure_firewall::{FirewallInspector, FirewallPass};
use crate::facts::selector::Selector;
use crate::model::{Set, Span, Stage, Sym, Tri, Via, net};
use crate::rules::azure_firewall::{self as kernel, Firewall, Met};
use crate::rules::filter::SourcePorts;
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
    pub(super) fn firewall_place(&self, device: Sym, vnet: Sym, address: IpAddr) -> Host {
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
    pub(super) fn seen<'s>(&'s self, packet: &'s Packet, context: &'s Context) -> kernel::Seen<'s> {
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

    pub(super) fn rule_step(&self, device: Sym, span: Span, text: String, path: &str, source: Sym) -> Step {
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
    pub(super) fn inspected(&self, firewall: &Firewall, packet: &Packet) -> Option<Step> {
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
            let before = packet.src.clone();
            trail.appliances.push(Passed { nic: at.nic, address, exit: exit.clone(), translated, before, stands_for: None });
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
    pub(super) fn instances(&self, at: &Host) -> Vec<IpAddr> {
        let rows = self.world.index.subnet_prefixes.get(at.subnet).iter();
        let ranges = rows.filter(|row| row.prefix.contains(&at.ip)).filter_map(|row| net::usable(&row.prefix));
        let found: Vec<IpAddr> = ranges.flat_map(|(first, last)| self.world.bounds().pieces(first, last, |_| true)).collect();
        if found.is_empty() { vec![at.ip] } else { found }
    }
}

/// A policy or a group that is not in the input: it may allow and deny anything (AFW-01).
pub(super) fn missing(device: Sym, id: Sym) -> Step {
    let text = format!("{} is not in the input: what firewall {} lets through is not known", short(id), short(device));
    step(Stage::AzureFirewall, Span::UNKNOWN, "azure_firewall.14", text).by(id, "").kind(Kind::Absence).code("W-MISSING")
}

/// Which of several addresses a packet has is not known: only what all of them let through is sure.
pub(super) fn whichever(mut each: Vec<Vec<Way>>, device: Sym) -> Vec<Way> {
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
