//! Network security perimeters, read off the table of NSP-03 and the lists of NSP-04 to NSP-13.

use watertight::facts::network::Direction;
use watertight::facts::perimeter::{AccessItem, AccessMode, LinkEnd, PerimeterAssociation, PerimeterRule};
use watertight::facts::store_facts::{PublicAccess, Service, Switch};
use watertight::model::ids::id_parts;
use watertight::model::{Prefix, Sym, Tri};

use super::address::number;
use super::packet::Addr;
use super::store::Seen;
use super::walk::Wanted;
use super::world::{World, name_of};

/// The services whose stores can be members (NSP-02).
const MEMBERS: [Service; 8] = [
    Service::Storage,
    Service::KeyVault,
    Service::Sql,
    Service::Cosmos,
    Service::EventHub,
    Service::ServiceBus,
    Service::Search,
    Service::Cognitive,
];

/// Both of two possible states, where nobody knows which is true.
fn either_state(a: Tri, b: Tri) -> Tri {
    if a == b { a } else { Tri::Maybe }
}

impl World<'_> {
    /// The association of a resource, and whether it is the one in force.
    pub fn membership(&self, resource: Sym) -> Option<(PerimeterAssociation, bool)> {
        let kind = self.resources.iter().find(|r| r.id == resource).map_or("", |r| r.kind.as_str());
        let can = match self.service_of(resource) {
            Some(service) => MEMBERS.contains(&service),
            None => kind.is_empty() || ["microsoft.insights/", "microsoft.operationalinsights/"].iter().any(|of| kind.starts_with(of)),
        };
        if !can {
            return None; // NSP-02
        }
        let mine: Vec<_> = self.associations.iter().filter(|a| a.resource == resource).collect();
        let anybodys: Vec<_> = self.associations.iter().filter(|a| a.resource.is_empty()).collect();
        let lowest = |rows: &[&PerimeterAssociation]| rows.iter().min_by_key(|a| a.association.as_str()).map(|a| **a);
        let first = lowest(&mine).or_else(|| lowest(&anybodys))?;
        Some((first, mine.len() == 1 && anybodys.is_empty() && first.settled))
    }

    /// Whether perimeters were exported, and no association of any of them.
    pub fn members_are_unknown(&self) -> bool {
        let kind = "microsoft.network/networksecurityperimeters/resourceassociations";
        !self.perimeters.is_empty() && self.associations.is_empty() && !self.complete_types.iter().any(|c| c.kind.as_str() == kind)
    }

    /// Whom the perimeter of a store admits, and whether that is decided by the store itself after all; `None` without a perimeter.
    pub fn perimeter_admits(&self, wanted: Wanted, service: Service, seen: Seen, sender: Sym) -> Option<(Tri, bool)> {
        let (association, sure) = self.membership(wanted.store)?;
        let by_rules = self.perimeter_rules_admit(&association, seen, sender);
        let own = self.own_firewall_admits(wanted, service, seen);
        let locked = self.accesses.iter().any(|a| a.store == wanted.store && a.public == PublicAccess::SecuredByPerimeter);
        let learning = if locked { by_rules.max(self.bypass_admits(wanted.store, seen).min(Tri::Maybe)) } else { by_rules.max(own) };
        let inside = match association.mode {
            AccessMode::Enforced => by_rules,
            AccessMode::Learning | AccessMode::Audit => learning,
            AccessMode::Unknown => either_state(by_rules, learning),
        };
        let admitted = if sure { inside } else { either_state(inside, own) };
        Some((admitted, association.mode != AccessMode::Enforced && !locked && sure))
    }

    /// The inbound rules, the other members and the members of linked perimeters (NSP-06, NSP-08, NSP-13).
    fn perimeter_rules_admit(&self, association: &PerimeterAssociation, seen: Seen, sender: Sym) -> Tri {
        let mut best = Tri::No;
        let caller = if let Seen::Caller(caller) = seen { self.membership(caller) } else { None };
        if let Some((other, sure)) = caller {
            best = best.max(self.perimeters_talk(&other, association).min(if sure { Tri::Yes } else { Tri::Maybe }));
        }
        for rule in self.perimeter_rules.iter().filter(|r| r.profile == association.profile && r.direction == Direction::Inbound) {
            best = best.max(match rule.item {
                AccessItem::Prefix => self.address_is_in(&[rule.value.as_str().parse().expect("a prefix")], seen),
                AccessItem::Tag => match self.platform.tag(rule.value) {
                    Some(prefixes) => self.address_is_in(prefixes, seen),
                    None => Tri::Maybe,
                },
                AccessItem::Subscription => {
                    let of = |id: Sym| id_parts(id.as_str()).subscription == rule.value.as_str();
                    match seen {
                        Seen::Caller(caller) => Tri::from_bool(of(caller)),
                        _ => Tri::from_bool(of(sender)).min(Tri::Maybe),
                    }
                }
                AccessItem::Perimeter => match caller {
                    Some((other, sure)) if other.perimeter == rule.value => {
                        if sure {
                            Tri::Yes
                        } else {
                            Tri::Maybe
                        }
                    }
                    _ => Tri::No,
                },
                AccessItem::Fqdn => Tri::No,
            });
        }
        let missing = association.profile.is_empty() || !self.access_rules_are_listed() || self.is_unread(association.profile);
        if best == Tri::No && missing { Tri::Maybe } else { best }
    }

    /// Whether access rules were exported at all (M-03).
    fn access_rules_are_listed(&self) -> bool {
        let kind = "microsoft.network/networksecurityperimeters/profiles/accessrules";
        !self.perimeter_rules.is_empty() || self.complete_types.iter().any(|c| c.kind.as_str() == kind)
    }

    /// Addresses that rules for addresses compare (NSP-08): none behind a service endpoint without one of its own.
    fn address_is_in(&self, prefixes: &[Prefix], seen: Seen) -> Tri {
        let public = prefixes.iter().any(|p| watertight::model::net::is_public(p.network()) || p.prefix_len() == 0);
        match seen {
            Seen::Public { addr: Addr::Known(ip), .. } => Tri::from_bool(prefixes.iter().any(|p| p.contains(&ip))),
            Seen::Public { .. } | Seen::Caller(_) | Seen::SameRegion => Tri::from_bool(public).min(Tri::Maybe),
            Seen::Subnet(subnet) => {
                let identifiers = self.network_identifiers.iter().filter(|i| i.subnet == subnet);
                let inside = |ip: &std::net::IpAddr| {
                    prefixes.iter().any(|p| number(p.network()) <= number(*ip) && number(*ip) <= number(p.broadcast()))
                };
                let each = identifiers.map(|i| match self.public_addresses_of(i.public_ip).first() {
                    Some(ip) => Tri::from_bool(inside(ip)),
                    None => Tri::from_bool(public).min(Tri::Maybe),
                });
                each.max().unwrap_or(Tri::No)
            }
        }
    }

    /// One perimeter, or two that are linked in every view of the link.
    fn perimeters_talk(&self, from: &PerimeterAssociation, to: &PerimeterAssociation) -> Tri {
        if from.perimeter == to.perimeter {
            return Tri::Yes;
        }
        let mut views = Vec::new();
        for link in &self.perimeter_links {
            for (here, there, out, into) in [(from, to, LinkEnd::Local, LinkEnd::Remote), (to, from, LinkEnd::Remote, LinkEnd::Local)] {
                if link.perimeter != here.perimeter || link.remote != there.perimeter {
                    continue;
                }
                let lets = |end: LinkEnd, direction: Direction, profile: Sym| {
                    let rows = self.link_profiles.iter().filter(|p| p.link == link.link && p.end == end && p.direction == direction);
                    rows.clone().any(|p| p.profile.as_str() == "*" || p.profile.as_str() == name_of(profile))
                };
                let open = lets(out, Direction::Outbound, from.profile) && lets(into, Direction::Inbound, to.profile);
                views.push(if open { link.approved } else { Tri::No });
            }
        }
        match views.as_slice() {
            [] => Tri::No,
            all if all.iter().all(|v| *v == all[0]) => all[0],
            _ => Tri::Maybe,
        }
    }

    /// Whether the perimeter of a resource lets it call a host (NSP-04). A host that begins with a dot stands for somebody else's below it.
    pub fn may_call(&self, caller: Sym, callee: Option<Sym>, host: &str) -> Tri {
        let public = self.accesses.iter().find(|a| a.store == caller).map(|a| a.public);
        let alone = Tri::from_bool(public != Some(PublicAccess::SecuredByPerimeter));
        let vault = self.service_of(caller) == Some(Service::KeyVault);
        match self.membership(caller) {
            _ if vault => Tri::Yes,
            None => alone,
            Some((association, sure)) => {
                let confined = self.perimeter_lets_out(&association, callee, host);
                let learning = if alone == Tri::Yes { Tri::Yes } else { confined };
                let inside = match association.mode {
                    AccessMode::Enforced => confined,
                    AccessMode::Learning | AccessMode::Audit => learning,
                    AccessMode::Unknown => either_state(confined, learning),
                };
                if sure { inside } else { either_state(inside, alone) }
            }
        }
    }

    /// Whether the list of a SQL server lets it contact a host (SQL-10).
    pub fn hosts_are_listed(&self, caller: Sym, host: &str) -> Tri {
        let perhaps = self.switches.iter().any(|s| s.store == caller && s.switch == Switch::Outbound && s.on == Tri::Maybe);
        let stated = self.switches.iter().any(|s| s.store == caller && s.switch == Switch::Outbound && s.on == Tri::Yes);
        let restricted = stated || self.accesses.iter().any(|a| a.store == caller && a.outbound_restricted);
        if !restricted && !perhaps || self.service_of(caller) != Some(Service::Sql) {
            return Tri::Yes;
        }
        let own = self.outbound_hosts.iter().filter(|r| r.store == caller);
        let listed = own.map(|r| self.fits(r.fqdn.as_str(), host)).max().unwrap_or(Tri::No);
        let missing = self.outbound_hosts.is_empty() && !self.children_are_listed(caller, "microsoft.sql/servers/outboundfirewallrules");
        listed.max(if missing || !restricted { Tri::Maybe } else { Tri::No })
    }

    fn perimeter_lets_out(&self, association: &PerimeterAssociation, callee: Option<Sym>, host: &str) -> Tri {
        let member = callee.and_then(|callee| self.membership(callee));
        let joined =
            member.map_or(Tri::No, |(other, sure)| self.perimeters_talk(association, &other).min(if sure { Tri::Yes } else { Tri::Maybe }));
        let named =
            |r: &&PerimeterRule| r.profile == association.profile && r.direction == Direction::Outbound && r.item == AccessItem::Fqdn;
        let by_rule = self.perimeter_rules.iter().filter(named).map(|r| self.fits(r.value.as_str(), host)).max();
        let best = joined.max(by_rule.unwrap_or(Tri::No));
        let missing = !self.access_rules_are_listed() || self.is_unread(association.profile);
        if best == Tri::No && missing { Tri::Maybe } else { best }
    }

    /// Whether a listed name is the host, or `*.` and something the host lies below. Of hosts that begin with a dot any counts that is nobody's here. One
    /// without any is a host that nobody knows.
    fn fits(&self, pattern: &str, host: &str) -> Tri {
        if !host.contains('.') {
            return if pattern == "*" { Tri::Yes } else { Tri::Maybe };
        }
        let pattern = pattern.to_lowercase();
        Tri::from_bool(match pattern.strip_prefix('*') {
            Some("") => true,
            Some(suffix) => host.ends_with(suffix) || (host.starts_with('.') && suffix.ends_with(host)),
            None if host.starts_with('.') => pattern.ends_with(host) && !self.somebody_of_the_input_is_called(&pattern),
            None => pattern == host,
        })
    }

    /// Whether a restricted server lists a host that it may call, below no name of a service and nobody's of the input.
    pub fn lists_strangers(&self, server: Sym) -> bool {
        let restricted = self.accesses.iter().any(|a| a.store == server && a.outbound_restricted)
            || self.switches.iter().any(|s| s.store == server && s.switch == Switch::Outbound && s.on.hi());
        let of_services = |host: &str| {
            Service::EXTERNAL.into_iter().any(|service| {
                let kind = super::paas::table(service).0;
                let zones = self.platform.zones().iter().filter(|zone| zone.kind.as_str() == kind);
                zones.map(|zone| zone.suffix.as_str().rsplit('}').next().unwrap_or("")).any(|suffix| host.ends_with(suffix))
            })
        };
        let mut listed = self.outbound_hosts.iter().filter(|rule| rule.store == server).map(|rule| rule.fqdn.as_str());
        restricted
            && listed.any(|host| {
                let strange = host.contains('.') && !of_services(host) && !self.somebody_of_the_input_is_called(host);
                strange && self.may_call(server, None, host).hi()
            })
    }

    /// Whether a store of the input has the name, or one of ours has it as the alias of its private endpoints or of another part of an account (DNS-14, PE-04).
    fn somebody_of_the_input_is_called(&self, host: &str) -> bool {
        let public = host.replace(".privatelink.", ".");
        let (first, rest) = public.split_once('.').unwrap_or_default();
        let account = first.trim_end_matches("-secondary");
        self.parts.iter().any(|p| {
            let of_account = name_of(p.store) == account && self.service_of(p.store) == Some(Service::Storage);
            let alias = p.host.as_str() == public || (of_account && rest.ends_with("core.windows.net"));
            p.host.as_str() == host || (alias && self.is_inside(p.store))
        })
    }
}
