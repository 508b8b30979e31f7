//! The ways over private endpoints to what they are connected to (R-03, PE-10).

use std::net::IpAddr;

use crate::explain::private_link;
use crate::explain::store::{Asked, extended, steps};
use crate::explain::transport::{Client, ClientKind, Transport};
use crate::explain::way::Way;
use crate::explain::world::World;
use crate::facts::private_access::PrivateEndpointConnection;
use crate::model::{Set, Span, Stage, Sym, Tri, Via};
use crate::rules::lead::{self, Lead};
use crate::rules::{consent, private_endpoint};

/// The ways to the address of a private endpoint itself, whatever name is used; `address` picks one of several (PE-29).
pub fn endpoint_ways(
    world: &World<'_>,
    transport: &dyn Transport,
    client: &Client,
    endpoint: Sym,
    address: Option<IpAddr>,
    traffic: Set,
) -> Vec<Way> {
    let rows = lead::of_endpoint(world.index, endpoint);
    let mut ways = Vec::new();
    if rows.is_empty() && !world.index.private_endpoint.has(endpoint) {
        let at = world.endpoint_addresses(endpoint);
        let at: Vec<Option<IpAddr>> = if at.is_empty() { vec![address] } else { at.into_iter().map(Some).collect() };
        return at.into_iter().flat_map(|address| transport.to_unseen_endpoint(client, endpoint, address)).collect();
    }
    if rows.is_empty() {
        let text = "what the private endpoint is connected to is not in the input";
        ways.push(Way { via: Via::PrivateEndpoint, steps: vec![steps::route(Tri::Maybe, endpoint, text)] });
    }
    for Lead { connection, certain } in rows {
        let store = world.index.store.one(connection.target);
        let behind = private_link::behind(world, connection.target, traffic, transport.session());
        let answers = match store {
            _ if behind.is_some() => Span::exactly(Set::tcp_udp()),
            Some(store) => private_endpoint::front_end_of(world.index, world.platform, store, connection.group, true),
            None => private_endpoint::unseen_target(world.platform, connection.target, connection.group),
        };
        let of: Vec<IpAddr> = match address {
            Some(address) => vec![address],
            None => private_endpoint::addresses(world.index, endpoint, connection.group),
        };
        let mut over = over_endpoint(world, transport, client, &connection, &of, answers, traffic);
        if !certain {
            over.iter_mut().for_each(|way| perhaps(world, way, &connection));
        }
        match behind {
            None => ways.extend(over),
            Some(tails) => ways.extend(over.iter().flat_map(|way| tails.iter().map(|tail| extended(way, tail)))),
        }
    }
    ways
}

/// A way over a connection of which nobody tells for which sub-resource it is, or two sides tell it differently.
fn perhaps(world: &World<'_>, way: &mut Way, connection: &PrivateEndpointConnection) {
    if let Some(behind) = way.steps.iter_mut().find(|step| step.stage == Stage::PrivateEndpoint) {
        let contested = lead::is_contested(world.index, connection);
        *behind = steps::perhaps_for(connection.endpoint, connection.group, contested, behind.span);
    }
}

/// The ways over one connection of a private endpoint to any of `addresses`, from the client's filters to consent.
fn over_endpoint(
    world: &World<'_>,
    transport: &dyn Transport,
    client: &Client,
    connection: &PrivateEndpointConnection,
    addresses: &[IpAddr],
    answers: Span,
    traffic: Set,
) -> Vec<Way> {
    let endpoint = connection.endpoint;
    let mut ways: Vec<Way> = match client.kind {
        ClientKind::Internet(_) => Vec::new(),
        ClientKind::Machine | ClientKind::Site(_) => {
            addresses.iter().flat_map(|&address| transport.to_private_endpoint(client, endpoint, address, traffic)).collect()
        }
    };
    if ways.is_empty() {
        let step = if addresses.is_empty() {
            steps::route(Tri::Maybe, endpoint, "the address of the private endpoint is not in the input")
        } else {
            steps::route(Tri::No, endpoint, "no route leads to the network of the private endpoint")
        };
        ways.push(Way { via: Via::PrivateEndpoint, steps: vec![step] });
    }
    for way in &mut ways {
        // The filter of the endpoint's subnet is met last: what answers behind the endpoint is named before it.
        let at = way.steps.iter().rposition(|s| s.stage != Stage::NsgInbound).map_or(0, |last| last + 1);
        way.steps.insert(at, steps::endpoint(endpoint, connection.group, answers));
        agreed(world, connection, way);
    }
    ways
}

