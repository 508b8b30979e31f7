//! Which private endpoint connections carry traffic.

use crate::facts::Index;
use crate::facts::private_access::{Consent, PrivateEndpointConnection, ProviderConnection};
use crate::facts::store_facts::Store;
use crate::model::ids::id_parts;
use crate::model::{Sym, Tri};
use crate::rules::dns::names;
use crate::rules::{lead, private_endpoint, private_link};

/// Whose record of a connection decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// What stands on the private endpoint.
    Consumer,
    /// What stands on the resource it is for.
    Provider,
    /// The resource lists its connections, and this one is not among them.
    NotListed,
    /// The resource is in the input, but not the list of its connections.
    ListMissing,
}

/// What is known of the provider's list of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The resource is not in the input: the consumer's word counts.
    Unseen,
    /// Its list is in the input: what it lacks does not exist.
    Listed,
    /// The resource is in the input, its list is not (M-03).
    Unlisted,
}

/// Whether a connection carries traffic, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether data flows (PE-10).
    pub admitted: Tri,
    /// The state that decides.
    pub state: Consent,
    /// Whose view it is.
    pub view: View,
    /// The row it stands in: the consumer's or the provider's connection.
    pub connection: Sym,
}

/// The worse state hides the better one (PE-11).
fn rank(state: Consent) -> u8 {
    match state {
        Consent::Approved => 0,
        Consent::Unknown => 1,
        Consent::Pending | Consent::Requested => 2,
        Consent::Rejected => 3,
        Consent::Disconnected => 4,
    }
}

/// What one view says of itself: only a settled `Approved` is a yes, and only another settled state is a no.
pub fn says(state: Consent, settled: bool) -> Tri {
    match (state, settled) {
        (_, false) | (Consent::Unknown | Consent::Requested, _) => Tri::Maybe,
        (Consent::Approved, true) => Tri::Yes,
        (_, true) => Tri::No,
    }
}

/// Whether the connection `consumer` carries traffic; `provider` holds the target's connections, of which those of this endpoint count.
///
/// Approved only where every view says so; a refusing view wins over a waiting one, a waiting one over consent (PE-10, PE-11, PE-14). Where the provider has
/// several entries for one endpoint and they disagree, one may be left from an earlier endpoint of that name: maybe.
///
/// ```datalog
/// refused(C) :- private_endpoint_connection(C, _, _, _, _, S, true), S != "approved", S != "unknown".            // consent.1
/// refused(C) :- private_endpoint_connection(C, E, T, _, _, _, _), provider_connection(_, T, E, S, true),
///               S != "approved", S != "unknown".                                                                // consent.2
/// consents(C) :- private_endpoint_connection(C, E, T, _, _, "approved", true),
///                provider_connection(_, T, E, "approved", true), !refused(C).                                   // consent.3
/// consents(C) :- private_endpoint_connection(C, _, T, _, _, "approved", true), !resource(T, _, _, _, _, _, _).   // consent.4
/// ```
pub fn effective(consumer: &PrivateEndpointConnection, provider: &[ProviderConnection], target: Provider) -> Decision {
    let own = says(consumer.state, consumer.settled);
    let own = Decision { admitted: own, state: consumer.state, view: View::Consumer, connection: consumer.connection };
    let listed: Vec<&ProviderConnection> =
        provider.iter().filter(|p| p.endpoint == consumer.endpoint && p.target == consumer.target).collect();
    let theirs = match listed.iter().max_by_key(|p| (rank(p.state), p.connection.as_str())) {
        Some(worst) => {
            let admitted = if listed.iter().all(|p| says(p.state, p.settled) == says(worst.state, worst.settled)) {
                says(worst.state, worst.settled)
            } else {
                Tri::Maybe
            };
            Decision { admitted, state: worst.state, view: View::Provider, connection: worst.connection }
        }
        None => match target {
            Provider::Unseen => return own,
            Provider::Listed => {
                Decision { admitted: Tri::No, state: Consent::Disconnected, view: View::NotListed, connection: consumer.connection }
            }
            Provider::Unlisted => {
                Decision { admitted: Tri::Maybe, state: Consent::Unknown, view: View::ListMissing, connection: consumer.connection }
            }
        },
    };
    // An entry that does not say which endpoint it is for may be this one's.
    let nameless = provider.iter().filter(|p| p.endpoint.is_empty() && p.target == consumer.target);
    let other = nameless.filter(|p| says(p.state, p.settled) != theirs.admitted).max_by_key(|p| (rank(p.state), p.connection.as_str()));
    let theirs = match other {
        Some(other) => Decision { admitted: Tri::Maybe, state: other.state, view: View::Provider, connection: other.connection },
        None => theirs,
    };
    match own.admitted.cmp(&theirs.admitted) {
        std::cmp::Ordering::Less => own,
        std::cmp::Ordering::Greater => theirs,
        std::cmp::Ordering::Equal if rank(theirs.state) > rank(own.state) => theirs,
        std::cmp::Ordering::Equal => own,
    }
}

