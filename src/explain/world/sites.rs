//! Sites on premises: which there are, their addresses, and where their packets come in.

use std::net::IpAddr;
use std::rc::Rc;

use crate::explain::packet::{StepExt, short, step};
use crate::explain::way::{Kind, Step};
use crate::facts::Index;
use crate::facts::network::{Connection, ConnectionKind, Gateway, GatewayKind};
use crate::model::{Prefix, Span, Stage, Sym, Tri, ids, net};
use crate::rules::gateway::{Link, Teller, link, teller};

use super::World;

/// The sites on premises: those a person named, then the local network gateways, circuits and gateways with clients that are not one of them; sorted by name.
pub fn site_ids(index: &Index) -> Vec<Sym> {
    let mut stated: Vec<Sym> = index.site.rows().map(|row| row.site).collect();
    Sym::sort(&mut stated);
    let named = |id: Sym| stated.iter().any(|site| site.as_str().eq_ignore_ascii_case(short(id)));
    let circuits = index.connection.rows().filter(|row| row.kind == ConnectionKind::ExpressRoute && !row.peer.is_empty());
    let known = index.local_gateway.rows().map(|row| row.site).chain(circuits.map(|row| row.peer)).chain(unread_sites(index));
    // The clients of a gateway are known by it (GW-01).
    let known = known.chain(index.gateway_client_pools.rows().map(|row| row.gateway));
    let mut found: Vec<Sym> = known.filter(|id| !named(*id)).collect();
    Sym::sort(&mut found);
    found.dedup();
    stated.into_iter().chain(found).collect()
}

/// The local network gateways of which the input holds no more than that they are there, or that a connection leads to them: their addresses are not known
/// (GW-01, SND-04). Sorted by id.
pub fn unread_sites(index: &Index) -> Vec<Sym> {
    let bodiless = index.resources_by_kind.get(Sym::new(LOCAL_GATEWAY)).iter().map(|row| row.id);
    let peers = index.connection.rows().filter(|row| is_unread_peer(index, row)).map(|row| row.peer);
    let mut found: Vec<Sym> = bodiless.filter(|id| !index.local_gateway.has(*id)).chain(peers).collect();
    Sym::sort(&mut found);
    found.dedup();
    found
}

/// Whether the other end of a connection is a local network gateway of which the input has no addresses.
fn is_unread_peer(index: &Index, row: &Connection) -> bool {
    let peer = row.peer;
    row.kind == ConnectionKind::Ipsec
        && !peer.is_empty()
        && !index.local_gateway.has(peer)
        && !index.gateway.has(peer)
        && !index.site.has(peer)
}

/// Whether a connection leads to a site: one between gateways leads to a network. The id of the gateway at its other end names the clients there too, and they
/// do not come in by it (GW-01, GW-10).
pub fn leads_to_site(index: &Index, row: &Connection) -> bool {
    row.kind != ConnectionKind::VnetToVnet && !index.gateway.has(row.peer)
}

const LOCAL_GATEWAY: &str = "microsoft.network/localnetworkgateways";

/// What a gateway learned by BGP.
pub(super) struct Learned {
    /// Addresses, each with the site that surely told of it.
    announced: Vec<(Sym, Prefix)>,
    /// Whether of every route it is settled who told it.
    settled: bool,
}

/// Where packets from on premises come into a network.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// The gateway's subnet, whose routes they take.
    pub subnet: Sym,
    /// The connection they come by.
    pub step: Step,
}

