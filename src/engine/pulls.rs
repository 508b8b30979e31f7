//! What strangers take out of a store by themselves, and who of them ends up with it.

use std::rc::Rc;

use crate::engine::channels::service_of;
use crate::engine::edges::Edge;
use crate::engine::exfil::Graph;
use crate::explain::exposure::{Exposed, Exposure, exposure, for_part, is_gone, of_named_tenant};
use crate::explain::packet::short;
use crate::explain::way::{Assumption, End};
use crate::explain::world::World;
use crate::facts::service::Service;
use crate::model::{Set, Span, Sym, Tri, Via, ids};
use crate::rules::paas_firewall::Item;

/// Strangers that a part of a store lets in, each with where the data ends up that it takes.
pub(super) type Pulls = Rc<[(End, Exposure)]>;

impl Graph<'_, '_> {
    /// Who takes data out of a part of a store.
    fn pulls(&self, store: Sym, part: Sym) -> Pulls {
        let known = self.pulls.borrow().get(&(store, part)).cloned();
        known.unwrap_or_else(|| {
            let all = exposure(self.world, store, part);
            let pulls: Pulls = all.into_iter().flat_map(|found| sinks(self.world, found.who).map(move |to| (to, found))).collect();
            self.pulls.borrow_mut().insert((store, part), pulls.clone());
            pulls
        })
    }

    /// What strangers who are `to` can take out of a store by themselves.
    pub(super) fn pulled(&self, store: Sym, part: Sym, to: End) -> Option<Edge> {
        let pulls = self.pulls(store, part);
        let best = pulls.iter().filter(|(end, _)| *end == to).map(|(_, found)| found).max_by_key(|found| found.admitted)?;
        let via = match best.who {
            Exposed::ForeignEndpoint(_) => Via::PrivateEndpoint,
            Exposed::ForeignSubnet(_) => Via::ServiceEndpoint,
            _ => Via::Public,
        };
        let span = if best.admitted == Tri::Yes { Span::exactly(Set::tcp()) } else { Span::exactly(Set::tcp()).doubted() };
        let assumptions = if best.admitted == Tri::Yes { Vec::new() } else { vec![self.doubt(store, part, best)] };
        Some(Edge { span, sure_via: via, may_via: via, assumptions })
    }

    /// Why a stranger is let in perhaps only.
    fn doubt(&self, store: Sym, part: Sym, exposure: &Exposure) -> Assumption {
        let (code, resource, text) = match exposure.who {
            Exposed::ForeignEndpoint(Sym::EMPTY) => {
                ("W-MISSING", store, "which private endpoints are connected to it, and whose they are, is not all in the input".to_owned())
            }
            Exposed::ForeignEndpoint(id) if for_part(self.world, store, part, id).lo() && self.world.outside(id).lo() => {
                ("W-MISSING", id, format!("whether the connection of {} carries traffic is not known", short(id)))
            }
            Exposed::ForeignEndpoint(id) => {
                ("W-MISSING", id, format!("for which sub-resource {} is, and whose it is, stands on its own side", short(id)))
            }
            Exposed::ForeignSubnet(id) | Exposed::ForeignResource(id) if self.world.outside(id) == Tri::Maybe => {
                ("W-MISSING", id, self.world.perhaps_outside(id))
            }
            Exposed::ForeignSubnet(id) if is_gone(self.world.index, id) => (
                "W-MISSING",
                id,
                format!(
                    "subnet {} is not in the input, though its network is: for one that was deleted the rule does not count",
                    short(id)
                ),
            ),
            Exposed::ForeignResource(id) if self.is_of_untold_tenant(store, id) => (
                "W-MISSING",
                id,
                format!(
                    "whether {} is of the tenant that the rule for it names is not known: one of the two does not say its tenant",
                    short(id)
                ),
            ),
            Exposed::AnyAzure if matches!(exposure.item, Some(Item::Ip { .. })) => (
                "FW_IP",
                store,
                "its firewall admits some public addresses: whether a stranger in Azure has one of them is not known".to_owned(),
            ),
            _ => ("acl_missing", store, "whether its firewall admits strangers is not known".to_owned()),
        };
        Assumption { code: code.to_owned(), resource, text }
    }

    /// Whether of no rule for the resource it is sure that it names the right tenant (ST-09).
    fn is_of_untold_tenant(&self, store: Sym, resource: Sym) -> bool {
        let index = self.world.index;
        let mut rules = index.store_resource_rules.get(store).iter().filter(|rule| rule.resource == resource).peekable();
        rules.peek().is_some() && !rules.any(|rule| of_named_tenant(index, rule).lo())
    }

    /// Where data ends up that strangers take by themselves, beside the internet and the services that are told apart; sorted by name.
    pub(super) fn pullers(&self) -> Vec<End> {
        let inside = self.stores.iter().filter(|(_, outside)| !outside.lo());
        let pulls = inside.filter_map(|(end, _)| if let End::Store(store, part, _) = end { Some(self.pulls(*store, *part)) } else { None });
        let mut ends: Vec<End> = pulls.flat_map(|pulls| pulls.iter().map(|(to, _)| *to).collect::<Vec<End>>()).collect();
        ends.retain(|end| !matches!(end, End::Internet(_) | End::External(_)));
        ends.sort_by_cached_key(|end| crate::explain::reach::text(*end));
        ends.dedup();
        ends
    }
}

/// Who a stranger is among the places outside. Whoever has a public address, in Azure or anywhere, is the internet (IN-01); whoever is in Azure is
/// besides each service whose stores fetch by themselves. A subnet is its network, a private endpoint itself, like the consumers of our own services; a resource is one of its
/// service where that is told apart, else itself. The services that Azure trusts are nobody in particular.
fn sinks(world: &World<'_>, who: Exposed) -> impl Iterator<Item = End> {
    let in_azure = matches!(who, Exposed::AnyAzure | Exposed::AnyAzureSameRegion);
    let one = match who {
        Exposed::Internet | Exposed::AnyAzure | Exposed::AnyAzureSameRegion => Some(End::Internet(None)),
        Exposed::ForeignSubnet(subnet) => Some(network_of(world, subnet)),
        // A connection may leave out whose it is.
        Exposed::ForeignEndpoint(endpoint) if endpoint.is_empty() => Some(End::Network(Sym::EMPTY)),
        Exposed::ForeignEndpoint(endpoint) => Some(End::PrivateEndpoint(endpoint)),
        Exposed::ForeignResource(id) if id.is_empty() => Some(End::Network(Sym::EMPTY)),
        Exposed::ForeignResource(id) => Some(service_of(world, id).map_or(End::Unmodelled(id), End::External)),
        Exposed::Trusted => None,
    };
    let fetching = Service::EXTERNAL.into_iter().filter(|service| in_azure && world.platform.fetches(*service)).map(End::External);
    one.into_iter().chain(fetching.collect::<Vec<End>>())
}

/// The network of a subnet of strangers; the subnet itself where only that is not in the input.
fn network_of(world: &World<'_>, subnet: Sym) -> End {
    let vnet = world.index.subnet.one(subnet).map(|row| row.vnet).or_else(|| ids::parent_id(subnet.as_str()).map(Sym::new));
    vnet.filter(|vnet| world.outside(*vnet).hi()).map_or(End::Unmodelled(subnet), End::Network)
}
