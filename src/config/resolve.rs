//! What a selector names in one estate.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use crate::config::nothing::{is_passive, suggest};
use crate::config::selector::{Glob, Kind, Pattern, SelectorError, nearest, parse};
use crate::explain::way::{End, Place};
use crate::explain::world::{machines_of, unread_sites};
use crate::facts::Index;
use crate::facts::network::{ConnectionKind, MachineKind};
use crate::facts::store_facts::{Instance, StorePart};
use crate::model::Sym;
use crate::model::ids::{id_parts, id_type, parent_id};

/// Which end of a flow a selector stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The source.
    From,
    /// The destination.
    To,
}

/// The one endpoint that `text` names. For many selectors over one estate use [`Names`].
///
/// # Errors
/// The text is no selector, names nothing, or names more than one endpoint; candidates are listed.
pub fn resolve_end(text: &str, index: &Index, side: Side) -> Result<End, SelectorError> {
    Names::new(index).end(text, side)
}

/// Every endpoint that `text` names, sorted by text.
///
/// # Errors
/// The text is no selector or names nothing.
pub fn resolve_many(text: &str, index: &Index) -> Result<Vec<End>, SelectorError> {
    Names::new(index).many(text)
}

/// The one point of view that `text` names.
///
/// # Errors
/// As [`resolve_end`].
pub fn resolve_place(text: &str, index: &Index) -> Result<Place, SelectorError> {
    Names::new(index).place(text)
}

/// The names of an estate, findable: built once, asked often.
pub struct Names<'a> {
    pub(super) index: &'a Index,
    pub(super) by_name: HashMap<(Kind, &'static str), Vec<Sym>>,
    /// How many resources have a name.
    pub(super) resource_names: OnceLock<HashMap<&'static str, usize>>,
}

/// One thing that bears a name; a network is one, though it is no endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Found {
    End(End),
    Vnet(Sym),
    /// A flexible scale set with several machines in the input.
    ScaleSet(Sym),
    /// In the input, but nothing that sends or answers: a rule, a route table, a disk.
    Passive(Sym),
}

impl<'a> Names<'a> {
    /// Collects the names of `index`.
    pub fn new(index: &'a Index) -> Names<'a> {
        let mut names = Names { index, by_name: HashMap::new(), resource_names: OnceLock::new() };
        for row in index.machine.rows() {
            names.add(if row.kind == MachineKind::Vm { Kind::Vm } else { Kind::Vmss }, row.machine);
        }
        // One of which the input holds only machines is called by its name as well.
        index.machine_scale_set.rows().for_each(|row| names.add(Kind::Vmss, row.scale_set));
        index.nic.rows().for_each(|row| names.add(Kind::Nic, row.nic));
        index.subnet.rows().for_each(|row| names.add(Kind::Subnet, row.subnet));
        index.vnet.rows().for_each(|row| names.add(Kind::Vnet, row.vnet));
        index.private_endpoint.rows().for_each(|row| names.add(Kind::PrivateEndpoint, row.endpoint));
        for row in index.store.rows() {
            if let Some(kind) = Kind::of_service(row.service) {
                names.add(kind, row.store);
            }
        }
        names.add_sites();
        for ids in names.by_name.values_mut() {
            Sym::sort(ids);
            ids.dedup();
        }
        names
    }

    /// The facts that the names are of.
    pub fn index(&self) -> &'a Index {
        self.index
    }

    fn add(&mut self, kind: Kind, id: Sym) {
        self.by_name.entry((kind, id_parts(id.as_str()).name)).or_default().push(id);
    }

