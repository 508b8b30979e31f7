//! What machines can send to public addresses by themselves, and the doors they stand at.

use crate::facts::platform::Platform;
use crate::facts::selector::Selector;
use crate::facts::service::Service;
use crate::model::{Set, Span, Sym, Tri};
use crate::rules::leak::{Door, Hook, Side, Sink};
use crate::rules::part::{Part, Place, Standing, service_bit};
use crate::rules::private_endpoint;
use crate::rules::route::{Entry, Hop};
use crate::rules::side::{Group, Sieve};
use crate::rules::tag::{Party, Place as At, ServiceClass, names, some_public_within};

/// What the filters and routes of a class let go to one kind of public address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Outlook {
    /// The kind.
    pub sink: Sink,
    /// What the filters let through.
    pub span: Span,
    /// A route leads straight out.
    pub direct: bool,
    /// A route leads to something whose behaviour is not known.
    pub elsewhere: bool,
    /// Exactly one route surely wins.
    pub certain: bool,
}

/// The door that stores of a service stand at: those of which an attacker can have his own have one each, the rest share one.
pub fn front_of(service: Service) -> Service {
    if Service::EXTERNAL.contains(&service) { service } else { Service::Other }
}

/// The outlook of a class on every kind of public address.
///
/// ```datalog
/// escapes(C, "internet") :- hop(C, P, "internet"), decides(C, P, "allow").                                      // egress.1
/// ```
pub fn outlooks(parts: &[Part], platform: &Platform, output: &mut Vec<(Part, isize)>) {
    let Some(group) = Group::read(parts) else { return };
    let Some(context) = parts.iter().find_map(|part| if let Part::Context(handle) = part { Some(handle.get()) } else { None }) else {
        return;
    };
    let sieve = Sieve::new(&group, crate::facts::network::Direction::Outbound, platform);
    // Only where networks have public addresses can a group of applications be named by one.
    let public_near = group.terrain.grounds.iter().any(|ground| ground.is.near && crate::model::net::overlaps_public(&ground.block));
    let internet = |selector: Selector| match selector {
        Selector::Asg(_) => Tri::from_bool(public_near).min(Tri::Maybe),
        // Front ends of stores are no addresses of the internet here: they are kinds of their own (X-10). Of other services of Azure some are.
        Selector::Tag(tag) if !tag.as_str().starts_with("azurecloud") && platform.tag(tag).is_some_and(|list| !list.is_empty()) => {
            let base = tag.as_str().split('.').next().unwrap_or_default();
            Tri::from_bool(Service::EXTERNAL.iter().all(|service| service.tag().as_str() != base)).min(Tri::Maybe)
        }
        selector => names(selector, Party { place: At::SomePublic, asgs: &[] }, &context, platform),
    };
    let span = sieve.pass(internet);
    output.push((Part::Outlook(outlook(Sink::Internet, span, &context.select(some_public_within))), 1));
    // Of the other services only that their front ends are somewhere in public space.
    let somewhere = Party { place: At::SomePublic, asgs: &[] };
    let span = sieve.pass(|selector| names(selector, somewhere, &context, platform));
    output.push((Part::Outlook(outlook(Sink::External(Service::Other), span.doubted(), &context.select(some_public_within))), 1));
    for service in Service::EXTERNAL {
        let class = ServiceClass { tag: service.tag(), region: Sym::EMPTY };
        let party = Party { place: At::Service(&class), asgs: &[] };
        let span = sieve.pass(|selector| names(selector, party, &context, platform));
        output.push((Part::Outlook(outlook(Sink::External(service), span, &context.select_front_end(&class, platform))), 1));
    }
    let network = &context.network;
    let peers = network.peers.iter().filter(|peer| peer.usable.hi()).map(|peer| peer.vnet);
    let mut near: Vec<Sym> = peers.chain([network.vnet]).collect();
    near.sort_unstable();
    near.dedup();
    output.extend(near.into_iter().map(|vnet| (Part::Near(vnet), 1)));
}

