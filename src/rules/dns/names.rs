//! Names of stores: the public one, the private one, and what belongs to Azure.

use crate::facts::Index;
use crate::facts::platform::Platform;
use crate::facts::store_facts::{Store, StorePart};
use crate::model::Sym;
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

/// The public host name of a store's part: what the input says, else the pattern of its service (DNS-37).
pub fn host(index: &Index, platform: &Platform, part: &StorePart) -> String {
    if !part.host.is_empty() {
        return normal(part.host.as_str());
    }
    let name = index.resource.one(part.store).map_or(part.store.as_str().rsplit('/').next().unwrap_or(""), |r| r.name.as_str());
    let kind = index.store.one(part.store).map(|store| resource_kind(index, store));
    let sub_resource = group(part.part, part.instance);
    match kind.and_then(|kind| platform.zone(kind, sub_resource)) {
        Some(zone) if !zone.suffix.as_str().contains('{') => {
            let secondary = if part.part == sub_resource { "" } else { "-secondary" };
            normal(&format!("{name}{secondary}.{}", zone.suffix))
        }
        _ => String::new(),
    }
}

/// The names under which the private record of a public `host` of sub-resource `group` may stand (DNS-14, DNS-37): usually one.
///
/// The part of a static website's name that is the stamp's may or may not be kept. In other clouds than the public one the suffix follows the same pattern.
pub fn private_names(platform: &Platform, kind: Sym, group: Sym, host: &str) -> Vec<String> {
    let Some(zone) = platform.zone(kind, group) else { return Vec::new() };
    // `z{n}.web.core.windows.net`: what follows the variable label is fixed.
    let fixed = zone.suffix.as_str().rsplit('}').next().unwrap_or("").trim_start_matches('.');
    let mut names = Vec::new();
    if let Some(rest) = host.strip_suffix(fixed).and_then(|rest| rest.strip_suffix('.')) {
        names.push(format!("{rest}.{}", zone.zone));
        if zone.suffix.as_str().contains('{')
            && let Some((first, _)) = rest.split_once('.')
        {
            names.push(format!("{first}.{}", zone.zone));
        }
    } else if let Some((first, suffix)) = host.split_once('.') {
        names.push(format!("{first}.privatelink.{}", suffix.replacen("vault.", "vaultcore.", 1)));
    }
    names
}

/// The part of a store whose private name is `name` (DNS-15).
pub fn part_of_private_name(index: &Index, platform: &Platform, name: &str) -> Option<StorePart> {
    let direct = platform.zones().iter().filter_map(|zone| {
        let rest = name.strip_suffix(zone.zone.as_str())?.strip_suffix('.')?;
        let fixed = zone.suffix.as_str().rsplit('}').next().unwrap_or("").trim_start_matches('.');
        index.store_parts_by_host.one(Sym::new(&format!("{rest}.{fixed}")))
    });
    let found = direct.copied().min_by_key(|part| (part.store.as_str(), part.part.as_str()));
    found.or_else(|| {
        let (first, suffix) = name.split_once(".privatelink.")?;
        let suffix = suffix.replacen("vaultcore.", "vault.", 1);
        index.store_parts_by_host.one(Sym::new(&format!("{first}.{suffix}"))).copied()
    })
}

/// Whether `name` is one that Azure's services have: a store of its own may hide behind it (DNS-35).
pub fn of_azure(platform: &Platform, name: &str) -> bool {
    let listed = platform.zones().iter().flat_map(|zone| [zone.suffix, zone.zone]).any(|suffix| {
        let fixed = suffix.as_str().rsplit('}').next().unwrap_or("").trim_start_matches('.');
        under(name, fixed)
    });
    listed || RESERVED.iter().any(|suffix| under(name, suffix))
}

/// Suffixes of Azure's service domains in all clouds (DNS-18).
const RESERVED: [&str; 11] = [
    "windows.net",
    "azure.com",
    "azure.net",
    "windowsazure.us",
    "azure.us",
    "chinacloudapi.cn",
    "azure.cn",
    "usgovcloudapi.net",
    "azurewebsites.net",
    "azurecr.io",
    "cloudapp.net",
];

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
        assert_eq!(
            names(storage, "web", "a1.z13.web.core.windows.net"),
            ["a1.z13.privatelink.web.core.windows.net", "a1.privatelink.web.core.windows.net"]
        );
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
