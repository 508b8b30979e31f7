//! The rows of the derived relations, asked of the evaluation of points, and why each of them holds.
//!
//! Nothing is evaluated before a check asks for it, and nothing twice. `derived_proof` says why a row holds.

use std::cell::{OnceCell, RefCell};
use std::num::NonZeroUsize;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::config::resolve_many;
use crate::engine::bounds::Bounds;
use crate::engine::exfil;
use crate::explain::exposure::{Exposed, exposure};
use crate::explain::reach::{self, Ask, Ends};
use crate::explain::way::{End, Flow, Mode};
use crate::explain::world::World;
use crate::explain::{point, stores};
use crate::facts::private_access::{Consent, PrivateEndpointConnection};
use crate::model::items::items;
use crate::model::{Set, Sym, Tri, Via};
use crate::query::derived_checks::NamesTold;
use crate::query::derived_names::{Heard, Said};
use crate::query::derived_proof::let_through;
use crate::query::estate::EstateRelations;
use crate::query::relations::{FactRelations, Table};
use crate::query::value::Value;
use crate::rules::consent;

/// The rows of derived relations over one world.
pub struct Derived<'a> {
    pub(super) world: &'a World<'a>,
    workers: NonZeroUsize,
    tables: RefCell<FxHashMap<&'static str, Rc<RefCell<Table>>>>,
    crossings: RefCell<Crossings>,
    /// Its edges are evaluated once for all sources.
    graph: OnceCell<exfil::Graph<'a, 'a>>,
    /// The ends outside, each with its name as a sink.
    outside: OnceCell<Vec<(End, Sym)>>,
    /// The ways out of a source; without one, of all.
    routes: RefCell<FxHashMap<Option<Sym>, Rc<Vec<exfil::Route>>>>,
    /// What the dataflow settled of the same facts.
    bounds: Option<&'a Bounds>,
    /// What was found on the other side of a change.
    before: Option<exfil::Known<'a>>,
    /// Which networks hear what of which zone.
    pub(super) heard: OnceCell<FxHashMap<Said, Heard>>,
    /// By network the one that hears the same as it and others.
    pub(super) speakers: OnceCell<FxHashMap<Sym, Sym>>,
    pub(super) told: RefCell<NamesTold>,
}

/// By sender and end outside.
type Crossings = FxHashMap<(End, End), Rc<[Crossing]>>;

/// One way for `source` to send across the trust boundary.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crossing {
    /// Who sends: for a subnet perhaps an interface in it.
    pub from: End,
    pub via: Via,
    pub proven: bool,
    /// What the way that shows it lets through.
    pub traffic: Set,
}

/// Subnets in which no machine can be placed (ADR-10).
const RESERVED: [&str; 5] =
    ["gatewaysubnet", "azurefirewallsubnet", "azurefirewallmanagementsubnet", "routeserversubnet", "azurebastionsubnet"];

pub(super) fn certainty(proven: bool) -> Value {
    Value::Symbol(Sym::new(if proven { "proven" } else { "unproven" }))
}

/// The name of a site as rows have it: as a person stated it, else as in its id, in lower case like the id itself (SND-09).
fn site_name(site: Sym) -> Sym {
    let name = site.as_str().rsplit('/').next().unwrap_or("");
    Sym::new(&format!("onprem:{}", if site.as_str().starts_with('/') { name } else { site.as_str() }))
}