    /// An `[[onprem]]`, local network gateways, a circuit and the clients of a gateway of one name are one site, known by the first of the four.
    fn add_sites(&mut self) {
        let mut stated: Vec<Sym> = self.index.site.rows().map(|row| row.site).collect();
        Sym::sort(&mut stated);
        for site in stated {
            self.by_name.entry((Kind::Onprem, Sym::lower(site.as_str()).as_str())).or_insert_with(|| vec![site]);
        }
        for row in self.index.local_gateway.rows() {
            let name = id_parts(row.site.as_str()).name;
            let known = self.by_name.get(&(Kind::Onprem, name)).and_then(|sites| sites.first());
            if known.is_none_or(|site| site.as_str().starts_with('/')) {
                self.add(Kind::Onprem, row.site);
            }
        }
        for site in unread_sites(self.index) {
            let sites = self.by_name.entry((Kind::Onprem, id_parts(site.as_str()).name)).or_default();
            if sites.is_empty() {
                sites.push(site);
            }
        }
        let circuits = self.index.connection.rows().filter(|row| row.kind == ConnectionKind::ExpressRoute && !row.peer.is_empty());
        let mut by_name: HashMap<&'static str, BTreeSet<Sym>> = HashMap::new();
        for row in circuits {
            by_name.entry(id_parts(row.peer.as_str()).name).or_default().insert(row.peer);
        }
        for (name, peers) in by_name {
            self.by_name.entry((Kind::Onprem, name)).or_insert_with(|| peers.into_iter().collect());
        }
        let mut by_name: HashMap<&'static str, BTreeSet<Sym>> = HashMap::new();
        for row in self.index.gateway_client_pools.rows() {
            by_name.entry(id_parts(row.gateway.as_str()).name).or_default().insert(row.gateway);
        }
        for (name, gateways) in by_name {
            self.by_name.entry((Kind::Onprem, name)).or_insert_with(|| gateways.into_iter().collect());
        }
    }

    /// The one endpoint that `text` names.
    ///
    /// # Errors
    /// The text is no selector, names nothing, names more than one endpoint, or cannot stand on this side.
    pub fn end(&self, text: &str, side: Side) -> Result<End, SelectorError> {
        let pattern = parse(text)?;
        let mut found = self.find(text, &pattern, &mut Vec::new())?;
        // A name that a network shares with an endpoint means the endpoint.
        let is_end = |f: &Found| matches!(f, Found::End(_) | Found::ScaleSet(_));
        if found.iter().any(is_end) {
            found.retain(is_end);
        }
        self.keep_principal(&mut found);
        let end = match found.as_slice() {
            [Found::End(end)] => *end,
            // It stands for one of its machines.
            [Found::ScaleSet(set)] => End::Machine(*set),
            [Found::Vnet(vnet)] => {
                let subnets = self.index.subnets_by_vnet.get(*vnet).iter().map(|row| self.short(End::Subnet(row.subnet))).collect();
                return Err(SelectorError::new(format!("`{text}` is a virtual network, which is no endpoint: name one of its subnets"))
                    .candidates(subnets));
            }
            [Found::Passive(id)] => return Err(self.passive(text, *id)),
            many => {
                let one_store =
                    |f: &Found| matches!((f, many[0]), (Found::End(End::Store(id, ..)), Found::End(End::Store(first, ..))) if *id == first);
                let what = match &pattern {
                    Pattern::Named { kind, .. } if kind.is_store() => "endpoints",
                    _ if many.iter().all(one_store) => "endpoints",
                    _ => "resources",
                };
                let candidates = many.iter().map(|f| self.describe(*f)).collect();
                return Err(SelectorError::new(format!("`{text}` names {} {what}, one is needed", many.len())).candidates(candidates));
            }
        };
        match (side, end) {
            (Side::From, End::Fqdn(_)) => {
                Err(SelectorError::new(format!("`{text}` cannot be a source: a host name is where a flow goes to"))
                    .help("name a machine or an address"))
            }
            (Side::From, End::External(_)) => {
                Err(SelectorError::new(format!("`{text}` cannot be a source")).help("write `internet` for whoever is outside"))
            }
            _ => Ok(end),
        }
    }

    /// Of the endpoints of one store the one that people mean where they name no other: the app, not its deployment site.
    fn keep_principal(&self, found: &mut Vec<Found>) {
        let Some(Found::End(End::Store(store, ..))) = found.first().copied() else { return };
        let parts: Vec<Sym> = found
            .iter()
            .filter_map(|f| match f {
                Found::End(End::Store(id, part, _)) if *id == store => Some(*part),
                _ => None,
            })
            .collect();
        if parts.len() == found.len()
            && let Some(principal) = self.index.store.one(store).and_then(|row| row.service.principal(&parts))
        {
            found.retain(|f| matches!(f, Found::End(End::Store(_, part, _)) if *part == principal));
        }
    }

