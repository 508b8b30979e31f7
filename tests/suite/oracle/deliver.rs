//! The end of the way: who takes the packet, and whether an answer finds its way back (SES-01 to SES-03).

use std::net::IpAddr;

use watertight::facts::config::ApplianceAllow;
use watertight::facts::network::{DeviceKind, Peering, PublicSku};
use watertight::model::{Prefix, Stage, Sym, Tri, Via};

use super::address::Owner;
use super::filter::{Place, split};
use super::packet::{Addr, Outcome, Packet, all_of, any_of, check};
use super::route::Hop;
use super::walk::{Back, Origin, Passed, Target, Trip, Walk, stage_of};
use super::world::{World, name_of};

impl Walk<'_, '_> {
    /// Inside a network: the owner of the address takes the packet (ADR-11, SND-07).
    pub fn deliver(&self, vnet: Sym, packet: Packet, trip: &Trip, via: Via) -> Outcome {
        let world = self.world;
        let Addr::Known(ip) = packet.dst else { return Outcome::denied(Stage::Route, "no-endpoint") };
        if !world.has_vnet(vnet) {
            return Outcome::unproven(Stage::Route, name_of(vnet), "W-MISSING"); // SND-04
        }
        let own = |config: Sym| world.addresses_of(config).contains(&ip) && matches!(world.owner(vnet, ip), Owner::Config { .. });
        if let (Target::Config(config), Some(frontend)) = (self.target, world.frontend_at(vnet, ip))
            && !own(config)
        {
            return self.at_frontend(frontend, vnet, packet, trip);
        }
        if let (Target::Slot(subnet), Some(_)) = (self.target, world.frontend_at(vnet, ip))
            && world.vnet_of(subnet) != Some(vnet)
        {
            // A machine that is only imagined is behind no frontend.
            return Outcome::denied(Stage::LoadBalancer, "somebody else has the address").beside(Stage::Route);
        }
        match self.target {
            Target::Slot(subnet) if world.vnet_of(subnet).is_none() => {
                return Outcome::unproven(Stage::Route, name_of(subnet), "W-MISSING"); // it may be one of this network
            }
            Target::Slot(subnet) if world.vnet_of(subnet) == Some(vnet) => {
                return self.arrive(Place { subnet, nic: None, endpoint: None }, packet, trip, via);
            }
            // A frontend of a subnet that is not in the input may be here: its address is not that of the machine behind it.
            Target::Config(config) if !world.may_have(config, ip) && world.owner(vnet, ip) == Owner::Perhaps => {
                return Outcome::unproven(Stage::Route, ip.to_string(), "dynamic-address");
            }
            Target::Config(config) if !world.may_have(config, ip) => {}
            Target::Config(config) => {
                if let Some(c) = world.configs.iter().find(|c| c.ip_config == config && world.vnet_of(c.subnet) == Some(vnet)) {
                    return self.arrive(Place { subnet: c.subnet, nic: Some(c.nic), endpoint: None }, packet, trip, via);
                }
                // Of a subnet that is not in the input nobody knows the network.
                if let Some(c) = world.configs.iter().find(|c| c.ip_config == config && world.vnet_of(c.subnet).is_none()) {
                    return Outcome::unproven(Stage::Route, name_of(c.subnet), "W-MISSING");
                }
            }
            Target::Endpoint(wanted, _) => {
                let homeless = |e: Sym| world.endpoints.iter().any(|row| row.endpoint == e && world.vnet_of(row.subnet).is_none());
                return match world.endpoints_at(vnet, ip) {
                    Some(endpoint) => self.arrive_at_endpoint(endpoint, packet, trip),
                    None if wanted.is_some_and(|e| world.a_rival_room_is_in(e, vnet, ip)) => {
                        self.arrive_at_endpoint(wanted.unwrap_or_default(), packet, trip)
                    }
                    None if wanted.is_some_and(homeless) => Outcome::unproven(Stage::Route, "", "W-MISSING"),
                    None => Outcome::denied(Stage::Route, "no-endpoint"),
                };
            }
            _ => {}
        }
        if self.target == Target::Server
            && let Some(outcome) = self.answer_names(vnet, ip, packet, trip, via)
        {
            return outcome;
        }
        if !matches!(self.target, Target::Address | Target::Outside | Target::Server) {
            return Outcome::denied(Stage::Route, "somebody else has the address");
        }
        match world.owner(vnet, ip) {
            Owner::Config { config, nic, subnet } => {
                let packet = Packet { dst_config: Some(config), ..packet };
                self.arrive(Place { subnet, nic: Some(nic), endpoint: None }, packet, trip, via)
            }
            Owner::Endpoint(endpoint) => self.arrive_at_endpoint(endpoint, packet, trip),
            Owner::Frontend(frontend) => self.at_frontend(frontend, vnet, packet, trip),
            Owner::Device(kind) => match world.device_addresses.iter().find(|a| a.address == ip && world.vnet_of(a.subnet) == Some(vnet)) {
                Some(row) if self.proxy(row.device).is_some() => self.at_proxy(row.device, &|l| l.address == Some(ip), packet, via),
                _ => match world.firewall_at(vnet, ip) {
                    Some((firewall, _)) => self.device(self.at_firewall(firewall, packet, trip), Via::AzureFirewall),
                    None => Outcome::unproven(stage_of(kind), ip.to_string(), "W-UNSUPPORTED"),
                },
            },
            Owner::Nobody => Outcome::denied(Stage::Route, "no-endpoint"),
            Owner::Perhaps => Outcome::unproven(Stage::Route, ip.to_string(), "dynamic-address"),
            Owner::EmptySubnet => {
                let subnet = world.subnet_at(vnet, ip).expect("the owner was found by the subnet");
                self.arrive(Place { subnet, nic: None, endpoint: None }, packet, trip, via).doubted(
                    Stage::Route,
                    ip.to_string(),
                    "no-endpoint",
                )
            }
        }
    }

