//! The ways to a store: over its private endpoints and over its public front end (R-01 … R-07, in the order of M-10).
//!
//! Every way is complete: each step says by itself what it lets through, so that all that refuses can be listed.

mod endpoint;
mod firewall;
pub mod perimeter;
pub mod steps;

use std::net::IpAddr;
use std::rc::Rc;

pub use endpoint::endpoint_ways;
pub use firewall::anybody;

use crate::explain::packet::short;
use crate::explain::transport::{Arrival, Client, ClientKind, ServiceClass, Transport};
use crate::explain::way::{Kind, Mode, Step, Way};
use crate::explain::world::World;
use crate::facts::store_facts::{Instance, Service, Store, StorePart};
use crate::model::ids::id_type;
use crate::model::{Set, Span, Stage, Sym, Tri, Via};
use crate::rules::dns::{self, Ambiguity, Answer, Resolution, View, names};
use crate::rules::lead::{self, Lead};
use crate::rules::paas_firewall::{Origin, Source};
use crate::rules::perimeter::Callee;
use crate::rules::{consent, endpoint_policy, private_endpoint, service_endpoint};

/// One endpoint of a store (M-07).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The store.
    pub store: Sym,
    /// Its sub-resource.
    pub part: Sym,
    /// Which of its two front ends.
    pub instance: Instance,
}

/// Whose name resolution a client has (DNS-01 … DNS-03, DNS-26).
pub fn view(client: &Client) -> View {
    match client.kind {
        ClientKind::Machine => View::Vnet { vnet: client.vnet, nic: client.nic },
        ClientKind::Internet(_) => View::Internet,
        ClientKind::Site(site) => View::Site(site),
    }
}

/// The ways from `client` to `target`: those that the client's name resolution leads to, or in adversarial mode all (M-05).
pub fn ways(world: &World<'_>, transport: &dyn Transport, client: &Client, target: &Target, mode: Mode, traffic: Set) -> Vec<Way> {
    match (asked(world, transport, client, target, traffic), mode) {
        (Err(nowhere), _) => vec![Way { via: Via::Public, steps: vec![nowhere] }],
        (Ok(asked), Mode::Configured) => asked.configured(),
        (Ok(asked), Mode::Adversarial) => asked.adversarial(),
    }
}

/// The ways to the public front end alone, whatever the store's own name leads to.
pub fn public_ways(world: &World<'_>, transport: &dyn Transport, client: &Client, target: &Target, traffic: Set) -> Vec<Way> {
    match asked(world, transport, client, target, traffic) {
        Err(nowhere) => vec![Way { via: Via::Public, steps: vec![nowhere] }],
        Ok(asked) => asked.over_public(),
    }
}

/// The ways over private endpoints of which only the store's side tells that they are connected to it.
pub fn unlisted_ways(world: &World<'_>, transport: &dyn Transport, client: &Client, target: &Target, traffic: Set) -> Vec<Way> {
    let asked = asked(world, transport, client, target, traffic);
    asked.map_or_else(|_| Vec::new(), |asked| asked.over_leads(|lead| lead::is_unseen(world.index, lead.connection.endpoint)))
}

/// What [`ways`] let through together in adversarial mode, for those who ask of many pairs: `arriving` remembers how packets get to public front ends, with
/// the source they show there. As soon as some of `traffic` surely gets through, the rest is not looked at.
pub fn carried(
    world: &World<'_>,
    transport: &dyn Transport,
    client: &Client,
    target: &Target,
    traffic: Set,
    arriving: &dyn Fn(&ServiceClass, Tri) -> Arriving,
) -> Span {
    let asked = match asked(world, transport, client, target, traffic) {
        Ok(asked) => asked,
        Err(nowhere) => return nowhere.span,
    };
    let (class, covered) = asked.public_class();
    let mut total = Span::NONE;
    for (span, source) in arriving(&class, covered).iter().filter(|(span, _)| span.may.meets(traffic)) {
        let behind = asked.at_front_end(Way { via: Via::Public, steps: Vec::new() }, source);
        total = total.or(span.and(behind.span()));
        if total.sure.meets(traffic) {
            return total;
        }
    }
    let ways = asked.over_endpoints();
    ways.iter().fold(total, |total, way| total.or(way.span()))
}

/// What gets to the public front ends of a class, way by way, and the source it shows there.
pub type Arriving = Rc<[(Span, Arrival)]>;

