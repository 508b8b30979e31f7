//! Naive exfiltration: a search, level by level, over machines and stores, with edges from the oracle's own answers.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use watertight::explain::way::{End, Mode};
use watertight::facts::network::MachineKind;
use watertight::facts::private_access::{Consent, PrivateEndpointConnection};
use watertight::facts::store_facts::{Instance, PublicAccess, Service};
use watertight::model::{Proto, Sym, Tri, Verdict};

use super::Ask;
use super::leads::better;
use super::packet::Addr;
use super::store::Seen;
use super::walk::Wanted;
use super::world::World;

/// By what bytes go with a flow, and against it.
pub const EITHER: &[Proto] = &[Proto::Tcp, Proto::Udp];
pub const ANSWERED: &[Proto] = &[Proto::Tcp];

/// By what a stranger gets at what a store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Subnet,
    Rule,
    Connection,
    /// A connection that the input does not tell of.
    Unlisted,
}

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
        let residents = self.residents();
        // Of a resource whose tenant nothing tells it is not known on which side it is: it is on both.
        let mut inside: Vec<End> = self.all_ends().into_iter().filter(|end| self.side_of(*end) != Tri::Yes).collect();
        let outside: Vec<End> = self.all_ends().into_iter().filter(|end| self.side_of(*end) != Tri::No).collect();
        let of_stores = |id: &Sym| self.stores.iter().any(|s| s.store == *id);
        inside.extend(residents.iter().filter(|id| !of_stores(id)).map(|id| End::Unmodelled(*id)));
        let mut symbols = vec![End::Internet(None)];
        symbols.extend(Service::EXTERNAL.map(End::External));
        symbols.extend(self.local_gateways.iter().map(|l| End::Site(l.site)));
        symbols.extend(self.connections.iter().filter(|c| self.is_blank_site(c)).map(|c| End::Site(c.peer)));
        symbols.extend(self.client_pools.iter().map(|p| End::Site(p.gateway)));
        symbols.extend(self.named_strangers().into_iter().map(|(end, ..)| end));
        symbols.extend(self.nameless_endpoints().into_iter().map(End::PrivateEndpoint));
        let sinks: Vec<End> = symbols.iter().chain(&outside).copied().collect();
        let mut sure: BTreeMap<End, BTreeSet<End>> = BTreeMap::new();
        let mut may: BTreeMap<End, BTreeSet<End>> = BTreeMap::new();
        for &from in &inside {
            for &to in inside.iter().chain(&sinks).filter(|to| **to != from) {
                let mut verdict = better(self.moves(from, to), self.by_resident(from, to, &residents));
                // Whether anybody is there to pass on what comes to a room of a service nobody says.
                if verdict == Verdict::Allowed && matches!(to, End::Subnet(_)) {
                    verdict = Verdict::Unproven;
                }
                if verdict == Verdict::Allowed && self.is_past_unread(from, to) {
                    sure.entry(from).or_default().insert(to);
                }
                if verdict != Verdict::Denied {
                    may.entry(from).or_default().insert(to);
                }
            }
        }
        let mut leaks = BTreeSet::new();
        let ends: Vec<End> = outside.iter().copied().filter(|end| self.side_of(*end) == Tri::Yes).collect();
        for &from in &inside {
            let (proven, possible) = (distances(&sure, from, &ends), distances(&may, from, &ends));
            for &to in sinks.iter().filter(|to| **to != from) {
                // Of what is perhaps outside nobody knows whether there is a boundary between the two.
                let perhaps = [from, to].iter().any(|end| outside.contains(end) && !ends.contains(end));
                if let Some(&length) = proven.get(&to).filter(|_| !perhaps) {
                    leaks.insert(Leak { from, to, length, proven: true });
                } else if let Some(&length) = possible.get(&to) {
                    leaks.insert(Leak { from, to, length, proven: false });
                }
            }
        }
        leaks
    }

    /// What gets from one node to another: bytes move both ways on a connection, whoever opens it.
    fn moves(&self, from: End, to: End) -> Verdict {
        match (from, to) {
            (End::Store(..), End::Unmodelled(_) | End::Network(_) | End::PrivateEndpoint(_)) => self.moves_by_itself(from, to),
            (End::Machine(_) | End::Subnet(_), End::PrivateEndpoint(endpoint)) if self.nameless_endpoints().contains(&endpoint) => {
                match self.best_verdict(from, to) {
                    Verdict::Denied => Verdict::Denied,
                    _ => Verdict::Unproven,
                }
            }
            (End::Unmodelled(_), _) | (_, End::Unmodelled(_) | End::Network(_) | End::PrivateEndpoint(_)) => Verdict::Denied,
            (End::Store(..), End::Machine(_) | End::Subnet(_)) => self.best_over(ANSWERED, to, from),
            (End::Store(..), End::Site(_)) => better(self.moves_by_itself(from, to), self.best_over(ANSWERED, to, from)),
            (End::Store(..), _) => self.moves_by_itself(from, to),
            (_, End::Store(..) | End::External(_)) => self.best_verdict(from, to),
            _ => {
                // What comes by UDP takes nothing back with it.
                let opened = better(self.best_verdict(from, to), self.best_over(ANSWERED, to, from));
                better(opened, better(self.led_on(from, to, EITHER), self.led_on(to, from, ANSWERED)))
            }
        }
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
        // Who takes it is the internet, or one of a service that fetches by itself; whom a rule or connection names is himself.
        let fetches = |to: End| matches!(to, End::External(service) if self.platform.fetches(service));
        if matches!(to, End::Internet(_)) || fetches(to) {
            all.push(verdict(self.strangers_admitted(wanted, !fetches(to))));
        }
        for (end, id, how) in self.named_strangers().into_iter().filter(|(end, ..)| *end == to) {
            all.push(verdict(self.stranger_takes(wanted, end, id, how)));
        }
        if server(from) && matches!(to, End::Store(..) | End::External(_)) {
            all.push(self.best_verdict(from, to));
        }
        if server(from) && matches!(to, End::Internet(_)) && self.lists_strangers(store) {
            all.push(Verdict::Unproven);
        }
        if server(to) && matches!(to, End::Store(..)) {
            all.push(self.best_verdict(to, from));
        }
        all.push(self.declared_to(store, to));
        all.push(self.same_account(from, to));
        let best = [Verdict::Allowed, Verdict::Unproven].into_iter().find(|wanted| all.contains(wanted));
        best.unwrap_or(Verdict::Denied)
    }

    /// The parts of one account: a secondary has what is written to the primary, and some parts may show the same objects (PE-04, PE-36).
    fn same_account(&self, from: End, to: End) -> Verdict {
        let (End::Store(a, part, instance), End::Store(b, other, copy)) = (from, to) else { return Verdict::Denied };
        let objects = |part: Sym| ["blob", "dfs", "web"].contains(&part.as_str());
        match () {
            () if a != b || self.service_of(a) != Some(Service::Storage) => Verdict::Denied,
            () if part == other && instance == Instance::Primary && copy == Instance::Secondary => Verdict::Allowed,
            () if part != other && objects(part) && objects(other) && instance == copy => Verdict::Unproven,
            () => Verdict::Denied,
        }
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

    /// Strangers in Azure, and where `anywhere` says so those of the internet besides.
    fn strangers_admitted(&self, wanted: Wanted, anywhere: bool) -> Tri {
        let Some(service) = self.service_of(wanted.store) else { return Tri::No };
        let mut seen = vec![Seen::Public { addr: Addr::SomePublic, azure: true }];
        if service == Service::Storage {
            seen.push(Seen::SameRegion);
        }
        if anywhere {
            let mut addresses = self.internet_addresses(true);
            addresses.extend(self.internet_addresses(false));
            seen.extend(addresses.into_iter().map(|ip| Seen::Public { addr: Addr::Known(ip), azure: false }));
        }
        seen.into_iter().map(|seen| self.admits(wanted, service, seen, Sym::EMPTY).0).max().unwrap_or(Tri::No)
    }

    /// The strangers that rules and connections name: where what they take ends up, who they are, and by what they come.
    fn named_strangers(&self) -> Vec<(End, Sym, By)> {
        let outside = |id: Sym| self.is_outside(id) != Tri::No;
        let mut all = Vec::new();
        for rule in self.subnet_rules.iter().filter(|r| outside(r.subnet)) {
            let parent = rule.subnet.as_str().split_once("/subnets/").map(|(vnet, _)| Sym::new(vnet));
            let vnet = self.vnet_of(rule.subnet).or(parent).filter(|vnet| outside(*vnet));
            all.push((vnet.map_or(End::Unmodelled(rule.subnet), End::Network), rule.subnet, By::Subnet));
        }
        for rule in self.resource_rules.iter().filter(|r| outside(r.resource)) {
            let services = Service::EXTERNAL.into_iter();
            let service = services.into_iter().find(|s| rule.resource.as_str().contains(&format!("/{}/", super::paas::table(*s).0)));
            let nobody = if rule.resource.is_empty() { End::Network(Sym::EMPTY) } else { End::Unmodelled(rule.resource) };
            all.push((service.map_or(nobody, End::External), rule.resource, By::Rule));
        }
        let listed = self.provider_links.iter().map(|row| row.endpoint).chain(self.links.iter().map(|row| row.endpoint));
        all.extend(listed.filter(|id| outside(*id)).map(|id| (End::PrivateEndpoint(id), id, By::Connection)));
        // Of a store whose list of connections nobody exported anybody may be connected (M-03).
        if self.stores.iter().any(|s| !self.connections_are_listed(s.store)) {
            all.push((End::Network(Sym::EMPTY), Sym::EMPTY, By::Unlisted));
        }
        all
    }

    /// Private endpoints that are there and lead nobody knows where (PE-01, M-03).
    pub fn nameless_endpoints(&self) -> BTreeSet<Sym> {
        let there = self.endpoints.iter().map(|e| e.endpoint).chain(self.endpoint_nics.iter().map(|e| e.endpoint));
        let said = |endpoint: Sym| self.links.iter().filter(move |l| l.endpoint == endpoint);
        let open = |link: &PrivateEndpointConnection| !matches!(link.state, Consent::Rejected | Consent::Disconnected);
        let untold = |endpoint: &Sym| {
            let listed = self.provider_links.iter().any(|p| p.endpoint == *endpoint);
            said(*endpoint).any(|l| l.target.is_empty() && open(l)) || said(*endpoint).next().is_none() && !listed
        };
        there.filter(untold).collect()
    }

    /// Whether such a stranger gets what a store holds.
    fn stranger_takes(&self, wanted: Wanted, end: End, id: Sym, by: By) -> Tri {
        let Some(service) = self.service_of(wanted.store) else { return Tri::No };
        let side = self.is_outside(id);
        match (by, end) {
            (By::Connection, _) => self.connected_from_outside(wanted, id).min(side),
            (By::Unlisted, _) => Tri::from_bool(!self.connections_are_listed(wanted.store)).and(Tri::Maybe),
            (By::Rule, _) => {
                let told = self.resources.iter().find(|r| r.id == id).map(|r| r.tenant);
                let rules = self.resource_rules.iter().filter(|r| r.store == wanted.store && r.resource == id);
                let named = rules.map(|rule| match told {
                    _ if rule.tenant.is_empty() || told == Some(Sym::EMPTY) => Tri::Maybe,
                    Some(tenant) if tenant != rule.tenant => Tri::No,
                    _ => Tri::Yes,
                });
                let locked = self.accesses.iter().any(|a| a.store == wanted.store && a.public == PublicAccess::SecuredByPerimeter);
                let side = if id.is_empty() { side.min(Tri::Maybe) } else { side };
                if locked { Tri::No } else { side.min(named.max().unwrap_or(Tri::No)) }
            }
            (By::Subnet, _) if !self.subnet_rules.iter().any(|r| r.store == wanted.store && r.subnet == id) => Tri::No,
            (By::Subnet, _) => {
                // One of the input without a service endpoint gets in once its owner switches one on.
                let off = self.subnets.iter().any(|s| s.subnet == id) && !self.service_endpoints.iter().any(|e| e.subnet == id);
                let admitted = self.admits(wanted, service, Seen::Subnet(id), Sym::EMPTY).0.min(side);
                // One that its network does not have may have been deleted, and the rule with it (SE-25).
                let parent = id.as_str().split_once("/subnets/").map(|(vnet, _)| vnet);
                let known = self.subnets.iter().any(|s| s.subnet == id);
                let off = off || !known && self.vnets.iter().any(|v| Some(v.vnet.as_str()) == parent);
                if off { admitted.min(Tri::Maybe) } else { admitted }
            }
        }
    }

    /// Whether a stranger's private endpoint leads to the store: which part one is for that is not in the input stands in the store's list, else on its other
    /// end (PE-37, PE-02).
    fn connected_from_outside(&self, wanted: Wanted, endpoint: Sym) -> Tri {
        let groups = [wanted.part, Sym::new(&format!("{}_secondary", wanted.part))];
        let own: Vec<_> = self.links.iter().filter(|l| l.endpoint == endpoint && l.target == wanted.store).collect();
        if !own.is_empty() {
            return own.into_iter().filter(|l| groups.contains(&l.group)).map(|l| self.consent(*l)).max().unwrap_or(Tri::No);
        }
        let alone = self.parts.iter().filter(|p| p.store == wanted.store).count() == 1;
        let mut best = Tri::No;
        for row in self.provider_links.iter().filter(|row| row.target == wanted.store && row.endpoint == endpoint) {
            let agreed = match (row.settled, row.state) {
                (true, Consent::Approved) => Tri::Yes,
                (false, _) | (_, Consent::Unknown) => Tri::Maybe,
                _ => Tri::No,
            };
            let named: Vec<Sym> = self.provider_groups.iter().filter(|g| g.connection == row.connection).map(|g| g.group).collect();
            let fits = match named[..] {
                [] if alone => Tri::Yes,
                [] => Tri::Maybe,
                _ if !named.iter().any(|group| groups.contains(group)) => Tri::No,
                [_] => Tri::Yes,
                _ if alone => Tri::Yes,
                _ => Tri::Maybe,
            };
            best = best.max(agreed.min(fits));
        }
        best
    }

    /// Every machine and every endpoint of a store.
    fn all_ends(&self) -> Vec<End> {
        let nics = |m: Sym| self.nic_machines.iter().filter(move |n| n.machine == m).map(|n| n.nic);
        // One of which an interface, or every one, was not exported is there as well.
        let stands = |m: Sym| nics(m).next().is_none() || nics(m).any(|nic| self.is_attached(nic) || self.nic(nic).is_none());
        let listed = self.machines.iter().filter(|m| m.kind != MachineKind::FlexibleScaleSet).map(|m| m.machine);
        let named = self.nic_machines.iter().map(|n| n.machine).filter(|m| nics(*m).any(|nic| self.nic(nic).is_none()));
        let ids: BTreeSet<Sym> = listed.chain(named).filter(|m| stands(*m)).collect();
        let mut all: Vec<End> = ids.into_iter().map(End::Machine).collect();
        all.extend(self.parts.iter().map(|p| End::Store(p.store, p.part, p.instance)));
        // What a service put into a subnet of its own need not be in an export (ADR-09).
        for subnet in self.subnets.iter().filter(|s| self.delegations.iter().any(|d| d.subnet == s.subnet)) {
            let taken = self.devices.iter().any(|d| d.subnet == subnet.subnet);
            let lived_in = self.configs.iter().any(|c| c.subnet == subnet.subnet && self.is_attached(c.nic));
            if !taken && !lived_in && self.is_outside(subnet.subnet) != Tri::Yes {
                all.push(End::Subnet(subnet.subnet));
            }
        }
        all
    }

    /// Whether an end of the input is outside the boundary.
    fn side_of(&self, end: End) -> Tri {
        match end {
            End::Machine(id) | End::Subnet(id) | End::Store(id, ..) => self.is_outside(id),
            _ => Tri::Yes,
        }
    }

    /// Whether a resource lies inside the boundary: it is in the input, and its subscription and tenant are ours.
    pub fn is_inside(&self, id: Sym) -> bool {
        self.is_outside(id) == Tri::No
    }

    /// Whether it lies outside; perhaps, where it is not in the input and its subscription is ours.
    pub fn is_outside(&self, id: Sym) -> Tri {
        let row = self.resources.iter().find(|row| row.id == id);
        let subscription = watertight::model::ids::id_parts(id.as_str()).subscription;
        let stated = self.stores.iter().any(|s| s.store == id)
            || self.machines.iter().any(|m| m.machine == id)
            || self.nic_machines.iter().any(|m| m.machine == id)
            || self.nics.iter().any(|n| n.nic == id)
            || self.vnets.iter().any(|v| v.vnet == id)
            || self.subnets.iter().any(|s| s.subnet == id)
            || self.endpoints.iter().any(|e| e.endpoint == id)
            || self.devices.iter().any(|d| d.device == id);
        let there = row.is_some() || stated;
        let ours = match self.boundary_subscriptions.is_empty() {
            true => there || self.resources.iter().any(|row| row.subscription.as_str() == subscription),
            false => self.boundary_subscriptions.iter().any(|s| s.subscription.as_str() == subscription),
        };
        let tenant = row.map_or(Sym::EMPTY, |row| row.tenant);
        let theirs = !self.boundary_tenants.is_empty() && !tenant.is_empty() && !self.boundary_tenants.iter().any(|t| t.tenant == tenant);
        if !ours || theirs {
            Tri::Yes
        } else if id.as_str().contains("/providers/")
            && (!there || !self.boundary_tenants.is_empty() && tenant.is_empty() && self.boundary_subscriptions.is_empty())
        {
            Tri::Maybe
        } else {
            Tri::No
        }
    }

    /// The best of the adversarial answers over the sample of traffic.
    pub fn best_verdict(&self, from: End, to: End) -> Verdict {
        self.best_over(EITHER, from, to)
    }

    /// The same of some protocols.
    pub fn best_over(&self, over: &[Proto], from: End, to: End) -> Verdict {
        if !self.is_past_unread(from, to) {
            return Verdict::Unproven; // nobody knows what the value would let through (SND-02)
        }
        let mut ports: BTreeSet<(Proto, u16)> = BTreeSet::from([(Proto::Tcp, 443), (Proto::Tcp, 1433), (Proto::Tcp, 80), (Proto::Udp, 53)]);
        for (low, high) in self.nsg_rules.iter().flat_map(|r| r.destination_ports.items()) {
            ports.extend([(Proto::Tcp, low), (Proto::Tcp, high), (Proto::Udp, low)]);
        }
        ports.retain(|(proto, _)| over.contains(proto));
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
        // A private endpoint that nobody could read may be one more way.
        if self.unreads.is_empty() { Verdict::Denied } else { Verdict::Unproven }
    }

    /// Whether no value that could not be read takes a way between the two away: one of a private endpoint is for nobody who is asked for by other addresses.
    fn is_past_unread(&self, from: End, to: End) -> bool {
        let ends = matches!(from, End::Machine(_) | End::Nic(_) | End::Subnet(_) | End::Site(_) | End::Internet(_))
            && matches!(to, End::Machine(_) | End::Nic(_) | End::Subnet(_) | End::Site(_) | End::Internet(None) | End::External(_));
        self.unreads.iter().all(|row| ends && self.endpoints.iter().any(|e| e.endpoint == row.resource))
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
