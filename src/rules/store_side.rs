//! Whom a store lets in, by kind of source, and what strangers take out of it: the store's side of the ways to it.

use crate::facts::Fact;
use crate::facts::gap::Resource;
use crate::facts::platform::Platform;
use crate::facts::private_access::{Consent, ProviderConnection, ProviderConnectionGroup};
use crate::facts::service::Service;
use crate::facts::store_facts::*;
use crate::model::{Set, Span, Sym, Tri};
use crate::rules::boundary::Boundary;
use crate::rules::consent::{self, Provider};
use crate::rules::egress::front_of;
use crate::rules::leak::{Door, Hook, Side, Sink};
use crate::rules::paas_firewall::{self, Firewall, Lists, Source, Unread};
use crate::rules::part::{Gate, Part, Visitor};
use crate::rules::private_endpoint::{self, front_end};

/// The rows around one store, or around something else that private endpoints lead to.
#[derive(Default)]
struct Around {
    store: Option<Store>,
    parts: Vec<StorePart>,
    access: Option<StoreAccess>,
    switches: Vec<StoreSwitch>,
    ip_rules: Vec<StoreIpRule>,
    subnet_rules: Vec<StoreSubnetRule>,
    resource_rules: Vec<StoreResourceRule>,
    lists: Vec<Sym>,
    known: Vec<Resource>,
    unread: Unread,
    gates: Vec<std::sync::Arc<Gate>>,
    provider: Vec<ProviderConnection>,
    named: Vec<ProviderConnectionGroup>,
    boundary: std::sync::Arc<Boundary>,
}

impl Around {
    fn read(parts: &[Part]) -> Around {
        let mut around = Around::default();
        for part in parts {
            match part {
                Part::Fact(Fact::Store(row)) => around.store = Some(*row),
                Part::Fact(Fact::StorePart(row)) => around.parts.push(*row),
                Part::Fact(Fact::StoreAccess(row)) => around.access = Some(*row),
                Part::Fact(Fact::StoreSwitch(row)) => around.switches.push(*row),
                Part::Fact(Fact::StoreIpRule(row)) => around.ip_rules.push(*row),
                Part::Fact(Fact::StoreSubnetRule(row)) => around.subnet_rules.push(*row),
                Part::Fact(Fact::StoreResourceRule(row)) => around.resource_rules.push(*row),
                Part::Fact(Fact::ChildType(row)) => around.lists.push(row.kind),
                Part::Fact(Fact::UnreadRule(_)) => around.unread = Unread::Any,
                Part::Fact(Fact::ProviderConnection(row)) => around.provider.push(*row),
                Part::Fact(Fact::ProviderConnectionGroup(row)) => around.named.push(*row),
                Part::Other(Fact::Resource(row)) | Part::Fact(Fact::Resource(row)) => around.known.push(*row),
                Part::Gate(handle) => around.gates.push(handle.get()),
                Part::Boundary(handle) => around.boundary = handle.get(),
                _ => {}
            }
        }
        around
    }

    /// Whether an id is inside for sure.
    fn inside(&self, id: Sym) -> bool {
        !self.boundary.outside(id, self.known.iter().find(|row| row.id == id).map(|row| row.tenant)).hi()
    }

