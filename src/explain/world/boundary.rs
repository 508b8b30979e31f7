//! The trust boundary: what is ours.

use crate::model::{Sym, Tri};
use crate::rules::endpoint_policy;

use super::World;

impl World<'_> {
    /// Whether a resource id lies inside the trust boundary.
    pub fn inside(&self, id: Sym) -> bool {
        let index = self.index;
        let parts = crate::model::ids::id_parts(id.as_str());
        let known = index.resource.one(id);
        let tenant = known.map_or(Sym::EMPTY, |row| row.tenant);
        let subscription = Sym::new(parts.subscription);
        let subscriptions_known = !index.boundary_subscription.is_empty();
        let tenants_known = !index.boundary_tenant.is_empty();
        if subscriptions_known && !index.boundary_subscription.has(subscription) {
            return false;
        }
        if tenants_known && !tenant.is_empty() && !index.boundary_tenant.has(tenant) {
            return false;
        }
        // Without a stated boundary it is what the input holds; ids without a subscription are a person's own facts.
        let held = || index.store.has(id) || index.machine.has(id) || index.nic.has(id) || index.vnet.has(id) || index.subnet.has(id);
        let own = || parts.subscription.is_empty() && (held() || index.private_endpoint.has(id));
        subscriptions_known || known.is_some() || self.subscriptions().contains(&subscription) || own()
    }

    /// Whether two resources belong to one tenant, as far as the input tells.
    pub fn same_tenant(&self, a: Sym, b: Sym) -> Tri {
        let tenant = |id: Sym| self.index.resource.one(id).map_or(Sym::EMPTY, |row| row.tenant);
        let subscription = |id: Sym| crate::model::ids::id_parts(id.as_str()).subscription;
        if !tenant(a).is_empty() && !tenant(b).is_empty() {
            Tri::from_bool(tenant(a) == tenant(b))
        } else if !subscription(a).is_empty() && subscription(a) == subscription(b) {
            Tri::Yes // one subscription has one tenant
        } else {
            Tri::Maybe
        }
    }

    /// The subscriptions that resources of the input belong to.
    fn subscriptions(&self) -> std::cell::Ref<'_, rustc_hash::FxHashSet<Sym>> {
        if self.subscriptions.borrow().is_none() {
            *self.subscriptions.borrow_mut() = Some(self.index.resource.rows().map(|row| row.subscription).collect());
        }
        std::cell::Ref::map(self.subscriptions.borrow(), |found| found.as_ref().expect("filled above"))
    }

    /// Whether an endpoint policy on the subnet admits a scope outside the boundary (SEP-08, X-11); one that nobody can read may be.
    pub fn scopes_outside(&self, subnet: Sym) -> Tri {
        let index = self.index;
        let policies = index.subnet_endpoint_policies.get(subnet).iter();
        let scopes = policies.flat_map(|row| index.endpoint_policy_scopes.get(row.policy));
        let outside = scopes.filter(|row| endpoint_policy::of_storage(row)).map(|row| match row.scope.as_str() {
            "" => Tri::No,
            alias if alias.starts_with("/services/") => Tri::No,
            id if id.starts_with("/subscriptions/") => Tri::from_bool(!self.inside(row.scope)),
            _ if index.store.has(row.scope) => Tri::No,
            _ => Tri::Maybe,
        });
        outside.max().unwrap_or(Tri::No)
    }
}
