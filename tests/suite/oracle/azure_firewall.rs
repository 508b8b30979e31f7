//! Azure Firewall, one packet at a time: three lists of rules, translation, and its own addresses (AFW-01 to AFW-11, OUT-13).

use std::net::IpAddr;

use watertight::facts::azure_firewall::*;
use watertight::facts::network::{Access, HopKind, Protocol};
use watertight::facts::selector::{Selector, Selectors};
use watertight::model::net::is_public;
use watertight::model::traffic::ANY_PORT;
use watertight::model::{Prefix, Proto, Stage, Sym, Tri, Via};

use super::Ask;
use super::dns::Answer;
use super::egress::WayOut;
use super::ends::Start;
use super::filter::Place;
use super::packet::{Addr, Called, Outcome, Packet, all_of, any_of, check};
use super::walk::{Origin, Passed, Target, Trip, Walk};
use super::world::{World, name_of};

const STAGE: Stage = Stage::AzureFirewall;

/// A rule with all that decides when it is looked at.
struct Line {
    rule: FirewallRule,
    /// How many policies stand below the one it is in.
    height: usize,
    place: (u32, u32),
    allow: bool,
    matches: Tri,
    name: String,
}

impl Line {
    /// Whether the firewall looks at this one in an earlier collection.
    fn before(&self, other: &Line) -> bool {
        self.height > other.height || (self.height == other.height && self.place < other.place)
    }
}

/// What a list of rules says.
struct Said {
    allowed: Tri,
    matched: Tri,
    rule: String,
}

