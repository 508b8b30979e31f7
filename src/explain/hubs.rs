//! Through a hub of a virtual WAN (VW-02 to VW-06).

use std::net::IpAddr;

use crate::explain::packet::{Host, Packet, StepExt, short, step};
use crate::explain::walk::{Trail, Walk, device_words, tri_span};
use crate::explain::way::{Kind, Step, Way};
use crate::explain::world::World;
use crate::model::{Span, Stage, Sym, Tri, Via, net};
use crate::rules::filter::SourcePorts;
use crate::rules::hub;

/// The step of a hub that sends `what` where it chose to.
pub(super) fn sends_on(hub_id: Sym, what: &str, choice: &hub::Onward) -> Step {
    let goal = if choice.vnet.is_empty() { "the internet" } else { short(choice.vnet) };
    let text = format!("hub {} sends {what} on to {goal}", short(hub_id));
    let by = step(Stage::Gateway, tri_span(choice.sure), "hub.1", text).by(hub_id, goal).at_fact(hub_id).kind(Kind::Fact);
    if choice.sure.lo() { by } else { by.kind(Kind::Assumption).code("W-VWAN") }
}

impl World<'_> {
    /// Whether the hub brings what `vnet` sends to `ip` to the network `home`, past the same devices in both directions (VW-04).
    pub fn hub_leads_to(&self, vnet: Sym, hub_id: Sym, ip: IpAddr, home: Sym) -> Tri {
        let choices = hub::onward(self.index, vnet, hub_id, &|prefix| Tri::from_bool(prefix.contains(&ip)));
        let there =
            self.index.hub_connections_by_vnet.get(home).iter().min_by_key(|row| row.connection.as_str()).map_or(Sym::EMPTY, |row| row.hub);
        let own = self.network(vnet).own.clone();
        let there = hub::onward(self.index, home, there, &|prefix| Tri::from_bool(own.contains(prefix)));
        let same = |back: &hub::Onward| there.iter().any(|onward| onward.devices.iter().eq(back.devices.iter().rev()));
        let back = choices.iter().filter(|onward| onward.vnet == home);
        back.map(|onward| onward.sure.and(if same(onward) { Tri::Yes } else { Tri::Maybe })).max().unwrap_or(Tri::No)
    }
}

impl Walk<'_, '_> {
    /// The packet comes from the network of `at` into its hub.
    pub fn through_hub(&self, at: &Host, hub_id: Sym, packet: &Packet, trail: Trail, ways: &mut Vec<Way>) {
        let choices = hub::onward(self.world.index, at.vnet, hub_id, &|prefix| Tri::from_bool(prefix.contains(&packet.dst)));
        let untold = self.world.network(at.vnet).gateway.unknown_routes;
        if !untold.is_empty() && choices.iter().all(|choice| choice.vnet.is_empty()) && !net::is_public(packet.dst) {
            // What no known network of the hub has goes to one that is not known in full, where that has it.
            let text = format!("which networks hub {} knows is not in the input: {} may be in one", short(hub_id), packet.dst);
            let unknown = step(Stage::Gateway, Span::UNKNOWN, "hub.3", text).by(untold, "").kind(Kind::Assumption);
            ways.push(trail.and(unknown.code(self.world.doubt_of_routes(untold))).end(Via::Gateway));
            return;
        }
        if choices.is_empty() {
            let text = format!("no route of hub {} leads to {}", short(hub_id), packet.dst);
            ways.push(trail.and(step(Stage::Gateway, Span::NONE, "hub.3", text).by(hub_id, "").kind(Kind::Absence)).end(Via::Gateway));
            return;
        }
        for choice in &choices {
            let trail = trail.clone();
            let trail = trail.and(sends_on(hub_id, &packet.dst.to_string(), choice));
            for (trail, packet) in self.past_hub_devices(&choice.devices, packet, trail) {
                match choice.vnet.is_empty() {
                    false => self.deliver(choice.vnet, &packet, trail, Via::Gateway, ways),
                    // Out to the internet only through a device of the hub (VW-04, VW-05).
                    true if net::is_public(packet.dst) => {
                        self.out_of_hub(choice.devices.last().copied().unwrap_or_default(), &packet, trail, ways)
                    }
                    // What stands in the way may know of somebody whom the hub does not (VW-03).
                    true if choice.devices.iter().any(|device| !self.world.index.azure_firewall.has(*device)) => {
                        ways.push(trail.end(Via::Gateway));
                    }
                    true => {
                        let text = format!("{} is a private address that no network of the hub has", packet.dst);
                        ways.push(trail.and(step(Stage::Gateway, Span::NONE, "hub.3", text).by(hub_id, "")).end(Via::Gateway));
                    }
                }
            }
        }
    }

