//! The command line as a person meets it: arguments in, text and exit code out.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use watertight::cli::{Console, run};
use watertight::config::Config;
use watertight::facts::Index;

use crate::selectors::index;

const GROUP: &str = "/subscriptions/s/resourcegroups/rg/providers";

pub struct Said {
    pub code: u8,
    pub out: String,
    pub err: String,
}

/// Runs the command in `folder`, with `stdin` on standard input.
pub fn watertight(folder: &Path, args: &[&str], stdin: &str) -> Said {
    let (mut input, mut out, mut err) = (stdin.as_bytes(), Vec::new(), Vec::new());
    let mut console = Console::piped(&mut input, &mut out, &mut err, folder.to_owned());
    let args = ["watertight"].iter().chain(args).map(OsString::from);
    let code = run(args, &mut console);
    Said { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

/// A folder with a small estate as facts, and the path of the facts.
fn estate() -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let facts = folder.path().join("estate");
    fs::create_dir(&facts).unwrap();
    let files = [
        ("vnet", "@/microsoft.network/virtualnetworks/hub|westeurope"),
        ("vnet_prefix", "@/microsoft.network/virtualnetworks/hub|10.0.0.0/16"),
        ("subnet", "@/microsoft.network/virtualnetworks/hub/subnets/web|@/microsoft.network/virtualnetworks/hub|web"),
        ("subnet_prefix", "@/microsoft.network/virtualnetworks/hub/subnets/web|10.0.1.0/24"),
        ("machine", "@/microsoft.compute/virtualmachines/vm1|vm"),
        ("nic", "@/microsoft.network/networkinterfaces/nva-nic|machine|true"),
    ];
    for (relation, row) in files {
        let text = format!("{}\n", row.replace('@', GROUP).replace('|', "\t"));
        fs::write(facts.join(format!("{relation}.facts")), text).unwrap();
    }
    let path = facts.display().to_string();
    (folder, path)
}

#[test]
fn what_cannot_be_used_is_exit_code_2() {
    let (folder, facts) = estate();
    let here = folder.path();
    let code = |args: &[&str]| watertight(here, args, "").code;
    assert_eq!(code(&[]), 2);
    assert_eq!(code(&["fly"]), 2);
    assert_eq!(code(&["reach"]), 2);
    assert_eq!(code(&["check", "no-such-file.json", "--flows", "-"]), 2);
    assert_eq!(code(&["check", &facts, "--flows", "no-such-file.ndjson"]), 2);
    assert_eq!(code(&["check", "-", "--flows", "-"]), 2);
    assert_eq!(code(&["check", &facts, "--flows", "-", "--format", "dot"]), 2);
    assert_eq!(code(&["explain", &facts, "--from", "vm:nobody", "--to", "internet"]), 2);
    assert_eq!(code(&["effective", "dns", &facts, "--at", "vnet:hub"]), 2);
    assert_eq!(code(&["facts", &facts]), 2);
    assert_eq!(code(&["check", &facts, "--flows", "-", "--service-tags", "no-such-file.json"]), 2);
    assert_eq!(code(&["--help"]), 0);
    assert_eq!(code(&["schema", "--format", "csv"]), 2);
}

#[test]
fn results_and_messages_never_mix() {
    let (folder, facts) = estate();
    let said = watertight(folder.path(), &["explain", &facts, "--from", "vm:vm2", "--to", "internet"], "");
    assert_eq!(said.out, "");
    insta::assert_snapshot!(said.err, @"error[cli::selector]: no virtual machine is called `vm2`; did you mean this: vm:vm1");
    let said = watertight(folder.path(), &["--help"], "");
    assert!(said.out.contains("Examples:") && said.err.is_empty());
}

#[test]
fn every_line_gets_its_answer_in_its_place() {
    let (folder, facts) = estate();
    let lines = [
        r#"{"from":"vm:vm1","to":"internet","expect":"unproven"}"#,
        "",
        "not json",
        r#"{"from":"vm:vm9","to":"internet","port":443,"expect":"denied"}"#,
        r#"{"from":"vm:vm1","to":"internet","port":70000}"#,
        r#"{"from":"vm:vm1","to":"internet","prot":"tcp"}"#,
        r#"{"from":"vm:vm1","to":"internet","proto":"icmp","port":1}"#,
        r#"{"from":"vm:vm1","to":"internet","proto":"sctp"}"#,
        r#"{"from":"vm:vm1","to":"internet","mode":"evil"}"#,
        r#"{"from":"vm:vm1","to":"internet","expect":"yes"}"#,
        r#"{"from":"vm:vm1"}"#,
        r#"[1]"#,
        r#"{"op":"copy","from":"storage:a2/blob","to":"storage:a1/blob","driver":"vm:vm1"}"#,
    ];
    let said = watertight(folder.path(), &["check", &facts, "--flows", "-"], &lines.join("\n"));
    assert_eq!(said.code, 2);
    let rows: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), lines.len() - 1);
    let reasons: Vec<String> = rows[1..].iter().map(Value::to_string).collect();
    insta::assert_snapshot!(reasons.join("\n"));
    assert!(rows[1..].iter().all(|row| row["verdict"] == "error"));
}