impl World<'_> {
    /// The Azure Firewall whose address in the network is `ip`, with its subnet.
    pub fn firewall_at(&self, vnet: Sym, ip: IpAddr) -> Option<(Sym, Sym)> {
        let here = |a: &&watertight::facts::network::DeviceAddress| a.address == ip && self.vnet_of(a.subnet) == Some(vnet);
        let found = self.device_addresses.iter().filter(here).find(|a| self.is_firewall(a.device))?;
        Some((found.device, found.subnet))
    }

    pub fn is_firewall(&self, id: Sym) -> bool {
        self.firewalls.iter().any(|f| f.firewall == id)
    }

    /// Whether it answers names for others.
    pub fn is_dns_proxy(&self, firewall: Sym) -> bool {
        let owner = self.settings_of(firewall).first().copied();
        self.dns_proxies.iter().any(|p| Some(p.owner) == owner)
    }

    fn firewall_row(&self, id: Sym) -> AzureFirewall {
        *self.firewalls.iter().find(|f| f.firewall == id).expect("asked of firewalls only")
    }

    /// Its policy, the policy's parent, and so on; and what of all of it the input lacks.
    fn policies_of(&self, firewall: Sym) -> (Vec<Sym>, Vec<Sym>) {
        let (mut policies, mut missing) = (Vec::new(), Vec::new());
        let mut next = self.firewall_row(firewall).policy;
        while !next.is_empty() && !policies.contains(&next) {
            let Some(row) = self.firewall_policies.iter().find(|p| p.policy == next) else {
                missing.push(next);
                break;
            };
            let listed: Vec<Sym> = self.policy_groups.iter().filter(|g| g.policy == next).map(|g| g.group).collect();
            missing.extend(listed.iter().filter(|g| !self.firewall_groups.iter().any(|row| row.group == **g)));
            let kind = "microsoft.network/firewallpolicies/rulecollectiongroups";
            let stated = self.complete_types.iter().any(|c| c.kind.as_str() == kind);
            if !row.listed && self.firewall_groups.is_empty() && !stated {
                missing.push(next); // decision 22
            }
            policies.push(next);
            next = row.base;
        }
        (policies, missing)
    }

    /// Who holds the settings.
    fn settings_of(&self, firewall: Sym) -> Vec<Sym> {
        let (policies, _) = self.policies_of(firewall);
        if self.firewall_row(firewall).policy.is_empty() { vec![firewall] } else { policies }
    }

    fn lines(&self, firewall: Sym, pass: FirewallPass, packet: &Packet) -> Vec<Line> {
        let mut collections: Vec<(usize, u32, FirewallCollection)> = Vec::new();
        for (height, policy) in self.policies_of(firewall).0.into_iter().enumerate() {
            for group in self.firewall_groups.iter().filter(|g| g.policy == policy) {
                collections.extend(self.collections.iter().filter(|c| c.owner == group.group).map(|c| (height, group.priority, *c)));
            }
        }
        if self.firewall_row(firewall).policy.is_empty() {
            collections.extend(self.collections.iter().filter(|c| c.owner == firewall).map(|c| (0, 0, *c)));
        }
        let mut lines = Vec::new();
        for (height, group, collection) in collections {
            // With both actions nobody knows what it does, or when.
            let both = self.collections.iter().filter(|c| c.owner == collection.owner && c.collection == collection.collection).count() > 1;
            let perhaps = both && pass == FirewallPass::Nat;
            if perhaps && collection.action == Access::Deny {
                continue;
            }
            for rule in self.firewall_rules.iter().filter(|r| r.collection == collection.collection && r.pass == pass) {
                lines.push(Line {
                    rule: *rule,
                    height,
                    place: (group, collection.priority),
                    allow: collection.action == Access::Allow,
                    matches: self.firewall_rule_matches(firewall, rule, packet).and(if perhaps { Tri::Maybe } else { Tri::Yes }),
                    name: match collection.owner == firewall {
                        true => format!("{}/{}", name_of(collection.collection), name_of(rule.rule)),
                        false => format!("{}/{}/{}", name_of(collection.owner), name_of(collection.collection), name_of(rule.rule)),
                    },
                });
            }
        }
        lines
    }

    /// First match over one pass: a rule counts surely where nothing else may come before it.
    fn pass(&self, firewall: Sym, pass: FirewallPass, packet: &Packet) -> Said {
        let lines = self.lines(firewall, pass, packet);
        let denies = |a: &Line, equal: bool, matches: &dyn Fn(Tri) -> bool| {
            lines.iter().any(|d| !d.allow && matches(d.matches) && (d.before(a) || (equal && !a.before(d))))
        };
        let must = lines.iter().any(|a| a.allow && a.matches == Tri::Yes && !denies(a, true, &Tri::hi));
        let may = lines.iter().any(|a| a.allow && a.matches.hi() && !denies(a, false, &Tri::lo));
        let first = lines.iter().filter(|l| l.matches.hi()).min_by_key(|l| (std::cmp::Reverse(l.height), l.place));
        Said {
            allowed: if must { Tri::Yes } else { Tri::from_bool(may).and(Tri::Maybe) },
            matched: lines.iter().map(|l| l.matches).max().unwrap_or(Tri::No),
            rule: first.map_or(String::new(), |l| l.name.clone()),
        }
    }

    fn firewall_rule_matches(&self, firewall: Sym, rule: &FirewallRule, packet: &Packet) -> Tri {
        let traffic = self.rule_traffic.iter().filter(|t| t.rule == rule.rule);
        let traffic = traffic.map(|t| protocol_matches(t, packet)).max().unwrap_or(Tri::No);
        let source = self.firewall_side(rule, FirewallSide::Source, rule.sources, packet.src);
        let address = self.firewall_side(rule, FirewallSide::Destination, rule.destinations, packet.dst);
        let names = self.rule_names.iter().filter(|n| n.rule == rule.rule);
        let destination = match rule.pass {
            FirewallPass::Application => {
                let named = names.map(|n| called(n, packet.called)).max().unwrap_or(Tri::Maybe);
                if address == Tri::Yes { named } else { named.and(Tri::Maybe) }
            }
            FirewallPass::Network | FirewallPass::Nat => {
                address.or(names.map(|n| self.held_at(firewall, n.name.as_str(), packet.dst)).max().unwrap_or(Tri::No))
            }
        };
        traffic.and(source).and(destination)
    }

    fn firewall_side(&self, rule: &FirewallRule, side: FirewallSide, field: Selectors, addr: Addr) -> Tri {
        let mut best = Tri::No;
        for item in field.items() {
            best = best.or(match item {
                Selector::Any => Tri::Yes,
                Selector::Prefix(prefix) => self.in_prefix(addr, prefix),
                Selector::Tag(tag) if ["(unknown)", "virtualnetwork", "internet", "azureloadbalancer"].contains(&tag.as_str()) => {
                    Tri::Maybe
                }
                Selector::Tag(tag) => self.in_tag(tag, Sym::EMPTY, addr),
                Selector::Asg(_) => Tri::No,
            });
        }
        for named in self.rule_ip_groups.iter().filter(|g| g.rule == rule.rule && g.side == side) {
            if !self.ip_groups.iter().any(|g| g.group == named.group) {
                best = best.or(Tri::Maybe);
            }
            for row in self.ip_group_prefixes.iter().filter(|p| p.group == named.group) {
                best = best.or(self.in_prefix(addr, row.prefix));
            }
        }
        best
    }

    /// Whether a name of a network rule leads to the address (AFW-04).
    fn held_at(&self, firewall: Sym, name: &str, addr: Addr) -> Tri {
        let public = self.is_public_addr(addr);
        match self.resolve_at_firewall(firewall, name) {
            Answer::Addresses(ips) => Tri::from_bool(matches!(addr, Addr::Known(ip) if ips.contains(&ip))),
            Answer::Public(_) => public.and(Tri::Maybe),
            Answer::Nothing("servfail") | Answer::Unknown(_) => Tri::Maybe,
            Answer::Nothing(_) => Tri::No,
        }
    }

    /// What the firewall is told when it asks for a name.
    pub fn resolve_at_firewall(&self, firewall: Sym, name: &str) -> Answer {
        let owner = self.settings_of(firewall).first().copied().unwrap_or_default();
        let mut servers: Vec<_> = self.firewall_servers.iter().filter(|s| s.owner == owner).collect();
        servers.sort_by_key(|s| s.position);
        let home = self.device_addresses.iter().filter(|a| a.device == firewall).find_map(|a| self.vnet_of(a.subnet));
        match (servers.first(), home) {
            (Some(first), _) => self.ask(first.server, name, 0),
            (None, Some(vnet)) => self.azure(vnet, name, 0),
            (None, None) => Answer::Unknown("network"),
        }
    }

    /// What a firewall answers to whom it serves names (DNS-20).
    pub fn ask_firewall(&self, server: IpAddr, name: &str) -> Option<Answer> {
        let device = self.device_addresses.iter().find(|a| a.address == server && self.is_firewall(a.device))?.device;
        let (policies, missing) = self.policies_of(device);
        let owner = self.settings_of(device).first().copied()?;
        if self.dns_proxies.iter().any(|p| p.owner == owner) {
            return Some(self.resolve_at_firewall(device, name));
        }
        let unknown = policies.is_empty() && !missing.is_empty() || !self.translations.is_empty();
        Some(if unknown { Answer::Unknown("firewall") } else { Answer::Nothing("servfail") })
    }

    /// Whether a network rule's traffic to `addr` keeps its source (AFW-08).
    fn keeps_source(&self, firewall: Sym, addr: Addr) -> Tri {
        let owners = self.settings_of(firewall);
        let ranges = |owner: &Sym| self.private_ranges.iter().filter(|r| r.owner == *owner).map(|r| r.prefix).collect::<Vec<Prefix>>();
        let defaults = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].map(|p| p.parse::<Prefix>().expect("literal"));
        let within = |list: &[Prefix]| list.iter().map(|p| self.in_prefix(addr, *p)).max().unwrap_or(Tri::No);
        let own = owners.first().map(ranges).unwrap_or_default();
        let kept = if own.is_empty() { within(&defaults) } else { within(&own) };
        let inherited = owners.iter().skip(1).map(ranges).find(|r| !r.is_empty());
        if own.is_empty() && inherited.is_some_and(|list| within(&list) != kept) {
            return Tri::Maybe;
        }
        let learns = owners.iter().any(|o| self.learns_ranges.iter().any(|l| l.owner == *o));
        if learns { kept.or(Tri::Maybe) } else { kept }
    }

    /// The ways out of a firewall (OUT-13).
    pub fn firewall_way_out(&self, firewall: Sym, subnet: Sym, packet: &Packet) -> WayOut {
        let mut own: Vec<Addr> = Vec::new();
        for row in self.device_public_ips.iter().filter(|d| d.device == firewall) {
            let known = self.public_addresses_of(row.public_ip);
            if known.is_empty() || self.is_of_two(row.public_ip) {
                own = vec![Addr::SomePublic];
                break;
            }
            own.extend(known.into_iter().map(Addr::Known));
        }
        own.extend(self.firewall_hub_addresses.iter().filter(|a| a.firewall == firewall).map(|a| Addr::Known(a.address)));
        let carried = packet.proto.has_ports() || packet.proto == Proto::Icmp;
        if let Some(nat) = self.subnet_nats.iter().find(|n| n.subnet == subnet).map(|n| n.gateway) {
            if packet.proto.has_ports() {
                let sources = self.nat_sources(nat, true);
                return match self.nats.iter().any(|n| n.gateway == nat) && !sources.is_empty() {
                    true => WayOut::by(name_of(nat), sources),
                    false => WayOut::maybe(Stage::Nat, name_of(nat), "W-MISSING", Vec::new()),
                };
            }
            return match carried && !own.is_empty() {
                true => WayOut::maybe(Stage::Nat, name_of(nat), "nat-icmp", own),
                false => WayOut::none(&name_of(nat)),
            };
        }
        if own.is_empty() || !carried { WayOut::none("no public address") } else { WayOut::by(name_of(firewall), own) }
    }
}

