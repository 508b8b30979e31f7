//! Input that nobody wrote in good faith, from outside: a message, and neither a panic nor a wait.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::watertight;

const NET: &str = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg/providers/Microsoft.Network";

/// Two machines in one network, and a group that closes one port.
fn estate() -> Vec<Value> {
    let vm = |name: &str| NET.replace("Microsoft.Network", &format!("Microsoft.Compute/virtualMachines/{name}"));
    let machine = |name: &str, address: &str| {
        json!({ "id": format!("{NET}/networkInterfaces/{name}-nic"), "location": "westeurope", "properties": { "virtualMachine": { "id": vm(name) },
            "networkSecurityGroup": { "id": format!("{NET}/networkSecurityGroups/g") }, "ipConfigurations": [{ "name": "c", "properties":
                { "primary": true, "privateIPAddress": address, "subnet": { "id": format!("{NET}/virtualNetworks/v/subnets/s") } } }] } })
    };
    let whole = |name: &str| {
        json!({ "id": vm(name), "location": "westeurope", "properties":
            { "networkProfile": { "networkInterfaces": [{ "id": format!("{NET}/networkInterfaces/{name}-nic") }] } } })
    };
    let rule = |name: &str, priority: u32, access: &str, ports: &[&str]| {
        json!({ "name": name, "properties": { "priority": priority, "access": access, "direction": "Inbound", "protocol": "Tcp",
            "sourceAddressPrefixes": ["10.0.0.0/24", "10.0.9.0/24"], "destinationAddressPrefix": "*", "sourcePortRange": "*",
            "destinationPortRanges": ports } })
    };
    let rules = [rule("web", 100, "Allow", &["443", "8443"]), rule("rest", 200, "Deny", &["0-442", "444-65535"])];
    vec![
        json!({ "id": format!("{NET}/virtualNetworks/v"), "location": "westeurope", "properties":
            { "addressSpace": { "addressPrefixes": ["10.0.0.0/16", "10.8.0.0/16"] }, "virtualNetworkPeerings": [],
              "subnets": [{ "name": "s", "properties": { "addressPrefix": "10.0.0.0/24" } }, { "name": "t", "properties": { "addressPrefix": "10.0.1.0/24" } }] } }),
        json!({ "id": format!("{NET}/networkSecurityGroups/g"), "location": "westeurope", "properties": { "securityRules": rules } }),
        machine("a", "10.0.0.4"),
        machine("b", "10.0.0.5"),
        whole("a"),
        whole("b"),
    ]
}

/// A folder with the export in one file.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("estate.json"), json!(estate()).to_string()).unwrap();
    folder
}

/// A folder of facts of the same estate.
fn facts(at: &Path) -> TempDir {
    let target = TempDir::new().unwrap();
    let (from, to) = (at.display().to_string(), target.path().join("facts").display().to_string());
    let said = watertight(at, &["facts", &from, "-o", &to], "");
    assert_eq!(said.code, 0, "{}", said.err);
    target
}

/// The verdicts on the port that is open and on one that is closed.
fn verdicts(input: &Path) -> (Vec<String>, String) {
    let flow = |port: u16| json!({ "from": "vm:a", "to": "vm:b", "port": port }).to_string();
    let said = watertight(input, &["check", &input.display().to_string(), "--flows", "-"], &[flow(443), flow(22)].join("\n"));
    let verdict = |line: &str| serde_json::from_str::<Value>(line).unwrap()["verdict"].as_str().unwrap().to_owned();
    (said.out.lines().map(verdict).collect(), said.err)
}

