//! Cosmos DB accounts.

use serde_json::Value;

use crate::facts::extract::out::{Out, get, is_set};
use crate::facts::extract::store::{access, bypass, host_in, host_or, ip_rules, part_in, public_access, range, store, subnet_rules};
use crate::facts::store_facts::{Service, StoreIpRule, StoreRegion, StoreResourceRule};
use crate::ingest;
use crate::model::{Sym, Tri, ids};

/// Protocols besides the account's own: the sub-resource, the capability or kind that turns it on, the field of its endpoint, what follows the name.
const PROTOCOLS: [(&str, &str, &str, &str); 4] = [
    ("mongodb", "mongo", "mongoEndpoint", "mongo.cosmos.azure.com"),
    ("cassandra", "cassandra", "cassandraEndpoint", "cassandra.cosmos.azure.com"),
    ("gremlin", "gremlin", "gremlinEndpoint", "gremlin.cosmos.azure.com"),
    ("table", "table", "tableEndpoint", "table.cosmos.azure.com"),
];

/// `microsoft.documentdb/databaseaccounts` (COS-01).
pub(super) fn account<'a>(out: &mut Out<'a>, body: &'a Value) {
    let kind = out.text(&out.resource.body, "kind").map_or(Sym::EMPTY, Sym::lower);
    store(out, Service::Cosmos, kind);
    parts(out, body, kind);

    let public = public_access(out, body);
    ip_rules(out, body, "ipRules", &["ipAddressOrRange"]);
    let legacy = legacy_rules(out, body);
    let listed = !out.objects(body, "ipRules").is_empty();
    // COS-03: rules for subnets count only where their filter is on.
    let by_subnet = match get(body, "isVirtualNetworkFilterEnabled") {
        None => Tri::No,
        Some(_) => out.flag(body, "isVirtualNetworkFilterEnabled").map_or(Tri::Maybe, Tri::from_bool),
    };
    if by_subnet.hi() {
        subnet_rules(out, body, "virtualNetworkRules", &["id"], |_| Some(Tri::Maybe));
    }
    let filtered = Tri::from_bool(listed || legacy).or(by_subnet);
    let trusted = bypass(out, body, "networkAclBypass").unwrap_or(false);
    access(out, public, filtered.negated(), trusted);
    for id in out.texts(body, "networkAclBypassResourceIds") {
        let (store, tenant) = (out.id(), out.tenant());
        out.fact(StoreResourceRule { store, tenant, resource: ids::normal_id(id) });
    }
}

/// `ipRangeFilter`: addresses and prefixes with commas between; whether there is any.
fn legacy_rules<'a>(out: &mut Out<'a>, body: &'a Value) -> bool {
    let Some(list) = out.text(body, "ipRangeFilter") else { return false };
    // Exports of newer versions hold the same list twice.
    if get(body, "ipRules").is_some_and(is_set) {
        return true;
    }
    let store = out.id();
    for (at, item) in list.split(',').map(str::trim).filter(|item| !item.is_empty()).enumerate() {
        match range(item) {
            Some((from, to)) => {
                let rule = Sym::lower(&format!("{store}/ipRangeFilter/{at}"));
                out.fact(StoreIpRule { rule, store, from, to });
            }
            None => out.rule_gap(store, format!("`properties.ipRangeFilter` has the rule `{item}`, which is no address")),
        }
    }
    true
}

/// The endpoint of each protocol, and where there are several regions the one of each (DNS-36).
fn parts<'a>(out: &mut Out<'a>, body: &'a Value, kind: Sym) {
    let own = out.resource.location;
    let regions: Vec<(Sym, Option<Sym>)> = out
        .items(body, "locations")
        .iter()
        .filter_map(|region| {
            let name = out.text(region, "locationName").map(ingest::region)?;
            Some((name, host_in(out, region, "documentEndpoint")))
        })
        .collect();
    let first = regions.first().map_or(own, |(name, _)| *name);
    let name = host_or(out, body, "documentEndpoint", "documents.azure.com");
    part_in(out, "sql", name, first);
    if regions.len() > 1 {
        for (region, host) in &regions {
            let pattern = || {
                // Of an account whose own name is none nobody knows those of its regions.
                name.as_str().split_once('.').map_or(name, |(account, suffix)| Sym::new(&format!("{account}-{region}.{suffix}")))
            };
            part_in(out, &format!("sql.{region}"), host.unwrap_or_else(pattern), *region);
            let store = out.id();
            out.fact(StoreRegion { store, region: *region });
        }
    }
    let mut words: Vec<String> = vec![kind.as_str().to_owned()];
    words.extend(out.text(body, "EnabledApiTypes").map(str::to_lowercase));
    for capability in out.objects(body, "capabilities") {
        words.extend(out.text(capability, "name").map(str::to_lowercase));
    }
    for (part, word, field, suffix) in PROTOCOLS {
        if words.iter().any(|w| w.contains(word)) || get(body, field).is_some() {
            let host = host_or(out, body, field, suffix);
            part_in(out, part, host, first);
        }
    }
}