    /// A server of names that is no machine of the input: something that answers stands in the subnet all the same (DNS-05, DNS-20).
    fn answer_names(&self, vnet: Sym, ip: IpAddr, packet: Packet, trip: &Trip, via: Via) -> Option<Outcome> {
        let world = self.world;
        let detached = |c: &&watertight::facts::network::IpConfig| {
            world.vnet_of(c.subnet) == Some(vnet) && world.addresses_of(c.ip_config).contains(&ip)
        };
        if world.configs.iter().any(|c| detached(&c) && !world.is_attached(c.nic)) {
            return None;
        }
        match world.owner(vnet, ip) {
            Owner::Config { .. } | Owner::Endpoint(_) | Owner::Frontend(_) => return None,
            Owner::Device(DeviceKind::ApplicationGateway | DeviceKind::Bastion) => return None,
            Owner::Device(_) if let Some((firewall, _)) = world.firewall_at(vnet, ip) => {
                return world.is_dns_proxy(firewall).then(|| Outcome::delivered(Via::AzureFirewall));
            }
            _ => {}
        }
        let subnet = world.subnet_at(vnet, ip);
        Some(
            subnet.map_or_else(
                || Outcome::delivered(via),
                |subnet| self.arrive(Place { subnet, nic: None, endpoint: None }, packet, trip, via),
            ),
        )
    }

    fn arrive(&self, place: Place, packet: Packet, trip: &Trip, via: Via) -> Outcome {
        let answers = || self.answers_by(place.nic, place.subnet, packet.src);
        let back = |flags| self.reply(Back::of(packet.dst, flags), place.subnet, packet.src, &trip.passed, self.origin).and(answers());
        let rule = self.first_route(place.subnet, packet.src);
        self.world.filter_in(place, &packet, || self.with_way_back(&rule, back, via))
    }

    /// From the internet to a machine whose address is not told, nor the range of its subnet: rules may name the address that it has, and yet its answer may
    /// surely be lost (SES-02).
    pub fn at_no_address(&self, place: Place, client: Addr) -> Outcome {
        let unknown = Outcome::unproven(Stage::NsgInbound, name_of(place.subnet), "W-MISSING");
        let back = || self.reply(Back::of(Addr::SomePublic, false), place.subnet, client, &[], Origin::Internet);
        if self.session && back() == Tri::No { unknown.refused_at(Stage::Route, self.first_route(place.subnet, client)) } else { unknown }
    }

    /// The prefix that a reply to `to` is sent by first, for the reason.
    pub fn first_route(&self, subnet: Sym, to: Addr) -> String {
        self.world.candidates(subnet, to).first().map_or(String::new(), |c| c.text.clone())
    }

