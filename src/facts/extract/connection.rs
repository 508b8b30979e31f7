//! The provider's view of a private endpoint connection, the same for every kind of target.

use serde_json::Value;

use crate::facts::extract::out::{Out, get};
use crate::facts::private_access::{Consent, ProviderConnection, ProviderConnectionGroup};
use crate::model::Sym;

/// `*/privateendpointconnections` (PE-11).
pub(super) fn provider<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (connection, target) = (out.id(), out.parent());
    let endpoint = out.link(body, "privateEndpoint").unwrap_or_default();
    let state = consent(out, body);
    let settled = out.settled(body);
    out.fact(ProviderConnection { connection, target, endpoint, state, settled });
    for group in out.texts(body, "groupIds") {
        out.fact(ProviderConnectionGroup { connection, group: Sym::lower(group) });
    }
}

/// The state of a connection; what is not one of the four words is not consent (J-02).
pub(super) fn consent<'a>(out: &mut Out<'a>, body: &'a Value) -> Consent {
    match out.object(body, "privateLinkServiceConnectionState") {
        Some(state) => out.word(state, "status", Consent::parse, Consent::Unknown).unwrap_or(Consent::Unknown),
        None if get(body, "privateLinkServiceConnectionState").is_some() => Consent::Unknown,
        None => Consent::Requested,
    }
}
