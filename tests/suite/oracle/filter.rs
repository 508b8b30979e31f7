//! Security groups: which rule matches, what a tag means on a subnet, what all groups on the way in or out say.

use std::net::IpAddr;

use watertight::facts::network::{Access, Direction, EndpointPolicies, HopKind, NsgRule, Protocol};
use watertight::facts::selector::{PortList, Selector, Selectors};
use watertight::model::traffic::ANY_PORT;
use watertight::model::{Prefix, Proto, Stage, Sym, Tri};

use super::packet::{Addr, Outcome, Packet, check};
use super::world::{World, name_of};

/// Where a packet is filtered: the subnet, and the interface if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub subnet: Sym,
    pub nic: Option<Sym>,
    /// The private endpoint that stands here, for its own groups.
    pub endpoint: Option<Sym>,
}

/// What a list of rules says about one packet, and which rule said it.
#[derive(Clone, Debug)]
pub struct Said {
    pub tri: Tri,
    pub rule: String,
    pub code: &'static str,
}

impl World<'_> {
    /// The groups on the way out: the interface's first, then the subnet's (NSG-01).
    pub fn filter_out(&self, place: Place, packet: &Packet, rest: impl FnOnce() -> Outcome) -> Outcome {
        let nic = self.nic_filter(place, packet, Direction::Outbound);
        let subnet = self.subnet_filter(place, packet, Direction::Outbound);
        let everything = self.names_everything(place, packet, Direction::Outbound);
        let groups = |arrived: Outcome| {
            let arrived = if everything { arrived.noted("W-TAG-ALL") } else { arrived };
            check(nic.tri, Stage::NsgOutbound, &nic.rule, nic.code, || {
                check(subnet.tri, Stage::NsgOutbound, &subnet.rule, subnet.code, || arrived)
            })
        };
        let rest = || if self.shares_address(place) { check(Tri::Maybe, Stage::NsgOutbound, "address", "W-MISSING", rest) } else { rest() };
        self.under_admin_rules(place, packet, Direction::Outbound, groups, rest)
    }

    /// Whether somebody else in the subnet has an address of this interface too: one of the two is out of date.
    fn shares_address(&self, place: Place) -> bool {
        let Some(nic) = place.nic else { return false };
        let own = self.configs.iter().filter(|config| config.nic == nic);
        own.into_iter().any(|config| self.addresses_of(config.ip_config).into_iter().any(|ip| self.another_at(config.subnet, ip, nic)))
    }

    /// Whether a frontend surely has its address: perhaps where somebody else has it too.
    pub fn is_alone_at_its_address(&self, frontend: Sym) -> Tri {
        let shared = self.front(frontend).is_some_and(|row| row.address.is_some_and(|ip| self.another_at(row.subnet, ip, frontend)));
        if shared { Tri::Maybe } else { Tri::Yes }
    }

    fn another_at(&self, subnet: Sym, ip: IpAddr, one: Sym) -> bool {
        let nic = self.configs.iter().filter(|c| c.subnet == subnet && c.nic != one).any(|c| self.addresses_of(c.ip_config).contains(&ip));
        nic || self.fronts.iter().any(|f| f.subnet == subnet && f.address == Some(ip) && f.frontend != one)
    }

    /// The groups on the way in: the subnet's first, then the interface's (NSG-01).
    pub fn filter_in(&self, place: Place, packet: &Packet, rest: impl FnOnce() -> Outcome) -> Outcome {
        let nic = self.nic_filter(place, packet, Direction::Inbound);
        let subnet = self.subnet_filter(place, packet, Direction::Inbound);
        let everything = self.names_everything(place, packet, Direction::Inbound);
        let groups = |arrived: Outcome| {
            let arrived = if everything { arrived.noted("W-TAG-ALL") } else { arrived };
            check(subnet.tri, Stage::NsgInbound, &subnet.rule, subnet.code, || {
                check(nic.tri, Stage::NsgInbound, &nic.rule, nic.code, || arrived)
            })
        };
        let rest = || if self.shares_address(place) { check(Tri::Maybe, Stage::NsgInbound, "address", "W-MISSING", rest) } else { rest() };
        self.under_admin_rules(place, packet, Direction::Inbound, groups, rest)
    }

    /// Whether a rule that decides names a public address by the tag `VirtualNetwork`, which is everything there (NSG-21).
    fn names_everything(&self, place: Place, packet: &Packet, way: Direction) -> bool {
        let network = |tag: Sym| matches!(tag.as_str(), "virtualnetwork" | "virtual_network");
        let tagged = |items: Selectors| items.items().into_iter().any(|item| matches!(item, Selector::Tag(tag) if network(tag)));
        let decides = |group: Sym| {
            let rule = self.one_group(group, place, packet, way).rule;
            let own = self.nsg_rules.iter().filter(|r| r.nsg == group && r.direction == way && name_of(r.rule) == rule);
            rule.starts_with("AllowVnet") || own.into_iter().any(|r| tagged(r.sources) || tagged(r.destinations))
        };
        let other = if way == Direction::Inbound { packet.src } else { packet.dst };
        let public = !matches!(other, Addr::Known(ip) if !watertight::model::net::is_public(ip));
        let anything: watertight::model::Prefix = "0.0.0.0/0".parse().expect("literal");
        let by_user = || {
            self.user_routes(place.subnet).iter().any(|(route, tag)| {
                let away = matches!(route.hop, HopKind::VirtualAppliance | HopKind::VirtualNetworkGateway);
                let all =
                    route.destination.items().into_iter().any(|item| matches!(item, Selector::Any) || item == Selector::Prefix(anything));
                away && all && !tag
            })
        };
        let known = |group: &Sym| self.nsgs.iter().any(|n| n.nsg == *group);
        public && by_user() && self.groups_at(place).into_iter().filter(known).any(decides)
    }

    /// The groups on the subnet and the interface together; for rule IN-03.
    pub fn groups_at(&self, place: Place) -> Vec<Sym> {
        let mut groups: Vec<Sym> = self.subnet_nsgs.iter().filter(|n| n.subnet == place.subnet).map(|n| n.nsg).collect();
        groups.extend(self.nic_nsgs.iter().filter(|n| Some(n.nic) == place.nic).map(|n| n.nsg));
        groups
    }

    fn nic_filter(&self, place: Place, packet: &Packet, way: Direction) -> Said {
        let groups: Vec<Sym> = self.nic_nsgs.iter().filter(|n| Some(n.nic) == place.nic).map(|n| n.nsg).collect();
        self.all_groups(&groups, place, packet, way)
    }

    fn subnet_filter(&self, place: Place, packet: &Packet, way: Direction) -> Said {
        let named = |name: &str| self.subnets.iter().any(|s| s.subnet == place.subnet && s.name.as_str() == name);
        if named("azurefirewallsubnet") {
            return Said { tri: Tri::Yes, rule: String::new(), code: "" }; // NSG-12
        }
        let groups: Vec<Sym> = self.subnet_nsgs.iter().filter(|n| n.subnet == place.subnet).map(|n| n.nsg).collect();
        let said = self.all_groups(&groups, place, packet, way);
        let gateway = named("gatewaysubnet");
        let delegated = place.nic.is_none() && self.delegations.iter().any(|d| d.subnet == place.subnet);
        if gateway || (delegated && place.endpoint.is_none()) {
            return Said { tri: said.tri.or(Tri::Maybe), code: if gateway { "W-GWSUBNET" } else { "W-DELEGATED" }, ..said };
        }
        said
    }

    /// Whether a group of the input filters in the subnet under this name: one of another region does not (NSG-15).
    fn is_group_of(&self, group: Sym, subnet: Sym) -> bool {
        let own = self.vnet_of(subnet).map_or(Sym::EMPTY, |vnet| self.vnet_region(vnet));
        let theirs = self.resources.iter().find(|r| r.id == group).map_or(Sym::EMPTY, |r| r.location);
        self.nsgs.iter().any(|n| n.nsg == group) && (own.is_empty() || theirs.is_empty() || own == theirs)
    }

    /// No group allows everything (NSG-02); a group that is not in the input may say anything (SND-04).
    fn all_groups(&self, groups: &[Sym], place: Place, packet: &Packet, way: Direction) -> Said {
        let mut worst = Said { tri: Tri::Yes, rule: String::new(), code: "" };
        if packet.proto == Proto::Icmp && !packet.is_v4() {
            return worst; // no group filters it (ADR-14)
        }
        for &group in groups {
            let said = if self.is_group_of(group, place.subnet) {
                self.one_group(group, place, packet, way)
            } else {
                Said { tri: Tri::Maybe, rule: name_of(group), code: "W-MISSING" }
            };
            if said.tri < worst.tri {
                worst = said;
            }
        }
        worst
    }

    /// What a group says of a packet; where it leaves a public end of unknown address open, what it says of each part of the addresses that its prefixes tell
    /// apart: several rules may together name them all (CNV-04, M-14).
    fn one_group(&self, group: Sym, place: Place, packet: &Packet, way: Direction) -> Said {
        let said = self.whole_group(group, place, packet, way);
        if said.tri != Tri::Maybe {
            return said;
        }
        let everything = match (packet.src, packet.dst) {
            (_, Addr::Front(service, region)) => self.front_prefixes(service, region),
            (Addr::SomePublic, _) | (_, Addr::SomePublic) => None,
            _ => return said,
        };
        let everything = everything.unwrap_or_else(super::address::public_v4);
        let fields = self.nsg_rules.iter().filter(|r| r.nsg == group).flat_map(|r| [r.sources, r.destinations]);
        let mut prefixes: Vec<Prefix> = Vec::new();
        prefixes.extend(fields.flat_map(|field| field.items()).filter_map(|item| match item {
            Selector::Prefix(prefix) if prefix.network().is_ipv4() => Some(prefix),
            _ => None,
        }));
        let mut seen: Vec<Vec<bool>> = Vec::new();
        let mut all: Vec<Said> = Vec::new();
        for cell in prefixes.iter().fold(everything, |cells, prefix| split(&cells, *prefix)) {
            let held: Vec<bool> = prefixes.iter().map(|prefix| prefix.contains(&cell)).collect();
            if !seen.contains(&held) {
                seen.push(held);
                all.push(self.whole_group(group, place, &Packet { part: Some(cell), ..*packet }, way));
            }
        }
        let agreed = all.first().cloned().filter(|first| all.iter().all(|other| other.tri == first.tri));
        agreed.unwrap_or(said)
    }

    /// First match under uncertainty (CNV-04): an allow counts where no deny surely (for may) or possibly (for must) comes before it.
    fn whole_group(&self, group: Sym, place: Place, packet: &Packet, way: Direction) -> Said {
        let mut rules: Vec<(u32, Access, Tri, String)> = self
            .nsg_rules
            .iter()
            .filter(|r| r.nsg == group && r.direction == way)
            .map(|r| (r.priority, r.access, self.rule_matches(r, place, packet), name_of(r.rule)))
            .collect();
        rules.extend(self.default_rules(place, packet, way));
        rules.sort_by(|a, b| (a.0, &a.3).cmp(&(b.0, &b.3)));
        // Equal priorities are simultaneous (NSG-03): an equal deny counts against must, not against may.
        let must =
            rules.iter().find(|a| a.1 == Access::Allow && a.2.lo() && !rules.iter().any(|d| d.1 == Access::Deny && d.0 <= a.0 && d.2.hi()));
        let may =
            rules.iter().find(|a| a.1 == Access::Allow && a.2.hi() && !rules.iter().any(|d| d.1 == Access::Deny && d.0 < a.0 && d.2.lo()));
        match (must, may) {
            (Some(rule), _) => Said { tri: Tri::Yes, rule: rule.3.clone(), code: "" },
            (None, Some(_)) => {
                let unsure = rules.iter().find(|r| r.2.hi()).expect("the last default rule matches everything");
                Said { tri: Tri::Maybe, rule: unsure.3.clone(), code: "unsure-rule" }
            }
            (None, None) => {
                let deny = rules.iter().find(|r| r.1 == Access::Deny && r.2.lo()).expect("the last default rule matches everything");
                Said { tri: Tri::No, rule: deny.3.clone(), code: "" }
            }
        }
    }

    /// What the outbound rules of a group that name `tag`, and no others, say about a packet for the platform (NSG-11).
    pub fn rules_naming(&self, group: Sym, tag: &str, place: Place, packet: &Packet) -> (Tri, String) {
        if !self.is_group_of(group, place.subnet) {
            return (Tri::Maybe, name_of(group));
        }
        let names = |r: &&NsgRule| r.destinations.items().iter().any(|i| matches!(i, Selector::Tag(t) if t.as_str() == tag));
        let mut rules: Vec<&NsgRule> =
            self.nsg_rules.iter().filter(|r| r.nsg == group && r.direction == Direction::Outbound).filter(names).collect();
        rules.sort_by_key(|r| r.priority);
        let mut answer = Tri::Yes;
        for rule in rules {
            let matches = self.rule_matches(rule, place, packet);
            match (rule.access, matches) {
                (_, Tri::No) => {}
                (Access::Allow, Tri::Yes) => return (answer, name_of(rule.rule)),
                (Access::Deny, Tri::Yes) => return (if answer == Tri::Yes { Tri::No } else { Tri::Maybe }, name_of(rule.rule)),
                (_, Tri::Maybe) => answer = Tri::Maybe,
            }
        }
        (answer, String::new())
    }

    /// The three rules every group ends with (NSG-04).
    fn default_rules(&self, place: Place, packet: &Packet, way: Direction) -> Vec<(u32, Access, Tri, String)> {
        let in_vnet = self.in_virtual_network(place.subnet, packet.src).and(self.in_virtual_network(place.subnet, packet.dst));
        match way {
            Direction::Inbound => vec![
                (65000, Access::Allow, in_vnet, "AllowVnetInBound".into()),
                (65001, Access::Allow, self.is_load_balancer(packet.src), "AllowAzureLoadBalancerInBound".into()),
                (65500, Access::Deny, Tri::Yes, "DenyAllInBound".into()),
            ],
            Direction::Outbound => vec![
                (65000, Access::Allow, in_vnet, "AllowVnetOutBound".into()),
                (65001, Access::Allow, self.in_internet(place.subnet, packet.dst), "AllowInternetOutBound".into()),
                (65500, Access::Deny, Tri::Yes, "DenyAllOutBound".into()),
            ],
        }
    }

    /// Whether one rule matches: protocol, ports, both addresses.
    fn rule_matches(&self, rule: &NsgRule, place: Place, packet: &Packet) -> Tri {
        let (source, destination, traffic) = self.rule_parts(rule, place, packet);
        traffic.and(source).and(destination)
    }

    /// The same, part by part: the source, the destination, protocol and ports.
    pub fn rule_parts(&self, rule: &NsgRule, place: Place, packet: &Packet) -> (Tri, Tri, Tri) {
        let inbound = rule.direction == Direction::Inbound;
        // Rules for a private endpoint read their source ports as any (NSG-13).
        let source_ports = if place.endpoint.is_some() { PortList::any() } else { rule.source_ports };
        let source = self.field_matches(rule.sources, packet.src, packet.src_config, packet.part, place, !inbound, rule);
        let destination = self.field_matches(rule.destinations, packet.dst, packet.dst_config, packet.part, place, inbound, rule);
        (source, destination, protocol_matches(rule.protocol, source_ports, rule.destination_ports, packet))
    }

    /// Whether an address is in a rule's field. `own` says that this is the end at which the rule is applied.
    #[expect(clippy::too_many_arguments, reason = "an end has an address, an owner and a part")]
    fn field_matches(
        &self,
        field: Selectors,
        addr: Addr,
        config: Option<Sym>,
        part: Option<Prefix>,
        place: Place,
        own: bool,
        rule: &NsgRule,
    ) -> Tri {
        let mut best = Tri::No;
        for item in field.items() {
            best = best.or(match item {
                Selector::Any => Tri::Yes,
                Selector::Prefix(prefix) => match part.filter(|_| !matches!(addr, Addr::Known(_))) {
                    Some(part) => Tri::from_bool(prefix.contains(&part)),
                    None => self.in_prefix(addr, prefix),
                },
                Selector::Tag(tag) => self.in_tag(tag, place.subnet, addr),
                Selector::Asg(asg) => {
                    let here = |c: Sym| place.nic.is_some_and(|nic| self.configs.iter().any(|row| row.ip_config == c && row.nic == nic));
                    let itself = own && config.is_some_and(|c| here(c) && self.is_member(asg, c) && self.has_address(c, addr));
                    let member = match own {
                        true if itself => Tri::Yes,
                        true => self.place_in_asg(asg, place),
                        false => self.addr_in_asg(asg, addr, config),
                    };
                    // All members of all groups of a rule live in one network, else Azure refuses the rule (NSG-09).
                    if self.asg_networks(rule) > 1 { member.and(Tri::Maybe) } else { member }
                }
            });
        }
        best
    }

    /// Membership of the end that filters: the interface, not the address in the packet (decision 13).
    fn place_in_asg(&self, asg: Sym, place: Place) -> Tri {
        if let Some(endpoint) = place.endpoint {
            return self.endpoint_in_asg(endpoint, asg);
        }
        let Some(nic) = place.nic else { return Tri::No };
        let configs: Vec<Sym> = self.configs.iter().filter(|c| c.nic == nic).map(|c| c.ip_config).collect();
        let members = configs.iter().filter(|&&c| self.is_member(asg, c)).count();
        match members {
            0 => Tri::No,
            n if n == configs.len() => Tri::Yes,
            _ => Tri::Maybe,
        }
    }

    /// Whether a private endpoint is in a group: what only its interface says is not sure.
    fn endpoint_in_asg(&self, endpoint: Sym, asg: Sym) -> Tri {
        if self.endpoint_asgs.iter().any(|e| e.endpoint == endpoint && e.asg == asg) {
            return Tri::Yes;
        }
        let its = |c: Sym| self.configs.iter().any(|row| row.ip_config == c && self.endpoint_of_nic(row.nic) == Some(endpoint));
        if self.config_asgs.iter().any(|m| m.asg == asg && its(m.ip_config)) { Tri::Maybe } else { Tri::No }
    }

    fn endpoint_of_nic(&self, nic: Sym) -> Option<Sym> {
        self.endpoint_nics.iter().find(|row| row.nic == nic).map(|row| row.endpoint)
    }

    /// Whether a configuration has the address, or may where it is dynamic.
    fn has_address(&self, config: Sym, addr: Addr) -> bool {
        let own = self.addresses_of(config);
        matches!(addr, Addr::Known(ip) if own.is_empty() || own.contains(&ip))
    }

    fn is_member(&self, asg: Sym, config: Sym) -> bool {
        self.config_asgs.iter().any(|m| m.asg == asg && m.ip_config == config)
    }

    /// Membership of the other end: its address is one of a member's.
    fn addr_in_asg(&self, asg: Sym, addr: Addr, config: Option<Sym>) -> Tri {
        let Addr::Known(ip) = addr else { return Tri::No };
        if let Some(config) = config
            && self.is_member(asg, config)
        {
            return Tri::Yes;
        }
        let mut best = Tri::No;
        for member in self.config_asgs.iter().filter(|m| m.asg == asg) {
            for c in self.configs.iter().filter(|c| c.ip_config == member.ip_config) {
                let own = self.addresses_of(c.ip_config);
                if let Some(endpoint) = self.endpoint_of_nic(c.nic) {
                    if own.contains(&ip) {
                        best = best.or(self.endpoint_in_asg(endpoint, asg).and(self.endpoint_filtered(endpoint)));
                    }
                    continue;
                }
                let dynamic = own.is_empty() && config.is_none() && self.subnet_space(c.subnet).iter().any(|p| p.contains(&ip));
                if own.contains(&ip) {
                    best = best.or(Tri::Yes);
                } else if dynamic {
                    best = best.or(Tri::Maybe);
                }
            }
        }
        for member in self.endpoint_asgs.iter().filter(|m| m.asg == asg) {
            // An endpoint's address counts only where its subnet lets filters see it (NSG-13).
            let seen = self.endpoint_filtered(member.endpoint);
            if self.endpoint_ips(member.endpoint).iter().any(|&(_, a)| a == ip) {
                best = best.or(seen);
            }
        }
        best
    }

    /// How many networks the members of all groups of a rule live in.
    fn asg_networks(&self, rule: &NsgRule) -> usize {
        let mut networks: Vec<Option<Sym>> = Vec::new();
        for item in rule.sources.items().into_iter().chain(rule.destinations.items()) {
            let Selector::Asg(asg) = item else { continue };
            for member in self.config_asgs.iter().filter(|m| m.asg == asg) {
                let home = self.configs.iter().find(|c| c.ip_config == member.ip_config);
                networks.push(home.and_then(|c| self.vnet_of(c.subnet))); // of a member that nobody exported it is not known
            }
            for member in self.endpoint_asgs.iter().filter(|m| m.asg == asg) {
                networks.extend(self.endpoints.iter().filter(|e| e.endpoint == member.endpoint).map(|e| self.vnet_of(e.subnet)));
            }
        }
        networks.sort();
        networks.dedup();
        networks.len()
    }

    /// Whether the interface of an endpoint is said to stand in another subnet than the endpoint itself.
    pub fn stands_elsewhere(&self, endpoint: Sym) -> bool {
        let own = self.endpoints.iter().find(|e| e.endpoint == endpoint).map_or(Sym::EMPTY, |e| e.subnet);
        let nics: Vec<Sym> = self.endpoint_nics.iter().filter(|n| n.endpoint == endpoint).map(|n| n.nic).collect();
        !own.is_empty() && self.configs.iter().any(|c| nics.contains(&c.nic) && c.subnet != own)
    }

    /// The subnets that the interfaces of an endpoint name and the endpoint itself does not (SND-02).
    pub fn rival_subnets(&self, endpoint: Sym) -> Vec<Sym> {
        let nics: Vec<Sym> = self.endpoint_nics.iter().filter(|n| n.endpoint == endpoint).map(|n| n.nic).collect();
        let all = self.configs.iter().filter(|c| nics.contains(&c.nic)).map(|c| c.subnet);
        let own = self.endpoints.iter().find(|e| e.endpoint == endpoint).map(|e| e.subnet);
        all.filter(|subnet| self.stands_elsewhere(endpoint) && Some(*subnet) != own).collect()
    }

    /// Whether an endpoint that has the address may stand in the network, by what its interface says.
    pub fn a_rival_room_is_in(&self, endpoint: Sym, vnet: Sym, ip: std::net::IpAddr) -> bool {
        let here = |subnet: &Sym| match self.vnet_of(*subnet) {
            Some(home) => home == vnet,
            None => subnet.as_str().split_once("/subnets/").is_none_or(|(home, _)| home == vnet.as_str()),
        };
        self.endpoint_ips(endpoint).iter().any(|&(_, a)| a == ip) && self.rival_subnets(endpoint).iter().any(here)
    }

    /// Whether the security group of an endpoint's subnet filters what comes to it (PE-23).
    pub fn endpoint_filtered(&self, endpoint: Sym) -> Tri {
        let Some(subnet) = self.endpoints.iter().find(|e| e.endpoint == endpoint).map(|e| e.subnet) else { return Tri::Maybe };
        if self.stands_elsewhere(endpoint) {
            return Tri::Maybe;
        }
        match self.endpoint_policy_of(subnet) {
            EndpointPolicies::Enabled | EndpointPolicies::Nsg => Tri::Yes,
            EndpointPolicies::Disabled | EndpointPolicies::RouteTable => Tri::No,
            EndpointPolicies::Unknown => Tri::Maybe,
        }
    }

    /// What the subnet says about filters on its private endpoints; nothing said is `Disabled` (PE-22).
    pub fn endpoint_policy_of(&self, subnet: Sym) -> EndpointPolicies {
        if self.eras.iter().any(|e| e.era.as_str() == "2019") {
            return EndpointPolicies::Disabled; // PE-25
        }
        self.endpoint_filters.iter().find(|p| p.subnet == subnet).map_or(EndpointPolicies::Disabled, |p| p.policies)
    }
}

