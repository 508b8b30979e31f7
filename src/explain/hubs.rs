//! Through a hub of a virtual WAN (VW-02 to VW-06).

use std::net::IpAddr;

use crate::explain::packet::{Host, Packet, StepExt, short, step};
use crate::explain::walk::{Trail, Walk, tri_span};
use crate::explain::way::{Kind, Way};
use crate::explain::world::World;
use crate::model::{Span, Stage, Sym, Tri, Via, net};
use crate::rules::hub;

impl World<'_> {
    /// Whether the hub brings what `vnet` sends to `ip` to the network `home`, past the same devices in both directions (VW-04).
    pub fn hub_leads_to(&self, vnet: Sym, hub_id: Sym, ip: IpAddr, home: Sym) -> Tri {
        let choices = hub::onward(self.index, vnet, hub_id, |prefix| prefix.contains(&ip));
        let there = self.index.hub_connections_by_vnet.get(home).first().map_or(Sym::EMPTY, |row| row.hub);
        let own = self.network(vnet).own.clone();
        let there = hub::onward(self.index, home, there, |prefix| own.contains(prefix));
        let same = |back: &hub::Onward| there.iter().any(|onward| onward.devices.iter().eq(back.devices.iter().rev()));
        let back = choices.iter().filter(|onward| onward.vnet == home);
        back.map(|onward| onward.sure.and(if same(onward) { Tri::Yes } else { Tri::Maybe })).max().unwrap_or(Tri::No)
    }
}

impl Walk<'_, '_> {
    /// The packet comes from the network of `at` into its hub.
    pub fn through_hub(&self, at: &Host, hub_id: Sym, packet: &Packet, trail: Trail, ways: &mut Vec<Way>) {
        let choices = hub::onward(self.world.index, at.vnet, hub_id, |prefix| prefix.contains(&packet.dst));
        if choices.is_empty() {
            let text = format!("no route of hub {} leads to {}", short(hub_id), packet.dst);
            ways.push(trail.and(step(Stage::Gateway, Span::NONE, "hub.3", text).by(hub_id, "").kind(Kind::Absence)).end(Via::Gateway));
            return;
        }
        for choice in &choices {
            let mut trail = trail.clone();
            let goal = if choice.vnet.is_empty() { "the internet" } else { short(choice.vnet) };
            let text = format!("hub {} sends {} on to {goal}", short(hub_id), packet.dst);
            let by = step(Stage::Gateway, tri_span(choice.sure), "hub.1", text).by(hub_id, goal).at_fact(hub_id).kind(Kind::Fact);
            trail = trail.and(if choice.sure.lo() { by } else { by.kind(Kind::Assumption).code("W-VWAN") });
            for device in &choice.devices {
                let text = format!("{} stands in the way: what it does in a hub is not modelled", short(*device));
                let kind = self.world.index.device.one(*device).map(|row| row.kind);
                let stage = kind.map_or(Stage::Gateway, |kind| crate::explain::walk::device_words(kind).0);
                let unknown = step(stage, Span::UNKNOWN, "hub.2", text).by(*device, "").kind(Kind::Assumption);
                trail = trail.and(unknown.code("W-VWAN"));
            }
            match choice.vnet.is_empty() {
                false => self.deliver(choice.vnet, packet, trail, Via::Gateway, ways),
                // Out to the internet only through a device of the hub (VW-04, VW-05).
                true if net::is_public(packet.dst) => ways.push(trail.end(Via::Gateway)),
                true => {
                    let text = format!("{} is a private address that no network of the hub has", packet.dst);
                    ways.push(trail.and(step(Stage::Gateway, Span::NONE, "hub.3", text).by(hub_id, "")).end(Via::Gateway));
                }
            }
        }
    }
}