    fn firewall(&self, store: Store) -> Firewall<'_> {
        let listed = |kind: &str| self.lists.iter().chain(&self.boundary.complete).any(|list| list.as_str() == kind);
        let sql = store.service == Service::Sql;
        Firewall {
            store,
            tenant: self.known.iter().find(|row| row.id == store.store).map_or(Sym::EMPTY, |row| row.tenant),
            access: self.access,
            ip_rules: &self.ip_rules,
            // A row of the list shows that such rows were exported; what else shows it stands with other stores, and doubt is sound.
            ip_complete: !sql || !self.ip_rules.is_empty() || listed(SQL_RULES[0]),
            subnet_rules: &self.subnet_rules,
            subnet_complete: !sql || !self.subnet_rules.is_empty() || listed(SQL_RULES[1]),
            resource_rules: &self.resource_rules,
            lists: if sql {
                Lists { ip: Sym::new(SQL_RULES[0]), subnet: Sym::new(SQL_RULES[1]), set: Sym::EMPTY }
            } else {
                Lists::default()
            },
            rule_set: None,
            rule_set_complete: true,
            listed: Vec::new(),
            connected: Tri::No,
            perimeter: self.boundary.perimeter,
            hidden: false,
            unread: self.unread,
        }
    }

    /// The connections that the store lists of endpoints that lead to it in no other view.
    fn unseen(&self) -> impl Iterator<Item = &ProviderConnection> {
        self.provider.iter().filter(|row| !self.gates.iter().any(|gate| gate.connection.endpoint == row.endpoint))
    }

    /// Whether a connection may be for a sub-resource that `fits`: by what it says itself, or by what the provider says of it (PE-02, PE-11).
    fn may_be_for(&self, gate: &Gate, fits: impl Fn(Sym) -> bool) -> bool {
        let own = gate.connection.group;
        let listed = || self.provider.iter().filter(|row| row.endpoint == gate.connection.endpoint);
        own.is_empty()
            || fits(own)
            || self.named.iter().any(|named| fits(named.group) && listed().any(|row| row.connection == named.connection))
    }

    /// Whether a connection carries traffic (PE-10, PE-11).
    fn consent(&self, gate: &Gate) -> Tri {
        consent::effective(&gate.connection, &self.provider, self.list_of(gate.connection.target)).admitted
    }

    /// What is known of the list of connections of `target`. What shows of an empty list that it was exported stands with others of its type, and doubt is sound.
    fn list_of(&self, target: Sym) -> Provider {
        let kind = match self.store {
            Some(store) => Some(if derived(store.service) { store.service.kinds()[0] } else { "" }),
            None => self.known.iter().find(|row| row.id == target).map(|row| row.kind.as_str()),
        };
        let list = kind.map(|kind| Sym::new(&format!("{kind}/privateendpointconnections")));
        match list {
            _ if self.provider.iter().any(consent::is_read) => Provider::Listed,
            None => Provider::Unseen,
            Some(list) if self.lists.contains(&list) || self.boundary.complete.contains(&list) => Provider::Listed,
            Some(_) => Provider::Unlisted,
        }
    }
}

/// The doors at which a store takes what comes, and what leaves it by the hands of strangers (X-13); for anything else behind a private endpoint, the
/// doors to it where it is outside the boundary (X-16).
///
/// ```datalog
/// admits(S, "*") :- store_access(S, "enabled", "yes", _, _, _).                                                 // store.1
/// admits(S, N)   :- store_subnet_rule(_, S, N, "yes").                                                          // store.2
/// ```
pub fn hooks(id: Sym, parts: &[Part], platform: &Platform, output: &mut Vec<(Part, isize)>) {
    let around = Around::read(parts);
    for gate in &around.gates {
        output.push((Part::Consents(gate.connection.connection, around.consent(gate)), 1));
    }
    let Some(store) = around.store else {
        foreign(id, &around, output);
        return;
    };
    if store.service == Service::Sql {
        own_calls(&around, output);
    }
    if !derived(store.service) {
        underived(&around, store, platform, output);
        return;
    }
    let firewall = around.firewall(store);
    let mut subnets: Vec<Sym> = around.subnet_rules.iter().map(|rule| rule.subnet).collect();
    subnets.sort_unstable();
    subnets.dedup();
    let mut admit = |visitor: Visitor| {
        let admitted = paas_firewall::admit(&firewall, &visitor.source()).admitted;
        output.push((Part::Admits(visitor, admitted), 1));
        admitted
    };
    // What a machine can show by a way that is derived; then what any source can show.
    let shown = [Visitor::Subnet(Sym::EMPTY), Visitor::SameRegion, Visitor::Azure].map(&mut admit);
    let more = [Visitor::AnyAzure, Visitor::AnyInternet, Visitor::OnPremises].map(&mut admit);
    let named: Vec<(Sym, Tri)> =
        subnets.into_iter().map(|subnet| (subnet, admit(Visitor::Subnet(subnet)))).filter(|(_, admitted)| admitted.hi()).collect();
    let all = shown.into_iter().min().unwrap_or_default();
    let some = shown.into_iter().chain(more).max().unwrap_or_default();
    let generic = if all.lo() { Span::ALL } else { tri(some).doubted() };
    let plain_http = around.access.is_some_and(|access| access.plain_http);
    let strangers = strangers(&around, store, &firewall);
    for part in &around.parts {
        let group = private_endpoint::group(part.part, part.instance);
        let node = (store.store, group);
        let mut hook = |door: Door, span: Span| {
            let span = span.within(Set::tcp_udp());
            if !span.is_none() {
                output.push((Part::Hook(node, Hook { door, side: Side::Takes, span }), 1));
            }
        };
        let switched = private_endpoint::switched_on(platform, &around.switches, group);
        let front = front_end(platform, store.service, store.kind, part.part, plain_http, false).or(switched);
        let surely = if part.location.is_empty() { generic.doubted() } else { generic };
        hook(Door::FrontEnd(store.service), front.and(surely));
        for (subnet, admitted) in &named {
            hook(Door::Subnet(store.service, *subnet), front.and(tri(*admitted)).doubted());
        }
        if some.hi() || !named.is_empty() {
            hook(Door::Unknown(store.service), front.doubted());
        }
        let behind = front_end(platform, store.service, store.kind, part.part, plain_http, true).or(switched);
        let leading = |gate: &&std::sync::Arc<Gate>| around.may_be_for(gate, |named| named == group);
        for gate in around.gates.iter().filter(leading).filter(|gate| around.consent(gate).hi()) {
            // Which address is for a sub-resource that only the provider names is not told.
            let elsewhere = (gate.connection.group != group).then_some(Door::Nowhere);
            for door in doors_of(gate).into_iter().chain(elsewhere) {
                hook(door, behind.doubted());
            }
        }
        // An endpoint that was not exported may stand anywhere (PE-37).
        if around.unseen().any(|row| consent::says(row.state, row.settled).hi()) {
            for door in [Door::Anywhere, Door::Nowhere] {
                hook(door, behind.doubted());
            }
        }
        if calls_in(&around, &firewall) {
            hook(Door::Caller, front.doubted());
        }
        if store.service == Service::Storage {
            let shared = Span::UNKNOWN.within(Set::tcp_udp());
            let sides = [Side::Sends, Side::Takes].map(|side| Hook { door: Door::Account(store.store), side, span: shared });
            output.extend(sides.map(|hook| (Part::Hook(node, hook), 1)));
        }
        let taken = strangers.or(foreign_endpoints(&around, part));
        if taken.hi() {
            for sink in takers() {
                // Only whoever comes over the public front end is surely one of the internet, or of a service that fetches by itself.
                let surely = match sink {
                    Sink::Internet => true,
                    Sink::External(service) => platform.fetches(service),
                    _ => false,
                };
                let span = if surely { tri(taken) } else { tri(taken).doubted() };
                output.push((Part::Escape(node, sink, Span::exactly(Set::tcp()).and(span)), 1));
            }
        }
    }
}

