//! The trust boundary: what is ours.

use crate::explain::packet::short;
use crate::facts::Index;
use crate::facts::store_facts::{Service, Store, StorePart};
use crate::model::ids::id_type;
use crate::model::{Sym, Tri};
use crate::rules::boundary::Boundary;
use crate::rules::{endpoint_policy, lead};

use super::World;

impl World<'_> {
    /// Whether a resource id lies inside the trust boundary, for sure.
    pub fn inside(&self, id: Sym) -> bool {
        !self.outside(id).hi()
    }

    /// Whether it is in the input and not outside for sure: data rests there, and goes on.
    pub fn ours(&self, id: Sym) -> bool {
        match self.outside(id) {
            Tri::No => true,
            Tri::Maybe => self.tenant_of(id).is_some(),
            Tri::Yes => false,
        }
    }

    /// Whether it lies outside: perhaps, where it is not in the input though its subscription is inside.
    pub fn outside(&self, id: Sym) -> Tri {
        let held = self.tenant_of(id);
        self.boundary.get_or_init(|| boundary(self.index)).outside(id, held)
    }

    /// The tenant of what is in the input, empty where nothing tells it.
    fn tenant_of(&self, id: Sym) -> Option<Sym> {
        let index = self.index;
        let tenant = index.resource.one(id).map(|row| row.tenant);
        // What a person states without an export has no row of its own; an interface of a machine shows the machine.
        let machine = || index.machine.has(id) || index.nic.has(id) || !index.nics_by_machine.get(id).is_empty();
        let stored = || index.store.has(id) || index.private_endpoint.has(id) || index.device.has(id);
        let stated = || machine() || stored() || index.vnet.has(id) || index.subnet.has(id);
        tenant.or_else(|| stated().then_some(Sym::EMPTY))
    }

    /// Why an id is outside only perhaps, and what a person can do about it.
    pub fn perhaps_outside(&self, id: Sym) -> String {
        let name = short(id);
        match self.tenant_of(id) {
            None if self.is_nameless(id) => {
                "which network a peering leads to is not in the input: export it with `remoteVirtualNetwork`".to_owned()
            }
            None => format!("{name} is not in the input, though its subscription is inside the boundary: export it too"),
            Some(_) => {
                format!("nothing says which tenant {name} is of: export it with `tenantId`, or state the subscriptions of the boundary")
            }
        }
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

    /// Private endpoints that lead, or may, to a store outside the boundary: its service, the endpoint and what it names, empty where nobody says, in the order
    /// of the endpoints.
    pub fn endpoints_outside(&self) -> &[(Service, Sym, Sym)] {
        self.endpoints_outside.get_or_init(|| {
            let rows = self.index.private_endpoint_connections.rows().filter(|row| self.outside(row.target).hi());
            let each = rows.filter_map(|row| {
                let kind = id_type(row.target.as_str())?;
                let service = Service::EXTERNAL.into_iter().find(|service| service.kinds().contains(&kind.as_str()))?;
                Some((service, row.endpoint, row.target))
            });
            let mut found: Vec<(Service, Sym, Sym)> = each.collect();
            // Those of which nobody says what they lead to may lead to any.
            let nameless = lead::nameless(self.index);
            found.extend(nameless.iter().flat_map(|endpoint| Service::EXTERNAL.map(|service| (service, *endpoint, Sym::EMPTY))));
            found.sort_by_key(|(_, endpoint, target)| (endpoint.as_str(), target.as_str()));
            found.dedup();
            found
        })
    }

    /// The parts of stores outside the boundary, for sure or perhaps, to which the store says that private endpoints are connected that do not say so
    /// themselves (PE-37), in the order of their names.
    pub fn parts_outside(&self) -> &[(Service, StorePart)] {
        self.parts_outside.get_or_init(|| {
            let index = self.index;
            let unlisted = |store: Sym| lead::unseen(index, store).next().is_some();
            let stores = index.store.rows().filter(|row| unlisted(row.store) && self.outside(row.store).hi());
            let parts = |row: &Store| index.store_parts.get(row.store).iter().map(|part| (row.service, *part)).collect::<Vec<_>>();
            let mut found: Vec<(Service, StorePart)> = stores.flat_map(parts).collect();
            found.sort_by_key(|(_, part)| (part.store.as_str(), part.part.as_str(), part.instance));
            found
        })
    }

    /// Whether private endpoints lead out of the boundary, or may.
    pub fn leads_out(&self) -> bool {
        !self.endpoints_outside().is_empty() || !self.parts_outside().is_empty()
    }

    /// Whether an endpoint policy on the subnet admits a scope outside the boundary (SEP-08, X-11); one that nobody can read may be, and one that is not in
    /// the input may admit any.
    pub fn scopes_outside(&self, subnet: Sym) -> Tri {
        let index = self.index;
        let policies = index.subnet_endpoint_policies.get(subnet).iter();
        let policies = policies.filter(|row| !endpoint_policy::is_contested(index, subnet, row.policy));
        let scopes = policies.flat_map(|row| index.endpoint_policy_scopes.get(row.policy));
        let outside = scopes.filter(|row| !endpoint_policy::is_alias(row)).map(|row| {
            let outside = match row.scope.as_str() {
                "" => Tri::No,
                // What Azure takes a scope of no documented form for is not known.
                id if id.starts_with("/subscriptions/") && !endpoint_policy::names_accounts(row.scope) => {
                    self.outside(row.scope).and(Tri::Maybe)
                }
                id if id.starts_with("/subscriptions/") => self.outside(row.scope),
                _ if index.store.has(row.scope) => Tri::No,
                _ => Tri::Maybe,
            };
            outside.and(endpoint_policy::of_storage(row))
        });
        let unseen = if endpoint_policy::is_missing(index, subnet) { Tri::Maybe } else { Tri::No };
        outside.max().unwrap_or(Tri::No).or(unseen)
    }
}

/// What is stated of the boundary, and what the input holds.
fn boundary(index: &Index) -> Boundary {
    let boundary = Boundary {
        subscriptions: index.boundary_subscription.rows().map(|row| row.subscription).collect(),
        tenants: index.boundary_tenant.rows().map(|row| row.tenant).collect(),
        seen: index.resource.rows().map(|row| row.subscription).collect(),
        ..Boundary::default()
    };
    boundary.sorted()
}