/// covers: SND-02
#[test]
fn a_line_of_facts_that_cannot_be_read_proves_nothing() {
    let export = folder();
    let facts = facts(export.path());
    let input = facts.path().join("facts");
    assert_eq!(verdicts(&input).0, ["allowed", "denied"]);
    let rules = input.join("nsg_rule.facts");
    let good = fs::read(&rules).unwrap();
    let first = good.split(|byte| *byte == b'\n').next().unwrap();
    let broken: [(&str, Vec<u8>, &str); 6] = [
        ("truncated", first[..first.len() / 2].to_vec(), "the line ends before column"),
        ("too many cells", [first, b"\tmore\tand more"].concat(), "columns"),
        ("a bad number", String::from_utf8_lossy(first).replace("\t200\t", "\thundred\t").into_bytes(), "hundred"),
        ("no text", [b"\xff\xfe\t", first].concat(), "UTF-8"),
        ("a bad escape", [first, b"\\x"].concat(), "backslash"),
        ("a huge line", vec![b'x'; 20_000_000], "the line ends before column"),
    ];
    for (what, line, message) in broken {
        let rest = &good[first.len()..];
        fs::write(&rules, [&line, rest].concat()).unwrap();
        let (said, err) = verdicts(&input);
        assert_eq!(said, ["unproven", "unproven"], "{what}: {err}");
        assert!(err.contains("facts::bad_line") && err.contains("nsg_rule.facts:1:") && err.contains(message), "{what}: {err}");
    }
    // The same row twice is one row; a relation that nobody knows may have meant anything.
    fs::write(&rules, [good.as_slice(), &good].concat()).unwrap();
    assert_eq!(verdicts(&input).0, ["allowed", "denied"]);
    fs::write(input.join("nsg_rules.facts"), &good).unwrap();
    let (said, err) = verdicts(&input);
    assert_eq!(said, ["unproven", "unproven"]);
    assert!(err.contains("there is no relation `nsg_rules`"), "{err}");
}

/// References that lead round in circles end somewhere.
#[test]
fn circles_in_facts_are_walked_once() {
    let export = folder();
    let facts = facts(export.path());
    let input = facts.path().join("facts");
    let add = |relation: &str, rows: &str| {
        let path = input.join(format!("{relation}.facts"));
        let old = fs::read_to_string(&path).unwrap();
        fs::write(path, old + rows).unwrap();
    };
    add("firewall_policy", "/p\t/q\ttrue\n/q\t/p\ttrue\n");
    add("azure_firewall", "/f\t\t/p\tfalse\n");
    add("private_dns_zone", "/z\tx.test\n");
    add("zone_record", "/z/cname/a\t/z\ta\tcname\tb.x.test\n/z/cname/b\t/z\tb\tcname\ta.x.test\n");
    add("zone_link", &format!("/z/l\t/z\t{}/virtualnetworks/v\ttrue\tfalse\tfalse\n", NET.to_lowercase()));
    add("load_balancer_pool", "/l/p\t/l\n");
    add("load_balancer_region", "/l/p\t/l/f\n");
    let start = Instant::now();
    let at = input.display().to_string();
    for args in
        [vec!["verify", &at], vec!["reach", &at], vec!["exfil", &at], vec!["effective", "dns", &at, "--at", "vm:a", "--name", "a.x.test"]]
    {
        let said = watertight(facts.path(), &args, "");
        assert!(said.code < 3 && !said.err.contains("panicked"), "{args:?}: {}", said.err);
        assert!(!said.err.contains("bad_line"), "{}", said.err);
    }
    assert!(start.elapsed() < Duration::from_secs(60));
}

/// Neither a link that leads back, nor the folders of programs, nor what is no file.
#[test]
#[cfg(unix)]
fn a_folder_is_walked_within_reason() {
    let export = folder();
    let at = export.path();
    fs::create_dir_all(at.join("node_modules/some")).unwrap();
    fs::create_dir_all(at.join(".git")).unwrap();
    fs::create_dir_all(at.join("more")).unwrap();
    fs::write(at.join("node_modules/some/package.json"), "nonsense").unwrap();
    fs::write(at.join(".git/x.json"), "nonsense").unwrap();
    std::os::unix::fs::symlink("..", at.join("more/back")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", at.join("endless.json")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at.join("more/pipe.json")).unwrap();
    let (said, err) = verdicts(at);
    assert_eq!(said, ["allowed", "denied"], "{err}");
    for name in ["node_modules", "more/back", "endless.json", "more/pipe.json"] {
        assert!(err.contains(name), "{name}: {err}");
    }
    assert!(!err.contains("nonsense") && !err.contains("broken_json"), "{err}");
}

#[test]
#[cfg(unix)]
fn a_check_that_is_no_file_is_not_waited_for() {
    let export = folder();
    let checks = TempDir::new().unwrap();
    std::os::unix::fs::symlink("/dev/zero", checks.path().join("endless.dl")).unwrap();
    let queries = checks.path().display().to_string();
    let said = watertight(export.path(), &["verify", &export.path().display().to_string(), "--queries", &queries], "");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("endless.dl") && said.err.contains("no file"), "{}", said.err);
}