/// What the input holds of the list of connections of `target` itself (M-03).
pub fn provider(index: &Index, target: Sym) -> Provider {
    if index.provider_connections_by_target.get(target).iter().any(is_read) {
        return Provider::Listed;
    }
    let Some(kind) = kind_of(index, target).map(list_kind) else { return Provider::Unseen };
    if index.lists_children(target, kind) { Provider::Listed } else { Provider::Unlisted }
}

/// The type of a resource of the input; `None` for one that is not in it.
pub fn kind_of(index: &Index, id: Sym) -> Option<Sym> {
    let of_store = |store: &Store| names::resource_kind(index, store);
    index.resource.one(id).map(|row| row.kind).or_else(|| index.store.one(id).map(of_store))
}

/// The child type of a resource type's connections.
fn list_kind(kind: Sym) -> Sym {
    Sym::new(&format!("{kind}/privateendpointconnections"))
}

/// Whether such lists were exported for resources of the type of `target`: then one that is missing is an empty one (decision 8).
///
/// That is enough to say that a resource has no connection, and too little to call one that its own endpoint knows a broken one.
fn lists_exported(index: &Index, target: Sym) -> bool {
    let Some(kind) = kind_of(index, target) else { return false };
    let same_kind = |other: Sym| kind_of(index, other) == Some(kind);
    index.resources_by_kind.has(list_kind(kind)) || index.provider_connection.rows().any(|p| is_read(p) && same_kind(p.target))
}

/// Whether a row says anything: one with neither an endpoint nor a state stands for what could not be read, and shows no list (SND-02).
pub fn is_read(row: &ProviderConnection) -> bool {
    !row.endpoint.is_empty() || row.state != Consent::Unknown
}

/// Whether `target` may have connections that stand in no export: its own list is not in the input, nor any of its type (M-03, decision 8).
pub fn may_have_others(index: &Index, target: Sym) -> bool {
    provider(index, target) == Provider::Unlisted && !lists_exported(index, target)
}

/// [`effective`] on the rows of the index.
pub fn of(index: &Index, consumer: &PrivateEndpointConnection) -> Decision {
    let target = private_link::target(index, consumer.target);
    let consumer = PrivateEndpointConnection { target, ..*consumer };
    let listed = index.provider_connections_by_target.get(target).iter();
    let listed = listed.into_iter().any(|row| row.endpoint == consumer.endpoint || row.endpoint.is_empty());
    if consumer.state == Consent::Requested && !listed {
        return requested(index, &consumer);
    }
    effective(&consumer, index.provider_connections_by_target.get(target), provider(index, target))
}

