//! Naive exfiltration: a search, level by level, over machines and stores, with edges from the oracle's own answers.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use watertight::explain::way::{End, Mode};
use watertight::facts::network::NicRole;
use watertight::facts::store_facts::Service;
use watertight::model::{Proto, Verdict};

use super::Ask;
use super::world::World;

/// The shortest way out of a source to a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    pub from: End,
    pub to: End,
    /// Hops of the path that counts: the shortest proven one, else the shortest possible (decision 21).
    pub length: usize,
    pub proven: bool,
}

impl World<'_> {
    /// All leaks, on a sample of ports.
    pub fn leaks(&self) -> BTreeSet<Leak> {
        let inside = self.inside_ends();
        let mut sinks = vec![End::Internet(None)];
        sinks.extend(Service::EXTERNAL.map(End::External));
        sinks.extend(self.local_gateways.iter().map(|l| End::Site(l.site)));
        let mut sure: BTreeMap<End, BTreeSet<End>> = BTreeMap::new();
        let mut may: BTreeMap<End, BTreeSet<End>> = BTreeMap::new();
        let mut edge = |from: End, to: End, verdict: Verdict| {
            if verdict == Verdict::Allowed {
                sure.entry(from).or_default().insert(to);
            }
            if verdict != Verdict::Denied {
                may.entry(from).or_default().insert(to);
            }
        };
        for &from in inside.iter().filter(|e| !matches!(e, End::Store(..))) {
            for &to in inside.iter().chain(&sinks).filter(|to| **to != from) {
                let verdict = self.best_verdict(from, to);
                edge(from, to, verdict);
                if !sinks.contains(&to) {
                    edge(to, from, verdict); // bytes move both ways on a connection
                }
            }
        }
        let mut leaks = BTreeSet::new();
        for &from in &inside {
            let (proven, possible) = (distances(&sure, from), distances(&may, from));
            for &to in &sinks {
                if let Some(&length) = proven.get(&to) {
                    leaks.insert(Leak { from, to, length, proven: true });
                } else if let Some(&length) = possible.get(&to) {
                    leaks.insert(Leak { from, to, length, proven: false });
                }
            }
        }
        leaks
    }

    fn inside_ends(&self) -> Vec<End> {
        let attached = |m| self.nic_machines.iter().any(|n| n.machine == m && self.nic(n.nic).is_some_and(|n| n.role == NicRole::Machine));
        let mut all: Vec<End> = self.machines.iter().map(|m| m.machine).filter(|&m| attached(m)).map(End::Machine).collect();
        all.extend(self.parts.iter().map(|p| End::Store(p.store, p.part, p.instance)));
        all
    }

    /// The best of the adversarial answers over the sample of traffic.
    fn best_verdict(&self, from: End, to: End) -> Verdict {
        let mut ports: BTreeSet<(Proto, u16)> = BTreeSet::from([(Proto::Tcp, 443), (Proto::Tcp, 1433), (Proto::Tcp, 80), (Proto::Udp, 53)]);
        for (low, high) in self.nsg_rules.iter().flat_map(|r| r.destination_ports.items()) {
            ports.extend([(Proto::Tcp, low), (Proto::Tcp, high), (Proto::Udp, low)]);
        }
        let verdict = |&(proto, dport): &(Proto, u16)| {
            self.answer(&Ask { from, to, proto, dport, sport: None, mode: Mode::Adversarial, session: true }).verdict
        };
        // The verdicts are ordered from allowed through denied to unproven: pick by hand.
        let all: Vec<Verdict> = ports.iter().map(verdict).collect();
        for wanted in [Verdict::Allowed, Verdict::Unproven] {
            if all.contains(&wanted) {
                return wanted;
            }
        }
        Verdict::Denied
    }
}

/// Breadth first; sinks are not passed through because nothing leaves them.
fn distances(edges: &BTreeMap<End, BTreeSet<End>>, from: End) -> BTreeMap<End, usize> {
    let mut found = BTreeMap::from([(from, 0)]);
    let mut queue = VecDeque::from([from]);
    while let Some(at) = queue.pop_front() {
        let next = found[&at] + 1;
        for &to in edges.get(&at).into_iter().flatten() {
            if let Entry::Vacant(free) = found.entry(to) {
                free.insert(next);
                queue.push_back(to);
            }
        }
    }
    found
}
