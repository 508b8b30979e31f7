//! The way back: replies meet routes and devices, but no filters (SES-01 to SES-03).

use std::net::IpAddr;

use crate::explain::balancer::{Backend, Member};
use crate::explain::candidates::{Candidate, Choice, choose, choose_some_public};
use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::point::is_used;
use crate::explain::walk::{Home, Passed, Trail, Walk};
use crate::explain::way::{Kind, Step};
use crate::facts::load_balancing::BalancerSku;
use crate::model::{Set, Span, Stage, Sym, Tri};
use crate::rules::route::{Entry, Hop};

/// Everything but TCP needs no way back (CNV-07).
fn without_tcp(sure: Tri) -> Span {
    let rest = Set::ALL.minus(Set::tcp());
    match sure {
        Tri::Yes => Span::ALL,
        Tri::Maybe => Span { sure: rest, may: Set::ALL },
        Tri::No => Span::exactly(rest),
    }
}

/// A reply on its way.
#[derive(Clone, Copy)]
struct Answer {
    /// The source that it shows; none: a public one that nobody knows.
    shown: Option<IpAddr>,
    /// Whether it was sent on by an appliance.
    forwarded: bool,
}

impl Answer {
    /// What a machine answers itself.
    fn of(host: &Host) -> Answer {
        Answer { shown: Some(host.ip), forwarded: false }
    }
}

