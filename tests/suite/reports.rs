//! Listings, answers and proofs in every format.

use watertight::config::Names;
use watertight::explain::way::{Answer, Assumption, End, Flow, Kind, Mode, Reason, Step, Way};
use watertight::facts::Index;
use watertight::facts::store_facts::{Instance, Service};
use watertight::model::items;
use watertight::model::traffic::ANY_PORT;
use watertight::model::{Proto, Set, Span, Stage, Sym, Verdict, Via};
use watertight::report::answer::{AnswerRow, Asked};
use watertight::report::changes::{Moved, changes};
use watertight::report::ends::{EndKind, RowEnd};
use watertight::report::listing::{self, GapRow, Shape};
use watertight::report::proof::{Explanation, Place};
use watertight::report::rows::{Certainty, ExfilRow, Hop, ReachRow, Severity};
use watertight::report::text::Look;

use crate::selectors::index;

fn estate() -> Index {
    index(
        "
        resource|@/microsoft.compute/virtualmachines/vm1|microsoft.compute/virtualmachines|VM1|westeurope|s||rg
        machine|@/microsoft.compute/virtualmachines/vm1|vm
        vnet|@/microsoft.network/virtualnetworks/hub|westeurope
        subnet|@/microsoft.network/virtualnetworks/hub/subnets/web|@/microsoft.network/virtualnetworks/hub|web
        store|@/microsoft.storage/storageaccounts/a1|storage|storagev2|westeurope
        store_part|@/microsoft.storage/storageaccounts/a1|blob|primary|a1.blob.core.windows.net|westeurope
        gap|@/microsoft.web/sites/w|microsoft.web/sites|this type is not modelled
        ",
    )
}

fn id(path: &str) -> Sym {
    Sym::new(&format!("/subscriptions/s/resourcegroups/rg/providers/{path}"))
}

fn https() -> Set {
    Set::of(Proto::Tcp, (443, 443), ANY_PORT)
}

fn rows() -> Vec<ReachRow> {
    let subnet = RowEnd::resource(EndKind::Subnet, id("microsoft.network/virtualnetworks/hub/subnets/web"));
    let store = RowEnd::store(Service::Storage, id("microsoft.storage/storageaccounts/a1"), Sym::new("blob"), Instance::Primary);
    let row = |from: &RowEnd, to: RowEnd, via, set, certainty| ReachRow {
        from: from.clone(),
        to,
        via,
        traffic: items::items(set),
        certainty,
        hops: Vec::new(),
        assumptions: Vec::new(),
    };
    let site = RowEnd::site(Sym::new("hq"), vec!["172.16.0.0/16".parse().unwrap()]);
    let mut rows = vec![
        row(&subnet, store, Via::ServiceEndpoint, https(), Certainty::Proven),
        row(&subnet, RowEnd::new(EndKind::Internet), Via::Public, Set::ALL, Certainty::Unproven),
        row(&site, subnet.clone(), Via::Gateway, Set::of_proto(Proto::Icmp), Certainty::Proven),
        row(&subnet, RowEnd::external(Service::Storage), Via::Public, https(), Certainty::Proven),
    ];
    rows.sort();
    rows
}

