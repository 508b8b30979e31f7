//! Network managers, naively: who belongs to which group, which networks a configuration joins, what admin rules say of one packet (AVN-01 to
//! AVN-12, PEER-14 to PEER-16).

use watertight::facts::manager::{AdminAccess, AdminRule, Field, IntentServices, ManagerPart, Topology};
use watertight::facts::network::{Access, Direction, NsgRule, Peering, PeeringState};
use watertight::model::net::overlap;
use watertight::model::{Prefix, Stage, Sym, Tri};

use super::filter::Place;
use super::packet::{Outcome, Packet, all_of};
use super::world::{World, name_of};

/// A link that a manager keeps between two networks, as the first of them sees it.
#[derive(Clone, Debug)]
pub struct Managed {
    pub id: Sym,
    pub group: bool,
    pub sure: Tri,
    pub space: Vec<(Prefix, Tri)>,
}

/// What becomes of a packet under admin rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ruling {
    Denied,
    Always,
    AskGroups,
}

impl World<'_> {
    /// Whether the network or subnet belongs to the group.
    pub fn in_group(&self, group: Sym, vnet: Sym, subnet: Option<Sym>) -> Tri {
        if group.is_empty() {
            return Tri::Maybe; // not named
        }
        let stated = |member: Sym| self.group_members.iter().any(|m| m.group == group && m.member == member);
        if stated(vnet) || subnet.is_some_and(stated) {
            return Tri::Yes;
        }
        // A membership that does not say of which group.
        let nameless = |member: Sym| self.group_members.iter().any(|m| m.group.is_empty() && m.member == member);
        if nameless(vnet) || subnet.is_some_and(nameless) {
            return Tri::Maybe;
        }
        if self.may_have_more_members(group) { Tri::Maybe } else { Tri::No }
    }

    /// Whether nobody lists who is in the group: a policy fills it, or neither it nor any member of it was exported.
    fn may_have_more_members(&self, group: Sym) -> bool {
        if group.is_empty() {
            return true;
        }
        let policy = self.group_policies.iter().any(|p| p.group == group || p.group.is_empty());
        let exported = self.group_members.iter().any(|m| m.group == group)
            || self.resources.iter().any(|r| r.id == group)
                && (!self.group_members.is_empty()
                    || self
                        .complete_types
                        .iter()
                        .any(|c| c.kind.as_str() == "microsoft.network/networkmanagers/networkgroups/staticmembers"));
        self.memberships.is_empty() && (policy || !exported)
    }

    fn deployed(&self, vnet: Sym, what: ManagerPart, configuration: Sym) -> Tri {
        let listed = self.manager_listings.iter().any(|l| l.vnet == vnet && l.what == what);
        let named = self.manager_applied.iter().any(|a| a.vnet == vnet && a.what == what && a.configuration == configuration);
        match (named, listed) {
            (true, _) => Tri::Yes,
            (false, true) => Tri::No,
            (false, false) => Tri::Maybe,
        }
    }

    /// The networks of the input, and those that managers name: members that nobody exported are members too.
    fn managed_vnets(&self) -> Vec<Sym> {
        let mut vnets: Vec<Sym> = self.vnets.iter().map(|v| v.vnet).collect();
        vnets.extend(self.group_members.iter().filter(|m| m.member == m.vnet).map(|m| m.vnet));
        vnets.extend(self.connectivity_hubs.iter().map(|h| h.vnet));
        vnets.extend(self.manager_applied.iter().map(|a| a.vnet));
        vnets.sort();
        vnets.dedup();
        vnets
    }

    /// Adds the links of connectivity configurations to the peerings.
    pub fn add_managed_links(&mut self) {
        let vnets = self.managed_vnets();
        let mut links = Vec::new();
        for configuration in &self.connectivity {
            for &a in &vnets {
                for &b in vnets.iter().filter(|&&b| b != a) {
                    for group in [false, true] {
                        let sure = if group {
                            self.meshed(configuration.configuration, a, b)
                        } else {
                            self.hubbed(configuration.configuration, a, b)
                        };
                        if sure.hi() {
                            links.push((configuration.configuration, a, b, group, sure));
                        }
                    }
                }
            }
        }
        for (configuration, a, b, group, sure) in links {
            let real: Vec<Tri> = self.peerings.iter().filter(|p| p.vnet == a && p.remote == b).map(|p| self.is_connected(p)).collect();
            let stands = real.iter().max().copied().unwrap_or(Tri::No);
            if stands.lo() || (stands.hi() && !group) {
                continue;
            }
            let sure = if !group && !real.is_empty() { sure.and(Tri::Maybe) } else { sure };
            let id = Sym::new(&format!("{configuration}|{a}|{b}|{group}"));
            let space = if group { self.group_space(configuration, b) } else { self.space(b).into_iter().map(|p| (p, Tri::Yes)).collect() };
            let clean = !group
                || self.group_space(configuration, a).len() == self.space(a).len()
                    && self.group_space(configuration, a).iter().all(|s| s.1.lo());
            let sure = if clean { sure } else { sure.and(Tri::Maybe) };
            let gateway = !group && self.spoke_takes_gateway(configuration, a, b);
            let offers = !group && self.spoke_takes_gateway(configuration, b, a);
            self.managed.push(Managed { id, group, sure, space });
            self.managed_peerings.push(Peering {
                peering: id,
                vnet: a,
                remote: b,
                state: PeeringState::Connected,
                in_sync: true,
                access: true,
                forwarded: false,
                gateway_transit: offers,
                use_remote_gateways: gateway,
                complete: true,
            });
        }
        let managed = std::mem::take(&mut self.managed_peerings);
        self.peerings.extend(managed);
    }

    fn groups_of(&self, configuration: Sym) -> Vec<(Sym, bool, bool)> {
        self.connectivity_groups.iter().filter(|g| g.configuration == configuration).map(|g| (g.group, g.direct, g.global)).collect()
    }

    /// Membership in a group of the configuration; who is under it without being in any group was put there by a policy.
    fn takes_part(&self, configuration: Sym, group: Sym, vnet: Sym) -> Tri {
        let stated = self.in_group(group, vnet, None);
        let nowhere = self.groups_of(configuration).iter().all(|(g, _, _)| self.in_group(*g, vnet, None) == Tri::No);
        let hub = self.connectivity_hubs.iter().any(|h| h.configuration == configuration && h.vnet == vnet);
        let under = self.deployed(vnet, ManagerPart::Connectivity, configuration).lo();
        if nowhere && !hub && under { Tri::Maybe } else { stated }
    }

    fn meshed(&self, configuration: Sym, a: Sym, b: Sym) -> Tri {
        let Some(row) = self.connectivity.iter().find(|c| c.configuration == configuration) else { return Tri::No };
        let near = match (self.vnet_region(a), self.vnet_region(b)) {
            (x, y) if x.is_empty() || y.is_empty() => Tri::Maybe,
            (x, y) => Tri::from_bool(x == y),
        };
        let mut best = Tri::No;
        for (group, direct, global) in self.groups_of(configuration) {
            let kind = match row.topology {
                Topology::Mesh => Tri::Yes,
                Topology::HubAndSpoke => Tri::from_bool(direct),
                Topology::Unknown => Tri::Maybe,
            };
            let far = match (global, row.global, row.topology) {
                (true, true, _) | (true, false, Topology::HubAndSpoke) => Tri::Yes,
                (false, false, _) => Tri::No,
                _ => Tri::Maybe,
            };
            let both = self.takes_part(configuration, group, a).and(self.takes_part(configuration, group, b));
            best = best.or(both.and(kind).and(near.or(far)));
            let somewhere = self.groups_of(configuration).iter().any(|(g, _, _)| self.takes_part(configuration, *g, b).hi());
            if row.topology == Topology::Mesh && self.takes_part(configuration, group, a).hi() && somewhere {
                best = best.or(Tri::Maybe.and(near.or(far)));
            }
        }
        let there = |vnet| self.deployed(vnet, ManagerPart::Connectivity, configuration);
        best.and(there(a)).and(there(b))
    }

    fn hubbed(&self, configuration: Sym, a: Sym, b: Sym) -> Tri {
        let Some(row) = self.connectivity.iter().find(|c| c.configuration == configuration) else { return Tri::No };
        let hub = |vnet: Sym| self.connectivity_hubs.iter().any(|h| h.configuration == configuration && h.vnet == vnet);
        let spoke = match (hub(a), hub(b)) {
            (true, false) => b,
            (false, true) => a,
            _ => return Tri::No,
        };
        let kind = match row.topology {
            Topology::HubAndSpoke => Tri::Yes,
            Topology::Unknown => Tri::Maybe,
            Topology::Mesh => return Tri::No,
        };
        let member = self.groups_of(configuration).iter().map(|(g, _, _)| self.takes_part(configuration, *g, spoke)).max();
        kind.and(member.unwrap_or(Tri::No)).and(self.deployed(spoke, ManagerPart::Connectivity, configuration))
    }

    fn spoke_takes_gateway(&self, configuration: Sym, spoke: Sym, hub: Sym) -> bool {
        let is_hub = self.connectivity_hubs.iter().any(|h| h.configuration == configuration && h.vnet == hub);
        let groups = self.connectivity_groups.iter().filter(|g| g.configuration == configuration && g.hub_gateway);
        is_hub && groups.into_iter().any(|g| self.takes_part(configuration, g.group, spoke).hi())
    }

    /// The addresses of a member that no other member of its group has (PEER-15).
    fn group_space(&self, configuration: Sym, vnet: Sym) -> Vec<(Prefix, Tri)> {
        let together = |other: Sym| {
            let groups = self.groups_of(configuration);
            let both = |g: Sym| self.takes_part(configuration, g, vnet).and(self.takes_part(configuration, g, other));
            let member = groups.iter().map(|(g, _, _)| both(*g)).max().unwrap_or(Tri::No);
            member.and(self.deployed(other, ManagerPart::Connectivity, configuration))
        };
        let mut kept = Vec::new();
        for prefix in self.space(vnet) {
            let mut taken = Tri::No;
            for other in self.managed_vnets().into_iter().filter(|&v| v != vnet) {
                if self.space(other).is_empty() {
                    taken = taken.or(together(other).and(Tri::Maybe)); // it may have any address
                }
                for theirs in self.space(other) {
                    if theirs.contains(&prefix) {
                        taken = taken.or(together(other));
                    } else if overlap(&theirs, &prefix) {
                        taken = taken.or(together(other).and(Tri::Maybe));
                    }
                }
            }
            if taken.negated().hi() {
                kept.push((prefix, taken.negated()));
            }
        }
        kept
    }

    /// The admin rules around the groups: a refusal, a pass that asks no group, or the groups' word (AVN-04).
    pub fn under_admin_rules(
        &self,
        place: Place,
        packet: &Packet,
        way: Direction,
        ask_groups: impl FnOnce(Outcome) -> Outcome,
        rest: impl FnOnce() -> Outcome,
    ) -> Outcome {
        let (rulings, rule, code) = self.rulings(place, packet, way);
        if rulings == [Ruling::Denied] {
            return Outcome::denied(Stage::AdminRule, rule);
        }
        let arrived = rest();
        if rulings == [Ruling::AskGroups] {
            return ask_groups(arrived);
        }
        let mut all = Vec::new();
        if rulings.contains(&Ruling::Denied) {
            all.push(Outcome::denied(Stage::AdminRule, rule.clone()));
        }
        if rulings.contains(&Ruling::Always) {
            all.push(arrived.clone());
        }
        if rulings.contains(&Ruling::AskGroups) {
            all.push(ask_groups(arrived));
        }
        let doubt = rulings.contains(&Ruling::Denied);
        let mut outcome = all_of(all);
        if doubt && outcome.verdict != watertight::model::Verdict::Denied {
            outcome = outcome.doubted(Stage::AdminRule, rule, code);
        }
        outcome
    }

    /// Whether an admin rule may always allow what comes in.
    pub fn perhaps_always(&self, place: Place, packet: &Packet) -> bool {
        self.rulings(place, packet, Direction::Inbound).0.contains(&Ruling::Always)
    }

    /// What may become of the packet, the first rule that names it, and a code.
    fn rulings(&self, place: Place, packet: &Packet, way: Direction) -> (Vec<Ruling>, String, &'static str) {
        let nothing = (vec![Ruling::AskGroups], String::new(), "");
        let Some(vnet) = self.vnet_of(place.subnet) else { return nothing };
        if place.endpoint.is_some() || self.is_exempt(place.subnet) {
            return nothing; // AVN-08, AVN-09
        }
        let applied = self.manager_applied.iter().filter(|a| a.vnet == vnet && a.what == ManagerPart::Admin);
        for a in applied {
            if !self.admin_configurations.iter().any(|c| c.configuration == a.configuration) {
                return (vec![Ruling::Denied, Ruling::Always, Ruling::AskGroups], name_of(a.configuration), "W-MISSING");
            }
        }
        for rule in &self.admin_rules {
            let row = self.admin_collections.iter().find(|c| c.collection == rule.collection);
            let above = rule.collection.as_str().split_once("/rulecollections/").map(|(id, _)| Sym::new(id));
            let configuration = row.map(|c| c.configuration).or(above);
            let seen = |id: Sym| self.admin_configurations.iter().any(|c| c.configuration == id);
            let listed = self.manager_listings.iter().any(|l| l.vnet == vnet && l.what == ManagerPart::Admin);
            let any = self.manager_applied.iter().any(|a| a.vnet == vnet && a.what == ManagerPart::Admin);
            let here = configuration.map_or(any || !listed, |id| self.deployed(vnet, ManagerPart::Admin, id).hi());
            let nobodys = row.is_none() && !self.resources.iter().any(|r| r.id == rule.collection);
            if here && (nobodys || configuration.is_some_and(|id| !seen(id))) {
                return (vec![Ruling::Denied, Ruling::Always, Ruling::AskGroups], name_of(rule.collection), "W-MISSING");
            }
        }
        let levels: Vec<(Sym, u16, Sym, Tri)> = self.collections_on(vnet, place.subnet);
        let collections = "microsoft.network/networkmanagers/securityadminconfigurations/rulecollections";
        if self.admin_collections.is_empty() {
            for row in &self.admin_configurations {
                let here = self.deployed(vnet, ManagerPart::Admin, row.configuration).hi();
                if here && self.nobody_lists(row.configuration, collections) {
                    return (vec![Ruling::Denied, Ruling::Always, Ruling::AskGroups], name_of(row.configuration), "W-MISSING");
                }
            }
        }
        if self.admin_rules.is_empty() {
            for (collection, ..) in &levels {
                if self.nobody_lists(*collection, &format!("{collections}/rules")) {
                    return (vec![Ruling::Denied, Ruling::Always, Ruling::AskGroups], name_of(*collection), "W-MISSING");
                }
            }
        }
        let mut rules: Vec<(u16, u32, AdminAccess, Tri, String)> = Vec::new();
        for (collection, level, manager, sure) in &levels {
            let contested = levels.iter().any(|(_, l, m, _)| l == level && m != manager);
            for rule in self.admin_rules.iter().filter(|r| r.collection == *collection && r.direction == way) {
                let sure = sure.and(self.beside_services(vnet, rule)).and(if contested { Tri::Maybe } else { Tri::Yes });
                let matches = self.admin_rule_matches(rule, place, packet).and(sure);
                if matches.hi() {
                    rules.push((*level, rule.priority, rule.access, matches, name_of(rule.rule)));
                }
            }
        }
        rules.sort_by(|a, b| (a.0, a.1, &a.4).cmp(&(b.0, b.1, &b.4)));
        let mut found = Vec::new();
        let mut at = 0;
        let mut open = true;
        while open && at < rules.len() {
            let key = (rules[at].0, rules[at].1);
            let same: Vec<_> = rules[at..].iter().take_while(|r| (r.0, r.1) == key).collect();
            for rule in &same {
                match rule.2 {
                    AdminAccess::Deny => found.push(Ruling::Denied),
                    AdminAccess::AlwaysAllow => found.push(Ruling::Always),
                    AdminAccess::Allow => found.push(Ruling::AskGroups),
                    AdminAccess::Unknown => found.extend([Ruling::Denied, Ruling::Always, Ruling::AskGroups]),
                }
                open &= !rule.3.lo();
            }
            at += same.len();
        }
        if open {
            found.push(Ruling::AskGroups);
        }
        found.sort();
        found.dedup();
        (found, rules.first().map_or(String::new(), |r| r.4.clone()), "W-AVNM-DYN")
    }

    /// Whether the input has no resource of the type, and neither `parent` nor the person says that there is none (M-03).
    fn nobody_lists(&self, parent: Sym, kind: &str) -> bool {
        !self.resources.iter().any(|r| r.kind.as_str() == kind)
            && !self.complete_types.iter().any(|c| c.kind.as_str() == kind)
            && !self.child_types.iter().any(|c| c.parent == parent && c.kind.as_str() == kind)
    }

    /// The collections in force on a subnet: id, height of the manager's scope, manager, certainty.
    fn collections_on(&self, vnet: Sym, subnet: Sym) -> Vec<(Sym, u16, Sym, Tri)> {
        let mut all = Vec::new();
        for configuration in &self.admin_configurations {
            let here = self.deployed(vnet, ManagerPart::Admin, configuration.configuration);
            let rows: Vec<_> = self.admin_collections.iter().filter(|c| c.configuration == configuration.configuration).collect();
            let somebody = rows.iter().any(|c| self.group_members.iter().any(|m| m.group == c.group && m.vnet == vnet));
            let by_policy = here.lo() && !somebody;
            let level = self.network_managers.iter().find(|m| m.manager == configuration.manager).map_or(1, |m| m.level);
            let mut seen: Vec<Sym> = Vec::new();
            for row in &rows {
                if seen.contains(&row.collection) {
                    continue;
                }
                seen.push(row.collection);
                let groups = rows.iter().filter(|r| r.collection == row.collection);
                let member = groups.map(|r| self.in_group(r.group, vnet, Some(subnet))).max().unwrap_or(Tri::No);
                let member = if by_policy { member.or(Tri::Maybe) } else { member };
                if member.and(here).hi() {
                    all.push((row.collection, level, configuration.manager, member.and(here)));
                }
            }
        }
        all
    }

    /// Whether the rule counts beside services that bring their own (AVN-07).
    fn beside_services(&self, vnet: Sym, rule: &AdminRule) -> Tri {
        let services = ["microsoft.sql/managedinstances", "microsoft.databricks/workspaces"];
        let brings = self.delegations.iter().any(|d| services.contains(&d.service.as_str()) && self.vnet_of(d.subnet) == Some(vnet));
        if !brings {
            return Tri::Yes;
        }
        let configuration = self.admin_collections.iter().find(|c| c.collection == rule.collection).map(|c| c.configuration);
        let intent = self.admin_configurations.iter().find(|c| Some(c.configuration) == configuration).map(|c| c.intent);
        let allows = matches!(rule.access, AdminAccess::Allow | AdminAccess::AlwaysAllow);
        match intent {
            Some(IntentServices::All) => Tri::Yes,
            Some(IntentServices::AllowRulesOnly) if allows => Tri::Yes,
            Some(IntentServices::AllowRulesOnly) if rule.access == AdminAccess::Deny => Tri::No,
            Some(IntentServices::None) => Tri::No,
            _ => Tri::Maybe,
        }
    }

    fn is_exempt(&self, subnet: Sym) -> bool {
        use watertight::facts::network::DeviceKind::*;
        let special = ["gatewaysubnet", "azurefirewallsubnet", "azurefirewallmanagementsubnet", "azurebastionsubnet", "routeserversubnet"];
        let named = self.subnets.iter().any(|s| s.subnet == subnet && special.contains(&s.name.as_str()));
        let stands = |d: &&watertight::facts::network::Device| matches!(d.kind, ApplicationGateway | AzureFirewall | Bastion | VirtualHub);
        named
            || self.devices.iter().filter(|d| d.subnet == subnet).any(|d| stands(&d))
            || self.gateway_subnets.iter().any(|g| g.subnet == subnet)
    }

    fn admin_rule_matches(&self, rule: &AdminRule, place: Place, packet: &Packet) -> Tri {
        let plain = NsgRule {
            rule: rule.rule,
            nsg: rule.collection,
            direction: rule.direction,
            priority: rule.priority,
            access: Access::Allow,
            protocol: rule.protocol,
            sources: rule.sources,
            source_ports: rule.source_ports,
            destinations: rule.destinations,
            destination_ports: rule.destination_ports,
        };
        let in_groups = |field: Field, addr| {
            let mut best = Tri::No;
            for named in self.admin_rule_groups.iter().filter(|g| g.rule == rule.rule && g.field == field) {
                for member in self.group_members.iter().filter(|m| m.group == named.group) {
                    let space = if member.member == member.vnet { self.space(member.vnet) } else { self.subnet_space(member.member) };
                    best = space.into_iter().map(|p| self.in_prefix(addr, p)).fold(best, Tri::or);
                }
                if self.may_have_more_members(named.group) {
                    best = best.or(Tri::Maybe);
                }
            }
            best
        };
        let (source, destination, traffic) = self.rule_parts(&plain, place, packet);
        let source = source.or(in_groups(Field::Source, packet.src));
        let destination = destination.or(in_groups(Field::Destination, packet.dst));
        traffic.and(source).and(destination)
    }
}
