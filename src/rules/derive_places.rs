//! The wiring of places: where machines stand, and what is known of their interfaces.

use crate::facts::Fact;
use crate::facts::config::Appliance;
use crate::facts::network::*;
use crate::facts::private_access::{PrivateEndpoint, PrivateEndpointAsg};
use crate::model::{Handle, Sym, Tri};
use crate::rules::input::{Facts, column};
use crate::rules::part::{Body, ByKey, Key, Part, Parts, Place, Time, join, key, reduce};

/// By application security group: whether being a member counts surely: only where all members of a group are in one network (NSG-09). Of one that is not in
/// the input, or whose subnet is not, nobody knows the network (SND-04).
///
/// ```datalog
/// spread(G, V) :- ip_config_asg(I, G), ip_config(I, _, S, _), subnet(S, V, _).                  // address.3
/// spread(G, "") :- ip_config_asg(I, G), ip_config(I, _, S, _), !subnet(S, _, _).                // address.3
/// spread(G, "") :- ip_config_asg(I, G), !ip_config(I, _, _, _).                                 // address.3
/// spread(G, V) :- private_endpoint_asg(E, G), private_endpoint(E, S, _), subnet(S, V, _).       // address.4
/// spread(G, "") :- private_endpoint_asg(E, G), private_endpoint(E, S, _), !subnet(S, _, _).     // address.4
/// ```
pub(super) fn certainty<'s, T: Time>(facts: &Facts<'s, T>) -> Parts<'s, T> {
    let members = facts.keyed(column!(IpConfigAsg.ip_config)).flat_map(|(config, part)| match part {
        Part::Fact(Fact::IpConfigAsg(member)) => Some((config, Part::Ref(member.asg))),
        _ => None,
    });
    let machines = stands(members.concat(facts.keyed(column!(IpConfig.ip_config))), "asg by config", |part| match part {
        Part::Fact(Fact::IpConfig(config)) => Some(config.subnet),
        _ => None,
    });
    let endpoints = facts.by("private_endpoint by id", column!(PrivateEndpoint.endpoint));
    let groups = facts.by("private_endpoint_asg by endpoint", column!(PrivateEndpointAsg.endpoint));
    let endpoints = join(&groups, &endpoints, |_, group, endpoint| match (group, endpoint) {
        (Part::Fact(Fact::PrivateEndpointAsg(group)), Part::Fact(Fact::PrivateEndpoint(endpoint))) => {
            Some((key(endpoint.subnet), Part::Ref(group.asg)))
        }
        _ => None,
    });
    let by_subnet = machines.concat(endpoints).distinct().concat(facts.keyed(column!(Subnet.subnet)));
    let spread = stands(by_subnet, "asg by subnet", |part| match part {
        Part::Fact(Fact::Subnet(subnet)) => Some(subnet.vnet),
        _ => None,
    });
    let spread = spread.flat_map(|(vnet, group)| match group {
        Part::Ref(group) => Some((key(group), Part::Ref(vnet.0))),
        _ => None,
    });
    reduce(
        spread.distinct(),
        "address.3",
        Box::new(|group, vnets, output| {
            let sure = if vnets.len() == 1 { Tri::Yes } else { Tri::Maybe };
            output.push((Part::Member { config: Sym::EMPTY, asg: group.0, sure }, 1));
        }),
    )
}

/// Whatever is referred to under a key again under where `home` says that the key stands; under nothing where no part tells.
pub(super) fn stands<'s, T: Time>(parts: Parts<'s, T>, name: &str, home: fn(&Part) -> Option<Sym>) -> Parts<'s, T> {
    let logic = move |_: &Key, group: &[Part], output: &mut Vec<(Part, isize)>| {
        let home = group.iter().find_map(home).unwrap_or_default();
        let guests = group.iter().filter_map(|part| if let Part::Ref(guest) = part { Some(*guest) } else { None });
        output.extend(guests.map(|guest| (Part::Stands { home, guest }, 1)));
    };
    reduce(parts, name, Box::new(logic)).flat_map(|(_, part)| match part {
        Part::Stands { home, guest } => Some((key(home), Part::Ref(guest))),
        _ => None,
    })
}

