//! The live session: whatever edits led there, what is settled is what a load from nothing settles, and it is sound against points.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use watertight::engine::exfil::{Graph, paths};
use watertight::engine::live::{Leaking, Output, Session};
use watertight::engine::search::{kind as sink_kind, node};
use watertight::explain::point::{pairs, span};
use watertight::explain::way::{End, Flow, Mode};
use watertight::explain::world::World;
use watertight::facts::config::BoundaryTenant;
use watertight::facts::estate::Estate;
use watertight::facts::gap::Resource;
use watertight::facts::platform::Platform;
use watertight::facts::service::Service;
use watertight::facts::store_facts::Instance;
use watertight::facts::{Fact, Index};
use watertight::generate::{Options, Shape, write};
use watertight::ingest::{Input, read};
use watertight::model::{Prefix, Set, Span, Sym, Tri};
use watertight::rules::leak::{Node, Sink};
use watertight::rules::part::{Link, Part, Visitor};
use watertight::rules::{consent, paas_firewall, service_endpoint};

use crate::estates::{Edit, arb_edits, arb_estate};

fn platform() -> Arc<Platform> {
    let tags = include_bytes!("../scenarios/service-tags.json");
    Arc::new(Platform::with_service_tags(tags).expect("the tags of the scenarios can be read"))
}

fn estate_and_edits() -> impl Strategy<Value = (BTreeSet<Fact>, Vec<Edit>)> {
    arb_estate().prop_flat_map(|estate| {
        let edits = arb_edits(&estate);
        (Just(estate), edits)
    })
}

/// Interfaces of machines with exactly one configuration and a known address.
fn simple_nics(index: &Index) -> Vec<(Sym, Sym)> {
    let mut nics: Vec<(Sym, Sym)> = index
        .nic
        .rows()
        .filter(|nic| nic.role == watertight::facts::network::NicRole::Machine)
        .filter_map(|nic| match index.ip_configs_by_nic.get(nic.nic) {
            [config] if index.ip_config_address.get(config.ip_config).len() == 1 => Some((nic.nic, config.ip_config)),
            _ => None,
        })
        .collect();
    nics.sort_by_key(|(nic, _)| nic.as_str());
    nics
}

fn sound(session: &Session, platform: &Platform) -> Result<(), TestCaseError> {
    let index = session.index();
    let world = World::new(index, platform);
    let nics = simple_nics(index);
    for (from, source) in &nics {
        for (to, destination) in nics.iter().filter(|(to, _)| to != from) {
            let flow = Flow { from: End::Nic(*from), to: End::Nic(*to), traffic: Set::ALL, mode: Mode::Configured, session: true };
            let point = span(&pairs(&world, &flow), flow.traffic);
            let joined = session.pair(*source, *destination);
            prop_assert!(point.may.within(joined.may), "{from} -> {to}: a point finds {:?}, both sides allow {:?}", point, joined);
            prop_assert!(joined.sure.within(point.sure), "{from} -> {to}: both sides prove {:?}, a point only {:?}", joined, point);
        }
    }
    Ok(())
}

/// The kind of sink that an end of a way out is: machines and stores at the end of one are outside.
fn kind(end: End) -> Option<Sink> {
    match end {
        End::Machine(_) | End::Nic(_) | End::Store(..) => Some(Sink::Outside),
        end => sink_kind(end),
    }
}

/// Some of what an estate holds belongs to a subscription that is inside the boundary, the rest does not.
fn with_boundary(estate: &BTreeSet<Fact>, outside: u8) -> BTreeSet<Fact> {
    let mut facts = estate.clone();
    let mut ids: Vec<Sym> = Vec::new();
    for fact in estate {
        match fact {
            Fact::Machine(row) => ids.push(row.machine),
            Fact::Nic(row) => ids.push(row.nic),
            Fact::Store(row) => ids.push(row.store),
            Fact::Subnet(row) => ids.push(row.subnet),
            Fact::PrivateEndpoint(row) => ids.push(row.endpoint),
            _ => {}
        }
    }
    Sym::sort(&mut ids);
    for (n, id) in ids.into_iter().enumerate() {
        let inside = outside == 0 || n % 5 != usize::from(outside);
        let tenant = Sym::new(if inside { "ours" } else { "theirs" });
        let none = Sym::EMPTY;
        facts.insert(Resource { id, kind: none, name: id, location: none, subscription: none, tenant, group: none }.into());
    }
    if outside > 0 {
        facts.insert(BoundaryTenant { tenant: "ours".into() }.into());
    }
    facts
}

