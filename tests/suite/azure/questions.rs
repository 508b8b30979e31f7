//! Each recorded question, put to `watertight` as a person would: both answers in the same words.

use serde_json::Value;

use super::recording::{Probe, list, name, text};
use super::rules::{Diagnosis, Groups};

/// Both answers to one question.
pub struct Answers {
    /// In words.
    pub question: String,
    /// What Azure said.
    pub azure: String,
    /// What we say.
    pub ours: String,
}

/// Both answers; an error is why the question cannot be put to us.
pub fn answers(probe: &Probe) -> Result<Answers, &'static str> {
    match probe.operation.as_str() {
        "topology" => return Err("says which resources belong together, nothing about traffic"),
        "getLearnedRoutes" | "getAdvertisedRoutes" | "getBgpPeerStatus" => {
            return Err("what a gateway says over BGP is no question of ours");
        }
        operation if operation.starts_with("list") => return Err("no network of the recording is in its configuration"),
        _ if probe.is_without_estate() => return Err("neither the question nor the configuration was recorded"),
        _ => {}
    }
    Ok(match probe.operation.as_str() {
        "ipFlowVerify" => ip_flow(probe),
        "nextHop" => next_hop(probe),
        "connectivityCheck" => connectivity(probe),
        "query" => monitor(probe),
        "effectiveRouteTable" => routes(probe),
        "effectiveNetworkSecurityGroups" => groups(probe, &probe.target, &Groups::effective(&probe.result)),
        "securityGroupView" => {
            // One machine with one interface; some answers hold none.
            match list(&probe.result["networkInterfaces"]) {
                [] => groups(probe, text(&probe.request["targetResourceId"]), &Groups::default()),
                [interface] => groups(probe, text(&interface["id"]), &Groups::view(&interface["securityRuleAssociations"])),
                more => panic!("{}: {} interfaces", probe.scenario, more.len()),
            }
        }
        "networkConfigurationDiagnostic" => diagnostic(probe),
        other => panic!("{}: nobody knows the question `{other}`", probe.scenario),
    })
}

/// Which rule lets one flow through at a machine: the steps of `explain` that are groups.
fn ip_flow(probe: &Probe) -> Answers {
    let asked = |key: &str| text(&probe.request[key]);
    let inbound = asked("direction") == "Inbound";
    let (machine, there) = (probe.resource(asked("targetResourceId")), format!("internet:{}", asked("remoteIPAddress")));
    let (from, to) = if inbound { (&there, &machine) } else { (&machine, &there) };
    let (port, source_port) = if inbound { (asked("localPort"), asked("remotePort")) } else { (asked("remotePort"), asked("localPort")) };
    let protocol = asked("protocol").to_ascii_lowercase();
    let mut options = vec!["--from", from, "--to", to, "--proto", &protocol, "--port", port, "--session", "false"];
    if source_port != "*" {
        options.extend(["--src-port", source_port]);
    }
    let rule = text(&probe.result["ruleName"]);
    let azure = match text(&probe.result["access"]) {
        "Unknown" => "Unknown".to_owned(),
        access => format!("{access} by {}", name(rule)),
    };
    let ours = match probe.ask(&["explain"], &options) {
        Err(message) => message,
        Ok(said) => {
            let rules = deciding(&said["proof"]);
            match text(&said["verdict"]) {
                "allowed" if rules.contains(&name(rule)) => format!("Allow by {}", name(rule)),
                "allowed" => format!("Allow by {}", rules.join(" and ")),
                "denied" if text(&said["reason"]["stage"]).starts_with("nsg-") => {
                    format!("Deny by {}", name(text(&said["reason"]["rule"])))
                }
                _ => verdict(&said),
            }
        }
    };
    let (local, remote) =
        (format!("{}:{}", asked("localIPAddress"), asked("localPort")), format!("{}:{}", asked("remoteIPAddress"), asked("remotePort")));
    let way = if inbound { format!("{remote} to {local}") } else { format!("{local} to {remote}") };
    Answers { question: format!("IP flow: {} {protocol} {way}", asked("direction").to_lowercase()), azure, ours }
}

/// The rules of groups that a proof names, in their order.
fn deciding(proof: &Value) -> Vec<String> {
    list(&proof["premises"])
        .iter()
        .filter(|premise| text(&premise["text"]).starts_with("NSG "))
        .map(|premise| name(text(&premise["rule"])))
        .collect()
}

fn verdict(said: &Value) -> String {
    format!("{}: {}", text(&said["verdict"]), text(&said["reason"]["text"]))
}

fn next_hop(probe: &Probe) -> Answers {
    let asked = |key: &str| text(&probe.request[key]);
    let hop = match text(&probe.result["nextHopType"]) {
        "VirtualNetwork" => "VnetLocal", // its name in versions of the interface since 2017-11-01
        hop => hop,
    };
    let azure = format!("{hop} by {}", name(text(&probe.result["routeTableId"])));
    let machine = probe.resource(asked("targetResourceId"));
    let destination = asked("destinationIPAddress");
    let ours = match probe.ask(&["effective", "routes"], &["--at", &machine, "--dst", destination]) {
        Err(message) => message,
        Ok(said) => {
            let source = |route: &Value| if route["source"] == "User" { name(text(&route["name"])) } else { "system route".to_owned() };
            let chosen: Vec<String> =
                list(&said["selected"]).iter().map(|route| format!("{} by {}", text(&route["nextHopType"]), source(route))).collect();
            unless_unproven(&said, list(&said["selected"]), chosen.join(" or "))
        }
    };
    Answers { question: format!("next hop to {destination}"), azure, ours }
}

