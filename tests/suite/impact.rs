//! What a what-if leaves out cannot have moved: the rows of a listing near a change differ exactly as those of the whole listing do, and ways out that are
//! looked for with what is known of the other side are those that are found from nothing.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use proptest::prelude::*;
use rustc_hash::FxHashSet;
use watertight::engine::exfil::{Edges, Graph, Known, Path, Route};
use watertight::explain::impact::{Impact, Side};
use watertight::explain::reach::{self, Ends};
use watertight::explain::way::End;
use watertight::explain::world::World;
use watertight::facts::platform::Platform;
use watertight::facts::{Fact, Index};
use watertight::model::Set;

use crate::agreement::{apply, config};
use crate::estates::arb_estate;
use crate::private_edits::{KINDS, KIT};
use crate::scenario_format::{statements, states};
use crate::scenarios::{files, read};

fn rows(index: &Index, touching: Option<&FxHashSet<End>>) -> BTreeSet<String> {
    let ask = reach::Ask { from: None, to: None, traffic: Set::ALL, paths: false, ends: Ends::Widest, touching };
    reach::rows(index, Platform::builtin(), &ask, NonZeroUsize::MIN).into_iter().map(|row| format!("{row:?}")).collect()
}

fn index(facts: &BTreeSet<Fact>) -> Index {
    facts.iter().copied().collect()
}

fn impact(old: &Index, new: &Index, changed: &[Fact]) -> Impact {
    let side = |index: &Index| Side::of(&World::new(index, Platform::builtin()), changed);
    Impact::between(side(old), side(new))
}

/// What leaves out something that moved, or says that something moved which did not; `None` where the change may move anything.
fn wrong(old: (&Index, &BTreeSet<String>), new: &Index, changed: &[Fact]) -> Option<Vec<String>> {
    let impact = impact(old.0, new, changed);
    let ends = impact.ends()?;
    let (whole, near) = (rows(new, None), (rows(old.0, Some(ends)), rows(new, Some(ends))));
    let (wanted, found) = (moved(old.1, &whole), moved(&near.0, &near.1));
    Some(wanted.symmetric_difference(&found).cloned().collect())
}

fn moved(old: &BTreeSet<String>, new: &BTreeSet<String>) -> BTreeSet<String> {
    old.difference(new).map(|row| format!("- {row}")).chain(new.difference(old).map(|row| format!("+ {row}"))).collect()
}

/// Every way out of an estate, what its edges carry, and the ways told.
type Ways = (Vec<Route>, Edges, Vec<Path>);

fn ways_out(index: &Index, known: Option<Known<'_>>) -> Ways {
    let world = World::new(index, Platform::builtin());
    let graph = Graph::new(&world).knowing(known);
    let sources: Vec<End> = graph.inside().collect();
    let routes: Vec<Route> = sources.into_iter().flat_map(|source| graph.routes(source, None)).collect();
    let told = graph.told(&routes);
    (routes, graph.into_edges(), told)
}

/// The same of ways out.
fn wrong_ways((old, before): (&Index, &Ways), new: &Index, changed: &[Fact]) -> Option<Vec<String>> {
    let impact = impact(old, new, changed);
    impact.ends()?;
    let (whole, again) = (ways_out(new, None), ways_out(new, Some(Known { edges: &before.1, impact: &impact })));
    let text = |paths: &[Path]| paths.iter().map(|path| format!("{path:?}")).collect::<BTreeSet<String>>();
    let near = |index: &Index, mine: &Ways, theirs: &[Route]| {
        let world = World::new(index, Platform::builtin());
        let graph = Graph::new(&world);
        let told = mine.0.iter().filter(|route| !theirs.contains(route) || graph.tells_anew(&impact, route));
        told.map(|route| format!("{:?}", graph.path(route))).collect::<BTreeSet<String>>()
    };
    let wanted = moved(&text(&before.2), &text(&whole.2));
    let found = moved(&near(old, before, &again.0), &near(new, &again, &before.0));
    Some(wanted.symmetric_difference(&found).cloned().collect())
}

#[test]
fn taking_any_fact_from_a_scenario_moves_only_what_it_may() {
    let (mut looked_at, mut found) = (0, Vec::new());
    for path in files() {
        let Some(facts) = states(&read(&path)).pop() else { continue };
        let old = index(&facts);
        let (before, ways) = (rows(&old, None), ways_out(&old, None));
        for fact in &facts {
            let mut fewer = old.clone();
            fewer.remove(*fact);
            let Some(mut wrong) = wrong((&old, &before), &fewer, &[*fact]) else { continue };
            looked_at += 1;
            if looked_at % 3 == 0 {
                wrong.extend(wrong_ways((&old, &ways), &fewer, &[*fact]).unwrap_or_default());
            }
            if let Some(first) = wrong.first() {
                found.push(format!("{}: without {fact:?}: {} rows, such as\n{first}", path.display(), wrong.len()));
            }
        }
    }
    assert!(found.is_empty(), "{} changes move what is left out:\n{}", found.len(), found.join("\n"));
    assert!(looked_at > 500, "only {looked_at} changes are known to stay where they are");
}

