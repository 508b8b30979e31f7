//! Which storage accounts the service endpoint policies of a subnet let through.

use crate::facts::Index;
use crate::facts::gap::{POLICIES, SUBNETS};
use crate::facts::network::SubnetEndpointPolicy;
use crate::facts::platform::Platform;
use crate::facts::private_access::EndpointPolicyScope;
use crate::model::ids::{id_parts, id_type};
use crate::model::{Sym, Tri};

/// What the policies of a subnet say of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether the packets pass.
    pub admitted: Tri,
    /// Whether the policies filter at all (SEP-10, SEP-11).
    pub effective: Tri,
    /// The definition that lists the account; empty where none does.
    pub definition: Sym,
    /// What it lists.
    pub scope: Sym,
}

/// One attached policy: its definitions, or that it is not in the input.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// Whether the input tells its definitions.
    pub known: bool,
    /// Its definitions.
    pub scopes: &'a [EndpointPolicyScope],
}

/// What a scope of a definition stands for.
enum Scope {
    Nothing,
    Alias,
    /// Whether it lists the account, and whether it surely is about accounts at all.
    Listed {
        listed: Tri,
        certain: bool,
    },
}

/// Whether the definition of `scope` names storage accounts: one for another service says nothing of storage (SEP-02). One without a service may be about
/// storage, and one for all services, which should hold aliases alone, may mean what it lists besides.
pub fn of_storage(scope: &EndpointPolicyScope) -> Tri {
    match scope.service.as_str() {
        "microsoft.storage" | "microsoft.storage.global" => Tri::Yes,
        "" | "global" => Tri::Maybe,
        _ => Tri::No,
    }
}

/// Whether `scope` stands for accounts of Azure's own services (SEP-09).
pub fn is_alias(scope: &EndpointPolicyScope) -> bool {
    scope.scope.as_str().starts_with("/services/")
}

/// What a scope names (SEP-05).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Subscription,
    Group,
    Resource,
}

/// The form of a scope; `None` for what is none of the documented ones: what Azure takes it for is not known.
fn form(scope: &str) -> Option<Form> {
    let parts = id_parts(scope);
    match scope.split('/').skip(1).count() {
        _ if parts.subscription.is_empty() => None,
        2 => Some(Form::Subscription),
        4 if !parts.group.is_empty() => Some(Form::Group),
        8 => Some(Form::Resource),
        _ => None,
    }
}

/// Whether the scope surely names a subscription, a group or an account (SEP-05).
pub fn names_accounts(scope: Sym) -> bool {
    let of_storage = |text: &str| id_type(text).is_some_and(|kind| kind.ends_with("storage/storageaccounts"));
    match form(scope.as_str()) {
        Some(Form::Subscription | Form::Group) => true,
        Some(Form::Resource) => of_storage(scope.as_str()),
        None => false,
    }
}

/// Whether `scope` lists `account`: by subscription, resource group or full id, whole segments (M-01, SEP-05, SEP-09).
fn lists(scope: &EndpointPolicyScope, account: Sym) -> Scope {
    let text = scope.scope.as_str();
    if text.is_empty() {
        return Scope::Nothing;
    }
    if is_alias(scope) {
        return Scope::Alias;
    }
    let of_storage = of_storage(scope);
    if of_storage == Tri::No {
        return Scope::Nothing;
    }
    let (parts, of) = (id_parts(text), id_parts(account.as_str()));
    let listed = match form(text) {
        _ if scope.scope == account => Tri::Yes,
        Some(Form::Subscription) => Tri::from_bool(parts.subscription == of.subscription),
        Some(Form::Group) => Tri::from_bool(parts.subscription == of.subscription && parts.group == of.group),
        Some(Form::Resource) => Tri::No,
        None => Tri::Maybe,
    };
    Scope::Listed { listed: listed.and(of_storage), certain: of_storage == Tri::Yes }
}