impl Walk<'_, '_> {
    /// The packet is handed to the firewall at `hop`.
    pub fn through_firewall(&self, firewall: Sym, subnet: Sym, hop: IpAddr, packet: Packet, trip: &Trip) -> Outcome {
        let world = self.world;
        if trip.passed.iter().any(|p| p.machine == firewall) {
            return Outcome::denied(STAGE, "loop");
        }
        if !packet.is_v4() {
            return Outcome::denied(STAGE, "ipv6");
        }
        let forced = world.firewall_row(firewall).forced;
        let home = Tri::from_bool(forced || !world.default_route_leads_away(subnet)).or(Tri::Maybe);
        check(home, STAGE, "default route", "W-UNSUPPORTED", || {
            check(self.uninspected(firewall, &packet), STAGE, "threatIntelMode", "W-UNSUPPORTED", || {
                self.by_rules(firewall, subnet, hop, packet, trip)
            })
        })
    }

    fn by_rules(&self, firewall: Sym, subnet: Sym, hop: IpAddr, packet: Packet, trip: &Trip) -> Outcome {
        let world = self.world;
        let leave = |translated: bool| self.leave_firewall(firewall, subnet, hop, translated, packet, trip);
        let missing = world.policies_of(firewall).1;
        if let Some(first) = missing.first() {
            return any_of(vec![leave(false), leave(true)]).doubted(STAGE, name_of(*first), "W-MISSING");
        }
        let network = world.pass(firewall, FirewallPass::Network, &packet);
        let application = world.pass(firewall, FirewallPass::Application, &packet);
        // The second pass sees only what nothing in the first one matched.
        let behind = application.allowed.and(network.matched.negated());
        let translations = world.lines(firewall, FirewallPass::Nat, &packet);
        let meant = translations
            .iter()
            .any(|l| l.matches.hi() && l.rule.destinations.items().iter().any(|item| matches!(item, Selector::Prefix(_))));
        let mut ways = Vec::new();
        if network.allowed.hi() {
            let by_range = match world.keeps_source(firewall, packet.dst) {
                Tri::Yes => leave(false),
                Tri::No => leave(true),
                Tri::Maybe => any_of(vec![leave(false), leave(true)]).doubted(STAGE, "snat", "W-UNSUPPORTED"),
            };
            ways.push(check(network.allowed, STAGE, &network.rule, "unsure-rule", || by_range));
        }
        if behind.hi() {
            ways.push(check(behind, STAGE, &application.rule, "unsure-rule", || leave(true)));
        }
        if ways.is_empty() {
            let rule = if network.matched.hi() { network.rule } else { application.rule };
            return Outcome::denied(STAGE, rule);
        }
        let outcome = any_of(ways);
        if meant { outcome.doubted(STAGE, "nat", "W-UNSUPPORTED") } else { outcome }
    }

