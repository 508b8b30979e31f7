//! Synthetic estates, to try scale: what `watertight generate` writes.
//!
//! The output is what Azure Resource Graph would return, one row a line: an array of resources, children that Resource Graph lacks (DNS records, SQL
//! rules, zone groups) as rows of their own. It is the same on every machine for the same options, and every virtual network depends on the seed and its
//! own number alone, so a larger estate repeats most of a smaller one.
//!
//! Estates are irregular on purpose, since regular ones flatter an engine: filters of their own beside shared ones and none, deny-heavy and
//! allow-heavy, peerings that were never accepted, routes to nobody, private endpoints in every state of consent, names without a record.
//!
//! Numbers for 1,000 subnets, rounded (hub-spoke; the other shapes differ where it says so):
//!
//! | what | how many |
//! |---|--:|
//! | virtual networks: spokes of 10 subnets; a hub for up to 400 spokes (flat: 250 subnets each, no hub; mesh: 10 subnets, groups of 20 peered with each other, no hub) | 101 |
//! | security groups, with about 19 rules of their own each | 950 |
//! | route tables (hub-spoke only), of 5 routes | 100 |
//! | network interfaces; a twentieth are attached to nothing | 1,400 |
//! | virtual machines and their disks | 1,270 each |
//! | public addresses, Basic and Standard | 120 |
//! | stores: storage accounts, key vaults, SQL servers 6 : 2 : 2 | 100 |
//! | private endpoints | 70 |
//! | DNS zone links and records | 200 and 60 |
//!
//! That is 14 MB of JSON.
//!
//! Files, in the order of the output: `plan` (who gets which addresses, who is peered), `networks`, `hub`, `filters`, `machines`, `stores`, `names`.

mod dice;
mod filters;
mod hub;
mod machines;
mod names;
mod networks;
mod plan;
mod rows;
mod stores;

use std::io::{self, Write};

use plan::Plan;
use rows::Rows;

/// How the virtual networks hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Shape {
    /// Spokes around hubs with an appliance and a VPN gateway.
    #[default]
    HubSpoke,
    /// Few large networks that do not know each other.
    Flat,
    /// Groups of networks in which everyone is peered with everyone.
    Mesh,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Shape; 3] = [Shape::HubSpoke, Shape::Flat, Shape::Mesh];

    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Shape::HubSpoke => "hub-spoke",
            Shape::Flat => "flat",
            Shape::Mesh => "mesh",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Shape> {
        Shape::ALL.into_iter().find(|shape| shape.as_str() == text)
    }
}

/// What to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Subnets for workloads; those of hubs come on top.
    pub subnets: usize,
    /// Another seed, another estate.
    pub seed: u64,
    /// How the networks hang together.
    pub shape: Shape,
}