impl<'a> World<'a> {
    /// The addresses at a site on premises: what its local network gateway lists, what gateways learned from it, what a gateway gives its clients and what a
    /// person stated (GW-01), sorted.
    pub fn site_prefixes(&self, site: Sym) -> Rc<[Prefix]> {
        if let Some(known) = self.site_prefixes.borrow().get(&site) {
            return known.clone();
        }
        let listed = self.index.local_gateway_prefixes.get(site).iter().map(|row| row.prefix);
        let mut prefixes: Vec<Prefix> = listed.chain(self.index.site_prefixes.get(site).iter().map(|row| row.prefix)).collect();
        let clients = self.index.gateway_client_pools.rows().filter(|row| self.is_gateway_of(row.gateway, site));
        prefixes.extend(clients.map(|row| row.prefix));
        for row in self.index.learned_routes.rows() {
            let learned = self.learned_at(row.gateway);
            let told = learned.announced.iter().filter(|(peer, _)| self.is_gateway_of(*peer, site));
            prefixes.extend(told.map(|(_, prefix)| *prefix));
        }
        prefixes.sort_unstable();
        prefixes.dedup();
        let prefixes: Rc<[Prefix]> = prefixes.into();
        self.site_prefixes.borrow_mut().insert(site, prefixes.clone());
        prefixes
    }

    /// Whether the site is that of a local network gateway, of a circuit or of a gateway's clients.
    fn is_gateway_of(&self, id: Sym, site: Sym) -> bool {
        id == site || self.is_called(id, site)
    }

    /// Whether all that a gateway learned is told, with who told it.
    fn has_told_all(&self, gateway: Sym) -> bool {
        self.index.learned_routes.has(gateway) && self.learned_at(gateway).settled
    }

    /// Who told a gateway what it learned (GW-04).
    fn learned_at(&self, gateway: Sym) -> Rc<Learned> {
        if let Some(known) = self.learned.borrow().get(&gateway) {
            return known.clone();
        }
        let found = Rc::new(self.find_learned(gateway));
        self.learned.borrow_mut().insert(gateway, found.clone());
        found
    }

    fn find_learned(&self, gateway: Sym) -> Learned {
        let index = self.index;
        let mut out = Learned { announced: Vec::new(), settled: true };
        let Some(row) = index.gateway.one(gateway) else { return out };
        let links: Vec<Link<'_>> = index.connections_by_gateway.get(gateway).iter().map(|row| link(index, row)).collect();
        let all = index.learned_route.get(gateway);
        for route in all {
            match teller(route, all, row, &links) {
                Teller::Surely(link) => {
                    // That all the rest lies at a site says nothing of where it is.
                    let listed = leads_to_site(index, link.connection) && route.prefix.prefix_len() > 0;
                    out.announced.extend(listed.then_some((link.connection.peer, route.prefix)));
                }
                Teller::Repeats => {}
                Teller::Perhaps(_) | Teller::Nobody => out.settled = false,
            }
        }
        out
    }

    /// Whether the site may have addresses besides those that are listed: what a connection of it learns is not told, or who told it.
    pub fn has_unlisted(&self, site: Sym) -> bool {
        if let Some(known) = self.with_unlisted.borrow().get(&site) {
            return *known;
        }
        let more = |row: &Connection| is_unread_peer(self.index, row) || self.learns(row) && !self.has_told_all(row.gateway);
        let found = self.is_blank_site(site) || self.links_to(site).any(more);
        self.with_unlisted.borrow_mut().insert(site, found);
        found
    }

    /// Whether connections lead to the site and the input has no address of it: it may have any, also one that another site lists (GW-01, SND-04).
    pub fn is_blank_site(&self, site: Sym) -> bool {
        self.site_prefixes(site).is_empty() && self.links_to(site).next().is_some()
    }

    /// Whether a connection of the site learns routes by BGP, or the addresses at its other end are not in the input.
    pub fn speaks_bgp(&self, site: Sym) -> bool {
        self.links_to(site).any(|row| is_unread_peer(self.index, row) || self.learns(row))
    }

