//! Application gateways and bastions at their front addresses, naively (IN-08, IN-10).

use watertight::facts::network::{DeviceKind, Listener};
use watertight::model::{Proto, Stage, Sym, Tri, Via};

use super::filter::Place;
use super::packet::{Addr, Outcome, Packet, all_of, check};
use super::walk::{Back, Origin, Target, Walk, stage_of};
use super::world::name_of;

impl Walk<'_, '_> {
    /// Whether a device is a proxy, and which.
    pub fn proxy(&self, device: Sym) -> Option<DeviceKind> {
        let kind = self.world.devices.iter().find(|d| d.device == device).map(|d| d.kind)?;
        matches!(kind, DeviceKind::ApplicationGateway | DeviceKind::Bastion).then_some(kind)
    }

    /// The packet is at a front address of the proxy; `here` says which listeners are.
    pub fn at_proxy(&self, device: Sym, here: &dyn Fn(&Listener) -> bool, packet: Packet, via: Via) -> Outcome {
        let world = self.world;
        let kind = self.proxy(device).unwrap_or(DeviceKind::Other);
        if !matches!(self.target, Target::Address | Target::Outside | Target::Server) {
            return Outcome::denied(stage_of(kind), name_of(device));
        }
        let rows = || world.listeners.iter().filter(|l| l.device == device);
        let tcp = packet.proto == Proto::Tcp;
        let known = tcp && rows().any(|l| here(l) && l.port != 0 && l.port == packet.dport);
        let perhaps = tcp && rows().any(|l| l.port == 0);
        let listens = if known { Tri::Yes } else { Tri::from_bool(perhaps).and(Tri::Maybe) };
        check(listens, stage_of(kind), "", "W-MISSING", || {
            let mut rooms: Vec<Sym> = world.devices.iter().filter(|d| d.device == device).map(|d| d.subnet).collect();
            rooms.dedup();
            let mut each = Vec::new();
            for room in rooms {
                if world.vnet_of(room).is_none() {
                    each.push(Outcome::unproven(Stage::NsgInbound, name_of(room), "W-MISSING"));
                }
                for ip in world.free_addresses(room) {
                    let same_family = !matches!(packet.dst, Addr::Known(to) if to.is_ipv4() != ip.is_ipv4());
                    if !same_family {
                        continue;
                    }
                    let inside = Packet { dst: Addr::Known(ip), dst_config: Some(Sym::EMPTY), ..packet };
                    let place = Place { subnet: room, nic: None, endpoint: None };
                    let origin = if via == Via::Public { Origin::Internet } else { self.origin };
                    let back = |flags| self.reply(Back::of(Addr::Known(ip), flags), room, packet.src, &[], origin);
                    let rule = self.first_route(room, packet.src);
                    each.push(world.filter_in(place, &inside, || self.with_way_back(&rule, back, via)));
                }
            }
            if each.is_empty() { Outcome::unproven(Stage::NsgInbound, name_of(device), "W-MISSING") } else { all_of(each) }
        })
    }

    /// The stage of a device that is no proxy.
    pub fn unknown_device(&self, device: Sym) -> Outcome {
        let kind = self.world.devices.iter().find(|d| d.device == device).map(|d| d.kind);
        Outcome::unproven(kind.map_or(Stage::Appliance, stage_of), name_of(device), "W-UNSUPPORTED")
    }
}
