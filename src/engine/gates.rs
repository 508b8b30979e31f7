//! Which machines may get to a store, or to one another, at all: a quick look that never misses one, so that the search need not ask them all.
//!
//! A machine comes to a store over the public front end, where it shows the identity of its own subnet or some public address, or over a
//! private endpoint, where a route must lead to its address. What it shows after passing something that forwards may be unknown.
//! Between machines of networks that are not joined no flow is proven, unless the input says what something between them forwards.

use std::cell::{OnceCell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::explain::candidates::{Candidate, choose};
use crate::explain::packet::Host;
use crate::explain::point::{has_unseen_interfaces, places};
use crate::explain::store::{Arriving, anybody};
use crate::explain::stores::{Arrivals, arrived};
use crate::explain::transport::Arrival;
use crate::explain::way::{End, Flow, Mode};
use crate::explain::world::World;
use crate::facts::service::Service;
use crate::facts::store_facts::Instance;
use crate::model::{Prefix, Set, Span, Sym, Tri, net};
use crate::rules::lead::{self, Lead};
use crate::rules::private_endpoint::{self, group};
use crate::rules::route::{Context, Hop};
use crate::rules::{consent, perimeter};

/// The machines that may get to one store.
pub(super) enum Admitted {
    /// Anybody.
    All,
    /// Whom one of its doors is open to.
    Some(Open),
}

/// What opens a store to machines.
pub(super) struct Open {
    surely: bool,
    /// Its front ends; nothing where it is not known which they are.
    public: Option<FrontEnds>,
    /// The subnets that its firewall names, sorted.
    named: Vec<Sym>,
    /// By each address of a private endpoint, which rooms routes lead from.
    endpoints: Vec<Rc<[Tri]>>,
}

/// How machines get to the front ends of a store, and what becomes of them there.
struct FrontEnds {
    approaches: Rc<Approaches>,
    /// By kind of approach: whether anything gets there, and whether what does is let in.
    verdicts: Vec<(bool, bool)>,
}

/// A subnet in which a machine stands, and its place in the list of those.
type Room = (Sym, usize);

/// Where a machine stands.
struct Stand {
    machine: End,
    rooms: Vec<Room>,
    networks: Vec<Sym>,
    /// Machines of networks that its own is not joined with may surely get to it.
    abroad: bool,
}

/// A store's part, and whether only what surely gets through counts.
type Wanted = (Sym, Sym, Instance, bool);

/// How machines get to the front ends of a service in a region. Machines that get there alike and show the same are told apart no further.
struct Approaches {
    /// By the machine's place in the list.
    kinds: Box<[u32]>,
    /// What those of a kind do; `None` where they may do anything.
    ways: Vec<Option<Arriving>>,
}

/// The gates of an estate.
pub(super) struct Gates<'w, 'a> {
    world: &'w World<'a>,
    stands: Vec<Stand>,
    /// Networks of which one sees the other as its peer, either way round.
    peers: FxHashSet<(Sym, Sym)>,
    /// Something that forwards may be known well enough to be relied on.
    forwards_surely: bool,
    known: RefCell<FxHashMap<Wanted, Rc<Admitted>>>,
    /// The subnets in which machines stand, each with its routes.
    rooms: Vec<(Sym, Rc<Context>)>,
    /// By address, from which rooms routes lead there: `No` is sure, the others bounds.
    routed: RefCell<FxHashMap<IpAddr, Rc<[Tri]>>>,
    approaches: RefCell<FxHashMap<(Service, Sym), Rc<Approaches>>>,
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
        let mut stands: Vec<Stand> = machines.map(|machine| stand(world, machine)).collect();
        let rooms = number(world, &mut stands);
        let apart = !forwards_surely && !joins_surely(world);
        let through = gateway_prefixes(&rooms);
        let lopsided = lopsided(world);
        for stand in &mut stands {
            let addresses = addresses(world, stand.machine);
            let reached = |ip: &IpAddr| through.iter().any(|prefix| prefix.contains(ip));
            let known = !addresses.is_empty() && !stand.networks.iter().any(|vnet| lopsided.contains(vnet) || !world.index.vnet.has(*vnet));
            stand.abroad = !apart || !known || addresses.iter().any(reached);
        }
        let networks: FxHashSet<Sym> = stands.iter().flat_map(|stand| &stand.networks).copied().collect();
        let usable = |vnet: Sym| world.network(vnet).peers.iter().filter(|peer| peer.usable.hi()).map(|peer| peer.vnet).collect::<Vec<_>>();
        let peers =
            networks.into_iter().flat_map(|vnet| usable(vnet).into_iter().flat_map(move |peer| [(vnet, peer), (peer, vnet)])).collect();
        let (known, routed, approaches) = Default::default();
        Gates { world, stands, peers, forwards_surely, known, rooms, routed, approaches, arrivals, perimeters }
    }

    /// Whether machines of networks that its own is not joined with may surely get to a machine, or it to them.
    pub(super) fn abroad(&self, place: Option<usize>) -> bool {
        place.is_none_or(|place| self.stands[place].abroad)
    }

    /// Whether two machines may surely have a flow between them.
    pub(super) fn joined(&self, a: Option<usize>, b: Option<usize>) -> bool {
        let (Some(a), Some(b)) = (a.map(|a| &self.stands[a]), b.map(|b| &self.stands[b])) else { return true };
        let near = |x: &Sym, y: &Sym| x == y || self.peers.contains(&(*x, *y));
        a.abroad || b.abroad || a.networks.iter().any(|x| b.networks.iter().any(|y| near(x, y)))
    }

    /// Whether routes may surely lead from a machine to an address; no is sure.
    pub(super) fn surely_leads(&self, place: Option<usize>, address: IpAddr) -> bool {
        place.is_none_or(|place| self.leads(&self.stands[place], &self.routed(address), true))
    }

    /// Whether the machine at a place may get to a store; one that is in no list may.
    pub(super) fn admits(&self, admitted: &Admitted, place: Option<usize>) -> bool {
        let (Admitted::Some(open), Some(place)) = (admitted, place) else { return true };
        let stand = &self.stands[place];
        let over_public = open.public.as_ref().is_none_or(|public| {
            let (arrives, admitted) = public.verdicts[public.approaches.kinds[place] as usize];
            // A machine whose subnet is named may say so besides whatever address it shows (SE-18).
            admitted || arrives && stand.rooms.iter().any(|(subnet, _)| open.named.binary_search(subnet).is_ok())
        });
        over_public || open.endpoints.iter().any(|routed| self.leads(stand, routed, open.surely))
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
        let Some(guard) = self.world.guard(store, part) else { return Admitted::All };
        let counts = |admitted: Tri| if surely { admitted.lo() } else { admitted.hi() };
        let mut doors: Vec<IpAddr> = Vec::new();
        for Lead { connection, certain } in lead::leads(index, store, group(part, instance)) {
            if !counts(consent::of(index, &connection).admitted) || (surely && !certain) {
                continue;
            }
            // Where it stands nobody knows.
            if !index.private_endpoint.has(connection.endpoint) {
                if surely {
                    continue;
                }
                return Admitted::All;
            }
            let addresses = private_endpoint::addresses(index, connection.endpoint, connection.group);
            if addresses.is_empty() && !surely {
                return Admitted::All;
            }
            doors.extend(addresses);
        }
        let location = index.store_parts.get(store).iter().find(|row| row.part == part && row.instance == instance);
        let location = location.map(|row| private_endpoint::region(index, row));
        let to = End::Store(store, part, instance);
        let mut named: Vec<Sym> = guard.firewall.subnet_rules.iter().map(|rule| rule.subnet).collect();
        named.sort_unstable();
        let somebody = OnceCell::new();
        let admits_somebody = || anybody(index, store).iter().any(|source| guard.admit(source).admitted.hi());
        let admits = |arrival: &Arrival| match arrival {
            Arrival::Showing(source) => counts(guard.admit(source).admitted),
            Arrival::Unknown => !surely && *somebody.get_or_init(admits_somebody),
        };
        let carries = |span: &Span| !if surely { span.sure } else { span.may }.is_empty();
        let verdict = |ways: &Option<Arriving>| match ways {
            // Who sends from several places, or by name, may get anywhere.
            None => (true, true),
            Some(ways) => {
                let arriving = ways.iter().filter(|(span, _)| carries(span));
                arriving.fold((false, false), |(_, admitted), (_, arrival)| (true, admitted || admits(arrival)))
            }
        };
        let public = location.map(|location| {
            let approaches = self.approaches(to, row.service, location);
            let verdicts = approaches.ways.iter().map(verdict).collect();
            FrontEnds { approaches, verdicts }
        });
        let endpoints = doors.into_iter().map(|address| self.routed(address)).collect();
        Admitted::Some(Open { surely, public, named, endpoints })
    }

    /// How the machines get to the front ends of a service in a region; `to` is one of them.
    fn approaches(&self, to: End, service: Service, region: Sym) -> Rc<Approaches> {
        if let Some(known) = self.approaches.borrow().get(&(service, region)) {
            return known.clone();
        }
        let mut ways: Vec<Option<Arriving>> = Vec::new();
        let mut known: FxHashMap<Option<Arriving>, u32> = FxHashMap::default();
        let kind = |stand: &Stand| {
            let flow = Flow { from: stand.machine, to, traffic: Set::tcp_udp(), mode: Mode::Adversarial, session: true };
            let found = arrived(self.world, &flow, service, region, &self.arrivals);
            *known.entry(found).or_insert_with_key(|found| {
                ways.push(found.clone());
                ways.len() as u32 - 1
            })
        };
        let kinds = self.stands.iter().map(kind).collect();
        let found = Rc::new(Approaches { kinds, ways });
        self.approaches.borrow_mut().insert((service, region), found.clone());
        found
    }

    /// Whether a route leads from a machine to the address that `routed` is about.
    fn leads(&self, stand: &Stand, routed: &[Tri], surely: bool) -> bool {
        if stand.rooms.is_empty() {
            return !surely;
        }
        stand.rooms.iter().any(|(_, room)| if surely { routed[*room].lo() } else { routed[*room].hi() })
    }

    /// From which rooms routes lead to an address. Those with the same routes send alike, but what service endpoints cover, which is public.
    fn routed(&self, address: IpAddr) -> Rc<[Tri]> {
        if let Some(known) = self.routed.borrow().get(&address) {
            return known.clone();
        }
        let mut alike: FxHashMap<*const Context, Tri> = FxHashMap::default();
        let look = |(subnet, context): &(Sym, Rc<Context>)| {
            let look = || self.chosen(*subnet, address);
            if net::is_public(address) { look() } else { *alike.entry(Rc::as_ptr(context)).or_insert_with(look) }
        };
        let found: Rc<[Tri]> = self.rooms.iter().map(look).collect();
        self.routed.borrow_mut().insert(address, found.clone());
        found
    }

    /// Whether what a subnet sends to an address may, or may surely, get there: `No` is sure, the others bounds.
    fn chosen(&self, subnet: Sym, address: IpAddr) -> Tri {
        let leads = |candidate: &Candidate| match candidate {
            Candidate::Endpoint { .. } | Candidate::Service { .. } => Tri::Yes,
            Candidate::Route(entry) => match entry.hop {
                Hop::None => Tri::No,
                Hop::Internet => Tri::from_bool(net::is_public(address)),
                Hop::Appliance(_) if !self.forwards_surely => Tri::Maybe,
                Hop::Local | Hop::Peering(_) | Hop::Gateway | Hop::Appliance(_) => Tri::Yes,
                Hop::Unknown => Tri::Maybe,
            },
        };
        choose(self.world, subnet, address).candidates.iter().map(leads).max().unwrap_or(Tri::No)
    }
}