#[test]
fn a_pattern_that_is_too_large_is_refused() {
    let export = folder();
    let flows: Vec<String> = ["*".repeat(100_000) + "a", "[".repeat(5000), "{".repeat(5000)]
        .iter()
        .map(|from| json!({ "from": from, "to": "internet" }).to_string())
        .collect();
    let input = export.path().display().to_string();
    let said = watertight(export.path(), &["check", &input, "--flows", "-"], &flows.join("\n"));
    assert_eq!((said.code, said.out.lines().count()), (2, 3), "{}", said.err);
    assert!(said.out.lines().all(|line| line.contains("\"verdict\":\"error\"")) && !said.err.contains("panicked"));
}

/// Lists of Azure whose order means nothing, and files in any order: the same bytes.
#[test]
fn facts_are_the_same_bytes_whatever_the_order() {
    let written = |files: &[(&str, Vec<Value>)]| -> Vec<(String, Vec<u8>)> {
        let folder = TempDir::new().unwrap();
        for (name, bodies) in files {
            fs::write(folder.path().join(name), json!(bodies).to_string()).unwrap();
        }
        let facts = facts(folder.path());
        let mut all: Vec<(String, Vec<u8>)> = fs::read_dir(facts.path().join("facts"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
            // Where something stood is told by its place.
            .filter(|(name, _)| name != "origin.facts")
            .collect();
        all.sort();
        all
    };
    let straight = written(&[("a.json", estate())]);
    let mut shuffled = estate();
    shuffled.reverse();
    for list in ["/5/properties/subnets", "/5/properties/addressSpace/addressPrefixes", "/4/properties/securityRules"] {
        let mut bodies = Value::Array(shuffled.clone());
        bodies.pointer_mut(list).and_then(Value::as_array_mut).unwrap().reverse();
        shuffled = bodies.as_array().unwrap().clone();
    }
    for list in ["sourceAddressPrefixes", "destinationPortRanges"] {
        for rule in shuffled[4]["properties"]["securityRules"].as_array_mut().unwrap() {
            rule["properties"][list].as_array_mut().unwrap().reverse();
        }
    }
    let (left, right) = shuffled.split_at(3);
    let other = written(&[("z.json", left.to_vec()), ("b.json", right.to_vec())]);
    assert_eq!(straight.len(), other.len());
    for (one, two) in straight.iter().zip(&other) {
        assert_eq!(one.0, two.0);
        assert!(one.1 == two.1, "{}:\n{}\n{}", one.0, String::from_utf8_lossy(&one.1), String::from_utf8_lossy(&two.1));
    }
}

/// What was written as facts is verified as the export is.
#[test]
fn facts_are_verified_as_the_export_is() {
    let contoso = Path::new(env!("CARGO_MANIFEST_DIR")).join("facts/examples/contoso");
    let facts = facts(&contoso);
    // What a person states stands beside the export and not in the facts.
    let input = facts.path().join("facts");
    fs::copy(contoso.join("watertight.toml"), input.join("watertight.toml")).unwrap();
    let of = |input: &Path| {
        let said = watertight(facts.path(), &["verify", &input.display().to_string(), "--format", "json"], "");
        assert!(said.code < 2, "{}", said.err);
        said.out
    };
    assert!(of(&contoso) == of(&input));
}