fn outlook(sink: Sink, span: Span, entries: &[Entry]) -> Outlook {
    let near = matches!(sink, Sink::External(_));
    let elsewhere = |hop: Hop| match hop {
        Hop::Appliance(_) | Hop::Gateway | Hop::Unknown => true,
        Hop::Local | Hop::Peering(_) => near,
        Hop::Internet | Hop::None => false,
    };
    Outlook {
        sink,
        span,
        direct: entries.iter().any(|entry| entry.hop == Hop::Internet),
        elsewhere: entries.iter().any(|entry| elsewhere(entry.hop)),
        certain: matches!(entries, [entry] if entry.sure.lo()),
    }
}

/// What is around one address configuration.
#[derive(Default)]
struct Around {
    standing: Option<Standing>,
    outlooks: Vec<Outlook>,
    near: Vec<Sym>,
    sends_far: Option<Span>,
    takes_far: Option<Span>,
    any: Option<Span>,
    sends_public: Option<Span>,
    takes_public: Option<Span>,
}

/// The doors that a machine stands at with one of its address configurations, and what leaves it in one hop.
pub fn hooks(parts: &[Part], platform: &Platform, output: &mut Vec<(Part, isize)>) {
    let Some(place) = parts.iter().find_map(|part| if let Part::Place(handle) = part { Some(handle.get()) } else { None }) else { return };
    let mut around = Around::default();
    for part in parts {
        match part {
            Part::Standing(row) => around.standing = Some(*row),
            Part::Outlook(row) => around.outlooks.push(*row),
            Part::Near(vnet) => around.near.push(*vnet),
            Part::Far(Side::Sends, span) => around.sends_far = Some(*span),
            Part::Far(Side::Takes, span) => around.takes_far = Some(*span),
            Part::Any(span) => around.any = Some(*span),
            Part::Public(Side::Sends, span) => around.sends_public = Some(*span),
            Part::Public(Side::Takes, span) => around.takes_public = Some(*span),
            _ => {}
        }
    }
    let mut hook = |door: Door, side: Side, span: Span| {
        let span = span.within(Set::tcp_udp());
        if !span.is_none() {
            output.push((Part::Hook(place.node, Hook { door, side, span }), 1));
        }
    };
    hook(Door::Nowhere, Side::Sends, Span::UNKNOWN);
    let known = place.address.is_some_and(|address| address.is_ipv4()) && !place.missing && !around.outlooks.is_empty();
    let Some(standing) = around.standing.filter(|_| known) else {
        // Where it is, or what it is, nobody knows: anything may come from it and go to it.
        hook(Door::Anywhere, Side::Sends, Span::UNKNOWN);
        hook(Door::Anywhere, Side::Takes, Span::UNKNOWN);
        hook(Door::Public, Side::Sends, Span::UNKNOWN);
        match around.standing.filter(|_| place.service) {
            // To some address of the subnet get those who see its network, as to a private endpoint there.
            Some(standing) => hook(Door::Network(standing.vnet), Side::Takes, Span::UNKNOWN),
            None => {
                hook(Door::Nowhere, Side::Takes, Span::UNKNOWN);
                hook(Door::Public, Side::Takes, Span::UNKNOWN);
            }
        }
        for service in Service::EXTERNAL.into_iter().chain([Service::Other]) {
            hook(Door::FrontEnd(service), Side::Sends, Span::UNKNOWN);
            hook(Door::Unknown(service), Side::Sends, Span::UNKNOWN);
        }
        for sink in [Sink::Internet].into_iter().chain(Service::EXTERNAL.map(Sink::External)) {
            output.push((Part::Escape(place.node, sink, Span::UNKNOWN.within(Set::tcp_udp())), 1));
        }
        return;
    };
    hook(Door::Anywhere, Side::Sends, around.sends_far.unwrap_or(Span::NONE));
    hook(Door::Anywhere, Side::Takes, around.takes_far.unwrap_or(Span::NONE));
    if place.pooled {
        // Its load balancer brings it whatever comes to a frontend.
        hook(Door::Nowhere, Side::Takes, Span::UNKNOWN);
    }
    for vnet in &around.near {
        hook(Door::Network(*vnet), Side::Sends, around.any.unwrap_or(Span::NONE).doubted());
    }
    let exits = exits(&place, &standing);
    let mut escapes = Vec::new();
    if exits.hi() || around.outlooks.iter().any(|outlook| outlook.elsewhere) {
        hook(Door::Public, Side::Sends, around.sends_public.unwrap_or(Span::NONE).doubted());
    }
    let taken = around.takes_public.unwrap_or(Span::NONE).doubted();
    if (place.public.hi() || place.pooled) && !taken.is_none() {
        // A load balancer translates ports.
        let taken = if place.pooled { Span::UNKNOWN } else { taken };
        hook(Door::Public, Side::Takes, taken);
        escapes.push((Sink::Internet, taken.within(Set::tcp()))); // strangers may come and take (X-13)
    }
    for outlook in &around.outlooks {
        match outlook.sink {
            Sink::External(service) => {
                let endpoint = match service {
                    Service::Other => standing.services != 0,
                    service => standing.services & service_bit(service) != 0,
                };
                // Storage of the same region is reached inside Azure, whatever the way out (OUT-11).
                let open = outlook.direct && (exits.hi() || service == Service::Storage);
                let sure = outlook.direct && outlook.certain && exits.lo() && !endpoint && derived(service) && place.used;
                let span = settled(outlook.span, open || outlook.elsewhere || endpoint, sure);
                hook(Door::FrontEnd(service), Side::Sends, span);
                if outlook.elsewhere {
                    hook(Door::Unknown(service), Side::Sends, span.doubted());
                }
                if endpoint {
                    hook(Door::Subnet(service, place.subnet), Side::Sends, span.doubted());
                }
                if service != Service::Other {
                    escapes.push((outlook.sink, span.and(front_ports(platform, service))));
                }
            }
            sink => {
                let open = (outlook.direct && exits.hi()) || outlook.elsewhere;
                let sure = outlook.direct && outlook.certain && exits.lo() && place.used;
                escapes.push((sink, settled(outlook.span, open, sure)));
            }
        }
    }
    for (sink, span) in escapes {
        let span = span.within(Set::tcp_udp());
        if !span.is_none() {
            output.push((Part::Escape(place.node, sink, span), 1));
        }
    }
}