/// Two machines in joined networks, and a third that stands in their way or answers one of them; a group that is in force there from the start.
const IN_THE_WAY: &[(&str, &str)] = &[
    ("an appliance", r#"router("m", "n", 10.0.9.4). route("ra", "ta", 10.0.2.0/24, virtualappliance, 10.0.9.4)."#),
    (
        "an appliance by its interface",
        r#"router("m", "n", 10.0.9.4). route("ra", "ta", 10.0.2.0/24, virtualappliance, 10.0.9.4). nic_nsg("m-nic", "g"). nsg("h"). subnet_nsg("n", "h")."#,
    ),
    (
        "an appliance behind a frontend",
        r#"router("m", "n", 10.0.9.4). route("ra", "ta", 10.0.2.0/24, virtualappliance, 10.0.8.100). subnet("f", "v", 10.0.8.0/24).
           balancer("lb", standard, 10.0.8.100, "f"). ip_config_pool("m-ip", "lb-pool").
           load_balancing_rule("ha", "lb-fe", all, 0, 0). load_balancing_rule_pool("ha", "lb-pool")."#,
    ),
    (
        "a DNS server",
        r#"subnet("d", "v", 10.0.7.0/24). subnet_nsg("d", "g"). vm("m", "d", 10.0.7.4). vnet_dns("v", 0, 10.0.7.4). dns_server(10.0.7.4, azure-dns, "v").
           private("pf", "sb", 10.0.2.9, "b1", blob). storage("b1", deny). record("z", "b1", 10.0.2.9)."#,
    ),
    ("a private endpoint", r#"subnet_private_endpoint_policy("n", enabled)."#),
];

#[test]
fn what_stands_in_the_way_of_others_is_not_left_out() {
    let common = r#"
        vnet("v", 10.0.0.0/16). subnet("sa", "v", 10.0.1.0/24). subnet("sb", "v", 10.0.2.0/24). subnet("n", "v", 10.0.9.0/24).
        vm("a", "sa", 10.0.1.4). vm("b", "sb", 10.0.2.4). route_table("ta"). subnet_route_table("sa", "ta").
        storage("a1", deny). private("pe", "n", 10.0.9.9, "a1", blob). zone("z", "privatelink.blob.core.windows.net", "v"). record("z", "a1", 10.0.9.9).
        nsg("g"). subnet_nsg("n", "g").
    "#;
    let shut = statements(r#"nsg_rule("g/in", "g", inbound, 100, deny, "*", "*", "*", "*", "*")."#).expect("a rule");
    let mut others = 0;
    for (what, text) in IN_THE_WAY {
        let facts: BTreeSet<Fact> = statements(&format!("{common}{text}")).expect("facts").into_iter().collect();
        let old = index(&facts);
        let mut new = old.clone();
        shut.iter().for_each(|fact| _ = new.insert(*fact));
        let (before, after) = (rows(&old, None), rows(&new, None));
        assert_ne!(before, after, "{what}: nothing moves");
        let mut wrong = wrong((&old, &before), &new, &shut).unwrap_or_else(|| {
            others += 1;
            Vec::new()
        });
        wrong.extend(wrong_ways((&old, &ways_out(&old, None)), &new, &shut).unwrap_or_default());
        assert!(wrong.is_empty(), "{what}\n{}", wrong.join("\n"));
    }
    assert_eq!(others, 3, "all but the private endpoint and the DNS server may move anything");
}

#[test]
fn what_is_not_understood_of_a_store_is_not_left_out() {
    let text = r#"
        vnet("v", 10.0.0.0/16). subnet("sa", "v", 10.0.1.0/24). vm("a", "sa", 10.0.1.4). storage("a1", deny).
    "#;
    let facts: BTreeSet<Fact> = statements(text).expect("facts").into_iter().collect();
    let gap = statements(r#"unread_rule("a1", "properties.networkAcls.ipRules.0")."#).expect("a rule");
    let old = index(&facts);
    let mut new = old.clone();
    gap.iter().for_each(|fact| _ = new.insert(*fact));
    let before = rows(&old, None);
    assert_ne!(before, rows(&new, None), "nothing moves");
    assert_eq!(wrong((&old, &before), &new, &gap), Some(Vec::new()));
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn changes_of_an_estate_move_only_what_they_may(
        estate in arb_estate(),
        choices in proptest::collection::vec((0..KINDS.len(), 0usize..60), 6),
    ) {
        let mut facts = estate;
        facts.extend(statements(KIT).expect("the kit is facts"));
        for (kind, n) in choices {
            let Some(edit) = KINDS[kind].1(&facts, n) else { continue };
            let old = index(&facts);
            apply(&mut facts, &edit);
            let changed: Vec<Fact> = edit.removed.into_iter().chain(edit.added).collect();
            let new = index(&facts);
            let mut wrong = wrong((&old, &rows(&old, None)), &new, &changed).unwrap_or_default();
            wrong.extend(wrong_ways((&old, &ways_out(&old, None)), &new, &changed).unwrap_or_default());
            prop_assert!(wrong.is_empty(), "{}: {changed:?}\n{}", KINDS[kind].0, wrong.join("\n"));
        }
    }
}