    /// Delivered, if the way back does not count or is there, and no peering on it may refuse what is sent on: `back` is told whether that counts.
    pub fn with_way_back(&self, rule: &str, back: impl Fn(bool) -> Tri, via: Via) -> Outcome {
        if self.session { self.returned(rule, back, || Outcome::delivered(via)) } else { Outcome::delivered(via) }
    }

    fn returned(&self, rule: &str, back: impl Fn(bool) -> Tri, rest: impl FnOnce() -> Outcome) -> Outcome {
        let (home, strict) = (back(false), back(true));
        let taken = if strict == home { Tri::Yes } else { strict };
        check(home, Stage::Route, rule, "W-ASYM", || check(taken, Stage::Peering, "allowForwardedTraffic=false", "W-FWD-OFF", rest))
    }

    /// The way back from a translating appliance to whom it serves, for what is delivered outside the networks.
    pub fn with_return(&self, trip: &Trip, rest: impl FnOnce() -> Outcome) -> Outcome {
        self.with_return_of(Addr::SomePublic, trip, rest)
    }

    /// The same of what shows the source `shows`.
    pub fn with_return_of(&self, shows: Addr, trip: &Trip, rest: impl FnOnce() -> Outcome) -> Outcome {
        let Some((last, before)) = trip.passed.split_last().filter(|_| self.session) else { return rest() };
        let back = |flags| {
            let back = Back { shows: last.asked_at.unwrap_or(shows), relayed: true, flags };
            self.reply(back, last.subnet, last.before, before, self.origin)
        };
        let outcome = rest();
        // What the packet meets on its way out comes first.
        if outcome.verdict == watertight::model::Verdict::Denied { outcome } else { self.returned("way back", back, || outcome) }
    }

    /// Whether the guest surely answers by the interface it was asked at: off its own subnet only by its primary one (ADR-15).
    pub fn answers_by(&self, nic: Option<Sym>, subnet: Sym, to: Addr) -> Tri {
        let world = self.world;
        let siblings = nic.map_or(0, |nic| world.siblings(nic));
        let near = matches!(to, Addr::Known(ip) if world.subnet_space(subnet).iter().any(|prefix| prefix.contains(&ip)));
        if siblings < 2 || near || nic.is_some_and(|nic| world.is_primary(nic)) { Tri::Yes } else { Tri::Maybe }
    }

    /// Whether a reply to `to`, sent from `subnet`, comes back to where the packet came from, over the same appliances.
    pub fn reply(&self, back: Back, subnet: Sym, to: Addr, passed: &[Passed], origin: Origin) -> Tri {
        if self.takes_service_endpoint(subnet, to) {
            return Tri::Maybe;
        }
        let candidates = self.world.candidates(subnet, to);
        let mut worth: Vec<Tri> = candidates.iter().map(|c| self.reply_by(back, subnet, c.hop, to, passed, origin)).collect();
        if let [only] = candidates.as_slice() {
            let tri = worth.remove(0);
            return if tri.hi() && !only.sure.lo() { Tri::Maybe } else { tri };
        }
        if worth.iter().all(|w| *w == Tri::No) { Tri::No } else { Tri::Maybe }
    }

    /// Whether a reply to a public address perhaps leaves by a service endpoint, whose packets show another source (RTE-12, SES-01).
    fn takes_service_endpoint(&self, subnet: Sym, to: Addr) -> bool {
        let Addr::Known(ip) = to else { return false };
        self.world.address_is_covered(subnet, ip).hi() && self.world.diverts_service_endpoint(subnet, to) != Tri::Yes
    }

    /// Whether a reply may enter `there` by its peering with `here`: one that an appliance sends on with a source from elsewhere, where such is taken
    /// (PEER-06).
    fn enters(&self, back: Back, here: Sym, there: Sym) -> Tri {
        let near = matches!(back.shows, Addr::Known(ip) if self.world.in_space(here, ip));
        let told = |p: &&Peering| self.world.has_vnet(p.vnet) || !self.world.unlisted_sides.contains(&p.peering);
        let side = self.world.peerings.iter().filter(told).find(|p| p.vnet == there && p.remote == here);
        if !back.flags || !back.relayed || near || here == there || side.is_some_and(|p| p.forwarded) { Tri::Yes } else { Tri::Maybe }
    }

