//! The live session: whatever edits led there, what is settled is what a load from nothing settles, and it is sound against points.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use watertight::engine::live::Session;
use watertight::explain::point::{pairs, span};
use watertight::explain::way::{End, Flow, Mode};
use watertight::explain::world::World;
use watertight::facts::platform::Platform;
use watertight::facts::{Fact, Index};
use watertight::model::{Set, Sym};

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
            let point = span(&pairs(&world, &flow));
            let joined = session.pair(*source, *destination);
            prop_assert!(point.may.within(joined.may), "{from} -> {to}: a point finds {:?}, both sides allow {:?}", point, joined);
            prop_assert!(joined.sure.within(point.sure), "{from} -> {to}: both sides prove {:?}, a point only {:?}", joined, point);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..crate::agreement::seeded() })]

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
            prop_assert_eq!(one.rows(), fresh.rows());
            prop_assert_eq!(three.rows(), fresh.rows());
            sound(&one, &platform)?;
        }
    }

    /// An edit and its undo leave every row as it was.
    #[test]
    fn an_edit_and_its_undo_leave_every_row((estate, edits) in estate_and_edits()) {
        let platform = platform();
        let mut session = Session::load(estate.iter().copied(), &platform, 2).expect("a session");
        let before = session.rows();
        for edit in &edits {
            let removed: Vec<Fact> = edit.removed.iter().filter(|fact| estate.contains(*fact)).copied().collect();
            let added: Vec<Fact> = edit.added.iter().filter(|fact| !estate.contains(*fact)).copied().collect();
            session.edit(added.iter().copied(), removed.iter().copied()).expect("an edit");
            session.edit(removed, added).expect("an edit");
        }
        prop_assert_eq!(before, session.rows());
    }
}