/// The services whose ways are followed on the sure side; storage of the same region takes a way of its own.
fn derived(service: Service) -> bool {
    matches!(service, Service::KeyVault | Service::Sql)
}

fn settled(span: Span, open: bool, sure: bool) -> Span {
    match (open, sure) {
        (false, _) => Span::NONE,
        (true, false) => span.doubted(),
        (true, true) => span,
    }
}

/// Whether what leaves for public addresses by the platform's own means finds a way out (OUT-02). Of NAT gateways and pools only that they may
/// be one.
fn exits(place: &Place, standing: &Standing) -> Tri {
    if standing.nat || place.pooled {
        return Tri::Maybe;
    }
    if place.public.hi() {
        return place.public;
    }
    if standing.delegated {
        return Tri::Maybe;
    }
    // A Standard address anywhere on the machine takes default access away (OUT-07).
    let barred = if place.flexible { Tri::Yes } else { Tri::from_bool(place.public_nic || !place.used).min(Tri::Maybe) };
    standing.outbound.and(barred.negated())
}

/// The ports at which stores of a service answer (M-16): whoever has one chooses its kind.
pub fn front_ports(platform: &Platform, service: Service) -> Span {
    let answers = |kind: &str, part: &str| private_endpoint::front_end(platform, service, Sym::new(kind), Sym::new(part), true, false);
    let usual = service.parts().iter().fold(Span::NONE, |span, part| span.or(answers("storagev2", part)));
    // Whether a premium account speaks NFS is its owner's to say, and the owner is the attacker.
    if service != Service::Storage {
        return usual;
    }
    // He switches on SFTP and NFS as well.
    let switched = private_endpoint::switched(platform, Sym::new("blob"), |_| Tri::Yes);
    usual.or(Span::exactly(answers("filestorage", "file").may)).or(switched)
}