/// Where one reply hop leads, compared with where it must.
enum Reply {
    /// Where it must.
    Right,
    /// To another device than the one the packet came by.
    Elsewhere(&'static str),
    /// Nowhere.
    Lost(&'static str),
}

impl Walk<'_, '_> {
    /// The reply of `host` to the source it saw.
    pub fn way_back(&self, host: &Host, packet: &Packet, trail: &Trail) -> Vec<Step> {
        let mut legs = self.legs(Answer::of(host), host, &packet.src, &trail.appliances, self.home);
        legs.extend(self.by_secondary(host, &packet.src));
        legs
    }

    /// The doubt about a reply that leaves its subnet by what may be a secondary interface: only the primary one has a default route (ADR-15).
    fn by_secondary(&self, host: &Host, to: &Seen) -> Option<Step> {
        let within = |ip: &IpAddr| self.world.index.subnet_prefixes.get(host.subnet).iter().any(|row| row.prefix.contains(ip));
        let near = matches!(to, Seen::At(ip) if within(ip));
        if near || is_used(self.world, host.nic) {
            return None;
        }
        let text = format!("{} is perhaps a secondary interface: whether the guest answers by it is not known", short(host.nic));
        let unknown = step(Stage::Route, without_tcp(Tri::Maybe), "session.1", text).by(host.nic, "");
        Some(unknown.kind(Kind::Assumption).code("W-UNSUPPORTED"))
    }

    /// The reply of a site through the gateway: the site must know the way (GW-07), and the gateway's own routes must lead back (GW-09).
    pub fn way_back_from_site(&self, at: &Host, site: Sym, packet: &Packet, trail: &Trail) -> Vec<Step> {
        let rooms = self.world.index.gateway_subnets.get(self.gateway_to(at, site)).iter().map(|row| row.subnet);
        let Some(subnet) = rooms.min_by_key(|subnet| subnet.as_str()) else { return Vec::new() };
        let vnet = self.world.vnet_of(subnet);
        let stand_in = self.world.network(vnet).own.first().map_or(at.ip, |own| own.network());
        let instance = Host::imagined(self.world, subnet, stand_in);
        let untold = match packet.src {
            Seen::At(ip) => self.world.untold(vnet, site, ip).map(|doubt| Step { span: without_tcp(Tri::Maybe), ..doubt }),
            Seen::SomePublic => None,
        };
        let shown = Answer { shown: Some(packet.dst), forwarded: false };
        untold.into_iter().chain(self.legs(shown, &instance, &packet.src, &trail.appliances, self.home)).collect()
    }

    /// The reply to a client on the internet must leave for the internet (SES-02).
    pub fn way_back_to_internet(&self, host: &Host, client: &Seen) -> Vec<Step> {
        let mut legs = self.legs(Answer::of(host), host, client, &[], Home::Internet);
        for leg in legs.iter_mut().filter(|leg| leg.span != Span::ALL) {
            leg.code = "W-ASYM-IN";
        }
        legs.extend(self.by_secondary(host, client));
        legs
    }

    /// What comes back from outside the networks to an appliance that translated must find whom it serves.
    pub fn way_home(&self, trail: &Trail) -> Vec<Step> {
        self.way_home_of(None, trail)
    }

    /// The same of what shows the source `shown`; none: a public one.
    fn way_home_of(&self, shown: Option<IpAddr>, trail: &Trail) -> Vec<Step> {
        match trail.appliances.split_last() {
            Some((last, before)) if self.session && last.translated => {
                let answer = Answer { shown: last.stands_for.or(shown), forwarded: true };
                self.legs(answer, &last.exit, &last.before, before, self.home)
            }
            _ => Vec::new(),
        }
    }

    /// The reply of a private endpoint in `subnet` with `address` comes back by itself, except past an appliance that did not translate (PE-27).
    pub fn way_back_from_endpoint(&self, subnet: Sym, address: IpAddr, trail: &Trail) -> Vec<Step> {
        let Some(last) = trail.appliances.last() else { return Vec::new() };
        if last.translated {
            return self.way_home_of(Some(address), trail);
        }
        let fails = match self.home {
            Home::Network(vnet) => vnet == last.exit.vnet,
            Home::Site(_) => self.world.vnet_of(subnet) == last.exit.vnet,
            Home::Internet => true,
        };
        if !fails {
            return Vec::new();
        }
        let text = format!("the reply of the private endpoint may pass by appliance {}, which does not translate", short(last.nic));
        let unsure = step(Stage::Route, without_tcp(Tri::Maybe), "session.2", text).by(last.nic, "");
        vec![unsure.kind(Kind::Assumption).code("NVA_ASYM")]
    }

    /// The legs of the way back from `from` to `to`: every appliance of the way must see the reply, in the other order, and one that
    /// translated takes it and gives it the source back that the packet came with.
    fn legs(&self, mut answer: Answer, from: &Host, to: &Seen, passed: &[Passed], home: Home) -> Vec<Step> {
        let mut out = Vec::new();
        let (mut from, mut to, mut passed) = (from, to, passed);
        let mut certain = true;
        loop {
            let (choice, text) = match to {
                Seen::At(ip) => (choose(self.world, from.subnet, *ip), ip.to_string()),
                Seen::SomePublic => (choose_some_public(self.world, from.subnet), "some address of Azure".to_owned()),
            };
            let (mut leg, right) = judged(from, &choice, &text, |candidate| self.leads(candidate, from, to, passed, home));
            if !certain && leg.span != Span::ALL {
                // Where an earlier leg may have gone past this one, it proves nothing.
                leg.span = leg.span.or(Span::UNKNOWN);
                leg = leg.kind(Kind::Assumption).code("W-ASYM");
            }
            certain &= leg.span == Span::ALL;
            out.push(leg);
            if right {
                out.extend(self.forwarded_back(answer, from, &choice));
            }
            let Some((last, before)) = passed.split_last().filter(|_| right) else { return out };
            answer = Answer { shown: last.stands_for.or(answer.shown), forwarded: true };
            from = &last.exit;
            to = if last.translated { &last.before } else { to };
            passed = before;
        }
    }

    /// The doubt about a reply that an appliance in the network of `from` sends on over a peering, with a source from elsewhere (PEER-06, PEER-07).
    fn forwarded_back(&self, answer: Answer, from: &Host, choice: &Choice) -> Option<Step> {
        let own = &self.world.network(from.vnet).own;
        if !answer.forwarded || answer.shown.is_some_and(|ip| own.iter().any(|own| own.contains(&ip))) {
            return None;
        }
        let entered = |candidate: &Candidate| match candidate {
            Candidate::Route(Entry { hop: Hop::Peering(vnet), .. }) => vec![*vnet],
            Candidate::Route(Entry { hop: Hop::Appliance(ip), .. }) => {
                self.networks_of_hop(from, *ip).into_iter().map(|(vnet, _)| vnet).filter(|vnet| *vnet != from.vnet).collect()
            }
            _ => Vec::new(),
        };
        let doubt = choice.candidates.iter().flat_map(entered).find_map(|vnet| self.refuses_forwarded(from.vnet, vnet))?;
        let text = format!("the reply, whose source is elsewhere: {}", doubt.text);
        Some(Step { span: without_tcp(Tri::Maybe), text, ..doubt })
    }

    /// Where one candidate of a reply from `from` leads, compared with where it must: to the last appliance, or home.
    fn leads(&self, candidate: &Candidate, from: &Host, to: &Seen, passed: &[Passed], home: Home) -> Reply {
        let entry = match candidate {
            Candidate::Route(entry) => entry,
            Candidate::Endpoint { .. } => return Reply::Lost("takes the route of a private endpoint"),
            Candidate::Service { .. } => return Reply::Elsewhere("takes a service endpoint of the subnet"),
        };
        let last = passed.last();
        let delivered_in = |vnet: Sym| {
            let wanted = match (last, home) {
                (Some(last), _) if last.translated => Some(last.exit.vnet),
                (_, Home::Network(vnet)) => Some(vnet),
                _ => None,
            };
            match last {
                // It may be the wanted one.
                _ if self.world.is_nameless(vnet) => Reply::Elsewhere("is delivered in a network that its peering does not name"),
                _ if wanted != Some(vnet) => Reply::Lost("is delivered in another network"),
                Some(last) if !last.translated => Reply::Elsewhere("does not pass the appliance"),
                _ => Reply::Right,
            }
        };
        let from_outside = home == Home::Internet && passed.is_empty();
        match entry.hop {
            Hop::Local => delivered_in(from.vnet),
            Hop::Peering(peer) => delivered_in(peer),
            Hop::Appliance(_) if from_outside => Reply::Lost("goes to an appliance that never saw the packet"),
            Hop::Appliance(ip) => {
                let vnet = match self.networks_of_hop(from, ip).as_slice() {
                    [] => return Reply::Lost("goes to an appliance that is nowhere near"),
                    [(vnet, Tri::Yes)] => *vnet,
                    _ => return Reply::Elsewhere("goes to an appliance that is perhaps not near"),
                };
                match last {
                    Some(last) if !last.translated && vnet == last.exit.vnet && (ip == last.exit.ip || ip == last.address) => Reply::Right,
                    // One of the instances behind a firewall translated: its one address leads to all of them.
                    Some(last) if self.world.index.azure_firewall.has(last.nic) && vnet == last.exit.vnet && ip == last.address => {
                        Reply::Right
                    }
                    _ if *to == Seen::At(ip) => delivered_in(vnet),
                    _ => match self.is_of_hop(to, ip, vnet) {
                        Tri::Yes => delivered_in(vnet),
                        Tri::No if self.drops(ip, vnet) => Reply::Lost("goes to an interface that forwards nothing"),
                        _ => Reply::Elsewhere("goes to another appliance than the packet came by"),
                    },
                }
            }
            Hop::Gateway => match (home, to) {
                (Home::Internet, _) if passed.is_empty() => Reply::Lost("goes to the gateway, which never saw the packet"),
                (Home::Site(_), _) if passed.is_empty() && self.may_take_a_hub(from, entry) => {
                    Reply::Elsewhere("goes to the gateway or to a virtual hub")
                }
                (Home::Network(_) | Home::Site(_), Seen::At(ip)) if passed.is_empty() => match self.by_gateway(from, *ip, home) {
                    Tri::Yes => Reply::Right,
                    Tri::Maybe => Reply::Elsewhere("goes to the gateway, which perhaps leads back"),
                    Tri::No => Reply::Lost("goes to the gateway, which does not lead back"),
                },
                (Home::Site(_), _) if self.uses_untold_gateway(from) => {
                    Reply::Elsewhere("goes to a gateway of which nobody tells where it leads")
                }
                (Home::Site(site), _) if !self.is_connected(from, site) => {
                    Reply::Lost("goes to a gateway without a connection to the site")
                }
                _ => Reply::Elsewhere("goes to the gateway"),
            },
            Hop::Internet if from_outside => Reply::Right,
            Hop::Internet => Reply::Lost("goes to the internet"),
            Hop::None => Reply::Lost("is dropped"),
            Hop::Unknown => Reply::Elsewhere("goes where the input does not tell"),
        }
    }

    /// Whether the interface that has the hop's address has this one too.
    fn is_of_hop(&self, to: &Seen, hop: IpAddr, vnet: Sym) -> Tri {
        let Seen::At(to) = to else { return Tri::No };
        let hosts = self.world.owners(hop, vnet).hosts;
        hosts.iter().map(|host| self.world.has_address(host.nic, *to)).max().unwrap_or(Tri::No)
    }

    /// Whether whoever has the address surely forwards nothing (NVA-02).
    fn drops(&self, ip: IpAddr, vnet: Sym) -> bool {
        let owners = self.world.owners(ip, vnet);
        let leads = |frontend: &Sym| self.leads_on(*frontend);
        !owners.is_nobody()
            && owners.devices.is_empty()
            && !owners.frontends.iter().any(leads)
            && !owners.hosts.iter().any(|host| self.forwards(host))
    }

    /// Whether somebody behind the frontend perhaps forwards what it is handed (ILB-02).
    fn leads_on(&self, frontend: Sym) -> bool {
        let still = |backend: &Backend| match &backend.what {
            Member::Places(places) => !places.iter().any(|place| self.forwards(place)),
            Member::Frontend(_) | Member::Missing | Member::Anybody => false,
        };
        let known = matches!(self.world.balancer_sku(frontend), BalancerSku::Basic | BalancerSku::Standard);
        !known || self.chained(frontend).is_some() || !self.world.branches(frontend).iter().flat_map(|branch| &branch.backends).all(still)
    }

    fn forwards(&self, host: &Host) -> bool {
        self.world.index.nic.one(host.nic).is_some_and(|nic| nic.forwarding)
    }

    /// Whether what the gateways of the sender's network get for the address comes home.
    fn by_gateway(&self, from: &Host, ip: IpAddr, home: Home) -> Tri {
        match home {
            Home::Network(vnet) => self.world.gateway_leads_to(from.subnet, from.vnet, ip, vnet),
            Home::Site(site) => self.world.gateway_leads_to_site(from.subnet, from.vnet, ip, site),
            Home::Internet => Tri::No,
        }
    }

    /// Whether nobody tells all routes of the gateways that the sender's network uses: one may lead to the site, over a circuit for one (GW-04).
    fn uses_untold_gateway(&self, from: &Host) -> bool {
        !self.world.network(from.vnet).gateway.unknown_routes.is_empty()
    }

    /// Whether the route is perhaps one of a virtual hub beside the gateway of the sender's network.
    fn may_take_a_hub(&self, from: &Host, entry: &Entry) -> bool {
        let mut hubs = self.world.index.hub_connections_by_vnet.get(from.vnet).iter().map(|row| row.hub);
        let announces_more = !self.world.network(from.vnet).gateway.unknown_routes.is_empty();
        hubs.any(|hub| announces_more || hub == entry.source)
    }

    /// Whether a gateway of the sender's network is connected to the site.
    fn is_connected(&self, from: &Host, site: Sym) -> bool {
        let gateways = &self.world.network(from.vnet).gateway.gateways;
        self.world.entrances(site).iter().any(|entrance| gateways.contains(&entrance.step.resource))
    }
}

/// The step that one leg is, and whether it may be the right one.
fn judged(from: &Host, choice: &Choice, to: &str, judge: impl Fn(&Candidate) -> Reply) -> (Step, bool) {
    let mut why = "comes back the way the packet went";
    let (mut right, mut elsewhere) = (false, false);
    for candidate in &choice.candidates {
        match judge(candidate) {
            Reply::Right => right = true,
            Reply::Elsewhere(text) => {
                elsewhere = true;
                why = text;
            }
            Reply::Lost(text) if !elsewhere => why = text,
            Reply::Lost(_) => {}
        }
    }
    let sure = match (right, elsewhere) {
        (false, false) => Tri::No,
        (true, false) if choice.certain => Tri::Yes,
        _ => Tri::Maybe,
    };
    let (rule, source) = match choice.candidates.first() {
        Some(Candidate::Route(entry)) => (entry.prefix.to_string(), entry.source),
        Some(Candidate::Endpoint { endpoint, .. }) => (format!("{to}/32"), *endpoint),
        Some(Candidate::Service { service, .. }) => (service.to_string(), Sym::EMPTY),
        None => (String::new(), Sym::EMPTY),
    };
    let text = format!("the reply from {} to {to} {why}", short(from.subnet));
    let back = step(Stage::Route, without_tcp(sure), "session.1", text).by(from.subnet, rule).at_fact(source);
    let back = if sure == Tri::Maybe { back.kind(Kind::Assumption).code("W-ASYM") } else { back };
    (back, right)
}
