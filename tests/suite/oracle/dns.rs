//! Names: which server is asked, and what it answers (DNS-01 to DNS-35).

use std::net::IpAddr;

use watertight::facts::private_access::RecordType;
use watertight::facts::store_facts::{Service, StorePart};
use watertight::model::{Sym, Tri};

use super::endpoint::group_of;
use super::paas::main_part;
use super::packet::Addr;
use super::route::Hop;
use super::walk::Wanted;
use super::world::World;

/// What a name resolves to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The store's public front end.
    Public,
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
        subnet: Sym,
        nic: Option<Sym>,
    },
    Site(Sym),
    Internet,
}

/// Servers that know nothing of private zones (DNS-20).
const PUBLIC_RESOLVERS: [&str; 8] =
    ["8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "149.112.112.112", "208.67.222.222", "208.67.220.220"];

impl World<'_> {
    /// Resolves a name in somebody's view.
    pub fn resolve(&self, view: View, name: &str) -> Answer {
        match view {
            View::Internet => self.public_only(name),
            View::Site(site) => self.resolve_at_site(site, name),
            View::Inside { subnet, nic } => {
                let Some(vnet) = self.vnet_of(subnet) else { return Answer::Unknown("network") };
                let mut servers: Vec<(u16, IpAddr)> =
                    self.nic_dns.iter().filter(|d| Some(d.nic) == nic).map(|d| (d.position, d.server)).collect();
                if servers.is_empty() {
                    servers = self.vnet_dns.iter().filter(|d| d.vnet == vnet).map(|d| (d.position, d.server)).collect();
                }
                if servers.is_empty() && !self.has_vnet(vnet) {
                    return Answer::Unknown("network");
                }
                servers.sort();
                match servers.first() {
                    None => self.azure(vnet, name, 0),
                    Some((_, server)) => self.ask_from(subnet, vnet, *server, name),
                }
            }
        }
    }

    /// Asks a configured server, if the subnet can get to it (DNS-05, decision 4).
    fn ask_from(&self, subnet: Sym, vnet: Sym, server: IpAddr, name: &str) -> Answer {
        if server.to_string() == "168.63.129.16" {
            return self.azure(vnet, name, 0);
        }
        let modelled = self.vnet_prefixes.iter().any(|p| p.prefix.contains(&server));
        let routes = self.candidates(subnet, Addr::Known(server));
        if modelled && routes.iter().all(|c| matches!(c.hop, Hop::Drop | Hop::Internet)) {
            return Answer::Nothing("servfail");
        }
        self.ask(server, name, 0)
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
        let Some(row) = self.dns_servers.iter().find(|d| d.address == server) else {
            if let Some(answer) = self.ask_firewall(server, name) {
                return answer;
            }
            let public = PUBLIC_RESOLVERS.iter().any(|p| *p == server.to_string());
            return if public { self.public_only(name) } else { Answer::Unknown("custom-dns") };
        };
        match row.forwards.as_str() {
            "azure-dns" if !row.at.is_empty() => self.azure(row.at, name, depth + 1),
            "internet" => self.public_only(name),
            other => match other.parse::<IpAddr>() {
                Ok(next) => self.ask(next, name, depth + 1),
                Err(_) => Answer::Unknown("custom-dns"),
            },
        }
    }

    /// A site's own view: the longest conditional forwarder, else the internet (DNS-21, DNS-26).
    fn resolve_at_site(&self, site: Sym, name: &str) -> Answer {
        let forwarder = |name: &str| {
            let here = self.forwarders.iter().filter(|f| self.same_site(f.site, site) && under(name, f.suffix.as_str()));
            here.max_by_key(|f| f.suffix.as_str().len()).copied()
        };
        if let Some(f) = forwarder(name) {
            return self.ask(f.server, name, 0);
        }
        if let Some(alias) = self.private_name(name).filter(|_| self.has_alias(name) != Tri::No)
            && let Some(f) = forwarder(&alias)
            && f.chases_cname
        {
            let private = self.ask(f.server, &alias, 0);
            return if self.has_alias(name) == Tri::Yes || private == Answer::Public { private } else { Answer::Unknown("alias") };
        }
        self.public_only(name)
    }

    /// Azure's resolver in the context of a network (section 2.2).
    pub fn azure(&self, vnet: Sym, name: &str, depth: u8) -> Answer {
        if depth > 16 {
            return Answer::Nothing("servfail");
        }
        let linked: Vec<(Sym, &str, bool)> = self
            .zone_links
            .iter()
            .filter(|l| l.vnet == vnet && l.usable)
            .flat_map(|l| self.zones.iter().filter(|z| z.zone == l.zone).map(|z| (z.zone, z.name.as_str(), l.redirect)))
            .filter(|(_, zone, _)| under(name, zone))
            .collect();
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
            return self.public_step(vnet, name, depth);
        };
        let relative = name.strip_suffix(zone_name).map_or("@", |left| left.trim_end_matches('.'));
        let relative = if relative.is_empty() { "@" } else { relative };
        // Two zones of one name are asked together (DNS-12).
        let mut addresses = Vec::new();
        let mut exists = false;
        let mut unlisted = false;
        for (zone, _, _) in &zones {
            match self.in_zone(vnet, *zone, zone_name, relative, depth) {
                Some(Answer::Addresses(more)) => addresses.extend(more),
                Some(Answer::Nothing("nodata")) => exists = true,
                Some(other) => return other,
                None => unlisted |= !self.zone_is_listed(*zone),
            }
        }
        addresses.sort();
        addresses.dedup();
        match () {
            () if !addresses.is_empty() => Answer::Addresses(addresses),
            () if unlisted => Answer::Unknown("records"),
            () if exists => Answer::Nothing("nodata"),
            () if zones.iter().any(|(_, _, redirect)| *redirect) && zone_name.contains("privatelink") => self.public_only(name),
            () => Answer::Nothing("nxdomain"),
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
            if let Some(alias) = rows.iter().find(|r| r.kind == RecordType::Cname) {
                return Some(self.azure(vnet, alias.value.as_str().trim_end_matches('.'), depth + 1));
            }
            let child = format!(".{label}");
            let has_child = self.zone_records.iter().any(|r| r.zone == zone && r.name.as_str().ends_with(&child));
            (!rows.is_empty() || has_child).then_some(Answer::Nothing("nodata"))
        };
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
        self.zone_records.iter().any(|r| r.zone == zone && r.kind == RecordType::Soa)
            || self.zone_records.iter().any(|r| r.kind == RecordType::A)
            || self.children_are_listed(zone, "microsoft.network/privatednszones/a")
    }

    /// The public answer, followed in the network's own view (DNS-14, DNS-15).
    fn public_step(&self, vnet: Sym, name: &str, depth: u8) -> Answer {
        if !self.is_front(name) {
            return self.public_only(name);
        }
        let Some(alias) = self.private_name(name) else { return Answer::Public };
        match self.has_alias(name) {
            Tri::No => Answer::Public,
            Tri::Yes => self.azure(vnet, &alias, depth + 1),
            Tri::Maybe => match self.azure(vnet, &alias, depth + 1) {
                Answer::Public => Answer::Public,
                _ => Answer::Unknown("alias"),
            },
        }
    }

    /// What anybody outside is told.
    fn public_only(&self, name: &str) -> Answer {
        if self.is_front(name) || is_foreign(name) { Answer::Public } else { Answer::Unknown("name") }
    }

    /// Whether the name is a store's public one, or the private-link name behind it, which exists in public too.
    fn is_front(&self, name: &str) -> bool {
        self.parts.iter().any(|p| p.host.as_str() == name || self.private_name(p.host.as_str()).as_deref() == Some(name))
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
                if unseen && (approved || unknown) {
                    // Storage has a connection a sub-resource, and the owner's view does not say which.
                    let sure = single && approved && p.settled;
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
        Some((row.host.as_str(), row.location))
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
