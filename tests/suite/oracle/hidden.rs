//! Private endpoints of which only one side was exported, and connections that do not say what they are for (PE-02, PE-08, PE-11, PE-37, M-03).

use std::collections::BTreeSet;
use std::net::IpAddr;

use watertight::facts::private_access::{Consent, PrivateEndpointConnection};
use watertight::model::ids::id_parts;
use watertight::model::{Prefix, Stage, Sym, Tri, Via};

use super::Ask;
use super::address::number;
use super::endpoint::group_of;
use super::ends::Start;
use super::packet::{Addr, Outcome, check};
use super::route::Hop;
use super::walk::Wanted;
use super::world::{World, name_of};

impl World<'_> {
    /// Gives connections without a sub-resource the one that another view names; where none does, each that the store has.
    pub fn tell_groups(&mut self) {
        let mut told: Vec<PrivateEndpointConnection> = Vec::new();
        for link in self.links.clone() {
            let entries = self.provider_links.iter().filter(|p| p.target == link.target && p.endpoint == link.endpoint);
            let entries: Vec<Sym> = entries.map(|p| p.connection).collect();
            let theirs = self.provider_groups.iter().filter(|g| entries.contains(&g.connection)).map(|g| g.group);
            let theirs: BTreeSet<Sym> = theirs.collect();
            let has_parts = self.stores.iter().any(|s| s.store == link.target) || link.target.as_str().contains('/');
            let has_parts =
                has_parts && !link.target.as_str().contains("/privatelinkservices/") && self.service_named(link.target).is_none();
            if has_parts && !link.group.is_empty() && !theirs.is_empty() && !theirs.contains(&link.group) {
                // The owner calls it a link to something else: one of the two is wrong.
                for group in theirs.into_iter().chain([link.group]) {
                    told.push(PrivateEndpointConnection { group, ..link });
                    self.vague.insert((link.connection, group));
                }
                continue;
            }
            let parts: Vec<Sym> = self.parts.iter().filter(|p| p.store == link.target).map(|p| group_of(wanted(p))).collect();
            if !link.group.is_empty() || parts.is_empty() {
                told.push(link);
                continue;
            }
            let nics: Vec<Sym> = self.endpoint_nics.iter().filter(|n| n.endpoint == link.endpoint).map(|n| n.nic).collect();
            let configs: Vec<Sym> = self.configs.iter().filter(|c| nics.contains(&c.nic)).map(|c| c.ip_config).collect();
            let rows = self.provider_links.iter().filter(|p| p.target == link.target && p.endpoint == link.endpoint);
            let rows: Vec<Sym> = rows.map(|p| p.connection).collect();
            let mut named: Vec<Sym> = self.config_links.iter().filter(|l| configs.contains(&l.ip_config)).map(|l| l.group).collect();
            named.extend(self.endpoint_addresses.iter().filter(|a| a.endpoint == link.endpoint).map(|a| a.group));
            named.extend(self.provider_groups.iter().filter(|g| rows.contains(&g.connection)).map(|g| g.group));
            named.retain(|group| !group.is_empty());
            named.sort();
            named.dedup();
            let only = !self.links.iter().any(|l| l.endpoint == link.endpoint && l.connection != link.connection);
            let sure = named.len() == 1 && only;
            for group in if named.is_empty() { parts } else { named } {
                told.push(PrivateEndpointConnection { group, ..link });
                if !sure {
                    self.vague.insert((link.connection, group));
                }
            }
        }
        self.links = told;
    }

    /// Endpoints that only the store's own list knows, which may be for the part.
    pub fn hidden_endpoints(&self, wanted: Wanted) -> Vec<PrivateEndpointConnection> {
        let listed =
            self.provider_links.iter().filter(|p| p.target == wanted.store && !self.links.iter().any(|l| l.endpoint == p.endpoint));
        let group = group_of(wanted);
        let named = |connection: Sym| self.provider_groups.iter().filter(move |g| g.connection == connection).map(|g| g.group);
        let fitting = listed.filter(|p| named(p.connection).count() == 0 || named(p.connection).any(|g| g == group));
        let as_link = |p: &watertight::facts::private_access::ProviderConnection| PrivateEndpointConnection {
            connection: p.connection,
            endpoint: p.endpoint,
            target: p.target,
            group,
            manual: false,
            state: p.state,
            settled: p.settled,
        };
        fitting.map(as_link).collect()
    }

    /// The ways over them; `at` is the address that a name resolved to.
    pub fn by_hidden_endpoints(&self, start: Start, wanted: Wanted, at: Option<IpAddr>, ask: &Ask) -> Vec<Outcome> {
        let mut ways = Vec::new();
        for link in self.hidden_endpoints(wanted) {
            let refused = matches!(link.state, Consent::Pending | Consent::Rejected | Consent::Disconnected) && link.settled;
            let nics: Vec<Sym> = self.endpoint_nics.iter().filter(|n| n.endpoint == link.endpoint).map(|n| n.nic).collect();
            let configs = self.configs.iter().filter(|c| nics.contains(&c.nic));
            let known: Vec<IpAddr> = configs.flat_map(|c| self.addresses_of(c.ip_config)).collect();
            let elsewhere = at.is_some_and(|ip| !known.is_empty() && !known.contains(&ip));
            let near = !refused && !elsewhere && self.may_get_to(start, link.endpoint, at);
            let packet = self.packet(start, at.map_or(Addr::SomePublic, Addr::Known), None, ask);
            let beyond = || match self.answers_behind(&link, &packet) {
                Tri::No => Outcome::denied(Stage::PrivateEndpoint, name_of(link.endpoint)),
                _ => Outcome::unproven(Stage::Route, name_of(link.endpoint), "W-MISSING"),
            };
            let way = check(Tri::from_bool(near), Stage::Route, "no-endpoint", "", || match (start, at) {
                (Start::Inside { place, .. }, Some(_)) => self.filter_out(place, &packet, beyond),
                _ => beyond(),
            });
            ways.push(Outcome { via: Some(Via::PrivateEndpoint), ..way });
        }
        ways
    }

    /// Whether a packet may get to wherever the endpoint stands: it has the subscription of its network (PE-08).
    fn may_get_to(&self, start: Start, endpoint: Sym, at: Option<IpAddr>) -> bool {
        let fits =
            |vnet: Sym| same_subscription(endpoint, vnet) || self.peerings.iter().any(|p| p.remote == vnet && super::links::is_nameless(p));
        let subnets: Vec<Sym> = match start {
            Start::Internet { .. } => return false,
            Start::Inside { place, .. } => vec![place.subnet],
            Start::Site { .. } => self.gateway_subnets.iter().map(|g| g.subnet).collect(),
        };
        subnets.into_iter().any(|subnet| {
            let Some(vnet) = self.vnet_of(subnet) else { return true };
            let mut near = vec![(vnet, self.space(vnet))];
            for peering in self.peerings.iter().filter(|p| p.vnet == vnet && self.is_connected(p).hi()) {
                near.push((peering.remote, self.remote_space(peering).into_iter().map(|(prefix, _)| prefix).collect()));
            }
            let stands = |(vnet, space): &(Sym, Vec<Prefix>)| {
                let free = |ip: IpAddr| {
                    let taken = self.config_addresses.iter().filter(|a| a.address == ip).any(|a| {
                        self.configs
                            .iter()
                            .any(|c| c.ip_config == a.ip_config && self.vnet_of(c.subnet) == Some(*vnet) && self.is_known(c.nic))
                    });
                    !taken && self.endpoints_at(*vnet, ip).is_none() && self.frontend_at(*vnet, ip).is_none()
                };
                fits(*vnet) && at.is_none_or(|ip| (space.is_empty() || space.iter().any(|p| p.contains(&ip))) && free(ip))
            };
            near.iter().any(stands) || self.anywhere_private(at).into_iter().any(|ip| self.goes_on(subnet, ip))
        })
    }

    /// Whether an endpoint that some owner knows, and nobody else, may stand in the network.
    pub fn a_hidden_endpoint_fits(&self, vnet: Sym) -> bool {
        let open = |p: &&watertight::facts::private_access::ProviderConnection| {
            !p.settled || matches!(p.state, Consent::Approved | Consent::Unknown | Consent::Requested)
        };
        let unseen =
            |endpoint: Sym| !self.links.iter().any(|l| l.endpoint == endpoint) && !self.endpoints.iter().any(|e| e.endpoint == endpoint);
        self.provider_links.iter().filter(open).any(|p| unseen(p.endpoint) && same_subscription(p.endpoint, vnet))
    }

    /// An interface of a machine: whoever has the address is no private endpoint.
    fn is_known(&self, nic: Sym) -> bool {
        self.is_attached(nic)
    }

    fn anywhere_private(&self, at: Option<IpAddr>) -> Vec<IpAddr> {
        let ranges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map(|text| text.parse::<Prefix>().expect("literal"));
        let mut all = at.map_or_else(|| self.representatives_of(&ranges), |ip| vec![ip]);
        all.sort_by_key(|ip| number(*ip));
        all
    }

    /// Whether some route leads on to where nobody can tell who stands.
    fn goes_on(&self, subnet: Sym, ip: IpAddr) -> bool {
        let onward = |hop: Hop| matches!(hop, Hop::Appliance(_) | Hop::Gateway(_) | Hop::GatewayByRule | Hop::Unknown);
        self.candidates(subnet, Addr::Known(ip)).iter().any(|candidate| onward(candidate.hop))
    }
}

fn same_subscription(a: Sym, b: Sym) -> bool {
    let both = [a, b].map(|id| id_parts(id.as_str()).subscription.to_owned());
    both[0] == both[1] || both.iter().any(String::is_empty)
}

fn wanted(part: &watertight::facts::store_facts::StorePart) -> Wanted {
    Wanted { store: part.store, part: part.part, instance: part.instance }
}