/// The same addresses, in cells that a prefix holds as a whole or not at all.
pub fn split(cells: &[Prefix], by: Prefix) -> Vec<Prefix> {
    let halve = |cell: &Prefix| match cell.contains(&by) && *cell != by {
        true => [vec![by], watertight::model::net::subtract(&[*cell], &[by])].concat(),
        false => vec![*cell],
    };
    cells.iter().flat_map(halve).collect()
}

/// Whether a rule's protocol and ports match the packet (NSG-07).
fn protocol_matches(protocol: Protocol, sports: PortList, dports: PortList, packet: &Packet) -> Tri {
    let named = match protocol {
        Protocol::Any => None,
        Protocol::Tcp => Some(Proto::Tcp),
        Protocol::Udp => Some(Proto::Udp),
        Protocol::Icmp => Some(Proto::Icmp),
        Protocol::Esp => Some(Proto::Esp),
        Protocol::Ah => Some(Proto::Ah),
    };
    if named.is_some_and(|proto| proto != packet.proto) {
        return Tri::No;
    }
    if !packet.proto.has_ports() {
        let any = |list: PortList| list.items().contains(&ANY_PORT);
        return if named.is_some() || (any(sports) && any(dports)) { Tri::Yes } else { Tri::Maybe };
    }
    let destination = Tri::from_bool(dports.items().iter().any(|&(low, high)| (low..=high).contains(&packet.dport)));
    let source = match packet.sport {
        Some(port) => Tri::from_bool(sports.items().iter().any(|&(low, high)| (low..=high).contains(&port))),
        None if sports.items().contains(&ANY_PORT) => Tri::Yes,
        None => Tri::Maybe,
    };
    destination.and(source)
}
