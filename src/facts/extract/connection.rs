//! The provider's view of a private endpoint connection, the same for every kind of target.

use serde_json::Value;

use crate::facts::extract::out::{Out, get};
use crate::facts::private_access::{Consent, ProviderConnection, ProviderConnectionGroup};
use crate::model::Sym;

/// `*/privateendpointconnections` (PE-11).
pub(super) fn provider<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (connection, target) = (out.id(), out.parent());
    let endpoint = out.link(body, "privateEndpoint").unwrap_or_default();
    let state = consent(out, body, true);
    let settled = out.settled(body);
    out.fact(ProviderConnection { connection, target, endpoint, state, settled });
    let groups = out.texts(body, "groupIds").into_iter().chain(out.text(body, "groupId"));
    for group in groups.collect::<Vec<_>>() {
        out.fact(ProviderConnectionGroup { connection, group: Sym::lower(group) });
    }
}

/// The state of a connection; what is not one of the four words is not consent (J-02). One that is `deployed` has a state, said or not; any other is
/// going to ask for one (PE-12).
pub(super) fn consent<'a>(out: &mut Out<'a>, body: &'a Value, deployed: bool) -> Consent {
    match out.object(body, "privateLinkServiceConnectionState") {
        Some(state) => out.word(state, "status", state_of, Consent::Unknown).unwrap_or(Consent::Unknown),
        None if get(body, "privateLinkServiceConnectionState").is_some() => Consent::Unknown,
        None if deployed => {
            out.gap("the state of a private endpoint connection is missing");
            Consent::Unknown
        }
        None => Consent::Requested,
    }
}

/// A state as services write it: some say that a connection is gone in words of their own (J-02).
fn state_of(word: &str) -> Option<Consent> {
    let gone = ["removed", "timeout"].iter().any(|gone| word.eq_ignore_ascii_case(gone));
    if gone { Some(Consent::Disconnected) } else { Consent::parse(word) }
}
