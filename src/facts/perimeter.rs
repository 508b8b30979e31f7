//! Network security perimeters: who is in which, what their profiles admit, and which of them are linked.

use crate::facts::network::Direction;
use crate::model::{Sym, Tri};

words! {
    /// How an association is enforced (NSP-01, NSP-03); `transition` is an old word for `learning`.
    AccessMode { Learning = "learning", Audit = "audit", Enforced = "enforced", Unknown = "unknown" }
}
words! {
    /// What one entry of an access rule is compared with (NSP-01).
    AccessItem { Prefix = "prefix", Tag = "tag", Subscription = "subscription", Fqdn = "fqdn", Perimeter = "perimeter" }
}
words! {
    /// Which end of a link a list of profiles is for.
    LinkEnd { Local = "local", Remote = "remote" }
}

relations! { PERIMETER_RELATIONS:
    /// `perimeter(perimeter, guid)`: a network security perimeter; `guid` is how links name one that is far away.
    Perimeter perimeter { perimeter: Sym, guid: Sym }

    /// `perimeter_association(association, perimeter, profile, resource, mode, settled)`: `resource` is a member of `perimeter` with the rules of `profile`
    /// (NSP-01); both are empty where it does not name them. `settled` is whether the association is in force.
    PerimeterAssociation perimeter_association {
        association: Sym, perimeter: Sym, profile: Sym, resource: Sym, mode: AccessMode, settled: bool,
    }

    /// `perimeter_rule(rule, profile, direction, item, value)`: one entry of an access rule of `profile` (NSP-08): a prefix, a service tag, a subscription or a
    /// perimeter that may call in, or a host name that members may call. Lower case.
    PerimeterRule perimeter_rule { rule: Sym, profile: Sym, direction: Direction, item: AccessItem, value: Sym }

    /// `perimeter_link(link, perimeter, remote, approved)`: one view of a link between `perimeter` and `remote`, which is an id or a guid (NSP-13).
    PerimeterLink perimeter_link { link: Sym, perimeter: Sym, remote: Sym, approved: Tri }

    /// `perimeter_link_profile(link, end, direction, profile)`: the link lets traffic into, or out of, the profile of that name at this end; `*` stands for all.
    PerimeterLinkProfile perimeter_link_profile { link: Sym, end: LinkEnd, direction: Direction, profile: Sym }
}
