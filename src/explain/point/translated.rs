//! Flows that a connection may carry under addresses that it translates (GW-14).

use crate::explain::packet::{StepExt, short, step};
use crate::explain::way::{End, Flow, Kind, Way};
use crate::explain::world::World;
use crate::facts::network::Connection;
use crate::model::{Span, Stage, Via};

/// The properties of a connection that translate addresses.
const TRANSLATING: [&str; 2] = ["ingressNatRules", "egressNatRules"];

/// The ways of a flow over connections that translate addresses. To what is not derived: routes and filters that speak of untranslated addresses, or of
/// translated ones, prove nothing about such a flow, neither there nor back.
pub(super) fn between<'a>(world: &'a World<'_>, flow: &'a Flow) -> impl Iterator<Item = Way> + use<'a> {
    let translates = |row: &&Connection| {
        let mut limits = world.index.connection_limits.get(row.connection).iter();
        limits.any(|limit| TRANSLATING.contains(&limit.property.as_str()))
    };
    let mut connections: Vec<&Connection> = world.index.connection.rows().filter(translates).collect();
    connections.retain(|row| may_carry(world, row, flow.from, flow.to) || may_carry(world, row, flow.to, flow.from));
    connections.sort_by_key(|row| row.connection.as_str());
    connections.into_iter().map(|row| {
        let text = format!("connection {} translates addresses: what passes it under which address is not derived", short(row.connection));
        let unknown = step(Stage::Gateway, Span::UNKNOWN, "gateway.4", text).by(row.connection, "").at_fact(row.connection);
        Way { via: Via::Gateway, steps: vec![unknown.kind(Kind::Assumption).code("W-VPN-NAT")] }
    })
}

/// Whether `far` may be behind the connection: its site, or an address that is none of a network in the input.
fn may_carry(world: &World<'_>, connection: &Connection, far: End, near: End) -> bool {
    if matches!(near, End::Internet(_)) {
        return false;
    }
    match far {
        End::Site(site) => world.same_site(connection.peer, site),
        End::Ip(ip) => !world.index.vnet_prefixes.rows().any(|row| row.prefix.contains(&ip)),
        _ => false,
    }
}
