//! Names of stores: the public one, the private one, and what belongs to Azure.

use crate::facts::Index;
use crate::facts::platform::{Platform, PrivateLinkZone};
use crate::facts::private_access::PrivateEndpointConnection;
use crate::facts::store_facts::{Store, StorePart};
use crate::model::{Sym, ids};
use crate::rules::lead;
use crate::rules::private_endpoint::group;

/// Whether `name` is `suffix` or ends in it at a dot.
pub fn under(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')) && !suffix.is_empty()
}

/// Lower case without the trailing dot.
pub fn normal(name: &str) -> String {
    name.trim().trim_end_matches('.').to_lowercase()
}

/// The resource type whose zones hold the names of a store: its own where zones tell types apart, else its service's (DNS-37).
pub fn resource_kind(index: &Index, store: &Store) -> Sym {
    let kinds = store.service.kinds();
    let own = index.resource.one(store.store).map(|row| row.kind).filter(|kind| kinds.contains(&kind.as_str()));
    own.unwrap_or_else(|| kinds.first().map_or(Sym::EMPTY, |kind| Sym::new(kind)))
}

/// The public host name of a store's part: what the input says, else the pattern of its service (DNS-37); `None` where nobody can tell it.
pub fn host(index: &Index, platform: &Platform, part: &StorePart) -> Option<String> {
    if !part.host.is_empty() {
        // A front end stands in some domain: anything else is no name that anybody could ask for.
        return Some(part.host.as_str()).filter(|host| host.contains('.')).map(normal);
    }
    let name = index.resource.one(part.store).map_or(part.store.as_str().rsplit('/').next().unwrap_or(""), |r| r.name.as_str());
    let kind = resource_kind(index, index.store.one(part.store)?);
    let sub_resource = group(part.part, part.instance);
    let zone = platform.zone(kind, sub_resource).filter(|zone| !zone.suffix.as_str().contains('{'))?;
    let secondary = if part.part == sub_resource { "" } else { "-secondary" };
    Some(normal(&format!("{name}{secondary}.{}", zone.suffix)))
}

/// Who answers at a public name: a sub-resource of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The service.
    pub resource: Sym,
    /// Its resource type, lower case.
    pub kind: Sym,
    /// The sub-resource that private endpoints name for it.
    pub group: Sym,
    /// The same as a store's part, where it is one.
    pub part: Option<StorePart>,
}

/// The type of a service, from the input or from its id.
pub fn kind_of(index: &Index, resource: Sym) -> Sym {
    let stored = index.store.one(resource).map(|store| resource_kind(index, store));
    let written = || ids::id_type(resource.as_str()).map_or(Sym::EMPTY, |kind| Sym::lower(&kind));
    stored.or_else(|| index.resource.one(resource).map(|row| row.kind)).unwrap_or_else(written)
}

/// Who answers at the public name `name`: whoever says so, else whoever is called like that, else the target of an endpoint that names it (DNS-37).
///
/// ```datalog
/// answers_at(N, D, P) :- store_part(D, P, _, _, N).                                                              // names.1
/// answers_at(N, D, G) :- service_host(D, G, N).                                                                  // names.2
/// answers_at(N, D, G) :- private_endpoint_address(E, _, _, _, N), private_endpoint_connection(_, E, D, G, _, _, _). // names.3
/// ```
pub fn holders(index: &Index, platform: &Platform, name: &str) -> Vec<Holder> {
    let known = Sym::new(name);
    let parts = index.store_parts_by_host.get(known).iter();
    let mut found: Vec<Holder> = parts.map(|part| of_part(index, part)).collect();
    if found.is_empty() {
        let rows = index.service_hosts_by_host.get(known).iter();
        found =
            rows.map(|row| Holder { resource: row.resource, kind: kind_of(index, row.resource), group: row.group, part: None }).collect();
        found.retain(|holder| !private_names(platform, holder.kind, holder.group, name).is_empty());
    }
    if found.is_empty() {
        found = by_pattern(index, platform, name);
    }
    if found.is_empty() && !name.contains("privatelink.") {
        found = by_endpoint(index, known);
    }
    found.sort_by_key(|holder| (holder.resource.as_str(), holder.group.as_str()));
    found.dedup();
    found
}

fn of_part(index: &Index, part: &StorePart) -> Holder {
    Holder { resource: part.store, kind: kind_of(index, part.store), group: group(part.part, part.instance), part: Some(*part) }
}

