//! The way back: replies meet routes and devices, but no filters (SES-01 to SES-03).

use std::net::IpAddr;

use crate::explain::candidates::{Candidate, Choice, choose, choose_some_public};
use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::walk::{Home, Trail, Walk};
use crate::explain::way::{Kind, Step};
use crate::model::{Set, Span, Stage, Sym, Tri};
use crate::rules::route::Hop;

/// Everything but TCP needs no way back (CNV-07).
fn without_tcp(sure: Tri) -> Span {
    let rest = Set::ALL.minus(Set::tcp());
    match sure {
        Tri::Yes => Span::ALL,
        Tri::Maybe => Span { sure: rest, may: Set::ALL },
        Tri::No => Span::exactly(rest),
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
        let Seen::At(source) = &packet.src else { return Vec::new() };
        let last = trail.appliances.last();
        let mut out = Vec::new();
        match last {
            None => out.push(self.reply(host, *source, |hop| direct(hop, self.home, host.vnet))),
            Some(passed) if passed.translated => {
                // The appliance takes the reply and gives it the first source back: two legs.
                let middle = Home::Network(passed.exit.vnet);
                out.push(self.reply(host, passed.exit.ip, |hop| direct(hop, middle, host.vnet)));
                if let Some(first) = self.origin {
                    out.push(self.reply(&passed.exit, first, |hop| direct(hop, self.home, passed.exit.vnet)));
                }
            }
            Some(_) => {
                // Every appliance of the way must see the reply, in the other order.
                let mut from = host;
                for passed in trail.appliances.iter().rev() {
                    let at = (passed.exit.ip, passed.address);
                    out.push(self.reply(from, *source, |hop| match hop {
                        Candidate::Route(entry) => match entry.hop {
                            Hop::Appliance(ip) if ip == at.0 || ip == at.1 => Reply::Right,
                            Hop::None => Reply::Lost("is dropped"),
                            Hop::Internet => Reply::Lost("goes to the internet"),
                            _ => Reply::Elsewhere("does not pass the appliance"),
                        },
                        _ => Reply::Elsewhere("does not pass the appliance"),
                    }));
                    from = &passed.exit;
                }
                out.push(self.reply(from, *source, |hop| direct(hop, self.home, from.vnet)));
            }
        }
        out
    }

    /// The reply of a site through the gateway: the gateway's own routes must lead back (GW-09).
    pub fn way_back_from_site(&self, at: &Host, packet: &Packet, trail: &Trail) -> Vec<Step> {
        let Seen::At(source) = &packet.src else { return Vec::new() };
        let network = self.world.network(at.vnet);
        let Some(gateway) = network.gateway.gateways.first() else { return Vec::new() };
        let Some(subnet) = self.world.index.gateway_subnets.one(*gateway).map(|row| row.subnet) else { return Vec::new() };
        let Some(stand_in) = self.world.network(self.world.vnet_of(subnet)).own.first().map(|own| own.network()) else { return Vec::new() };
        let instance = Host::imagined(self.world, subnet, stand_in);
        let Some(passed) = trail.appliances.last() else {
            return vec![self.reply(&instance, *source, |hop| direct(hop, self.home, instance.vnet))];
        };
        let mut out = vec![self.reply(&instance, *source, |hop| match hop {
            Candidate::Route(entry) => match entry.hop {
                Hop::Appliance(ip) if ip == passed.exit.ip || ip == passed.address => Reply::Right,
                Hop::Local | Hop::Peering(_) if *source == passed.exit.ip => Reply::Right,
                Hop::None => Reply::Lost("is dropped"),
                _ => Reply::Elsewhere("does not pass the appliance"),
            },
            _ => Reply::Elsewhere("does not pass the appliance"),
        })];
        if let Some(first) = self.origin {
            out.push(self.reply(&passed.exit, first, |hop| direct(hop, self.home, passed.exit.vnet)));
        }
        out
    }

    /// The reply to a client on the internet must leave for the internet (SES-02).
    pub fn way_back_to_internet(&self, host: &Host, client: &Seen) -> Vec<Step> {
        let (choice, to) = match client {
            Seen::At(ip) => (choose(self.world, host.subnet, *ip), ip.to_string()),
            Seen::SomePublic => (choose_some_public(self.world, host.subnet), "some address of Azure".to_owned()),
        };
        let mut reply = judged(host, &choice, &to, |hop| match hop {
            Candidate::Route(entry) => match entry.hop {
                Hop::Internet => Reply::Right,
                Hop::None => Reply::Lost("is dropped"),
                Hop::Appliance(_) => Reply::Lost("goes to an appliance that never saw the packet"),
                Hop::Gateway => Reply::Lost("goes to the gateway, which never saw the packet"),
                _ => Reply::Lost("does not go to the internet"),
            },
            _ => Reply::Elsewhere("takes an endpoint of the subnet"),
        });
        if reply.span != Span::ALL {
            reply.code = "W-ASYM-IN";
        }
        vec![reply]
    }

    /// One leg of the way back, by the routes of `from`'s subnet.
    fn reply(&self, from: &Host, to: IpAddr, judge: impl Fn(&Candidate) -> Reply) -> Step {
        judged(from, &choose(self.world, from.subnet, to), &to.to_string(), judge)
    }
}

fn judged(from: &Host, choice: &Choice, to: &str, judge: impl Fn(&Candidate) -> Reply) -> Step {
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
    match sure {
        Tri::Yes | Tri::No => back,
        Tri::Maybe => back.kind(Kind::Assumption).code("W-ASYM"),
    }
}

/// A reply that must be delivered without a device in between, to where the source is at home.
fn direct(candidate: &Candidate, home: Home, vnet: Sym) -> Reply {
    let Candidate::Route(entry) = candidate else { return Reply::Lost("takes an endpoint route") };
    match (entry.hop, home) {
        (Hop::Local, Home::Network(home)) if home == vnet => Reply::Right,
        (Hop::Peering(peer), Home::Network(home)) if home == peer => Reply::Right,
        (Hop::Gateway, Home::Site) => Reply::Right,
        (Hop::Local | Hop::Peering(_), _) => Reply::Lost("is delivered in another network"),
        (Hop::Gateway, _) => Reply::Elsewhere("goes to the gateway"),
        (Hop::None, _) => Reply::Lost("is dropped"),
        (Hop::Internet, _) => Reply::Lost("goes to the internet"),
        (Hop::Appliance(_), _) => Reply::Elsewhere("goes to an appliance that did not see the packet"),
        (Hop::Unknown, _) => Reply::Elsewhere("goes where the input does not tell"),
    }
}