    /// A firewall that a hub puts in the way: what its rules let on goes `beyond`; with another source only perhaps, where a reply must come back
    /// inside the hub.
    pub fn past_hub_firewall(&self, firewall: Sym, packet: Packet, beyond: &dyn Fn() -> Outcome) -> Outcome {
        let world = self.world;
        let private = world.is_public_addr(packet.dst) == Tri::No;
        let leave = |translated: Tri| {
            let outcome = beyond();
            if private && translated.hi() { outcome.doubted(STAGE, name_of(firewall), "W-VWAN") } else { outcome }
        };
        check(self.uninspected(firewall, &packet), STAGE, "threatIntelMode", "W-UNSUPPORTED", || {
            if let Some(first) = world.policies_of(firewall).1.first() {
                return leave(Tri::Maybe).doubted(STAGE, name_of(*first), "W-MISSING");
            }
            let network = world.pass(firewall, FirewallPass::Network, &packet);
            let application = world.pass(firewall, FirewallPass::Application, &packet);
            let behind = application.allowed.and(network.matched.negated());
            let mut ways = Vec::new();
            if network.allowed.hi() {
                let keeps = world.keeps_source(firewall, packet.dst);
                ways.push(check(network.allowed, STAGE, &network.rule, "unsure-rule", || leave(keeps.negated())));
            }
            if behind.hi() {
                ways.push(check(behind, STAGE, &application.rule, "unsure-rule", || leave(Tri::Yes)));
            }
            let rule = if network.matched.hi() { network.rule.clone() } else { application.rule.clone() };
            if ways.is_empty() { Outcome::denied(STAGE, rule) } else { any_of(ways) }
        })
    }

