//! What only some estates have, one kind at a time: each is laid over a random estate.

use std::collections::BTreeSet;

use watertight::facts::Fact;

use crate::estates::Tape;
use crate::scenario_format::statements;

/// Lays one kind over an estate of so many networks.
type Kind = fn(&mut Tape<'_>, &mut BTreeSet<Fact>, usize);

/// The kinds.
pub const KINDS: [Kind; 6] = [clients, link_service, perimeters, recorded_spaces, missing_bodies, second_interfaces];

fn add(facts: &mut BTreeSet<Fact>, text: &str) {
    facts.extend(statements(text).expect("a kind writes facts"));
}

/// Clients that dial in from anywhere.
fn clients(tape: &mut Tape<'_>, facts: &mut BTreeSet<Fact>, vnets: usize) {
    let (v, bgp) = (tape.below(vnets), tape.once_in(4));
    let mut text = format!("subnet(\"gps\", \"v{v}\", 10.{v}.254.0/27). gateway(\"gp\", vpn, {bgp}). gateway_subnet(\"gp\", \"gps\"). ");
    let pool = tape.pick(&["172.20.0.0/24", "192.168.128.0/24", "10.2.0.0/24", "203.0.113.128/25"]);
    text.push_str(&format!("gateway_client_pool(\"gp\", {pool}). "));
    add(facts, &text);
}

/// A service behind a load balancer of the last network, and an endpoint for it in the first.
fn link_service(tape: &mut Tape<'_>, facts: &mut BTreeSet<Fact>, vnets: usize) {
    let v = vnets - 1;
    let mut text = format!("subnet(\"pn\", \"v{v}\", 10.{v}.7.0/24). private_link_service(\"pls\", \"\"). ");
    text.push_str(&format!("private_link_nat(\"pls/nat\", \"pls\", \"pn\", 10.{v}.7.4). "));
    if !tape.once_in(4) {
        text.push_str("subnet_private_link_open(\"pn\"). ");
    }
    if tape.once_in(3) {
        text.push_str(&format!("private_link_nat(\"pls/nat2\", \"pls\", \"pn\", 10.{v}.7.5). "));
    }
    text.push_str(&format!("balancer(\"plb\", {}, 10.{v}.7.100, \"pn\"). ", tape.pick(&["standard", "standard", "basic"])));
    text.push_str("private_link_frontend(\"pls\", \"plb-fe\"). balance(\"plb\", tcp, 443, 443). ");
    for m in 0..3 {
        if tape.once_in(2) {
            text.push_str(&format!("ip_config_pool(\"m{m}-ip\", \"plb-pool\"). "));
        }
    }
    let state = tape.pick(&["approved", "approved", "pending", "rejected"]);
    text.push_str(&format!("private(\"pel\", \"s0{}\", 10.0.{}.130, \"pls\", \"\", {state}). ", 0, 0));
    if tape.once_in(3) {
        text.push_str("subnet_nsg(\"pn\", \"g0\"). ");
    }
    add(facts, &text);
}

/// Stores in perimeters, with rules of profiles and links.
fn perimeters(tape: &mut Tape<'_>, facts: &mut BTreeSet<Fact>, _vnets: usize) {
    let mut text = String::new();
    for store in ["a0", "a1", "k0", "d0"] {
        if !tape.once_in(3) {
            let (perimeter, mode) = (tape.pick(&["np", "np", "nq"]), tape.pick(&["enforced", "enforced", "learning", "audit"]));
            text.push_str(&format!("within(\"{perimeter}\", \"{store}\", {mode}). "));
        }
    }
    for r in 0..tape.below(4) {
        let profile = tape.pick(&["np/default", "nq/default"]);
        let value = tape.pick(&["198.51.100.0/24", "203.0.113.0/24", "203.0.113.9/32", "0.0.0.0/0"]);
        match tape.below(4) {
            0 | 1 => text.push_str(&format!("perimeter_rule(\"{profile}/{r}\", \"{profile}\", inbound, prefix, \"{value}\"). ")),
            2 => text.push_str(&format!("perimeter_rule(\"{profile}/{r}\", \"{profile}\", inbound, subscription, \"s1\"). ")),
            _ => text.push_str(&format!("perimeter_rule(\"{profile}/{r}\", \"{profile}\", outbound, fqdn, \"*.blob.core.windows.net\"). ")),
        }
    }
    if tape.once_in(2) {
        text.push_str("linked(\"np\", \"nq\"). ");
    }
    if tape.once_in(3) {
        text.push_str("complete_type(\"microsoft.network/networksecurityperimeters/profiles/accessrules\"). ");
    }
    add(facts, &text);
}

/// What the sides of peerings recorded of the other network, up to date or not; parts of networks and families that take part.
fn recorded_spaces(tape: &mut Tape<'_>, facts: &mut BTreeSet<Fact>, _vnets: usize) {
    let sides: Vec<(String, String, String)> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Peering(row) => Some((row.peering.to_string(), row.vnet.to_string(), row.remote.to_string())),
            _ => None,
        })
        .collect();
    let mut text = String::new();
    for (side, vnet, remote) in sides {
        let there = remote.trim_start_matches('v');
        // Azure tells the present space only beside the recorded one.
        for current in [false, true].into_iter().take(tape.below(3)) {
            match tape.below(4) {
                0 | 1 => text.push_str(&format!("peering_prefix(\"{side}\", 10.{there}.0.0/16, {current}). ")),
                2 => text.push_str(&format!("peering_prefix(\"{side}\", 10.{there}.0.0/17, {current}). ")),
                _ => text.push_str(&format!(
                    "peering_prefix(\"{side}\", 10.{there}.0.0/16, {current}). peering_prefix(\"{side}\", 10.77.0.0/16, {current}). "
                )),
            }
        }
        if tape.once_in(8) {
            text.push_str(&format!("peering_only_v6(\"{side}\"). "));
        }
        if tape.once_in(8) {
            let (mine, theirs) = (vnet.trim_start_matches('v'), there);
            text.push_str(&format!(
                "peering_subnet(\"{side}\", true, \"s{mine}0\"). peering_subnet(\"{side}\", false, \"s{theirs}{}\"). ",
                tape.below(2)
            ));
        }
    }
    add(facts, &text);
}