fn asked<'a, 'f>(
    world: &'a World<'f>,
    transport: &'a dyn Transport,
    client: &'a Client,
    target: &Target,
    traffic: Set,
) -> Result<Asked<'a, 'f>, Step> {
    let Some(&store) = world.index.store.one(target.store) else { return Err(steps::unseen(target.store, target.part)) };
    let parts = world.index.store_parts.get(target.store);
    let Some(&part) = parts.iter().find(|p| p.part == target.part && p.instance == target.instance) else {
        let answers = if parts.is_empty() { Span::UNKNOWN } else { Span::NONE };
        let mut none = steps::delivered(target.store, target.part, answers);
        none.text = format!("the store has no endpoint `{}`", private_endpoint::group(target.part, target.instance));
        return Err(none);
    };
    let part = StorePart { location: private_endpoint::region(world.index, &part), ..part };
    Ok(Asked { world, transport, client, store, part, traffic })
}

/// A way that goes on behind the private endpoint: the steps of the service before the delivery.
fn extended(way: &Way, tail: &[Step]) -> Way {
    let mut way = way.clone();
    let at = way.steps.iter().rposition(|step| step.stage == Stage::Delivered).unwrap_or(way.steps.len());
    way.steps.splice(at..at, tail.iter().cloned());
    way
}

/// The ways of a resource that calls the store in its own name: what limits its own calls, and the store's firewall.
pub fn caller_ways(world: &World<'_>, resource: Sym, target: &Target) -> Vec<Way> {
    let row = world.index.resource.one(resource);
    let kind = row.map_or_else(|| Sym::new(&id_type(resource.as_str()).unwrap_or_default()), |row| row.kind);
    let source = Source::Caller { resource, kind, tenant: row.map_or(Sym::EMPTY, |r| r.tenant) };
    let Some(&store) = world.index.store.one(target.store) else { return Vec::new() };
    let group = private_endpoint::group(target.part, target.instance);
    let answers = private_endpoint::front_end_of(world.index, world.platform, &store, group, false);
    let parts = world.index.store_parts.get(target.store);
    let part = parts.iter().find(|part| part.part == target.part && part.instance == target.instance);
    let host = part.and_then(|part| names::host(world.index, world.platform, part));
    let mut steps = perimeter::leaving(world, resource, Callee::Resource(target.store, host.as_deref()));
    steps.extend(perimeter::https_only(world, &store));
    steps.push(firewall::firewall_step(world, &store, target.part, &source, resource));
    steps.push(steps::delivered(target.store, target.part, answers));
    vec![Way { via: Via::Public, steps }]
}

/// The ways of somebody who stands nobody knows where: over private endpoints of which only the store's side is in the input, `everywhere` over all of its
/// private endpoints and its public front end (PE-37, R-06).
pub fn ways_from_anywhere(
    world: &World<'_>,
    transport: &dyn Transport,
    client: &Client,
    target: &Target,
    traffic: Set,
    everywhere: bool,
) -> Vec<Way> {
    let asked = match asked(world, transport, client, target, traffic) {
        Ok(asked) => asked,
        Err(nowhere) => return vec![Way { via: Via::Public, steps: vec![nowhere] }],
    };
    let leads = asked.leads().into_iter().filter(|lead| everywhere || asked.is_unseen(lead));
    let mut ways: Vec<Way> = leads.map(|lead| asked.behind_lead(&lead, Way { via: Via::PrivateEndpoint, steps: Vec::new() })).collect();
    if everywhere {
        ways.insert(0, asked.at_front_end(Way { via: Via::Public, steps: Vec::new() }, &Arrival::Unknown));
    }
    if consent::may_have_others(world.index, target.store) {
        let text = "whether a private endpoint is connected to the store is not in the input";
        let perhaps = steps::route(Tri::Maybe, target.store, text);
        let answers = steps::endpoint(Sym::EMPTY, asked.group(), asked.behind());
        ways.push(Way { via: Via::PrivateEndpoint, steps: vec![perhaps, answers, asked.end_step()] });
    }
    ways
}

struct Asked<'a, 'f> {
    world: &'a World<'f>,
    transport: &'a dyn Transport,
    client: &'a Client,
    store: Store,
    part: StorePart,
    traffic: Set,
}

impl Asked<'_, '_> {
    fn group(&self) -> Sym {
        private_endpoint::group(self.part.part, self.part.instance)
    }

    fn leads(&self) -> Vec<Lead> {
        lead::leads(self.world.index, self.store.store, self.group())
    }

    /// every private endpoint for this part, and the public front end.
    fn adversarial(&self) -> Vec<Way> {
        let mut ways = self.over_public();
        if !matches!(self.client.kind, ClientKind::Internet(_)) {
            ways.extend(self.over_endpoints());
        }
        ways
    }

    /// The front ends that the store's is one of, and whether a service endpoint of the client's subnet covers them.
    fn public_class(&self) -> (ServiceClass, Tri) {
        let class = ServiceClass { service: self.store.service, tag: self.store.service.tag(), region: self.part.location };
        let coverage =
            service_endpoint::of(self.world.index, self.world.platform, self.client.subnet, self.store.service, self.part.location);
        (class, coverage.covered)
    }