    /// Out of a hub with the addresses of its firewall (OUT-13).
    pub fn out_of_hub(&self, firewall: Sym, packet: Packet) -> Outcome {
        let out = self.world.firewall_way_out(firewall, Sym::EMPTY, &packet);
        if out.sure == Tri::No {
            return Outcome::denied(out.stage, out.rule);
        }
        let each = out.sources.iter().map(|&src| self.arrive_in_public(Packet { src, src_config: None, sport: None, ..packet }));
        let outcome = all_of(each.collect());
        if out.sure == Tri::Maybe { outcome.doubted(out.stage, out.rule, out.code) } else { outcome }
    }

    /// Out by the routes of the firewall's subnet, with its own source or as one of the firewall's instances (AFW-07, AFW-08).
    fn leave_firewall(&self, firewall: Sym, subnet: Sym, hop: IpAddr, translated: bool, packet: Packet, trip: &Trip) -> Outcome {
        let place = Place { subnet, nic: Some(firewall), endpoint: None };
        let mut onward = trip.clone();
        onward.from_gateway = false;
        onward.passed.push(Passed { machine: firewall, subnet, shared: None, translated, before: packet.src, asked_at: None });
        if !translated {
            return self.forward(place, packet, &onward);
        }
        let outward = self.world.is_public_addr(packet.dst) == Tri::Yes;
        let sources = if outward { vec![hop] } else { self.world.instances(subnet) };
        let each = sources.into_iter().map(|ip| {
            let sent = Packet { src: Addr::Known(ip), src_config: None, sport: None, ..packet };
            self.forward(place, sent, &onward)
        });
        all_of(each.collect())
    }

    /// Whether nothing is dropped for its content (AFW-09).
    fn uninspected(&self, firewall: Sym, packet: &Packet) -> Tri {
        let world = self.world;
        let owners = world.settings_of(firewall);
        let inspected = world.inspections.iter().any(|i| owners.contains(&i.owner));
        let outside = |addr: Addr| match addr {
            Addr::Known(ip) => is_public(ip) && !world.vnets.iter().any(|v| world.in_space(v.vnet, ip)),
            Addr::SomePublic | Addr::Front(..) => true,
        };
        if inspected && (outside(packet.src) || outside(packet.dst)) { Tri::Maybe } else { Tri::Yes }
    }

