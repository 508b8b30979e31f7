//! The report of many checks, in every format.

use watertight::facts::gap::Gap;
use watertight::model::Sym;
use watertight::query::verify::run;
use watertight::query::{DEFAULT_BUDGET, Report, render};

use super::{World, checks, root};

const VNET: &str = "/subscriptions/x/resourcegroups/r/providers/microsoft.network/virtualnetworks/hub";

fn report() -> (Report, Vec<Gap>) {
    let world = format!(
        r#"subnet("{VNET}/subnets/web", "{VNET}", "web"). vnet("{VNET}", "westeurope").
           resource("{VNET}", "microsoft.network/virtualnetworks", "Hub", "westeurope", "x", "", "r").
           resource("{VNET}/subnets/web", "microsoft.network/virtualnetworks/subnets", "Web", "westeurope", "x", "", "r").
           inside("d<&>"). exposed("d<&>", "blob", "internet", "unproven")."#
    );
    let gaps = vec![Gap { resource: Sym::new("g"), kind: Sym::new("t"), what: Sym::new("this type is not modelled") }];
    (run(&checks(), &World::new(&world), DEFAULT_BUDGET), gaps)
}

fn json(report: &Report, gaps: &[Gap]) -> String {
    let mut out = Vec::new();
    render::to_json(report, gaps, None, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_report_reads_as_reviewed_in_every_format() {
    let (report, gaps) = report();
    let origin = |id: &str| id.ends_with("/web").then(|| ("net.json".to_owned(), 12));
    let formats = [
        ("json", json(&report, &gaps)),
        ("text", render::to_text(&report, &gaps, None, false)),
        ("junit", render::to_junit(&report)),
        ("markdown", render::to_markdown(&report, None)),
        ("sarif", render::to_sarif(&report, &origin)),
    ];
    insta::with_settings!({ snapshot_path => root().join("tests/snapshots/queries"), prepend_module_to_snapshot => false, omit_expression => true }, {
        for (name, text) in formats {
            insta::assert_snapshot!(format!("report_{name}"), text);
        }
    });
}

#[test]
fn the_json_has_the_promised_form() {
    let (report, gaps) = report();
    let document: serde_json::Value = serde_json::from_str(&json(&report, &gaps)).unwrap();
    assert_eq!(document["schema"], "watertight.verify/1");
    assert_eq!(document["gaps"][0]["type"], "t");
    let listed = document["checks"].as_array().unwrap();
    assert!(listed.is_sorted_by_key(|check| check["id"].as_str().unwrap().to_owned()));
    let failed = listed.iter().find(|check| check["id"] == "subnet_without_nsg").unwrap();
    assert_eq!(failed["result"], "fail");
    assert_eq!(failed["findings"][0]["witness"]["subnet"], format!("{VNET}/subnets/web"));
    assert_eq!(failed["findings"][0]["certainty"], "proven");
    let open = listed.iter().find(|check| check["result"] == "unproven").unwrap();
    assert!(open["findings"][0]["assumptions"].is_array());

    // What of the subnet is not understood is what the finding rests on.
    let world = r#"subnet("s", "v", "web"). gap("s", "k", "`networkSecurityGroup` cannot be read"). gap("t", "k", "another")."#;
    let report = run(&checks(), &World::new(world), DEFAULT_BUDGET);
    let document: serde_json::Value = serde_json::from_str(&json(&report, &[])).unwrap();
    let open = document["checks"].as_array().unwrap().iter().find(|check| check["id"] == "subnet_without_nsg").unwrap();
    let assumptions = serde_json::json!([{"code": "W-UNSUPPORTED", "resource": "s", "text": "`networkSecurityGroup` cannot be read"}]);
    assert_eq!(open["findings"][0]["assumptions"], assumptions);
}
