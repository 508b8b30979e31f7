//! The search for ways out against searching by hand: no shorter way, none missed, and the quick look at stores says what the ways say.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::Config;
use watertight::engine::exfil::{Graph, paths};
use watertight::explain::point::{pairs, span};
use watertight::explain::stores::{Arrivals, carried, carried_outside};
use watertight::explain::way::{End, Flow, Mode};
use watertight::explain::world::World;
use watertight::facts::Index;
use watertight::facts::service::Service;
use watertight::model::Set;

use crate::agreement::seeded;
use crate::estates::arb_estate;
use crate::evaluators::platform;
use crate::scenario_format::statements;

/// By source and sink: the fewest hops, and whether they are proven; from the single hops there are. Looked for forwards, over all pairs.
fn by_hand(world: &World<'_>) -> BTreeMap<(String, String), (usize, bool)> {
    let graph = Graph::new(world);
    let (inside, sinks): (Vec<End>, Vec<End>) = (graph.inside().collect(), graph.sinks().to_vec());
    let appliance = |end: &End| match end {
        End::Machine(id) => world.index.nics_by_machine.get(*id).iter().any(|row| world.index.appliance.has(row.nic)),
        _ => false,
    };
    let mut found = BTreeMap::new();
    for proven in [true, false] {
        let hop = |from: End, to: End| {
            let direct = paths(world, Some(&[from]), Some(&[to]));
            direct.iter().any(|path| path.hops.len() == 1 && (path.proven || !proven))
        };
        for &source in &inside {
            for &sink in sinks.iter().filter(|sink| **sink != source) {
                let mut reached = vec![source];
                let mut edge = vec![source];
                let mut hops = 0;
                let length = loop {
                    hops += 1;
                    if edge.iter().any(|node| hop(*node, sink)) {
                        break Some(hops);
                    }
                    let fresh = |to: &&End| !reached.contains(*to) && !appliance(to) && **to != sink;
                    let next: Vec<End> =
                        inside.iter().filter(fresh).filter(|to| edge.iter().any(|node| hop(*node, **to))).copied().collect();
                    if next.is_empty() {
                        break None;
                    }
                    reached.extend(&next);
                    edge = next;
                };
                if let Some(length) = length {
                    found.entry((format!("{source:?}"), format!("{sink:?}"))).or_insert((length, proven));
                }
            }
        }
    }
    found
}

/// Networks in a row, each peered with the next, of which only the last has a way out: peering is not transitive, so bytes go from machine to machine, further
/// than the search looks through one place for another.
///
/// covers: X-03, PEER-03
#[test]
fn a_way_over_many_machines_is_found() {
    let last = 14;
    let mut text = String::new();
    for n in 0..=last {
        text += &format!("vnet(\"v{n}\", 10.{n}.0.0/16). subnet(\"s{n}\", \"v{n}\", 10.{n}.1.0/24). vm(\"m{n}\", \"s{n}\", 10.{n}.1.4).\n");
        if n < last {
            text += &format!("subnet_default_outbound(\"s{n}\", no). peered(\"v{n}\", \"v{}\").\n", n + 1);
        }
    }
    let index: Index = statements(&text).unwrap().into_iter().collect();
    let world = World::new(&index, platform());
    let machines: Vec<End> = index.machine.rows().map(|row| End::Machine(row.machine)).collect();
    assert_eq!(machines.len(), last + 1);
    for machine in machines {
        let End::Machine(id) = machine else { continue };
        let number: usize = id.as_str().rsplit_once('m').and_then(|(_, number)| number.parse().ok()).expect("a machine with a number");
        let found = paths(&world, Some(&[machine]), Some(&[End::External(Service::Web)]));
        let found: Vec<(usize, bool)> = found.iter().map(|path| (path.hops.len(), path.proven)).collect();
        assert_eq!(found, [(last - number + 1, true)], "from machine {number}");
    }
}

proptest! {
    #![proptest_config(Config { cases: 12, failure_persistence: None, ..seeded() })]

    //
    #[test]
    fn the_search_finds_the_shortest_ways(estate in arb_estate()) {
        let index: Index = estate.iter().copied().collect();
        let world = World::new(&index, platform());
        let searched = paths(&world, None, None).into_iter();
        let searched: BTreeMap<_, _> =
            searched.map(|path| ((format!("{:?}", path.from), format!("{:?}", path.to)), (path.hops.len(), path.proven))).collect();
        prop_assert_eq!(searched, by_hand(&world));
    }

    #[test]
    fn a_quick_look_at_a_store_says_what_its_ways_say(estate in arb_estate()) {
        let index: Index = estate.iter().copied().collect();
        let world = World::new(&index, platform());
        let (traffic, arrivals) = (Set::tcp_udp(), Arrivals::default());
        let stores = index.store_parts.rows().map(|part| End::Store(part.store, part.part, part.instance));
        let ends: Vec<End> = stores.chain(Service::EXTERNAL.map(End::External)).collect();
        let machines = index.machine.rows().map(|row| End::Machine(row.machine));
        for from in machines.chain(index.subnet.rows().map(|row| End::Subnet(row.subnet))) {
            for &to in &ends {
                let flow = Flow { from, to, traffic, mode: Mode::Adversarial, session: true };
                let quick = match to {
                    End::External(_) => carried_outside(&world, &flow, &arrivals),
                    _ => carried(&world, &flow, &arrivals),
                };
                if let Some(quick) = quick {
                    let whole = span(&pairs(&world, &flow), flow.traffic);
                    let carries = |set: Set| set.meets(traffic);
                    prop_assert_eq!((carries(quick.sure), carries(quick.may)), (carries(whole.sure), carries(whole.may)), "{:?}", flow);
                }
            }
        }
    }
}