/// Every way out that the search over points finds is within what the session says may leak; what it says surely leaks is found.
fn leaks_are_sound(session: &Session, platform: &Platform) -> Result<(), TestCaseError> {
    let world = World::new(session.index(), platform);
    let graph = Graph::new(&world);
    let sources: Vec<End> = graph.inside().chain(graph.sinks().iter().copied()).filter(|end| node(*end).is_some()).collect();
    let inside: Vec<Node> = graph.inside().filter_map(node).collect();
    let ways = paths(&world, Some(&sources), None);
    for way in &ways {
        let (Some(from), Some(sink)) = (node(way.from), kind(way.to)) else { continue };
        let bound = session.may_leak(from, sink);
        prop_assert!(
            bound.is_some_and(|bound| bound as usize <= way.hops.len()),
            "{:?} leaves by {} hops, the session says {:?}\n{:?}",
            way.from,
            way.hops.len(),
            bound,
            way.hops
        );
    }
    for (from, leak) in session.leaks().into_iter().filter(|(from, leak)| leak.sure && inside.contains(from)) {
        let found = ways.iter().filter(|way| way.proven && node(way.from) == Some(from) && kind(way.to) == Some(leak.sink));
        let nearest = found.map(|way| way.hops.len()).min();
        prop_assert!(nearest.is_some_and(|hops| hops <= leak.distance as usize), "{from:?} surely leaks: {leak:?}, found {nearest:?}");
    }
    Ok(())
}

type Everything = (Vec<(Sym, Sym)>, Vec<(Output, Sym, Prefix, Link, Span, isize)>, Vec<Leaking>, Vec<(Sym, Part)>);

/// Everything that a session derives.
fn everything(session: &Session) -> Everything {
    (session.classes(), session.rows(), session.leaks(), session.access())
}

/// What the session says of the private half is what the rules say on the tables, or less certain.
fn access_is_sound(session: &Session, platform: &Platform) -> Result<(), TestCaseError> {
    let index = session.index();
    for (id, said) in session.consents() {
        let exact = index.private_endpoint_connection.get(id).iter().map(|row| consent::of(index, row).admitted).max().unwrap_or_default();
        prop_assert!(said == exact || said == Tri::Maybe, "{id} consents: {said:?}, by the tables {exact:?}");
    }
    let subnets: Vec<Sym> = index.subnet.rows().map(|row| row.subnet).chain([Sym::EMPTY]).collect();
    let followed = |service: Service| matches!(service, Service::Storage | Service::KeyVault | Service::Sql);
    for store in index.store.rows().filter(|store| followed(store.service)) {
        let kinds = [Visitor::SameRegion, Visitor::Azure, Visitor::AnyAzure, Visitor::AnyInternet, Visitor::OnPremises];
        for visitor in subnets.iter().map(|subnet| Visitor::Subnet(*subnet)).chain(kinds) {
            let Some(firewall) = paas_firewall::firewall(index, platform, store.store, Sym::EMPTY) else { continue };
            let exact = paas_firewall::admit(&firewall, &visitor.source());
            let said =
                session.admits(store.store, visitor).or(session.admits(store.store, Visitor::Subnet(Sym::EMPTY))).unwrap_or_default();
            prop_assert!(said == exact.admitted || said == Tri::Maybe, "{} {visitor:?}: {said:?}, by the tables {exact:?}", store.store);
        }
    }
    for part in index.store_parts.rows() {
        let service = index.store.one(part.store).map(|store| store.service);
        for (subnet, service) in subnets.iter().filter_map(|subnet| Some((*subnet, service?))).filter(|(subnet, _)| !subnet.is_empty()) {
            let exact = service_endpoint::of(index, platform, subnet, service, part.location).covered;
            prop_assert_eq!(session.covers(subnet, service, part.location), exact, "{} {:?} {}", subnet, service, part.location);
        }
    }
    Ok(())
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..crate::agreement::seeded() })]

    /// Incremental equals from scratch, on one and on three workers, after every edit.
    #[test]
    fn edits_settle_what_a_load_from_nothing_settles((estate, edits) in estate_and_edits()) {
        let platform = platform();
        let mut facts = estate.clone();
        let mut one = Session::load(estate.iter().copied(), &platform, 1).expect("a session");
        let mut three = Session::load(estate.iter().copied(), &platform, 3).expect("a session");
        for edit in &edits {
            for fact in &edit.removed {
                facts.remove(fact);
            }
            facts.extend(&edit.added);
            one.edit(edit.added.iter().copied(), edit.removed.iter().copied()).expect("an edit");
            three.edit(edit.added.iter().copied(), edit.removed.iter().copied()).expect("an edit");
            let fresh = Session::load(facts.iter().copied(), &platform, 1).expect("a session");
            prop_assert_eq!(everything(&one), everything(&fresh));
            prop_assert_eq!(everything(&three), everything(&fresh));
            sound(&one, &platform)?;
        }
    }

    /// An edit and its undo leave every row as it was.
    #[test]
    fn an_edit_and_its_undo_leave_every_row((estate, edits) in estate_and_edits()) {
        let platform = platform();
        let mut session = Session::load(estate.iter().copied(), &platform, 2).expect("a session");
        let before = everything(&session);
        for edit in &edits {
            let removed: Vec<Fact> = edit.removed.iter().filter(|fact| estate.contains(*fact)).copied().collect();
            let added: Vec<Fact> = edit.added.iter().filter(|fact| !estate.contains(*fact)).copied().collect();
            session.edit(added.iter().copied(), removed.iter().copied()).expect("an edit");
            session.edit(removed, added).expect("an edit");
        }
        prop_assert_eq!(before, everything(&session));
    }

    /// What may leak holds every way out that the search over points finds, and no way is shorter; what surely leaks is found.
    #[test]
    fn what_leaks_is_sound_against_the_search_over_points(((estate, edits), outside) in (estate_and_edits(), 0u8..5)) {
        let platform = platform();
        let mut facts = with_boundary(&estate, outside);
        let mut session = Session::load(facts.iter().copied(), &platform, 1).expect("a session");
        leaks_are_sound(&session, &platform)?;
        for edit in &edits {
            for fact in &edit.removed {
                facts.remove(fact);
            }
            facts.extend(&edit.added);
            session.edit(edit.added.iter().copied(), edit.removed.iter().copied()).expect("an edit");
            leaks_are_sound(&session, &platform)?;
            access_is_sound(&session, &platform)?;
        }
    }

    /// A branch shows what a load with the edit shows, and leaves nothing behind.
    #[test]
    fn a_branch_shows_the_edit_and_leaves_nothing((estate, edits) in estate_and_edits()) {
        let platform = platform();
        let mut session = Session::load(estate.iter().copied(), &platform, 1).expect("a session");
        let before = everything(&session);
        for edit in &edits {
            let mut facts = estate.clone();
            for fact in &edit.removed {
                facts.remove(fact);
            }
            facts.extend(&edit.added);
            let fresh = Session::load(facts, &platform, 1).expect("a session");
            let branch = session.branch(edit.added.iter().copied(), edit.removed.iter().copied()).expect("a branch");
            prop_assert_eq!(everything(branch.session()), everything(&fresh));
            let gone = |leaking: &&Leaking| !fresh.leaks().contains(leaking);
            prop_assert_eq!(branch.settled().disappeared.iter().collect::<Vec<_>>(), before.2.iter().filter(gone).collect::<Vec<_>>());
            drop(branch);
            prop_assert_eq!(&before, &everything(&session));
        }
    }
}

