//! Container registries.

use serde_json::Value;

use crate::facts::channels::StoreExportOff;
use crate::facts::extract::out::Out;
use crate::facts::extract::store::{
    access, bypass, default_allow, host, host_or, ip_rules, part, part_in, public_access, store, subnet_rules, tier,
};
use crate::facts::store_facts::{Service, StoreRegion};
use crate::model::{Sym, Tri};

/// `microsoft.containerregistry/registries` (ACR-01, ACR-03).
pub(super) fn registry<'a>(out: &mut Out<'a>, body: &'a Value) {
    let tier = tier(out);
    store(out, Service::Acr, tier);
    let login = host_or(out, body, "loginServer", "azurecr.io");
    part(out, "registry", login);
    // Layers come from an endpoint of their own only where that is switched on; else from storage of Azure's, which is no store of the estate.
    if out.flag(body, "dataEndpointEnabled") == Some(true) {
        for name in out.texts(body, "dataEndpointHostNames") {
            let region = name.split('.').nth(1).unwrap_or_default().to_lowercase();
            if let Some(host) = host(name) {
                part_in(out, &format!("registry.{region}"), host, Sym::new(&region));
                let store = out.id();
                out.fact(StoreRegion { store, region: Sym::new(&region) });
            }
        }
    }
    let policy = out.object(body, "policies").and_then(|policies| out.object(policies, "exportPolicy"));
    if policy.and_then(|policy| out.text(policy, "status")).is_some_and(|word| word.eq_ignore_ascii_case("disabled")) {
        out.fact(StoreExportOff { store: out.id() });
    }
    let public = public_access(out, body);
    let acls = out.object(body, "networkRuleSet").unwrap_or(&Value::Null);
    let default_allow = default_allow(out, acls);
    let trusted = bypass(out, body, "networkRuleBypassOptions").unwrap_or(true);
    access(out, public, default_allow, trusted);
    ip_rules(out, acls, "ipRules", &["value"]);
    subnet_rules(out, acls, "virtualNetworkRules", &["id"], |_| Some(Tri::Maybe));
}

/// `microsoft.containerregistry/registries/replications`: whoever asks the registry may be sent there.
pub(super) fn replication<'a>(out: &mut Out<'a>, _body: &'a Value) {
    let (store, region) = (out.parent(), out.resource.location);
    if region.is_empty() {
        return out.gap("`location` is missing");
    }
    out.fact(StoreRegion { store, region });
}