fn print(shape: Shape) -> String {
    let (index, mut out) = (estate(), Vec::new());
    let names = Names::new(&index);
    listing::write("reach", &rows(), &listing::gaps(&index), shape, &names, Look::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_listing_in_every_format() {
    let all: Vec<String> = [Shape::Text, Shape::Json, Shape::Ndjson, Shape::Csv, Shape::Markdown].map(print).into();
    insta::assert_snapshot!(all.join("-----\n").replace('\r', ""));
    let document: serde_json::Value = serde_json::from_str(&print(Shape::Json)).unwrap();
    assert_eq!(document["rows"].as_array().unwrap().len(), 4);
}

#[test]
fn no_rows_are_a_document_all_the_same() {
    let (index, mut out) = (Index::default(), Vec::new());
    listing::write::<ReachRow>("exfil", &[], &[], Shape::Json, &Names::new(&index), Look::default(), &mut out).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(document, serde_json::json!({ "schema": "watertight.exfil/1", "rows": [], "gaps": [] }));
}

#[test]
fn rows_read_back_as_they_were_written() {
    for row in rows() {
        let text = listing::to_json(&row);
        assert_eq!(serde_json::from_str::<ReachRow>(&text).unwrap(), row);
    }
}

#[test]
fn a_change_is_the_rows_that_differ() {
    let rows = rows();
    let hop = Hop { from: rows[0].from.clone(), to: rows[0].to.clone(), via: rows[0].via, traffic: rows[0].traffic.clone() };
    let (from, to) = (rows[0].from.clone(), rows[0].to.clone());
    let exfil =
        ExfilRow { from, to, hops: vec![hop], length: 1, certainty: Certainty::Proven, severity: Severity::High, assumptions: Vec::new() };
    let old: Vec<Moved> = rows[..2].iter().cloned().map(Moved::Reach).collect();
    let new: Vec<Moved> = rows[1..3].iter().cloned().map(Moved::Reach).chain([Moved::Exfil(exfil)]).collect();
    let lines: Vec<String> = changes(old, new).iter().map(listing::to_json).collect();
    assert_eq!(lines.len(), 3);
    insta::assert_snapshot!(lines.join("\n"));
}

fn step(stage: Stage, span: Span, text: &str, kind: Kind) -> Step {
    let resource = if kind == Kind::Fact { id("microsoft.network/networksecuritygroups/g") } else { Sym::EMPTY };
    let rule = if kind == Kind::Fact { "rule-1".to_owned() } else { String::new() };
    Step { stage, span, resource, rule, source: Sym::EMPTY, text: text.to_owned(), kind, label: "filter.1", code: "", taken: None }
}

fn ask<'a>() -> Asked<'a> {
    Asked {
        from: Some("vm:VM1"),
        to: Some("storage:a1/blob"),
        proto: Some(Proto::Tcp),
        port: Some(443),
        expect: Some(Verdict::Allowed),
        ..Asked::default()
    }
}

fn explain(verdict: Verdict, ways: Vec<Way>) -> String {
    let index = estate();
    let names = Names::new(&index);
    let to = End::Store(id("microsoft.storage/storageaccounts/a1"), Sym::new("blob"), Instance::Primary);
    let from = End::Machine(id("microsoft.compute/virtualmachines/vm1"));
    let flow = Flow { from, to, traffic: https(), mode: Mode::Configured, session: true };
    let assumption = Assumption { code: "W-NVA".to_owned(), resource: id("x/y/z"), text: "the appliance forwards".to_owned() };
    let answer = Answer {
        verdict,
        via: ways.first().map(|way| way.via),
        reason: Reason { stage: Stage::Route, resource: Sym::EMPTY, rule: "10.0.0.0/8".to_owned(), text: "a route".to_owned() },
        assumptions: vec![assumption],
        traffic: https(),
        ways,
    };
    let place = |_: Sym| Some(Place { file: "nsg.json".to_owned(), pointer: "/0".to_owned(), line: Some(41) });
    let gaps: [GapRow; 0] = [];
    let (mut text, mut json) = (Vec::new(), Vec::new());
    let asked = ask();
    let explanation = Explanation { asked: &asked, flow: &flow, answer: &answer, place: &place, names: &names, gaps: &gaps };
    explanation.text(Look::default(), &mut text).unwrap();
    explanation.json(&mut json).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    format!("{}\n{json:#}\n", String::from_utf8(text).unwrap())
}

#[test]
fn an_allowed_flow_shows_its_way() {
    let steps = vec![
        step(Stage::NsgOutbound, Span::ALL, "rule-1 allows it", Kind::Fact),
        step(Stage::Route, Span::ALL, "the system route of the tag", Kind::Default),
        step(Stage::StorageFirewall, Span::ALL, "no rule is needed", Kind::Absence),
    ];
    insta::assert_snapshot!(explain(Verdict::Allowed, vec![Way { via: Via::Public, steps }]));
}

#[test]
fn a_denied_flow_lists_what_refuses_on_each_way() {
    let first = vec![
        step(Stage::Route, Span::ALL, "a route", Kind::Fact),
        step(Stage::NsgOutbound, Span::NONE, "rule-1 denies it", Kind::Fact),
        step(Stage::StorageFirewall, Span::NONE, "the default action is Deny", Kind::Fact),
    ];
    // Two steps that leave nothing together.
    let half = |low, high| Span::exactly(Set::of(Proto::Tcp, (443, 443), (low, high)));
    let second = vec![
        step(Stage::NsgOutbound, half(0, 1000), "low source ports", Kind::Fact),
        step(Stage::NsgInbound, half(1001, 65535), "high source ports", Kind::Fact),
    ];
    let ways = vec![Way { via: Via::Public, steps: first }, Way { via: Via::PrivateEndpoint, steps: second }];
    insta::assert_snapshot!(explain(Verdict::Denied, ways));
}

#[test]
fn an_unproven_flow_names_what_is_not_certain() {
    let steps = vec![
        step(Stage::Route, Span::ALL, "a route", Kind::Fact),
        step(Stage::Appliance, Span::UNKNOWN, "the appliance has no contract", Kind::Assumption),
    ];
    insta::assert_snapshot!(explain(Verdict::Unproven, vec![Way { via: Via::Appliance, steps }]));
}

#[test]
fn traffic_is_in_the_answer_where_no_port_was_asked_for() {
    let asked = Asked { port: None, expect: Some(Verdict::Denied), ..ask() };
    let answer = Answer {
        verdict: Verdict::Allowed,
        via: Some(Via::ServiceEndpoint),
        reason: Reason { stage: Stage::Delivered, resource: Sym::EMPTY, rule: String::new(), text: "open".to_owned() },
        assumptions: Vec::new(),
        traffic: https(),
        ways: Vec::new(),
    };
    insta::assert_snapshot!(
        listing::to_json(&AnswerRow::new(&asked, &answer)),
        @r#"{"from":"vm:VM1","to":"storage:a1/blob","proto":"tcp","verdict":"allowed","pass":false,"via":"service-endpoint","reason":{"stage":"delivered","text":"open"},"traffic":[{"proto":"tcp","ports":"443"}]}"#
    );
}
