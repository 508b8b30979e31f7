//! What a store's own side says of who comes to its public front end: its perimeter and its firewall, and what callers show them (FW-01 to FW-10).

use std::net::IpAddr;
use std::sync::Arc;

use crate::explain::store::{Asked, perimeter, steps};
use crate::explain::way::{Kind, Step};
use crate::explain::world::World;
use crate::facts::Index;
use crate::facts::store_facts::Store;
use crate::model::{Span, Sym, Tri, net};
use crate::rules::paas_firewall::{self, Item, Origin, Source};
use crate::rules::service_endpoint;

/// What the store's own side says of a source: its perimeter, else its firewall. `sender` is as in [`crate::rules::perimeter::admit`].
pub(super) fn firewall_step(world: &World<'_>, store: &Store, part: Sym, source: &Source, sender: Sym) -> Step {
    if let Some(step) = perimeter::entering(world, store, part, source, sender) {
        return step;
    }
    let unknown = paas_firewall::Decision { admitted: Tri::Maybe, item: Item::Unknown };
    let decision = world.guard(store.store, part).map_or(unknown, |guard| guard.admit(source));
    own_firewall(world, store, part, &decision, source)
}

/// [`steps::firewall`] with where in the input it stands: a child of the store may hold its switches, and what could not be read has a path.
pub(super) fn own_firewall(world: &World<'_>, store: &Store, part: Sym, decision: &paas_firewall::Decision, source: &Source) -> Step {
    let mut step = steps::firewall(store.store, store.service, decision, source);
    let set = || world.guard(store.store, part).and_then(|guard| guard.firewall.rule_set);
    match decision.item {
        Item::Default(_) => step.source = set().map_or(step.source, |set| set.rule_set),
        Item::PublicAccess(public) => {
            let of_store = world.index.store_access.one(store.store).is_some_and(|row| row.public == public);
            step.source = set().filter(|set| set.public == public && !of_store).map_or(step.source, |set| set.rule_set);
        }
        Item::Unread => {
            let rows = world.index.unread_rules.get(store.store).iter();
            step.rule = rows.filter_map(|row| row.what.as_str().strip_prefix("properties.")).min().unwrap_or_default().to_owned();
        }
        _ => {}
    }
    step
}

/// Who somebody may be of whom nobody knows what his packets show: whatever firewall lets anybody in lets in one of these.
pub fn anybody(index: &Index, store: Sym) -> Vec<Source> {
    let everybody = |origin| Source::AnyPublic { except: Arc::default(), origin };
    let lists = index.store_rule_sets.get(store).iter().flat_map(|set| index.store_list_rules.get(set.rule_set));
    let named = index.store_subnet_rules.get(store).iter().map(|rule| rule.subnet).chain(lists.map(|rule| rule.subnet));
    let mut named: Vec<Sym> = named.chain([Sym::EMPTY]).collect();
    Sym::sort(&mut named);
    named.dedup();
    let named = named.into_iter().map(|subnet| Source::ServiceEndpoint { subnet, vnet: Sym::EMPTY, tenant: Sym::EMPTY });
    [everybody(Origin::Azure), everybody(Origin::Internet), Source::SameRegionAzure].into_iter().chain(named).collect()
}

impl Asked<'_, '_> {
    /// The firewall, for packets that show `source`; a token from a subnet may carry claims besides (SE-18).
    pub(super) fn firewall(&self, source: &Source) -> Step {
        let step = firewall_step(self.world, &self.store, self.part.part, source, self.client.subnet);
        let claims = service_endpoint::claims(self.world.index, self.client.subnet, self.store.service, self.part.location);
        if !claims.hi() || step.span == Span::ALL {
            return step;
        }
        let (subnet, vnet) = (self.client.subnet, self.client.vnet);
        let tenant = self.world.index.resource.one(vnet).map_or(Sym::EMPTY, |row| row.tenant);
        let claiming = Source::ServiceEndpoint { subnet, vnet, tenant };
        let mut claimed = firewall_step(self.world, &self.store, self.part.part, &claiming, subnet);
        if claims == Tri::Maybe && claimed.span == Span::ALL {
            claimed.span = Span::UNKNOWN;
            claimed.code = "W-MISSING";
        }
        if claimed.span.may.is_empty() { step } else { claimed }
    }

    /// The firewall, for packets of which nobody knows what they show there: it refuses them only where it admits nobody at all.
    pub(super) fn anybody(&self) -> Step {
        let sources = anybody(self.world.index, self.store.store);
        let each = sources.iter().map(|source| firewall_step(self.world, &self.store, self.part.part, source, self.client.subnet));
        let best = each.reduce(|best, next| if next.span.may.is_empty() || !best.span.may.is_empty() { best } else { next });
        let mut step = best.unwrap_or_else(|| steps::delivered(self.store.store, self.group(), Span::UNKNOWN));
        if !step.span.may.is_empty() {
            step.span = step.span.doubted();
            step.kind = Kind::Assumption;
            step.code = "FW_IP";
            step.text = "what the packets show the store is not known, and its firewall admits some".to_owned();
        }
        step
    }

    /// What an address of the internet shows: an address that Azure hands out belongs to somebody there.
    pub(super) fn internet(&self, address: Option<IpAddr>) -> Source {
        match address {
            None => Source::AnyPublic { except: self.world.estate_addresses(), origin: Origin::Internet },
            Some(address) => {
                let azure = self.world.platform.tags_holding(address).iter().any(|tag| tag.as_str() == "azurecloud");
                let origin = if azure { Origin::Azure } else { Origin::Internet };
                Source::Public { addresses: vec![net::host(address)], certain: true, origin }
            }
        }
    }
}
