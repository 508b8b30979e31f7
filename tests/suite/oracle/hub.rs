//! Virtual hubs, naively (VW-01 to VW-06).

use watertight::facts::hub::{HubBranch, HubConnection, PolicyKind};
use watertight::facts::store_facts::Service;
use watertight::model::{Prefix, Stage, Sym, Tri, Via};

use super::links::GatewayRoute;
use super::packet::{Addr, Outcome, Packet, all_of, check, one_of};
use super::store::Seen;
use super::walk::{Trip, Walk};
use super::world::{World, name_of};

impl World<'_> {
    fn wan_of(&self, hub: Sym) -> Option<Sym> {
        self.hubs.iter().find(|h| h.hub == hub).map(|h| h.wan)
    }

    /// The other networks of the WAN whose prefixes the connection's table holds.
    fn hub_learns(&self, mine: &HubConnection) -> Vec<HubConnection> {
        let Some(wan) = self.wan_of(mine.hub) else { return Vec::new() };
        let default = mine.table.as_str().ends_with("/hubroutetables/defaultroutetable");
        let tells = |other: &HubConnection| {
            let by_name = self.hub_propagations.iter().any(|p| p.connection == other.connection && p.table == mine.table);
            let labels = self.hub_labels.iter().filter(|l| l.connection == other.connection).map(|l| l.label);
            by_name
                || labels.into_iter().any(|label| {
                    (default && label.as_str() == "default")
                        || self.hub_table_labels.iter().any(|t| t.table == mine.table && t.label == label)
                })
        };
        let others = self.hub_connections.iter().filter(|c| self.wan_of(c.hub) == Some(wan) && c.vnet != mine.vnet);
        others.filter(|c| tells(c)).copied().collect()
    }

    fn wan_joins(&self, hub: Sym) -> Tri {
        let wan = self.wan_of(hub).unwrap_or(Sym::EMPTY);
        self.wans.iter().find(|w| w.wan == wan).map_or(Tri::Maybe, |w| Tri::from_bool(w.standard))
    }

    /// Whether things of a type are in the input, or somebody said that all of them are.
    fn hub_parts_listed(&self, any: bool, kind: &str) -> bool {
        let kind = format!("microsoft.network/virtualhubs/{kind}");
        any || self.resources.iter().any(|r| r.kind.as_str() == kind) || self.complete_types.iter().any(|c| c.kind.as_str() == kind)
    }

    /// Whether the static routes of a table are known: the empty one needs no row, and the default one none where somebody said that all rows are there.
    fn table_is_told(&self, table: Sym) -> bool {
        let named = |name: &str| table.as_str().ends_with(name);
        let silent = self.resources.iter().any(|r| r.id == table);
        let listed = !silent && self.complete_types.iter().any(|c| c.kind.as_str() == "microsoft.network/virtualhubs/hubroutetables");
        self.hub_tables.iter().any(|t| t.table == table) || named("/noneroutetable") || (named("/defaultroutetable") && listed)
    }

    /// The first hub where nobody exported what is connected to hubs.
    fn hub_without_connections(&self) -> Option<Sym> {
        let listed = self.hub_parts_listed(!self.hub_connections.is_empty(), "hubvirtualnetworkconnections");
        self.hubs.iter().map(|h| h.hub).filter(|_| !listed).min_by_key(|h| h.as_str())
    }

    /// What hubs of the WAN have that drops and adds routes, nobody knows which.
    fn wan_changes(&self, hub: Sym) -> bool {
        self.hub_doubts.iter().any(|d| self.wan_of(d.hub) == self.wan_of(hub))
    }

    /// Whether a route may be dropped or replaced between a connection and its hub.
    fn may_be_mapped(&self, connection: &HubConnection) -> bool {
        self.hub_doubts.iter().any(|d| d.resource == connection.connection && d.hub == connection.hub)
    }

    fn wan_doubts(&self, hub: Sym) -> bool {
        let wan = self.wan_of(hub);
        let unseen = self.hub_connections.iter().any(|c| self.wan_of(c.hub).is_none()); // its WAN may be this one
        let untold = self.hub_connections.iter().any(|c| self.wan_of(c.hub) == wan && !self.table_is_told(c.table));
        // Nor is it known of which WAN a gateway is that stands in no hub of the input.
        let announces = |b: &HubBranch| self.wan_of(b.hub).is_none_or(|of| Some(of) == wan) && !self.has_no_connections(b.branch);
        unseen || untold || self.wan_changes(hub) || self.hub_branches.iter().any(announces)
    }

    /// Whether a gateway of a hub lists its connections and there are none, in the list or elsewhere.
    fn has_no_connections(&self, branch: Sym) -> bool {
        let kinds =
            ["vpngateways/vpnconnections", "expressroutegateways/expressrouteconnections", "p2svpngateways/p2sconnectionconfigurations"];
        kinds.iter().any(|end| {
            let kind = format!("microsoft.network/{end}");
            let listed = self.child_types.iter().any(|c| c.parent == branch && c.kind.as_str() == kind);
            let below = format!("{branch}/{}/", end.rsplit('/').next().expect("the last part"));
            listed && !self.resources.iter().any(|r| r.kind.as_str() == kind && r.id.as_str().starts_with(&below))
        })
    }

    /// What the intent of the hub puts in the way: each choice a device or none, and whether there is no other choice.
    fn hub_policy(&self, hub: Sym, kind: PolicyKind) -> (Vec<Option<Sym>>, Tri) {
        let of = |kind| self.hub_policies.iter().filter(|p| p.hub == hub && p.kind == kind).map(|p| p.next).collect::<Vec<Sym>>();
        if let Some(next) = of(kind).into_iter().min_by_key(|n| n.as_str()) {
            return (vec![Some(next)], Tri::Yes);
        }
        let mut perhaps = of(PolicyKind::Unknown);
        if perhaps.is_empty() && !self.hub_parts_listed(!self.hub_policies.is_empty(), "routingintent") {
            // Whatever stands in the hub may be in an intent that nobody exported.
            perhaps.extend(self.firewalls.iter().filter(|f| f.hub == hub).map(|f| f.firewall));
            perhaps.extend(self.hub_guards.iter().filter(|g| g.hub == hub).map(|g| g.device));
        }
        let certain = if perhaps.is_empty() { Tri::Yes } else { Tri::Maybe };
        let mut choices: Vec<Option<Sym>> = vec![None];
        for next in perhaps {
            if !choices.contains(&Some(next)) {
                choices.push(Some(next));
            }
        }
        (choices, certain)
    }

    /// What hubs announce to a network (VW-01).
    pub fn hub_announces(&self, vnet: Sym) -> Vec<GatewayRoute> {
        let mut all = Vec::new();
        if let Some(hub) = self.hub_without_connections() {
            all.push(GatewayRoute { gateway: hub, prefix: None, sure: Tri::Maybe, code: "W-MISSING" });
        }
        for mine in self.hub_connections.iter().filter(|c| c.vnet == vnet) {
            let unseen = self.hub_connections.iter().any(|c| self.wan_of(c.hub).is_none());
            let code = if unseen { "W-MISSING" } else { "W-VWAN" };
            let route = |prefix: Option<Prefix>, sure| GatewayRoute { gateway: mine.hub, prefix, sure, code };
            if self.wan_of(mine.hub).is_none() || self.wan_doubts(mine.hub) {
                all.push(route(None, Tri::Maybe));
                if self.wan_of(mine.hub).is_none() {
                    continue;
                }
            }
            let mapped = if self.may_be_mapped(mine) { Tri::Maybe } else { Tri::Yes };
            for other in self.hub_learns(mine) {
                let theirs = if self.may_be_mapped(&other) { Tri::Maybe } else { mapped };
                if self.space(other.vnet).is_empty() && self.wan_joins(mine.hub).hi() {
                    all.push(route(None, Tri::Maybe)); // it has some addresses
                }
                all.extend(self.space(other.vnet).into_iter().map(|p| route(Some(p), self.wan_joins(mine.hub).and(theirs))));
            }
            for fixed in self.hub_routes.iter().filter(|r| r.table == mine.table && (mine.internet || r.prefix.prefix_len() > 0)) {
                all.push(route(Some(fixed.prefix), mapped));
            }
            let (choices, sure) = self.hub_policy(mine.hub, PolicyKind::Internet);
            if mine.internet && choices.iter().any(Option::is_some) {
                all.push(route(Some("0.0.0.0/0".parse().expect("literal")), sure.and(mapped)));
            }
        }
        let own = self.space(vnet);
        all.retain(|r| r.sure.hi() && !r.prefix.is_some_and(|p| own.iter().any(|o| o.contains(&p))));
        all.sort_by_key(|r| std::cmp::Reverse(r.sure));
        let mut best: Vec<GatewayRoute> = Vec::new();
        for route in all {
            let same = |r: &GatewayRoute| r.prefix.is_some() && r.prefix == route.prefix && r.gateway == route.gateway;
            if !best.iter().any(same) {
                best.push(route);
            }
        }
        best
    }

    /// Where a hub sends what `vnet` sends to an address: the networks, each with the devices on the way; no network is the internet.
    pub fn hub_choices(&self, vnet: Sym, hub: Sym, dst: Addr) -> Vec<(Option<Sym>, Vec<Sym>, Tri)> {
        let Some(mine) = self.hub_connections.iter().find(|c| c.hub == hub && c.vnet == vnet).copied() else { return Vec::new() };
        // Of the front ends of a service a prefix may have some.
        let front = matches!(dst, Addr::Front(..));
        let holds = |p: &Prefix| if front { self.in_prefix(dst, *p) == Tri::Yes } else { self.in_prefix(dst, *p).hi() };
        let some = |p: &Prefix| front && self.in_prefix(dst, *p) == Tri::Maybe;
        let nets = self.hub_learns(&mine).into_iter().filter(|c| self.wan_joins(hub).hi() && self.space(c.vnet).iter().any(some));
        let routes = self.hub_routes.iter().filter(|r| r.table == mine.table && some(&r.prefix));
        let mut partly: Vec<(Option<Sym>, Vec<Sym>, Tri)> = nets.map(|c| (Some(c.vnet), Vec::new(), Tri::Maybe)).collect();
        partly.extend(routes.map(|r| (None, vec![r.next], Tri::Maybe)));
        let longest = |v: Sym| self.space(v).into_iter().filter(|p| holds(p)).map(|p| p.prefix_len()).max();
        let mut found: Vec<(u8, HubConnection)> =
            self.hub_learns(&mine).into_iter().filter_map(|c| longest(c.vnet).map(|length| (length, c))).collect();
        found.retain(|_| self.wan_joins(hub).hi());
        let best = found.iter().map(|(length, _)| *length).max();
        found.retain(|(length, _)| Some(*length) == best);
        let fixed = self.hub_routes.iter().filter(|r| r.table == mine.table && holds(&r.prefix)).max_by_key(|r| r.prefix.prefix_len());
        // A route that nobody read may lead around all of it.
        let around = if self.wan_changes(hub) || !self.table_is_told(mine.table) { Some(Sym::new("a route nobody read")) } else { None };
        let told = if around.is_none() && partly.is_empty() { Tri::Yes } else { Tri::Maybe };
        let several = found.len() > 1 || told == Tri::Maybe;
        let mut all = Vec::new();
        for (length, other) in &found {
            let first: Vec<Sym> = fixed.filter(|r| r.prefix.prefix_len() >= *length).map(|r| r.next).into_iter().collect();
            let (own, own_told) = self.hub_policy(hub, PolicyKind::Private);
            let (theirs, their_told) =
                if other.hub == hub { (vec![None], Tri::Yes) } else { self.hub_policy(other.hub, PolicyKind::Private) };
            let sure = if several { self.wan_joins(hub).and(Tri::Maybe) } else { self.wan_joins(hub) };
            for mine in &own {
                for yours in &theirs {
                    let mut devices = first.clone();
                    devices.extend(*mine);
                    devices.extend(*yours);
                    devices.dedup();
                    all.push((Some(other.vnet), devices, sure.and(own_told).and(their_told)));
                }
            }
            all.extend(around.map(|other_way| (Some(other.vnet), vec![other_way], Tri::Maybe)));
        }
        if all.is_empty() {
            let default = mine.internet && self.in_prefix(dst, "0.0.0.0/0".parse().expect("literal")).hi();
            let (choices, sure) = self.hub_policy(hub, PolicyKind::Internet);
            match fixed {
                Some(r) => all.push((None, vec![r.next], told)),
                None if default => all.extend(choices.into_iter().flatten().map(|next| (None, vec![next], sure.and(told)))),
                None => {}
            }
            if !all.is_empty() {
                all.extend(around.map(|other_way| (None, vec![other_way], Tri::Maybe)));
            }
        }
        all.extend(partly);
        all
    }

    /// Whether the hub brings a reply from `vnet` home, past the same devices as on the way there.
    pub fn hub_brings_home(&self, vnet: Sym, hub: Sym, to: Addr, home: Sym) -> Tri {
        let there = self.hub_connections.iter().find(|c| c.vnet == home).map(|c| c.hub).unwrap_or(Sym::EMPTY);
        let Some(first) = self.space(vnet).first().map(|p| Addr::Known(p.network())) else { return Tri::Maybe };
        let went: Vec<Vec<Sym>> = self.hub_choices(home, there, first).into_iter().map(|c| c.1).collect();
        let mut best = Tri::No;
        for (network, mut devices, sure) in self.hub_choices(vnet, hub, to) {
            if network == Some(home) {
                devices.reverse();
                best = best.or(sure.and(if went.contains(&devices) { Tri::Yes } else { Tri::Maybe }));
            }
        }
        best
    }
}

