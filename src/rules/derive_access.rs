//! The wiring of service endpoints: which front ends those of a subnet cover.

use std::sync::Arc;

use crate::facts::Fact;
use crate::facts::gap::{ChildType, POLICIES, SUBNETS};
use crate::facts::network::{Subnet, SubnetEndpointPolicy, SubnetServiceEndpoint, Vnet};
use crate::facts::platform::Platform;
use crate::facts::service::Service;
use crate::facts::store_facts::StorePart;
use crate::model::{Sym, Tri};
use crate::rules::input::{Facts, column};
use crate::rules::part::{Part, Parts, Time, join, key, reduce};
use crate::rules::service_endpoint::{covers, partner};

/// By subnet: the regions with stores whose front ends its service endpoints may cover, as [`Part::Covers`].
pub fn derive_covers<'s, T: Time>(facts: &Facts<'s, T>, platform: &Arc<Platform>) -> Parts<'s, T> {
    let endpoints = facts.keyed(column!(SubnetServiceEndpoint.subnet));
    let regions = facts.keyed(column!(StorePart.location)).map(|(region, _)| (key(Sym::EMPTY), Part::Ref(region.0)));
    let regions = regions.distinct().arrange_by_key_named("region with stores");
    let subnets = endpoints.clone().map(|(subnet, _)| (key(Sym::EMPTY), Part::Ref(subnet.0)));
    let subnets = subnets.distinct().arrange_by_key_named("subnet with service endpoints");
    let asked = join(&subnets, &regions, |_, subnet, region| match (subnet, region) {
        (Part::Ref(subnet), Part::Ref(_)) => Some((key(*subnet), *region)),
        _ => None,
    });
    let homes = join(
        &facts.by("subnet by network", column!(Subnet.vnet)),
        &facts.by("network of a subnet", column!(Vnet.vnet)),
        |_, subnet, vnet| match (subnet, vnet) {
            (Part::Fact(Fact::Subnet(subnet)), Part::Fact(vnet)) => Some((key(subnet.subnet), Part::Other(*vnet))),
            _ => None,
        },
    );
    let says_none = |wanted: &'static str| {
        facts
            .keyed(column!(ChildType.parent))
            .filter(move |(_, part)| matches!(part, Part::Fact(Fact::ChildType(row)) if row.kind.as_str() == wanted))
    };
    // Policies that say that they are attached to no subnet, while a subnet names them.
    let contested = join(
        &facts.by("subnet by policy", column!(SubnetEndpointPolicy.policy)),
        &says_none(SUBNETS).arrange_by_key_named("policy without subnets"),
        |_, policy, none| match (policy, none) {
            (Part::Fact(Fact::SubnetEndpointPolicy(row)), Part::Fact(none)) => Some((key(row.subnet), Part::Fact(*none))),
            _ => None,
        },
    );
    let policies = facts.keyed(column!(SubnetEndpointPolicy.subnet)).concat(says_none(POLICIES)).concat(contested);
    let parts = endpoints.concat(policies).concat(asked).concat(homes);
    let platform = platform.clone();
    reduce(
        parts,
        "se.1",
        Box::new(move |_, group, output| {
            let mut rows: Vec<SubnetServiceEndpoint> = Vec::new();
            let (mut regions, mut home, mut policy) = (Vec::new(), Sym::EMPTY, Tri::No);
            // Whether it is attached is not known where one of the two sides says that it has none.
            let contested = group.iter().any(|part| matches!(part, Part::Fact(Fact::ChildType(_))));
            let attached = if contested { Tri::Maybe } else { Tri::Yes };
            for part in group {
                match part {
                    Part::Fact(Fact::SubnetServiceEndpoint(row)) => rows.push(*row),
                    Part::Fact(Fact::SubnetEndpointPolicy(_)) => policy = attached,
                    Part::Other(Fact::Vnet(row)) => home = row.location,
                    Part::Ref(region) => regions.push(*region),
                    _ => {}
                }
            }
            for service in Service::ALL {
                for region in &regions {
                    let covered = covers(&rows, service, *region, home, partner(&platform, home), policy).covered;
                    if covered.hi() {
                        output.push((Part::Covers(service, *region, covered), 1));
                    }
                }
            }
        }),
    )
}