/// By address configuration: the place of each one of a machine's interfaces.
///
/// ```datalog
/// place(I, N, S, A) :- ip_config(I, N, S, _), nic(N, "machine", _), ip_config_address(I, A).   // address.2
/// ```
pub(super) fn places<'s, T: Time>(facts: &Facts<'s, T>) -> Parts<'s, T> {
    let configs = facts.by("ip_config for its interface", column!(IpConfig.ip_config));
    let to_nic: crate::rules::part::Joined = |_, part, config| match config {
        Part::Fact(Fact::IpConfig(config)) => Some((key(config.nic), *part)),
        _ => None,
    };
    let by_config = facts.by("ip_config_address", column!(IpConfigAddress.ip_config));
    let addresses = join(&by_config, &configs, to_nic);
    let shared = shared(&by_config, &configs);
    let members = facts.by("ip_config_asg by asg", column!(IpConfigAsg.asg));
    let members = join(&members, &certainty(facts).arrange_by_key_named("asg"), |_, member, certainty| match (member, certainty) {
        (Part::Fact(Fact::IpConfigAsg(member)), Part::Member { asg, sure, .. }) => {
            Some((key(member.ip_config), Part::Member { config: member.ip_config, asg: *asg, sure: *sure }))
        }
        _ => None,
    });
    let members = join(&members.arrange_by_key_named("member by config"), &configs, to_nic);
    let public = join(&facts.by("ip_config_public_ip", column!(IpConfigPublicIp.ip_config)), &configs, to_nic);
    // An address that says it belongs here.
    let instances = facts.by("instance_config", column!(InstanceConfig.instance));
    let held = facts.by("public_ip_holder", column!(PublicIpHolder.holder));
    let pools = facts.by("ip_config_pool", column!(IpConfigPool.ip_config));
    // What names an instance perhaps means what stands for it.
    let [held, pools] = [held, pools].map(|rows| {
        let named = join(&rows, &instances, of_profile).arrange_by_key_named("row of an instance");
        join(&rows, &configs, to_nic).concat(join(&named, &configs, to_nic))
    });
    let doubtful = join(&doubtful(facts).arrange_by_key_named("doubtful public address"), &configs, to_nic);
    let parts = facts
        .keyed(column!(IpConfig.nic))
        .concat(facts.keyed(column!(Nic.nic)))
        .concat(facts.keyed(column!(NicNsg.nic)))
        .concat(facts.keyed(column!(NicPrimary.nic)))
        .concat(facts.keyed(column!(Appliance.nic)))
        .concat(bodies(facts))
        .concat(addresses)
        .concat(public)
        .concat(held)
        .concat(doubtful)
        .concat(shared)
        .concat(pools)
        .concat(members);
    let places = reduce(parts, "address.2", Box::new(|nic, group, output| places_of(nic.0, group, output)));
    places.concat(nowhere(facts)).concat(rooms_of_services(facts)).flat_map(|(_, part)| match part {
        Part::Place(place) => Some((key(place.get().ip_config), part)),
        _ => None,
    })
}

/// By interface: a configuration of its whose address another interface of the subnet has too. Azure gives it to one, so one of the two is out of date and
/// nobody knows which (SND-02).
///
/// ```datalog
/// shared(N, A) :- ip_config(I, N, S, _), ip_config_address(I, A), ip_config(J, O, S, _), ip_config_address(J, A), N != O. // address.17
/// ```
fn shared<'s, T: Time>(addresses: &ByKey<'s, T>, configs: &ByKey<'s, T>) -> Parts<'s, T> {
    let by_address = join(addresses, configs, |_, address, config| match (address, config) {
        (Part::Fact(Fact::IpConfigAddress(row)), Part::Fact(Fact::IpConfig(config))) => {
            Some(((config.subnet, Sym::new(&row.address.to_string())), Part::Other(Fact::IpConfig(*config))))
        }
        _ => None,
    });
    let shared = reduce(
        by_address,
        "address.17",
        Box::new(|_, group, output| {
            let nic = |part: &Part| if let Part::Other(Fact::IpConfig(row)) = part { Some(row.nic) } else { None };
            if group.iter().any(|part| nic(part) != nic(&group[0])) {
                output.extend(group.iter().map(|part| (*part, 1)));
            }
        }),
    );
    shared.flat_map(|(_, part)| match part {
        Part::Other(Fact::IpConfig(row)) => Some((key(row.nic), part)),
        _ => None,
    })
}

