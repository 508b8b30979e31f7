//! What is not known of gateways and of the sites behind them.

use std::net::IpAddr;
use std::rc::Rc;

use crate::explain::packet::{StepExt, short, step};
use crate::explain::way::{Kind, Step};
use crate::explain::world::{World, leads_to_site, site_ids};
use crate::facts::network::{Connection, ConnectionKind, Gateway};
use crate::model::{Span, Stage, Sym, net};
use crate::rules::gateway::{ends, suits};
use crate::rules::hub;

/// More pieces than this are not looked at one by one.
const MANY: usize = 256;

impl World<'_> {
    /// The doubt about an address that nobody tells the site of: in the gateway's own network, where the summary in its place leaves it out and the site learns by
    /// BGP (GW-07), or in one that does not use the gateway (PEER-09).
    pub fn untold(&self, vnet: Sym, site: Sym, ip: IpAddr) -> Option<Step> {
        let network = self.network(vnet);
        let own = network.own.iter().any(|own| own.contains(&ip));
        let summaries = self.index.gateway_summaries.get(vnet);
        let told = summaries.is_empty() || summaries.iter().any(|row| row.prefix.contains(&ip));
        if own && !told && self.speaks_bgp(site) {
            let text = format!("the gateway of {} announces a summary that does not hold {ip}", short(vnet));
            let doubt = step(Stage::Gateway, Span::UNKNOWN, "gateway.7", text).by(vnet, "summarizedGatewayPrefixes");
            return Some(doubt.kind(Kind::Assumption).code("W-BGP-UNKNOWN"));
        }
        let spokes = network.peers.iter().filter(|peer| peer.usable.hi() && peer.prefixes.iter().any(|(prefix, _)| prefix.contains(&ip)));
        let spokes: Vec<_> = spokes.map(|peer| self.network(peer.vnet)).collect();
        let users = || spokes.iter().filter(|spoke| spoke.gateway.gateways.iter().any(|g| network.gateway.gateways.contains(g)));
        if own || spokes.is_empty() || users().any(|spoke| spoke.gateway.lent_by_one_of.is_empty()) {
            return None; // what lies behind other gateways is judged there
        }
        if let Some(spoke) = users().min_by_key(|spoke| spoke.vnet.as_str()) {
            return self.perhaps_lent(spoke.vnet);
        }
        let text = format!("{ip} is in a network that does not use the gateway of {}: nobody tells the site of it", short(vnet));
        let doubt = step(Stage::Gateway, Span::UNKNOWN, "gateway.7", text).by(vnet, "").kind(Kind::Assumption);
        Some(doubt.code("W-BGP-UNKNOWN"))
    }

    /// The doubt about what a network does with the gateways of others where several of its peerings would lend it theirs: Azure takes one of them (PEER-08).
    pub fn perhaps_lent(&self, vnet: Sym) -> Option<Step> {
        let network = self.network(vnet);
        let peerings: Vec<&str> = network.gateway.lent_by_one_of.iter().map(|peering| short(*peering)).collect();
        let (last, others) = peerings.split_last()?;
        let text = format!(
            "{} uses the gateways of several networks, by peerings {} and {last}: Azure takes one of them, and which is not known",
            short(vnet),
            others.join(", ")
        );
        let doubt = step(Stage::Gateway, Span::UNKNOWN, "gateway.14", text).by(network.gateway.lent_by_one_of[0], "useRemoteGateways");
        Some(doubt.kind(Kind::Assumption).code("W-OVERLAP"))
    }

    /// Whether this stands for a gateway or its connection that is not in the input: the gateway's own name, that of a network that lets others use its gateway
    /// (PEER-08), or of a default site (RTE-20).
    pub fn is_missing_gateway(&self, source: Sym) -> bool {
        let index = self.index;
        let named = index.connections_by_gateway.has(source) || index.connections_by_peer.has(source) || index.gateway_subnets.has(source);
        let nowhere = index.connection.one(source).is_some_and(|row| ends(row).any(|(gateway, _)| gateway.is_empty()));
        let default_site = index.gateway_default_sites.rows().any(|row| row.site == source);
        (named && !index.gateway.has(source)) || nowhere || default_site || index.peerings_by_remote.has(source)
    }

    /// Why nobody knows what routes there are: a gateway is not in the input, or what it learned is not (GW-04).
    pub fn doubt_of_routes(&self, source: Sym) -> &'static str {
        let hub = self.index.hub_connections.has(source) && !self.index.virtual_hub.has(source)
            || self.index.virtual_hub.has(source) && source == hub::unlisted(self.index);
        if hub || self.is_missing_gateway(source) { "W-MISSING" } else { "W-BGP-UNKNOWN" }
    }

    /// Whether a gateway of the connection has none such by what the input says of its kind, or does not say of which kind it is.
    pub fn is_odd(&self, row: &Connection) -> bool {
        ends(row).any(|(gateway, _)| self.index.gateway.one(gateway).is_some_and(|gateway| !suits(row.kind, gateway.kind)))
    }

    /// Why a route to a site is not certain: its connection translates or restricts what passes (GW-14), its gateway is of another kind or of an unknown one
    /// (SND-02), or it is not known to be up (GW-03).
    pub fn doubt_of_site(&self, site: Sym) -> &'static str {
        let index = self.index;
        let stands_there = |gateway: Sym| index.gateway_subnets.get(gateway).iter().any(|row| self.vnet_of(row.subnet) == site);
        let between = |row: &&Connection| row.kind == ConnectionKind::VnetToVnet && (stands_there(row.peer) || stands_there(row.gateway));
        let network = index.connection.rows().filter(|_| index.vnet.has(site)).filter(between);
        let near = index.connections_by_peer.get(site).iter().filter(|row| leads_to_site(index, row));
        let links: Vec<&Connection> = near.chain(network).collect();
        let limited = links.iter().any(|row| index.connection_limits.has(row.connection));
        let tunnels = |gateway: &Gateway| suits(ConnectionKind::VpnClient, gateway.kind);
        let clients = index.gateway_client_pools.has(site) && !index.gateway.one(site).is_some_and(tunnels);
        match () {
            () if limited => "W-VPN-NAT",
            () if links.iter().any(|row| self.is_odd(row)) || clients => "W-UNSUPPORTED",
            () => "W-CONN-STATE",
        }
    }

    /// Whether only a default route of the gateway sends a public address to the site.
    pub fn is_forced_out(&self, vnet: Sym, site: Sym, ip: IpAddr) -> bool {
        let network = self.network(vnet);
        let to_site = network.gateway.routes.iter().filter(|(prefix, target, _)| *target == site && prefix.contains(&ip));
        net::is_public(ip) && to_site.map(|(prefix, _, _)| prefix.prefix_len()).max() == Some(0)
    }

    /// Some addresses of a site that the input does not list, one for each piece in which the estate looks the same (GW-04); nothing where
    /// the site's addresses are all listed. `None` where there are too many pieces to look at.
    pub fn unlisted_addresses(&self, site: Sym) -> Option<Rc<Vec<IpAddr>>> {
        if let Some(found) = self.unlisted.borrow().get(&site) {
            return found.clone();
        }
        let found = self.find_unlisted(site).map(Rc::new);
        self.unlisted.borrow_mut().insert(site, found.clone());
        found
    }

    fn find_unlisted(&self, site: Sym) -> Option<Vec<IpAddr>> {
        if !self.has_unlisted(site) {
            return Some(Vec::new());
        }
        // What has none of its addresses in the input may have those of others.
        let sites = site_ids(self.index).into_iter().filter(|_| !self.is_blank_site(site));
        let listed: Vec<_> = sites.flat_map(|other| self.site_prefixes(other).to_vec()).collect();
        let networks: Vec<_> = self.index.vnet_prefixes.rows().map(|row| row.prefix).collect();
        let foreign = |ip: IpAddr| !listed.iter().chain(&networks).any(|prefix| prefix.contains(&ip));
        let mut found = Vec::new();
        for (first, last) in [("1.0.0.0", "223.255.255.255"), ("2000::", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")] {
            let bound = |text: &str| text.parse::<IpAddr>().expect("a literal address");
            found.extend(self.bounds().pieces(bound(first), bound(last), foreign));
            if found.len() > MANY {
                return None;
            }
        }
        Some(found)
    }
}

/// The doubt about an address that a site has or not.
pub fn unlisted_step(site: Sym) -> Step {
    let text = format!("which addresses site {} has is not in the input", short(site));
    step(Stage::Gateway, Span::UNKNOWN, "gateway.8", text).by(site, "").kind(Kind::Assumption).code("W-BGP-UNKNOWN")
}
