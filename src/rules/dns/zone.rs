//! One private DNS zone: what it answers for a name.

use std::net::IpAddr;

use crate::facts::private_access::{RecordType, ZoneRecord};
use crate::model::Sym;

/// What a zone holds for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Addresses, sorted, and the records they stand in.
    Addresses(Vec<IpAddr>, Vec<Sym>),
    /// Another name, and the record that says so.
    Alias(String, Sym),
    /// The name exists without an address.
    NoData,
    /// The name does not exist.
    NxDomain,
    /// A record for the name holds a value that is not understood.
    Unreadable(Sym),
}

/// Looks `name` (lower case, no trailing dot, inside `zone`) up in the records of the zone called `zone`.
///
/// An exact record wins; else the `*` of the closest encloser; a name that exists with other types, or has names below it, has no data.
///
/// ```datalog
/// holds(Z, N, V) :- zone_record(_, Z, N, "a", V).                                                                // zone.1
/// holds(Z, N, V) :- zone_record(_, Z, N, "aaaa", V).                                                             // zone.2
/// ```
pub fn lookup(records: &[ZoneRecord], zone: &str, name: &str) -> Lookup {
    let relative = match name.strip_suffix(zone).map(|rest| rest.trim_end_matches('.')) {
        Some("") => "@",
        Some(rest) => rest,
        None => return Lookup::NxDomain,
    };
    if let Some(found) = at(records, relative) {
        return found;
    }
    if relative == "@" || exists_below(records, relative) {
        return Lookup::NoData;
    }
    let mut encloser = relative;
    loop {
        encloser = encloser.split_once('.').map_or("@", |(_, rest)| rest);
        let star = if encloser == "@" { "*".to_owned() } else { format!("*.{encloser}") };
        if let Some(found) = at(records, &star) {
            return found;
        }
        let exists = encloser == "@" || records.iter().any(|r| r.name.as_str() == encloser) || exists_below(records, encloser);
        if exists {
            return Lookup::NxDomain;
        }
    }
}

/// Whether the records have an address or an alias for the name itself.
pub fn has_value(records: &[ZoneRecord], zone_name: &str, name: &str) -> bool {
    let relative = name.strip_suffix(zone_name).map_or("", |rest| rest.trim_end_matches('.'));
    let relative = if relative.is_empty() { "@" } else { relative };
    let leads = |r: &ZoneRecord| matches!(r.kind, RecordType::A | RecordType::Aaaa | RecordType::Cname);
    records.iter().any(|r| r.name.as_str() == relative && leads(r))
}

/// Whether some record stands below `relative`.
fn exists_below(records: &[ZoneRecord], relative: &str) -> bool {
    records.iter().any(|r| r.name.as_str().strip_suffix(relative).is_some_and(|rest| rest.ends_with('.')))
}

/// What the records called `relative` say; `None` where there is none.
fn at(records: &[ZoneRecord], relative: &str) -> Option<Lookup> {
    let mut addresses = Vec::new();
    let mut sources = Vec::new();
    let mut alias: Option<&ZoneRecord> = None;
    let mut any = false;
    for record in records.iter().filter(|r| r.name.as_str() == relative) {
        any = true;
        match record.kind {
            RecordType::A | RecordType::Aaaa => match record.value.as_str().parse::<IpAddr>() {
                Ok(address) => {
                    addresses.push(address);
                    sources.push(record.record);
                }
                Err(_) => return Some(Lookup::Unreadable(record.record)),
            },
            RecordType::Cname => alias = Some(record),
            RecordType::Soa | RecordType::Ns | RecordType::Other => {}
        }
    }
    if !addresses.is_empty() {
        addresses.sort_unstable();
        addresses.dedup();
        Sym::sort(&mut sources);
        sources.dedup();
        return Some(Lookup::Addresses(addresses, sources));
    }
    match alias {
        Some(record) if record.value.is_empty() => Some(Lookup::Unreadable(record.record)),
        Some(record) => Some(Lookup::Alias(super::names::normal(record.value.as_str()), record.record)),
        None => any.then_some(Lookup::NoData),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> Vec<ZoneRecord> {
        let row = |name: &str, kind: RecordType, value: &str| ZoneRecord {
            record: Sym::new(&format!("{name}/{value}")),
            zone: "z".into(),
            name: name.into(),
            kind,
            value: value.into(),
        };
        vec![
            row("@", RecordType::Soa, ""),
            row("a1", RecordType::A, "10.1.9.4"),
            row("a1", RecordType::A, "10.1.9.3"),
            row("alias", RecordType::Cname, "Other.Example.COM."),
            row("text", RecordType::Other, ""),
            row("deep.down", RecordType::A, "10.1.9.9"),
            row("*.wild", RecordType::A, "10.1.9.8"),
            row("broken", RecordType::A, "none"),
        ]
    }

    fn ask(name: &str) -> Lookup {
        lookup(&zone(), "example.com", name)
    }

    // covers: DNS-09, DNS-28
    #[test]
    fn a_zone_answers_for_all_of_its_names() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(matches!(ask("a1.example.com"), Lookup::Addresses(a, _) if a == [ip("10.1.9.3"), ip("10.1.9.4")]));
        assert!(matches!(ask("alias.example.com"), Lookup::Alias(name, _) if name == "other.example.com"));
        assert_eq!(ask("text.example.com"), Lookup::NoData);
        assert_eq!(ask("down.example.com"), Lookup::NoData, "it has a name below it");
        assert_eq!(ask("example.com"), Lookup::NoData);
        assert_eq!(ask("a2.example.com"), Lookup::NxDomain);
        assert!(matches!(ask("x.wild.example.com"), Lookup::Addresses(..)));
        assert!(matches!(ask("y.x.wild.example.com"), Lookup::Addresses(..)));
        assert_eq!(ask("wild.example.com"), Lookup::NoData);
        assert!(matches!(ask("broken.example.com"), Lookup::Unreadable(_)));
    }
}