#[test]
fn a_listing_of_answers_has_schema_rows_and_gaps() {
    let (folder, facts) = estate();
    let flow = r#"{"from":"vm:vm1","to":"subnet:hub/web","port":22}"#;
    let said = watertight(folder.path(), &["check", &facts, "--flows", "-", "--format", "json"], flow);
    let document: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(document["schema"], "watertight.check/1");
    assert_eq!(document["rows"].as_array().unwrap().len(), 1);
    assert_eq!(document["gaps"], Value::Array(Vec::new()));
    let keys: Vec<&String> = document["rows"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys[..5], ["from", "to", "proto", "port", "verdict"]);
}

#[test]
fn the_schema_lists_every_relation() {
    let folder = TempDir::new().unwrap();
    let said = watertight(folder.path(), &["schema", "--format", "json"], "");
    let document: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(document["schema"], "watertight.schema/1");
    let names: Vec<&str> = document["relations"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"nsg_rule") && names.contains(&"service_tag") && names.contains(&"appliance"));
    let text = watertight(folder.path(), &["schema"], "").out;
    assert!(text.contains("subnet_nsg(subnet: symbol, nsg: symbol)\n    traffic into or out of `subnet` is filtered by `nsg`."), "{text}");
}

#[test]
fn completions_are_a_script() {
    let folder = TempDir::new().unwrap();
    assert!(watertight(folder.path(), &["completions", "bash"], "").out.contains("_watertight"));
}

/// What `watertight.toml` says about an estate: facts as lines, then messages.
fn config(text: &str, index: &Index) -> String {
    let (facts, problems) = match Config::parse("watertight.toml", text.to_owned()) {
        Ok(config) => config.facts(index),
        Err(problems) => (Vec::new(), problems),
    };
    let facts = facts.iter().map(|fact| format!("{} {}\n", fact.relation().name, fact.cells().join(" | ")));
    facts.chain(problems.iter().map(|problem| problem.render(false))).collect::<String>().replace(GROUP, "@")
}

fn hub() -> Index {
    index(
        "
        vnet|@/microsoft.network/virtualnetworks/hub|westeurope
        nic|@/microsoft.network/networkinterfaces/nva-nic|machine|true
        machine|@/microsoft.compute/virtualmachines/nva|vm
        nic_machine|@/microsoft.network/networkinterfaces/nva-nic|@/microsoft.compute/virtualmachines/nva
        store|@/microsoft.keyvault/vaults/kv1|keyvault|vault|westeurope
        store_part|@/microsoft.keyvault/vaults/kv1|vault|primary|kv1.vault.azure.net|westeurope
        local_gateway|@/microsoft.network/localnetworkgateways/hq|false
        local_gateway_prefix|@/microsoft.network/localnetworkgateways/hq|172.17.0.0/16
        ",
    )
}

// covers: DNS-06, SQL-07, X-01
#[test]
fn statements_become_facts() {
    let text = r#"
        [boundary]
        tenants = ["11111111-1111-4111-8111-11111111111A"]
        subscriptions = ["aaaaaaaa-0000-4000-8000-000000000001"]
        [labels]
        Sensitive = ["tag:data=confidential", "storage:pii*"]
        [[onprem]]
        name = "hq"
        prefixes = ["172.16.0.0/16"]
        nat = ["203.0.113.10"]
        [[onprem.forwarders]]
        suffix = "blob.core.windows.net"
        server = "10.1.5.4"
        chases_cname = true
        [[dns_server]]
        address = "10.2.5.5"
        forwards = "azure-dns"
        at = "vnet:hub"
        records = [{ name = "A1.blob.core.windows.net", address = "10.1.9.4" }]
        [[dns_server]]
        address = "10.2.5.6"
        [[hosts]]
        at = "vm:nva"
        records = [{ name = "A1.blob.core.windows.net.", address = "10.1.9.5" }]
        [[hosts]]
        at = "onprem:hq"
        records = [{ name = "a1.blob.core.windows.net", address = "10.1.9.6" }]
        [input]
        complete = ["Microsoft.Sql/servers/firewallRules"]
        [[appliance]]
        selector = "vm:nva"
        allow = [{ from = "10.0.0.0/8", to = "any", proto = "any", ports = "443,8000-8100" }]
        [profile]
        era = "2019"
        assume_no_db_rules = false
    "#;
    insta::assert_snapshot!(config(text, &hub()));
}

