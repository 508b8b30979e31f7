//! The way of one packet, hop by hop, until somebody has it or it is lost (CNV-08).

use std::collections::BTreeSet;
use std::net::IpAddr;

use watertight::facts::network::{DeviceKind, GatewayKind, IpConfig, Peering};
use watertight::facts::store_facts::{Instance, Service};
use watertight::model::{Prefix, Proto, Stage, Sym, Tri, Via};

use super::address::{Owner, is_private};
use super::filter::Place;
use super::packet::{Addr, Outcome, Packet, all_of, any_of, check, one_of};
use super::route::{Candidate, Hop};
use super::world::{World, name_of};

/// One endpoint of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub store: Sym,
    pub part: Sym,
    pub instance: Instance,
}

/// Whom the packet must reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// An address configuration.
    Config(Sym),
    /// A machine that could be placed in the subnet.
    Slot(Sym),
    /// Whoever has the address.
    Address,
    /// The same, and it is none of a service of Azure.
    Outside,
    /// Whoever has the address, and something there answers names.
    Server,
    /// A site on premises.
    Site(Sym),
    /// A private endpoint, this one or any, for a store or for whatever it is for.
    Endpoint(Option<Sym>, Option<Wanted>),
    /// The public front end of a store.
    Front(Wanted),
    /// The front end of somebody else's store.
    External(Service),
}

/// Who started it, for the way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Network(Sym),
    Site(Sym),
    Internet,
}

/// An appliance on the way.
#[derive(Clone, Debug)]
pub struct Passed {
    pub machine: Sym,
    pub subnet: Sym,
    /// The frontend that brings replies back to the same appliance.
    pub shared: Option<IpAddr>,
    /// Whether it put its own address in place of the source, which was `before`.
    pub translated: bool,
    pub before: Addr,
    /// The address that was asked for where it put another destination in its place.
    pub asked_at: Option<Addr>,
}

/// What a reply shows as its source, whether an appliance has sent it on, and whether it is asked if that may cross a peering.
#[derive(Clone, Copy, Debug)]
pub struct Back {
    pub shows: Addr,
    pub relayed: bool,
    pub flags: bool,
}

impl Back {
    /// A reply that nobody has sent on yet.
    pub fn of(shows: Addr, flags: bool) -> Back {
        Back { shows, relayed: false, flags }
    }
}

/// What the packet carries along.
#[derive(Clone, Debug, Default)]
pub struct Trip {
    pub passed: Vec<Passed>,
    /// The network that the last hop left from.
    pub from: Option<Sym>,
    /// It came in through a gateway, so that forwarding flags do not count (PEER-06).
    pub from_gateway: bool,
    /// The gateways it has come through since the last appliance.
    pub gateways: Vec<Sym>,
}

/// One walk.
pub struct Walk<'w, 'p> {
    pub world: &'w World<'p>,
    pub target: Target,
    pub origin: Origin,
    /// Whether the way back counts.
    pub session: bool,
}

impl Walk<'_, '_> {
    /// Sends from an interface or a place in a subnet: filters first, then the route (CNV-08).
    pub fn send(&self, at: Place, packet: Packet, trip: &Trip) -> Outcome {
        self.world.filter_out(at, &packet, || self.forward(at, packet, trip))
    }