/// Whether the attached policies let traffic to `account` through the storage service endpoint.
///
/// The union of all definitions decides (SEP-05, SEP-06, SEP-08). No policy filters nothing (SEP-03), aliases alone filter nothing (SEP-10), a policy that
/// lists nothing is undocumented (SEP-11), a classic account never passes a filter (SEP-07). A policy that is not in the input may list anything.
///
/// ```datalog
/// filters(S) :- subnet_endpoint_policy(S, P), endpoint_policy_scope(_, P, "microsoft.storage", X), X != "".       // sep.1
/// policy_admits(S, A) :- subnet_endpoint_policy(S, P), endpoint_policy_scope(_, P, "microsoft.storage", A), store(A, "storage", _, _). // sep.2
/// policy_admits(S, A) :- subnet_endpoint_policy(S, P), endpoint_policy_scope(_, P, "microsoft.storage", X),
///                        resource(A, _, _, _, U, _, _), concat("/subscriptions/", U, X).                         // sep.3
/// policy_admits(S, A) :- subnet(S, _, _), !filters(S), store(A, "storage", _, _).                                 // sep.4
/// ```
pub fn admits(policies: &[Policy<'_>], account: Sym, classic: bool) -> Decision {
    let mut decision = Decision { admitted: Tri::No, effective: Tri::No, definition: Sym::EMPTY, scope: Sym::EMPTY };
    // A policy without the body, and one that lists nothing at all, may or may not filter.
    let mut doubtful = false;
    let mut missing = false;
    for policy in policies {
        missing |= !policy.known;
        let mut aliases = false;
        let (mut resources, mut unsure) = (false, false);
        for row in policy.scopes {
            match lists(row, account) {
                Scope::Nothing => {}
                Scope::Alias => aliases = true,
                Scope::Listed { listed, certain } => {
                    resources |= certain;
                    unsure |= !certain;
                    let earlier = decision.definition.is_empty() || row.scope.as_str() < decision.scope.as_str();
                    if listed > decision.admitted || (listed == decision.admitted && listed.hi() && earlier) {
                        decision.admitted = listed;
                        (decision.definition, decision.scope) = (row.definition, row.scope);
                    }
                }
            }
        }
        if resources {
            decision.effective = Tri::Yes;
        }
        doubtful |= !policy.known || unsure || (!resources && !aliases);
    }
    if classic && decision.admitted.hi() {
        decision = Decision { admitted: Tri::No, definition: Sym::EMPTY, scope: Sym::EMPTY, ..decision };
    }
    if decision.effective != Tri::Yes {
        // Nothing filters for sure: what is not listed passes, unless a doubtful policy filters after all.
        decision.effective = if doubtful { Tri::Maybe } else { Tri::No };
        decision.admitted = if doubtful { Tri::Maybe } else { Tri::Yes };
    } else if missing && !classic {
        decision.admitted = decision.admitted.or(Tri::Maybe);
    }
    decision
}

/// The policies attached to `subnet`.
fn attached(index: &Index, subnet: Sym) -> Vec<Policy<'_>> {
    let mut rows: Vec<Sym> = index.subnet_endpoint_policies.get(subnet).iter().map(|row| row.policy).collect();
    Sym::sort(&mut rows);
    let unknown = Policy { known: false, scopes: &[] };
    let told = |policy| Policy { known: is_told(index, policy), scopes: index.endpoint_policy_scopes.get(policy) };
    rows.into_iter().map(|policy| if is_contested(index, subnet, policy) { unknown } else { told(policy) }).collect()
}

/// Whether one of the two sides says that it has none, while the other names it: whether the policy is attached to the subnet is not known (SEP-01).
pub fn is_contested(index: &Index, subnet: Sym, policy: Sym) -> bool {
    let has_none = |of: Sym, kind: &str| index.child_type.get(of).iter().any(|row| row.kind.as_str() == kind);
    has_none(subnet, POLICIES) || has_none(policy, SUBNETS)
}

/// [`admits`] on the rows of the index; only meaningful for traffic that takes the storage endpoint of `subnet` (SEP-02, SEP-12, SEP-14).
pub fn of(index: &Index, subnet: Sym, account: Sym, classic: bool) -> Decision {
    admits(&attached(index, subnet), account, classic)
}