/// By address configuration: a public address of its that perhaps is no way out for it, being one of IPv6 or somebody else's as well (ADR-14, OUT-04).
///
/// ```datalog
/// claims(A, I) :- ip_config_public_ip(I, A).                                                     // inbound.1
/// claims(A, D) :- device_public_ip(D, A).                                                        // inbound.1
/// claims(A, G) :- nat_gateway_public_ip(G, A).                                                   // inbound.1
/// claims(A, H) :- public_ip_holder(A, H).                                                        // inbound.1
/// doubtful(I, A) :- ip_config_public_ip(I, A), claims(A, O), O != I.                             // inbound.1
/// doubtful(I, A) :- ip_config_public_ip(I, A), public_ip_address(A, X), within(X, ::/0).         // inbound.1
/// ```
///
/// Frontends of load balancers claim addresses too; where there are any, the rows prove nothing anyway.
fn doubtful<'s, T: Time>(facts: &Facts<'s, T>) -> Parts<'s, T> {
    let parts = facts
        .keyed(column!(PublicIpAddress.public_ip))
        .concat(facts.keyed(column!(IpConfigPublicIp.public_ip)))
        .concat(facts.keyed(column!(DevicePublicIp.public_ip)))
        .concat(facts.keyed(column!(NatGatewayPublicIp.public_ip)))
        .concat(facts.keyed(column!(PublicIpHolder.public_ip)));
    let doubtful = reduce(
        parts,
        "inbound.1",
        Box::new(|_, group, output| {
            let of_v6 = group.iter().any(|part| matches!(part, Part::Fact(Fact::PublicIpAddress(row)) if row.address.is_ipv6()));
            for part in group {
                let Part::Fact(Fact::IpConfigPublicIp(row)) = part else { continue };
                let rival = group.iter().any(|part| match part {
                    Part::Fact(Fact::IpConfigPublicIp(other)) => other.ip_config != row.ip_config,
                    Part::Fact(Fact::PublicIpHolder(other)) => other.holder != row.ip_config,
                    Part::Fact(Fact::DevicePublicIp(_) | Fact::NatGatewayPublicIp(_)) => true,
                    _ => false,
                });
                if of_v6 || rival {
                    output.push((Part::Other(Fact::IpConfigPublicIp(*row)), 1));
                }
            }
        }),
    );
    doubtful.flat_map(|(_, part)| match part {
        Part::Other(Fact::IpConfigPublicIp(row)) => Some((key(row.ip_config), part)),
        _ => None,
    })
}

/// What is said of an instance's address configuration, as if it were said of the one that stands for it.
///
/// ```datalog
/// pooled(C, P) :- ip_config_pool(I, P), instance_config(I, C).                                   // address.16
/// held(A, C) :- public_ip_holder(A, I), instance_config(I, C).                                   // address.16
/// ```
fn of_profile(_: &Key, row: &Part, instance: &Part) -> Option<(Key, Part)> {
    let Part::Fact(Fact::InstanceConfig(InstanceConfig { ip_config, .. })) = *instance else { return None };
    let fact = match row {
        Part::Fact(Fact::IpConfigPool(row)) => Fact::IpConfigPool(IpConfigPool { ip_config, ..*row }),
        Part::Fact(Fact::PublicIpHolder(row)) => Fact::PublicIpHolder(PublicIpHolder { holder: ip_config, ..*row }),
        _ => return None,
    };
    Some((key(ip_config), Part::Fact(fact)))
}

/// By machine without an interface in the input: the place of one of which nothing is known. A flexible scale set has none of its own (ADR-08).
///
/// ```datalog
/// nowhere(M) :- machine(M, K), K != "vmss-flexible", !nic_machine(_, M).                         // address.11
/// ```
fn nowhere<'s, T: Time>(facts: &Facts<'s, T>) -> Parts<'s, T> {
    let parts = facts.keyed(column!(NicMachine.machine)).concat(facts.keyed(column!(Machine.machine)));
    reduce(
        parts,
        "address.11",
        Box::new(|machine, group, output| {
            let own = |part: &Part| matches!(part, Part::Fact(Fact::Machine(row)) if row.kind != MachineKind::FlexibleScaleSet);
            if group.iter().any(|part| matches!(part, Part::Fact(Fact::NicMachine(_)))) || !group.iter().any(own) {
                return;
            }
            output.push((Part::Place(Handle::new(unknown(*machine))), 1));
        }),
    )
}

