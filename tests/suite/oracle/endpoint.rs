//! Private endpoints: their addresses, consent, and what happens to a packet that gets to one (PE-01 to PE-38).

use std::net::IpAddr;

use watertight::facts::private_access::{AddressSource, Consent, PrivateEndpointConnection, ProviderConnection};
use watertight::facts::store_facts::{Instance, Service};
use watertight::model::{Proto, Stage, Sym, Tri, Via};

use super::filter::Place;
use super::packet::{Addr, Outcome, Packet, check};
use super::walk::{Origin, Target, Trip, Walk, Wanted};
use super::world::{World, name_of};

impl Walk<'_, '_> {
    /// At a private endpoint: its own limits, the filters of its subnet where they count, consent.
    pub fn arrive_at_endpoint(&self, endpoint: Sym, packet: Packet, trip: &Trip) -> Outcome {
        let world = self.world;
        let wanted = match self.target {
            Target::Endpoint(Some(this), _) if this != endpoint => return Outcome::denied(Stage::Route, "somebody else has the address"),
            Target::Endpoint(_, wanted) => wanted,
            Target::Address | Target::Outside | Target::Server => None,
            _ => return Outcome::denied(Stage::Route, "somebody else has the address"),
        };
        let at_address = world.endpoint_ips(endpoint).into_iter().filter(|&(_, ip)| Addr::Known(ip) == packet.dst);
        let mut links: Vec<PrivateEndpointConnection> = at_address.map(|(link, _)| link).collect();
        if links.is_empty() && self.target == Target::Address && world.has_untold_ip(endpoint) {
            links = world.links.iter().filter(|l| l.endpoint == endpoint).copied().collect(); // it may be for any of them
        }
        let fitting: Vec<&PrivateEndpointConnection> =
            links.iter().filter(|link| wanted.is_none_or(|w| link.target == w.store && link.group == group_of(w))).collect();
        let Some(link) = fitting.iter().max_by_key(|link| world.consent(***link)) else {
            return Outcome::denied(Stage::PrivateEndpoint, name_of(endpoint)); // PE-03, PE-29
        };
        let Some(subnet) = world.endpoints.iter().find(|e| e.endpoint == endpoint).map(|e| e.subnet) else {
            return Outcome::denied(Stage::PrivateEndpoint, name_of(endpoint));
        };
        let place = Place { subnet, nic: None, endpoint: Some(endpoint) };
        let (consent, state) = (world.consent(**link), world.consent_word(**link));
        let beyond = || match world.service_named(link.target) {
            None => Outcome::delivered(Via::PrivateEndpoint),
            Some(service) => self.through_service(service, packet).joined_if_open(Via::PrivateEndpoint),
        };
        let agreed = || check(consent, Stage::Consent, state, "consent", || self.answered_by_endpoint(subnet, trip, beyond));
        let filtered = || match world.endpoint_filtered(endpoint) {
            Tri::No => agreed(),
            Tri::Yes => world.filter_in(place, &packet, agreed),
            Tri::Maybe => {
                let seen = world.filter_in(place, &packet, || Outcome::delivered(Via::PrivateEndpoint));
                let sure = if seen.verdict == watertight::model::Verdict::Allowed { Tri::Yes } else { Tri::Maybe };
                check(sure, Stage::NsgInbound, &seen.rule, "unsure-policy", agreed)
            }
        };
        let placed = if world.stands_elsewhere(endpoint) { Tri::Maybe } else { Tri::Yes };
        let met = || check(placed, Stage::Route, &name_of(endpoint), "W-UNSUPPORTED", filtered);
        check(world.endpoint_passes(link, &packet), Stage::PrivateEndpoint, &name_of(endpoint), "unknown-port", met)
    }

    /// Answers come back by themselves, except past an appliance that did not translate (PE-27).
    fn answered_by_endpoint(&self, subnet: Sym, trip: &Trip, done: impl FnOnce() -> Outcome) -> Outcome {
        let world = self.world;
        let Some(last) = trip.passed.last().filter(|_| self.session) else { return done() };
        if last.translated {
            let shows = world.vnet_of(subnet).and_then(|vnet| world.space(vnet).first().map(|prefix| Addr::Known(prefix.network())));
            return self.with_return_of(shows.unwrap_or(Addr::SomePublic), trip, done);
        }
        let room = world.vnet_of(last.subnet);
        let failing = match self.origin {
            Origin::Network(vnet) => room == Some(vnet),
            Origin::Site(_) => room == world.vnet_of(subnet),
            Origin::Internet => true,
        };
        check(if failing { Tri::Maybe } else { Tri::Yes }, Stage::Route, "way back", "NVA_ASYM", done)
    }
}

/// The sub-resource of a store's endpoint: the second copy has its own (PE-04).
pub fn group_of(wanted: Wanted) -> Sym {
    let part = super::paas::main_part(wanted.part);
    match wanted.instance {
        Instance::Primary => part,
        Instance::Secondary => Sym::new(&format!("{part}_secondary")),
    }
}

