//! Private Link services (PLS-01 … PLS-16).

use serde_json::Value;

use crate::facts::extract::out::{Out, properties};
use crate::facts::private_link::{PrivateLinkAutoApproval, PrivateLinkFrontend, PrivateLinkNat, PrivateLinkService, PrivateLinkVisible};
use crate::model::Sym;

/// `microsoft.network/privatelinkservices`.
pub(super) fn service<'a>(out: &mut Out<'a>, body: &'a Value) {
    let service = out.id();
    let alias = out.text(body, "alias").map_or(Sym::EMPTY, Sym::lower);
    let destination = out.address(body, "destinationIPAddress");
    let settled = out.settled(body);
    out.fact(PrivateLinkService { service, alias, location: out.resource.location, destination, settled });
    for frontend in out.links(body, "loadBalancerFrontendIpConfigurations") {
        out.fact(PrivateLinkFrontend { service, frontend });
    }
    for (at, part) in out.objects(body, "ipConfigurations").iter().enumerate() {
        let config = out.part_id(part, service, "ipconfigurations", at);
        let part = properties(part);
        let subnet = out.link(part, "subnet").unwrap_or_default();
        let address = out.address(part, "privateIPAddress");
        out.fact(PrivateLinkNat { config, service, subnet, address });
    }
    for subscription in subscriptions(out, body, "visibility") {
        out.fact(PrivateLinkVisible { service, subscription });
    }
    for subscription in subscriptions(out, body, "autoApproval") {
        out.fact(PrivateLinkAutoApproval { service, subscription });
    }
}

fn subscriptions<'a>(out: &mut Out<'a>, body: &'a Value, list: &str) -> Vec<Sym> {
    let Some(of) = out.object(body, list) else { return Vec::new() };
    out.texts(of, "subscriptions").into_iter().map(|id| Sym::lower(id.rsplit('/').next().unwrap_or(id))).collect()
}