    fn reply_by(&self, back: Back, subnet: Sym, hop: Hop, to: Addr, passed: &[Passed], origin: Origin) -> Tri {
        let world = self.world;
        let Some(here) = world.vnet_of(subnet) else { return Tri::Maybe };
        let arrived = |vnet: Sym| self.arrived(back, vnet, passed, origin).and(self.enters(back, here, vnet));
        match hop {
            Hop::Local => arrived(here),
            Hop::Peering(peering) => world.peerings.iter().find(|p| p.peering == peering).map_or(Tri::Maybe, |p| arrived(p.remote)),
            Hop::Appliance(ip) if to == Addr::Known(ip) && world.in_space(here, ip) => arrived(here),
            Hop::Appliance(ip) => self.reply_over(back, here, ip, to, passed, origin),
            Hop::Gateway(gateway) => self.reply_by_gateways(subnet, here, &[(gateway, Tri::Yes)], to, passed, origin),
            Hop::GatewayByRule => self.reply_by_gateways(subnet, here, &world.gateways_of(here), to, passed, origin),
            Hop::Internet => Tri::from_bool(origin == Origin::Internet && passed.is_empty()),
            Hop::Drop | Hop::Endpoint(_) => Tri::No,
            Hop::Unknown => Tri::Maybe,
        }
    }

    /// Whether a reply that is delivered in the network has come to where it must go first: to the translating appliance, or, without one, to the origin.
    fn arrived(&self, back: Back, vnet: Sym, passed: &[Passed], origin: Origin) -> Tri {
        let wanted = match (passed.last(), origin) {
            (Some(last), _) if last.translated => self.world.vnet_of(last.subnet),
            (_, Origin::Network(vnet)) => Some(vnet),
            (_, Origin::Site(_) | Origin::Internet) => None,
        };
        if wanted != Some(vnet) {
            // Which network a peering leads to that names none is anybody's guess.
            let nameless = self.world.peerings.iter().any(|p| p.remote == vnet && super::links::is_nameless(p));
            return if nameless { Tri::Maybe } else { Tri::No };
        }
        match passed.split_last() {
            None => Tri::Yes,
            Some((last, before)) if last.translated => self.reply(sent_on(back, last), last.subnet, last.before, before, origin),
            // The reply goes past the appliance that saw the packet: a stateful one may not like it.
            Some(_) => Tri::Maybe,
        }
    }

    fn reply_over(&self, back: Back, here: Sym, hop: IpAddr, to: Addr, passed: &[Passed], origin: Origin) -> Tri {
        let world = self.world;
        if origin == Origin::Internet && passed.is_empty() {
            return Tri::No; // SES-02: an inbound connection whose answer leaves by another way is lost
        }
        let mut networks = Vec::new();
        if world.in_space(here, hop) {
            networks.push(here);
        } else {
            for p in world.peerings.iter().filter(|p| p.vnet == here && world.is_connected(p).hi()) {
                if world.peer_has(p, hop).hi() {
                    networks.push(p.remote);
                }
            }
        }
        let [network] = networks.as_slice() else { return if networks.is_empty() { Tri::No } else { Tri::Maybe } };
        let enters = self.enters(back, here, *network);
        let beyond = match world.owner(*network, hop) {
            // The next hop is whom the reply is for.
            Owner::Config { .. } if to == Addr::Known(hop) && passed.is_empty() => Tri::from_bool(origin == Origin::Network(*network)),
            Owner::Config { nic, subnet, .. } => {
                let machine = world.machine_of(nic).unwrap_or(nic);
                match passed.split_last() {
                    Some((last, before)) if last.machine == machine && !last.translated => {
                        self.reply(sent_on(back, last), subnet, to, before, origin)
                    }
                    _ => match world.has(nic, to) {
                        Tri::Yes => self.arrived(back, *network, passed, origin),
                        Tri::No if !world.nic(nic).is_some_and(|n| n.forwarding) => Tri::No,
                        _ => Tri::Maybe, // another stateful device than on the way there
                    },
                }
            }
            Owner::Frontend(frontend) => match passed.split_last() {
                Some((last, before)) if last.shared == Some(hop) && !last.translated => {
                    self.reply(sent_on(back, last), last.subnet, to, before, origin)
                }
                _ if world.hands_to_nobody_who_forwards(frontend) => Tri::No,
                _ => Tri::Maybe,
            },
            Owner::Endpoint(_) => Tri::No,
            _ => match (world.firewall_at(*network, hop), passed.split_last()) {
                (Some((firewall, subnet)), Some((last, before))) if last.machine == firewall => {
                    let next = if last.translated { last.before } else { to };
                    self.reply(sent_on(back, last), subnet, next, before, origin)
                }
                _ => Tri::Maybe,
            },
        };
        beyond.and(enters)
    }