/// What becomes of a request that nobody has answered yet: whoever may approve it himself is taken to do so, in his own tenant (PE-12, PE-13); a manual one
/// waits for the owner, but for services that approve at once (PLS-08).
fn requested(index: &Index, consumer: &PrivateEndpointConnection) -> Decision {
    let row = |id: Sym| index.resource.one(id);
    let tenant = |id: Sym| row(id).map_or(Sym::EMPTY, |row| row.tenant);
    let subscription = Sym::new(id_parts(consumer.endpoint.as_str()).subscription);
    let same = match (tenant(consumer.endpoint), tenant(consumer.target)) {
        (ours, theirs) if !ours.is_empty() && !theirs.is_empty() => Tri::from_bool(ours == theirs),
        _ if subscription.as_str() == id_parts(consumer.target.as_str()).subscription => Tri::Yes,
        _ => Tri::Maybe,
    };
    let by_owner = if consumer.manual { Tri::No } else { same };
    let admitted = by_owner.or(private_link::approves(index, consumer.target, subscription));
    let admitted = if consumer.settled { admitted } else { admitted.min(Tri::Maybe) };
    let state = if admitted == Tri::Yes { Consent::Approved } else { Consent::Pending };
    Decision { admitted, state, view: View::Consumer, connection: consumer.connection }
}

/// Whether the target has an approved connection for the sub-resource `group`, from whatever network or tenant (DNS-14).
///
/// `only_group` says that the target has no other sub-resource, so that a connection nobody exported the other end of must be for this one.
/// A slot of an app has the connections of the app that name it.
///
/// ```datalog
/// published(T, G) :- private_endpoint_connection(C, _, T, G, _, _, _), consents(C).                              // consent.5
/// ```
pub fn approved_for(index: &Index, target: Sym, group: Sym, only_group: bool) -> Tri {
    let anchors = private_endpoint::anchors(target, group);
    anchors.fold(Tri::No, |any, (at, group)| any.or(approved_on(index, at, group, only_group && at == target)))
}

fn approved_on(index: &Index, target: Sym, group: Sym, only_group: bool) -> Tri {
    let mut approved = if may_have_others(index, target) { Tri::Maybe } else { Tri::No };
    for connection in index.private_endpoint_connections_by_target.get(target) {
        for (named, certain) in lead::groups(index, connection) {
            if named == group || named.is_empty() {
                let known = if certain && named == group { Tri::Yes } else { Tri::Maybe };
                approved = approved.or(of(index, connection).admitted.and(known));
            }
        }
    }
    for connection in index.provider_connections_by_target.get(target) {
        let seen = index.private_endpoint_connections.get(connection.endpoint).iter().any(|c| c.target == target);
        if !seen {
            let known = lead::listed_for(index, connection, group, only_group);
            let known = if may_be_unapproved(index, connection) { known.and(Tri::Maybe) } else { known };
            approved = approved.or(says(connection.state, connection.settled).and(known));
        }
    }
    approved
}