    /// Chooses the next hop in the subnet; an endpoint whose address nobody exported has a route of its own (PE-20, ADR-06).
    pub fn forward(&self, at: Place, packet: Packet, trip: &Trip) -> Outcome {
        let mut ways = vec![self.forward_by_routes(at, packet, trip)];
        if let (Target::Address, Addr::Known(ip), Some(vnet)) = (self.target, packet.dst, self.world.vnet_of(at.subnet)) {
            let world = self.world;
            let usable = |prefix: &Prefix| watertight::model::net::usable(prefix).is_some_and(|(low, high)| low <= ip && ip <= high);
            for endpoint in world.endpoints.iter().filter(|e| world.has_untold_ip(e.endpoint)) {
                let Some(home) = world.vnet_of(endpoint.subnet) else { continue };
                if !world.subnet_space(endpoint.subnet).iter().any(usable) || !world.is_nobodys(home, ip) {
                    continue;
                }
                let arrive = || self.arrive_at_endpoint(endpoint.endpoint, packet, trip);
                let peering = world.peerings.iter().find(|p| p.vnet == vnet && p.remote == home && world.is_connected(p).hi());
                let there = match peering {
                    _ if home == vnet => arrive(),
                    Some(p) => self.cross(at.subnet, p.peering, packet.dst, &packet, trip, |_| arrive()),
                    None => continue,
                };
                ways.push(there.doubted(Stage::Route, name_of(endpoint.endpoint), "dynamic-address"));
            }
        }
        if ways.len() == 1 { ways.remove(0) } else { any_of(ways) }
    }

    fn forward_by_routes(&self, at: Place, packet: Packet, trip: &Trip) -> Outcome {
        if matches!(packet.dst, Addr::Known(ip) if ip.is_multicast() || ip.to_string() == "255.255.255.255") {
            return Outcome::denied(Stage::Route, "multicast"); // ADR-13
        }
        let covered = self.world.service_endpoint_route(at.subnet, &packet);
        if let (Tri::No, Target::Address | Target::Server, Addr::Known(ip)) = (covered, self.target, packet.dst)
            && packet.proto == Proto::Tcp
            && self.world.has_endpoint_of_unknown_range(at.subnet, ip)
        {
            let perhaps = Outcome::unproven(Stage::Route, "unknown range", "W-MISSING");
            let routed = self.by_routes(at, packet, trip);
            let outside = self.world.candidates(at.subnet, packet.dst).iter().all(|c| c.hop == Hop::Internet);
            let limited = self.world.subnet_policies.iter().any(|row| row.subnet == at.subnet);
            // Either of the two is taken; to the internet both lead to the same address, where no policy looks at the account behind it.
            return if outside && !limited {
                any_of(vec![perhaps, routed])
            } else {
                one_of(vec![perhaps, routed], Stage::Route, "W-MISSING")
            };
        }
        if covered == Tri::No {
            return self.by_routes(at, packet, trip);
        }
        let direct = self.over_service_endpoint(at, packet, trip);
        let diverted = self.world.diverts_service_endpoint(at.subnet, packet.dst);
        match (covered, diverted) {
            (Tri::Yes, Tri::No) => direct,
            (Tri::Yes, Tri::Yes) => self.by_routes(at, packet, trip),
            (Tri::Yes, _) => one_of(vec![direct, self.by_routes(at, packet, trip)], Stage::Route, "W-SE-UDR"),
            _ => one_of(vec![direct, self.by_routes(at, packet, trip)], Stage::Route, "unsure-region"),
        }
    }

    fn by_routes(&self, at: Place, packet: Packet, trip: &Trip) -> Outcome {
        let candidates = self.world.candidates(at.subnet, packet.dst);
        let code = candidates.iter().map(|c| c.code).find(|c| !c.is_empty()).unwrap_or("W-OVERLAP");
        let mut outcomes: Vec<Outcome> = candidates.iter().map(|c| self.take(at, c, packet, trip)).collect();
        if let [only] = candidates.as_slice()
            && !only.sure.lo()
        {
            let outcome = outcomes.remove(0).doubted(Stage::Route, only.text.clone(), code);
            return outcome;
        }
        one_of(outcomes, Stage::Route, code)
    }