    /// Every endpoint that `text` names, sorted by text; a network stands for its subnets, a flexible scale set for its machines, a store for all its parts.
    ///
    /// # Errors
    /// The text is no selector, or nothing bears the name.
    pub fn many(&self, text: &str) -> Result<Vec<End>, SelectorError> {
        let found = self.find(text, &parse(text)?, &mut Vec::new())?;
        if let [Found::Passive(id)] = found.as_slice() {
            return Err(self.passive(text, *id));
        }
        let mut ends = Vec::new();
        for f in found {
            match f {
                Found::End(end) => ends.push(end),
                Found::ScaleSet(set) => ends.extend(machines_of(self.index, set).into_iter().map(End::Machine)),
                Found::Vnet(vnet) => ends.extend(self.index.subnets_by_vnet.get(vnet).iter().map(|row| End::Subnet(row.subnet))),
                Found::Passive(_) => {}
            }
        }
        ends.sort_by_cached_key(|end| sort_key(*end));
        ends.dedup();
        Ok(ends)
    }

    /// The one point of view that `text` names.
    ///
    /// # Errors
    /// As [`Names::end`], and where what is named has no routes, rules or names of its own.
    pub fn place(&self, text: &str) -> Result<Place, SelectorError> {
        let found = self.find(text, &parse(text)?, &mut Vec::new())?;
        let mut found: Vec<Found> = found.into_iter().flat_map(|f| self.each(f)).collect();
        found.retain(|f| place(*f).is_some() || matches!(f, Found::Passive(_)));
        match found.as_slice() {
            [one] => place(*one).ok_or_else(|| no_place(text)),
            [] => Err(no_place(text)),
            many => {
                let candidates = many.iter().map(|f| self.describe(*f)).collect();
                Err(SelectorError::new(format!("`{text}` names {} resources, one is needed", many.len())).candidates(candidates))
            }
        }
    }

    fn describe(&self, found: Found) -> String {
        match found {
            Found::ScaleSet(set) => self.short(End::Machine(set)),
            Found::End(end @ End::Store(id, part, instance)) => {
                // A service that no selector is called after is asked for by its host names.
                let unnamed = self.index.store.one(id).is_some_and(|row| Kind::of_service(row.service).is_none());
                let row = self.index.store_parts.get(id).iter().find(|row| (row.part, row.instance) == (part, instance));
                let host = row.map(|row| row.host).filter(|host| unnamed && !host.is_empty());
                host.map_or_else(|| self.short(end), |host| format!("fqdn:{host}"))
            }
            Found::End(end) => self.short(end),
            Found::Vnet(id) | Found::Passive(id) => id.as_str().to_owned(),
        }
    }

    fn passive(&self, text: &str, id: Sym) -> SelectorError {
        let kind = id_type(id.as_str()).unwrap_or_default();
        SelectorError::new(format!("`{text}` is no endpoint: `{kind}` neither sends nor answers"))
            .help("name a machine, an interface, a subnet, a store or a private endpoint")
    }

    /// What `pattern` names, sorted by text; an error where that is nothing.
    fn find(&self, text: &str, pattern: &Pattern, labels: &mut Vec<Sym>) -> Result<Vec<Found>, SelectorError> {
        let mut found: Vec<Found> = match pattern {
            Pattern::Ip(ip) => vec![Found::End(End::Ip(*ip))],
            Pattern::Internet(ip) => vec![Found::End(End::Internet(*ip))],
            Pattern::Fqdn(name) => vec![Found::End(End::Fqdn(*name))],
            Pattern::External(service) => vec![Found::End(End::External(*service))],
            Pattern::Id(id) => self.by_id(*id),
            Pattern::Bare(name) => self.by_bare_name(name),
            Pattern::Named { kind, within, name, part } => self.by_kind(text, *kind, within.as_ref(), name, part.as_ref())?,
            Pattern::Label(label) => self.by_label(*label, labels)?,
            Pattern::Tag { key, value } => {
                let tagged = self
                    .index
                    .tags
                    .rows()
                    .filter(|row| key.matches(Sym::lower(row.key.as_str()).as_str()) && value.matches(row.value.as_str()));
                tagged.flat_map(|row| self.by_id(row.resource)).filter(|f| !matches!(f, Found::Passive(_))).collect()
            }
        };
        found.sort_by_cached_key(|f| match f {
            Found::End(end) => sort_key(*end),
            Found::Vnet(id) | Found::ScaleSet(id) | Found::Passive(id) => (id.as_str().to_owned(), String::new(), Instance::Primary),
        });
        found.dedup();
        if found.is_empty() { Err(self.nothing(text, pattern)) } else { Ok(found) }
    }