/// Whether an entry that names no endpoint may be for one of the input that no other entry names and that does not call the connection approved: then nothing
/// passes that connection, whatever the entry says (PE-10).
fn may_be_unapproved(index: &Index, entry: &ProviderConnection) -> bool {
    let listed = |endpoint: Sym| index.provider_connections_by_target.get(entry.target).iter().any(|row| row.endpoint == endpoint);
    let named = index.provider_connection_groups.get(entry.connection);
    let fits = |own: &PrivateEndpointConnection| {
        named.is_empty()
            || lead::groups(index, own).iter().any(|(group, _)| group.is_empty() || named.iter().any(|row| row.group == *group))
    };
    let own = index.private_endpoint_connections_by_target.get(entry.target).iter();
    entry.endpoint.is_empty() && own.into_iter().any(|own| says(own.state, own.settled) != Tri::Yes && !listed(own.endpoint) && fits(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consumer(state: Consent) -> PrivateEndpointConnection {
        let sym = Sym::new;
        PrivateEndpointConnection {
            connection: sym("c"),
            endpoint: sym("pe"),
            target: sym("t"),
            group: sym("blob"),
            manual: false,
            state,
            settled: true,
        }
    }

    fn listed(connection: &str, state: Consent) -> ProviderConnection {
        ProviderConnection { connection: connection.into(), target: "t".into(), endpoint: "pe".into(), state, settled: true }
    }

    // covers: PE-10, PE-11, PE-14
    #[test]
    fn every_view_must_say_approved() {
        use Consent::*;
        for (mine, theirs, admitted, state) in [
            (Approved, Approved, Tri::Yes, Approved),
            (Approved, Pending, Tri::No, Pending),
            (Pending, Approved, Tri::No, Pending),
            (Pending, Rejected, Tri::No, Rejected),
            (Disconnected, Rejected, Tri::No, Disconnected),
            (Approved, Unknown, Tri::Maybe, Unknown),
            (Unknown, Rejected, Tri::No, Rejected),
        ] {
            let decision = effective(&consumer(mine), &[listed("p", theirs)], Provider::Listed);
            assert_eq!((decision.admitted, decision.state), (admitted, state), "{mine:?} {theirs:?}");
        }
    }

    // covers: PE-11, M-03
    #[test]
    fn a_connection_that_the_list_lacks_is_gone_and_without_a_list_unknown() {
        let mine = consumer(Consent::Approved);
        let gone = effective(&mine, &[], Provider::Listed);
        assert_eq!((gone.admitted, gone.state, gone.view), (Tri::No, Consent::Disconnected, View::NotListed));
        assert_eq!(effective(&mine, &[], Provider::Unlisted).admitted, Tri::Maybe);
        assert_eq!(effective(&mine, &[], Provider::Unseen).admitted, Tri::Yes);
        assert_eq!(effective(&consumer(Consent::Rejected), &[], Provider::Unlisted).admitted, Tri::No);
    }

    // covers: PE-11
    #[test]
    fn what_is_still_changing_is_no_answer() {
        let mut mine = consumer(Consent::Approved);
        mine.settled = false;
        assert_eq!(effective(&mine, &[listed("p", Consent::Approved)], Provider::Listed).admitted, Tri::Maybe);
    }

    // covers: PE-11
    #[test]
    fn an_entry_left_from_an_earlier_endpoint_of_that_name_proves_nothing() {
        let two = [listed("old", Consent::Disconnected), listed("new", Consent::Approved)];
        let decision = effective(&consumer(Consent::Approved), &two, Provider::Listed);
        assert_eq!((decision.admitted, decision.connection), (Tri::Maybe, Sym::new("old")));
    }

    // covers: PE-12, PE-13, PLS-06, PLS-08, PLS-09
    #[test]
    fn a_request_is_approved_in_its_own_tenant_and_waits_elsewhere() {
        use crate::facts::gap::Resource;
        use crate::facts::private_link::*;
        let resource = |id: &str, tenant: &str| Resource {
            id: id.into(),
            kind: "microsoft.network/privatelinkservices".into(),
            name: id.into(),
            location: "".into(),
            subscription: "".into(),
            tenant: tenant.into(),
            group: "".into(),
        };
        let ask = |index: &Index, manual: bool, target: &str| {
            let mut request = consumer(Consent::Requested);
            (request.manual, request.target, request.endpoint) = (manual, target.into(), "/subscriptions/s1/pe".into());
            of(index, &request).admitted
        };
        let mut index = Index::default();
        index.insert(resource("/subscriptions/s1/pe", "t1").into());
        index.insert(resource("t", "t1").into());
        assert_eq!([ask(&index, false, "t"), ask(&index, true, "t")], [Tri::Yes, Tri::No]);
        index.insert(resource("x", "tx").into());
        assert_eq!([ask(&index, false, "x"), ask(&index, false, "unseen")], [Tri::No, Tri::Maybe]);
        let service =
            PrivateLinkService { service: "x".into(), alias: "x.guid".into(), location: "".into(), destination: None, settled: true };
        index.insert(service.into());
        index.insert(PrivateLinkAutoApproval { service: "x".into(), subscription: "*".into() }.into());
        assert_eq!(ask(&index, true, "x.GUID"), Tri::No, "it may not even see the service");
        index.insert(PrivateLinkVisible { service: "x".into(), subscription: "s1".into() }.into());
        assert_eq!(ask(&index, true, "x.GUID"), Tri::Yes);
        assert_eq!(private_link::approved_at_once(&index, "x".into()), [Sym::new("s1")]);
    }
}
