//! Service endpoint policies.

use serde_json::Value;

use crate::facts::extract::out::{Out, get, says_none};
use crate::facts::gap::{ChildType, SUBNETS};
use crate::facts::network::SubnetEndpointPolicy;
use crate::facts::private_access::{EndpointPolicy, EndpointPolicyScope};
use crate::model::{Sym, ids};

/// What a definition lists of which that is not known: no id, and so perhaps any account.
pub(super) const UNTOLD: &str = "unknown";

/// `microsoft.network/serviceendpointpolicies` (SEP-01).
pub(super) fn policy<'a>(out: &mut Out<'a>, body: &'a Value) {
    let policy = out.id();
    out.fact(EndpointPolicy { policy, location: out.resource.location });
    if says_none(body, "subnets") {
        out.fact(ChildType { parent: policy, kind: Sym::new(SUBNETS) });
    }
    for subnet in out.links(body, "subnets") {
        out.fact(SubnetEndpointPolicy { subnet, policy });
    }
    out.not_modelled(body, "properties.", &["serviceAlias", "contextualServiceEndpointPolicies"]);
}

/// `microsoft.network/serviceendpointpolicies/serviceendpointpolicydefinitions` (SEP-05, SEP-09, SEP-11).
pub(super) fn definition<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (definition, policy) = (out.id(), out.parent());
    let service = out.text(body, "service").map_or(Sym::EMPTY, Sym::lower);
    if service.is_empty() {
        out.gap("`properties.service` is missing");
    }
    let scopes = out.texts(body, "serviceResources");
    if scopes.is_empty() {
        // Azure prints the list with every definition: where it is not there, it was left out on the way, and what it lists is not known.
        let told = get(body, "serviceResources").is_some();
        if !told {
            out.gap("`properties.serviceResources` is missing");
        }
        let scope = if told { Sym::EMPTY } else { Sym::new(UNTOLD) };
        out.fact(EndpointPolicyScope { definition, policy, service, scope });
    }
    for scope in scopes {
        out.fact(EndpointPolicyScope { definition, policy, service, scope: ids::normal_id(scope) });
    }
}
