//! Storage accounts, of both deployment models.

use serde_json::Value;

use crate::facts::channels::{CopyScope, ObjectReplication, StoreCopyScope, StoreCrossTenant};
use crate::facts::extract::out::Out;
use crate::facts::extract::store::{bypass, default_allow, host, host_in, ip_rules, public_access, subnet_rules};
use crate::facts::store_facts::{Instance, PublicAccess, Service, Store, StoreAccess, StorePart, StoreResourceRule, StoreSwitch, Switch};
use crate::ingest;
use crate::model::{Sym, Tri, ids};

/// The sub-resources of an account.
const PARTS: [&str; 6] = ["blob", "dfs", "file", "queue", "table", "web"];

/// `microsoft.storage/storageaccounts` (ST-01).
pub(super) fn account<'a>(out: &mut Out<'a>, body: &'a Value) {
    let store = out.id();
    let envelope = &out.resource.body;
    let kind = out.text(envelope, "kind").map_or(Sym::EMPTY, Sym::lower);
    out.fact(Store { store, service: Service::Storage, kind, location: out.resource.location });
    parts(out, body, kind);

    let public = public_access(out, body);
    // The command line tool has a name of its own for it.
    let acls = out.object(body, "networkAcls").or_else(|| out.object(body, "networkRuleSet")).unwrap_or(&Value::Null);
    let default_allow = default_allow(out, acls);
    let trusted = bypass(out, acls, "bypass").unwrap_or(true);
    let secure = if body.is_null() { Tri::Maybe } else { Tri::Yes };
    let https_only = out.switch(body, &["supportsHttpsTrafficOnly", "enableHttpsTrafficOnly"], secure);
    let plain_http = https_only == Tri::No;
    out.fact(StoreAccess { store, public, default_allow, trusted, plain_http, outbound_restricted: false });
    switches(out, body, https_only);
    ip_rules(out, acls, "ipRules", &["value", "ipAddressOrRange"]);
    ip_rules(out, acls, "ipv6Rules", &["value", "ipAddressOrRange"]);
    subnet_rules(out, acls, "virtualNetworkRules", &["id", "virtualNetworkResourceId"], rule_state);
    for rule in out.objects(acls, "resourceAccessRules") {
        let tenant = out.text(rule, "tenantId").map_or(Sym::EMPTY, Sym::lower);
        match out.text(rule, "resourceId").filter(|text| text.contains('/')) {
            Some(resource) => out.fact(StoreResourceRule { store, tenant, resource: ids::normal_id(resource) }),
            // It names somebody, and nobody knows whom.
            None => {
                out.gap("`properties.networkAcls.resourceAccessRules` has a rule whose `resourceId` is no id of a resource");
                out.fact(StoreResourceRule { store, tenant, resource: Sym::EMPTY });
            }
        }
    }
    if let Some(scope) = out.word(body, "allowedCopyScope", CopyScope::parse, CopyScope::Unknown) {
        out.fact(StoreCopyScope { store, scope });
    }
    if let Some(allowed) = out.flag(body, "allowCrossTenantReplication") {
        out.fact(StoreCrossTenant { store, allowed });
    }
    out.not_modelled(body, "properties.", &["customDomain"]);
}

/// What the account answers besides its usual ports (M-16); of one without a body nobody knows.
fn switches<'a>(out: &mut Out<'a>, body: &'a Value, https_only: Tri) {
    let store = out.id();
    let off = if body.is_null() { Tri::Maybe } else { Tri::No };
    let http = if https_only == Tri::Maybe { Tri::Maybe } else { Tri::No };
    let sftp = out.switch(body, &["isSftpEnabled"], off);
    let nfs = out.switch(body, &["isNfsV3Enabled", "enableNfsV3"], off);
    for (switch, on) in [(Switch::Http, http), (Switch::Sftp, sftp), (Switch::Nfsv3, nfs)] {
        if on.hi() {
            out.fact(StoreSwitch { store, switch, on });
        }
    }
}