/// Those who are called like the first label of a name of their type (DNS-37).
fn by_pattern(index: &Index, platform: &Platform, name: &str) -> Vec<Holder> {
    let mut found = Vec::new();
    for zone in platform.zones() {
        let Some((own, _)) = fit(zone.suffix.as_str(), name).filter(|(own, _)| !own.contains('.')) else { continue };
        let mut called = |resource: Sym| {
            // A store that says which names it has has no others.
            let parts = index.store_parts.get(resource);
            let part = parts.iter().find(|part| group(part.part, part.instance) == zone.group);
            if part.is_none_or(|part| part.host.is_empty()) && (parts.is_empty() || part.is_some()) {
                found.push(Holder { resource, kind: zone.kind, group: zone.group, part: part.copied() });
            }
        };
        let wanted = names_in(own, zone.kind.as_str(), zone.group.as_str());
        for row in index.resources_by_kind.get(zone.kind) {
            if wanted.iter().any(|wanted| row.name.as_str().eq_ignore_ascii_case(wanted)) {
                called(row.id);
            }
        }
        for row in index.private_endpoint_connection.rows().filter(|row| row.group == zone.group) {
            let last = row.target.as_str().rsplit('/').next().unwrap_or("");
            let outside = wanted.contains(&last) && !index.resource.has(row.target);
            if outside && kind_of(index, row.target) == zone.kind {
                called(row.target);
            }
        }
    }
    found
}

/// The resource names that the first label of a public name may stand for: secondary, serverless and regional names hang something on it.
fn names_in<'n>(label: &'n str, kind: &str, group: &str) -> Vec<&'n str> {
    let marked = |mark: &str| label.strip_suffix(mark).into_iter().collect();
    match (kind, group) {
        (_, group) if group.ends_with("_secondary") => marked("-secondary"),
        (_, "sqlondemand") => marked("-ondemand"),
        ("microsoft.documentdb/databaseaccounts", _) => [label].into_iter().chain(label.rsplit_once('-').map(|(own, _)| own)).collect(),
        _ if label.is_empty() => Vec::new(),
        _ => vec![label],
    }
}

/// The targets of private endpoints that list the name as theirs (PE-06).
fn by_endpoint(index: &Index, name: Sym) -> Vec<Holder> {
    let mut endpoints: Vec<(Sym, Sym)> =
        index.private_endpoint_addresses.rows().filter(|row| row.fqdn == name).map(|row| (row.endpoint, row.group)).collect();
    for link in index.ip_config_links.rows().filter(|row| row.fqdn == name) {
        let nic = index.ip_config.one(link.ip_config).map_or(Sym::EMPTY, |config| config.nic);
        endpoints.extend(index.private_endpoints_by_nic.get(nic).iter().map(|row| (row.endpoint, link.group)));
    }
    let mut found = Vec::new();
    for (endpoint, of) in endpoints {
        for row in lead::of_endpoint(index, endpoint).iter().map(|lead| lead.connection) {
            if of.is_empty() || of == row.group {
                found.push(Holder { resource: row.target, kind: kind_of(index, row.target), group: row.group, part: None });
            }
        }
    }
    found
}

/// The resource and sub-resource that a connection leads to: a slot of an app is named by its app (DNS-37).
pub fn named(index: &Index, connection: &PrivateEndpointConnection) -> (Sym, Sym) {
    let slot = connection.group.as_str().split_once('-').map(|(group, slot)| {
        let slot = Sym::lower(&format!("{}/slots/{slot}", connection.target));
        (slot, Sym::new(group))
    });
    slot.filter(|(slot, _)| index.store.has(*slot) || index.resource.has(*slot)).unwrap_or((connection.target, connection.group))
}