    fn links_to(&self, site: Sym) -> impl Iterator<Item = &'a Connection> {
        self.index.connection.rows().filter(move |row| leads_to_site(self.index, row) && self.same_site(row.peer, site))
    }

    /// Whether routes may be learned over the connection; one of a gateway that is not in the input may speak BGP.
    fn learns(&self, row: &Connection) -> bool {
        let lost = Gateway { gateway: row.gateway, kind: GatewayKind::Unknown, bgp: true };
        link(self.index, row).learns(self.index.gateway.one(row.gateway).unwrap_or(&lost))
    }

    /// Where the packets of a site come in: the subnets of the gateways that are connected to it, or to a local network gateway with addresses of the site, and of
    /// the gateway whose clients it is.
    ///
    /// ```datalog
    /// enters(S, N) :- connection(_, "ipsec", G, S, "yes", _), gateway(G, "vpn", _), gateway_subnet(G, N).   // gateway.4
    /// enters(G, N) :- gateway_client_pool(G, _), gateway(G, "vpn", _), gateway_subnet(G, N).               // gateway.13
    /// ```
    pub fn entrances(&self, site: Sym) -> Vec<Entrance> {
        let index = self.index;
        let (wanted, blank) = (self.site_prefixes(site), self.is_blank_site(site));
        let mut out: Vec<Entrance> = Vec::new();
        for connection in index.connection.rows() {
            let same = leads_to_site(index, connection) && self.is_named(connection.peer, site);
            let overlapping = !same
                && index.local_gateway.has(connection.peer)
                && (blank
                    || index.site.has(site)
                        && index
                            .local_gateway_prefixes
                            .get(connection.peer)
                            .iter()
                            .any(|row| wanted.iter().any(|w| net::overlap(w, &row.prefix))));
            // Behind a local network gateway that is not in the input any site may be that a person stated, and behind a connection that does not
            // tell its other end any at all.
            let endless = connection.peer.is_empty() && connection.kind != ConnectionKind::VpnClient;
            let unread = !same
                && (endless
                    || connection.kind == ConnectionKind::Ipsec
                        && index.site.has(site)
                        && !index.local_gateway.has(connection.peer)
                        && !index.site.has(connection.peer));
            if !same && !overlapping && !unread {
                continue;
            }
            let mut subnets: Vec<Sym> = index.gateway_subnets.get(connection.gateway).iter().map(|row| row.subnet).collect();
            // Where packets of a gateway go that is not in the input, and of one whose circuit may pass it by (GW-08), nobody knows.
            let fits = match index.gateway.one(connection.gateway).map(|gateway| gateway.kind) {
                Some(GatewayKind::Vpn) => connection.kind == ConnectionKind::Ipsec,
                Some(GatewayKind::ExpressRoute) => connection.kind == ConnectionKind::ExpressRoute && connection.connected.lo(),
                Some(GatewayKind::Unknown) | None => false,
            };
            if subnets.is_empty() || !fits {
                subnets = vec![Sym::EMPTY];
            }
            for subnet in subnets {
                let via = short(connection.connection);
                let (at, text) = match connection.gateway {
                    Sym::EMPTY => (connection.connection, format!("which gateway connection {via} brings it to is not in the input")),
                    gateway => (gateway, format!("connection {via} brings it to gateway {}", short(gateway))),
                };
                // One whose addresses are not in the input is perhaps where another is.
                let vague = overlapping && blank;
                let sure = connection.connected.lo() && fits && !unread && !vague;
                let span = if sure { Span::ALL } else { Span::UNKNOWN };
                let mut by = step(Stage::Gateway, span, "gateway.4", text).by(at, via);
                by = by.at_fact(connection.connection).kind(Kind::Fact);
                if !sure {
                    let code = match () {
                        () if unread => "W-MISSING",
                        () if vague => "W-OVERLAP",
                        () => self.doubt_of_site(connection.peer),
                    };
                    by = by.kind(Kind::Assumption).code(code);
                }
                out.push(Entrance { subnet, step: by });
            }
        }
        // Clients come to the gateway by themselves.
        let pools = index.gateway_client_pools.rows().map(|row| row.gateway);
        for gateway in pools.filter(|gateway| self.is_gateway_of(*gateway, site)) {
            let fits = index.gateway.one(gateway).is_some_and(|row| row.kind == GatewayKind::Vpn);
            let mut subnets: Vec<Sym> = index.gateway_subnets.get(gateway).iter().map(|row| row.subnet).collect();
            if subnets.is_empty() || !fits {
                subnets = vec![Sym::EMPTY];
            }
            let text = format!("clients connect to gateway {}", short(gateway));
            let by =
                step(Stage::Gateway, if fits { Span::ALL } else { Span::UNKNOWN }, "gateway.13", text).by(gateway, "").at_fact(gateway);
            let by = if fits { by.kind(Kind::Fact) } else { by.kind(Kind::Assumption).code("W-UNSUPPORTED") };
            out.extend(subnets.into_iter().map(|subnet| Entrance { subnet, step: by.clone() }));
        }
        out.sort_by(|a, b| (a.subnet.as_str(), &a.step.text).cmp(&(b.subnet.as_str(), &b.step.text)));
        out.dedup_by(|a, b| a.subnet == b.subnet);
        out
    }

    /// The VPN site of a virtual WAN that the site is, where it is one.
    pub fn hub_site(&self, site: Sym) -> Option<Sym> {
        let kind = |id: Sym| ids::id_type(id.as_str()).is_some_and(|kind| kind == "microsoft.network/vpnsites");
        let mut branches: Vec<Sym> = self.index.local_gateway.rows().map(|row| row.site).filter(|id| kind(*id)).collect();
        branches.retain(|id| self.same_site(*id, site));
        branches.into_iter().min_by_key(|id| id.as_str())
    }

    /// Whether two names may be of one site: the id of a local network gateway, or the name a person gave the site, or sites with addresses in common.
    pub fn same_site(&self, a: Sym, b: Sym) -> bool {
        self.is_named(a, b) || {
            let (ours, theirs) = (self.site_prefixes(a), self.site_prefixes(b));
            ours.iter().any(|p| theirs.iter().any(|q| net::overlap(p, q)))
        }
    }

    /// Whether a person named the site after the local network gateway or circuit.
    pub fn is_called(&self, id: Sym, site: Sym) -> bool {
        self.index.site.has(site) && short(id).eq_ignore_ascii_case(site.as_str())
    }

    /// Whether what is delivered on premises for `ip` at one site is at the other: they are one by name or by what a person stated of the addresses, and where
    /// both only list addresses in common nobody knows (GW-01, GW-09).
    pub fn is_at_site(&self, site: Sym, delivered: Sym, ip: IpAddr) -> Tri {
        let stated = || self.index.site_prefixes.get(site).iter().any(|row| row.prefix.contains(&ip));
        match self.is_named(site, delivered) || stated() {
            true => Tri::Yes,
            false if self.same_site(site, delivered) || self.is_blank_site(site) => Tri::Maybe,
            false => Tri::No,
        }
    }

    /// Whether two names are surely of one site, whatever their addresses.
    pub fn is_named(&self, a: Sym, b: Sym) -> bool {
        a == b || self.is_called(a, b) || self.is_called(b, a)
    }

    /// Whether the site is surely the other or a part of it: they are one by name, or all its addresses lie where a person stated the other.
    pub fn is_within(&self, site: Sym, whole: Sym) -> bool {
        let ours = self.site_prefixes(site);
        let stated = self.index.site_prefixes.get(whole);
        let holds = |part: &Prefix| stated.iter().any(|row| row.prefix.contains(part));
        self.is_named(site, whole) || !ours.is_empty() && ours.iter().all(holds) && !self.has_unlisted(site)
    }

    /// The public addresses that the packets of a site leave with: those a person stated of it or of a site with all its addresses, and those of its circuits'
    /// Microsoft peerings (R-05, GW-15), sorted. None where it has others that nobody tells.
    pub fn site_sources(&self, site: Sym) -> Vec<Prefix> {
        let index = self.index;
        let named = index.site_nats.rows().any(|row| self.is_named(row.site, site));
        let stated =
            index.site_nats.rows().filter(|row| if named { self.is_named(row.site, site) } else { self.is_within(site, row.site) });
        let mut sources: Vec<Prefix> = stated.map(|row| net::host(row.address)).collect();
        let circuits = || index.circuit_public_prefixes.rows().filter(|row| self.same_site(row.circuit, site));
        if !sources.is_empty() || circuits().any(|row| self.is_named(row.circuit, site)) {
            sources.extend(circuits().map(|row| row.prefix));
        }
        sources.sort_unstable();
        sources.dedup();
        sources
    }
}
