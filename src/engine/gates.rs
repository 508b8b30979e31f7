//! Which machines may get to a store at all: a quick look that never misses one, so that the search need not ask them all.
//!
//! A machine comes to a store over the public front end, where it shows the identity of its own subnet or some public address, or over a
//! private endpoint, where a route must lead to its address. Whoever has a route to something that forwards may show anything.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::explain::candidates::{Candidate, choose};
use crate::explain::stores::{Arrivals, arrived};
use crate::explain::way::{End, Flow, Mode};
use crate::explain::world::World;
use crate::facts::service::Service;
use crate::facts::store_facts::Instance;
use crate::model::{Set, Span, Sym, Tri, net};
use crate::rules::part::Visitor;
use crate::rules::private_endpoint::{self, group};
use crate::rules::route::Hop;
use crate::rules::{consent, paas_firewall, perimeter};

/// The machines that may get to one store.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admitted {
    /// Anybody.
    All,
    /// By the machine's place in the list.
    Some(Box<[bool]>),
}

impl Admitted {
    /// Whether the machine at a place may; one that is in no list may.
    pub(super) fn holds(&self, place: Option<usize>) -> bool {
        match (self, place) {
            (Admitted::Some(list), Some(place)) => list[place],
            _ => true,
        }
    }
}

/// Where a machine stands.
struct Stand {
    machine: End,
    subnets: Vec<Sym>,
    /// It may show anything: a route of it leads to something that forwards, or it is not known where it stands.
    far: bool,
}

/// A store's part, and whether only what surely gets through counts.
type Wanted = (Sym, Sym, Instance, bool);

/// A machine's place, and the front ends it goes to: a service and a region.
type Approach = (usize, Service, Sym);

/// What tells one address of a private endpoint from another, by the subnet that looks at it.
type Look = (Sym, Sym, IpAddr);

/// The gates of an estate.
pub(super) struct Gates<'w, 'a> {
    world: &'w World<'a>,
    stands: Vec<Stand>,
    /// Something that forwards may be known well enough to be relied on.
    forwards_surely: bool,
    known: RefCell<FxHashMap<Wanted, Rc<Admitted>>>,
    routed: RefCell<FxHashMap<Look, Tri>>,
    arriving: RefCell<FxHashMap<Approach, Span>>,
    arrivals: Rc<Arrivals>,
    /// Perimeters ask who somebody is, not where.
    perimeters: bool,
}

impl<'w, 'a> Gates<'w, 'a> {
    /// Those between `machines` and any store.
    pub(super) fn new(world: &'w World<'a>, machines: impl Iterator<Item = End>, arrivals: Rc<Arrivals>) -> Gates<'w, 'a> {
        let index = world.index;
        let forwards_surely = !index.appliance.is_empty() || !index.azure_firewall.is_empty() || !index.load_balancer.is_empty();
        let perimeters = !index.perimeter.is_empty() || perimeter::membership_unknown(index);
        let stands = machines.map(|machine| stand(world, machine)).collect();
        let (known, routed, arriving) = Default::default();
        Gates { world, stands, forwards_surely, known, routed, arriving, arrivals, perimeters }
    }

    /// Who may get to a part of a store; with `surely` who surely may.
    pub(super) fn to(&self, store: Sym, part: Sym, instance: Instance, surely: bool) -> Rc<Admitted> {
        let wanted = (store, part, instance, surely);
        if let Some(known) = self.known.borrow().get(&wanted) {
            return known.clone();
        }
        let admitted = Rc::new(self.look(store, part, instance, surely));
        self.known.borrow_mut().insert(wanted, admitted.clone());
        admitted
    }

