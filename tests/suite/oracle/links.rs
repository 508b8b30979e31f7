//! What routes are made of: peerings, user routes, gateways and what they announce (PEER-02, PEER-04, RTE-04, GW-01 to GW-04).

use watertight::facts::network::{
    ConnectionKind, GatewayKind, HopKind, ObservedDoubt, ObservedRoute, Peering, PeeringPrefix, PeeringState, Route,
};
use watertight::facts::selector::{Selector, Selectors};
use watertight::model::{Prefix, Sym, Tri};

use super::world::World;

/// A route that a gateway contributes; without a prefix anything could be behind it (GW-04).
#[derive(Clone, Debug)]
pub struct GatewayRoute {
    pub gateway: Sym,
    pub prefix: Option<Prefix>,
    pub sure: Tri,
    pub code: &'static str,
}

/// Whether the side of a peering leads to a network that no export names.
pub fn is_nameless(peering: &Peering) -> bool {
    peering.remote.as_str() == format!("{}/unknown-remotevirtualnetwork", peering.peering)
}

impl World<'_> {
    /// Where a side says that it is connected and the other network came without its peerings, there may be one: Azure says so of nothing else (PEER-02).
    pub fn add_unlisted_sides(&mut self) {
        let kind = "microsoft.network/virtualnetworks/virtualnetworkpeerings";
        let lists = |vnet: Sym| {
            self.peerings.iter().any(|p| p.vnet == vnet) || self.child_types.iter().any(|c| c.parent == vnet && c.kind.as_str() == kind)
        };
        // One of its sides does not say which network it leads to: it may be this one, whether that says its state or not.
        let vague = |vnet: Sym| self.peerings.iter().any(|p| p.vnet == vnet && is_nameless(p));
        let possible = |p: &Peering| match p.state {
            PeeringState::Connected | PeeringState::Other => !lists(p.remote) || vague(p.remote),
            PeeringState::Unknown => vague(p.remote),
            _ => false,
        };
        let answered = |p: &Peering| self.peerings.iter().any(|back| back.vnet == p.remote && back.remote == p.vnet);
        let claims = |p: &&Peering| possible(p) && !answered(p);
        let opposite = |p: &Peering| Peering {
            peering: Sym::new(&format!("{}#other", p.peering)),
            vnet: p.remote,
            remote: p.vnet,
            forwarded: true,
            use_remote_gateways: p.gateway_transit,
            gateway_transit: p.use_remote_gateways,
            ..*p
        };
        let sides: Vec<Peering> = self.peerings.iter().filter(claims).map(opposite).collect();
        self.unlisted_sides.extend(sides.iter().map(|p| p.peering));
        self.peerings.extend(sides);
    }

    /// Where the export has no peering at all, a network that lacks its list of them may be joined to somebody at any private address (decision 8).
    pub fn add_unnamed_sides(&mut self) {
        let kind = "microsoft.network/virtualnetworks/virtualnetworkpeerings";
        if !self.peerings.is_empty() || self.complete_types.iter().any(|c| c.kind.as_str() == kind) {
            return;
        }
        for row in self.unlisted.clone().into_iter().filter(|u| u.kind.as_str() == kind) {
            let peering = Sym::new(&format!("{}/somebody", row.parent));
            let side = Peering {
                peering,
                vnet: row.parent,
                remote: Peering::unknown_remote(peering),
                state: PeeringState::Other,
                in_sync: true,
                access: true,
                forwarded: false,
                gateway_transit: false,
                use_remote_gateways: false,
                complete: true,
            };
            self.peerings.push(side);
            for text in ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"] {
                let prefix = text.parse().expect("a literal prefix");
                self.peering_prefixes.push(PeeringPrefix { peering, prefix, current: false });
            }
        }
    }

    /// Whether only one side of the peering was exported.
    pub fn is_half_listed(&self, peering: &Peering) -> bool {
        let unlisted = |p: &Peering| self.unlisted_sides.contains(&p.peering);
        // Of a network that is not in the input the state that this side tells is all there is.
        let opposite = |p: &Peering| p.vnet == peering.remote && p.remote == peering.vnet && self.has_vnet(p.vnet);
        unlisted(peering) || self.peerings.iter().any(|p| opposite(p) && unlisted(p))
    }

    /// Whether traffic can cross the peering at all (PEER-02).
    pub fn is_connected(&self, peering: &Peering) -> Tri {
        if let Some(managed) = self.managed.iter().find(|m| m.id == peering.peering) {
            return managed.sure;
        }
        let up = |state| !matches!(state, PeeringState::Initiated | PeeringState::Disconnected);
        if !up(peering.state) {
            return Tri::No;
        }
        if self.is_half_listed(peering) {
            return Tri::Maybe;
        }
        let back: Vec<&Peering> = self.peerings.iter().filter(|p| p.vnet == peering.remote && p.remote == peering.vnet).collect();
        let back: Vec<&&Peering> = back.iter().filter(|p| !self.managed.iter().any(|m| m.id == p.peering)).collect();
        if self.has_vnet(peering.remote) || !back.is_empty() {
            // One that says something else than a state is connected, or is not.
            let told = peering.state != PeeringState::Other && back.iter().any(|p| up(p.state) && p.state != PeeringState::Other);
            let any = back.iter().any(|p| up(p.state));
            return if any && !told { Tri::Maybe } else { Tri::from_bool(any) };
        }
        if peering.state == PeeringState::Connected { Tri::Yes } else { Tri::Maybe }
    }

    /// The remote address space as this side knows it, each prefix with its certainty (PEER-04).
    pub fn remote_space(&self, peering: &Peering) -> Vec<(Prefix, Tri)> {
        if let Some(managed) = self.managed.iter().find(|m| m.id == peering.peering) {
            return managed.space.clone();
        }
        let back = self.peerings.iter().filter(|p| p.vnet == peering.remote && p.remote == peering.vnet);
        let says = |id: Sym| self.peerings_only_v6.iter().any(|o| o.peering == id);
        let only_v6 = says(peering.peering) || back.into_iter().any(|p| says(p.peering));
        let all = self.recorded_space(peering);
        all.into_iter().filter(|(p, _)| !only_v6 || p.network().is_ipv6()).collect()
    }

    fn recorded_space(&self, peering: &Peering) -> Vec<(Prefix, Tri)> {
        let rows = |current: bool| -> Vec<Prefix> {
            let rows = self.peering_prefixes.iter().filter(|p| p.peering == peering.peering && p.current == current);
            rows.map(|p| p.prefix).collect()
        };
        let or_actual = |rows: Vec<Prefix>| if rows.is_empty() { self.space(peering.remote) } else { rows };
        if !peering.in_sync && rows(false).is_empty() {
            return or_actual(rows(true)).into_iter().map(|p| (p, Tri::Maybe)).collect(); // which of it was synchronised nobody says
        }
        let (synced, current) = (or_actual(rows(false)), or_actual(rows(true)));
        if peering.in_sync {
            return synced.into_iter().map(|p| (p, Tri::Yes)).collect();
        }
        let within = |p: &Prefix, all: &[Prefix]| all.iter().any(|a| a.contains(p));
        let mut all: Vec<Prefix> = synced.iter().chain(&current).copied().collect();
        all.sort();
        all.dedup();
        all.into_iter().map(|p| (p, if within(&p, &synced) && within(&p, &current) { Tri::Yes } else { Tri::Maybe })).collect()
    }

    /// Whether a next hop is in the network that the peering leads to: in one of unknown addresses it is perhaps, unless another peer surely has it.
    pub fn peer_has(&self, peering: &Peering, hop: std::net::IpAddr) -> Tri {
        let within = |p: &Peering| self.remote_space(p).iter().filter(|(prefix, _)| prefix.contains(&hop)).map(|(_, sure)| *sure).max();
        let beside = |p: &&Peering| p.vnet == peering.vnet && self.is_connected(p).hi();
        let elsewhere = self.peerings.iter().filter(beside).any(|p| within(p) == Some(Tri::Yes));
        match within(peering) {
            Some(sure) => sure,
            None if self.has_unknown_space(peering) && !elsewhere => Tri::Maybe,
            None => Tri::No,
        }
    }

    /// Whether neither the peering nor the other network tells the addresses it leads to.
    pub fn has_unknown_space(&self, peering: &Peering) -> bool {
        self.space(peering.remote).is_empty() && !self.peering_prefixes.iter().any(|row| row.peering == peering.peering)
    }

    /// Whether a subnet at one end of a subnet peering takes part in it: both sides must say the same (PEER-12).
    pub fn takes_part_in(&self, peering: &Peering, subnet: Sym, near: bool) -> Tri {
        let Some(name) = self.subnets.iter().find(|s| s.subnet == subnet).map(|s| s.name) else { return Tri::Maybe };
        let mut said = Vec::new();
        for p in &self.peerings {
            let ours = p.peering == peering.peering;
            let theirs = p.vnet == peering.remote && p.remote == peering.vnet;
            if !(ours || theirs) {
                continue;
            }
            let local = near == ours;
            let names: Vec<Sym> =
                self.peering_subnets.iter().filter(|n| n.peering == p.peering && n.local == local).map(|n| n.name).collect();
            said.push(match () {
                () if p.complete => Tri::Yes,
                () if names.is_empty() => Tri::Maybe,
                () => Tri::from_bool(names.contains(&name)),
            });
        }
        match (said.iter().min(), said.iter().max()) {
            (Some(low), Some(high)) if low == high => *low,
            _ => Tri::Maybe,
        }
    }

    /// Whether only some subnets take part in a peering.
    pub fn is_partial(&self, peering: &Peering) -> bool {
        let back = self.peerings.iter().filter(|p| p.vnet == peering.remote && p.remote == peering.vnet);
        !peering.complete || back.into_iter().any(|p| !p.complete)
    }

    /// Whether the routes of a peering are on the subnet: a subnet that takes no part may have them (PEER-12).
    pub fn route_over(&self, peering: &Peering, subnet: Sym) -> Tri {
        let joined = self.is_connected(peering);
        let here = !self.is_partial(peering) || self.takes_part_in(peering, subnet, true).lo();
        if here { joined } else { joined.and(Tri::Maybe) }
    }

    /// The user-defined routes of the subnet's table, each with whether its destination is a tag.
    pub fn user_routes(&self, subnet: Sym) -> Vec<(Route, bool)> {
        if let Some(seen) = self.seen_at(subnet) {
            let users = seen.into_iter().filter(|row| row.source.as_str() == "user");
            return users
                .map(|row| {
                    let hop = HopKind::parse(row.hop.as_str()).unwrap_or(HopKind::Unknown);
                    let destination = Selectors::new([Selector::Prefix(row.prefix)]);
                    (Route { route: row.nic, table: row.nic, destination, hop, hop_address: row.address }, false)
                })
                .collect();
        }
        let tables: Vec<Sym> = self.subnet_tables.iter().filter(|t| t.subnet == subnet).map(|t| t.table).collect();
        let known = |table: Sym| self.tables.iter().any(|t| t.table == table);
        self.routes
            .iter()
            .filter(|r| tables.contains(&r.table) && known(r.table))
            .map(|r| (*r, r.destination.items().iter().any(|i| matches!(i, Selector::Tag(_)))))
            .collect()
    }

    /// The routes that somebody saw at an interface in the subnet; nothing where nobody looked (RTE-07).
    pub fn seen_at(&self, subnet: Sym) -> Option<Vec<ObservedRoute>> {
        let stands = |nic: Sym| self.configs.iter().any(|c| c.nic == nic && c.subnet == subnet);
        let nics: Vec<Sym> = self.seen.iter().map(|s| s.nic).filter(|&nic| stands(nic)).collect();
        let mut rows: Vec<ObservedRoute> = self.seen_routes.iter().filter(|r| nics.contains(&r.nic)).copied().collect();
        // Without a row of a family that the network has nobody knows where what is of it goes.
        let space = self.vnet_of(subnet).map(|vnet| self.space(vnet)).unwrap_or_default();
        for (six, everything) in [(false, "0.0.0.0/0"), (true, "::/0")] {
            let of = |p: &Prefix| p.network().is_ipv6() == six;
            if (space.is_empty() || space.iter().any(of)) && !rows.iter().any(|r| of(&r.prefix)) {
                let (prefix, unknown) = (everything.parse().expect("literal"), Sym::new("unknown"));
                rows.extend(nics.first().map(|&nic| ObservedRoute { nic, prefix, source: unknown, hop: unknown, address: None }));
            }
        }
        if nics.is_empty() { None } else { Some(rows) }
    }

    /// Whether a route was seen at every interface of the subnet at which somebody looked: else it is there perhaps.
    pub fn was_seen_everywhere(&self, subnet: Sym, row: &ObservedRoute) -> Tri {
        let looked = self.seen.iter().filter(|s| self.configs.iter().any(|c| c.nic == s.nic && c.subnet == subnet));
        let ObservedRoute { prefix, source, hop, address, .. } = *row;
        let doubted = |nic: Sym| self.seen_doubts.contains(&ObservedDoubt { nic, prefix, source, hop, address });
        let tells = |nic: Sym| self.seen_routes.iter().any(|r| r.nic == nic && r.prefix.network().is_ipv6() == prefix.network().is_ipv6());
        let has = |nic: Sym| self.seen_routes.contains(&ObservedRoute { nic, ..*row }) || !tells(nic);
        let mut there = looked.map(|s| has(s.nic) && !doubted(s.nic));
        if there.all(|there| there) { Tri::Yes } else { Tri::Maybe }
    }

    /// The same for one of those that a person made; a route of a table is there.
    pub fn is_there(&self, subnet: Sym, route: &Route) -> Tri {
        let same = |row: &&ObservedRoute| {
            let hop = HopKind::parse(row.hop.as_str()).unwrap_or(HopKind::Unknown);
            let destination = Selectors::new([Selector::Prefix(row.prefix)]);
            row.source.as_str() == "user" && (hop, row.address, destination) == (route.hop, route.hop_address, route.destination)
        };
        let seen = self.seen_at(subnet).unwrap_or_default();
        seen.iter().find(same).map_or(Tri::Yes, |row| self.was_seen_everywhere(subnet, row))
    }

    /// Whether the subnet names a route table that is not in the input (SND-03), or its routes are not known for another reason.
    pub fn table_is_missing(&self, subnet: Sym) -> bool {
        if self.seen_at(subnet).is_some() {
            return false; // all there is was seen
        }
        // What belongs to a network without an address space nobody knows, and of one that was not exported neither its peerings nor its gateways.
        if self.vnet_of(subnet).is_some_and(|vnet| !self.has_vnet(vnet) || self.space(vnet).is_empty()) {
            return true;
        }
        if self.vnet_of(subnet).is_some_and(|vnet| self.is_routed_by_others(vnet)) {
            return true;
        }
        self.names_unseen_table(subnet)
    }

    /// Whether the subnet names a route table that nobody exported.
    pub fn names_unseen_table(&self, subnet: Sym) -> bool {
        self.subnet_tables.iter().any(|s| s.subnet == subnet && !self.tables.iter().any(|t| t.table == s.table))
    }

    /// Whether gateway routes reach the subnet (RTE-04).
    pub fn gateway_routes_on(&self, subnet: Sym) -> bool {
        if self.seen_at(subnet).is_some() {
            return false; // those that count are among what was seen
        }
        let tables = self.subnet_tables.iter().filter(|s| s.subnet == subnet);
        !tables.into_iter().any(|s| self.tables.iter().any(|t| t.table == s.table && !t.gateway_routes))
    }

    fn has_gateway(&self, gateway: Sym) -> bool {
        self.gateways.iter().any(|row| row.gateway == gateway)
    }

    /// The gateways of the input that stand in the network.
    fn standing_in(&self, vnet: Sym) -> Vec<Sym> {
        let here = self.gateway_subnets.iter().filter(|g| self.vnet_of(g.subnet) == Some(vnet));
        here.map(|g| g.gateway).filter(|&g| self.has_gateway(g)).collect()
    }

    /// The networks whose gateways the network uses (PEER-08).
    fn lenders(&self, vnet: Sym) -> Vec<(Sym, Tri)> {
        let mut all = Vec::new();
        for peering in self.peerings.iter().filter(|p| p.vnet == vnet && p.use_remote_gateways) {
            let mut back = self.peerings.iter().filter(|p| p.vnet == peering.remote && p.remote == vnet).peekable();
            // Of a network that nobody exported Azure knew that it lends its gateway.
            let unseen = back.peek().is_none() && !self.has_vnet(peering.remote);
            if (unseen || back.any(|p| p.gateway_transit)) && self.is_connected(peering).hi() {
                all.push((peering.remote, self.is_connected(peering)));
            }
        }
        // Azure takes one of them, and nobody says which.
        if all.iter().any(|(remote, _)| *remote != all[0].0) {
            all.iter_mut().for_each(|(_, sure)| *sure = Tri::Maybe);
        }
        all
    }

    /// Whether the network would use the gateways of several others.
    pub fn has_several_lenders(&self, vnet: Sym) -> bool {
        let all = self.lenders(vnet);
        self.standing_in(vnet).is_empty() && all.iter().any(|(remote, _)| *remote != all[0].0)
    }

    /// The gateways that the network can use at once: its own together, or those of one peer.
    pub fn gateways_at_once(&self, vnet: Sym) -> Vec<Vec<(Sym, Tri)>> {
        if self.has_several_lenders(vnet) {
            let lent = |(remote, sure)| self.standing_in(remote).into_iter().map(|g| (g, sure)).collect();
            return self.lenders(vnet).into_iter().map(lent).collect();
        }
        vec![self.gateways_of(vnet)]
    }

    /// The gateways the network can use: its own, or a peer's that lets it in transit (PEER-08).
    pub fn gateways_of(&self, vnet: Sym) -> Vec<(Sym, Tri)> {
        let own = self.standing_in(vnet);
        if !own.is_empty() {
            return own.into_iter().map(|g| (g, Tri::Yes)).collect();
        }
        let lent = |(remote, sure)| self.standing_in(remote).into_iter().map(move |g| (g, sure));
        self.lenders(vnet).into_iter().flat_map(lent).collect()
    }

    /// What is named as a gateway, is not in the input, and stands in the network or may.
    pub fn missing_gateways(&self, vnet: Sym) -> Vec<Sym> {
        let here = self.gateway_subnets.iter().filter(|g| self.vnet_of(g.subnet) == Some(vnet) && !self.has_gateway(g.gateway));
        let mut all: Vec<Sym> = here.map(|g| g.gateway).collect();
        // A gateway in a subnet that was not exported, by the id of that.
        let lost = |id: Sym| self.vnet_of(id).is_none() && id.as_str().rsplit_once("/subnets/").is_some_and(|(v, _)| v == vnet.as_str());
        all.extend(self.gateway_subnets.iter().filter(|g| lost(g.subnet)).map(|g| g.gateway));
        let subscription =
            |id: Sym| id.as_str().strip_prefix("/subscriptions/").map(|rest| rest.split('/').next().unwrap_or("").to_owned());
        if self.subnets.iter().any(|s| s.vnet == vnet && s.name.as_str() == "gatewaysubnet") {
            for c in &self.connections {
                let far = if c.kind == ConnectionKind::VnetToVnet { vec![c.peer] } else { vec![] };
                for gateway in std::iter::once(c.gateway).chain(far) {
                    let name = if gateway.is_empty() { c.connection } else { gateway };
                    let placed = self.gateway_subnets.iter().any(|g| g.gateway == gateway);
                    let near = match (subscription(name), subscription(vnet)) {
                        (Some(theirs), Some(ours)) => theirs == ours,
                        _ => true,
                    };
                    if !placed && near {
                        all.push(name);
                    }
                }
            }
            for g in self.gateways.iter().filter(|g| !self.gateway_subnets.iter().any(|row| row.gateway == g.gateway)) {
                let near = match (subscription(g.gateway), subscription(vnet)) {
                    (Some(theirs), Some(ours)) => theirs == ours,
                    _ => true,
                };
                all.extend(near.then_some(g.gateway));
            }
        }
        Sym::sort(&mut all);
        all.dedup();
        all
    }

    /// Gateways that the network uses and of which the input says nothing: its own, or those of whom lends it one.
    pub fn unseen_gateways(&self, vnet: Sym) -> Vec<Sym> {
        let mut all = self.missing_gateways(vnet);
        if self.standing_in(vnet).is_empty() {
            for (remote, _) in self.lenders(vnet) {
                let missing = self.missing_gateways(remote);
                let served = self.route_servers.iter().any(|s| self.vnet_of(s.subnet) == Some(remote));
                if missing.is_empty() && self.standing_in(remote).is_empty() && !served {
                    all.push(remote);
                }
                all.extend(missing);
            }
        }
        all
    }

    /// Whether nothing that announces routes and is in the input has the id: it stands for a gateway that nobody exported.
    pub fn is_unseen_gateway(&self, id: Sym) -> bool {
        let seen = self.gateways.iter().any(|g| g.gateway == id) || self.hubs.iter().any(|h| h.hub == id);
        !seen && !self.route_servers.iter().any(|s| s.server == id)
    }

    /// What the network's gateways announce to it (GW-01 to GW-04).
    pub fn gateway_routes(&self, vnet: Sym) -> Vec<GatewayRoute> {
        let mut all = Vec::new();
        for (gateway, usable) in self.gateways_of(vnet) {
            all.extend(self.routes_of_gateway(gateway).into_iter().map(|r| GatewayRoute { sure: r.sure.and(usable), ..r }));
        }
        let unseen = self.unseen_gateways(vnet).into_iter();
        all.extend(unseen.map(|gateway| GatewayRoute { gateway, prefix: None, sure: Tri::Maybe, code: "W-MISSING" }));
        // A default site that was not exported was not without its connection (RTE-20).
        for (gateway, _) in self.gateways_of(vnet) {
            let connected = |site: Sym| self.connections.iter().any(|c| c.gateway == gateway && c.peer == site);
            let known = |site: Sym| self.local_gateways.iter().any(|l| l.site == site) || connected(site);
            for row in self.default_sites.iter().filter(|d| d.gateway == gateway && !known(d.site)) {
                all.push(GatewayRoute { gateway: row.site, prefix: None, sure: Tri::Maybe, code: "W-MISSING" });
            }
        }
        all.extend(self.hub_announces(vnet));
        let served = |subnet: Sym| self.vnet_of(subnet) == Some(vnet);
        for server in self.route_servers.iter().filter(|s| served(s.subnet)) {
            all.push(GatewayRoute { gateway: server.server, prefix: None, sure: Tri::Maybe, code: "W-BGP-UNKNOWN" }); // NVA-11
        }
        all
    }

    /// The networks on the other side of a gateway's connections: prefix, network, certainty (GW-10, GW-12).
    pub fn networks_across(&self, gateway: Sym) -> Vec<(Prefix, Sym, Tri)> {
        let home =
            |g: Sym| self.gateway_subnets.iter().filter(|s| s.gateway == g).filter_map(|s| self.vnet_of(s.subnet)).collect::<Vec<_>>();
        let up = |c: &watertight::facts::network::Connection| c.connected.or(Tri::Maybe);
        let mut all: Vec<(Prefix, Sym, Tri)> = Vec::new();
        let mut reach = |other: Sym, sure: Tri, tells: bool| {
            for there in home(other) {
                if home(gateway).contains(&there) {
                    continue;
                }
                all.extend(self.space(there).into_iter().map(|p| (p, there, sure)));
                let users = self.peerings.iter().filter(|p| p.remote == there && p.use_remote_gateways);
                for user in users {
                    let lets = self.peerings.iter().any(|p| p.vnet == there && p.remote == user.vnet && p.gateway_transit);
                    if lets && !home(gateway).contains(&user.vnet) {
                        let alone = !self.peerings.iter().any(|p| p.vnet == user.vnet && p.use_remote_gateways && p.remote != there);
                        let sure = if tells && alone { sure } else { sure.and(Tri::Maybe) };
                        all.extend(self.space(user.vnet).into_iter().map(|p| (p, there, sure)));
                    }
                }
            }
        };
        for c in &self.connections {
            if c.kind == ConnectionKind::VnetToVnet && (c.gateway == gateway || c.peer == gateway) {
                let other = if c.gateway == gateway { c.peer } else { c.gateway };
                let back =
                    self.connections.iter().find(|d| d.kind == ConnectionKind::VnetToVnet && d.gateway == c.peer && d.peer == c.gateway);
                let fit = self.has_tunnels(gateway).and(self.has_tunnels(other));
                reach(other, back.map_or(Tri::Maybe, |d| up(c).and(up(d))).and(fit), c.bgp && back.is_some_and(|d| d.bgp));
            }
            if c.kind == ConnectionKind::ExpressRoute && c.gateway == gateway && !c.peer.is_empty() {
                for d in self.connections.iter().filter(|d| d.kind == c.kind && d.peer == c.peer && d.gateway != gateway) {
                    let er = self.gateways.iter().any(|g| g.gateway == d.gateway && g.kind == GatewayKind::ExpressRoute);
                    let open = |g: Sym| self.remote_networks.iter().any(|r| r.gateway == g);
                    let ours = self.gateways.iter().any(|g| g.gateway == gateway && g.kind == GatewayKind::ExpressRoute);
                    let flags = if ours && open(gateway) && open(d.gateway) { Tri::Yes } else { Tri::Maybe };
                    if er {
                        reach(d.gateway, flags.and(up(c)).and(up(d)), true);
                    }
                }
            }
        }
        // Of two ways to the same network the better counts.
        let best = |p: &(Prefix, Sym, Tri)| all.iter().filter(|q| q.0 == p.0 && q.1 == p.1).map(|q| q.2).max().unwrap_or(p.2);
        let mut merged: Vec<(Prefix, Sym, Tri)> = all.iter().map(|p| (p.0, p.1, best(p))).collect();
        merged.sort();
        merged.dedup();
        merged
    }

    fn routes_of_gateway(&self, gateway: Sym) -> Vec<GatewayRoute> {
        let mut all = Vec::new();
        let vpn = self.gateways.iter().any(|g| g.gateway == gateway && g.kind == GatewayKind::Vpn);
        let circuits = self.gateways.iter().any(|g| g.gateway == gateway && g.kind == GatewayKind::ExpressRoute);
        let unknown = |code| GatewayRoute { gateway, prefix: None, sure: Tri::Maybe, code };
        let known = self.gateways.iter().any(|g| g.gateway == gateway);
        if known && !vpn && !(circuits && self.looked_at.iter().any(|l| l.gateway == gateway)) {
            all.push(unknown("W-BGP-UNKNOWN")); // GW-04: circuits may be connected that nobody exported
        }
        for c in self.connections.iter().filter(|c| c.gateway == gateway) {
            if c.kind == ConnectionKind::VnetToVnet && !c.bgp && vpn {
                let spaced = |vnet: Sym| {
                    let users = self.peerings.iter().filter(|p| p.remote == vnet && p.use_remote_gateways);
                    let lets = |user: Sym| self.peerings.iter().any(|p| p.vnet == vnet && p.remote == user && p.gateway_transit);
                    let users = users.filter(|p| lets(p.vnet)).all(|p| !self.space(p.vnet).is_empty());
                    users && !self.space(vnet).is_empty()
                };
                let stands = self.gateway_subnets.iter().any(|s| s.gateway == c.peer && self.vnet_of(s.subnet).is_some_and(spaced));
                if !stands || !self.gateways.iter().any(|g| g.gateway == c.peer) {
                    all.push(unknown("W-MISSING"));
                }
                continue; // what is on the other side is told by `networks_across`
            }
            let looked = self.looked_at.iter().any(|l| l.gateway == gateway);
            if looked && circuits && c.kind == ConnectionKind::ExpressRoute {
                continue; // what came over the circuit is told
            }
            if c.kind != ConnectionKind::Ipsec || !vpn {
                all.push(unknown("W-BGP-UNKNOWN")); // GW-04
                continue;
            }
            if c.bgp && !looked {
                all.push(unknown("W-BGP-UNKNOWN"));
            }
            if !self.local_gateways.iter().any(|l| l.site == c.peer) {
                all.push(unknown("W-MISSING"));
            }
            let code = if c.connected == Tri::Yes { "" } else { "W-CONN-STATE" };
            let prefixes = self.set_up_for(c.peer);
            all.extend(prefixes.into_iter().map(|p| GatewayRoute { gateway, prefix: Some(p), sure: c.connected.or(Tri::Maybe), code }));
            if self.default_sites.iter().any(|d| d.gateway == gateway && d.site == c.peer) {
                let everything = Some("0.0.0.0/0".parse().expect("literal")); // RTE-20
                all.push(GatewayRoute { gateway, prefix: everything, sure: c.connected.or(Tri::Maybe), code });
            }
        }
        for (prefix, site, sure) in self.told_by(gateway) {
            let code = if site.is_none() { "W-BGP-UNKNOWN" } else { "W-CONN-STATE" };
            all.push(GatewayRoute { gateway, prefix: site.map(|_| prefix), sure, code });
        }
        for (prefix, _, sure) in self.networks_across(gateway) {
            all.push(GatewayRoute { gateway, prefix: Some(prefix), sure, code: "W-CONN-STATE" });
        }
        for pool in self.client_pools.iter().filter(|p| p.gateway == gateway) {
            all.push(GatewayRoute { gateway, prefix: Some(pool.prefix), sure: self.has_tunnels(gateway), code: "" });
        }
        all
    }
}