    /// the name decides.
    fn configured(&self) -> Vec<Way> {
        let name = names::host(self.world.index, self.world.platform, &self.part);
        let reach = |server: IpAddr| self.transport.dns_server(self.client, server);
        let resolution = match &name {
            Some(name) => dns::resolve(self.world.index, self.world.platform, &reach, &view(self.client), name),
            None => Resolution::unknown("its host name is not in the input"),
        };
        let asked = name.map_or_else(|| format!("the name of {}", short(self.store.store)), |name| format!("`{name}`"));
        let begin = |ways: Vec<Way>, passes: Tri, more: &str| -> Vec<Way> {
            let first = steps::dns(&resolution, &asked, passes, more);
            ways.into_iter().map(|way| with_first(way, first.clone())).collect()
        };
        match resolution.answer {
            // Two zones of one name contradict each other: nobody knows which one is in force (DNS-12).
            _ if resolution.ambiguity == Ambiguity::Zones => begin(self.adversarial(), Tri::Maybe, ""),
            Answer::Public => {
                let (passes, more) = match resolution.part {
                    Some(part) if part.host == self.part.host => (Tri::Yes, ""),
                    Some(_) => (Tri::No, "; that is another store's, which refuses the name"),
                    None => (Tri::Maybe, "; what stands at that address is not known"),
                };
                begin(self.over_public(), passes, more)
            }
            Answer::Addresses => {
                let each: Vec<Vec<Way>> = resolution
                    .addresses
                    .iter()
                    .map(|&address| {
                        let (ways, passes, more) = self.over_address(address);
                        begin(ways, passes, more)
                    })
                    .collect();
                one_of_several(each)
            }
            Answer::NxDomain | Answer::NoData | Answer::ServFail => begin(self.adversarial(), Tri::No, ""),
            Answer::Unknown => begin(self.adversarial(), Tri::Maybe, ""),
        }
    }

    /// Where one address of the answer leads (DNS-28): the ways, whether the name leads onto them, and what to say of it.
    fn over_address(&self, address: IpAddr) -> (Vec<Way>, Tri, &'static str) {
        let index = self.world.index;
        let mut ways = Vec::new();
        let (mut without_address, mut unseen) = (Vec::new(), Vec::new());
        for lead in self.leads() {
            if self.is_unseen(&lead) {
                unseen.extend(self.over_unseen(&lead, Some(address)));
                continue;
            }
            let addresses = private_endpoint::addresses(index, lead.connection.endpoint, lead.connection.group);
            if addresses.contains(&address) {
                ways.extend(self.over_lead(&lead, &[address]));
            } else if private_endpoint::has_untold_address(index, lead.connection.endpoint, lead.connection.group) {
                // It may have this one: whether the packet finds it nobody knows.
                without_address.extend(self.over_lead(&lead, &[]));
            }
        }
        ways.extend(unseen);
        if !ways.is_empty() {
            return (ways, Tri::Yes, "");
        }
        if !without_address.is_empty() {
            return (without_address, Tri::Maybe, "; whether that is the address of the store's private endpoint is not in the input");
        }
        let machine = index.ip_configs_by_address.get(address).iter().any(|a| {
            let nic = index.ip_config.one(a.ip_config).map_or(Sym::EMPTY, |c| c.nic);
            !index.private_endpoints_by_nic.has(nic)
        });
        if machine || index.devices_by_address.has(address) || index.load_balancer_frontends_by_address.has(Some(address)) {
            return (vec![self.end()], Tri::Maybe, "; what the machine at this address does with the request is not known");
        }
        if let Some(&other) = private_endpoint::owners(index, address).first() {
            if !index.private_endpoint_connections.has(other) {
                return (vec![self.end()], Tri::Maybe, "; what the private endpoint at this address is connected to is not in the input");
            }
            let group = index.private_endpoint_connections.get(other).iter().map(|c| c.group).min_by_key(|g| g.as_str());
            let mut step = steps::endpoint(other, group.unwrap_or(Sym::EMPTY), Span::NONE);
            step.text =
                "the private endpoint at this address belongs to another resource or sub-resource, which refuses the name".to_owned();
            return (vec![Way { via: Via::PrivateEndpoint, steps: vec![step, self.end_step()] }], Tri::Yes, "");
        }
        if vacant(self.world, address) {
            return (vec![self.end()], Tri::No, "; nothing has this address any more");
        }
        (vec![self.end()], Tri::Maybe, "; what stands at this address is not in the input")
    }

    fn end_step(&self) -> Step {
        steps::delivered(self.store.store, self.group(), Span::ALL)
    }

    fn end(&self) -> Way {
        Way { via: Via::PrivateEndpoint, steps: vec![self.end_step()] }
    }