/// The rules of SQL servers, which are resources of their own.
pub const SQL_RULES: [&str; 2] = ["microsoft.sql/servers/firewallrules", "microsoft.sql/servers/virtualnetworkrules"];

/// The services whose firewalls the rows follow.
fn derived(service: Service) -> bool {
    matches!(service, Service::Storage | Service::KeyVault | Service::Sql)
}

/// A store whose firewall the rows do not follow: it may let anybody in, and give what it holds to anybody.
fn underived(around: &Around, store: Store, platform: &Platform, output: &mut Vec<(Part, isize)>) {
    for part in &around.parts {
        let node = (store.store, private_endpoint::group(part.part, part.instance));
        let front = front_end(platform, store.service, store.kind, part.part, true, false);
        let front = front.or(front_end(platform, store.service, store.kind, part.part, true, true)).doubted();
        let mut doors = vec![Door::FrontEnd(front_of(store.service)), Door::Unknown(front_of(store.service)), Door::Caller];
        if !around.gates.is_empty() || !around.provider.is_empty() || store.service == Service::Web {
            doors.push(Door::Nowhere); // the slots of an app share its connections
        }
        for door in doors {
            let span = front.within(Set::tcp_udp());
            output.push((Part::Hook(node, Hook { door, side: Side::Takes, span }), 1));
        }
        for sink in takers() {
            output.push((Part::Escape(node, sink, Span::exactly(Set::tcp()).doubted()), 1));
        }
    }
}

/// The kinds of places outside where what strangers take may end up (X-13).
fn takers() -> impl Iterator<Item = Sink> {
    [Sink::Internet, Sink::Foreign].into_iter().chain(Service::EXTERNAL.map(Sink::External))
}

/// What a SQL server reads and writes by its own features: any store outside, and those of the input that let it in (X-23, SQL-10).
fn own_calls(around: &Around, output: &mut Vec<(Part, isize)>) {
    let possibly = Span::UNKNOWN.within(Set::tcp_udp());
    for part in &around.parts {
        let node = (part.store, private_endpoint::group(part.part, part.instance));
        output.push((Part::Hook(node, Hook { door: Door::Caller, side: Side::Sends, span: possibly }), 1));
        output.extend(Service::EXTERNAL.map(|service| (Part::Escape(node, Sink::External(service), possibly), 1)));
        // Hosts on its list may be anybody's.
        let switched = around.switches.iter().any(|row| row.switch == Switch::Outbound);
        if switched || around.access.is_some_and(|access| access.outbound_restricted) {
            output.push((Part::Escape(node, Sink::Internet, possibly), 1));
        }
    }
}

