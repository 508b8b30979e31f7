//! Names: which server is asked, and what it answers (DNS-01 to DNS-35).

use std::collections::BTreeSet;
use std::net::IpAddr;

use watertight::facts::private_access::{RecordType, ZoneRecord};
use watertight::facts::store_facts::{Service, StorePart};
use watertight::model::{Proto, Sym, Tri, Verdict};

use super::endpoint::group_of;
use super::filter::Place;
use super::paas::main_part;
use super::packet::{Addr, Outcome, Packet};
use super::walk::{Origin, Target, Trip, Walk, Wanted};
use super::world::World;

/// What a name resolves to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The public front end of the store whose name it is, or of somebody nobody exported.
    Public(Option<Wanted>),
    Addresses(Vec<IpAddr>),
    /// `nxdomain`, `nodata`, `servfail`.
    Nothing(&'static str),
    Unknown(&'static str),
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// A machine in a subnet, with its interface if it has one.
    Inside {
        place: Place,
        config: Option<Sym>,
        ip: IpAddr,
    },
    Site(Sym),
    Internet,
}

/// Servers that know nothing of private zones (DNS-20).
const PUBLIC_RESOLVERS: [&str; 8] =
    ["8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "149.112.112.112", "208.67.222.222", "208.67.220.220"];

/// The first labels of a front end's name.
const SOMETHING: &str = "(something).";

impl World<'_> {
    /// Resolves a name in somebody's view.
    pub fn resolve(&self, view: View, name: &str) -> Answer {
        if let Some(own) = self.hosts_file(view, name) {
            return own;
        }
        match view {
            View::Internet => self.public_only(name),
            View::Site(site) => self.resolve_at_site(site, name),
            View::Inside { place, config, ip } => {
                let nic = place.nic;
                let Some(vnet) = self.vnet_of(place.subnet) else { return Answer::Unknown("network") };
                let mut servers: Vec<(u16, IpAddr)> =
                    self.nic_dns.iter().filter(|d| Some(d.nic) == nic).map(|d| (d.position, d.server)).collect();
                if servers.is_empty() {
                    servers = self.vnet_dns.iter().filter(|d| d.vnet == vnet).map(|d| (d.position, d.server)).collect();
                }
                if servers.is_empty() && !self.has_vnet(vnet) {
                    return Answer::Unknown("network");
                }
                servers.sort();
                if servers.is_empty() {
                    servers.push((0, IpAddr::from([168, 63, 129, 16])));
                }
                let query = Packet { src: Addr::Known(ip), src_config: config, ..a_query() };
                first_answer(servers.iter().map(|(_, server)| self.ask_from(place, vnet, query, *server, name)).collect())
            }
        }
    }

    /// What a client knows without asking (DNS-06).
    fn hosts_file(&self, view: View, name: &str) -> Option<Answer> {
        let mut places = Vec::new();
        match view {
            View::Internet => {}
            View::Site(site) => places.push(site),
            View::Inside { place, .. } => {
                places.extend(place.nic);
                places.extend(self.nic_machines.iter().filter(|row| Some(row.nic) == place.nic).map(|row| row.machine));
                places.extend(self.vnet_of(place.subnet));
            }
        }
        for place in places {
            let rows = self.local_records.iter().filter(|row| row.at == place && row.name.as_str().eq_ignore_ascii_case(name));
            let addresses: Vec<IpAddr> = rows.map(|row| row.address).collect();
            if !addresses.is_empty() {
                return Some(Answer::Addresses(addresses));
            }
        }
        None
    }

    /// Asks a configured server, if the client can get to it (DNS-05, decision 4).
    fn ask_from(&self, place: Place, vnet: Sym, query: Packet, server: IpAddr, name: &str) -> Answer {
        if server.is_unspecified() {
            return Answer::Unknown("unread-server");
        }
        let platform = server.to_string() == "168.63.129.16";
        let modelled = platform || self.vnet_prefixes.iter().any(|p| p.prefix.contains(&server));
        let passes = |proto: Proto| {
            let packet = Packet { dst: Addr::Known(server), proto, ..query };
            if platform {
                let groups = self.groups_at(place).into_iter();
                return groups.map(|group| self.rules_naming(group, "azureplatformdns", place, &packet).0).min().unwrap_or(Tri::Yes);
            }
            if matches!(packet.src, Addr::Known(ip) if ip.is_ipv4() != server.is_ipv4()) {
                return Tri::Maybe;
            }
            let walk = Walk { world: self, target: Target::Server, origin: Origin::Network(vnet), session: false };
            arrives(&walk.send(place, packet, &Trip::default()))
        };
        match (passes(Proto::Udp), passes(Proto::Tcp)) {
            (Tri::Yes, _) if platform => self.azure(vnet, name, 0),
            (Tri::Yes, _) => self.ask(server, name, 0),
            (Tri::No, Tri::No) if modelled => Answer::Nothing("servfail"),
            _ => Answer::Unknown("query"),
        }
    }

    /// What a server answers that is not Azure's own (DNS-20).
    pub fn ask(&self, server: IpAddr, name: &str, depth: u8) -> Answer {
        if depth > 16 {
            return Answer::Nothing("servfail");
        }
        let own: Vec<IpAddr> = self
            .dns_server_records
            .iter()
            .filter(|r| r.server == server && r.name.as_str().eq_ignore_ascii_case(name))
            .map(|r| r.address)
            .collect();
        if !own.is_empty() {
            return Answer::Addresses(own);
        }
        if let Some(row) = self.dns_servers.iter().find(|d| d.address == server) {
            let forwarded = match row.forwards.as_str() {
                "azure-dns" if !row.at.is_empty() => self.azure(row.at, name, depth + 1),
                "internet" => self.public_only(name),
                other => match other.parse::<IpAddr>() {
                    Ok(next) => self.ask(next, name, depth + 1),
                    Err(_) => Answer::Unknown("custom-dns"),
                },
            };
            // It may go on from the alias by itself, with the record that it has of that (DNS-21).
            let alias = self.private_name(name).filter(|_| self.has_alias(name) != Tri::No);
            let holds = |alias: &String| self.dns_server_records.iter().any(|r| r.server == server && r.name.as_str() == alias);
            return if alias.as_ref().is_some_and(holds) { Answer::Unknown("alias") } else { forwarded };
        }
        if let Some(inbound) = self.inbounds.iter().find(|row| row.address == server) {
            // It answers with what its own network sees (DNS-33).
            let vnet = self.resolvers.iter().find(|row| row.resolver == inbound.resolver).map(|row| row.vnet);
            let vnet = vnet.or_else(|| self.vnet_of(inbound.subnet));
            return match vnet {
                Some(vnet) if inbound.settled => self.azure(vnet, name, depth + 1),
                _ => Answer::Unknown("inbound"),
            };
        }
        if let Some(answer) = self.ask_firewall(server, name) {
            return answer;
        }
        if PUBLIC_RESOLVERS.iter().any(|p| *p == server.to_string()) { self.public_only(name) } else { Answer::Unknown("custom-dns") }
    }

    /// Where rulesets send a name of the network: the longest rule (DNS-08, DNS-18, DNS-19). `None` where none applies.
    fn by_rules(&self, vnet: Sym, name: &str, alias: bool, depth: u8) -> Option<Answer> {
        let listed = |kind: &str| {
            let kind = Sym::new(kind);
            self.complete_types.iter().any(|c| c.kind == kind) || self.resources.iter().any(|r| r.kind == kind)
        };
        // Rulesets whose links nobody exported may be linked here.
        let links_known = !self.ruleset_links.is_empty() || listed("microsoft.network/dnsforwardingrulesets/virtualnetworklinks");
        let links = || self.ruleset_links.iter().filter(|link| link.usable);
        let surely: Vec<Sym> = links().filter(|link| link.vnet == vnet).map(|link| link.ruleset).collect();
        let mut linked: Vec<Sym> = if links_known {
            // A link that names no network may be to this one.
            links().filter(|link| link.vnet == vnet || link.vnet.is_empty()).map(|link| link.ruleset).collect()
        } else {
            self.rulesets.iter().map(|row| row.ruleset).collect()
        };
        // So may be one of which there is nothing but rules: it was not exported, whatever was of others.
        let there = |ruleset: Sym| self.rulesets.iter().any(|row| row.ruleset == ruleset);
        let states = |kind: &str| self.complete_types.iter().any(|c| c.kind.as_str() == kind);
        if !states("microsoft.network/dnsforwardingrulesets/virtualnetworklinks") {
            let without = |ruleset: &Sym| !there(*ruleset) && !self.ruleset_links.iter().any(|link| link.ruleset == *ruleset);
            linked.extend(self.rules.iter().map(|rule| rule.ruleset).filter(without));
        }
        let has_rules = |ruleset: Sym| self.rules.iter().any(|rule| rule.ruleset == ruleset);
        let told = states("microsoft.network/dnsforwardingrulesets/forwardingrules");
        if !told && linked.iter().any(|ruleset| !there(*ruleset) && !has_rules(*ruleset)) {
            return Some(Answer::Unknown("rules"));
        }
        if linked.iter().any(|ruleset| self.is_unread(*ruleset)) {
            return Some(Answer::Unknown("unread"));
        }
        if !linked.is_empty() && self.rules.is_empty() && !listed("microsoft.network/dnsforwardingrulesets/forwardingrules") {
            return Some(Answer::Unknown("rules"));
        }
        let of_azure =
            ["windows.net", "azure.net", "azure.com", "azurewebsites.net", "azurecr.io"].iter().any(|suffix| under(name, suffix));
        let fits = |domain: &str| if domain.is_empty() { !of_azure } else { under(name, domain) };
        let region = |id: Sym| self.rulesets.iter().find(|row| row.ruleset == id).map_or(Sym::EMPTY, |row| row.location);
        let near = |id: Sym| region(id).is_empty() || self.vnet_region(vnet).is_empty() || region(id) == self.vnet_region(vnet);
        let mut all: Vec<_> = self.rules.iter().filter(|rule| linked.contains(&rule.ruleset) && rule.enabled != Tri::No).collect();
        all.retain(|rule| fits(rule.domain.as_str()));
        if all.is_empty() {
            return None;
        }
        let length = |rule: &watertight::facts::dns::ForwardingRule| rule.domain.as_str().len();
        let certain = all
            .iter()
            .filter(|rule| links_known && surely.contains(&rule.ruleset) && rule.enabled == Tri::Yes && near(rule.ruleset))
            .map(|rule| length(rule))
            .max();
        all.retain(|rule| certain.is_none_or(|certain| length(rule) >= certain));
        let mut answers: Vec<Answer> = Vec::new();
        for rule in all {
            let target = self.rule_targets.iter().filter(|target| target.rule == rule.rule).min_by_key(|target| target.position);
            answers.push(match target {
                Some(target) if target.port == 53 && target.server.to_string() != "168.63.129.16" => {
                    self.ask(target.server, name, depth + 1)
                }
                _ => Answer::Unknown("target"),
            });
        }
        // Whether any applies is not known: only what public DNS says too is sure (DNS-23).
        if alias || certain.is_none() {
            answers.push(self.public_step(vnet, name, depth));
        }
        let first = answers.remove(0);
        Some(if answers.iter().all(|answer| *answer == first) { first } else { Answer::Unknown("rule") })
    }

    /// A site's own view: the longest conditional forwarder, else the internet (DNS-21, DNS-26).
    fn resolve_at_site(&self, site: Sym, name: &str) -> Answer {
        let forwarder = |name: &str| {
            let here = self.forwarders.iter().filter(|f| self.same_site(f.site, site) && under(name, f.suffix.as_str()));
            here.max_by_key(|f| f.suffix.as_str().len()).copied()
        };
        if let Some(f) = forwarder(name) {
            return self.ask_from_site(site, f.server, name);
        }
        if let Some(alias) = self.private_name(name).filter(|_| self.has_alias(name) != Tri::No)
            && let Some(f) = forwarder(&alias)
            && f.chases_cname != Tri::No
        {
            let private = self.ask_from_site(site, f.server, &alias);
            let sure = self.has_alias(name) == Tri::Yes && f.chases_cname == Tri::Yes;
            return if sure || matches!(private, Answer::Public(_)) { private } else { Answer::Unknown("alias") };
        }
        let front = self.public_only(name);
        let of_store = self.is_front(name);
        if let Some(led) = front_ends_of(name).filter(|_| of_store)
            && let Some(f) = forwarder(&led)
            && f.chases_cname != Tri::No
        {
            let there = self.ask_from_site(site, f.server, &led);
            return match there {
                Answer::Public(_) => front,
                there if f.chases_cname == Tri::Yes => there,
                _ => Answer::Unknown("alias"),
            };
        }
        front
    }

    /// A site's own servers ask another one: inside the networks, as far as a gateway leads there; elsewhere nobody tells of the way.
    fn ask_from_site(&self, site: Sym, server: IpAddr, name: &str) -> Answer {
        if !self.vnet_prefixes.iter().any(|p| p.prefix.contains(&server)) {
            return self.ask(server, name, 0);
        }
        let walk = Walk { world: self, target: Target::Server, origin: Origin::Site(site), session: false };
        let connected = self.connections.iter().any(|c| self.ends_at(c, site)) || self.client_pools.iter().any(|p| p.gateway == site);
        let from_some = |proto: Proto| {
            let sources: Vec<IpAddr> =
                self.representatives_of(&self.site_space(site)).into_iter().filter(|ip| ip.is_ipv4() == server.is_ipv4()).collect();
            if connected && sources.is_empty() {
                return Tri::Maybe;
            }
            let sent = sources.into_iter().map(|ip| {
                let packet = Packet { src: Addr::Known(ip), dst: Addr::Known(server), proto, ..a_query() };
                arrives(&walk.enter_by_gateway(site, packet))
            });
            sent.max().unwrap_or(Tri::No)
        };
        match (from_some(Proto::Udp), from_some(Proto::Tcp)) {
            (Tri::Yes, _) => self.ask(server, name, 0),
            (Tri::No, Tri::No) => Answer::Nothing("servfail"),
            _ => Answer::Unknown("query"),
        }
    }

    /// Azure's resolver in the context of a network (section 2.2).
    pub fn azure(&self, vnet: Sym, name: &str, depth: u8) -> Answer {
        self.azure_for(vnet, name, false, depth)
    }

    /// The same for a name that perhaps only a public alias led to.
    fn azure_for(&self, vnet: Sym, name: &str, alias: bool, depth: u8) -> Answer {
        if depth > 16 {
            return Answer::Nothing("servfail");
        }
        if self.clouds.iter().any(|cloud| cloud.vnet == vnet && cloud.what.as_str() == "names") {
            return Answer::Unknown("policy");
        }
        // A zone that was not exported has the name that its id ends with.
        let called = |zone: Sym| match self.zones.iter().find(|z| z.zone == zone) {
            Some(row) => row.name.as_str(),
            None => zone.as_str().rsplit('/').next().unwrap_or(""),
        };
        let usable = || self.zone_links.iter().filter(|l| l.usable).map(|l| (*l, called(l.zone)));
        // What nobody exported is there all the same where an endpoint writes into it or a record of it was exported; so may be its link to this network (M-03).
        let no_links = |zone: Sym| {
            let kind = Sym::new("microsoft.network/privatednszones/virtualnetworklinks");
            let stated = self.complete_types.iter().any(|c| c.kind == kind)
                || self.child_types.iter().any(|row| row.parent == zone && row.kind == kind);
            !stated && !self.zone_links.iter().any(|link| link.zone == zone)
        };
        let rowless = |zone: &Sym| !self.zones.iter().any(|z| z.zone == *zone) && !self.public_zones.iter().any(|z| z.zone == *zone);
        let referred = self.zone_records.iter().map(|r| r.zone).chain(self.zone_groups.iter().map(|g| g.zone));
        let mut perhaps_linked: Vec<&str> = referred.filter(rowless).filter(|zone| no_links(*zone)).map(called).collect();
        // Azure counts links that nobody exported.
        for size in &self.zone_sizes {
            let told: BTreeSet<Sym> = self.zone_links.iter().filter(|link| link.zone == size.zone).map(|link| link.link).collect();
            if told.len() < size.links as usize {
                perhaps_linked.push(called(size.zone));
            }
        }
        if let Some(suffix) = name.strip_prefix(SOMETHING) {
            // A zone for some of the names of front ends: whether for this one, nobody knows.
            let for_some = |zone: &str| under(zone, suffix) && zone != suffix && !zone.starts_with("privatelink.");
            let in_link = usable().any(|(l, zone)| (l.vnet == vnet || l.vnet.is_empty()) && for_some(zone));
            if in_link || perhaps_linked.iter().any(|zone| for_some(zone)) {
                return Answer::Unknown("front-ends");
            }
        }
        // A link that names no network may be to this one.
        let named = usable().filter(|(l, _)| l.vnet == vnet).collect::<Vec<_>>();
        let most = named.iter().map(|(_, zone)| zone).filter(|zone| under(name, zone)).map(|zone| zone.len()).max().unwrap_or(0);
        let mut perhaps = usable().filter(|(l, _)| l.vnet.is_empty() && !named.iter().any(|(other, _)| other.zone == l.zone));
        if perhaps.any(|(_, zone)| under(name, zone) && zone.len() >= most) {
            return Answer::Unknown("links");
        }
        if perhaps_linked.iter().any(|zone| under(name, zone) && zone.len() > most) {
            return Answer::Unknown("links");
        }
        let linked: Vec<(Sym, &str, bool)> =
            named.into_iter().map(|(l, zone)| (l.zone, zone, l.redirect)).filter(|(_, zone, _)| under(name, zone)).collect();
        let longest = linked.iter().map(|(_, zone, _)| zone.len()).max();
        let zones: Vec<_> = linked.into_iter().filter(|(_, zone, _)| Some(zone.len()) == longest).collect();
        let Some((_, zone_name, _)) = zones.first().copied() else {
            let kind = Sym::new("microsoft.network/privatednszones/virtualnetworklinks");
            let exported = !self.zone_links.is_empty()
                || self.complete_types.iter().any(|c| c.kind == kind)
                || self.resources.iter().any(|r| r.kind == kind);
            if !exported && self.zones.iter().any(|z| under(name, z.name.as_str())) {
                return Answer::Unknown("links"); // it may be linked here (M-03)
            }
            return self.by_rules(vnet, name, alias, depth).unwrap_or_else(|| self.public_step(vnet, name, depth));
        };
        let relative = name.strip_suffix(zone_name).map_or("@", |left| left.trim_end_matches('.'));
        let relative = if relative.is_empty() { "@" } else { relative };
        // Of two zones of one name that say different things one is not in force, and nobody knows which (DNS-12).
        let mut each: Vec<Answer> = Vec::new();
        for (zone, _, redirect) in &zones {
            let leads =
                |r: &watertight::facts::private_access::ZoneRecord| matches!(r.kind, RecordType::A | RecordType::Aaaa | RecordType::Cname);
            let of_another = |r: &watertight::facts::private_access::ZoneRecord| r.name.as_str() != "@" && r.name.as_str() != "*";
            if name.starts_with(SOMETHING) && self.zone_records.iter().any(|r| r.zone == *zone && leads(r) && of_another(r)) {
                each.push(Answer::Unknown("front-end"));
                continue;
            }
            each.push(match self.in_zone(vnet, *zone, zone_name, relative, depth) {
                Some(answer) => answer,
                None if !self.zone_is_listed(*zone) => Answer::Unknown("records"),
                None if *redirect && zone_name.contains("privatelink") => self.public_only(name),
                None => Answer::Nothing("nxdomain"),
            });
        }
        each.dedup();
        match each.pop() {
            Some(answer) if each.is_empty() => answer,
            _ => Answer::Unknown("zones"),
        }
    }

    /// What one zone says: exact name, else the closest wildcard; `None` where it has no such name.
    fn in_zone(&self, vnet: Sym, zone: Sym, zone_name: &str, relative: &str, depth: u8) -> Option<Answer> {
        let said = |label: &str| -> Option<Answer> {
            let rows: Vec<_> = self.zone_records.iter().filter(|r| r.zone == zone && r.name.as_str() == label).collect();
            let addresses: Vec<IpAddr> = rows
                .iter()
                .filter(|r| matches!(r.kind, RecordType::A | RecordType::Aaaa))
                .filter_map(|r| r.value.as_str().parse().ok())
                .collect();
            if !addresses.is_empty() {
                return Some(Answer::Addresses(addresses));
            }
            if rows.iter().any(|r| matches!(r.kind, RecordType::A | RecordType::Aaaa)) {
                return Some(Answer::Unknown("record"));
            }
            if let Some(alias) = rows.iter().find(|r| r.kind == RecordType::Cname) {
                return Some(self.azure(vnet, alias.value.as_str().trim_end_matches('.'), depth + 1));
            }
            let child = format!(".{label}");
            let has_child = self.zone_records.iter().any(|r| r.zone == zone && r.name.as_str().ends_with(&child));
            (!rows.is_empty() || has_child).then_some(Answer::Nothing("nodata"))
        };
        let of_zone = |r: &&ZoneRecord| r.zone == zone;
        let settled =
            |r: &ZoneRecord| r.name.as_str() == relative && matches!(r.kind, RecordType::A | RecordType::Aaaa | RecordType::Cname);
        if self.counts_more_records(zone) && !self.zone_records.iter().filter(of_zone).any(settled) {
            let kept = self.kept_by_group(zone, zone_name, relative);
            return Some(kept.map_or(Answer::Unknown("count"), Answer::Addresses));
        }
        if let Some(answer) = said(relative) {
            return Some(answer);
        }
        if !self.zone_is_listed(zone)
            && let Some(addresses) = self.kept_by_group(zone, zone_name, relative)
        {
            return Some(Answer::Addresses(addresses));
        }
        // The closest encloser is the longest existing tail of the name; only its wildcard counts.
        let mut tail = relative;
        while let Some((_, rest)) = tail.split_once('.') {
            if said(rest).is_some() {
                return said(&format!("*.{rest}"));
            }
            tail = rest;
        }
        if relative == "@" { None } else { said("*") }
    }

    /// Whether Azure counts record sets of the zone that nobody exported, besides the one that describes the zone.
    fn counts_more_records(&self, zone: Sym) -> bool {
        let mut told: BTreeSet<Sym> = self.zone_records.iter().filter(|r| r.zone == zone).map(|r| r.record).collect();
        if !self.zone_records.iter().any(|r| r.zone == zone && r.kind == RecordType::Soa) {
            told.insert(Sym::new("(soa)"));
        }
        let public = self.public_zones.iter().any(|z| z.zone == zone);
        if public && !self.zone_records.iter().any(|r| r.zone == zone && r.kind == RecordType::Ns && r.name.as_str() == "@") {
            told.insert(Sym::new("(ns)"));
        }
        self.zone_sizes.iter().any(|size| size.zone == zone && size.records as usize > told.len())
    }

    /// Records that a zone group keeps, where the zone's own were not exported (DNS-17).
    fn kept_by_group(&self, zone: Sym, zone_name: &str, relative: &str) -> Option<Vec<IpAddr>> {
        let mut addresses = Vec::new();
        for group in self.zone_groups.iter().filter(|g| g.zone == zone) {
            for (link, ip) in self.endpoint_ips(group.endpoint) {
                for part in self.parts.iter().filter(|p| p.store == link.target) {
                    let wanted = Wanted { store: part.store, part: part.part, instance: part.instance };
                    let private = self.private_name(part.host.as_str());
                    if group_of(wanted) == link.group && private.as_deref() == Some(&format!("{relative}.{zone_name}")) {
                        addresses.push(ip);
                    }
                }
            }
        }
        (!addresses.is_empty()).then_some(addresses)
    }

    /// Whether absence from the zone means that there is no such record (decision 8).
    fn zone_is_listed(&self, zone: Sym) -> bool {
        let private = |zone: Sym| !self.public_zones.iter().any(|z| z.zone == zone) && !zone.as_str().contains("/dnszones/");
        self.zone_records.iter().any(|r| r.zone == zone && r.kind == RecordType::Soa)
            || self.zones.iter().any(|z| z.zone == zone) && self.zone_records.iter().any(|r| r.kind == RecordType::A && private(r.zone))
            || self.children_are_listed(zone, "microsoft.network/privatednszones/a")
    }

    /// The public answer, followed in the network's own view (DNS-14, DNS-15).
    fn public_step(&self, vnet: Sym, name: &str, depth: u8) -> Answer {
        if name.starts_with(SOMETHING) {
            return Answer::Public(None);
        }
        if !self.is_front(name) {
            return self.in_public_zone(name, &|target| self.azure_for(vnet, target, true, depth + 1));
        }
        let Some(alias) = self.private_name(name) else { return self.past_front(vnet, name, depth) };
        match self.has_alias(name) {
            Tri::No => self.past_front(vnet, name, depth),
            Tri::Yes => self.azure_for(vnet, &alias, true, depth + 1),
            Tri::Maybe => match self.azure_for(vnet, &alias, true, depth + 1) {
                Answer::Public(_) => self.at_front(name),
                behind if behind == self.past_front(vnet, name, depth) => behind,
                _ => Answer::Unknown("alias"),
            },
        }
    }

    /// The public name leads on to the name of a front end, which the network asks for like any other (DNS-15). Its first labels stand nowhere.
    fn past_front(&self, vnet: Sym, name: &str, depth: u8) -> Answer {
        let front = self.at_front(name);
        match front_ends_of(name).map(|led| self.azure_for(vnet, &led, true, depth + 1)) {
            None | Some(Answer::Public(_)) => front,
            Some(other) => other,
        }
    }

    /// What anybody outside is told.
    fn public_only(&self, name: &str) -> Answer {
        if name.starts_with(SOMETHING) {
            return Answer::Public(None);
        }
        if self.is_front(name) || is_foreign(name) {
            self.at_front(name)
        } else {
            self.in_public_zone(name, &|target| self.public_only(target))
        }
    }

    /// What the public zone of the input with the longest fitting name says (DNS-34).
    fn in_public_zone(&self, name: &str, follow: &dyn Fn(&str) -> Answer) -> Answer {
        let zones = self.public_zones.iter().filter(|z| under(name, z.name.as_str()));
        let Some(zone) = zones.max_by_key(|z| z.name.as_str().len()) else {
            return if is_foreign(name) { self.at_front(name) } else { Answer::Unknown("name") };
        };
        let relative = name.strip_suffix(zone.name.as_str()).unwrap_or("").trim_end_matches('.');
        let rows: Vec<_> = self.zone_records.iter().filter(|r| r.zone == zone.zone && r.name.as_str() == relative).collect();
        let mut addresses: Vec<IpAddr> = rows.iter().filter_map(|r| r.value.as_str().parse().ok()).collect();
        addresses.sort();
        let alias = rows.iter().find(|r| r.kind == RecordType::Cname);
        // One that nobody exported may be for the name, or leave it to others.
        if self.counts_more_records(zone.zone) && (addresses.is_empty() && alias.is_none() || relative.contains('.')) {
            return Answer::Unknown("public-zone-counts");
        }
        if !addresses.is_empty() {
            return Answer::Addresses(addresses);
        }
        if let Some(alias) = alias {
            return follow(alias.value.as_str());
        }
        let listed = self.zone_records.iter().any(|r| r.zone == zone.zone && r.kind == RecordType::Soa);
        if rows.is_empty() && listed { Answer::Nothing("nxdomain") } else { Answer::Unknown("public-zone") }
    }

    /// Whether the name is a store's public one, or the private-link name behind it, which exists in public too.
    fn is_front(&self, name: &str) -> bool {
        self.parts.iter().any(|p| p.host.as_str() == name || self.private_name(p.host.as_str()).as_deref() == Some(name))
    }

    /// The public answer: whose front end it is.
    fn at_front(&self, name: &str) -> Answer {
        let called = |p: &&StorePart| p.host.as_str() == name || self.private_name(p.host.as_str()).as_deref() == Some(name);
        let part = self.parts.iter().find(called);
        Answer::Public(part.map(|p| Wanted { store: p.store, part: p.part, instance: p.instance }))
    }

    /// Whether the public name is an alias of its private-link name: some approved endpoint exists for it anywhere (DNS-14).
    fn has_alias(&self, name: &str) -> Tri {
        let mut best = Tri::No;
        for part in self.parts.iter().filter(|p| p.host.as_str() == name) {
            let wanted = Wanted { store: part.store, part: part.part, instance: part.instance };
            for link in self.links.iter().filter(|l| l.target == part.store && l.group == group_of(wanted)) {
                best = best.or(self.consent(*link));
            }
            if !self.connections_are_listed(part.store) {
                best = best.or(Tri::Maybe); // nobody exported who is connected (M-03)
            }
            let alike = |p: &&StorePart| main_part(p.part) == main_part(part.part) && p.instance == part.instance;
            let single = self.parts.iter().filter(|p| p.store == part.store).all(|p| alike(&p));
            for p in self.provider_links.iter().filter(|p| p.target == part.store) {
                let unseen = !self.links.iter().any(|l| l.endpoint == p.endpoint);
                let approved = p.state.as_str() == "approved";
                let unknown = p.state.as_str() == "unknown";
                let named: Vec<Sym> = self.provider_groups.iter().filter(|g| g.connection == p.connection).map(|g| g.group).collect();
                let here = named.is_empty() || named.contains(&group_of(wanted));
                if unseen && here && (approved || unknown) {
                    // Storage has a connection a sub-resource, and the owner's view may not say which.
                    let sure = (single || named.len() == 1) && approved && p.settled && !self.may_be_of_one_that_waits(p);
                    best = best.or(if sure { Tri::Yes } else { Tri::Maybe });
                }
            }
        }
        best
    }

    /// The service of a store.
    pub fn service_of(&self, store: Sym) -> Option<Service> {
        self.stores.iter().find(|s| s.store == store).map(|s| s.service)
    }

    /// The private-link name of a store's public name.
    pub fn private_name(&self, host: &str) -> Option<String> {
        if host.contains("privatelink") {
            return None;
        }
        let same = ["database.windows.net", "documents.azure.com", "servicebus.windows.net", "azurecr.io", "azurewebsites.net"];
        for (public, private) in same.map(|suffix| (suffix, suffix)).into_iter().chain([("vault.azure.net", "vaultcore.azure.net")]) {
            if let Some(first) = host.strip_suffix(&format!(".{public}")) {
                return Some(format!("{first}.privatelink.{private}"));
            }
        }
        for part in ["blob", "dfs", "file", "queue", "table", "web"] {
            let public = format!(".{part}.core.windows.net");
            if let Some(first) = host.strip_suffix(&public) {
                let first = if part == "web" { first.split('.').next().unwrap_or(first) } else { first };
                return Some(format!("{first}.privatelink{public}"));
            }
        }
        None
    }

    /// The endpoint of a store with the host name.
    pub fn part_named(&self, host: &str) -> Option<Wanted> {
        let part = self.parts.iter().find(|p| p.host.as_str() == host)?;
        Some(Wanted { store: part.store, part: part.part, instance: part.instance })
    }

    /// The public host name of a store's endpoint.
    pub fn host_of(&self, wanted: Wanted) -> Option<(&'static str, Sym)> {
        let row = self.parts.iter().find(|p| p.store == wanted.store && p.part == wanted.part && p.instance == wanted.instance)?;
        // Behind the name of no region stands one of several.
        let elsewhere = self.store_regions.iter().any(|r| r.store == row.store && r.region != row.location);
        let region = if elsewhere && !row.part.as_str().contains('.') { Sym::EMPTY } else { row.location };
        Some((row.host.as_str(), region))
    }
}

/// The first server that answers decides (DNS-04).
fn first_answer(answers: Vec<Answer>) -> Answer {
    let answering = answers.iter().find(|answer| **answer != Answer::Nothing("servfail"));
    answering.or(answers.first()).cloned().unwrap_or(Answer::Unknown("server"))
}

/// What the front ends are called to which the public name of a store leads on.
fn front_ends_of(name: &str) -> Option<String> {
    let suffix = match name {
        _ if name.ends_with(".core.windows.net") => "store.core.windows.net",
        _ if name.ends_with(".vault.azure.net") || name.ends_with(".vaultcore.azure.net") => "vaultcore.azure.net",
        _ => return None,
    };
    Some(format!("{SOMETHING}{suffix}"))
}

/// Whether a packet arrives.
fn arrives(outcome: &Outcome) -> Tri {
    match outcome.verdict {
        Verdict::Allowed => Tri::Yes,
        Verdict::Unproven => Tri::Maybe,
        Verdict::Denied => Tri::No,
    }
}

/// A query as any client sends it.
fn a_query() -> Packet {
    Packet {
        src: Addr::SomePublic,
        src_config: None,
        dst: Addr::SomePublic,
        dst_config: None,
        proto: Proto::Udp,
        dport: 53,
        sport: None,
        called: super::packet::Called::Unknown,
        part: None,
    }
}

/// Whether `name` is `suffix` or lies under it, label by label.
fn under(name: &str, suffix: &str) -> bool {
    let suffix = suffix.trim_end_matches('.');
    name == suffix || name.strip_suffix(suffix).is_some_and(|left| left.ends_with('.'))
}

/// Whether the name is somebody's in the internet: neither Azure's, where a store may hide behind it, nor one that is only known inside (DNS-35).
fn is_foreign(name: &str) -> bool {
    let ours = [
        "windows.net",
        "azure.com",
        "azure.net",
        "azurewebsites.net",
        "azurecr.io",
        "cloudapp.net",
        "azmk8s.io",
        "azconfig.io",
        "azureml.ms",
        "azure-automation.net",
        "azurestaticapps.net",
        "azuresynapse.net",
        "local",
        "internal",
        "lan",
        "corp",
        "home.arpa",
    ];
    name.contains('.') && !ours.iter().any(|suffix| under(name, suffix))
}