/// Whether a policy is attached to `subnet`: any makes its storage endpoint global (SEP-04), but not in the first version (SEP-16).
pub fn widens(index: &Index, subnet: Sym) -> Tri {
    if first_version(index) {
        return Tri::No;
    }
    let sure = |row: &SubnetEndpointPolicy| if is_contested(index, subnet, row.policy) { Tri::Maybe } else { Tri::Yes };
    index.subnet_endpoint_policies.get(subnet).iter().map(sure).max().unwrap_or(Tri::No)
}

/// Whether the policies of `subnet` look at traffic to `region` at all: the first version did so in the network's region and its pair alone (SEP-16).
pub fn looks_at(index: &Index, platform: &Platform, subnet: Sym, region: Sym) -> Tri {
    if !first_version(index) {
        return Tri::Yes;
    }
    let home = index.subnet.one(subnet).and_then(|s| index.vnet.one(s.vnet)).map_or(Sym::EMPTY, |v| v.location);
    if home.is_empty() || region.is_empty() {
        return Tri::Maybe;
    }
    Tri::from_bool(region == home || platform.region_pair(home) == Some(region))
}

fn first_version(index: &Index) -> bool {
    index.era.has(Sym::new("2019"))
}

/// The type of the definitions of policies.
const DEFINITIONS: &str = "microsoft.network/serviceendpointpolicies/serviceendpointpolicydefinitions";

/// Whether the input tells the definitions of the policy: it has some, lists them, be it as none, or those of policies were exported as rows of their own, and
/// it has none there (M-03, decision 8). What another policy lists in its own body says nothing of this one.
fn is_told(index: &Index, policy: Sym) -> bool {
    let lists = |policy: Sym| index.lists_children(policy, Sym::new(DEFINITIONS));
    let by_themselves = || index.endpoint_policy_scopes.rows().any(|row| !lists(row.policy));
    index.endpoint_policy.has(policy) && (index.endpoint_policy_scopes.has(policy) || lists(policy) || by_themselves())
}

/// Whether a policy attached to `subnet`, or what it defines, is not in the input: it may list anything (SND-03). So may one of which nobody knows whether it is
/// attached.
pub fn is_missing(index: &Index, subnet: Sym) -> bool {
    index.subnet_endpoint_policies.get(subnet).iter().any(|row| !is_told(index, row.policy) || is_contested(index, subnet, row.policy))
}

/// The policy of `subnet` to name: the least by id, of those that are not told where there are any.
pub fn first(index: &Index, subnet: Sym) -> Sym {
    let policies = index.subnet_endpoint_policies.get(subnet).iter().map(|row| row.policy);
    policies.min_by_key(|policy| (is_told(index, *policy), policy.as_str())).unwrap_or_default()
}