/// Whether the firewall may let in a SQL server that calls in its own name.
fn calls_in(around: &Around, firewall: &Firewall<'_>) -> bool {
    let kind = Sym::new(Service::Sql.kinds()[0]);
    let call = |tenant: Sym| Source::Caller { resource: Sym::EMPTY, kind, tenant };
    !around.resource_rules.is_empty()
        || [Sym::EMPTY, firewall.tenant].into_iter().any(|tenant| paas_firewall::admit(firewall, &call(tenant)).admitted.hi())
}

/// All, nothing, or all of it possibly.
fn tri(tri: Tri) -> Span {
    match tri {
        Tri::Yes => Span::ALL,
        Tri::Maybe => Span::UNKNOWN,
        Tri::No => Span::NONE,
    }
}

/// The doors to a private endpoint.
fn doors_of(gate: &Gate) -> Vec<Door> {
    let mut doors = vec![Door::Anywhere];
    doors.extend(gate.vnets.iter().map(|vnet| Door::Network(*vnet)));
    if gate.vnets.contains(&Sym::EMPTY) || gate.addresses.iter().all(|address| address.is_ipv6()) {
        doors.push(Door::Nowhere);
    }
    doors
}

/// Whether strangers are let in over the public front end (R-06).
fn strangers(around: &Around, store: Store, firewall: &Firewall<'_>) -> Tri {
    let admit = |firewall: &Firewall<'_>, visitor: Visitor| paas_firewall::admit(firewall, &visitor.source()).admitted;
    // A rule for addresses may be for those of the estate alone: what it admits is not surely a stranger.
    let without = Firewall { ip_rules: &[], ..firewall.clone() };
    let mut best = Tri::No;
    for everybody in [Visitor::AnyInternet, Visitor::AnyAzure] {
        let admitted = admit(firewall, everybody);
        best = best.or(if admitted.lo() && !admit(&without, everybody).lo() { Tri::Maybe } else { admitted });
    }
    if store.service == Service::Storage {
        best = best.or(admit(firewall, Visitor::SameRegion));
    }
    let foreign = around.subnet_rules.iter().filter(|rule| !around.inside(rule.subnet));
    for rule in foreign {
        best = best.or(admit(firewall, Visitor::Subnet(rule.subnet)).min(Tri::Maybe));
    }
    let locked = around.access.is_some_and(|access| access.public == PublicAccess::SecuredByPerimeter) && !around.boundary.perimeter;
    if !locked && around.resource_rules.iter().any(|rule| !around.inside(rule.resource)) {
        best = best.or(Tri::Maybe);
    }
    best
}

/// Whether a private endpoint outside the boundary may lead to the part (PE-37).
fn foreign_endpoints(around: &Around, part: &StorePart) -> Tri {
    let fits = |group: Sym| group == part.part || group == private_endpoint::group(part.part, Instance::Secondary);
    let consumers = around.gates.iter().filter(|gate| around.may_be_for(gate, fits) && !around.inside(gate.connection.endpoint));
    let theirs = consumers.map(|gate| around.consent(gate));
    let unseen = around.unseen().filter(|row| !around.inside(row.endpoint)).map(|row| match (row.state, row.settled) {
        (Consent::Approved | Consent::Unknown, _) | (_, false) => Tri::Maybe,
        (_, true) => Tri::No,
    });
    let others = Tri::from_bool(around.list_of(part.store) == Provider::Unlisted);
    theirs.chain(unseen).max().unwrap_or(Tri::No).or(others).min(Tri::Maybe)
}

/// Something that is no store, outside the boundary, behind private endpoints.
fn foreign(id: Sym, around: &Around, output: &mut Vec<(Part, isize)>) {
    if around.inside(id) {
        return;
    }
    for gate in &around.gates {
        if matches!(gate.connection.state, Consent::Rejected | Consent::Disconnected) {
            continue;
        }
        for door in doors_of(gate) {
            let hook = Hook { door, side: Side::Takes, span: Span::UNKNOWN.within(Set::tcp_udp()) };
            output.push((Part::Outer(hook, Sink::Foreign), 1));
        }
    }
}
