//! What people change on the private side of an estate, kind by kind: after each change every evaluator says what the oracle says.

use std::collections::BTreeSet;

use proptest::prelude::*;
use watertight::facts::Fact;
use watertight::facts::network::{Access, NsgRule, SubnetEndpointPolicy, Vnet};
use watertight::facts::private_access::{Consent, PrivateEndpointConnection, ProviderConnection, RecordType, ZoneLink, ZoneRecord};
use watertight::facts::store_facts::{Store, StoreAccess, StorePart};
use watertight::model::{Sym, Tri};

use crate::agreement::{agree, apply, config};
use crate::estates::{Edit, arb_estate};
use crate::evaluators::all;
use crate::scenario_format::statements;

type Facts = BTreeSet<Fact>;

/// Makes an edit of an estate, where it has what the edit needs.
pub type Change = fn(&Facts, usize) -> Option<Edit>;

/// The kinds of changes; each makes one of the estate, for a number that chooses among its possibilities.
pub const KINDS: [(&str, Change); 9] = [
    ("approve", |facts, n| consent(facts, n, Consent::Approved)),
    ("reject", |facts, n| consent(facts, n, Consent::Rejected)),
    ("delete", delete),
    ("link", link),
    ("unlink", unlink),
    ("add a record", record),
    ("change a rule", rule),
    ("attach a policy", policy),
    ("move to another region", region),
];

/// What every estate has besides: an account that is closed, an endpoint for it that waits, a zone that nobody asks, a policy that is attached nowhere.
pub const KIT: &str = r#"
    storage("e0", deny, westeurope). private("pe9", "s00", 10.0.0.190, "e0", blob, pending). zone("y", "privatelink.blob.core.windows.net").
    record("y", "e0", 10.0.0.190). endpoint_policy("strict"). endpoint_policy_scope("strict/d", "strict", "microsoft.storage", "a0").
    nsg("g9"). nsg_rule("g9/out", "g9", outbound, 150, deny, tcp, "*", "*", storage, "*").
"#;

fn rows<T>(facts: &Facts, of: impl Fn(&Fact) -> Option<T>) -> Vec<T> {
    facts.iter().filter_map(of).collect()
}

fn nth<T: Copy>(items: &[T], n: usize) -> Option<T> {
    items.get(n % items.len().max(1)).copied()
}

fn swap(pairs: Vec<(Fact, Fact)>) -> Option<Edit> {
    let (removed, added) = pairs.into_iter().unzip();
    Some(Edit { added, removed })
}

/// Both views of one connection get the state.
fn consent(facts: &Facts, n: usize, state: Consent) -> Option<Edit> {
    let connections = rows(facts, |fact| if let Fact::PrivateEndpointConnection(row) = fact { Some(*row) } else { None });
    let others: Vec<PrivateEndpointConnection> = connections.into_iter().filter(|row| row.state != state).collect();
    let row = nth(&others, n)?;
    let theirs = rows(facts, |fact| match fact {
        Fact::ProviderConnection(other) if other.endpoint == row.endpoint && other.target == row.target => Some(*other),
        _ => None,
    });
    let mut pairs = vec![(row.into(), PrivateEndpointConnection { state, ..row }.into())];
    pairs.extend(
        theirs.into_iter().filter(|other| other.state != state).map(|other| (other.into(), ProviderConnection { state, ..other }.into())),
    );
    swap(pairs)
}

/// One endpoint goes, with all that is its own; what a person wrote into a zone stays (PE-40).
fn delete(facts: &Facts, n: usize) -> Option<Edit> {
    let endpoint = nth(&rows(facts, |fact| if let Fact::PrivateEndpoint(row) = fact { Some(row.endpoint) } else { None }), n)?;
    let own = |fact: &&Fact| match fact {
        Fact::PrivateEndpoint(row) => row.endpoint == endpoint,
        Fact::PrivateEndpointConnection(row) => row.endpoint == endpoint,
        Fact::PrivateEndpointAddress(row) => row.endpoint == endpoint,
        Fact::ProviderConnection(row) => row.endpoint == endpoint,
        _ => false,
    };
    Some(Edit { added: Vec::new(), removed: facts.iter().filter(own).copied().collect() })
}

fn links(facts: &Facts) -> Vec<ZoneLink> {
    rows(facts, |fact| if let Fact::ZoneLink(row) = fact { Some(*row) } else { None })
}

fn zones(facts: &Facts) -> Vec<Sym> {
    rows(facts, |fact| if let Fact::PrivateDnsZone(row) = fact { Some(row.zone) } else { None })
}

fn vnets(facts: &Facts) -> Vec<Vnet> {
    rows(facts, |fact| if let Fact::Vnet(row) = fact { Some(*row) } else { None })
}

fn link(facts: &Facts, n: usize) -> Option<Edit> {
    let all = links(facts);
    let linked = |zone: Sym, vnet: Sym| all.iter().any(|row| row.zone == zone && row.vnet == vnet);
    let pairs: Vec<(Sym, Sym)> =
        zones(facts).into_iter().flat_map(|zone| vnets(facts).into_iter().map(move |row| (zone, row.vnet))).collect();
    let free: Vec<(Sym, Sym)> = pairs.into_iter().filter(|(zone, vnet)| !linked(*zone, *vnet)).collect();
    let (zone, vnet) = nth(&free, n)?;
    let row = ZoneLink {
        link: Sym::new(&format!("{zone}-{vnet}-new")),
        zone,
        vnet,
        usable: !n.is_multiple_of(5),
        registration: false,
        redirect: n.is_multiple_of(3),
    };
    Some(Edit { added: vec![row.into()], removed: Vec::new() })
}

