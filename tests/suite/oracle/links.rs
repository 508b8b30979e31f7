//! What routes are made of: peerings, user routes, gateways and what they announce (PEER-02, PEER-04, RTE-04, GW-01 to GW-04).

use watertight::facts::network::{ConnectionKind, GatewayKind, Peering, PeeringState, Route};
use watertight::facts::selector::Selector;
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

impl World<'_> {
    /// Whether traffic can cross the peering at all (PEER-02).
    pub fn is_connected(&self, peering: &Peering) -> Tri {
        let up = |state| !matches!(state, PeeringState::Initiated | PeeringState::Disconnected);
        if !up(peering.state) {
            return Tri::No;
        }
        let back: Vec<&Peering> = self.peerings.iter().filter(|p| p.vnet == peering.remote && p.remote == peering.vnet).collect();
        // Which subnets take part in a peering of some of them is not among the facts (PEER-12).
        let whole = if peering.complete && back.iter().all(|p| p.complete) { Tri::Yes } else { Tri::Maybe };
        if self.has_vnet(peering.remote) || !back.is_empty() {
            return Tri::from_bool(back.iter().any(|p| up(p.state))).and(whole);
        }
        if whole == Tri::Yes && peering.state == PeeringState::Connected { Tri::Yes } else { Tri::Maybe }
    }

    /// The remote address space as this side knows it, each prefix with its certainty (PEER-04).
    pub fn remote_space(&self, peering: &Peering) -> Vec<(Prefix, Tri)> {
        let rows = |current: bool| -> Vec<Prefix> {
            let rows = self.peering_prefixes.iter().filter(|p| p.peering == peering.peering && p.current == current);
            rows.map(|p| p.prefix).collect()
        };
        let or_actual = |rows: Vec<Prefix>| if rows.is_empty() { self.space(peering.remote) } else { rows };
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

    /// The user-defined routes of the subnet's table, each with whether its destination is a tag.
    pub fn user_routes(&self, subnet: Sym) -> Vec<(Route, bool)> {
        let tables: Vec<Sym> = self.subnet_tables.iter().filter(|t| t.subnet == subnet).map(|t| t.table).collect();
        let known = |table: Sym| self.tables.iter().any(|t| t.table == table);
        self.routes
            .iter()
            .filter(|r| tables.contains(&r.table) && known(r.table))
            .map(|r| (*r, r.destination.items().iter().any(|i| matches!(i, Selector::Tag(_)))))
            .collect()
    }

    /// Whether the subnet names a route table that is not in the input (SND-03).
    pub fn table_is_missing(&self, subnet: Sym) -> bool {
        self.subnet_tables.iter().any(|s| s.subnet == subnet && !self.tables.iter().any(|t| t.table == s.table))
    }

    /// Whether gateway routes reach the subnet (RTE-04).
    pub fn gateway_routes_on(&self, subnet: Sym) -> bool {
        let tables = self.subnet_tables.iter().filter(|s| s.subnet == subnet);
        !tables.into_iter().any(|s| self.tables.iter().any(|t| t.table == s.table && !t.gateway_routes))
    }

    /// The gateways the network can use: its own, or a peer's that lets it in transit (PEER-08).
    pub fn gateways_of(&self, vnet: Sym) -> Vec<(Sym, Tri)> {
        let standing_in = |vnet: Sym| -> Vec<Sym> {
            let here = self.gateway_subnets.iter().filter(|g| self.vnet_of(g.subnet) == Some(vnet));
            here.map(|g| g.gateway).filter(|&g| self.gateways.iter().any(|row| row.gateway == g)).collect()
        };
        let own = standing_in(vnet);
        if !own.is_empty() {
            return own.into_iter().map(|g| (g, Tri::Yes)).collect();
        }
        let mut all = Vec::new();
        for peering in self.peerings.iter().filter(|p| p.vnet == vnet && p.use_remote_gateways) {
            let lets_in = self.peerings.iter().any(|p| p.vnet == peering.remote && p.remote == vnet && p.gateway_transit);
            if lets_in && self.is_connected(peering).hi() {
                all.extend(standing_in(peering.remote).into_iter().map(|g| (g, self.is_connected(peering))));
            }
        }
        all
    }

    /// What the network's gateways announce to it (GW-01 to GW-04).
    pub fn gateway_routes(&self, vnet: Sym) -> Vec<GatewayRoute> {
        let mut all = Vec::new();
        for (gateway, usable) in self.gateways_of(vnet) {
            all.extend(self.routes_of_gateway(gateway).into_iter().map(|r| GatewayRoute { sure: r.sure.and(usable), ..r }));
        }
        all
    }

    fn routes_of_gateway(&self, gateway: Sym) -> Vec<GatewayRoute> {
        let mut all = Vec::new();
        let vpn = self.gateways.iter().any(|g| g.gateway == gateway && g.kind == GatewayKind::Vpn);
        for c in self.connections.iter().filter(|c| c.gateway == gateway) {
            let unknown = |code| GatewayRoute { gateway, prefix: None, sure: Tri::Maybe, code };
            if c.kind != ConnectionKind::Ipsec || !vpn {
                all.push(unknown("W-BGP-UNKNOWN")); // GW-04
                continue;
            }
            if c.bgp {
                all.push(unknown("W-BGP-UNKNOWN"));
            }
            let code = if c.connected == Tri::Yes { "" } else { "W-CONN-STATE" };
            let prefixes = self.site_space(c.peer);
            all.extend(prefixes.into_iter().map(|p| GatewayRoute { gateway, prefix: Some(p), sure: c.connected.or(Tri::Maybe), code }));
        }
        for pool in self.client_pools.iter().filter(|p| p.gateway == gateway) {
            all.push(GatewayRoute { gateway, prefix: Some(pool.prefix), sure: Tri::Yes, code: "" });
        }
        all
    }
}