    /// At one of the firewall's own addresses: the first NAT rule that takes it, or nothing (AFW-06).
    pub fn at_firewall(&self, firewall: Sym, packet: Packet, trip: &Trip) -> Outcome {
        let world = self.world;
        let row = world.firewall_row(firewall);
        if !row.hub.is_empty() {
            return Outcome::unproven(STAGE, name_of(firewall), "W-VWAN");
        }
        let missing = world.policies_of(firewall).1;
        if let Some(first) = missing.first() {
            return Outcome::unproven(STAGE, name_of(*first), "W-MISSING");
        }
        let mut home: Vec<_> = world.device_addresses.iter().filter(|a| a.device == firewall).collect();
        home.sort_by_key(|a| (a.subnet.as_str(), a.address));
        let Some(home) = home.first() else { return Outcome::unproven(STAGE, name_of(firewall), "W-MISSING") };
        let mut lines = world.lines(firewall, FirewallPass::Nat, &packet);
        lines.sort_by_key(|l| (std::cmp::Reverse(l.height), l.place, l.rule.position, l.name.clone()));
        let mut ways = Vec::new();
        let mut open = Tri::Yes; // whether nothing before took it
        for line in &lines {
            let takes = if line.height > 0 { line.matches.and(Tri::Maybe) } else { line.matches };
            let here = takes.and(open);
            if here.hi() {
                ways.push(check(here, STAGE, &line.name, "unsure-rule", || {
                    let sure = Tri::from_bool(!row.forced).or(Tri::Maybe);
                    check(sure, STAGE, "managementIpConfiguration", "W-UNSUPPORTED", || {
                        check(self.uninspected(firewall, &packet), STAGE, "threatIntelMode", "W-UNSUPPORTED", || {
                            self.translate(firewall, home.subnet, line, packet, trip)
                        })
                    })
                }));
            }
            open = open.and(takes.negated());
        }
        let asks = packet.proto.has_ports() && packet.dport == 53 && packet.dst == Addr::Known(home.address);
        let owners = world.settings_of(firewall);
        if asks && owners.first().is_some_and(|o| world.dns_proxies.iter().any(|p| p.owner == *o)) {
            ways.push(Outcome::delivered(Via::AzureFirewall));
        }
        if ways.is_empty() { Outcome::denied(STAGE, "") } else { any_of(ways) }
    }

    fn translate(&self, firewall: Sym, subnet: Sym, line: &Line, packet: Packet, trip: &Trip) -> Outcome {
        self.translate_for(firewall, subnet, line, packet, trip, Target::Address)
    }

    fn translate_for(&self, firewall: Sym, subnet: Sym, line: &Line, packet: Packet, trip: &Trip, target: Target) -> Outcome {
        let world = self.world;
        let to = world.translations.iter().find(|t| t.rule == line.rule.rule).expect("every NAT rule leads somewhere");
        let targets = match to.address {
            Some(address) => vec![address],
            None => match world.resolve_at_firewall(firewall, to.fqdn.as_str()) {
                _ if to.fqdn.is_empty() => return Outcome::unproven(STAGE, name_of(to.rule), "W-UNSUPPORTED"),
                Answer::Addresses(ips) if !ips.is_empty() => ips,
                _ => return Outcome::unproven(Stage::Dns, to.fqdn.as_str(), "DNS_UNKNOWN"),
            },
        };
        let place = Place { subnet, nic: Some(firewall), endpoint: None };
        let outside = matches!(packet.dst, Addr::Known(ip) if is_public(ip));
        let mut onward = if outside { Trip::default() } else { trip.clone() };
        let asked_at = Some(packet.dst);
        onward.passed.push(Passed { machine: firewall, subnet, shared: None, translated: true, before: packet.src, asked_at });
        let origin = if outside { Origin::Internet } else { self.origin };
        let inner = Walk { world, target, origin, session: self.session };
        let mut each = Vec::new();
        for ip in targets {
            let behind = Packet { dst: Addr::Known(ip), dport: to.port.unwrap_or(packet.dport), called: Called::Unknown, ..packet };
            // A network rule that denies what is sent on may count, or not.
            let lines = world.lines(firewall, FirewallPass::Network, &behind);
            let denied =
                lines.iter().any(|d| !d.allow && d.matches.hi() && !lines.iter().any(|a| a.allow && a.matches == Tri::Yes && a.before(d)));
            let undenied = if denied { Tri::Maybe } else { Tri::Yes };
            for source in world.instances(subnet) {
                let sent = Packet { src: Addr::Known(source), src_config: None, ..behind };
                each.push(check(undenied, STAGE, "deny", "W-UNSUPPORTED", || inner.forward(place, sent, &onward)));
            }
        }
        self.device(all_of(each), Via::AzureFirewall)
    }
}