    fn take(&self, at: Place, route: &Candidate, packet: Packet, trip: &Trip) -> Outcome {
        let Some(vnet) = self.world.vnet_of(at.subnet) else { return Outcome::unproven(Stage::Route, "", "W-MISSING") };
        let trip = &Trip { from: Some(vnet), ..trip.clone() };
        match route.hop {
            Hop::Drop => Outcome::denied(Stage::Route, route.text.clone()),
            Hop::Unknown => Outcome::unproven(Stage::Route, route.text.clone(), route.code),
            Hop::Local => match packet.dst {
                Addr::Known(ip) if self.world.in_space(vnet, ip) => self.deliver(vnet, packet, trip, Via::VnetLocal),
                // Of a network that does not tell its space: what the platform routes locally is of it, what a person does perhaps.
                Addr::Known(_) if self.world.space(vnet).is_empty() && route.preferred => self.deliver(vnet, packet, trip, Via::VnetLocal),
                Addr::Known(_) if self.world.space(vnet).is_empty() => {
                    self.deliver(vnet, packet, trip, Via::VnetLocal).doubted(Stage::Route, name_of(vnet), "W-MISSING")
                }
                _ => Outcome::denied(Stage::Route, route.text.clone()), // RTE-18
            },
            Hop::Peering(peering) => {
                let group = self.world.managed.iter().any(|m| m.id == peering && m.group);
                let via = if group { Via::ConnectedGroup } else { Via::Peering };
                self.cross(at.subnet, peering, packet.dst, &packet, trip, |remote| self.deliver(remote, packet, trip, via))
            }
            Hop::Appliance(hop) => self.to_appliance(at, vnet, hop, packet, trip),
            Hop::Gateway(gateway) => self.device(self.through_gateway(at.subnet, vnet, gateway, packet, trip), Via::Gateway),
            Hop::GatewayByRule => {
                let gateways = self.world.gateways_of(vnet);
                let unseen = self.world.unseen_gateways(vnet).first().copied();
                if let Some(unseen) = unseen.filter(|_| gateways.is_empty()) {
                    return Outcome::unproven(Stage::Route, name_of(unseen), "W-MISSING");
                }
                let hubs = self.world.hub_connections.iter().any(|c| c.vnet == vnet) || !self.world.hub_announces(vnet).is_empty();
                if gateways.is_empty() && hubs {
                    return Outcome::unproven(Stage::Route, route.text.clone(), "W-VWAN"); // what the hub announced has this hop too
                }
                if gateways.is_empty() {
                    return Outcome::denied(Stage::Route, route.text.clone());
                }
                let each = gateways.into_iter().map(|(gateway, usable)| {
                    let vpn = self.world.gateways.iter().any(|g| g.gateway == gateway && g.kind == GatewayKind::Vpn);
                    if vpn && unseen.is_none() {
                        check(usable, Stage::Route, "", "W-CONN-STATE", || self.through_gateway(at.subnet, vnet, gateway, packet, trip))
                    } else {
                        Outcome::unproven(Stage::Route, route.text.clone(), "W-UDR-VNG")
                    }
                });
                self.device(one_of(each.collect(), Stage::Gateway, "W-UDR-VNG"), Via::Gateway)
            }
            Hop::Internet => self.leave(at, packet, trip),
            Hop::Endpoint(endpoint) => {
                let home = self.world.endpoints.iter().find(|e| e.endpoint == endpoint).and_then(|e| self.world.vnet_of(e.subnet));
                match self.world.peerings.iter().find(|p| p.vnet == vnet && Some(p.remote) == home && home != Some(vnet)) {
                    Some(p) => {
                        self.cross(at.subnet, p.peering, packet.dst, &packet, trip, |_| self.arrive_at_endpoint(endpoint, packet, trip))
                    }
                    None => self.arrive_at_endpoint(endpoint, packet, trip),
                }
            }
        }
    }

    /// The first device on the way names the way, but a store is named after how its front end is met.
    pub fn device(&self, outcome: Outcome, via: Via) -> Outcome {
        match self.target {
            Target::Front(_) | Target::External(_) | Target::Endpoint(..) => outcome,
            _ if outcome.via == Some(Via::PrivateEndpoint) => outcome,
            _ => outcome.joined(via),
        }
    }