impl World<'_> {
    /// The addresses of an endpoint, each with the connection it is for (PE-06): the interface's, else those written on the endpoint.
    pub fn endpoint_ips(&self, endpoint: Sym) -> Vec<(PrivateEndpointConnection, IpAddr)> {
        let mut found: Vec<(Sym, IpAddr)> = Vec::new();
        for nic in self.endpoint_nics.iter().filter(|n| n.endpoint == endpoint) {
            for config in self.configs.iter().filter(|c| c.nic == nic.nic) {
                let group = self.config_links.iter().find(|l| l.ip_config == config.ip_config).map_or(Sym::EMPTY, |l| l.group);
                found.extend(self.addresses_of(config.ip_config).into_iter().map(|ip| (group, ip)));
            }
        }
        for source in [AddressSource::CustomDns, AddressSource::Static] {
            if found.is_empty() {
                let rows = self.endpoint_addresses.iter().filter(|a| a.endpoint == endpoint && a.source == source);
                found.extend(rows.map(|a| (a.group, a.address)));
            }
        }
        found.sort();
        found.dedup();
        let links: Vec<_> = self.links.iter().filter(|l| l.endpoint == endpoint).collect();
        let mut all = Vec::new();
        for (group, ip) in found {
            let vague = |l: &PrivateEndpointConnection| self.vague.contains(&(l.connection, l.group));
            all.extend(links.iter().filter(|l| group.is_empty() || l.group == group || vague(l)).map(|l| (**l, ip)));
        }
        all
    }

    /// Whether nobody exported an address of the endpoint: its interface has more configurations than addresses are known (PE-06, ADR-06).
    pub fn has_untold_ip(&self, endpoint: Sym) -> bool {
        let nics: Vec<Sym> = self.endpoint_nics.iter().filter(|n| n.endpoint == endpoint).map(|n| n.nic).collect();
        let configs = self.configs.iter().filter(|c| nics.contains(&c.nic)).count();
        let mut known: Vec<IpAddr> = self.endpoint_ips(endpoint).into_iter().map(|(_, ip)| ip).collect();
        known.sort();
        known.dedup();
        known.is_empty() || known.len() < configs
    }

    /// What every visible view says about consent, the worst of them (PE-10, PE-11).
    pub fn consent(&self, link: PrivateEndpointConnection) -> Tri {
        let mut all = view(link.state, link.settled);
        if self.vague.contains(&(link.connection, link.group)) {
            all = all.and(Tri::Maybe);
        }
        // An entry that names no endpoint may be this one's.
        let nameless: Vec<_> = self.provider_links.iter().filter(|p| p.target == link.target && p.endpoint.is_empty()).collect();
        let none = !self.provider_links.iter().any(|p| p.target == link.target && p.endpoint == link.endpoint);
        if link.state == Consent::Requested && none && nameless.is_empty() {
            return self.becomes_of(link);
        }
        let rows: Vec<_> = self.provider_links.iter().filter(|p| p.target == link.target && p.endpoint == link.endpoint).collect();
        let theirs: Vec<Tri> = rows.iter().map(|row| view(row.state, row.settled)).collect();
        // Entries that disagree: one is left from an earlier endpoint of that name, nobody says which.
        if theirs.iter().any(|tri| *tri != theirs[0]) {
            all = all.and(Tri::Maybe);
        } else if let Some(tri) = theirs.first() {
            all = all.and(*tri);
        }
        let in_input = self.provider_links.iter().any(|p| p.target == link.target)
            || self.stores.iter().any(|s| s.store == link.target)
            || self.resources.iter().any(|r| r.id == link.target);
        if rows.is_empty() && in_input {
            // The owner's list says there is no such connection, or nobody exported the list (decision 8).
            let admits = nameless.iter().any(|p| view(p.state, p.settled).hi());
            all = all.and(if self.provider_side_is_listed(link.target) && !admits { Tri::No } else { Tri::Maybe });
        } else if !rows.is_empty() && nameless.iter().any(|p| view(p.state, p.settled) != theirs[0]) {
            all = all.and(Tri::Maybe);
        }
        all
    }

    /// Whether an entry without an endpoint may be the one that an endpoint of the input lacks, where that one's own side has not been told of an approval.
    pub fn may_be_of_one_that_waits(&self, entry: &ProviderConnection) -> bool {
        if !entry.endpoint.is_empty() {
            return false;
        }
        let named: Vec<Sym> = self.provider_groups.iter().filter(|g| g.connection == entry.connection).map(|g| g.group).collect();
        self.links.iter().filter(|l| l.target == entry.target && view(l.state, l.settled) != Tri::Yes).any(|link| {
            let lacks = !self.provider_links.iter().any(|p| p.target == link.target && p.endpoint == link.endpoint);
            lacks && (named.is_empty() || link.group.is_empty() || named.contains(&link.group))
        })
    }

    /// What a request that nobody has answered comes to (PE-12, PE-13, PLS-07, PLS-08).
    fn becomes_of(&self, link: PrivateEndpointConnection) -> Tri {
        let subscription = |id: Sym| watertight::model::ids::id_parts(id.as_str()).subscription.to_owned();
        let tenant = |id: Sym| self.resources.iter().find(|r| r.id == id).map(|r| r.tenant).filter(|t| !t.is_empty());
        let asker = subscription(link.endpoint);
        let owner = match (tenant(link.endpoint), tenant(link.target)) {
            _ if link.manual => Tri::No,
            (Some(a), Some(b)) => Tri::from_bool(a == b),
            _ if asker == subscription(link.target) => Tri::Yes,
            _ => Tri::Maybe,
        };
        let is_meant = |word: Sym| word.as_str() == "*" || word.as_str() == asker;
        let sees = self.service_visible.iter().any(|v| v.service == link.target && is_meant(v.subscription));
        let at_once = self.service_approvals.iter().any(|a| a.service == link.target && is_meant(a.subscription));
        let outcome = owner.max(Tri::from_bool(sees && at_once));
        if link.settled { outcome } else { outcome.min(Tri::Maybe) }
    }

    /// The list of the target itself: lists of other resources say nothing about a connection that its own endpoint knows.
    fn provider_side_is_listed(&self, target: Sym) -> bool {
        let resource = self.resources.iter().find(|r| r.id == target).map(|r| r.kind.as_str().to_owned());
        let store = self.service_of(target).map(|service| super::paas::table(service).0);
        let child = resource.or(store.map(str::to_owned)).map(|kind| format!("{kind}/privateendpointconnections"));
        self.legible_links().any(|p| p.target == target) || child.is_some_and(|child| self.children_are_listed(target, &child))
    }

    /// Whether the connections of a store, or of another of its kind, were exported at all (decision 8).
    pub fn connections_are_listed(&self, store: Sym) -> bool {
        let alike = |other: Sym| self.service_of(other).is_some() && self.service_of(other) == self.service_of(store);
        self.provider_side_is_listed(store) || self.legible_links().any(|p| alike(p.target))
    }

    /// The entries of such lists; a row that tells neither whose it is nor how it stands is none (SND-02).
    pub fn legible_links(&self) -> impl Iterator<Item = &ProviderConnection> {
        self.provider_links.iter().filter(|p| !(p.endpoint.is_empty() && p.state == Consent::Unknown))
    }

    /// The word for the reason.
    fn consent_word(&self, link: PrivateEndpointConnection) -> &'static str {
        let provider = self.provider_links.iter().filter(|p| p.target == link.target && p.endpoint == link.endpoint);
        provider.map(|p| p.state).chain([link.state]).find(|s| *s != Consent::Approved).unwrap_or(Consent::Disconnected).as_str()
    }

    /// Whether one of the connections carries such a packet, whatever the address (PE-17).
    pub fn answers_at_all(&self, endpoint: Sym, packet: &Packet) -> bool {
        self.links.iter().filter(|l| l.endpoint == endpoint).any(|l| self.endpoint_passes(l, packet).hi())
    }

    /// Whether what a connection leads to answers such a packet (PE-17).
    pub fn answers_behind(&self, link: &PrivateEndpointConnection, packet: &Packet) -> Tri {
        self.endpoint_passes(link, packet)
    }

    /// Whether an endpoint carries such a packet at all (PE-17).
    fn endpoint_passes(&self, link: &PrivateEndpointConnection, packet: &Packet) -> Tri {
        if !packet.proto.has_ports() {
            return Tri::No;
        }
        if self.service_named(link.target).is_some() {
            return Tri::Yes; // PLS-13: TCP and UDP
        }
        let ports = self.ports_of(link.target, link.group);
        if ports.is_empty() {
            return Tri::Maybe; // a Private Link service, or a group nobody knows the ports of
        }
        if packet.proto != Proto::Tcp {
            return Tri::No;
        }
        let stranger = self.service_of(link.target).is_none() && link.target.as_str().contains("/microsoft.documentdb/databaseaccounts/");
        let cosmos = link.group.as_str() == "sql" && (stranger || self.service_of(link.target) == Some(Service::Cosmos));
        let redirected = cosmos || (link.group.as_str() == "sqlserver" && packet.dport >= 1433); // SQL-12
        let known = Tri::from_bool(ports.contains(&packet.dport)).or(self.extra_port(link.group, link.target, packet.dport));
        known.or(if redirected { Tri::Maybe } else { Tri::No })
    }
}

fn view(state: Consent, settled: bool) -> Tri {
    match state {
        _ if !settled => Tri::Maybe,
        Consent::Approved => Tri::Yes,
        Consent::Unknown | Consent::Requested => Tri::Maybe,
        Consent::Pending | Consent::Rejected | Consent::Disconnected => Tri::No,
    }
}