/// The public names of what a connection leads to: those that it, its endpoint or the pattern of its type gives it (DNS-17, DNS-36, DNS-37).
pub fn hosts(index: &Index, platform: &Platform, connection: &PrivateEndpointConnection) -> Vec<String> {
    let (target, of) = named(index, connection);
    let kind = kind_of(index, target);
    let parts = index.store_parts.get(target).iter().filter(|part| group(part.part, part.instance) == of);
    let mut found: Vec<String> = parts.filter_map(|part| host(index, platform, part)).collect();
    let fits = |group: Sym| group.is_empty() || group == of || group == connection.group;
    found.extend(index.service_hosts.get(target).iter().filter(|row| fits(row.group)).map(|row| row.host.as_str().to_owned()));
    let name = index.resource.one(target).map_or(target.as_str().rsplit('/').next().unwrap_or(""), |row| row.name.as_str());
    let fixed = platform.zones().iter().filter(|zone| zone.kind == kind && zone.group == of && !zone.suffix.as_str().contains('{'));
    let mark = if of.as_str().ends_with("_secondary") {
        "-secondary"
    } else if of.as_str() == "sqlondemand" {
        "-ondemand"
    } else {
        ""
    };
    found.extend(fixed.map(|zone| normal(&format!("{name}{mark}.{}", zone.suffix))));
    let written = index.private_endpoint_addresses.get(connection.endpoint).iter().filter(|row| fits(row.group));
    found.extend(written.map(|row| row.fqdn.as_str().to_owned()));
    for nic in index.private_endpoint_nics.get(connection.endpoint) {
        for config in index.ip_configs_by_nic.get(nic.nic) {
            let links = index.ip_config_links.get(config.ip_config).iter().filter(|link| fits(link.group));
            found.extend(links.map(|link| link.fqdn.as_str().to_owned()));
        }
    }
    found.retain(|host| !host.is_empty());
    found.sort_unstable();
    found.dedup();
    found
}

/// What stands before `pattern` at the end of `name`, and what its variable label stands for; both may be empty.
fn fit<'n>(pattern: &str, name: &'n str) -> Option<(&'n str, &'n str)> {
    let (mut rest, mut value) = (name, "");
    for label in pattern.rsplit('.') {
        if rest.is_empty() {
            return None;
        }
        let (before, last) = rest.rsplit_once('.').unwrap_or(("", rest));
        match label.split_once('{') {
            Some((start, end)) => {
                let end = end.split_once('}').map_or("", |(_, end)| end);
                value = last.strip_prefix(start)?.strip_suffix(end).filter(|value| !value.is_empty())?;
            }
            None if label == last => {}
            None => return None,
        }
        rest = before;
    }
    Some((rest, value))
}

/// `pattern` with its variable label filled in.
fn filled(pattern: &str, value: &str) -> String {
    match (pattern.split_once('{'), pattern.split_once('}')) {
        (Some((start, _)), Some((_, end))) => format!("{start}{value}{end}"),
        _ => pattern.to_owned(),
    }
}

/// The names under which the private record of a public `host` of sub-resource `group` may stand (DNS-14, DNS-37): usually one.
///
/// What depends on the resource in the public name is kept, in the zone's name or before it; but a static website's is without the stamp. In other clouds than
/// the public one the suffix follows the same pattern.
pub fn private_names(platform: &Platform, kind: Sym, group: Sym, host: &str) -> Vec<String> {
    let rows: Vec<&PrivateLinkZone> = platform.zones().iter().filter(|zone| zone.kind == kind && zone.group == group).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let fitting = rows.iter().filter_map(|zone| Some((zone, fit(zone.suffix.as_str(), host)?)));
    let Some((zone, (prefix, value))) = fitting.max_by_key(|(zone, _)| zone.suffix.as_str().len()) else {
        let aliased = host.split_once('.').filter(|(_, suffix)| platform.is_reserved(suffix));
        return aliased
            .map(|(first, suffix)| format!("{first}.privatelink.{}", suffix.replacen("vault.", "vaultcore.", 1)))
            .into_iter()
            .collect();
    };
    let into = filled(zone.zone.as_str(), value);
    let first = host.split('.').next().unwrap_or("");
    if prefix.is_empty() {
        return vec![format!("{first}.{into}")];
    }
    let stamp = zone.suffix.as_str().starts_with("z{n}.");
    if value.is_empty() || zone.zone.as_str().contains('{') || stamp {
        return vec![format!("{prefix}.{into}")];
    }
    let varying = host.strip_prefix(prefix).unwrap_or("").trim_start_matches('.').split('.').next().unwrap_or("");
    vec![format!("{prefix}.{varying}.{into}")]
}