    /// Over a peering (PEER-05 to PEER-07, PEER-12).
    pub fn cross(&self, from: Sym, peering: Sym, to: Addr, packet: &Packet, trip: &Trip, rest: impl FnOnce(Sym) -> Outcome) -> Outcome {
        let Some(link) = self.world.peerings.iter().find(|p| p.peering == peering) else {
            return Outcome::unproven(Stage::Peering, "", "W-MISSING");
        };
        let told = |p: &Peering| self.world.has_vnet(p.vnet) || !self.world.unlisted_sides.contains(&p.peering);
        let back = self.world.peerings.iter().find(|p| p.vnet == link.remote && p.remote == link.vnet && told(p));
        let name = name_of(peering);
        let foreign = !matches!(packet.src, Addr::Known(ip) if self.world.in_space(link.vnet, ip)) && !trip.passed.is_empty();
        let may_enter = back.is_some_and(|b| b.forwarded);
        let sure = |ok: bool| if ok { Tri::Yes } else { Tri::Maybe };
        let whole = match self.world.is_partial(link) {
            false => Tri::Yes,
            true => {
                let far = match to {
                    Addr::Known(ip) => self.world.subnet_at(link.remote, ip),
                    _ => None,
                };
                let far = far.map_or(Tri::Yes, |subnet| self.world.takes_part_in(link, subnet, false));
                self.world.takes_part_in(link, from, true).and(far)
            }
        };
        let open = sure(link.access && back.is_none_or(|b| b.access));
        check(whole, Stage::Peering, &name, "W-UNSUPPORTED", || {
            check(open, Stage::Peering, &name, "W-PEER-NOACCESS", || {
                check(sure(!foreign || may_enter), Stage::Peering, &name, "W-FWD-OFF", || rest(link.remote))
            })
        })
    }

    /// To an appliance by its address (NVA-01).
    fn to_appliance(&self, at: Place, vnet: Sym, hop: IpAddr, packet: Packet, trip: &Trip) -> Outcome {
        let world = self.world;
        if world.in_space(vnet, hop) {
            let via = if world.firewall_at(vnet, hop).is_some() { Via::AzureFirewall } else { Via::Appliance };
            return self.device(self.at_appliance(vnet, hop, packet, trip), via);
        }
        let from = at.subnet;
        let mut ways = Vec::new();
        for peering in world.peerings.iter().filter(|p| p.vnet == vnet) {
            let (joined, there) = (world.is_connected(peering), world.peer_has(peering, hop));
            if joined.and(there).hi() {
                let group = world.managed.iter().any(|m| m.id == peering.peering && m.group);
                let known = if group { Tri::Maybe } else { Tri::Yes }; // NVA-01
                ways.push(check(joined, Stage::Peering, &name_of(peering.peering), "W-MISSING", || {
                    self.cross(from, peering.peering, Addr::Known(hop), &packet, trip, |remote| {
                        let on = || self.at_appliance(remote, hop, packet, trip);
                        check(there, Stage::Route, &hop.to_string(), "W-MISSING", || {
                            check(known, Stage::Route, &hop.to_string(), "W-NVA-UNKNOWN", on)
                        })
                    })
                }));
            }
        }
        if ways.is_empty() {
            return Outcome::denied(Stage::Route, hop.to_string()); // reachable over no peering: not a valid hop
        }
        let outcome = one_of(ways, Stage::Route, "W-OVERLAP");
        // A firewall has said so itself.
        if outcome.via == Some(Via::AzureFirewall) { outcome } else { self.device(outcome, Via::Appliance) }
    }