    /// By the gateways: to a site, or on into a network that they lead to.
    fn reply_by_gateways(&self, subnet: Sym, here: Sym, gateways: &[(Sym, Tri)], to: Addr, passed: &[Passed], origin: Origin) -> Tri {
        match origin {
            Origin::Network(home) if passed.is_empty() => self.world.gateways_bring_home(subnet, here, to, home),
            Origin::Site(site) if passed.is_empty() => self.world.gateways_answer_site(subnet, here, site, to),
            // Where a gateway leads that learned what nobody tells is not known either.
            Origin::Site(_) if self.world.gateway_routes(here).iter().any(|route| route.prefix.is_none()) => {
                self.reply_to_site(gateways, passed, origin).or(Tri::Maybe)
            }
            _ => self.reply_to_site(gateways, passed, origin),
        }
    }

    fn reply_to_site(&self, gateways: &[(Sym, Tri)], passed: &[Passed], origin: Origin) -> Tri {
        let world = self.world;
        let Origin::Site(site) = origin else {
            return match origin {
                Origin::Internet if passed.is_empty() => Tri::No, // SES-02
                _ if gateways.is_empty() => Tri::No,
                _ => Tri::Maybe,
            };
        };
        let leads = gateways.iter().filter(|(gateway, _)| {
            let connected = world.connections.iter().any(|c| c.gateway == *gateway && world.ends_at(c, site));
            connected || *gateway == site || world.is_unseen_gateway(*gateway)
        });
        let unseen = gateways.iter().any(|(gateway, _)| *gateway != site && world.is_unseen_gateway(*gateway));
        match leads.count() {
            0 => Tri::No,
            _ if passed.is_empty() && !unseen => Tri::Yes,
            _ => Tri::Maybe,
        }
    }

    /// At a public address: one of ours, or somewhere in the internet (OUT-12, IN-02, IN-12).
    pub fn arrive_in_public(&self, packet: Packet) -> Outcome {
        let world = self.world;
        let Addr::Known(ip) = packet.dst else { return Outcome::unproven(Stage::Route, "", "unknown-address") };
        let ours: Vec<Sym> = world.public_ip_addresses.iter().filter(|a| a.address == ip).map(|a| a.public_ip).collect();
        if let Some(hub) = world.firewall_hub_addresses.iter().find(|h| h.address == ip) {
            return self.device(self.at_firewall(hub.firewall, packet, &Trip::default()), Via::AzureFirewall);
        }
        if ours.is_empty() {
            if world.public_ip_ranges.iter().any(|r| r.prefix.contains(&ip)) {
                if let Some(id) = world.half_seen_holder() {
                    return Outcome::unproven(Stage::Route, name_of(id), "W-MISSING");
                }
                if world.has_lost_public_ip(ip) {
                    return Outcome::unproven(Stage::Route, "", "W-MISSING");
                }
                return Outcome::denied(Stage::Route, "no-endpoint");
            }
            if matches!(self.target, Target::Config(_) | Target::Slot(_) | Target::Site(_) | Target::Endpoint(..)) {
                return Outcome::denied(Stage::Delivered, "an address of the internet");
            }
            let delivered = Outcome::delivered(Via::Public);
            // A public address that nobody exported may be just this one.
            let lost = self.target == Target::Address && world.has_lost_public_ip(ip);
            return if lost { delivered.doubted(Stage::Route, "", "W-MISSING") } else { delivered };
        }
        any_of(ours.into_iter().map(|public_ip| self.arrive_at_public_ip(public_ip, packet)).collect())
    }