    /// the public front end, with the source that the packets show there.
    fn over_public(&self) -> Vec<Way> {
        let direct = |source: Source| vec![(Way { via: Via::Public, steps: Vec::new() }, Arrival::Showing(source))];
        let arriving = match self.client.kind {
            ClientKind::Internet(address) => direct(self.internet(address)),
            ClientKind::Site(site) => {
                let addresses = self.world.site_sources(site);
                let certain = !addresses.is_empty();
                direct(Source::Public { addresses, certain, origin: Origin::OnPrem })
            }
            ClientKind::Machine => {
                let (class, covered) = self.public_class();
                let ways = self.transport.to_service(self.client, &class, covered, self.traffic);
                if ways.is_empty() {
                    let step = steps::route(Tri::No, self.client.subnet, "no way leads from the subnet to public addresses");
                    vec![(Way { via: Via::Public, steps: vec![step] }, Arrival::Unknown)]
                } else {
                    ways
                }
            }
        };
        arriving.into_iter().map(|(way, source)| self.at_front_end(way, &source)).collect()
    }

    /// SEP, firewall and front end behind a way that ends at public addresses.
    fn at_front_end(&self, mut way: Way, source: &Arrival) -> Way {
        way.via = Via::Public;
        if let Arrival::Showing(Source::ServiceEndpoint { subnet, .. }) = source {
            way.via = Via::ServiceEndpoint;
            let looks = endpoint_policy::looks_at(self.world.index, self.world.platform, *subnet, self.part.location);
            if self.store.service == Service::Storage && looks.hi() && self.world.index.subnet_endpoint_policies.has(*subnet) {
                let classic = self.store.kind.as_str() == "classic";
                let mut decision = endpoint_policy::of(self.world.index, *subnet, self.store.store, classic);
                if looks == Tri::Maybe {
                    decision.admitted = decision.admitted.or(Tri::Maybe);
                }
                let first = endpoint_policy::first(self.world.index, *subnet);
                let missing = endpoint_policy::is_missing(self.world.index, *subnet);
                let mut rows = self.world.index.subnet_endpoint_policies.get(*subnet).iter();
                let contested = rows.any(|row| endpoint_policy::is_contested(self.world.index, *subnet, row.policy));
                way.steps.push(steps::policy(*subnet, &decision, first, missing, contested));
            }
        }
        let answers = private_endpoint::front_end_of(self.world.index, self.world.platform, &self.store, self.group(), false);
        way.steps.push(steps::front_end(self.store.store, self.store.service, self.group(), answers));
        way.steps.extend(perimeter::https_only(self.world, &self.store));
        way.steps.push(match source {
            Arrival::Showing(source) => self.firewall(source),
            Arrival::Unknown => self.anybody(),
        });
        way.steps.push(steps::delivered(self.store.store, self.group(), Span::ALL));
        way
    }
}

/// Whether the address lies in a modelled network and surely belongs to nothing there (DNS-28, SND-07).
///
/// A delegated subnet, a device without a known address and a machine that may take any address leave it open.
fn vacant(world: &World<'_>, address: IpAddr) -> bool {
    let index = world.index;
    let subnets = index.subnet_prefixes.rows().filter(|row| row.prefix.contains(&address)).map(|row| row.subnet);
    let open = |subnet: Sym| {
        index.subnet_delegations.has(subnet)
            || index.devices_by_subnet.has(subnet)
            || index.load_balancer_frontends_by_subnet.get(subnet).iter().any(|frontend| frontend.address.is_none())
            || index.ip_configs_by_subnet.get(subnet).iter().any(|c| !index.ip_config_address.has(c.ip_config))
            || world.untold_endpoints().iter().any(|(_, of)| *of == subnet)
    };
    index.vnet_prefixes.rows().any(|row| row.prefix.contains(&address)) && !subnets.into_iter().any(open)
}

fn with_first(mut way: Way, first: Step) -> Way {
    way.steps.insert(0, first);
    way
}

/// A client with several addresses to choose from takes any: only what all of them let through is sure.
fn one_of_several(each: Vec<Vec<Way>>) -> Vec<Way> {
    let several = each.len() > 1;
    let sure = each.iter().map(|ways| ways.iter().fold(Set::EMPTY, |set, way| set.or(way.span().sure))).fold(Set::ALL, Set::and);
    let mut all: Vec<Way> = each.into_iter().flatten().collect();
    if several {
        for way in &mut all {
            if let Some(first) = way.steps.first_mut().filter(|step| step.stage == Stage::Dns) {
                // INVARIANT: a refusing step keeps `sure` inside `may`, so it stays as it is.
                let narrowed = first.span.sure.and(sure);
                if narrowed != first.span.sure {
                    first.span.sure = narrowed;
                    first.code = "DNS_UNKNOWN";
                    first.kind = Kind::Assumption;
                    first.text.push_str("; which of the addresses the client takes is not known");
                }
            }
        }
    }
    all
}