    /// In front of the appliance: its filters see the original addresses (NVA-04), then it must forward (NVA-02, NVA-05).
    fn at_appliance(&self, vnet: Sym, hop: IpAddr, packet: Packet, trip: &Trip) -> Outcome {
        let world = self.world;
        if packet.dst == Addr::Known(hop) {
            return self.deliver(vnet, packet, trip, Via::Appliance);
        }
        if let Some((firewall, subnet)) = world.firewall_at(vnet, hop) {
            return self.device(self.through_firewall(firewall, subnet, hop, packet, trip), Via::AzureFirewall);
        }
        let (nic, subnet) = match world.owner(vnet, hop) {
            Owner::Config { nic, subnet, .. } => (nic, subnet),
            Owner::Frontend(frontend) => return self.through_frontend(frontend, vnet, hop, packet, trip),
            Owner::Device(kind) => return Outcome::unproven(stage_of(kind), hop.to_string(), "W-UNSUPPORTED"),
            Owner::Endpoint(_) => return Outcome::denied(Stage::Appliance, hop.to_string()),
            Owner::Perhaps | Owner::Nobody | Owner::EmptySubnet => {
                return Outcome::unproven(Stage::Appliance, hop.to_string(), "W-NVA-UNKNOWN"); // NVA-10
            }
        };
        self.through_interface(nic, subnet, None, packet, trip)
    }

    /// Through the appliance behind an interface; replies also come back to it by a shared address.
    pub fn through_interface(&self, nic: Sym, subnet: Sym, shared: Option<IpAddr>, packet: Packet, trip: &Trip) -> Outcome {
        let world = self.world;
        match self.is_own(nic, packet.dst) {
            // It is for the interface itself (ADR-12).
            Tri::Yes => {
                return world.vnet_of(subnet).map_or_else(
                    || Outcome::unproven(Stage::Route, name_of(subnet), "W-MISSING"),
                    |vnet| self.deliver(vnet, packet, trip, Via::Appliance),
                );
            }
            Tri::Maybe => return Outcome::unproven(Stage::Route, name_of(nic), "dynamic-address"),
            Tri::No => {}
        }
        let machine = world.machine_of(nic).unwrap_or(nic);
        if trip.passed.iter().any(|p| p.machine == machine) {
            return Outcome::denied(Stage::Appliance, "loop"); // NVA-08
        }
        let place = Place { subnet, nic: Some(nic), endpoint: None };
        world.filter_in(place, &packet, || {
            let forwards = world.nic(nic).is_some_and(|n| n.forwarding);
            check(Tri::from_bool(forwards), Stage::Appliance, "enableIPForwarding=false", "", || {
                let (passes, snat) = world.contract(nic, &packet);
                check(passes, Stage::Appliance, "[[appliance]]", "W-NVA", || {
                    let entry = Passed { machine, subnet, shared, translated: false, before: packet.src, asked_at: None };
                    self.leave_appliance(nic, &entry, snat, packet, trip)
                })
            })
        })
    }

    /// Whether the packet is for the interface itself: who is asked for has the address that is tried.
    fn is_own(&self, nic: Sym, to: Addr) -> Tri {
        let asked = |c: &&IpConfig| c.nic == nic && self.target == Target::Config(c.ip_config);
        match self.world.has(nic, to) {
            Tri::Maybe if self.world.configs.iter().any(|c| asked(&c)) => Tri::Yes,
            Tri::Maybe if !matches!(self.target, Target::Address | Target::Outside | Target::Server) => Tri::No,
            has => has,
        }
    }