#[test]
fn what_is_wrong_with_a_statement_is_said_with_its_line() {
    let unknown = "[boundry]\n[[onprem]]\nname = \"hq\"\nprefix = [\"10.0.0.0/8\"]\n[[appliance]]\nselector = \"nic:nva-nic\"\nallow = [{ from = \"any\", to = \"any\", proto = \"tcp\", port = \"443\" }]\n";
    let values = r#"[boundary]
tenants = []
subscriptions = ["corp"]
[labels]
odd = ["vn:x"]
[[onprem]]
name = "hq"
prefixes = ["10.0.0.0/33"]
nat = ["10.0.0.1", "x"]
[[onprem]]
name = "HQ"
[[dns_server]]
address = "10.2.5.5"
forwards = "google"
[[dns_server]]
address = "10.2.5.6"
forwards = "azure-dns"
[[dns_server]]
address = "10.2.5.7"
forwards = "azure-dns"
at = "vnet:hubb"
[[hosts]]
at = "internet"
records = [{ name = "x", address = "10.1.9.5" }]
[[hosts]]
at = "vm:nva"
records = [{ name = "a b", address = "10.1.9" }]
[input]
complete = ["sql"]
[[appliance]]
selector = "keyvault:kv1"
[[appliance]]
selector = "nic:gone"
[[appliance]]
selector = "nic:nva-nic"
allow = [{ from = "all", to = "any", proto = "sctp", ports = "https" }]
[profile]
era = "2020"
"#;
    let texts = [unknown, values, "[boundary\n", "[[onprem]]\nprefixes = []\n", "[profile]\nera = 2019\n"];
    let said: Vec<String> = texts.iter().map(|text| config(text, &hub())).collect();
    insta::assert_snapshot!(said.join("---\n"));
}

#[test]
fn a_wrong_configuration_stops_the_command() {
    let (folder, facts) = estate();
    fs::write(folder.path().join("watertight.toml"), "[profile]\nera = \"2020\"\n").unwrap();
    let below = folder.path().join("below");
    fs::create_dir(&below).unwrap();
    let said = watertight(&below, &["check", &facts, "--flows", "-"], "");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("expected `current` or `2019`, found `2020`"), "{}", said.err);
}

#[test]
fn answers_keep_their_order_on_many_threads() {
    let (folder, facts) = estate();
    let flow = |port: usize| format!("{{\"from\":\"vm:vm1\",\"to\":\"ip:10.9.9.9\",\"port\":{}}}\n", port % 65536);
    let lines: String = (0..9000).map(flow).collect();
    let many = watertight(folder.path(), &["check", &facts, "--flows", "-", "--workers", "4"], &lines);
    let one = watertight(folder.path(), &["check", &facts, "--flows", "-", "--workers", "1"], &lines);
    assert_eq!(many.out, one.out);
    let ports: Vec<u64> = many.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["port"].as_u64().unwrap()).collect();
    assert_eq!(ports, (0..9000).collect::<Vec<u64>>());
}

#[test]
fn facts_are_written_and_read_again() {
    let (folder, facts) = estate();
    fs::write(folder.path().join("watertight.toml"), "[[appliance]]\nselector = \"nic:nva-nic\"\nallow = []\nsnat = false\n").unwrap();
    let copy = folder.path().join("copy").display().to_string();
    let said = watertight(folder.path(), &["facts", &facts, "-o", &copy], "");
    assert_eq!((said.code, said.out.as_str()), (0, ""), "{}", said.err);
    let stated = fs::read_to_string(folder.path().join("copy/appliance.facts")).unwrap();
    assert_eq!(stated, format!("{GROUP}/microsoft.network/networkinterfaces/nva-nic\tno\n"));
    let again = folder.path().join("again").display().to_string();
    assert_eq!(watertight(folder.path(), &["facts", &copy, "-o", &again], "").code, 0);
    for file in fs::read_dir(&copy).unwrap() {
        let name = file.unwrap().file_name();
        let [one, other] = [&copy, &again].map(|dir| fs::read(Path::new(dir).join(&name)).unwrap());
        assert_eq!(one, other, "{}", name.display());
    }
}

#[test]
fn a_broken_check_or_folder_is_said_and_stops_the_command() {
    let (folder, facts) = estate();
    assert_eq!(watertight(folder.path(), &["accept", "--snapshot", "no-such-folder"], "").code, 2);
    let queries = folder.path().join("queries");
    fs::create_dir(&queries).unwrap();
    fs::write(queries.join("odd.dl"), "odd(X) :- nothing_like_it(X).\n").unwrap();
    let said = watertight(folder.path(), &["verify", &facts, "--queries", &queries.display().to_string()], "");
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.contains("nothing_like_it"), "{}", said.err);
}
