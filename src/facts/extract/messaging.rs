//! Namespaces of Event Hubs, Service Bus and Relay, and the rule set that is their child.

use serde_json::Value;

use crate::facts::extract::out::Out;
use crate::facts::extract::store::{access, default_allow, host_or, ip_rules_of, part, public_access, store, subnet_rules_of, tier};
use crate::facts::store_facts::{Service, StoreRuleSet};
use crate::model::{Sym, Tri};

/// `microsoft.eventhub/namespaces` (MSG-01).
pub(super) fn event_hubs<'a>(out: &mut Out<'a>, body: &'a Value) {
    namespace(out, body, Service::EventHub);
}

/// `microsoft.servicebus/namespaces` (MSG-01).
pub(super) fn service_bus<'a>(out: &mut Out<'a>, body: &'a Value) {
    namespace(out, body, Service::ServiceBus);
}

/// `microsoft.relay/namespaces` (GEN-01).
pub(super) fn relay<'a>(out: &mut Out<'a>, body: &'a Value) {
    namespace(out, body, Service::Relay);
}

fn namespace<'a>(out: &mut Out<'a>, body: &'a Value, service: Service) {
    let tier = tier(out);
    store(out, service, tier);
    let host = host_or(out, body, "serviceBusEndpoint", "servicebus.windows.net");
    part(out, "namespace", host);
    let public = public_access(out, body);
    // The default action stands in the rule set.
    access(out, public, Tri::Maybe, false);
}

/// `…/namespaces/networkrulesets` (MSG-01, MSG-03).
pub(super) fn rule_set<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (rule_set, store) = (out.id(), out.parent());
    let public = public_access(out, body);
    let default_allow = default_allow(out, body);
    let trusted = out.flag(body, "trustedServiceAccessEnabled") == Some(true);
    out.fact(StoreRuleSet { rule_set, store, part: Sym::EMPTY, public, default_allow, trusted });
    ip_rules_of(out, store, body, "ipRules", &["ipMask"]);
    subnet_rules_of(out, store, body, "virtualNetworkRules", &["subnet", "subnetId"], |_| Some(Tri::Maybe));
}