/// Numbers the subnets in which machines stand.
fn number(world: &World<'_>, stands: &mut [Stand]) -> Vec<(Sym, Rc<Context>)> {
    let mut rooms: Vec<(Sym, Rc<Context>)> = Vec::new();
    let mut places: FxHashMap<Sym, usize> = FxHashMap::default();
    for (subnet, place) in stands.iter_mut().flat_map(|stand| &mut stand.rooms) {
        *place = *places.entry(*subnet).or_insert_with(|| {
            rooms.push((*subnet, world.context(*subnet)));
            rooms.len() - 1
        });
    }
    rooms
}

fn stand(world: &World<'_>, machine: End) -> Stand {
    let index = world.index;
    let nics: Vec<Sym> = match machine {
        End::Machine(machine) => index.nics_by_machine.get(machine).iter().map(|row| row.nic).collect(),
        End::Nic(nic) => vec![nic],
        _ => Vec::new(),
    };
    let mut subnets: Vec<Sym> = nics.iter().flat_map(|nic| index.ip_configs_by_nic.get(*nic)).map(|config| config.subnet).collect();
    subnets.extend(if let End::Subnet(subnet) = machine { Some(subnet) } else { None });
    subnets.sort_unstable();
    subnets.dedup();
    let mut networks: Vec<Sym> = subnets.iter().map(|subnet| world.vnet_of(*subnet)).collect();
    networks.sort_unstable();
    networks.dedup();
    let rooms = subnets.into_iter().map(|subnet| (subnet, 0)).collect();
    Stand { machine, rooms, networks, abroad: true }
}