/// The facts of a synthetic estate.
fn generated(subnets: usize, seed: u64, shape: Shape) -> Vec<Fact> {
    let mut bytes = Vec::new();
    write(&Options { subnets, seed, shape }, &mut bytes).expect("an estate is written to memory");
    let loaded = read(vec![Input { name: "generated".to_owned(), bytes }]);
    let (estate, _) = Estate::from_loaded(loaded);
    estate.facts().collect()
}

/// In estates that look like real ones too, and the search finds the same ways within the bounds of the session as without them.
#[test]
fn the_search_finds_the_same_within_the_bounds_of_the_session() {
    let platform = Arc::new(Platform::builtin().clone());
    for (seed, shape) in [(1, Shape::HubSpoke), (2, Shape::Mesh), (3, Shape::Flat)] {
        let facts = generated(40, seed, shape);
        let index: Index = facts.iter().copied().collect();
        let session = Session::load(facts, &platform, 2).expect("a session");
        leaks_are_sound(&session, &platform).unwrap_or_else(|wrong| panic!("{shape:?} {seed}: {wrong}"));
        let world = World::new(&index, &platform);
        let bounds = session.into_bounds();
        let bounded = Graph::new(&world).bounded_by(Some(&bounds)).paths(None, None);
        assert!(bounded == paths(&world, None, None), "{shape:?} {seed}: other ways within the bounds");
        assert!(!bounded.is_empty(), "{shape:?} {seed}: nothing leaks");
    }
}

/// Whoever a person names: interfaces, which are no places of the search, and what the input does not hold.
#[test]
fn whoever_is_named_has_the_same_ways_within_the_bounds() {
    let platform = Arc::new(Platform::builtin().clone());
    let facts = generated(12, 1, Shape::HubSpoke);
    let index: Index = facts.iter().copied().collect();
    let bounds = Session::load(facts, &platform, 1).expect("a session").into_bounds();
    let world = World::new(&index, &platform);
    let mut named: Vec<End> = index.nic.rows().map(|row| End::Nic(row.nic)).collect();
    named.extend(index.subnet.rows().map(|row| End::Subnet(row.subnet)));
    named.push(End::Machine("nobody".into()));
    named.extend(index.store.rows().map(|row| End::Store(row.store, "nothing".into(), Instance::Primary)));
    let free = paths(&world, Some(&named), None);
    assert!(free.iter().any(|way| matches!(way.from, End::Nic(_))), "no interface leaks");
    assert!(Graph::new(&world).bounded_by(Some(&bounds)).paths(Some(&named), None) == free);
}
