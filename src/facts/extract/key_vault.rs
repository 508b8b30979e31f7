//! Key vaults.

use serde_json::Value;

use crate::facts::extract::out::Out;
use crate::facts::extract::store::{bypass, default_allow, host_or, ip_rules, public_access, subnet_rules};
use crate::facts::store_facts::{Instance, Service, Store, StoreAccess, StorePart};
use crate::model::{Sym, Tri};

/// `microsoft.keyvault/vaults` (KV-01).
pub(super) fn vault<'a>(out: &mut Out<'a>, body: &'a Value) {
    let store = out.id();
    let location = out.resource.location;
    let kind = out.text(&out.resource.body, "kind").map_or(Sym::EMPTY, Sym::lower);
    out.fact(Store { store, service: Service::KeyVault, kind, location });
    let host = host_or(out, body, "vaultUri", "vault.azure.net");
    out.fact(StorePart { store, part: Sym::new("vault"), instance: Instance::Primary, host, location });
    let public = public_access(out, body);
    let acls = out.object(body, "networkAcls").unwrap_or(&Value::Null);
    let default_allow = default_allow(out, acls);
    let trusted = bypass(out, acls, "bypass").unwrap_or(true);
    out.fact(StoreAccess { store, public, default_allow, trusted, plain_http: false, outbound_restricted: false });
    ip_rules(out, acls, "ipRules", &["value"]);
    // Rules of a vault have no state.
    subnet_rules(out, acls, "virtualNetworkRules", &["id"], |_| Some(Tri::Maybe));
}