fn unlink(facts: &Facts, n: usize) -> Option<Edit> {
    let row = nth(&links(facts), n)?;
    Some(Edit { added: Vec::new(), removed: vec![row.into()] })
}

/// A record for a store, with an endpoint's address or nobody's.
fn record(facts: &Facts, n: usize) -> Option<Edit> {
    let zone = nth(&zones(facts), n)?;
    let host = nth(&rows(facts, |fact| if let Fact::StorePart(row) = fact { Some(row.host) } else { None }), n)?;
    let mut addresses = rows(facts, |fact| if let Fact::PrivateEndpointAddress(row) = fact { Some(row.address) } else { None });
    addresses.push(std::net::IpAddr::from([10, 0, 0, 250]));
    let value = Sym::new(&nth(&addresses, n / 3)?.to_string());
    let name = Sym::new(host.as_str().split('.').next()?);
    let row = ZoneRecord { record: Sym::new(&format!("{zone}/new")), zone, name, kind: RecordType::A, value };
    Some(Edit { added: vec![row.into()], removed: Vec::new() })
}

/// A rule of a security group, or the default action of a store, says the opposite.
fn rule(facts: &Facts, n: usize) -> Option<Edit> {
    let pairs: Vec<(Fact, Fact)> = rows(facts, |fact| match fact {
        Fact::NsgRule(row) => {
            let access = if row.access == Access::Allow { Access::Deny } else { Access::Allow };
            Some((*fact, NsgRule { access, ..*row }.into()))
        }
        Fact::StoreAccess(row) if row.default_allow != Tri::Maybe => {
            Some((*fact, StoreAccess { default_allow: Tri::from_bool(row.default_allow == Tri::No), ..*row }.into()))
        }
        _ => None,
    });
    swap(vec![nth(&pairs, n)?])
}

fn policy(facts: &Facts, n: usize) -> Option<Edit> {
    let subnet = nth(&rows(facts, |fact| if let Fact::Subnet(row) = fact { Some(row.subnet) } else { None }), n)?;
    let row: Fact = SubnetEndpointPolicy { subnet, policy: Sym::new("strict") }.into();
    (!facts.contains(&row)).then(|| Edit { added: vec![row], removed: Vec::new() })
}

/// A store, with its endpoints there, or a network is made anew in another region.
fn region(facts: &Facts, n: usize) -> Option<Edit> {
    let to = |old: Sym| Sym::new(if old.as_str() == "eastus" { "northeurope" } else { "eastus" });
    let stores = rows(facts, |fact| if let Fact::Store(row) = fact { Some(*row) } else { None });
    if n.is_multiple_of(3) || stores.is_empty() {
        let row = nth(&vnets(facts), n / 3)?;
        return swap(vec![(row.into(), Vnet { location: to(row.location), ..row }.into())]);
    }
    let store = nth(&stores, n)?;
    let mut pairs = vec![(store.into(), Store { location: to(store.location), ..store }.into())];
    pairs.extend(rows(facts, |fact| match fact {
        Fact::StorePart(row) if row.store == store.store => Some((*fact, StorePart { location: to(row.location), ..*row }.into())),
        _ => None,
    }));
    swap(pairs)
}

proptest! {
    #![proptest_config(config(6))]

    #[test]
    fn every_kind_of_change_is_answered_as_the_oracle_does(
        estate in arb_estate(),
        order in Just((0..KINDS.len()).collect::<Vec<usize>>()).prop_shuffle(),
        choices in proptest::collection::vec(0usize..60, KINDS.len()),
    ) {
        let mut facts = estate;
        facts.extend(statements(KIT).expect("the kit is facts"));
        for evaluator in all().iter_mut().skip(1) {
            let mut facts = facts.clone();
            evaluator.load(&facts);
            for (kind, n) in order.iter().zip(&choices) {
                let Some(edit) = KINDS[*kind].1(&facts, *n) else { continue };
                let removed: Vec<Fact> = edit.removed.iter().filter(|fact| facts.contains(*fact)).copied().collect();
                let added: Vec<Fact> = edit.added.iter().filter(|fact| !facts.contains(*fact)).copied().collect();
                apply(&mut facts, &edit);
                evaluator.edit(&added, &removed);
                agree(evaluator.as_mut(), &facts)?;
            }
        }
    }
}

#[test]
fn every_kind_changes_something() {
    let facts: Facts =
        statements(&format!("vnet(\"v0\", 10.0.0.0/16). subnet(\"s00\", \"v0\", 10.0.0.0/24). {KIT}")).unwrap().into_iter().collect();
    let linked = |facts: &Facts| {
        let mut more = facts.clone();
        apply(&mut more, &link(facts, 1).expect("a zone to link"));
        more
    };
    for (kind, make) in KINDS {
        let facts = if kind == "unlink" { linked(&facts) } else { facts.clone() };
        let edit = make(&facts, 1).unwrap_or_else(|| panic!("{kind} changes nothing"));
        assert!(edit.added.iter().any(|fact| !facts.contains(fact)) || edit.removed.iter().any(|fact| facts.contains(fact)), "{kind}");
    }
}