/// The addresses of a machine, none where one is not known; of a subnet those that stand for all that are free.
fn addresses(world: &World<'_>, machine: End) -> Vec<IpAddr> {
    let each: Vec<Vec<Host>> = places(world, machine).into_iter().map(|(hosts, _)| hosts).collect();
    let untold = matches!(machine, End::Machine(machine) if has_unseen_interfaces(world.index, machine));
    let several = !matches!(machine, End::Subnet(_)) && each.iter().any(|hosts| hosts.len() != 1);
    if untold || several {
        return Vec::new();
    }
    each.into_iter().flatten().map(|host| host.ip).collect()
}

/// Whether something joins networks that are not peered.
fn joins_surely(world: &World<'_>) -> bool {
    let index = world.index;
    let hubs = !index.virtual_hub.is_empty() || !index.hub_connection.is_empty();
    let managers = !index.network_manager.is_empty() || !index.manager_applied.is_empty() || !index.connectivity_hubs.is_empty();
    hubs || managers || !index.private_link_service.is_empty()
}

/// What the machines' routes send to gateways.
fn gateway_prefixes(rooms: &[(Sym, Rc<Context>)]) -> Vec<Prefix> {
    let mut seen: FxHashSet<*const Context> = FxHashSet::default();
    let contexts = rooms.iter().map(|(_, context)| context).filter(|context| seen.insert(Rc::as_ptr(context)));
    let to_gateways = contexts.flat_map(|context| context.entries.iter().filter(|entry| entry.hop == Hop::Gateway));
    let mut prefixes: Vec<Prefix> = to_gateways.map(|entry| entry.prefix).collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    prefixes
}

/// Networks that one sees as its peer which they do not see.
fn lopsided(world: &World<'_>) -> FxHashSet<Sym> {
    let sees = |vnet: Sym, other: Sym| world.network(vnet).peers.iter().any(|peer| peer.usable.hi() && peer.vnet == other);
    let mut found = FxHashSet::default();
    for vnet in world.index.vnet.rows().map(|row| row.vnet) {
        for peer in world.network(vnet).peers.iter().filter(|peer| peer.usable.hi() && !sees(peer.vnet, vnet)) {
            found.insert(peer.vnet);
        }
    }
    found
}
