//! Which public front ends nothing in the estate tells apart: what gets to one of them gets to all, and is looked at once (M-14).

use std::cell::{OnceCell, RefCell};

use rustc_hash::FxHashMap;

use crate::explain::transport::ServiceClass;
use crate::explain::world::World;
use crate::facts::selector::Selector;
use crate::facts::store_facts::Service;
use crate::model::{Sym, Tri, ranges};
use crate::rules::route::tag_prefixes;
use crate::rules::{service_endpoint, tag};

/// Front ends that nothing tells apart have one kind. It belongs to one estate.
#[derive(Default)]
pub struct Likeness {
    compared: OnceCell<Compared>,
    kinds: RefCell<FxHashMap<(Service, Sym), Kind>>,
    looks: RefCell<FxHashMap<Look, Kind>>,
}

/// Front ends that look alike, by number.
pub type Kind = usize;

/// What anything in the estate compares a front end with.
struct Compared {
    /// Where the pieces begin that its prefixes make of the IPv4 addresses.
    starts: Vec<u32>,
    /// The service tags.
    tags: Vec<Sym>,
    /// The subnets that have service endpoints.
    subnets: Vec<Sym>,
}

/// What the estate can see of the front ends of one service in one region.
#[derive(PartialEq, Eq, Hash)]
struct Look {
    /// Which pieces of the address space hold its addresses; `None` where its addresses are not known.
    pieces: Option<Vec<usize>>,
    /// Of each tag, whether it holds them by its name, and whether its list shares no address with theirs.
    tags: Vec<(Option<Tri>, bool)>,
    /// Of each subnet with service endpoints, whether one covers them.
    covered: Vec<Tri>,
    /// The service, where a subnet may have an endpoint for it: routes are compared with the service's prefixes.
    service: Option<Service>,
    /// The region, where packets of the same region go another way.
    region: Sym,
}

impl Compared {
    fn of(world: &World<'_>) -> Compared {
        let bounds = world.bounds();
        // A route by a tag is a route to each of its prefixes.
        let routed = world.index.routes.rows().flat_map(|route| route.destination.items());
        let mut routed: Vec<Sym> = routed.filter_map(|field| if let Selector::Tag(tag) = field { Some(tag) } else { None }).collect();
        routed.sort_unstable();
        routed.dedup();
        let routed = routed.into_iter().flat_map(|tag| tag_prefixes(tag, world.platform)).map(|(prefix, _)| prefix);
        let starts = ranges::starts(bounds.prefixes.iter().copied().chain(routed));
        let mut subnets: Vec<Sym> = world.index.service_endpoints.rows().map(|row| row.subnet).collect();
        subnets.sort_unstable();
        subnets.dedup();
        Compared { starts, tags: bounds.tags.clone(), subnets }
    }

    fn look(&self, world: &World<'_>, class: &ServiceClass) -> Look {
        let platform = world.platform;
        let front_end = tag::ServiceClass { tag: class.tag, region: class.region };
        let (service, region) = (class.service, class.region);
        let covered = |subnet: &Sym| service_endpoint::of(world.index, platform, *subnet, service, region).covered;
        let covered: Vec<Tri> = self.subnets.iter().map(covered).collect();
        Look {
            pieces: front_end.known(platform).map(|known| known.pieces(&self.starts)),
            tags: self.tags.iter().map(|tag| (front_end.belongs(*tag, platform), front_end.is_apart(*tag, platform))).collect(),
            service: self.subnets.iter().any(|subnet| has_endpoint(world, *subnet, service)).then_some(service),
            covered,
            region: if service == Service::Storage { region } else { Sym::EMPTY },
        }
    }
}

fn has_endpoint(world: &World<'_>, subnet: Sym, service: Service) -> bool {
    world.index.service_endpoints.get(subnet).iter().any(|row| service.has_endpoint(row.service.as_str()))
}

impl Likeness {
    /// The kind of the front ends of a service in a region.
    pub fn kind(&self, world: &World<'_>, class: &ServiceClass) -> Kind {
        let key = (class.service, class.region);
        if let Some(kind) = self.kinds.borrow().get(&key) {
            return *kind;
        }
        let look = self.compared.get_or_init(|| Compared::of(world)).look(world, class);
        let mut looks = self.looks.borrow_mut();
        let next = looks.len();
        let kind = *looks.entry(look).or_insert(next);
        self.kinds.borrow_mut().insert(key, kind);
        kind
    }
}