    fn arrive_at_public_ip(&self, public_ip: Sym, packet: Packet) -> Outcome {
        let world = self.world;
        let mut said: Vec<Outcome> = Vec::new();
        for device in world.device_public_ips.iter().filter(|d| d.public_ip == public_ip) {
            said.push(if world.is_firewall(device.device) {
                self.device(self.at_firewall(device.device, packet, &Trip::default()), Via::AzureFirewall)
            } else if self.proxy(device.device).is_some() {
                self.at_proxy(device.device, &|l| l.public_ip == public_ip, packet, Via::Public)
            } else {
                self.unknown_device(device.device)
            });
        }
        let fronts = world.fronts.iter().filter(|f| f.public_ip == public_ip);
        said.extend(fronts.map(|f| self.at_public_frontend(f.frontend, packet)));
        if world.nat_public_ips.iter().any(|n| n.public_ip == public_ip) {
            said.push(Outcome::denied(Stage::Nat, name_of(public_ip))); // IN-07
        }
        let configs = world.config_public_ips.iter().filter(|c| c.public_ip == public_ip);
        said.extend(configs.map(|c| self.arrive_at_instance(public_ip, c.ip_config, packet)));
        if let Some(holder) = world.holder_that_is_silent(public_ip) {
            said.push(Outcome::unproven(Stage::Route, name_of(holder), "W-MISSING"));
        }
        if said.is_empty() {
            return match world.half_seen_holder() {
                Some(id) => Outcome::unproven(Stage::Route, name_of(id), "W-MISSING"),
                None => Outcome::denied(Stage::Route, "no-endpoint"), // IN-12
            };
        }
        let outcome = any_of(said);
        if world.is_of_two(public_ip) { outcome.doubted(Stage::Nat, name_of(public_ip), "W-MISSING") } else { outcome }
    }

    /// Through an instance public address to its owner (IN-02, IN-03).
    pub fn arrive_at_instance(&self, public_ip: Sym, config: Sym, packet: Packet) -> Outcome {
        let world = self.world;
        let Some(c) = world.configs.iter().find(|c| c.ip_config == config) else {
            return Outcome::denied(Stage::Route, "no-endpoint");
        };
        if world.nic(c.nic).is_none() {
            return Outcome::unproven(Stage::Route, name_of(c.nic), "W-MISSING");
        }
        if !world.is_attached(c.nic) {
            return Outcome::denied(Stage::Route, "no-endpoint");
        }
        let place = Place { subnet: c.subnet, nic: Some(c.nic), endpoint: None };
        let sku = world.public_ips.iter().find(|p| p.public_ip == public_ip).map_or(PublicSku::Unknown, |p| p.sku);
        let always = world.perhaps_always(place, &Packet { dst_config: Some(config), ..packet });
        let groups = world.groups_at(place);
        let nameless = |nsg: &Sym| nsg.as_str().ends_with("/unknown-networksecuritygroup");
        let open = match sku {
            PublicSku::Basic => Tri::Yes,
            _ if !groups.is_empty() && groups.iter().all(nameless) => Tri::Maybe, // which one it is, and whether there is one, nobody says
            _ if !groups.is_empty() => Tri::Yes,
            PublicSku::Standard | PublicSku::StandardV2 if world.vnet_of(c.subnet).is_none() => Tri::Maybe,
            PublicSku::Standard | PublicSku::StandardV2 if always => Tri::Maybe, // AVN-10
            PublicSku::Standard | PublicSku::StandardV2 => Tri::No,
            PublicSku::Unknown => Tri::Maybe,
        };
        let chained = world.chains.iter().any(|c| c.end == config);
        let outcome = check(open, Stage::NsgInbound, "secure by default", "W-MISSING", || {
            let each = world.possible_addresses(config, c.subnet).into_iter().map(|ip| {
                let inside = Packet { dst: Addr::Known(ip), dst_config: Some(config), ..packet };
                let back = |flags| {
                    self.reply(Back::of(Addr::Known(ip), flags), c.subnet, packet.src, &[], Origin::Internet)
                        .and(self.answers_by(place.nic, c.subnet, packet.src))
                };
                let rule = self.first_route(c.subnet, packet.src);
                world.filter_in(place, &inside, || self.with_way_back(&rule, back, Via::Public))
            });
            let each: Vec<Outcome> = each.collect();
            if each.is_empty() {
                return self.at_no_address(place, packet.src);
            }
            if world.vnet_of(c.subnet).is_none() {
                let refused = !each.is_empty() && each.iter().all(|o| o.verdict == watertight::model::Verdict::Denied);
                let unknown = || Outcome::unproven(Stage::NsgInbound, name_of(c.subnet), "W-MISSING");
                return if refused { all_of(each) } else { unknown() };
            }
            all_of(each)
        });
        if chained { outcome.doubted(Stage::Appliance, "", "W-NVA") } else { outcome } // IN-11
    }
}