/// A place of which nothing is known.
fn unknown(node: Key) -> Place {
    Place {
        ip_config: node.0,
        nic: node.0,
        subnet: Sym::EMPTY,
        nsg: Sym::EMPTY,
        address: None,
        asgs: Vec::new(),
        node,
        used: true,
        rests: true,
        missing: true,
        service: false,
        flexible: false,
        public: Tri::Maybe,
        public_nic: false,
        pooled: false,
    }
}

/// By delegated subnet in which the input has no resource: the place of whatever the service has there, at an address that nobody tells (ADR-09).
///
/// ```datalog
/// room(S) :- subnet_delegation(S, _), subnet(S, _, _), !device(_, _, S).                         // address.12
/// ```
fn rooms_of_services<'s, T: Time>(facts: &Facts<'s, T>) -> Parts<'s, T> {
    let parts = facts.keyed(column!(SubnetDelegation.subnet)).concat(facts.keyed(column!(Subnet.subnet)));
    reduce(
        parts.concat(facts.keyed(column!(Device.subnet))),
        "address.12",
        Box::new(|subnet, group, output| {
            let has = |wanted: fn(&Fact) -> bool| group.iter().any(|part| matches!(part, Part::Fact(fact) if wanted(fact)));
            let delegated = has(|fact| matches!(fact, Fact::SubnetDelegation(_))) && has(|fact| matches!(fact, Fact::Subnet(_)));
            if !delegated || has(|fact| matches!(fact, Fact::Device(_))) {
                return;
            }
            let place = Place { subnet: subnet.0, service: true, ..unknown(*subnet) };
            output.push((Part::Place(Handle::new(place)), 1));
        }),
    )
}

/// By interface: the machine around it.
///
/// ```datalog
/// beside(N, O) :- nic_machine(N, M), nic_machine(O, M), N != O.                                  // address.5
/// ```
pub(super) fn bodies<'s, T: Time>(facts: &Facts<'s, T>) -> Parts<'s, T> {
    let machine_by_nic = facts.by("nic_machine by nic", column!(NicMachine.nic));
    let to_machine: crate::rules::part::Joined = |_, fact, machine| match (fact, machine) {
        (Part::Fact(fact), Part::Fact(Fact::NicMachine(row))) => Some((key(row.machine), Part::Other(*fact))),
        _ => None,
    };
    let parts = facts
        .keyed(column!(NicMachine.machine))
        .concat(facts.keyed(column!(Machine.machine)))
        .concat(facts.keyed(column!(MachineScaleSet.machine)))
        .concat(join(&facts.by("nic of a machine", column!(Nic.nic)), &machine_by_nic, to_machine))
        .concat(join(&facts.by("appliance of a machine", column!(Appliance.nic)), &machine_by_nic, to_machine));
    let bodies = reduce(
        parts,
        "address.5",
        Box::new(|machine, group, output| {
            let has = |wanted: fn(&Part) -> bool| group.iter().filter(|part| wanted(part)).count();
            let nics = has(|part| matches!(part, Part::Fact(Fact::NicMachine(_))));
            let body = Body {
                machine: machine.0,
                sole: nics == 1,
                flexible: has(|part| match part {
                    Part::Fact(Fact::Machine(row)) => row.kind == MachineKind::FlexibleScaleSet,
                    Part::Fact(Fact::MachineScaleSet(_)) => true,
                    _ => false,
                }) > 0,
                listed: has(|part| matches!(part, Part::Fact(Fact::Machine(_)))) > 0,
                missing: has(|part| matches!(part, Part::Other(Fact::Nic(_)))) < nics,
                stated: has(|part| matches!(part, Part::Other(Fact::Appliance(_)))) > 0,
            };
            output.push((Part::Body(Handle::new(body)), 1));
        }),
    );
    join(
        &bodies.arrange_by_key_named("machine"),
        &facts.by("nic_machine by machine", column!(NicMachine.machine)),
        |_, body, nic| match nic {
            Part::Fact(Fact::NicMachine(row)) => Some((key(row.nic), *body)),
            _ => None,
        },
    )
}