/// `microsoft.storage/storageaccounts/objectreplicationpolicies`.
pub(super) fn replication<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (policy, owner) = (out.id(), out.parent());
    let mut account =
        |name: &str| out.text(body, name).map(|text| if text.contains('/') { ids::normal_id(text) } else { Sym::lower(text) });
    let (Some(source), Some(destination)) = (account("sourceAccount"), account("destinationAccount")) else {
        return out.gap("`properties` names no source or destination account");
    };
    let own = source == owner || owner.as_str().ends_with(&format!("/{source}"));
    let in_force = if own { Tri::Yes } else { Tri::Maybe };
    out.fact(ObjectReplication { policy, source, destination, in_force });
}

/// How the state of a network rule counts (ST-12).
fn rule_state(state: &str) -> Option<Tri> {
    match state.to_ascii_lowercase().as_str() {
        "succeeded" => Some(Tri::Yes),
        "provisioning" => Some(Tri::Maybe),
        "deprovisioning" | "failed" | "networksourcedeleted" => Some(Tri::No),
        _ => None,
    }
}

/// The endpoints as the body names them, else as they are always named.
fn parts<'a>(out: &mut Out<'a>, body: &'a Value, kind: Sym) {
    let store = out.id();
    let own = out.resource.location;
    let location = out.text(body, "primaryLocation").map_or(own, ingest::region);
    let account = out.resource.name.as_str().to_lowercase();
    let named: &[&str] = match kind.as_str() {
        "filestorage" => &["file"],
        "blobstorage" | "blockblobstorage" => &["blob", "dfs", "web"],
        _ => &PARTS,
    };
    let part = |out: &mut Out<'a>, part: &str, instance, host, location| {
        out.fact(StorePart { store, part: Sym::new(part), instance, host, location });
    };
    let endpoints = out.object(body, "primaryEndpoints");
    let hosts: Vec<(&str, Sym)> = PARTS.into_iter().filter_map(|name| Some((name, host_in(out, endpoints?, name)?))).collect();
    // An account answers by some name: a list without any says nothing.
    match hosts.is_empty() {
        false => {
            for (name, host) in hosts {
                part(out, name, Instance::Primary, host, location);
            }
        }
        true => {
            for name in named {
                part(out, name, Instance::Primary, Sym::new(&format!("{account}.{name}.core.windows.net")), location);
            }
        }
    }
    let location = out.text(body, "secondaryLocation").map_or(Sym::EMPTY, ingest::region);
    let sku = out.object(&out.resource.body, "sku").and_then(|sku| out.text(sku, "name")).unwrap_or("").to_ascii_uppercase();
    match out.object(body, "secondaryEndpoints") {
        Some(endpoints) => {
            for name in PARTS {
                if let Some(host) = host_in(out, endpoints, name) {
                    part(out, name, Instance::Secondary, host, location);
                }
            }
        }
        None if sku.contains("RAGRS") || sku.contains("RAGZRS") => {
            for name in named.iter().filter(|name| **name != "file") {
                part(out, name, Instance::Secondary, Sym::new(&format!("{account}-secondary.{name}.core.windows.net")), location);
            }
        }
        None => {}
    }
}

/// `microsoft.classicstorage/storageaccounts`: no firewall, always open (ST-14).
pub(super) fn classic<'a>(out: &mut Out<'a>, body: &'a Value) {
    let store = out.id();
    let location = out.resource.location;
    out.fact(Store { store, service: Service::Storage, kind: Sym::new("classic"), location });
    let region = out.text(body, "geoPrimaryRegion").map_or(location, ingest::region);
    let account = out.resource.name.as_str().to_lowercase();
    let mut hosts: Vec<Sym> = out.texts(body, "endpoints").into_iter().filter_map(host).collect();
    if hosts.is_empty() {
        hosts = ["blob", "queue", "table"].iter().map(|part| Sym::new(&format!("{account}.{part}.core.windows.net"))).collect();
    }
    for host in hosts {
        match host.as_str().split('.').nth(1).filter(|part| PARTS.contains(part)) {
            Some(part) => out.fact(StorePart { store, part: Sym::new(part), instance: Instance::Primary, host, location: region }),
            None => out.gap(format!("the endpoint `{host}` is not modelled")),
        }
    }
    out.fact(StoreAccess {
        store,
        public: PublicAccess::Enabled,
        default_allow: Tri::Yes,
        trusted: true,
        plain_http: true,
        outbound_restricted: false,
    });
}