impl Walk<'_, '_> {
    /// Through a hub (VW-02, VW-04).
    pub fn through_hub(&self, vnet: Sym, hub: Sym, packet: Packet, trip: &Trip) -> Outcome {
        let choices = self.world.hub_choices(vnet, hub, packet.dst);
        // Beside the networks of the hub that are known there is one that may have a private address.
        let untold = self.world.gateway_routes(vnet).iter().any(|r| r.prefix.is_none());
        let to_network = choices.iter().any(|c| c.0.is_some());
        if untold && !to_network && !self.world.is_public_addr(packet.dst).hi() {
            return Outcome::unproven(Stage::Gateway, name_of(hub), "W-VWAN");
        }
        if choices.is_empty() {
            return Outcome::denied(Stage::Gateway, name_of(hub));
        }
        let each = choices.into_iter().map(|(network, devices, sure)| {
            check(sure, Stage::Gateway, &name_of(hub), "W-VWAN", || {
                let beyond = || match (network, devices.last()) {
                    (Some(network), _) => self.deliver(network, packet, trip, Via::Gateway),
                    (None, _) if !devices.iter().all(|d| self.world.is_firewall(*d)) => Outcome::delivered(Via::Gateway), // it may know more
                    (None, _) if !self.world.is_public_addr(packet.dst).hi() => Outcome::denied(Stage::Gateway, name_of(hub)),
                    (None, Some(last)) if self.world.is_firewall(*last) => self.out_of_hub(*last, packet),
                    (None, _) => Outcome::delivered(Via::Gateway),
                };
                self.past_devices(&devices, packet, &beyond)
            })
        });
        one_of(each.collect(), Stage::Gateway, "W-VWAN")
    }

