//! Naive exfiltration: a search, level by level, over machines and stores, with edges from the oracle's own answers.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use watertight::explain::way::{End, Mode};
use watertight::facts::store_facts::Service;
use watertight::model::{Proto, Sym, Tri, Verdict};

use super::Ask;
use super::packet::Addr;
use super::store::Seen;
use super::walk::Wanted;
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
        let (inside, outside): (Vec<End>, Vec<End>) = self.all_ends().into_iter().partition(|end| self.is_ours(*end));
        let mut symbols = vec![End::Internet(None)];
        symbols.extend(Service::EXTERNAL.map(End::External));
        symbols.extend(self.local_gateways.iter().map(|l| End::Site(l.site)));
        let sinks: Vec<End> = symbols.iter().chain(&outside).copied().collect();
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
                if !symbols.contains(&to) {
                    edge(to, from, verdict); // bytes move both ways on a connection
                }
            }
        }
        // A machine of somebody else's comes and takes.
        for &from in outside.iter().filter(|e| !matches!(e, End::Store(..))) {
            for &to in &inside {
                edge(to, from, self.best_verdict(from, to));
            }
        }
        for &from in inside.iter().filter(|e| matches!(e, End::Store(..))) {
            for &to in inside.iter().chain(&sinks).filter(|to| **to != from) {
                edge(from, to, self.moves_by_itself(from, to));
            }
        }
        if !self.unreads.is_empty() {
            sure.clear();
        }
        let mut leaks = BTreeSet::new();
        for &from in &inside {
            let (proven, possible) = (distances(&sure, from, &outside), distances(&may, from, &outside));
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

    /// What leaves a store without a machine of ours: strangers pull it, a server sends or fetches it, it is replicated.
    fn moves_by_itself(&self, from: End, to: End) -> Verdict {
        let End::Store(store, part, instance) = from else { return Verdict::Denied };
        let wanted = Wanted { store, part, instance };
        let verdict = |tri: Tri| match tri {
            Tri::Yes => Verdict::Allowed,
            Tri::Maybe => Verdict::Unproven,
            Tri::No => Verdict::Denied,
        };
        let server = |end: End| matches!(end, End::Store(store, ..) if self.service_of(store) == Some(Service::Sql));
        let mut all = vec![verdict(if part.as_str() == "blob" {
            match to {
                End::Store(other, part, _) if part.as_str() == "blob" => self.replicates(store, Some(other)),
                End::External(Service::Storage) => self.replicates(store, None),
                _ => Tri::No,
            }
        } else {
            Tri::No
        })];
        if matches!(to, End::Internet(_) | End::External(_)) {
            all.push(verdict(self.strangers_admitted(wanted)));
        }
        if server(from) && matches!(to, End::Store(..) | End::External(_)) {
            all.push(self.best_verdict(from, to));
        }
        if server(to) && matches!(to, End::Store(..)) {
            all.push(self.best_verdict(to, from));
        }
        all.push(self.declared_to(store, to));
        let best = [Verdict::Allowed, Verdict::Unproven].into_iter().find(|wanted| all.contains(wanted));
        best.unwrap_or(Verdict::Denied)
    }

    /// What a setting sends there: outside nothing stops it, inside the firewall of whoever gets it does.
    fn declared_to(&self, store: Sym, to: End) -> Verdict {
        let closed = self.export_off.iter().any(|row| row.store == store);
        let mut best = Verdict::Denied;
        for row in self.declared.iter().filter(|row| row.source == store && !closed) {
            let outside = !self.stores.iter().any(|s| s.store == row.destination) || !self.is_inside(row.destination);
            let of = |service: Service| {
                self.service_of(row.destination) == Some(service) || row.destination.as_str().contains(super::paas::table(service).0)
            };
            let arrives = match to {
                End::External(service) if outside => {
                    if of(service) {
                        Verdict::Allowed
                    } else {
                        Verdict::Denied
                    }
                }
                End::Store(id, part, _) if id == row.destination && matches!(part.as_str(), "blob" | "namespace") => match outside {
                    true => Verdict::Allowed,
                    false => self.best_verdict(End::Unmodelled(row.setting), to),
                },
                _ => Verdict::Denied,
            };
            let arrives = if row.in_force != Tri::Yes && arrives == Verdict::Allowed { Verdict::Unproven } else { arrives };
            best = match (best, arrives) {
                (Verdict::Allowed, _) | (_, Verdict::Allowed) => Verdict::Allowed,
                (Verdict::Unproven, _) | (_, Verdict::Unproven) => Verdict::Unproven,
                _ => Verdict::Denied,
            };
        }
        best
    }

    /// The internet, and machines of strangers in Azure.
    fn strangers_admitted(&self, wanted: Wanted) -> Tri {
        let Some(service) = self.service_of(wanted.store) else { return Tri::No };
        let mut seen = vec![Seen::Public { addr: Addr::SomePublic, azure: true }];
        if service == Service::Storage {
            seen.push(Seen::SameRegion);
        }
        let mut addresses = self.internet_addresses(true);
        addresses.extend(self.internet_addresses(false));
        seen.extend(addresses.into_iter().map(|ip| Seen::Public { addr: Addr::Known(ip), azure: false }));
        seen.into_iter().map(|seen| self.admits(wanted, service, seen, Sym::EMPTY).0).max().unwrap_or(Tri::No)
    }

    /// Every machine and every endpoint of a store.
    fn all_ends(&self) -> Vec<End> {
        let attached = |m| self.nic_machines.iter().any(|n| n.machine == m && self.is_attached(n.nic));
        let mut all: Vec<End> = self.machines.iter().map(|m| m.machine).filter(|&m| attached(m)).map(End::Machine).collect();
        all.extend(self.parts.iter().map(|p| End::Store(p.store, p.part, p.instance)));
        all
    }

    fn is_ours(&self, end: End) -> bool {
        match end {
            End::Machine(id) | End::Store(id, ..) => self.is_inside(id),
            _ => false,
        }
    }

    /// Whether a resource lies inside the boundary: what is stated, else what the input holds.
    pub fn is_inside(&self, id: Sym) -> bool {
        let row = self.resources.iter().find(|row| row.id == id);
        let subscription = watertight::model::ids::id_parts(id.as_str()).subscription;
        let tenant = row.map_or(Sym::EMPTY, |row| row.tenant);
        if !self.boundary_tenants.is_empty() && !tenant.is_empty() && !self.boundary_tenants.iter().any(|t| t.tenant == tenant) {
            return false;
        }
        if !self.boundary_subscriptions.is_empty() {
            return self.boundary_subscriptions.iter().any(|s| s.subscription.as_str() == subscription);
        }
        row.is_some() || subscription.is_empty() || self.resources.iter().any(|row| row.subscription.as_str() == subscription)
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

/// Breadth first; sinks are not passed through because nothing leaves them, or nobody here knows what does.
fn distances(edges: &BTreeMap<End, BTreeSet<End>>, from: End, outside: &[End]) -> BTreeMap<End, usize> {
    let mut found = BTreeMap::from([(from, 0)]);
    let mut queue = VecDeque::from([from]);
    while let Some(at) = queue.pop_front() {
        if outside.contains(&at) {
            continue;
        }
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