impl<'a> Derived<'a> {
    /// Rows over `world`, listings with `workers` threads.
    pub fn new(world: &'a World<'a>, workers: NonZeroUsize) -> Derived<'a> {
        Derived {
            world,
            workers,
            tables: RefCell::default(),
            crossings: RefCell::default(),
            graph: OnceCell::new(),
            outside: OnceCell::new(),
            routes: RefCell::default(),
            bounds: None,
            before: None,
            heard: OnceCell::new(),
            speakers: OnceCell::new(),
            told: RefCell::default(),
        }
    }

    /// The same rows, with ways out looked for only where `bounds` of the same facts do not prove that there is none.
    pub fn bounded_by(self, bounds: Option<&'a Bounds>) -> Derived<'a> {
        Derived { bounds, ..self }
    }

    /// The same rows, with ways out looked for again only where a change can have moved them.
    pub fn knowing(self, before: Option<exfil::Known<'a>>) -> Derived<'a> {
        Derived { before, ..self }
    }

    /// The facts and the derived rows, as checks ask for them.
    pub fn relations(&self) -> EstateRelations<'_> {
        EstateRelations::new(FactRelations::new(self.world.index), Box::new(|relation, bound| self.rows(relation, bound)))
    }

    /// The rows of `relation` whose columns equal the bound ones, and perhaps others.
    ///
    /// # Errors
    /// There is no such relation.
    pub fn rows(&self, relation: &str, bound: &[Option<Value>]) -> Result<Vec<Vec<Value>>, String> {
        let symbol = |at: usize| bound.get(at).copied().flatten().map(|value| value.as_symbol().unwrap_or_default());
        match relation {
            "reaches" => Ok(self.reaches(symbol(0), symbol(1))),
            "reaches_store" => Ok(self.reaches_store(symbol(0), symbol(1))),
            "leaks_directly" => Ok(self.leaks_directly(symbol(0), symbol(1))),
            "inside" => Ok(self.inside(symbol(0))),
            "exposed" => Ok(self.table("exposed", bound, || self.exposed())),
            "leaks" => Ok(self.leaks(symbol(0))),
            "consented" => Ok(self.table("consented", bound, || self.consented())),
            "name_answer" => Ok(self.table("name_answer", bound, || self.name_answers())),
            "zone_answer" => Ok(self.table("zone_answer", bound, || self.zone_answers())),
            "sensitive" => Ok(self.table("sensitive", bound, || self.sensitive())),
            "resolves" => Ok(self.resolves(symbol(0), symbol(1))),
            "endpoint_covers" => Ok(self.covers(symbol(0), symbol(1))),
            "mixed_servers" => Ok(self.table("mixed_servers", bound, || self.mixed_servers())),
            "address_tag" => Ok(self.address_tags(bound.first().copied().flatten())),
            "counted" => Ok(self.table("counted", bound, || self.counted())),
            _ => Err(format!("`{relation}` is declared, but nothing derives it; this is a bug in watertight")),
        }
    }

    /// Rows of a relation that is made whole when first asked for.
    fn table(&self, relation: &'static str, bound: &[Option<Value>], make: impl FnOnce() -> Vec<Vec<Value>>) -> Vec<Vec<Value>> {
        let known = self.tables.borrow().get(relation).cloned();
        let table = known.unwrap_or_else(|| {
            let table = Rc::new(RefCell::new(Table::new(make())));
            self.tables.borrow_mut().insert(relation, table.clone());
            table
        });
        table.borrow_mut().matching(bound)
    }

    /// The ends that the text of a column names; none where it is no end of a network or a store.
    pub(super) fn ends(&self, text: &str) -> Vec<End> {
        let index = self.world.index;
        let id = Sym::new(text);
        match text {
            "internet" => vec![End::Internet(None)],
            _ if text.starts_with("onprem:") => reach::sites(index).into_iter().filter(|end| self.name(*end) == id).collect(),
            _ if text.starts_with("external:") => reach::external().filter(|end| self.name(*end) == id).collect(),
            _ if index.subnet.has(id) => vec![End::Subnet(id)],
            _ if index.nic.has(id) => vec![End::Nic(id)],
            _ => index.store_parts.get(id).iter().map(|row| End::Store(row.store, row.part, row.instance)).collect(),
        }
    }

    /// The text of an end in a column.
    pub(super) fn name(&self, end: End) -> Sym {
        match end {
            End::Machine(id) | End::Nic(id) | End::Subnet(id) | End::PrivateEndpoint(id) | End::Unmodelled(id) => id,
            End::Store(id, _, _) => id,
            End::Site(site) => site_name(site),
            other => Sym::new(&reach::text(other)),
        }
    }

    /// Where data is, outside: interfaces of a foreign network are that network.
    pub(super) fn sink(&self, end: End) -> Sym {
        let vnet_of_nic = |nic: Sym| self.world.index.ip_configs_by_nic.one(nic).map_or(nic, |row| self.world.vnet_of(row.subnet));
        match end {
            End::Nic(nic) => vnet_of_nic(nic),
            End::Subnet(subnet) => self.world.vnet_of(subnet),
            End::Machine(machine) => self.world.index.nics_by_machine.one(machine).map_or(machine, |row| vnet_of_nic(row.nic)),
            other => self.name(other),
        }
    }

    fn listing(&self, from: Option<Vec<End>>, to: Vec<End>) -> Vec<reach::Row> {
        let ask = Ask { from: from.as_deref(), to: Some(&to), traffic: Set::ALL, paths: false, ends: Ends::All, touching: None };
        reach::rows(self.world.index, self.world.platform, &ask, self.workers)
    }

    fn reaches(&self, from: Option<&str>, to: Option<&str>) -> Vec<Vec<Value>> {
        let network = |end: &End| matches!(end, End::Nic(_) | End::Subnet(_) | End::Site(_) | End::Internet(_));
        let to: Vec<End> = match to {
            Some(text) => self.ends(text).into_iter().filter(network).collect(),
            None => reach::network_ends(self.world.index),
        };
        let mut rows = Vec::new();
        for row in self.listing(from.map(|text| self.ends(text)), to) {
            for item in items(row.traffic) {
                rows.push(vec![
                    Value::Symbol(self.name(row.from)),
                    Value::Symbol(self.name(row.to)),
                    Value::Symbol(Sym::new(row.via.as_str())),
                    Value::Symbol(Sym::new(item.proto.as_str())),
                    Value::Symbol(Sym::new(item.ports.as_deref().unwrap_or_default())),
                    certainty(row.proven),
                ]);
            }
        }
        rows
    }

    fn reaches_store(&self, from: Option<&str>, store: Option<&str>) -> Vec<Vec<Value>> {
        let store_end = |end: &End| matches!(end, End::Store(..));
        let to: Vec<End> = match store {
            Some(text) => self.ends(text).into_iter().filter(store_end).collect(),
            None => stores::all_parts(self.world).into_iter().map(|(store, part, instance)| End::Store(store, part, instance)).collect(),
        };
        // One row a front end and way: proven where anything is.
        let mut found: FxHashMap<Vec<Value>, bool> = FxHashMap::default();
        for row in self.listing(from.map(|text| self.ends(text)), to) {
            let End::Store(store, part, _) = row.to else { continue };
            let cells = [self.name(row.from), store, part, Sym::new(row.via.as_str())].map(Value::Symbol).to_vec();
            *found.entry(cells).or_default() |= row.proven;
        }
        found.into_iter().map(|(cells, proven)| cells.into_iter().chain([certainty(proven)]).collect()).collect()
    }

    fn exposed(&self) -> Vec<Vec<Value>> {
        let parts: FxHashSet<(Sym, Sym)> = self.world.index.store_parts.rows().map(|row| (row.store, row.part)).collect();
        let mut rows = Vec::new();
        for (store, part) in parts {
            for found in exposure(self.world, store, part) {
                let to = exposed_name(found.who);
                rows.push(vec![Value::Symbol(store), Value::Symbol(part), Value::Symbol(to), certainty(found.admitted.lo())]);
            }
        }
        rows
    }

    fn leaks(&self, source: Option<&str>) -> Vec<Vec<Value>> {
        let mut best: FxHashMap<(Sym, Sym), (bool, usize)> = FxHashMap::default();
        for route in self.routes(source).iter() {
            let Some(to) = route.to() else { continue };
            let key = (self.name(route.nodes[0]), self.sink(to));
            let new = (route.proven, route.length());
            let better = |old: (bool, usize)| (!new.0, new.1) < (!old.0, old.1);
            if best.get(&key).is_none_or(|old| better(*old)) {
                best.insert(key, new);
            }
        }
        let row = |((source, sink), (proven, length)): ((Sym, Sym), (bool, usize))| {
            vec![Value::Symbol(source), Value::Symbol(sink), Value::Number(length as u64), certainty(proven)]
        };
        best.into_iter().map(row).collect()
    }

    /// The shortest ways out of every machine and store, and what the edges carry that were looked at.
    pub fn ways_out(self) -> (Vec<exfil::Route>, exfil::Edges) {
        let routes = self.routes(None).to_vec();
        (routes, self.graph.into_inner().map(exfil::Graph::into_edges).unwrap_or_default())
    }

    fn graph(&self) -> &exfil::Graph<'a, 'a> {
        self.graph.get_or_init(|| exfil::Graph::new(self.world).bounded_by(self.bounds).knowing(self.before))
    }

    /// The shortest routes out of `source`, or out of every machine and store.
    pub(super) fn routes(&self, source: Option<&str>) -> Rc<Vec<exfil::Route>> {
        let key = source.map(Sym::new);
        if let Some(known) = self.routes.borrow().get(&key) {
            return known.clone();
        }
        let graph = self.graph();
        let sources = match source {
            Some(text) if self.world.index.machine.has(Sym::new(text)) => vec![End::Machine(Sym::new(text))],
            Some(text) => self.ends(text),
            None => graph.inside().collect(),
        };
        let routes = Rc::new(sources.into_iter().flat_map(|source| graph.routes(source, None)).collect::<Vec<_>>());
        self.routes.borrow_mut().insert(key, routes.clone());
        routes
    }

    /// What carries the bytes along a route.
    pub(super) fn path(&self, route: &exfil::Route) -> exfil::Path {
        self.graph().path(route)
    }

    /// What can send across the boundary by itself: interfaces of machines, and subnets that could hold some or do.
    fn senders(&self, source: Option<&str>) -> Vec<End> {
        let index = self.world.index;
        let sends = |end: &End| match end {
            End::Nic(nic) => index.is_attached(*nic),
            End::Subnet(subnet) => index.subnet.one(*subnet).is_some_and(|row| !RESERVED.contains(&row.name.as_str())),
            _ => false,
        };
        let mut ends: Vec<End> = match source {
            Some(text) => self.ends(text),
            None => index.nic.rows().map(|row| End::Nic(row.nic)).chain(index.subnet.rows().map(|row| End::Subnet(row.subnet))).collect(),
        };
        ends.retain(|end| sends(end) && self.world.ours(self.name(*end)));
        ends
    }

    /// What is outside and can be sent to.
    pub(super) fn sinks(&self, sink: Option<&str>) -> Vec<End> {
        let all = self.outside.get_or_init(|| self.all_outside());
        all.iter().filter(|(_, name)| sink.is_none_or(|text| name.as_str() == text)).map(|(end, _)| *end).collect()
    }

    /// The same, each with the name of the sink.
    fn all_outside(&self) -> Vec<(End, Sym)> {
        let index = self.world.index;
        let foreign = |nic: Sym| index.ip_configs_by_nic.one(nic).is_some_and(|row| !self.world.inside(self.world.vnet_of(row.subnet)));
        let nics = index.nic.rows().filter(|row| index.is_attached(row.nic) && foreign(row.nic)).map(|row| End::Nic(row.nic));
        let all = [End::Internet(None)].into_iter().chain(reach::external()).chain(reach::sites(index)).chain(nics);
        all.map(|end| (end, self.sink(end))).collect()
    }

    fn leaks_directly(&self, source: Option<&str>, sink: Option<&str>) -> Vec<Vec<Value>> {
        let mut found: FxHashMap<(Sym, Sym, Via), bool> = FxHashMap::default();
        let sinks = self.sinks(sink);
        for from in self.senders(source) {
            for &to in &sinks {
                for crossing in self.crossings(from, to).iter() {
                    *found.entry((self.name(from), self.sink(to), crossing.via)).or_default() |= crossing.proven;
                }
            }
        }
        let row = |((source, sink, via), proven): ((Sym, Sym, Via), bool)| {
            vec![Value::Symbol(source), Value::Symbol(sink), Value::Symbol(Sym::new(via.as_str())), certainty(proven)]
        };
        found.into_iter().map(row).collect()
    }

    /// The ways of one sender to one end outside; a subnet sends by what could be placed there and by each interface in it.
    pub(super) fn crossings(&self, from: End, to: End) -> Rc<[Crossing]> {
        if let Some(known) = self.crossings.borrow().get(&(from, to)) {
            return known.clone();
        }
        let flow = Flow { from, to, traffic: Set::ALL, mode: Mode::Adversarial, session: true };
        let pairs = point::pairs(self.world, &flow);
        let total = point::span(&pairs, Set::ALL);
        let mut found: Vec<Crossing> = Vec::new();
        for way in pairs.groups.into_iter().flatten().flatten() {
            let span = way.span();
            // Where one address of a subnet gets through and another does not, only the whole is sure.
            let proven = span.sure.meets(total.sure);
            let crossing = Crossing { from, via: way.via, proven, traffic: let_through(span, proven) };
            match found.iter_mut().find(|known| known.via == way.via) {
                Some(known) if proven && !known.proven => *known = crossing,
                Some(_) => {}
                None if span.may.is_empty() => {}
                None => found.push(crossing),
            }
        }
        if let End::Subnet(subnet) = from {
            let mut nics: Vec<Sym> = self.world.index.ip_configs_by_subnet.get(subnet).iter().map(|row| row.nic).collect();
            nics.retain(|nic| self.world.index.is_attached(*nic));
            Sym::sort(&mut nics);
            nics.dedup();
            for nic in nics {
                for more in self.crossings(End::Nic(nic), to).iter() {
                    match found.iter_mut().find(|known| known.via == more.via) {
                        Some(known) if known.proven || !more.proven => {}
                        Some(known) => *known = *more,
                        None => found.push(*more),
                    }
                }
            }
        }
        let found: Rc<[Crossing]> = found.into();
        self.crossings.borrow_mut().insert((from, to), found.clone());
        found
    }

    fn consented(&self) -> Vec<Vec<Value>> {
        let index = self.world.index;
        let mut rows = Vec::new();
        for connection in index.private_endpoint_connection.rows() {
            let decision = consent::of(index, connection);
            // A refusal of one side stands, whatever the other has not heard of yet (PE-11).
            let refused = matches!(decision.state, Consent::Rejected | Consent::Disconnected);
            let proven = decision.admitted != Tri::Maybe && (refused || self.views_agree(connection));
            let cells =
                [connection.endpoint, connection.connection, connection.target, connection.group, Sym::new(decision.state.as_str())];
            rows.push(cells.map(Value::Symbol).into_iter().chain([certainty(proven)]).collect());
        }
        // Seen by the provider alone: the endpoint is somebody else's, and for which sub-resource it is stands there.
        for provider in index.provider_connection.rows() {
            let seen = index.private_endpoint_connections.get(provider.endpoint).iter().any(|own| own.target == provider.target);
            if !seen {
                let cells = [provider.endpoint, provider.connection, provider.target, Sym::EMPTY, Sym::new(provider.state.as_str())];
                rows.push(cells.map(Value::Symbol).into_iter().chain([certainty(provider.settled)]).collect());
            }
        }
        rows
    }

    /// Whether every view of a connection has the same settled state.
    fn views_agree(&self, own: &PrivateEndpointConnection) -> bool {
        let theirs = self.world.index.provider_connections_by_target.get(own.target).iter().filter(|row| row.endpoint == own.endpoint);
        let agree = theirs.fold(true, |agree, row| agree && row.settled && row.state == own.state);
        agree && own.settled && consent::of(self.world.index, own).state == own.state
    }

    fn inside(&self, resource: Option<&str>) -> Vec<Vec<Value>> {
        let row = |id: Sym| vec![Value::Symbol(id)];
        match resource {
            Some(text) => {
                let id = Sym::new(text);
                if self.world.inside(id) { vec![row(id)] } else { Vec::new() }
            }
            None => self.world.index.resource.rows().map(|row| row.id).filter(|id| self.world.inside(*id)).map(row).collect(),
        }
    }

    fn sensitive(&self) -> Vec<Vec<Value>> {
        let index = self.world.index;
        let row = |id: Sym| vec![Value::Symbol(id)];
        if index.labels.rows().any(|label| label.label.as_str().eq_ignore_ascii_case("sensitive")) {
            // A label that names nothing here marks nothing; that was said when it was read.
            let ends = resolve_many("label:sensitive", index).unwrap_or_default();
            let ids: FxHashSet<Sym> = ends.into_iter().map(|end| self.name(end)).collect();
            return ids.into_iter().map(row).collect();
        }
        index.store.rows().map(|store| store.store).filter(|id| self.world.inside(*id)).map(row).collect()
    }
}

/// The word or id of a stranger.
pub(super) fn exposed_name(who: Exposed) -> Sym {
    match who {
        Exposed::Internet => Sym::new("internet"),
        Exposed::AnyAzure => Sym::new("any-azure"),
        Exposed::AnyAzureSameRegion => Sym::new("any-azure-same-region"),
        Exposed::Trusted => Sym::new("trusted-services"),
        Exposed::ForeignSubnet(id) | Exposed::ForeignEndpoint(id) | Exposed::ForeignResource(id) => id,
    }
}
