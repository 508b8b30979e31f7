//! Why a derived row holds: the steps of the way, the records of the zone, the two views of a consent.

use crate::engine::exfil::{Path, Route};
use crate::explain::exposure::{Exposed, exposure};
use crate::explain::packet::{StepExt, short, step};
use crate::explain::point;
use crate::explain::reach;
use crate::explain::way::{Assumption, End, Flow, Kind, Mode, Step};
use crate::model::traffic::{ANY_PORT, parse_ports};
use crate::model::{Proto, Set, Span, Stage, Sym};
use crate::query::derived::{Derived, exposed_name};
use crate::query::derived_names::UNKNOWN;
use crate::query::value::Value;
use crate::rules::paas_firewall::Item;

/// The label of a step that is a whole hop; the steps of the hop follow it.
pub const HOP: &str = "exfil.2";

/// Why a row holds, and what it takes for granted where it is not proven.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// In the order a person would follow them.
    pub steps: Vec<Step>,
    /// Sorted; empty where it is proven.
    pub assumptions: Vec<Assumption>,
}

fn text(row: &[Value], at: usize) -> &'static str {
    row.get(at).and_then(|value| value.as_symbol()).unwrap_or_default()
}

fn fact(stage: Stage, span: Span, label: &'static str, text: String, resource: Sym) -> Step {
    step(stage, span, label, text).by(resource, "").kind(Kind::Fact)
}

/// The certainty of a row as what passes.
fn passes(row: &[Value]) -> Span {
    let proven = row.last().and_then(|value| value.as_symbol()) == Some("proven");
    if proven { Span::ALL } else { Span::UNKNOWN }
}

