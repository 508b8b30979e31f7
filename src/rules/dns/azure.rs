//! Azure's resolver in the context of a network: linked zones first, then rulesets, then the public names (DNS-08).

use crate::facts::private_access::{RecordType, ZoneRecord};
use crate::model::Sym;
use crate::rules::dns::names::{self, under};
use crate::rules::dns::resolution::{either, union};
use crate::rules::dns::zone::{Lookup, has_value, lookup};
use crate::rules::dns::{Answer, Context, Resolution, Resolver};

/// The child type that holds the addresses of a private zone.
const RECORDS: &str = "microsoft.network/privatednszones/a";

/// What the id of a public zone holds.
pub(super) const PUBLIC_ZONES: &str = "/microsoft.network/dnszones/";

/// The child type that links a private zone to a network.
const LINKS: &str = "microsoft.network/privatednszones/virtualnetworklinks";

impl Resolver<'_> {
    pub(super) fn azure(&self, vnet: Sym, alias: bool, name: &str, depth: usize) -> Resolution {
        if !self.index.vnet.has(vnet) {
            return Resolution::new(Answer::Unknown, name, "the virtual network is not in the input").by(vnet);
        }
        let policies = self.index.clouded.get(vnet).iter().filter(|row| row.what.as_str() == "names").map(|row| row.resource);
        if let Some(policy) = policies.min_by_key(|id| id.as_str()) {
            return Resolution::new(Answer::Unknown, name, "a DNS security policy of the network may answer for this name").by(policy);
        }
        if let Some(zone) = names::front_end_suffix(name).and_then(|suffix| self.zone_below(vnet, suffix)) {
            return Resolution::new(Answer::Unknown, name, "whether the front end's name is in a linked private zone is not known")
                .by(zone);
        }
        let zones = self.zones(vnet, name);
        let nameless = self.zones_of_nameless_links(name, &zones);
        let unlinked = self.zones_of_unknown_links(name, &zones);
        if nameless.is_empty() && unlinked.is_empty() {
            return self.linked(vnet, &zones, alias, name, depth);
        }
        let reason = match nameless.is_empty() {
            true => "the links of a private zone for this name are not in the input",
            false => "a link of a private zone for this name does not say to which network",
        };
        let mut possible: Vec<Resolution> =
            [&nameless, &unlinked].into_iter().flatten().map(|&(zone, redirect)| self.in_zone(vnet, zone, redirect, name, depth)).collect();
        possible.push(self.linked(vnet, &zones, alias, name, depth));
        either(name, possible, reason)
    }

    /// What the zones that are linked say, or the rest of the way.
    fn linked(&self, vnet: Sym, zones: &[(Sym, bool)], alias: bool, name: &str, depth: usize) -> Resolution {
        let answers = zones.iter().map(|&(zone, redirect)| self.in_zone(vnet, zone, redirect, name, depth)).collect();
        union(answers).unwrap_or_else(|| self.past_zones(vnet, alias, name, depth))
    }

    /// The linked zones that answer for `name`, with whether names they lack are asked for in public: those with the longest name (DNS-09, DNS-10, DNS-11).
    fn zones(&self, vnet: Sym, name: &str) -> Vec<(Sym, bool)> {
        let links = self.index.zone_links_by_vnet.get(vnet).iter().filter(|link| link.usable);
        let mut found: Vec<(Sym, bool)> =
            links.filter(|link| under(name, self.zone_name(link.zone))).map(|link| (link.zone, link.redirect)).collect();
        let longest = found.iter().map(|(zone, _)| self.zone_name(*zone).len()).max().unwrap_or(0);
        found.retain(|(zone, _)| self.zone_name(*zone).len() == longest);
        found.sort_by_key(|(zone, redirect)| (zone.as_str(), *redirect));
        found.dedup();
        found
    }

    /// A zone below `suffix` that is linked, or perhaps: the names of front ends may stand in it. Those of private endpoints hold no such names.
    fn zone_below(&self, vnet: Sym, suffix: &str) -> Option<Sym> {
        let links = [vnet, Sym::EMPTY].into_iter().flat_map(|vnet| self.index.zone_links_by_vnet.get(vnet)).filter(|link| link.usable);
        let zones = links.map(|link| link.zone).chain(self.zones_without_links()).map(|zone| (zone, self.zone_name(zone)));
        let below = zones.filter(|(_, name)| *name != suffix && under(name, suffix) && !names::private_link_zone(self.platform, name));
        below.map(|(zone, _)| zone).min_by_key(|zone| zone.as_str())
    }

    /// Zones for `name` that some link joins with a network that it does not name, where `zones` would not come before them.
    fn zones_of_nameless_links(&self, name: &str, zones: &[(Sym, bool)]) -> Vec<(Sym, bool)> {
        let least = zones.first().map_or(0, |(zone, _)| self.zone_name(*zone).len());
        let links = self.index.zone_links_by_vnet.get(Sym::EMPTY).iter().filter(|link| link.usable);
        let fitting = links.filter(|link| under(name, self.zone_name(link.zone)) && self.zone_name(link.zone).len() >= least);
        let mut found: Vec<(Sym, bool)> = fitting.map(|link| (link.zone, link.redirect)).collect();
        found.retain(|(zone, _)| zones.iter().all(|(known, _)| known != zone));
        found.sort_by_key(|(zone, redirect)| (zone.as_str(), *redirect));
        found.dedup();
        found
    }

    pub(super) fn zone_name(&self, zone: Sym) -> &'static str {
        match self.index.private_dns_zone.one(zone) {
            Some(row) => row.name.as_str(),
            None => zone.as_str().rsplit('/').next().unwrap_or(""),
        }
    }

    /// Zones for `name` of which it is not known to which networks they are linked, with either policy that a link may have (M-03). A zone of the same name that
    /// is linked leaves no place for another (DNS-12).
    fn zones_of_unknown_links(&self, name: &str, zones: &[(Sym, bool)]) -> Vec<(Sym, bool)> {
        let least = zones.first().map_or(0, |(zone, _)| self.zone_name(*zone).len());
        let fits = |zone: &Sym| under(name, self.zone_name(*zone)) && self.zone_name(*zone).len() > least;
        let mut found: Vec<Sym> = self.zones_without_links().into_iter().filter(fits).collect();
        Sym::sort(&mut found);
        found.dedup();
        found.into_iter().flat_map(|zone| [(zone, false), (zone, true)]).collect()
    }

    /// Zones of which no link is in the input, and nothing says that there is none, or fewer than Azure counts. Links of others do not say so of a zone that was not exported itself.
    fn zones_without_links(&self) -> Vec<Sym> {
        let (index, kind) = (self.index, Sym::new(LINKS));
        let mut found: Vec<Sym> = self.zones_not_exported().filter(|zone| !index.zone_links_by_zone.has(*zone)).collect();
        if index.zone_links_by_zone.is_empty() && !index.resources_by_kind.has(kind) {
            found.extend(index.private_dns_zone.rows().map(|row| row.zone));
        }
        found.retain(|zone| !index.lists_children(*zone, kind));
        // Of those that lack some of their links, these may be to any network.
        found.extend(index.zones_short_of_links());
        found
    }

    /// Private zones that are there, since an endpoint keeps its records in them or records of theirs are in the input, and have no row of their own.
    fn zones_not_exported(&self) -> impl Iterator<Item = Sym> {
        self.index.zones_without_row().iter().copied().filter(|zone| !zone.as_str().contains(PUBLIC_ZONES))
    }

    fn in_zone(&self, vnet: Sym, zone: Sym, redirect: bool, name: &str, depth: usize) -> Resolution {
        let zone_name = self.zone_name(zone);
        let unreadable =
            || Resolution::new(Answer::Unknown, name, format!("a record of the private zone {zone_name} has no known value")).by(zone);
        let records = self.index.zone_records.get(zone);
        if names::front_end_suffix(name).is_some() && records.iter().any(is_of_one_name) {
            return Resolution::new(
                Answer::Unknown,
                name,
                format!("which record of the private zone {zone_name} is the front end's is not known"),
            )
            .by(zone);
        }
        if self.index.zones_short_of_records().contains(&zone) && !has_value(records, zone_name, name) {
            // The record may be among those that are missing.
            return self.kept(zone, zone_name, name).unwrap_or_else(|| {
                let reason =
                    format!("the private zone {zone_name} counts more record sets than the input holds, and one may be for this name");
                Resolution::new(Answer::Unknown, name, reason).by(zone)
            });
        }
        match lookup(records, zone_name, name) {
            Lookup::Addresses(addresses, records) => {
                let mut found = Resolution::addresses(name, addresses, format!("the private zone {zone_name} has a record")).by(zone);
                found.records = records;
                found
            }
            Lookup::Alias(target, record) => {
                let mut found = self.follow(Context::azure(vnet), &target, depth + 1).from(name);
                found.records.insert(0, record);
                found
            }
            Lookup::NoData if self.unreadable(zone, zone_name, name) => unreadable(),
            Lookup::NoData => {
                Resolution::new(Answer::NoData, name, format!("the private zone {zone_name} has the name, but no address for it")).by(zone)
            }
            Lookup::Unreadable(record) => Resolution { records: vec![record], ..unreadable() },
            Lookup::NxDomain => self.not_in_zone(zone, zone_name, redirect, name, depth),
        }
    }

    /// A name that no exported record of the zone is for.
    fn not_in_zone(&self, zone: Sym, zone_name: &str, redirect: bool, name: &str, depth: usize) -> Resolution {
        let gone = || {
            if redirect && names::private_link_zone(self.platform, zone_name) {
                // The link sends names the zone lacks to public DNS (DNS-13).
                let mut public = self.follow(Context::Public, name, depth + 1);
                public.reason = format!("the private zone {zone_name} lacks the name and its link asks public DNS instead");
                return public;
            }
            Resolution::new(Answer::NxDomain, name, format!("the private zone {zone_name} is linked and lacks the name")).by(zone)
        };
        if self.own_records(zone) {
            return gone();
        }
        let kept = self.kept(zone, zone_name, name);
        match (self.records_exported(zone), kept) {
            (true, None) => gone(),
            (true, Some(kept)) => {
                either(name, vec![gone(), kept], "whether the record that a private endpoint keeps is deployed is not in the input")
            }
            (false, Some(kept)) => kept,
            (false, None) => {
                Resolution::new(Answer::Unknown, name, format!("the records of the private zone {zone_name} are not in the input")).by(zone)
            }
        }
    }

    /// Whether a record of the name was exported with a value that nobody understands.
    fn unreadable(&self, zone: Sym, zone_name: &str, name: &str) -> bool {
        let relative = name.strip_suffix(zone_name).unwrap_or("").trim_end_matches('.');
        let records = self.index.zone_records.get(zone).iter().filter(|r| r.name.as_str() == relative || r.name.as_str().starts_with('*'));
        records.into_iter().any(|r| self.index.gaps.has(r.record))
    }

    /// Whether the records of this very zone were exported: what it lacks does not exist (M-03).
    fn own_records(&self, zone: Sym) -> bool {
        let kind = Sym::new(RECORDS);
        let soa = self.index.zone_records.get(zone).iter().any(|r| r.kind == RecordType::Soa);
        soa || self.index.lists_children(zone, kind)
    }

    /// Whether records were exported at all, which decision 8 takes for all zones of the input. One that only a link names was not exported.
    fn records_exported(&self, zone: Sym) -> bool {
        let private = |zone: Sym| !self.index.public_dns_zone.has(zone) && !zone.as_str().contains(PUBLIC_ZONES);
        let any = || self.index.zone_record.rows().any(|r| r.kind == RecordType::A && private(r.zone));
        self.index.private_dns_zone.has(zone) && (self.index.resources_by_kind.has(Sym::new(RECORDS)) || any())
    }
}

/// Whether the record says which address a name has that is not the zone's own, nor any name.
fn is_of_one_name(record: &ZoneRecord) -> bool {
    let leads = matches!(record.kind, RecordType::A | RecordType::Aaaa | RecordType::Cname);
    leads && !matches!(record.name.as_str(), "@" | "*")
}