impl World<'_> {
    /// Where a NAT rule leads of which the input does not say it, nobody knows.
    pub fn tell_translations(&mut self) {
        for row in self.firewall_rules.iter().filter(|r| r.pass == FirewallPass::Nat) {
            if !self.translations.iter().any(|t| t.rule == row.rule) {
                self.translations.push(FirewallTranslation { rule: row.rule, address: None, fqdn: Sym::EMPTY, port: None });
            }
        }
    }

    /// To a machine from the internet by the NAT rules that lead to it; the port asked for is the machine's (IN-11).
    pub fn in_by_firewalls(&self, start: Start, config: Sym, subnet: Sym, ask: &Ask) -> Vec<Outcome> {
        let hosts = self.possible_addresses(config, subnet);
        let mut ways = Vec::new();
        for row in &self.firewalls {
            if let Some(first) = self.policies_of(row.firewall).1.first() {
                ways.push(Outcome::unproven(STAGE, name_of(*first), "W-MISSING"));
                continue;
            }
            let mut home: Vec<_> = self.device_addresses.iter().filter(|a| a.device == row.firewall).collect();
            home.sort_by_key(|a| (a.subnet.as_str(), a.address));
            let mut each = Vec::new();
            for &ip in &hosts {
                each.push(self.in_by_firewall(row, home.first().map(|a| a.subnet), start, config, ip, ask));
            }
            if !each.is_empty() && each.iter().all(Option::is_some) {
                let way = all_of(each.into_iter().flatten().collect());
                let of_two = self.device_public_ips.iter().find(|d| d.device == row.firewall && self.is_of_two(d.public_ip));
                ways.push(of_two.map_or(way.clone(), |d| way.doubted(Stage::Nat, name_of(d.public_ip), "W-MISSING")));
            }
        }
        ways
    }

    fn in_by_firewall(&self, row: &AzureFirewall, home: Option<Sym>, start: Start, config: Sym, ip: IpAddr, ask: &Ask) -> Option<Outcome> {
        let leads = |to: &&FirewallTranslation| match to.address {
            Some(address) => address == ip,
            None => match self.resolve_at_firewall(row.firewall, to.fqdn.as_str()) {
                Answer::Addresses(ips) => ips.contains(&ip),
                Answer::Unknown(_) | Answer::Nothing("servfail") => true,
                _ => false,
            },
        };
        let walk = self.walker(start, Target::Config(config), ask);
        let mut ways = Vec::new();
        let anybody = self.packet(start, Addr::SomePublic, None, ask);
        let own: Vec<Sym> = self.lines(row.firewall, FirewallPass::Nat, &anybody).iter().map(|line| line.rule.rule).collect();
        let led_to = self.translations.iter().any(|to| leads(&to) && own.contains(&to.rule));
        for public in self.device_public_ips.iter().filter(|d| d.device == row.firewall && home.is_some() && led_to) {
            let known = self.public_addresses_of(public.public_ip);
            // Where it is dialled is not known, or its rules do not take what is asked for.
            ways.push(match known.is_empty() {
                true => Outcome::unproven(STAGE, name_of(public.public_ip), "W-MISSING"),
                false => Outcome::denied(STAGE, "no-rule").beside(Stage::Route),
            });
            for address in known {
                let dialled = self.packet(start, Addr::Known(address), None, ask);
                let mut open = Vec::new();
                for to in self.translations.iter().filter(leads) {
                    // Every outer port that becomes the one asked for; one of them is enough.
                    let rows = self.rule_traffic.iter().filter(|t| t.rule == to.rule);
                    let outer: Vec<u16> = match to.port {
                        Some(port) if port == ask.dport => rows.flat_map(|t| t.ports.items()).map(|(low, _)| low).collect(),
                        Some(_) => Vec::new(),
                        None => vec![ask.dport],
                    };
                    for dport in outer {
                        let packet = Packet { dport, ..dialled };
                        let mut lines = self.lines(row.firewall, FirewallPass::Nat, &packet);
                        lines.sort_by_key(|l| (std::cmp::Reverse(l.height), l.place, l.rule.position, l.name.clone()));
                        let mut left = Tri::Yes;
                        for line in &lines {
                            let takes = if line.height > 0 { line.matches.and(Tri::Maybe) } else { line.matches };
                            let here = takes.and(left);
                            left = left.and(takes.negated());
                            let (Some(subnet), true) = (home, line.rule.rule == to.rule && here.hi()) else { continue };
                            let sure = Tri::from_bool(!row.forced).or(Tri::Maybe).and(walk.uninspected(row.firewall, &packet));
                            open.push(check(here.and(sure), STAGE, &line.name, "unsure-rule", || {
                                walk.translate_for(row.firewall, subnet, line, packet, &Trip::default(), Target::Config(config))
                            }));
                        }
                    }
                }
                ways.extend(open);
            }
        }
        if ways.is_empty() { None } else { Some(any_of(ways)) }
    }

    /// The addresses that the instances in a firewall's subnet may send from.
    fn instances(&self, subnet: Sym) -> Vec<IpAddr> {
        let spaces = self.subnet_space(subnet);
        let ranges = spaces.iter().filter_map(watertight::model::net::usable);
        ranges.flat_map(|(low, high)| self.representatives(low, high)).collect()
    }

    /// Whether the default route of the subnet surely leads elsewhere than to the internet (RTE-22): a user's, else the gateway's.
    fn default_route_leads_away(&self, subnet: Sym) -> bool {
        let whole = |item: &Selector| matches!(item, Selector::Prefix(p) if p.prefix_len() == 0 && p.network().is_ipv4());
        let own = self.user_routes(subnet).into_iter().find(|(r, _)| r.destination.items().iter().any(whole));
        if let Some((route, _)) = own {
            return route.hop != HopKind::Internet && route.hop != HopKind::Unknown;
        }
        let learned = self.vnet_of(subnet).map(|vnet| self.gateway_routes(vnet)).unwrap_or_default();
        let default = learned.iter().any(|r| r.sure == Tri::Yes && r.prefix.is_some_and(|p| p.prefix_len() == 0 && p.network().is_ipv4()));
        default && self.gateway_routes_on(subnet)
    }
}

