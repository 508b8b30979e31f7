//! The trust boundary, and what else holds of an estate as a whole.

use crate::model::ids::id_parts;
use crate::model::{Sym, Tri};

/// What holds of an estate as a whole: one row, which changes when a boundary is stated or a subscription is first seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Boundary {
    /// Subscriptions that a person put inside, sorted; empty where nobody stated any.
    pub subscriptions: Vec<Sym>,
    /// Tenants likewise.
    pub tenants: Vec<Sym>,
    /// Subscriptions that resources of the input belong to, sorted.
    pub seen: Vec<Sym>,
    /// Child types of which the input is stated or seen to hold every row (M-03), sorted.
    pub complete: Vec<Sym>,
    /// A perimeter that is not understood may hold any store (FW-02).
    pub perimeter: bool,
}

/// The kinds of resources that a perimeter consists of.
pub const PERIMETERS: [&str; 2] =
    ["microsoft.network/networksecurityperimeters", "microsoft.network/networksecurityperimeters/resourceassociations"];

impl Boundary {
    /// The same, its lists in order.
    #[must_use]
    pub fn sorted(mut self) -> Boundary {
        for list in [&mut self.subscriptions, &mut self.tenants, &mut self.seen, &mut self.complete] {
            list.sort_unstable();
            list.dedup();
        }
        self
    }

    /// Whether an id lies outside (X-01). `held` is the tenant of the resource, empty where nothing tells it, and `None` for one that is not in the
    /// input: that counts as outside, but perhaps only for want of an export where its subscription is inside.
    ///
    /// ```datalog
    /// inside(R) :- resource(R, _, _, _, S, _, _), boundary_subscription(S).                                     // boundary.1
    /// ```
    pub fn outside(&self, id: Sym, held: Option<Sym>) -> Tri {
        let subscription = Sym::new(id_parts(id.as_str()).subscription);
        let listed = match self.subscriptions.is_empty() {
            // Without a stated boundary it is what the input holds.
            true => held.is_some() || self.seen.binary_search(&subscription).is_ok(),
            false => self.subscriptions.binary_search(&subscription).is_ok(),
        };
        let tenant = held.unwrap_or_default();
        let foreign = !self.tenants.is_empty() && !tenant.is_empty() && self.tenants.binary_search(&tenant).is_err();
        // Where tenants alone say it, of a resource whose tenant nothing tells it is not known.
        let unknown = !self.tenants.is_empty() && tenant.is_empty() && self.subscriptions.is_empty();
        // A subscription and a resource group are no resources that an export would hold.
        let resource = id.as_str().contains("/providers/");
        match () {
            () if !listed || foreign => Tri::Yes,
            () if resource && (held.is_none() || unknown) => Tri::Maybe,
            () => Tri::No,
        }
    }
}