impl World<'_> {
    /// What the appliance behind the interface does with the packet, and whether it translates (NVA-05, decision 20).
    pub fn contract(&self, nic: Sym, packet: &Packet) -> (Tri, Tri) {
        let contracts: Vec<_> = self.appliances.iter().filter(|a| a.nic == nic).collect();
        let Some(first) = contracts.first() else { return (Tri::Maybe, Tri::Maybe) };
        let snat = if contracts.iter().all(|c| c.snat == first.snat) { first.snat } else { Tri::Maybe };
        let listed = |allow: &ApplianceAllow| allow.ports.items().iter().any(|&(l, h)| (l..=h).contains(&packet.dport));
        let fits = |allow: &&ApplianceAllow| {
            let proto = allow.protocol.as_str() == "*" || allow.protocol.as_str() == packet.proto.as_str();
            // Ports that are named are those of TCP and UDP.
            let whole = allow.protocol.as_str() != "*" || allow.ports.items() == [watertight::model::traffic::ANY_PORT];
            let port = if packet.proto.has_ports() { listed(allow) } else { whole };
            allow.nic == nic && proto && port
        };
        let lines: Vec<_> = self.appliance_allows.iter().filter(fits).collect();
        // Where an end is not known, every place it may have counts, cut wherever a line begins or ends (M-14).
        let cells = |addr: Addr, listed: Vec<Prefix>| {
            let whole = match addr {
                Addr::Known(ip) => return vec![watertight::model::net::host(ip)],
                Addr::SomePublic => None,
                Addr::Front(service, region) => self.front_prefixes(service, region),
            };
            let whole = whole.unwrap_or_else(super::address::public_v4);
            listed.into_iter().fold(whole, |cells, by| split(&cells, by))
        };
        let holds = |prefix: Prefix, cell: &Prefix| prefix.contains(cell) || prefix.prefix_len() == 0 && prefix.network().is_ipv4();
        let sources = cells(packet.src, lines.iter().map(|line| line.from).collect());
        let destinations = cells(packet.dst, lines.iter().map(|line| line.to).collect());
        let pairs = || sources.iter().flat_map(|src| destinations.iter().map(move |dst| (src, dst)));
        let listed = |(src, dst): (&Prefix, &Prefix)| lines.iter().any(|line| holds(line.from, src) && holds(line.to, dst));
        let passes = match (pairs().all(listed), pairs().any(listed)) {
            (true, _) => Tri::Yes,
            (false, true) => Tri::Maybe,
            (false, false) => Tri::No,
        };
        (passes, snat)
    }

    /// Whether two names are of one site: a local network gateway's id, or the name a person gave it.
    pub fn same_site(&self, a: Sym, b: Sym) -> bool {
        let stated = |id: Sym| self.sites.iter().any(|s| s.site == id);
        a == b || ((stated(a) || stated(b)) && name_of(a).eq_ignore_ascii_case(&name_of(b)))
    }

    /// Whether what `site` has for an address is at the site `wanted`: by name, or because a person stated that the address is there.
    pub fn is_at(&self, wanted: Sym, site: Sym, ip: Addr) -> bool {
        self.same_site(wanted, site) || self.site_prefixes.iter().any(|p| p.site == wanted && self.in_prefix(ip, p.prefix).lo())
    }

    /// All addresses of a site (GW-01).
    pub fn site_space(&self, site: Sym) -> Vec<Prefix> {
        let mut all: Vec<Prefix> = self.local_prefixes.iter().filter(|p| self.same_site(site, p.site)).map(|p| p.prefix).collect();
        all.extend(self.site_prefixes.iter().filter(|p| self.same_site(site, p.site)).map(|p| p.prefix));
        all.extend(self.client_pools.iter().filter(|p| p.gateway == site).map(|p| p.prefix));
        // What it told a gateway by BGP, where nobody else can have been it.
        for row in self.learned.iter().filter(|row| row.prefix.prefix_len() > 0) {
            if let (true, [one]) = (row.origin.as_str() == "ebgp", &self.tellers(row)[..])
                && self.ends_at(one, site)
            {
                all.push(row.prefix);
            }
        }
        all.sort();
        all.dedup();
        all
    }
}

/// The reply as `last` sends it on.
fn sent_on(back: Back, last: &Passed) -> Back {
    Back { shows: last.asked_at.unwrap_or(back.shows), relayed: true, flags: back.flags }
}