/// Writes the estate to `out` as a JSON array, one row a line, holding one row at a time.
///
/// # Errors
/// Those of `out`, and `InvalidInput` where the address plan has no room for so many subnets (beyond 50,000).
pub fn write(options: &Options, out: &mut impl Write) -> io::Result<()> {
    let plan = Plan::new(options)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the private address space has no room for so many subnets"))?;
    let mut rows = Rows::new(out)?;
    for net in &plan.nets {
        let mut dice = plan.dice(net);
        let drawn = networks::draw(&plan, net, &mut dice);
        networks::write(&plan, net, &drawn, &mut dice, &mut rows)?;
        if net.is_hub {
            hub::write(&plan, net, &mut rows)?;
        }
        filters::write(&plan, net, &drawn, &mut dice, &mut rows)?;
        machines::write(net, &drawn, &mut dice, &mut rows)?;
        stores::write(&plan, net, &drawn, &mut dice, &mut rows)?;
    }
    names::write(&plan, &mut rows)?;
    rows.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::{BTreeMap, BTreeSet};

    fn estate(subnets: usize, seed: u64, shape: Shape) -> Vec<Value> {
        let mut out = Vec::new();
        write(&Options { subnets, seed, shape }, &mut out).unwrap();
        serde_json::from_slice(&out).expect("the output is JSON")
    }

    fn of_kind<'a>(rows: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
        rows.iter().filter(move |row| row["type"] == kind)
    }

    #[test]
    fn the_same_options_give_the_same_bytes_and_another_seed_does_not() {
        for shape in Shape::ALL {
            assert_eq!(estate(60, 7, shape), estate(60, 7, shape));
            assert_ne!(estate(60, 7, shape), estate(60, 8, shape));
        }
    }

    #[test]
    fn there_are_as_many_subnets_as_asked_and_none_overlap() {
        for (shape, subnets) in [(Shape::HubSpoke, 137), (Shape::Flat, 300), (Shape::Mesh, 255)] {
            let rows = estate(subnets, 1, shape);
            let mut prefixes: Vec<ipnet::Ipv4Net> = Vec::new();
            let mut workload = 0;
            for vnet in of_kind(&rows, "microsoft.network/virtualnetworks") {
                let space: ipnet::Ipv4Net = vnet["properties"]["addressSpace"]["addressPrefixes"][0].as_str().unwrap().parse().unwrap();
                for subnet in vnet["properties"]["subnets"].as_array().unwrap() {
                    let properties = &subnet["properties"];
                    let prefix = properties["addressPrefix"].as_str().or(properties["addressPrefixes"][0].as_str()).unwrap();
                    let prefix: ipnet::Ipv4Net = prefix.parse().unwrap();
                    assert!(space.contains(&prefix), "{prefix} lies in {space}");
                    prefixes.push(prefix);
                    workload += usize::from(!vnet["name"].as_str().unwrap().starts_with("hub"));
                }
            }
            assert_eq!(workload, subnets, "{shape:?}");
            prefixes.sort_unstable();
            for pair in prefixes.windows(2) {
                assert!(pair[0].broadcast() < pair[1].network(), "{} and {} overlap", pair[0], pair[1]);
            }
        }
    }

    #[test]
    fn ids_are_unique_and_references_lead_somewhere() {
        for shape in Shape::ALL {
            let rows = estate(200, 3, shape);
            let mut ids = BTreeSet::new();
            for row in &rows {
                collect_own(row, &mut ids);
            }
            let rows_with_own_id = rows.iter().map(|row| row["id"].as_str().unwrap().to_lowercase()).collect::<BTreeSet<_>>().len();
            assert_eq!(rows_with_own_id, rows.len(), "no id stands twice");
            let dangling =
                rows.iter().flat_map(|row| references(&row["properties"])).filter(|id| !ids.contains(id)).collect::<BTreeSet<_>>();
            // A subnet that was deleted while a storage rule still names it is part of the picture.
            assert!(dangling.iter().all(|id| id.contains("/subnets/gone")), "{dangling:?}");
        }
    }

    /// Ids of the row and of everything embedded in it with a name.
    fn collect_own(value: &Value, ids: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                if let (Some(Value::String(id)), true) = (map.get("id"), map.contains_key("name")) {
                    ids.insert(id.to_lowercase());
                }
                map.values().for_each(|value| collect_own(value, ids));
            }
            Value::Array(items) => items.iter().for_each(|value| collect_own(value, ids)),
            _ => {}
        }
    }

    /// Objects that hold an id and no name.
    fn references(value: &Value) -> Vec<String> {
        match value {
            Value::Object(map) => {
                let own = (!map.contains_key("name")).then(|| map.get("id").and_then(Value::as_str)).flatten();
                own.map(str::to_lowercase).into_iter().chain(map.values().flat_map(references)).collect()
            }
            Value::Array(items) => items.iter().flat_map(references).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn the_numbers_of_the_table_hold() {
        let rows = estate(1000, 42, Shape::HubSpoke);
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &rows {
            *kinds.entry(row["type"].as_str().unwrap()).or_default() += 1;
        }
        let near = |kind: &str, expected: usize| {
            let found = kinds.get(kind).copied().unwrap_or(0);
            assert!(found.abs_diff(expected) * 100 <= expected * 15, "{kind}: {found} rows, the table says {expected}");
        };
        near("microsoft.network/virtualnetworks", 101);
        near("microsoft.network/networksecuritygroups", 950);
        near("microsoft.network/routetables", 100);
        near("microsoft.network/networkinterfaces", 1400);
        near("microsoft.compute/virtualmachines", 1270);
        near("microsoft.compute/disks", 1270);
        near("microsoft.network/publicipaddresses", 120);
        near("microsoft.network/privateendpoints", 70);
        near("microsoft.network/privatednszones/virtualnetworklinks", 200);
        near("microsoft.network/privatednszones/a", 60);
        let groups: Vec<&Value> = of_kind(&rows, "microsoft.network/networksecuritygroups").collect();
        let rules: usize = groups.iter().map(|row| row["properties"]["securityRules"].as_array().unwrap().len()).sum();
        assert!((15 * groups.len()..23 * groups.len()).contains(&rules), "{rules} rules in {} groups", groups.len());
    }

    #[test]
    fn priorities_are_unique_in_a_group_and_direction() {
        let rows = estate(100, 5, Shape::Mesh);
        for group in of_kind(&rows, "microsoft.network/networksecuritygroups") {
            let mut seen = BTreeSet::new();
            for rule in group["properties"]["securityRules"].as_array().unwrap() {
                let rule = &rule["properties"];
                assert!(seen.insert((rule["direction"].as_str().unwrap(), rule["priority"].as_u64().unwrap())), "{}", group["id"]);
            }
        }
    }

    #[test]
    fn more_than_the_plan_can_hold_is_refused() {
        let refused = write(&Options { subnets: 10_000_000, seed: 1, shape: Shape::HubSpoke }, &mut io::sink());
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert!(Plan::new(&Options { subnets: 30_000, seed: 1, shape: Shape::HubSpoke }).is_some());
    }
}