fn protocol_matches(traffic: &FirewallRuleTraffic, packet: &Packet) -> Tri {
    let port = traffic.ports.items().iter().any(|&(low, high)| (low..=high).contains(&packet.dport));
    let any_port = traffic.ports.items() == [ANY_PORT];
    match (traffic.protocol, packet.proto) {
        (Protocol::Tcp, Proto::Tcp) | (Protocol::Udp, Proto::Udp) | (Protocol::Any, Proto::Tcp | Proto::Udp) => Tri::from_bool(port),
        (Protocol::Icmp, Proto::Icmp) | (Protocol::Esp, Proto::Esp) | (Protocol::Ah, Proto::Ah) => Tri::Yes,
        (Protocol::Any, Proto::Icmp) => Tri::from_bool(any_port),
        (Protocol::Any, _) => Tri::from_bool(any_port).and(Tri::Maybe),
        _ => Tri::No,
    }
}

/// Whether an application rule that names `name` is meant by a request for what the client calls it (AFW-05).
fn called(name: &FirewallRuleName, called: Called) -> Tri {
    let text = name.name.as_str();
    let url = name.what == FirewallNameKind::Url;
    let pattern = match name.what {
        FirewallNameKind::FqdnTag | FirewallNameKind::WebCategory => return Tri::Maybe,
        FirewallNameKind::Fqdn => text,
        FirewallNameKind::Url => text.trim_start_matches("https://").trim_start_matches("http://").split(['/', ':']).next().unwrap_or(""),
    };
    let tri = match called {
        Called::Unknown => Tri::Maybe,
        Called::Host(host) => Tri::from_bool(like(pattern.as_bytes(), host.as_str().as_bytes())),
        // A stranger's own name below the suffix: no rule spells it out, a pattern may hold it.
        Called::Below(suffix) => match pattern.strip_prefix('*') {
            Some(rest) if !rest.contains('*') && format!(".{suffix}").ends_with(rest) => Tri::Yes,
            _ if !pattern.contains('*') => Tri::No,
            _ => {
                let tail = pattern.rsplit('*').next().unwrap_or("");
                let fits = format!(".{suffix}").ends_with(tail) || tail.ends_with(&format!(".{suffix}"));
                Tri::from_bool(fits).and(Tri::Maybe)
            }
        },
    };
    if url { tri.and(Tri::Maybe) } else { tri }
}

/// Letter by letter; a star eats any number of them.
fn like(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([b'*', rest @ ..], _) => like(rest, text) || (!text.is_empty() && like(pattern, &text[1..])),
        ([p, pattern @ ..], [t, text @ ..]) => p == t && like(pattern, text),
        ([], []) => true,
        _ => false,
    }
}