fn places_of(nic: Sym, group: &[Part], output: &mut Vec<(Part, isize)>) {
    let listed = group.iter().any(|part| matches!(part, Part::Body(_)));
    let attached = |role: NicRole| role == NicRole::Machine || (role == NicRole::Detached && listed);
    let role = group.iter().find_map(|part| if let Part::Fact(Fact::Nic(row)) = part { Some(row.role) } else { None });
    // One that only its machine names stands nobody knows where.
    if !role.map_or(listed, attached) {
        return;
    }
    let nsg = group.iter().find_map(|part| if let Part::Fact(Fact::NicNsg(row)) = part { Some(row.nsg) } else { None });
    // As if by a group that is not in the input: what passes one that is perhaps not there is not known.
    let shared = group.iter().any(|part| matches!(part, Part::Other(Fact::IpConfig(_))));
    let nsg = if shared { Some(Sym::new(&format!("{nic}/unknown-address"))) } else { nsg };
    let mut configs: Vec<IpConfig> =
        group.iter().filter_map(|part| if let Part::Fact(Fact::IpConfig(row)) = part { Some(*row) } else { None }).collect();
    // The filters of an interface go by all of its configurations: what only some are members of counts perhaps (NSG-09).
    let mut asgs: Vec<(Sym, Tri)> = Vec::new();
    for part in group {
        let Part::Member { asg, sure, .. } = part else { continue };
        let of = |config: Sym| group.iter().any(|part| matches!(part, Part::Member { config: c, asg: a, .. } if *c == config && a == asg));
        asgs.push((*asg, if configs.iter().all(|config| of(config.ip_config)) { *sure } else { Tri::Maybe }));
    }
    asgs.sort_unstable();
    asgs.dedup();
    let body = group.iter().find_map(|part| if let Part::Body(body) = part { Some(body.get()) } else { None });
    let has = |wanted: &dyn Fn(&Part) -> bool| group.iter().any(wanted);
    let primary = has(&|part| matches!(part, Part::Fact(Fact::NicPrimary(_))));
    let stated = has(&|part| matches!(part, Part::Fact(Fact::Appliance(_))));
    let public_nic = has(&|part| matches!(part, Part::Fact(Fact::IpConfigPublicIp(_) | Fact::PublicIpHolder(_))));
    if configs.is_empty() && body.as_ref().is_some_and(|body| body.missing) {
        // The machine has other interfaces, of which nothing is known.
        configs.push(IpConfig { ip_config: nic, nic, subnet: Sym::EMPTY, primary: true });
    }
    for config in configs {
        let id = config.ip_config;
        let public = has(&|part| matches!(part, Part::Fact(Fact::IpConfigPublicIp(row)) if row.ip_config == id));
        let held = has(&|part| matches!(part, Part::Fact(Fact::PublicIpHolder(row)) if row.holder == id));
        let doubtful = has(&|part| matches!(part, Part::Other(Fact::IpConfigPublicIp(row)) if row.ip_config == id));
        let address = group.iter().find_map(|part| match part {
            Part::Fact(Fact::IpConfigAddress(row)) if row.ip_config == config.ip_config => Some(row.address),
            _ => None,
        });
        let nsg = nsg.unwrap_or_default();
        let place = Place {
            ip_config: config.ip_config,
            nic,
            subnet: config.subnet,
            nsg,
            address,
            asgs: asgs.clone(),
            node: key(body.as_ref().map_or(nic, |body| body.machine)),
            used: body.as_ref().is_none_or(|body| body.sole || primary),
            rests: body.as_ref().map_or(!stated, |body| !body.stated),
            missing: body.as_ref().is_some_and(|body| body.missing),
            service: false,
            flexible: body.as_ref().is_some_and(|body| body.flexible),
            public: if doubtful || (held && !public) { Tri::Maybe } else { Tri::from_bool(public) },
            public_nic: public_nic || body.as_ref().is_some_and(|body| !body.listed),
            pooled: has(&|part| matches!(part, Part::Fact(Fact::IpConfigPool(row)) if row.ip_config == id)),
        };
        output.push((Part::Place(Handle::new(place)), 1));
    }
}