    /// Past all the devices that a hub puts in the way, in order.
    pub(super) fn past_hub_devices(&self, devices: &[Sym], packet: &Packet, trail: Trail) -> Vec<(Trail, Packet)> {
        let first = vec![(trail, packet.clone())];
        devices.iter().fold(first, |passing, device| {
            passing.into_iter().flat_map(|(trail, packet)| self.past_hub_device(*device, &packet, trail)).collect()
        })
    }

    /// Past a device that a hub puts in the way: an Azure Firewall by its rules, anything else perhaps (VW-04, VW-06).
    fn past_hub_device(&self, device: Sym, packet: &Packet, trail: Trail) -> Vec<(Trail, Packet)> {
        let index = self.world.index;
        if !index.azure_firewall.has(device) {
            let text = format!("what {} does with it on the way through the hub is not modelled", short(device));
            let stage = index.device.one(device).map_or(Stage::Gateway, |row| device_words(row.kind).0);
            let unknown = step(stage, Span::UNKNOWN, "hub.2", text).by(device, "").kind(Kind::Assumption).code("W-VWAN");
            return vec![(trail.and(unknown), packet.clone())];
        }
        let at = self.firewall_in_hub(device);
        let mut out = Vec::new();
        for passage in self.passages(&at, packet) {
            let mut trail = trail.clone();
            trail.via = Some(Via::AzureFirewall);
            trail.steps.extend(passage.steps);
            let private = !net::is_public(packet.dst);
            if private && passage.translated.hi() {
                // The reply then goes to an address of the hub, whose routes are not derived.
                let text = format!("firewall {} perhaps sends it on with a source of its own", short(device));
                let unsure = step(Stage::AzureFirewall, Span::UNKNOWN, "hub.4", text).by(device, "").kind(Kind::Assumption);
                trail = trail.and(unsure.code("W-VWAN"));
            }
            out.push((trail, packet.clone()));
        }
        out
    }

    /// The firewall of a hub as a place: it stands in no subnet.
    pub(super) fn firewall_in_hub(&self, device: Sym) -> Host {
        let ip = self.world.index.device_addresses.get(device).iter().map(|row| row.address).min();
        let ip = ip.unwrap_or(IpAddr::from([0, 0, 0, 0]));
        Host { ip, ip_config: Sym::EMPTY, nic: device, subnet: Sym::EMPTY, vnet: Sym::EMPTY }
    }

    /// Out to the internet with the addresses of the hub's firewall (OUT-13).
    fn out_of_hub(&self, device: Sym, packet: &Packet, trail: Trail, ways: &mut Vec<Way>) {
        if !self.world.index.azure_firewall.has(device) {
            ways.push(trail.end(Via::Gateway));
            return;
        }
        let at = self.firewall_in_hub(device);
        for method in self.world.firewall_exits(&at, packet.dst.is_ipv6()) {
            let leaves = step(method.stage, method.span, "outbound.1", method.text.to_owned());
            let leaves = leaves.by(method.resource, "").at_fact(method.resource).kind(Kind::Fact).code(method.code);
            let seen = Packet { ports: SourcePorts::Translated, src_asgs: Vec::new(), ..packet.clone() };
            self.at_public_address(&seen, &method.source, trail.clone().and(leaves), ways);
        }
    }
}