/// The answer, or what it lacks where a row is not certain.
fn unless_unproven(said: &Value, rows: &[Value], answer: String) -> String {
    let certain = rows.iter().all(|row| row["certainty"] != "unproven") && said["assumptions"].is_null();
    if certain { answer } else { format!("unproven: {}", text(&said["assumptions"][0]["text"])) }
}

fn connectivity(probe: &Probe) -> Answers {
    let (address, port) = (text(&probe.request["destination"]["address"]), probe.request["destination"]["port"].to_string());
    let from = probe.resource(text(&probe.request["source"]["resourceId"]));
    let to = format!("fqdn:{address}");
    Answers {
        question: format!("connectivity to {address}:{port}"),
        azure: text(&probe.result["connectionStatus"]).to_owned(),
        ours: reaches(probe, &from, &to, &port),
    }
}

/// What a connection monitor saw between two machines.
fn monitor(probe: &Probe) -> Answers {
    let monitor = &probe.body(&probe.target)["properties"];
    let end = |key: &str| probe.resource(text(&monitor[key]["resourceId"]));
    let port = monitor["destination"]["port"].to_string();
    let mut states: Vec<&str> = list(&probe.result["states"]).iter().map(|state| text(&state["connectionState"])).collect();
    states.dedup();
    let (from, to) = (end("source"), end("destination"));
    Answers {
        question: format!("connection monitor: {} to {}:{port}", name(&from), name(&to)),
        azure: states.join(", then "),
        ours: reaches(probe, &from, &to, &port),
    }
}

fn reaches(probe: &Probe, from: &str, to: &str, port: &str) -> String {
    match probe.ask(&["explain"], &["--from", from, "--to", to, "--port", port]) {
        Err(message) => message,
        Ok(said) => match text(&said["verdict"]) {
            "allowed" => "Reachable".to_owned(),
            _ => verdict(&said).replacen("denied", "Unreachable", 1),
        },
    }
}

fn routes(probe: &Probe) -> Answers {
    let lines = |document: &Value| {
        let line = |route: &Value| {
            let words = |key: &str| list(&route[key]).iter().map(text).collect::<Vec<_>>().join(",");
            format!(
                "{} {} {} {} {}",
                text(&route["source"]),
                text(&route["state"]),
                words("addressPrefix"),
                text(&route["nextHopType"]),
                words("nextHopIpAddress")
            )
            .trim_end()
            .to_owned()
        };
        let mut lines: Vec<String> = list(&document["value"]).iter().map(line).collect();
        lines.sort();
        lines.join("; ")
    };
    let ours = match probe.ask(&["effective", "routes"], &["--at", &probe.resource(&probe.target)]) {
        Err(message) => message,
        Ok(said) => unless_unproven(&said, list(&said["value"]), lines(&said)),
    };
    Answers { question: format!("effective routes of {}", name(&probe.target)), azure: lines(&probe.result), ours }
}

fn groups(probe: &Probe, interface: &str, azure: &Groups) -> Answers {
    let question = format!("effective rules of {}", name(interface));
    match probe.ask(&["effective", "rules"], &["--at", &probe.resource(interface)]) {
        Err(message) => Answers { question, azure: azure.summary(), ours: message },
        Ok(said) if !said["assumptions"].is_null() => {
            Answers { question, azure: azure.summary(), ours: unless_unproven(&said, &[], String::new()) }
        }
        Ok(said) => {
            let (azure, ours) = azure.against(&Groups::effective(&said));
            Answers { question, azure, ours }
        }
    }
}

/// What each rule of the groups says of one packet, the machine's own address or not.
fn diagnostic(probe: &Probe) -> Answers {
    let request = &probe.request;
    let asked = list(&request["profiles"]).first().or_else(|| list(&request["queries"]).first()).unwrap_or(&Value::Null);
    let question = format!(
        "diagnostic: {} {} {} to {}:{}",
        text(&asked["direction"]).to_lowercase(),
        text(&asked["protocol"]).to_lowercase(),
        text(&asked["source"]),
        text(&asked["destination"]),
        text(&asked["destinationPort"])
    );
    let machine = probe.resource(text(&request["targetResourceId"]));
    let ours = match probe.ask(&["effective", "rules"], &["--at", &machine]) {
        Err(message) => return Answers { question, azure: Diagnosis::azure(&probe.result).summary(), ours: message },
        Ok(said) => Diagnosis::ours(&said, asked),
    };
    let (azure, ours) = Diagnosis::azure(&probe.result).against(&ours);
    Answers { question, azure, ours }
}
