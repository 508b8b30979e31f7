//! The estate as a whole, and what of it we do not understand.

use crate::model::Sym;

/// The type of the rules of security groups.
pub const SECURITY_RULES: &str = "microsoft.network/networksecuritygroups/securityrules";

/// The type of the routes of route tables.
pub const ROUTES: &str = "microsoft.network/routetables/routes";

/// The type of the peerings of a virtual network.
pub const PEERINGS: &str = "microsoft.network/virtualnetworks/virtualnetworkpeerings";

/// The type of service endpoint policies: a subnet with a row of `child_type` for it names none.
pub const POLICIES: &str = "microsoft.network/serviceendpointpolicies";

/// The type of subnets: a service endpoint policy with a row of `child_type` for it is attached to none.
pub const SUBNETS: &str = "microsoft.network/virtualnetworks/subnets";

relations! { GAP_RELATIONS:
    /// `resource(id, kind, name, location, subscription, tenant, group)`: the export holds the resource `id` of type `kind`.
    ///
    /// Every resource has exactly one row, understood or not. `kind` is the type in lower case, `name` as written; a value that the export
    /// lacks is empty.
    Resource resource { id: Sym, kind: Sym, name: Sym, location: Sym, subscription: Sym, tenant: Sym, group: Sym }

    /// `tag(resource, key, value)`: the resource carries the tag `key=value`. Keys are compared without case, values as written.
    Tag tag { resource: Sym, key: Sym, value: Sym }

    /// `gap(resource, kind, what)`: something of `resource` (of type `kind`) is not understood; `what` says it in a clause.
    ///
    /// A whole resource whose type is not modelled has `what` = "this type is not modelled".
    Gap gap { resource: Sym, kind: Sym, what: Sym }

    /// `unread(resource, what)`: a value at `what` could not be read, and whom `resource` concerns is not known without it: while the row is there nothing is
    /// proven of any flow (SND-02).
    ///
    /// `what` is the path in the body of the resource, or file and line of a row of facts, or file and pointer of an entry without a readable id; `resource` is
    /// empty where not even that is known.
    Unread unread { resource: Sym, what: Sym }

    /// `unread_rule(holder, what)`: a rule of `holder`, a store, the profile of a perimeter or a forwarding ruleset, could not be read, or is not in the export
    /// where the others are; `what` says which. What the other rules refuse, or leave to public names, is not proven (FW-05, NSP-09, DNS-19, SND-02).
    UnreadRule unread_rule { holder: Sym, what: Sym }

    /// `property(resource, path, place, value)`: the body of `resource` states `value`, in lower case, at `path`.
    ///
    /// Kept for checks only: no way of a packet depends on these rows. Which paths of which types are kept stands in `docs/resource-types.md`. `[]` in a path
    /// stands for any item of a list; `place` is the item's position from 0, positions of lists in lists with `.` between, empty without a list.
    Property property { resource: Sym, path: Sym, place: Sym, value: Sym }

    /// `child_type(parent, kind)`: the body of `parent` lists its children of type `kind` completely, be it as an empty list. A subnet that lists no
    /// service endpoint policies, and a policy that lists no subnets, where the list is there and empty, have such a row too (SEP-01).
    ChildType child_type { parent: Sym, kind: Sym }

    /// `unlisted(parent, kind)`: the body of `parent`, a security group, a route table or a virtual network, lacks the list of its children of type `kind`, which say what it does.
    ///
    /// It has none where the input has rows of others, or all of the type by `complete_type`; else what it does is not known (M-03).
    Unlisted unlisted { parent: Sym, kind: Sym }
}