/// Whether the policies attached to `subnet` filter at all (SEP-03, SEP-10, SEP-11).
pub fn effective_on(index: &Index, subnet: Sym) -> Tri {
    let policies = attached(index, subnet);
    if policies.is_empty() { Tri::No } else { admits(&policies, Sym::EMPTY, false).effective }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A1: &str = "/subscriptions/s1/resourcegroups/rg1/providers/microsoft.storage/storageaccounts/a1";
    const A2: &str = "/subscriptions/s1/resourcegroups/rg10/providers/microsoft.storage/storageaccounts/a2";
    const RX: &str = "/subscriptions/sx/resourcegroups/rg1/providers/microsoft.storage/storageaccounts/rx";

    fn scopes(listed: &[(&str, &str)]) -> Vec<EndpointPolicyScope> {
        let row = |(n, (service, scope)): (usize, &(&str, &str))| EndpointPolicyScope {
            definition: Sym::new(&format!("d{n}")),
            policy: "p".into(),
            service: (*service).into(),
            scope: (*scope).into(),
        };
        listed.iter().enumerate().map(row).collect()
    }

    fn ask(listed: &[(&str, &str)], account: &str) -> (Tri, Tri) {
        let rows = scopes(listed);
        let decision = admits(&[Policy { known: true, scopes: &rows }], account.into(), false);
        (decision.admitted, decision.effective)
    }

    // covers: SEP-01, SEP-05, SEP-08, M-01
    #[test]
    fn accounts_pass_by_subscription_group_or_id() {
        let storage = "microsoft.storage";
        for (scope, a1, a2, rx) in [
            (A1, Tri::Yes, Tri::No, Tri::No),
            ("/subscriptions/s1/resourcegroups/rg1", Tri::Yes, Tri::No, Tri::No),
            ("/subscriptions/s1", Tri::Yes, Tri::Yes, Tri::No),
            ("/subscriptions/sx", Tri::No, Tri::No, Tri::Yes),
            ("whatever", Tri::Maybe, Tri::Maybe, Tri::Maybe),
        ] {
            let got = [A1, A2, RX].map(|account| ask(&[(storage, scope)], account).0);
            assert_eq!(got, [a1, a2, rx], "{scope}");
        }
        assert_eq!(ask(&[(storage, A1), (storage, A2)], A2), (Tri::Yes, Tri::Yes), "the union");
    }

    // covers: SEP-03, SEP-09, SEP-10, SEP-11
    #[test]
    fn what_does_not_list_a_resource_does_not_filter() {
        assert_eq!(admits(&[], RX.into(), false).admitted, Tri::Yes);
        assert_eq!(ask(&[("global", "/services/azure")], RX), (Tri::Yes, Tri::No));
        assert_eq!(ask(&[("microsoft.storage", A1), ("global", "/services/azure")], A2), (Tri::No, Tri::Yes));
        assert_eq!(ask(&[], RX), (Tri::Maybe, Tri::Maybe));
        assert_eq!(ask(&[("microsoft.storage", "")], RX), (Tri::Maybe, Tri::Maybe));
        assert_eq!(ask(&[("microsoft.sql", A1)], RX), (Tri::Maybe, Tri::Maybe), "a definition for another service");
        assert_eq!(ask(&[("global", A1)], RX), (Tri::Maybe, Tri::Maybe), "an account where aliases belong");
    }

    // covers: SEP-05, SND-03
    #[test]
    fn a_policy_nobody_exported_may_list_anything() {
        let rows = scopes(&[("microsoft.storage", A1)]);
        let missing = Policy { known: false, scopes: &[] };
        let both = [Policy { known: true, scopes: &rows }, missing];
        assert_eq!(admits(&both, A1.into(), false).admitted, Tri::Yes);
        assert_eq!(admits(&both, A2.into(), false).admitted, Tri::Maybe);
        assert_eq!(admits(&[missing], A2.into(), false).admitted, Tri::Maybe);
    }

    // covers: SEP-16, M-06
    #[test]
    fn the_first_version_looked_at_two_regions() {
        use crate::facts::network::{Subnet, SubnetEndpointPolicy, Vnet};
        use crate::facts::private_access::Era;
        let mut index: Index = [
            Vnet { vnet: "v".into(), location: "eastus".into() }.into(),
            Subnet { subnet: "s".into(), vnet: "v".into(), name: "s".into() }.into(),
            SubnetEndpointPolicy { subnet: "s".into(), policy: "p".into() }.into(),
        ]
        .into_iter()
        .collect();
        let looks =
            |index: &Index| ["eastus", "westus", "westeurope", ""].map(|r| looks_at(index, Platform::builtin(), "s".into(), r.into()));
        assert_eq!((looks(&index), widens(&index, "s".into())), ([Tri::Yes; 4], Tri::Yes));
        index.insert(Era { era: "2019".into() }.into());
        assert_eq!(looks(&index), [Tri::Yes, Tri::Yes, Tri::No, Tri::Maybe]);
        assert_eq!(widens(&index, "s".into()), Tri::No);
    }

    // covers: SEP-07
    #[test]
    fn a_classic_account_never_passes_a_filter() {
        let rows = scopes(&[("microsoft.storage", "/subscriptions/s1")]);
        assert_eq!(admits(&[Policy { known: true, scopes: &rows }], A1.into(), true).admitted, Tri::No);
        assert_eq!(admits(&[], A1.into(), true).admitted, Tri::Yes);
    }
}
