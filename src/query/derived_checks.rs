//! The rows of the derived relations that checks of configuration ask for: names as a network sees them, service endpoints, counts.

use std::collections::BTreeMap;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::explain::stores;
use crate::explain::way::Place;
use crate::facts::store_facts::StorePart;
use crate::model::Sym;
use crate::query::derived::{Derived, certainty};
use crate::query::value::Value;
use crate::rules::dns::{self, Answer, Reach, Resolution, names};
use crate::rules::{limits, private_endpoint, service_endpoint};

/// What a network is told for a name of a store.
pub(super) struct Told {
    group: Sym,
    host: Sym,
    answer: &'static str,
}

/// What networks are told for the names of stores, by network and store.
pub(super) type NamesTold = FxHashMap<(Sym, Sym), Rc<[Told]>>;

impl Derived<'_> {
    /// `resolves(vnet, store, group, host, answer)` for one network or all, one store or all.
    pub(super) fn resolves(&self, vnet: Option<&str>, store: Option<&str>) -> Vec<Vec<Value>> {
        let index = self.world.index;
        let vnets: Vec<Sym> = match vnet {
            Some(id) => index.vnet.one(Sym::new(id)).map(|row| row.vnet).into_iter().collect(),
            None => index.vnet.rows().map(|row| row.vnet).collect(),
        };
        let stores: Vec<Sym> = match store {
            Some(id) => vec![Sym::new(id)],
            None => index.store_parts.rows().map(|row| row.store).collect::<FxHashSet<_>>().into_iter().collect(),
        };
        let mut rows = Vec::new();
        for vnet in vnets {
            for store in &stores {
                let row = |told: &Told| [vnet, *store, told.group, told.host, Sym::new(told.answer)].map(Value::Symbol).to_vec();
                rows.extend(self.told(vnet, *store).iter().map(row));
            }
        }
        rows
    }

    /// What a network is told for the names of a store; once for all that hear the same.
    fn told(&self, vnet: Sym, store: Sym) -> Rc<[Told]> {
        let Some(speaker) = self.speakers().get(&vnet).copied() else { return self.names_told(vnet, store) };
        if let Some(known) = self.told.borrow().get(&(speaker, store)) {
            return known.clone();
        }
        let found = self.names_told(speaker, store);
        self.told.borrow_mut().insert((speaker, store), found.clone());
        found
    }

    fn names_told(&self, vnet: Sym, store: Sym) -> Rc<[Told]> {
        let index = self.world.index;
        let told = |part: &StorePart| {
            let host = names::host(index, self.world.platform, part)?;
            let group = private_endpoint::group(part.part, part.instance);
            let resolution = self.as_configured(vnet, &host);
            let answer = match resolution.answer {
                Answer::Public => "public",
                Answer::ServFail => "servfail",
                _ => self.answer(&resolution, store, group).unwrap_or("unknown"),
            };
            Some(Told { group, host: Sym::new(&host), answer })
        };
        index.store_parts.get(store).iter().filter_map(told).collect()
    }

    /// What the servers that the network lists answer. Whether they can be reached is asked only where there are some.
    fn as_configured(&self, vnet: Sym, host: &str) -> Resolution {
        let world = self.world;
        if dns::servers(world.index, vnet, Sym::EMPTY).is_empty() {
            let view = dns::View::Vnet { vnet, nic: Sym::EMPTY };
            return dns::resolve(world.index, world.platform, &|_| Reach::Open, &view, host);
        }
        stores::resolve_at(world, Place::Vnet(vnet), Sym::new(host))
    }

    /// `mixed_servers(vnet, host, certainty)`: a proven difference before one that may be, then the first name.
    pub(super) fn mixed_servers(&self) -> Vec<Vec<Value>> {
        let (index, platform) = (self.world.index, self.world.platform);
        let several = index.vnet.rows().map(|row| row.vnet).filter(|vnet| dns::servers(index, *vnet, Sym::EMPTY).len() > 1);
        let mut rows = Vec::new();
        for vnet in several {
            let mut found: Option<(bool, String)> = None;
            for part in index.store_parts.rows() {
                let Some(host) = names::host(index, platform, part) else { continue };
                if let Some(proven) = dns::disagree(index, platform, vnet, &host) {
                    let next = (!proven, host);
                    found = Some(found.map_or(next.clone(), |best| best.min(next)));
                }
            }
            if let Some((unproven, host)) = found {
                rows.push(vec![Value::Symbol(vnet), Value::Symbol(Sym::new(&host)), certainty(!unproven)]);
            }
        }
        rows
    }

    /// `endpoint_covers(subnet, store, service, covered)`.
    pub(super) fn covers(&self, subnet: Option<&str>, store: Option<&str>) -> Vec<Vec<Value>> {
        let index = self.world.index;
        let subnets: Vec<Sym> = match subnet {
            Some(id) => index.subnet.one(Sym::new(id)).map(|row| row.subnet).into_iter().collect(),
            None => index.subnet.rows().map(|row| row.subnet).collect(),
        };
        let stores: Vec<_> = match store {
            Some(id) => index.store.one(Sym::new(id)).into_iter().collect(),
            None => index.store.rows().collect(),
        };
        let mut rows = Vec::new();
        for subnet in subnets {
            for store in &stores {
                let coverage = service_endpoint::of(index, self.world.platform, subnet, store.service, store.location);
                let covered = crate::facts::catalog::Column::write(&coverage.covered);
                rows.push([subnet, store.store, coverage.service, Sym::new(&covered)].map(Value::Symbol).to_vec());
            }
        }
        rows
    }

    /// `address_tag(address, tag)` of one address.
    pub(super) fn address_tags(&self, address: Option<Value>) -> Vec<Vec<Value>> {
        let Some(Value::Address(ip)) = address else { return Vec::new() };
        self.world.platform.tags_holding(ip).into_iter().map(|tag| vec![Value::Address(ip), Value::Symbol(tag)]).collect()
    }

    /// `counted(limit, kind, resource, count)`.
    pub(super) fn counted(&self) -> Vec<Vec<Value>> {
        let mut most: BTreeMap<[&str; 3], u64> = BTreeMap::new();
        for row in limits::counts(self.world.index) {
            let count = most.entry([row.limit, row.kind, row.resource.as_str()]).or_default();
            *count = (*count).max(row.count);
        }
        most.into_iter().map(|(words, count)| words.map(Value::text).into_iter().chain([Value::Number(count)]).collect()).collect()
    }
}