/// Consent, and the end of the way.
fn agreed(world: &World<'_>, connection: &PrivateEndpointConnection, way: &mut Way) {
    way.via = Via::PrivateEndpoint;
    way.steps.push(steps::consent(connection.endpoint, &consent::of(world.index, connection)));
    way.steps.push(steps::delivered(connection.target, connection.group, Span::ALL));
}

impl Asked<'_, '_> {
    pub(super) fn over_endpoints(&self) -> Vec<Way> {
        self.over_leads(|_| true)
    }

    /// The same over those that `wanted` picks.
    pub(super) fn over_leads(&self, wanted: impl Fn(&Lead) -> bool) -> Vec<Way> {
        let over = |lead: Lead| {
            if self.is_unseen(&lead) {
                return self.over_unseen(&lead, None);
            }
            let (index, endpoint, group) = (self.world.index, lead.connection.endpoint, lead.connection.group);
            let addresses = private_endpoint::addresses(index, endpoint, group);
            let mut ways = self.over_lead(&lead, &addresses);
            if !addresses.is_empty() && private_endpoint::has_untold_address(index, endpoint, group) {
                ways.extend(self.over_lead(&lead, &[]));
            }
            ways
        };
        self.leads().into_iter().filter(wanted).flat_map(over).collect()
    }

    /// Whether only the store's side of the connection is in the input.
    pub(super) fn is_unseen(&self, lead: &Lead) -> bool {
        !self.world.index.private_endpoint.has(lead.connection.endpoint) && lead::is_unseen(self.world.index, lead.connection.endpoint)
    }

    /// The ways to an endpoint that was not exported; at `address` where a name tells it.
    pub(super) fn over_unseen(&self, lead: &Lead, address: Option<IpAddr>) -> Vec<Way> {
        let endpoint = lead.connection.endpoint;
        // Its interface may be in the input without it.
        let known = private_endpoint::addresses(self.world.index, endpoint, lead.connection.group);
        let at: Vec<Option<IpAddr>> = match address {
            _ if known.is_empty() => vec![address],
            Some(address) => known.contains(&address).then_some(Some(address)).into_iter().collect(),
            None => known.into_iter().map(Some).collect(),
        };
        let to = |address| self.transport.to_unseen_endpoint(self.client, endpoint, address);
        at.into_iter().flat_map(to).map(|way| self.behind_lead(lead, way)).collect()
    }

    /// A way that has come to the private endpoint of a connection: what answers behind it, and consent.
    pub(super) fn behind_lead(&self, lead: &Lead, mut way: Way) -> Way {
        let answers = if lead.certain { self.behind() } else { self.behind().doubted() };
        way.steps.push(steps::endpoint(lead.connection.endpoint, lead.connection.group, answers));
        if !lead.certain {
            perhaps(self.world, &mut way, &lead.connection);
        }
        agreed(self.world, &lead.connection, &mut way);
        way
    }

    /// What the part answers behind private endpoints.
    pub(super) fn behind(&self) -> Span {
        private_endpoint::front_end_of(self.world.index, self.world.platform, &self.store, self.group(), true)
    }

    pub(super) fn over_lead(&self, lead: &Lead, addresses: &[IpAddr]) -> Vec<Way> {
        let mut ways = over_endpoint(self.world, self.transport, self.client, &lead.connection, addresses, self.behind(), self.traffic);
        if !lead.certain {
            ways.iter_mut().for_each(|way| perhaps(self.world, way, &lead.connection));
        }
        ways
    }
}