    /// To the front end of a service, past the hub's devices and out by the last of them (VW-04).
    pub fn hub_to_front(&self, vnet: Sym, hub: Sym, packet: Packet) -> Outcome {
        let world = self.world;
        let choices = world.hub_choices(vnet, hub, packet.dst);
        if choices.is_empty() || choices.iter().any(|c| c.0.is_some()) {
            return Outcome::unproven(Stage::Gateway, name_of(hub), "W-VWAN");
        }
        let each = choices.into_iter().map(|(_, devices, sure)| {
            check(sure, Stage::Gateway, &name_of(hub), "W-VWAN", || {
                let beyond = || match devices.last() {
                    Some(last) if world.is_firewall(*last) => {
                        let region = world.resources.iter().find(|r| r.id == hub).map_or(Sym::EMPTY, |r| r.location);
                        self.firewall_to_front(*last, region, packet)
                    }
                    _ => Outcome::unproven(Stage::Gateway, name_of(hub), "W-VWAN"),
                };
                self.past_devices(&devices, packet, &beyond)
            })
        });
        one_of(each.collect(), Stage::Gateway, "W-VWAN")
    }

    /// Out of a hub's firewall to a front end: storage of its region sees no public address (OUT-09, R-04).
    fn firewall_to_front(&self, firewall: Sym, region: Sym, packet: Packet) -> Outcome {
        let Addr::Front(service, home) = packet.dst else { return Outcome::denied(Stage::Route, "no-endpoint") };
        let out = self.world.firewall_way_out(firewall, Sym::EMPTY, &packet);
        let inside = || {
            let arrives = self.front_end(packet, Seen::SameRegion, Via::Public);
            if out.sure == Tri::Yes { arrives } else { arrives.doubted(Stage::Nat, "same region", "W-UNSUPPORTED") }
        };
        let outside = || {
            if out.sure == Tri::No {
                return Outcome::denied(out.stage, out.rule.clone());
            }
            let each = out.sources.iter().map(|&addr| self.front_end(packet, Seen::Public { addr, azure: true }, Via::Public));
            all_of(each.collect())
        };
        match (service, region.is_empty() || home.is_empty()) {
            (Service::Storage, true) => all_of(vec![inside(), outside()]).doubted(Stage::Nat, "region", "W-MISSING"),
            (Service::Storage, false) if region == home => inside(),
            _ => outside(),
        }
    }

    /// Past the devices that a hub puts in the way, one after the other.
    fn past_devices(&self, devices: &[Sym], packet: Packet, beyond: &dyn Fn() -> Outcome) -> Outcome {
        let Some((first, rest)) = devices.split_first() else { return beyond() };
        let onward = || self.past_devices(rest, packet, beyond);
        if self.world.is_firewall(*first) {
            let outcome = self.past_hub_firewall(*first, packet, &onward);
            return self.device(outcome, Via::AzureFirewall);
        }
        let kind = self.world.devices.iter().find(|d| d.device == *first).map(|d| d.kind);
        onward().doubted(kind.map_or(Stage::Gateway, super::walk::stage_of), name_of(*first), "W-VWAN")
    }
}