    fn by_label(&self, label: Sym, labels: &mut Vec<Sym>) -> Result<Vec<Found>, SelectorError> {
        let mut rows: Vec<Sym> =
            self.index.labels.rows().filter(|row| Sym::lower(row.label.as_str()) == label).map(|row| row.selector).collect();
        if rows.is_empty() {
            let known: BTreeSet<&str> = self.index.labels.rows().map(|row| row.label.as_str()).collect();
            let near = nearest(label.as_str(), known.into_iter()).into_iter().map(|near| format!("label:{near}")).collect();
            let error = suggest(SelectorError::new(format!("no label `{label}` is defined")), near);
            return Err(error.help("`[labels]` in watertight.toml defines them"));
        }
        Sym::sort(&mut rows);
        labels.push(label);
        let mut found = Vec::new();
        for selector in rows {
            let pattern = parse(selector.as_str())?;
            if let Pattern::Label(inner) = pattern
                && labels.contains(&inner)
            {
                let error = SelectorError::new(format!("the label `{inner}` is defined by itself"));
                return Err(error.help("take it out of its own line in `[labels]`"));
            }
            // A line that names nothing in this estate leaves the others standing.
            if let Ok(more) = self.find(selector.as_str(), &pattern, labels) {
                found.extend(more.into_iter().filter(|f| !matches!(f, Found::Passive(_))));
            }
        }
        labels.pop();
        Ok(found)
    }

    fn ids(&self, kind: Kind, name: &Glob) -> Vec<Sym> {
        match name.exact() {
            Some(name) => self.by_name.get(&(kind, name)).cloned().unwrap_or_default(),
            None => {
                self.by_name.iter().filter(|((k, n), _)| *k == kind && name.matches(n)).flat_map(|(_, ids)| ids.iter().copied()).collect()
            }
        }
    }

    fn by_kind(
        &self,
        text: &str,
        kind: Kind,
        within: Option<&Glob>,
        name: &Glob,
        part: Option<&Glob>,
    ) -> Result<Vec<Found>, SelectorError> {
        if kind.is_store() {
            return self.stores(text, kind, name, part);
        }
        let ids = self.ids(kind, name).into_iter();
        Ok(match kind {
            Kind::Vm | Kind::Vmss => ids.map(|id| self.machine(id)).collect(),
            Kind::Nic => ids.map(|id| Found::End(End::Nic(id))).collect(),
            Kind::Vnet => ids.map(Found::Vnet).collect(),
            Kind::PrivateEndpoint => ids.map(|id| Found::End(End::PrivateEndpoint(id))).collect(),
            Kind::Onprem => ids.map(|id| Found::End(End::Site(id))).collect(),
            _ => {
                let network = |id: Sym| self.index.subnet.one(id).map_or("", |row| id_parts(row.vnet.as_str()).name);
                ids.filter(|id| within.is_none_or(|w| w.matches(network(*id)))).map(|id| Found::End(End::Subnet(id))).collect()
            }
        })
    }

    /// The parts of stores. The second front end of an account is spelled `<name>-secondary`, as in its host name (M-07).
    fn stores(&self, text: &str, kind: Kind, name: &Glob, part: Option<&Glob>) -> Result<Vec<Found>, SelectorError> {
        let mut ids: Vec<(Sym, Option<Instance>)> =
            self.ids(kind, name).into_iter().map(|id| (id, part.map(|_| Instance::Primary))).collect();
        if ids.is_empty()
            && let Some(account) = name.text().strip_suffix("-secondary")
            && let Ok(account) = Glob::new(account)
        {
            ids = self.ids(kind, &account).into_iter().map(|id| (id, Some(Instance::Secondary))).collect();
        }
        let mut found = Vec::new();
        for (id, instance) in &ids {
            let rows = self.index.store_parts.get(*id).iter();
            found.extend(
                rows.filter(|row| instance.is_none_or(|i| i == row.instance) && part.is_none_or(|p| p.matches(row.part.as_str())))
                    .map(store_end),
            );
        }
        if found.is_empty() && !ids.is_empty() {
            let parts: Vec<String> =
                ids.iter().flat_map(|(id, _)| self.index.store_parts.get(*id)).map(|row| self.describe(store_end(row))).collect();
            let error = match part {
                Some(part) => SelectorError::new(format!("`{text}` has no part `{}`", part.text())),
                None => SelectorError::new(format!("`{text}` has no such endpoint")),
            };
            return Err(error.candidates(parts));
        }
        Ok(found)
    }