/// Whose private name `name` is (DNS-15).
pub fn holder_of_private_name(index: &Index, platform: &Platform, name: &str) -> Option<Holder> {
    if !name.contains("privatelink.") {
        return None;
    }
    let mut public: Vec<String> = Vec::new();
    for zone in platform.zones() {
        let Some((prefix, value)) = fit(zone.zone.as_str(), name).filter(|(prefix, _)| !prefix.is_empty()) else { continue };
        let suffix = zone.suffix.as_str();
        let (_, fixed) = suffix.split_once('.').filter(|_| suffix.contains('{') && value.is_empty()).unwrap_or(("", suffix));
        public.push(format!("{prefix}.{}", filled(fixed, value)));
        if let Some(own) = suffix.strip_prefix(prefix).filter(|rest| rest.starts_with('.')) {
            public.push(format!("{prefix}{own}"));
        }
    }
    if let Some((first, suffix)) = name.split_once(".privatelink.") {
        public.push(format!("{first}.{}", suffix.replacen("vaultcore.", "vault.", 1)));
    }
    let leads_here =
        |host: &str, holder: &Holder| private_names(platform, holder.kind, holder.group, host).iter().any(|alias| alias == name);
    let mut found: Vec<Holder> = Vec::new();
    for host in &public {
        found.extend(holders(index, platform, host).into_iter().filter(|holder| leads_here(host, holder)));
    }
    if found.is_empty() && name.ends_with(".web.core.windows.net") {
        // The stamp of a static website is not in the name: its account says where it is.
        let first = name.split('.').next().unwrap_or("");
        let first = first.strip_suffix("-secondary").unwrap_or(first);
        let kind = Sym::new("microsoft.storage/storageaccounts");
        let accounts = index.resources_by_kind.get(kind).iter().filter(|row| row.name.as_str().eq_ignore_ascii_case(first));
        let parts = accounts.flat_map(|row| index.store_parts.get(row.id));
        found.extend(parts.map(|part| of_part(index, part)).filter(|holder| {
            let host = holder.part.and_then(|part| host(index, platform, &part));
            host.is_some_and(|host| leads_here(&host, holder))
        }));
    }
    found.sort_by_key(|holder| (holder.resource.as_str(), holder.group.as_str()));
    found.into_iter().next()
}

/// Whether `name` is one that Azure's services have: a store of its own may hide behind it (DNS-35).
pub fn of_azure(platform: &Platform, name: &str) -> bool {
    let listed = |zone: &PrivateLinkZone| [zone.suffix, zone.zone].iter().any(|suffix| fit(suffix.as_str(), name).is_some());
    platform.is_reserved(name) || platform.zones().iter().any(listed)
}

/// What stands for the labels of a front end's name that nobody exports: they depend on region and stamp.
const SOME_LABELS: &str = "?";

/// The name of some front end under `suffix` (DNS-15).
pub fn some_front_end(suffix: &str) -> String {
    format!("{SOME_LABELS}.{suffix}")
}

/// Under which suffix the front end stands that `name` stands for; `None` for any other name.
pub fn front_end_suffix(name: &str) -> Option<&str> {
    name.strip_prefix(SOME_LABELS)?.strip_prefix('.')
}

/// Whether nobody answers `name` in public: single labels and the suffixes people use inside.
pub fn internal(name: &str) -> bool {
    !name.contains('.')
        || ["local", "internal", "lan", "corp", "home.arpa", "internal.cloudapp.net"].iter().any(|suffix| under(name, suffix))
}

/// Whether a zone is one that private endpoints use (DNS-13).
pub fn private_link_zone(platform: &Platform, zone: &str) -> bool {
    zone.starts_with("privatelink.") || zone.contains(".privatelink.") || platform.zones().iter().any(|row| row.zone.as_str() == zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    // covers: DNS-14, DNS-37
    #[test]
    fn the_private_name_is_the_public_one_in_the_zone() {
        let names = |kind: &str, group: &str, host: &str| private_names(Platform::builtin(), kind.into(), group.into(), host);
        let storage = "microsoft.storage/storageaccounts";
        assert_eq!(
            names(storage, "blob_secondary", "a1-secondary.blob.core.windows.net"),
            ["a1-secondary.privatelink.blob.core.windows.net"]
        );
        assert_eq!(names("microsoft.keyvault/vaults", "vault", "kv1.vault.azure.net"), ["kv1.privatelink.vaultcore.azure.net"]);
        assert_eq!(names(storage, "web", "a1.z13.web.core.windows.net"), ["a1.privatelink.web.core.windows.net"]);
        assert_eq!(names(storage, "blob", "a1.blob.core.chinacloudapi.cn"), ["a1.privatelink.blob.core.chinacloudapi.cn"]);
    }

    #[test]
    fn suffixes_end_at_a_dot() {
        assert!(under("a.blob.core.windows.net", "core.windows.net"));
        assert!(under("core.windows.net", "core.windows.net"));
        assert!(!under("notcore.windows.net", "core.windows.net"));
        assert!(of_azure(Platform::builtin(), "x.eastus.data.azurecr.io"));
        assert!(!of_azure(Platform::builtin(), "example.com"));
        assert!(internal("x.corp.local") && !internal("example.com"));
    }
}