/// Bodies that the export lacks: only what others say of them is left.
fn missing_bodies(tape: &mut Tape<'_>, facts: &mut BTreeSet<Fact>, _vnets: usize) {
    let vnet = tape.pick(&["", "v0", "v1", "v2"]);
    let (machine, nic) = (tape.pick(&["", "m0", "m1", "m2"]), tape.pick(&["", "", "m0-nic", "m1-nic"]));
    let subnet = tape.pick(&["", "", "s00", "s01", "s10", "s11"]);
    let public = tape.pick(&["", "m0-pip", "m1-pip", "lb0-pip", "nat-pip"]);
    let store = tape.pick(&["", "", "a0", "k0"]);
    let rest = tape.below(8);
    facts.retain(|fact| {
        let gone = match fact {
            Fact::Vnet(row) => row.vnet.as_str() == vnet,
            Fact::VnetPrefix(row) => row.vnet.as_str() == vnet,
            Fact::VnetDns(row) => row.vnet.as_str() == vnet,
            Fact::Peering(row) => row.vnet.as_str() == vnet,
            Fact::Machine(row) => row.machine.as_str() == machine,
            Fact::Nic(row) => row.nic.as_str() == nic,
            Fact::IpConfig(row) => row.nic.as_str() == nic,
            Fact::Subnet(row) => row.subnet.as_str() == subnet || row.vnet.as_str() == vnet && rest == 7,
            Fact::SubnetPrefix(row) => row.subnet.as_str() == subnet,
            Fact::PublicIp(row) => row.public_ip.as_str() == public && rest != 1,
            Fact::PublicIpAddress(row) => row.public_ip.as_str() == public,
            Fact::Store(row) => row.store.as_str() == store,
            Fact::StorePart(row) => row.store.as_str() == store,
            Fact::StoreAccess(row) => row.store.as_str() == store,
            Fact::NatGateway(_) => rest == 2,
            Fact::LoadBalancer(_) => rest == 3,
            Fact::Gateway(_) => rest == 4,
            Fact::PrivateEndpoint(_) => rest == 5,
            Fact::PrivateEndpointConnection(_) => rest == 6,
            _ => false,
        };
        !gone
    });
}

/// Machines with one more interface, of which one says that it is the primary one, or none, or both.
fn second_interfaces(tape: &mut Tape<'_>, facts: &mut BTreeSet<Fact>, vnets: usize) {
    let mut text = String::new();
    for m in 0..3 {
        if tape.once_in(3) {
            continue;
        }
        let (v, s) = (tape.below(vnets), tape.below(2));
        let forwards = tape.once_in(3);
        text.push_str(&format!("nic(\"m{m}-nic2\", machine, {forwards}). nic_machine(\"m{m}-nic2\", \"m{m}\"). "));
        text.push_str(&format!("ip_config(\"m{m}-ip2\", \"m{m}-nic2\", \"s{v}{s}\"). "));
        if !tape.once_in(6) {
            text.push_str(&format!("ip_config_address(\"m{m}-ip2\", 10.{v}.{s}.{}). ", 40 + m));
        }
        text.push_str(&match tape.below(4) {
            0 | 1 => format!("nic_primary(\"m{m}-nic\"). "),
            2 => format!("nic_primary(\"m{m}-nic2\"). "),
            _ => String::new(),
        });
        if tape.once_in(4) {
            text.push_str(&format!("nic_nsg(\"m{m}-nic2\", \"g{}\"). ", tape.below(3)));
        }
        if tape.once_in(4) {
            text.push_str(&format!("public_ip(\"m{m}-pip2\"). public_ip_address(\"m{m}-pip2\", 203.0.113.{}). ", 30 + m));
            text.push_str(&format!("ip_config_public_ip(\"m{m}-ip2\", \"m{m}-pip2\"). "));
        }
    }
    add(facts, &text);
}
