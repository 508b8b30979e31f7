//! The trust boundary, and what else holds of an estate as a whole.

use crate::facts::gap::Resource;
use crate::model::Sym;
use crate::model::ids::id_parts;

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
            list.sort();
            list.dedup();
        }
        self
    }

    /// Whether an id lies inside; `known` is its resource where it is in the input (X-01).
    ///
    /// ```datalog
    /// inside(R) :- resource(R, _, _, _, S, _, _), boundary_subscription(S).                                     // boundary.1
    /// ```
    pub fn inside(&self, id: Sym, known: Option<&Resource>) -> bool {
        let subscription = Sym::new(id_parts(id.as_str()).subscription);
        let tenant = known.map_or(Sym::EMPTY, |row| row.tenant);
        if !self.subscriptions.is_empty() && self.subscriptions.binary_search(&subscription).is_err() {
            return false;
        }
        if !self.tenants.is_empty() && !tenant.is_empty() && self.tenants.binary_search(&tenant).is_err() {
            return false;
        }
        // Without a stated boundary it is what the input holds.
        !self.subscriptions.is_empty() || known.is_some() || self.seen.binary_search(&subscription).is_ok()
    }
}
