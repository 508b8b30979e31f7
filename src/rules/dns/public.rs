//! The public name system: names of services with their private aliases, public zones of the input, and the rest (DNS-14, DNS-15, DNS-34, DNS-35).

use std::net::IpAddr;

use crate::facts::private_access::RecordType;
use crate::facts::store_facts::StorePart;
use crate::model::{Sym, Tri};
use crate::rules::dns::azure::PUBLIC_ZONES;
use crate::rules::dns::names::{self, Holder};
use crate::rules::dns::resolution::either;
use crate::rules::dns::zone::{Lookup, has_value, lookup};
use crate::rules::dns::{Answer, Context, LONGEST_CHAIN, Resolution, Resolver};
use crate::rules::{consent, private_endpoint};

/// The child type that holds the addresses of a public zone.
const RECORDS: &str = "microsoft.network/dnszones/a";

impl Resolver<'_> {
    /// What the public name system answers; an alias is followed in `context`.
    pub(super) fn public(&self, context: Context, name: &str, depth: usize) -> Resolution {
        if names::front_end_suffix(name).is_some() {
            return public_address(name, None, "it is the name of a public front end");
        }
        let holders = names::holders(self.index, self.platform, name);
        if !holders.is_empty() {
            return self.service(context, &holders, name, depth);
        }
        if let Some(holder) = names::holder_of_private_name(self.index, self.platform, name) {
            let found = public_address(name, holder.part, "no private zone answers for the private name: its public address");
            return self.front_end(context, holder.kind, found, name, depth);
        }
        if names::of_azure(self.platform, name) {
            return Resolution::new(Answer::Unknown, name, "the name belongs to no store in the input");
        }
        if let Some(answer) = self.in_public_zones(context, name, depth) {
            return answer;
        }
        if names::internal(name) {
            return Resolution::new(Answer::Unknown, name, "no zone or server in the input knows this internal name");
        }
        public_address(name, None, "public DNS answers")
    }

    /// The alias into the private-link zone exists while a connection is approved (DNS-14).
    fn service(&self, context: Context, holders: &[Holder], name: &str, depth: usize) -> Resolution {
        let approved = |holder: &Holder| consent::approved_for(self.index, holder.resource, holder.group, self.only_group(holder));
        let approved = holders.iter().map(approved).fold(Tri::No, Tri::or);
        let mut possible = Vec::new();
        if approved.hi() {
            let mut aliases: Vec<String> =
                holders.iter().flat_map(|holder| names::private_names(self.platform, holder.kind, holder.group, name)).collect();
            aliases.dedup();
            possible.extend(aliases.iter().map(|alias| self.follow(context.behind_alias(), alias, depth + 1).from(name)));
        }
        if approved != Tri::Yes || possible.is_empty() {
            let (part, kind) = holders.first().map_or((None, Sym::EMPTY), |holder| (holder.part, holder.kind));
            let found = public_address(name, part, "no approved private endpoint gives the name an alias: its public address");
            possible.push(self.front_end(context, kind, found, name, depth));
        }
        either(name, possible, "whether an approved private endpoint gives the name a private alias is not in the input")
    }

    /// The public address of a service has a name of its own, to which its public name leads on and for which a private zone or a forwarder may answer (DNS-15).
    ///
    /// ```datalog
    /// leads_on_to(D, S) :- resource(D, K, _, _, _, _, _), front_end_name(K, S).                                       // public.2
    /// ```
    fn front_end(&self, context: Context, kind: Sym, found: Resolution, name: &str, depth: usize) -> Resolution {
        let Some(suffix) = self.platform.front_end_suffix(kind).filter(|_| context != Context::Public && depth < LONGEST_CHAIN) else {
            return found;
        };
        let mut there = self.follow(context.behind_alias(), &names::some_front_end(suffix), depth + 1);
        if there.answer == Answer::Public {
            return found;
        }
        there.chain[0] = name.to_owned();
        there.reason = format!("the name leads on to a front end under {suffix}: {}", there.reason);
        there
    }

    /// Whether the resource has no other sub-resource than this one.
    fn only_group(&self, holder: &Holder) -> bool {
        match self.index.store_parts.has(holder.resource) {
            true => private_endpoint::only_group(self.index, holder.resource, holder.group),
            false => self.platform.zones().iter().all(|zone| zone.kind != holder.kind || zone.group == holder.group),
        }
    }

    /// The public zones of the input know all of their names (DNS-34): the one with the longest name answers, be it that only its records are there. `None` where
    /// no zone is for the name.
    ///
    /// ```datalog
    /// publishes(N, A) :- public_dns_zone(Z, _), zone_record(_, Z, N, "a", A).                                        // public.1
    /// ```
    fn in_public_zones(&self, context: Context, name: &str, depth: usize) -> Option<Resolution> {
        let unseen = self.index.zones_without_row().iter().copied();
        let not_exported: Vec<Sym> =
            unseen.filter(|zone| zone.as_str().contains(PUBLIC_ZONES) && self.index.zone_records.has(*zone)).collect();
        let mut rest = Some(name);
        while let Some(suffix) = rest {
            let mut zones: Vec<Sym> = self.index.public_dns_zones_by_name.get(Sym::new(suffix)).iter().map(|row| row.zone).collect();
            zones.extend(not_exported.iter().filter(|zone| self.zone_name(**zone) == suffix));
            if !zones.is_empty() {
                Sym::sort(&mut zones);
                let answers = zones.iter().map(|&zone| self.in_public_zone(context, zone, suffix, name, depth)).collect();
                return Some(either(name, answers, "to which of several public zones of this name the name is delegated is not known"));
            }
            rest = suffix.split_once('.').map(|(_, rest)| rest);
        }
        None
    }

    fn in_public_zone(&self, context: Context, zone: Sym, zone_name: &str, name: &str, depth: usize) -> Resolution {
        let records = self.index.zone_records.get(zone);
        let relative = name.strip_suffix(zone_name).unwrap_or("").trim_end_matches('.');
        let delegated = |r: &str| r != "@" && (relative == r || relative.strip_suffix(r).is_some_and(|rest| rest.ends_with('.')));
        let unknown = |reason: &str| Resolution::new(Answer::Unknown, name, reason).by(zone);
        if records.iter().any(|record| record.kind == RecordType::Ns && delegated(record.name.as_str())) {
            return unknown("the public zone leaves the name to other servers");
        }
        // What is missing may be a record for the name, or one that leaves a name above it to other servers.
        let settled = has_value(records, zone_name, name) && !relative.contains('.');
        if self.index.zones_short_of_records().contains(&zone) && !settled {
            return unknown("the public zone counts more record sets than the input holds, and one may be for this name");
        }
        match lookup(records, zone_name, name) {
            Lookup::Addresses(addresses, records) => {
                let found = Resolution::addresses(name, addresses, format!("the public zone {zone_name} has a record")).by(zone);
                Resolution { records, ..found }
            }
            Lookup::Alias(target, record) => {
                let mut found = self.follow(context.behind_alias(), &target, depth + 1).from(name);
                found.records.insert(0, record);
                found
            }
            Lookup::Unreadable(record) => match self.addresses_of_resource(zone, record) {
                Some(addresses) => Resolution {
                    records: vec![record],
                    ..Resolution::addresses(name, addresses, format!("the public zone {zone_name} stands for a public address")).by(zone)
                },
                None => unknown("a record of the public zone has no known value"),
            },
            Lookup::NoData => {
                Resolution::new(Answer::NoData, name, format!("the public zone {zone_name} has no address for the name")).by(zone)
            }
            Lookup::NxDomain if self.public_records(zone) => {
                Resolution::new(Answer::NxDomain, name, format!("the public zone {zone_name} lacks the name")).by(zone)
            }
            Lookup::NxDomain => unknown("the records of the public zone are not in the input"),
        }
    }

    /// The addresses of the public address resource that a record set stands for.
    fn addresses_of_resource(&self, zone: Sym, record: Sym) -> Option<Vec<IpAddr>> {
        let values = self.index.zone_records.get(zone).iter().filter(|row| row.record == record).map(|row| row.value);
        let found: Vec<IpAddr> = values.flat_map(|id| self.index.public_ip_address.get(id)).map(|row| row.address).collect();
        (!found.is_empty()).then_some(found)
    }

    /// Whether the records of the zone were exported: what it lacks does not exist (M-03, decision 8).
    fn public_records(&self, zone: Sym) -> bool {
        let own = |kind: RecordType| matches!(kind, RecordType::Soa | RecordType::Ns);
        let (index, kind) = (self.index, Sym::new(RECORDS));
        let all = || index.complete_type.has(kind) || index.public_dns_zone.has(zone) && index.resources_by_kind.has(kind);
        self.index.zone_records.get(zone).iter().any(|record| own(record.kind)) || all()
    }
}

fn public_address(name: &str, part: Option<StorePart>, reason: &str) -> Resolution {
    Resolution { part, ..Resolution::new(Answer::Public, name, reason) }
}
