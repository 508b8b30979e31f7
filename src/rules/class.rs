//! Classes: address configurations for which the same rules say the same of every other end.

use crate::facts::selector::Selector;
use crate::model::{Handle, Prefix, Sym, Tri, net};
use crate::rules::part::{Part, Place, Programs, Standing};

/// What members of a class have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Class {
    /// The network.
    pub vnet: Sym,
    /// The route table; empty without one.
    pub table: Sym,
    /// The group of the interface, then the group of the subnet; empty where there is none.
    pub nsgs: [Sym; 2],
    /// The application security groups that the rules of these name and that hold the members, each with whether that counts surely. Sorted.
    pub asgs: Vec<(Sym, Tri)>,
    /// The prefixes that the rules compare their own side with and that hold the members. Sorted.
    pub inside: Vec<Prefix>,
    /// The address, where a rule names its own side by a tag: then it has a class to itself; else any address of the family.
    pub like: Prefix,
}

/// The class of a place, from the parts around it: the place, what its subnet says, its groups and its memberships.
///
/// ```datalog
/// stands(I, V, T, G) :- ip_config(I, _, S, _), subnet(S, V, _), subnet_route_table(S, T), subnet_nsg(S, G).     // class.1
/// ```
pub fn classify(parts: &[Part]) -> Option<Handle<Class>> {
    let (mut place, mut standing) = (None, None);
    for part in parts {
        match part {
            Part::Place(handle) => place = Some(handle.get()),
            Part::Standing(row) => standing = Some(*row),
            _ => {}
        }
    }
    let (place, standing): (std::sync::Arc<Place>, Standing) = (place?, standing?);
    let address = place.address?;
    let mut class = Class {
        vnet: standing.vnet,
        table: standing.table,
        nsgs: [place.nsg, standing.nsg],
        asgs: Vec::new(),
        inside: Vec::new(),
        like: net::everything(net::host(address)),
    };
    for part in parts {
        let Part::Programs(_, handle) = part else { continue };
        let programs: std::sync::Arc<Programs> = handle.get();
        let rules = programs.inbound.rules.iter().chain(&programs.outbound.rules);
        for selector in rules.clone().flat_map(|rule| &rule.own) {
            match selector {
                Selector::Prefix(prefix) if prefix.contains(&address) => class.inside.push(*prefix),
                Selector::Tag(_) => class.like = net::host(address),
                _ => {}
            }
        }
        for selector in rules.flat_map(|rule| &rule.own) {
            if let Selector::Asg(asg) = selector {
                class.asgs.extend(place.asgs.iter().filter(|(member, _)| member == asg));
            }
        }
    }
    class.asgs.sort_unstable();
    class.asgs.dedup();
    class.inside.sort_unstable();
    class.inside.dedup();
    Some(Handle::new(class))
}

/// The name of a class: the key of its rows.
pub fn name(class: Handle<Class>) -> Sym {
    Sym::new(&format!("class {}", class.number()))
}