    fn look(&self, store: Sym, part: Sym, instance: Instance, surely: bool) -> Admitted {
        let index = self.world.index;
        let Some(row) = index.store.one(store).filter(|_| !self.perimeters) else { return Admitted::All };
        // The firewalls of other services let in by rules of their own kinds, and a member of a perimeter asks for who it is.
        if !matches!(row.service, Service::Storage | Service::KeyVault | Service::Sql) || perimeter::member(index, store).is_some() {
            return Admitted::All;
        }
        let Some(firewall) = paas_firewall::firewall(index, self.world.platform, store, part) else { return Admitted::All };
        let passes = |visitor: Visitor| {
            let admitted = paas_firewall::admit(&firewall, &visitor.source()).admitted;
            if surely { admitted.lo() } else { admitted.hi() }
        };
        let anybody = [Visitor::SameRegion, Visitor::Azure, Visitor::AnyAzure, Visitor::AnyInternet, Visitor::Subnet(Sym::EMPTY)];
        let anybody = !firewall.ip_rules.is_empty() || anybody.into_iter().any(passes);
        let named: FxHashSet<Sym> = firewall.subnet_rules.iter().map(|rule| rule.subnet).filter(|s| passes(Visitor::Subnet(*s))).collect();
        // Who comes through something that forwards shows what that shows.
        let far_counts = !surely || (self.forwards_surely && !named.is_empty());
        let mut doors: Vec<(Sym, IpAddr)> = Vec::new();
        for connection in private_endpoint::connections(index, store, group(part, instance)) {
            let consents = consent::of(index, &connection).admitted;
            if !(if surely { consents.lo() } else { consents.hi() }) {
                continue;
            }
            let addresses = private_endpoint::addresses(index, connection.endpoint, connection.group);
            if addresses.is_empty() && !surely {
                return Admitted::All;
            }
            doors.extend(addresses.into_iter().map(|address| (connection.endpoint, address)));
        }
        let location = index.store_parts.get(store).iter().find(|row| row.part == part && row.instance == instance).map(|row| row.location);
        let to = End::Store(store, part, instance);
        let may = |(place, stand): (usize, &Stand)| {
            let shows = anybody || (stand.far && far_counts) || stand.subnets.iter().any(|subnet| named.contains(subnet));
            shows && location.is_none_or(|location| self.arrives(place, to, row.service, location, surely))
                || doors.iter().any(|(endpoint, address)| self.routed(stand, *endpoint, *address, surely))
        };
        Admitted::Some(self.stands.iter().enumerate().map(may).collect())
    }

    /// Whether a machine gets to the front ends of a service in a region; `to` is one of them.
    fn arrives(&self, place: usize, to: End, service: Service, region: Sym, surely: bool) -> bool {
        let approach = (place, service, region);
        let known = self.arriving.borrow().get(&approach).copied();
        let span = known.unwrap_or_else(|| {
            let flow = Flow { from: self.stands[place].machine, to, traffic: Set::tcp_udp(), mode: Mode::Adversarial, session: true };
            // Who sends from several places, or by name, may get anywhere.
            let span = arrived(self.world, &flow, service, region, &self.arrivals).unwrap_or(Span::ALL);
            self.arriving.borrow_mut().insert(approach, span);
            span
        });
        !if surely { span.sure } else { span.may }.is_empty()
    }

    /// Whether a route leads from a machine to the address of a private endpoint.
    fn routed(&self, stand: &Stand, endpoint: Sym, address: IpAddr, surely: bool) -> bool {
        if stand.subnets.is_empty() {
            return !surely;
        }
        stand.subnets.iter().any(|subnet| {
            let look = (*subnet, endpoint, address);
            let known = self.routed.borrow().get(&look).copied();
            let routed = known.unwrap_or_else(|| {
                let routed = self.leads(*subnet, address);
                self.routed.borrow_mut().insert(look, routed);
                routed
            });
            if surely { routed.lo() } else { routed.hi() }
        })
    }

    /// Whether what a subnet sends to a private address may, or may surely, get there: `No` is sure, the others bounds.
    fn leads(&self, subnet: Sym, address: IpAddr) -> Tri {
        let leads = |candidate: &Candidate| match candidate {
            Candidate::Endpoint { .. } | Candidate::Service { .. } => Tri::Yes,
            Candidate::Route(entry) => match entry.hop {
                Hop::None => Tri::No,
                Hop::Internet => Tri::from_bool(net::is_public(address)),
                Hop::Local | Hop::Peering(_) => Tri::Yes,
                Hop::Appliance(_) => {
                    if self.forwards_surely {
                        Tri::Yes
                    } else {
                        Tri::Maybe
                    }
                }
                Hop::Gateway => Tri::Yes,
                Hop::Unknown => Tri::Maybe,
            },
        };
        choose(self.world, subnet, address).candidates.iter().map(leads).max().unwrap_or(Tri::No)
    }
}

fn stand(world: &World<'_>, machine: End) -> Stand {
    let index = world.index;
    let nics: Vec<Sym> = match machine {
        End::Machine(machine) => index.nics_by_machine.get(machine).iter().map(|row| row.nic).collect(),
        End::Nic(nic) => vec![nic],
        _ => Vec::new(),
    };
    let mut subnets: Vec<Sym> = nics.iter().flat_map(|nic| index.ip_configs_by_nic.get(*nic)).map(|config| config.subnet).collect();
    subnets.sort();
    subnets.dedup();
    let forwards = |hop: Hop| matches!(hop, Hop::Appliance(_) | Hop::Gateway | Hop::Unknown);
    let unclear = |subnet: &Sym| {
        if !index.subnet.has(*subnet) {
            return true;
        }
        let context = world.context(*subnet);
        !context.unknown.is_empty() || !context.unknown_routes.is_empty() || context.entries.iter().any(|entry| forwards(entry.hop))
    };
    let far = subnets.is_empty() || nics.iter().any(|nic| !index.nic.has(*nic)) || subnets.iter().any(unclear);
    Stand { machine, subnets, far }
}