    /// Anything of that name that can be an end; only where there is none what is not modelled, then what is no endpoint.
    fn by_bare_name(&self, name: &Glob) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for kind in Kind::ALL {
            found.extend(self.by_kind("", kind, None, name, None).unwrap_or_default());
        }
        if found.is_empty() {
            found = self
                .index
                .resource
                .rows()
                .filter(|row| name.matches(id_parts(row.id.as_str()).name))
                .flat_map(|row| self.by_id(row.id))
                .collect();
            if found.iter().any(|f| !matches!(f, Found::Passive(_))) {
                found.retain(|f| !matches!(f, Found::Passive(_)));
            }
        }
        found
    }

    fn by_id(&self, id: Sym) -> Vec<Found> {
        let index = self.index;
        if index.machine.has(id) || index.machines_by_scale_set.has(id) {
            vec![self.machine(id)]
        } else if index.subnet.has(id) {
            vec![Found::End(End::Subnet(id))]
        } else if index.vnet.has(id) {
            vec![Found::Vnet(id)]
        } else if index.private_endpoint.has(id) {
            vec![Found::End(End::PrivateEndpoint(id))]
        } else if index.nic.has(id) {
            vec![Found::End(End::Nic(id))]
        } else if let Some(row) = index.ip_config.one(id) {
            vec![Found::End(End::Nic(row.nic))]
        } else if index.store.has(id) {
            index.store_parts.get(id).iter().map(store_end).collect()
        } else if index.local_gateway.has(id)
            || unread_sites(index).contains(&id)
            || index.gateway_client_pools.has(id)
            || index.connections_by_peer.get(id).iter().any(|row| row.kind == ConnectionKind::ExpressRoute)
        {
            vec![Found::End(End::Site(id))]
        } else if let Some(found) = self.instance(id) {
            found
        } else if let Some(found) = self.child_of_store(id) {
            found
        } else if index.resource.has(id) {
            let passive = id_type(id.as_str()).is_none_or(|kind| is_passive(&kind));
            vec![if passive { Found::Passive(id) } else { Found::End(End::Unmodelled(id)) }]
        } else {
            Vec::new()
        }
    }

    /// A container, a share, a database: the part of the store that answers for it.
    fn child_of_store(&self, id: Sym) -> Option<Vec<Found>> {
        let mut above = id.as_str();
        loop {
            let child = above;
            above = parent_id(above)?;
            let store = Sym::new(above);
            if !self.index.store.has(store) {
                continue;
            }
            let part = match child[above.len()..].trim_start_matches('/').split('/').next().unwrap_or_default() {
                "blobservices" => Some("blob"),
                "fileservices" => Some("file"),
                "queueservices" => Some("queue"),
                "tableservices" => Some("table"),
                "databases" | "secrets" | "keys" | "eventhubs" | "queues" | "topics" => None,
                _ => return None, // a rule or a connection of the store is no endpoint
            };
            let rows = self.index.store_parts.get(store).iter().filter(|row| row.instance == Instance::Primary);
            return Some(rows.filter(|row| part.is_none_or(|part| row.part.as_str() == part)).map(store_end).collect());
        }
    }
}

fn store_end(row: &StorePart) -> Found {
    Found::End(End::Store(row.store, row.part, row.instance))
}

fn place(found: Found) -> Option<Place> {
    match found {
        Found::Vnet(id) => Some(Place::Vnet(id)),
        Found::End(End::Subnet(id)) => Some(Place::Subnet(id)),
        Found::End(End::Nic(id)) => Some(Place::Nic(id)),
        Found::End(End::Machine(id)) => Some(Place::Machine(id)),
        Found::End(End::Site(site)) => Some(Place::Site(site)),
        Found::End(End::Internet(None)) => Some(Place::Internet),
        _ => None,
    }
}

fn no_place(text: &str) -> SelectorError {
    SelectorError::new(format!("`{text}` has no routes, rules or names of its own"))
        .help("name a network, a subnet, an interface, a machine, a site or `internet`")
}

/// The text that an endpoint is sorted by.
fn sort_key(end: End) -> (String, String, Instance) {
    let one = |text: &str| (text.to_owned(), String::new(), Instance::Primary);
    match end {
        End::Machine(id)
        | End::Nic(id)
        | End::Subnet(id)
        | End::Site(id)
        | End::PrivateEndpoint(id)
        | End::Network(id)
        | End::Unmodelled(id)
        | End::Fqdn(id) => one(id.as_str()),
        End::Ip(ip) | End::Internet(Some(ip)) => one(&ip.to_string()),
        End::Internet(None) => one("internet"),
        End::Store(id, part, instance) => (id.as_str().to_owned(), part.as_str().to_owned(), instance),
        End::External(service) => one(service.as_str()),
    }
}