    /// Out of the appliance again, with its own address or with the old one (NVA-06, NVA-07).
    fn leave_appliance(&self, nic: Sym, entry: &Passed, snat: Tri, packet: Packet, trip: &Trip) -> Outcome {
        let world = self.world;
        let modes: Vec<bool> = match snat {
            Tri::Yes => vec![true],
            Tri::No => vec![false],
            Tri::Maybe => vec![false, true],
        };
        let exits: Vec<_> = world
            .nics
            .iter()
            .filter(|n| world.machine_of(n.nic).unwrap_or(n.nic) == entry.machine && n.forwarding && world.is_attached(n.nic))
            .collect();
        let mut outcomes = Vec::new();
        for exit in exits {
            let mut configs: Vec<_> = world.configs.iter().filter(|c| c.nic == exit.nic).collect();
            configs.sort_by_key(|c| !c.primary);
            let Some(config) = configs.first() else { continue };
            let place = Place { subnet: config.subnet, nic: Some(exit.nic), endpoint: None };
            let mut branches = Vec::new();
            for &translated in &modes {
                let mut onward = trip.clone();
                onward.from_gateway = false;
                // The two directions are kept together where the packet leaves by the interface it came in by.
                let shared = entry.shared.filter(|_| exit.nic == nic);
                onward.gateways.clear();
                onward.passed.push(Passed { translated, shared, ..entry.clone() });
                if !translated {
                    branches.push(self.send(place, packet, &onward));
                    continue;
                }
                // It shows one of its addresses, whichever.
                let addresses = |c: &&IpConfig| {
                    world.possible_addresses(c.ip_config, c.subnet).into_iter().map(|ip| (c.ip_config, ip)).collect::<Vec<_>>()
                };
                let mut sources: Vec<(Sym, IpAddr)> = configs.iter().flat_map(addresses).collect();
                let six = matches!(packet.dst, Addr::Known(ip) if ip.is_ipv6());
                sources.retain(|(_, ip)| ip.is_ipv6() == six);
                let each = sources.into_iter().map(|(config, ip)| {
                    let sent = Packet { src: Addr::Known(ip), src_config: Some(config), sport: None, ..packet };
                    self.send(place, sent, &onward)
                });
                let mut branch = all_of(each.collect());
                if branch.codes.contains("some") {
                    (branch.stage, branch.rule, branch.codes) = (Stage::Appliance, "snat".to_owned(), BTreeSet::from(["W-NVA"]));
                }
                branches.push(branch);
            }
            outcomes.push(all_of(branches));
        }
        // By an interface that nobody exported it may leave too.
        let unseen = world.nic_machines.iter().find(|m| Some(m.machine) == world.machine_of(nic) && world.nic(m.nic).is_none());
        outcomes.extend(unseen.map(|m| Outcome::unproven(Stage::Appliance, name_of(m.nic), "W-MISSING")));
        let outcome = any_of(outcomes); // it leaves by the interface that leads there
        // Whether it translates decides about the way back (decision 1).
        if snat == Tri::Maybe { outcome.doubted(Stage::Appliance, "snat", "W-NVA") } else { outcome }
    }

    /// Out to the internet, where the subnet has a way to do so (OUT-01).
    fn leave(&self, at: Place, packet: Packet, trip: &Trip) -> Outcome {
        if matches!(packet.dst, Addr::Known(ip) if is_private(ip)) {
            return Outcome::denied(Stage::Route, "Internet"); // RTE-17
        }
        if trip.from_gateway {
            return Outcome::denied(Stage::Route, "Internet"); // a gateway is no way out for on-premises traffic
        }
        if let Some(last) = trip.passed.last()
            && !last.translated
        {
            return Outcome::denied(Stage::Nat, "source of another machine"); // NVA-06
        }
        if let Target::Front(_) | Target::External(_) = self.target {
            return self.leave_for_front_end(at, packet, trip);
        }
        self.with_egress(at, &packet, |source| {
            let seen = Packet { src: source, src_config: None, sport: None, ..packet };
            let arrived = self.with_return(trip, || self.arrive_in_public(seen));
            // Whether the subscription may send mail stands nowhere (OUT-14).
            if packet.proto == Proto::Tcp && packet.dport == 25 { arrived.noted("W-SMTP") } else { arrived }
        })
    }
}

/// The stage at which a device decides.
pub fn stage_of(kind: DeviceKind) -> Stage {
    match kind {
        DeviceKind::AzureFirewall => Stage::AzureFirewall,
        _ => Stage::Appliance,
    }
}