impl Derived<'_> {
    /// Why `row` of `relation` holds; nothing where the row speaks for itself.
    pub fn proof(&self, relation: &str, row: &[Value]) -> Proof {
        match relation {
            "leaks_directly" => self.of_crossing(row),
            "reaches" => self.of_reach(row, text(row, 2), "", &|set| set.and(traffic(text(row, 3), text(row, 4)))),
            "reaches_store" => self.of_reach(row, text(row, 3), text(row, 2), &|set| set),
            "leaks" => self.of_leak(row),
            "consented" => self.of_consent(row),
            "name_answer" | "resolves" => self.of_name(Sym::new(text(row, 0)), Sym::new(text(row, 1)), text(row, 3), text(row, 4)),
            "zone_answer" => self.of_zone(row),
            "exposed" => self.of_exposure(row),
            _ => Proof::default(),
        }
    }

    fn of_crossing(&self, row: &[Value]) -> Proof {
        let proven = passes(row) == Span::ALL;
        for (from, to) in pairs_of(&self.ends(text(row, 0)), &self.sinks(Some(text(row, 1)))) {
            for crossing in self.crossings(from, to).iter().filter(|one| one.via.as_str() == text(row, 2) && one.proven == proven) {
                // A subnet may send by one of its interfaces.
                let flow = Flow { from: crossing.from, to, traffic: crossing.traffic, mode: Mode::Adversarial, session: true };
                if let Some(proof) = self.of_flow(&flow, text(row, 2), proven) {
                    return proof;
                }
            }
        }
        Proof::default()
    }

    /// The way of one pair of ends of a row of `reaches` or `reaches_store`; `fits` picks the part of its traffic that the row is about.
    fn of_reach(&self, row: &[Value], via: &str, part: &str, fits: &dyn Fn(Set) -> Set) -> Proof {
        let index = self.world.index;
        let narrow = |end: End| match end {
            End::Subnet(subnet) => index.ip_configs_by_subnet.get(subnet).iter().map(|row| End::Nic(row.nic)).collect(),
            end => vec![end],
        };
        let of_part = |end: &End| !matches!(end, End::Store(_, other, _) if other.as_str() != part);
        let from: Vec<End> = self.ends(text(row, 0)).into_iter().flat_map(narrow).collect();
        let to: Vec<End> = self.ends(text(row, 1)).into_iter().filter(of_part).flat_map(narrow).collect();
        let proven = passes(row) == Span::ALL;
        for (from, to) in pairs_of(&from, &to).filter(|(from, to)| from != to) {
            let flow = Flow { from, to, traffic: Set::ALL, mode: Mode::Configured, session: true };
            let pairs = point::pairs(self.world, &flow);
            let ways = pairs.groups.iter().flatten().flatten().filter(|way| way.via.as_str() == via);
            for traffic in ways.map(|way| fits(let_through(way.span(), proven))).filter(|set| !set.is_empty()) {
                if let Some(proof) = self.of_flow(&Flow { traffic, ..flow }, via, proven) {
                    return proof;
                }
            }
        }
        Proof::default()
    }

    /// The first way by `via` that lets the whole flow through, its steps in words about that flow.
    fn of_flow(&self, flow: &Flow, via: &str, proven: bool) -> Option<Proof> {
        let pairs = point::pairs(self.world, flow);
        let mut ways = pairs.groups.iter().flatten().flatten().filter(|way| way.via.as_str() == via);
        let way = ways.find(|way| flow.traffic.within(if proven { way.span().sure } else { way.span().may }))?;
        let assumptions = if proven { Vec::new() } else { reach::assumptions([way].into_iter(), flow.traffic) };
        Some(Proof { steps: way.steps.clone(), assumptions })
    }

    fn of_leak(&self, row: &[Value]) -> Proof {
        let length = row.get(2).copied();
        let proven = passes(row) == Span::ALL;
        let fits = |route: &&Route| {
            route.to().is_some_and(|to| self.sink(to).as_str() == text(row, 1))
                && route.proven == proven
                && length == Some(Value::Number(route.length() as u64))
        };
        let mut paths: Vec<_> = self.routes(Some(text(row, 0))).iter().filter(fits).map(|route| self.path(route)).collect();
        // Parts of one store may leak alike.
        let hops = |path: &Path| path.hops.iter().map(|hop| (reach::text(hop.to), hop.via)).collect::<Vec<_>>();
        paths.sort_by_cached_key(|path| (hops(path), reach::text(path.from)));
        let Some(path) = paths.into_iter().next() else { return Proof::default() };
        let mut steps = Vec::new();
        for (n, hop) in path.hops.iter().enumerate() {
            let name = |end: End| short(self.name(end));
            let text = format!("{}: {} -[{}]-> {}, {}", n + 1, name(hop.from), hop.via.as_str(), name(hop.to), hop.traffic);
            steps.push(fact(Stage::Delivered, Span::ALL, HOP, text, self.name(hop.from)));
            // Bytes move both ways on a flow, whoever opened it.
            let flow = Flow { from: hop.from, to: hop.to, traffic: hop.traffic, mode: Mode::Adversarial, session: true };
            let opened = [flow, Flow { from: hop.to, to: hop.from, ..flow }];
            let proof = opened.iter().find_map(|flow| self.of_flow(flow, hop.via.as_str(), proven));
            steps.extend(proof.into_iter().flat_map(|proof| proof.steps));
        }
        Proof { steps, assumptions: path.assumptions }
    }

    fn of_consent(&self, row: &[Value]) -> Proof {
        let index = self.world.index;
        let (endpoint, id, target) = (Sym::new(text(row, 0)), Sym::new(text(row, 1)), Sym::new(text(row, 2)));
        let mut steps = Vec::new();
        for own in index.private_endpoint_connection.get(id) {
            let settled = if own.settled { "" } else { ", not settled" };
            let text = format!("`{}` says that its connection to {} is {}{settled}", short(endpoint), short(target), own.state.as_str());
            steps.push(fact(Stage::Consent, passes(row), "consent.1", text, endpoint).at_fact(id));
        }
        let mut theirs: Vec<_> = index.provider_connections_by_target.get(target).iter().filter(|one| one.endpoint == endpoint).collect();
        theirs.sort_by_key(|one| one.connection.as_str());
        for one in &theirs {
            let settled = if one.settled { "" } else { ", not settled" };
            let text = format!("{} says that the connection of {} is {}{settled}", short(target), short(endpoint), one.state.as_str());
            steps.push(fact(Stage::Consent, passes(row), "consent.2", text, target).at_fact(one.connection));
        }
        if theirs.is_empty() && index.resource.has(target) {
            let text = format!("the input has no entry of {} for this connection", short(target));
            steps.push(step(Stage::Consent, passes(row), "consent.3", text).by(target, "").kind(Kind::Absence));
        }
        let code = || Assumption {
            code: "W-MISSING".to_owned(),
            resource: id,
            text: "the two ends of the connection do not both say the same, settled state".to_owned(),
        };
        Proof { steps, assumptions: if passes(row) == Span::ALL { Vec::new() } else { vec![code()] } }
    }

    /// What the first network is told that hears the zone's answer, and how many do.
    fn of_zone(&self, row: &[Value]) -> Proof {
        let (zone, store, host) = (Sym::new(text(row, 0)), Sym::new(text(row, 1)), Sym::new(text(row, 2)));
        let proven = passes(row) == Span::ALL;
        let Some(heard) = self.heard().get(&(zone, store, host, text(row, 3), !proven)) else { return Proof::default() };
        let mut proof = self.of_name(heard.vnet, store, host.as_str(), text(row, 3));
        let more = match heard.networks {
            1 => None,
            2 => Some("one more network is told the same".to_owned()),
            n => Some(format!("{} more networks are told the same", n - 1)),
        };
        proof.steps.extend(more.map(|text| step(Stage::Dns, Span::NONE, "dns.3", text).by(zone, "")));
        proof
    }

    /// What `host`, a name of `store`, resolves to in `vnet`, and the word for it.
    fn of_name(&self, vnet: Sym, store: Sym, host: &str, answer: &str) -> Proof {
        let index = self.world.index;
        let resolution = self.resolve(vnet, host);
        let zone = resolution.decider;
        let mut steps = Vec::new();
        if resolution.chain.len() > 1 {
            let text = format!("an approved private endpoint gives the name an alias: {}", resolution.chain.join(" → "));
            steps.push(step(Stage::Dns, Span::ALL, "dns.4", text).by(store, ""));
        }
        let mut links: Vec<Sym> = index.zone_links_by_vnet.get(vnet).iter().filter(|row| row.zone == zone).map(|row| row.link).collect();
        Sym::sort(&mut links);
        for link in links {
            let text = format!("link {} makes the zone answer in {}", short(link), short(vnet));
            steps.push(fact(Stage::Dns, Span::ALL, "dns.3", text, zone).at_fact(link));
        }
        let said = step(Stage::Dns, Span::NONE, "dns.3", format!("{answer}: {}", resolution.reason)).by(zone, "");
        steps.push(said.kind(if resolution.records.is_empty() { Kind::Absence } else { Kind::Fact }));
        for record in &resolution.records {
            let text = format!("record {} holds the answer", short(*record));
            steps.push(fact(Stage::Dns, Span::ALL, "dns.3", text, zone).at_fact(*record));
        }
        let unknown = answer == UNKNOWN;
        let custom = index.vnet_dns.get(vnet);
        let assumption = |text: String| Assumption { code: "DNS_UNKNOWN".to_owned(), resource: vnet, text };
        let mut assumptions: Vec<Assumption> = Vec::new();
        if unknown {
            assumptions.push(assumption(resolution.reason.clone()));
        }
        if !custom.is_empty() {
            assumptions.push(assumption("the network asks DNS servers of its own, which are taken to answer as Azure DNS does".to_owned()));
        }
        Proof { steps, assumptions }
    }

    fn of_exposure(&self, row: &[Value]) -> Proof {
        let index = self.world.index;
        let (store, part, to) = (Sym::new(text(row, 0)), Sym::new(text(row, 1)), text(row, 2));
        let found = exposure(self.world, store, part);
        let Some(found) = found.into_iter().find(|one| exposed_name(one.who).as_str() == to) else { return Proof::default() };
        if found.who == Exposed::Internet {
            let ends = index.store_parts.get(store).iter().filter(|row| row.part == part).map(|row| End::Store(store, part, row.instance));
            for to in ends {
                let flow = Flow { from: End::Internet(None), to, traffic: Set::ALL, mode: Mode::Adversarial, session: true };
                let pairs = point::pairs(self.world, &flow);
                let mut ways = pairs.groups.into_iter().flatten().flatten();
                if let Some(way) = ways.find(|way| !way.span().may.is_empty()) {
                    let assumptions = if found.admitted.lo() { Vec::new() } else { reach::assumptions([&way].into_iter(), way.span().may) };
                    return Proof { steps: way.steps, assumptions };
                }
            }
        }
        let (text, source) = match found.item {
            None => ("a connection of a private endpoint passes the firewall by".to_owned(), Sym::EMPTY),
            Some(Item::Subnet { rule, subnet }) => (format!("a rule admits subnet {}", short(subnet)), rule),
            Some(Item::Ip { rule, from, to }) => (format!("a rule admits {from} to {to}"), rule),
            Some(Item::AllAzure { rule }) => (format!("rule {} admits all of Azure", short(rule)), rule),
            Some(Item::Resource { resource }) => (format!("a rule admits resource {}", short(resource)), Sym::EMPTY),
            Some(Item::Trusted) => ("services that Azure trusts pass the firewall by".to_owned(), Sym::EMPTY),
            Some(Item::Default(_)) => ("the default action decides".to_owned(), Sym::EMPTY),
            Some(Item::PublicAccess(_)) => ("public network access decides".to_owned(), Sym::EMPTY),
            Some(Item::NoFirewall) => ("its deployment model or tier has no firewall".to_owned(), Sym::EMPTY),
            Some(Item::PrivateEndpoint) => ("a private endpoint may close the public front end".to_owned(), Sym::EMPTY),
            Some(Item::Listed { rule, .. }) => (format!("access restriction {} decides", short(rule)), rule),
            Some(Item::Unmodelled) => ("the firewall of this service is not modelled".to_owned(), Sym::EMPTY),
            Some(Item::Missing { list }) => (format!("the list of {list} is not in the input"), Sym::EMPTY),
            Some(Item::Perimeter) => ("a network security perimeter decides".to_owned(), Sym::EMPTY),
            Some(Item::Hidden) => ("rules inside its databases may admit somebody: no export holds them".to_owned(), Sym::EMPTY),
            Some(Item::Unread) => ("a rule of the firewall cannot be read".to_owned(), Sym::EMPTY),
            Some(Item::Unknown) => ("nothing of the firewall is in the input".to_owned(), Sym::EMPTY),
        };
        let stage = Stage::PaasFirewall;
        let assumption = || Assumption { code: "W-MISSING".to_owned(), resource: store, text: text.clone() };
        let assumptions = if found.admitted.lo() { Vec::new() } else { vec![assumption()] };
        Proof { steps: vec![fact(stage, passes(row), "exposure.1", text, store).at_fact(source)], assumptions }
    }
}

/// What of a span gets through: surely, or only perhaps.
pub(super) fn let_through(span: Span, proven: bool) -> Set {
    if proven { span.sure } else { span.may.minus(span.sure) }
}

fn pairs_of(from: &[End], to: &[End]) -> impl Iterator<Item = (End, End)> {
    from.iter().flat_map(move |from| to.iter().map(move |to| (*from, *to)))
}

/// The traffic of the columns `proto` and `ports`.
fn traffic(proto: &str, ports: &str) -> Set {
    let Some(proto) = Proto::parse(proto) else { return Set::EMPTY };
    let ranges = ports.split(',').filter_map(parse_ports);
    if ports.is_empty() { Set::of_proto(proto) } else { ranges.fold(Set::EMPTY, |set, range| set.or(Set::of(proto, range, ANY_PORT))) }
}
