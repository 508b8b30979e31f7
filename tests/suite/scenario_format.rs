//! Reads a scenario: Markdown with `facts`, `change` and `expect` blocks.
//!
//! A fact is `relation(cell, …).` with the cells in the catalog's order; quoted or bare; trailing cells that have an obvious value may be left
//! out ([`DEFAULTS`]). A few words stand for several facts that always come together ([`expand`]). `#` starts a comment.

use std::collections::BTreeSet;

use watertight::explain::way::{End, Mode};
use watertight::facts::Fact;
use watertight::facts::store_facts::{Instance, Service};
use watertight::model::{Proto, Sym};

use crate::oracle::Ask;

/// One step of a scenario: facts that come and go, then what is expected.
#[derive(Debug, Default)]
pub struct Step {
    pub added: Vec<Fact>,
    pub removed: Vec<Fact>,
    pub expected: Vec<Expected>,
}

/// A line of an `expect` block.
#[derive(Debug)]
pub struct Expected {
    pub line: usize,
    pub text: String,
    pub claim: Claim,
}

/// What a line claims.
#[derive(Debug)]
pub enum Claim {
    /// A flow's verdict, and as much of its reason as is written.
    Flow { ask: Ask, verdict: String, stage: Option<String>, via: Option<String>, rule: Option<String>, codes: Vec<String> },
    /// A copy that two accounts make, started by `driver`.
    Copy { from: End, to: End, driver: End, verdict: String, stage: Option<String> },
    /// A path for data: `leaks`, `may leak` or `no leak`.
    Leak { from: End, to: End, certainty: String, hops: Option<usize> },
}

/// A whole file.
#[derive(Debug)]
pub struct Scenario {
    pub covers: Vec<String>,
    pub steps: Vec<Step>,
}

/// Trailing cells that may be left out: relation, number of cells that must be there, the rest.
const DEFAULTS: &[(&str, usize, &[&str])] = &[
    ("vnet", 1, &["westeurope"]),
    ("peering", 3, &["connected", "true", "true", "false", "false", "false", "true"]),
    ("peering_prefix", 2, &["false"]),
    ("machine", 1, &["vm"]),
    ("nic", 1, &["machine", "false"]),
    ("ip_config", 3, &["true"]),
    ("public_ip", 1, &["standard"]),
    ("route_table", 1, &["true"]),
    ("route", 4, &[""]),
    ("nat_gateway", 1, &["standard"]),
    ("gateway", 1, &["vpn", "false"]),
    ("connection", 4, &["yes", "false"]),
    ("local_gateway", 1, &["false"]),
    ("load_balancing_rule", 5, &["false", "true", ""]),
    ("inbound_nat_rule", 6, &["false"]),
    ("load_balancer_address", 2, &[""]),
    ("subnet_service_endpoint", 2, &[""]),
    ("private_endpoint", 2, &["westeurope"]),
    ("private_endpoint_connection", 4, &["false", "approved", "true"]),
    ("provider_connection", 3, &["approved", "true"]),
    ("zone_link", 3, &["true", "false", "false"]),
    ("endpoint_policy", 1, &["westeurope"]),
    ("store_access", 1, &["enabled", "no", "false", "false", "false"]),
    ("store_subnet_rule", 3, &["yes"]),
    ("subnet_private_link_open", 1, &["yes"]),
    ("perimeter", 1, &[""]),
    ("perimeter_link", 3, &["yes"]),
    ("object_replication", 3, &["yes"]),
    ("declared_copy", 3, &["yes"]),
    ("private_link_service", 2, &["westeurope", "", "true"]),
    ("store_rule_set", 3, &["enabled", "no", "false"]),
    ("store_list_rule", 5, &["", "true"]),
    ("appliance", 1, &["no"]),
    ("network_manager", 1, &["1"]),
    ("admin_configuration", 2, &["none"]),
    ("admin_rule", 6, &["*", "*", "*", "*"]),
    ("connectivity", 2, &["false"]),
    ("connectivity_group", 2, &["false", "false", "false"]),
    ("virtual_wan", 1, &["true"]),
];

/// The words for stores: the word, the part that is meant without another, what follows the name, the kind or tier.
const STORES: &[(&str, &str, &str, &str)] = &[
    ("storage", "blob", "blob.core.windows.net", "storagev2"),
    ("keyvault", "vault", "vault.azure.net", ""),
    ("sql", "sqlserver", "database.windows.net", ""),
    ("cosmos", "sql", "documents.azure.com", "globaldocumentdb"),
    ("eventhub", "namespace", "servicebus.windows.net", "standard"),
    ("servicebus", "namespace", "servicebus.windows.net", "premium"),
    ("acr", "registry", "azurecr.io", "premium"),
    ("web", "sites", "azurewebsites.net", "app"),
    ("cognitive", "account", "cognitiveservices.azure.com", ""),
    ("search", "searchservice", "search.windows.net", ""),
    ("redis", "rediscache", "redis.cache.windows.net", ""),
    ("database", "postgresqlserver", "postgres.database.azure.com", ""),
    ("datalake", "account", "azuredatalakestore.net", ""),
];

fn store_word(word: &str) -> Option<(&'static str, &'static str, &'static str, &'static str)> {
    STORES.iter().find(|(name, ..)| *name == word).copied()
}

/// Parses a whole file; an error names the line.
pub fn parse(text: &str) -> Result<Scenario, String> {
    if !text.starts_with("# ") {
        return Err("the first line is the title: the claim".into());
    }
    let mut scenario = Scenario { covers: Vec::new(), steps: Vec::new() };
    let mut block: Option<String> = None;
    for (number, line) in text.lines().enumerate().map(|(n, l)| (n + 1, l)) {
        let fail = |message: String| format!("line {number}: {message}");
        if let Some(kind) = line.strip_prefix("```") {
            block = if block.is_some() { None } else { Some(kind.trim().to_owned()) };
            if matches!(block.as_deref(), Some("facts" | "change")) {
                scenario.steps.push(Step::default());
            }
            continue;
        }
        match block.as_deref() {
            None => {
                if let Some(ids) = line.strip_prefix("covers:") {
                    scenario.covers.extend(ids.split(',').map(|id| id.trim().trim_end_matches('.').to_owned()));
                }
            }
            Some(kind @ ("facts" | "change")) => {
                let line = uncommented(line).trim();
                if line.is_empty() {
                    continue;
                }
                let (sign, rest) = match (kind, line.split_at(1)) {
                    ("change", (sign @ ("+" | "-"), rest)) => (sign, rest),
                    ("change", _) => return Err(fail("a line of a change starts with + or -".into())),
                    _ => ("+", line),
                };
                let facts = statements(rest).map_err(fail)?;
                let step = scenario.steps.last_mut().expect("a block was opened");
                if sign == "+" { step.added.extend(facts) } else { step.removed.extend(facts) }
            }
            Some("expect") => {
                let text = uncommented(line).trim();
                if !text.is_empty() {
                    let claim = claim(text).map_err(fail)?;
                    let step = scenario.steps.last_mut().ok_or("expectations before any facts")?;
                    step.expected.push(Expected { line: number, text: text.to_owned(), claim });
                }
            }
            Some("explain") => {}
            Some(other) => return Err(fail(format!("no such block: `{other}`"))),
        }
    }
    if block.is_some() {
        return Err("a block is not closed".into());
    }
    Ok(scenario)
}

fn uncommented(line: &str) -> &str {
    let mut quoted = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted => return &line[..at],
            _ => {}
        }
    }
    line
}

/// The facts of `relation(…). relation(…).`
pub fn statements(text: &str) -> Result<Vec<Fact>, String> {
    let mut facts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, tail) = rest.split_once('(').ok_or_else(|| format!("expected `relation(…).`, found `{rest}`"))?;
        let (cells, tail) = cells(tail)?;
        facts.extend(expand(name.trim(), &cells)?);
        rest = tail.trim_start().strip_prefix('.').ok_or("a fact ends with a full stop")?.trim();
    }
    Ok(facts)
}

fn cells(text: &str) -> Result<(Vec<String>, &str), String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            ')' if !quoted => {
                cells.push(cell);
                return Ok((cells, &text[at + 1..]));
            }
            c if c.is_whitespace() && !quoted => {}
            c => cell.push(c),
        }
    }
    Err("a parenthesis is not closed".into())
}

/// One statement to facts: a catalog row, or one of the words that stand for several.
///
/// | word | stands for |
/// |---|---|
/// | `vnet("v", 10.0.0.0/16, …)` | the network and its prefixes; a word among them is the region |
/// | `subnet("s", "v", 10.0.1.0/24, …)` | the subnet, called like its id, and its prefixes |
/// | `vm("a", "s", 10.0.1.4)`, `router(…)` | machine, interface `a-nic`, configuration `a-ip`; a router forwards; without an address it is dynamic |
/// | `public("a", 20.0.0.1, standard)` | an instance public address `a-pip` for a `vm` |
/// | `peered("a", "b")` | both sides of a peering, called `a-b` and `b-a` |
/// | `hybrid("gw", "s", "hq", 192.168.0.0/16)` | a VPN gateway in subnet `s` with a connection to the site |
/// | `balancer("lb", standard, 10.0.0.100, "s")` | a load balancer with frontend `lb-fe` and pool `lb-pool`; without a subnet the address is public: `lb-pip` |
/// | `balance("lb", tcp, 80, 8080)` | a rule of it, `lb/80`, for the pool |
/// | `storage("a1", deny, region, kind)`, `keyvault`, `cosmos`, … ([`STORES`]) | a store with one endpoint and its switches; `web` has a deployment site too |
/// | `private("pe", "s", 10.0.1.9, "a1", blob, approved)` | a private endpoint, its address and both views of consent |
/// | `zone("z", "privatelink.blob.core.windows.net", "v", …)` | a listed zone and its links |
/// | `record("z", "a1", 10.0.1.9)` | an A record |
/// | `within("p", "a1", enforced)` | the store is a member of perimeter `p`, with the rules of its profile `p/default` |
/// | `linked("p", "q")` | both views of a link between two perimeters, for all their profiles |
/// | `grouped("g", "v", …)` | the networks are members of the network group |
/// | `governed("v", "c", admin)` | the configuration is in force in the network |
/// | `transit("spoke", "hub")` | both sides of a peering by which the spoke uses the hub's gateway |
/// | `hubbed("v", "h")` | the network is connected to the virtual hub by its default table, which is exported |
/// | `firewall("fw", "s", 10.0.1.4, "p", 20.9.9.9, …)` | an Azure Firewall at an address of subnet `s`, its policy (empty: none) and its public addresses |
/// | `policy("p", "base")` | a firewall policy that lists its groups, below `base` or nothing |
/// | `group("g", "p", 200)` | a listed rule collection group |
/// | `network_rule("r", "c", *, 10.0.0.0/8, tcp, 443)` | a rule of a collection: sources, destinations, protocol, ports |
/// | `application_rule("r", "c", *, "*.example.com", 443)` | the same by host name |
/// | `nat_rule("r", "c", *, 20.9.9.9, tcp, 8443, 10.0.1.4, 443)` | the same with where it leads; a number behind it is its place in the list |
fn expand(name: &str, cells: &[String]) -> Result<Vec<Fact>, String> {
    let mut rows: Vec<(&str, Vec<String>)> = Vec::new();
    let arg = |n: usize| cells.get(n).cloned().ok_or_else(|| format!("`{name}` needs more cells"));
    let or = |n: usize, default: &str| cells.get(n).cloned().unwrap_or_else(|| default.to_owned());
    let row = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect::<Vec<String>>();
    let is_prefix = |text: &String| text.contains('/') && watertight::model::net::parse_prefix(text).is_some();
    match name {
        "vnet" => {
            let (prefixes, words): (Vec<_>, Vec<_>) = cells[1..].iter().partition(|c| is_prefix(c));
            rows.push(("vnet", row(&[&arg(0)?, words.first().map_or("westeurope", |w| w)])));
            rows.extend(prefixes.iter().map(|p| ("vnet_prefix", row(&[&cells[0], p]))));
        }
        "subnet" => {
            let id = arg(0)?;
            rows.push(("subnet", row(&[&id, &arg(1)?, &id.to_lowercase()])));
            rows.extend(cells[2..].iter().map(|p| ("subnet_prefix", row(&[&id, p]))));
        }
        "vm" | "router" => {
            let (id, subnet) = (arg(0)?, arg(1)?);
            let (nic, config) = (format!("{id}-nic"), format!("{id}-ip"));
            rows.push(("machine", row(&[&id, "vm"])));
            rows.push(("nic", row(&[&nic, "machine", if name == "router" { "true" } else { "false" }])));
            rows.push(("nic_machine", row(&[&nic, &id])));
            rows.push(("ip_config", row(&[&config, &nic, &subnet, "true"])));
            if let Some(address) = cells.get(2) {
                rows.push(("ip_config_address", row(&[&config, address])));
            }
        }
        "public" => {
            let (id, pip) = (arg(0)?, format!("{}-pip", cells[0]));
            rows.push(("public_ip", row(&[&pip, &or(2, "standard")])));
            rows.push(("public_ip_address", row(&[&pip, &arg(1)?])));
            rows.push(("ip_config_public_ip", row(&[&format!("{id}-ip"), &pip])));
        }
        "peered" => {
            let rest = ["connected", "true", "true", "false", "false", "false", "true"];
            for (a, b) in [(arg(0)?, arg(1)?), (arg(1)?, arg(0)?)] {
                let mut values = row(&[&format!("{a}-{b}"), &a, &b]);
                values.extend(row(&rest));
                rows.push(("peering", values));
            }
        }
        "hybrid" => {
            let (gateway, site) = (arg(0)?, arg(2)?);
            rows.push(("gateway", row(&[&gateway, "vpn", "false"])));
            rows.push(("gateway_subnet", row(&[&gateway, &arg(1)?])));
            rows.push(("connection", row(&[&format!("{gateway}-{site}"), "ipsec", &gateway, &site, "yes", "false"])));
            rows.push(("local_gateway", row(&[&site, "false"])));
            rows.extend(cells[3..].iter().map(|p| ("local_gateway_prefix", row(&[&site, p]))));
        }
        "balancer" => {
            let (id, sku, address) = (arg(0)?, arg(1)?, arg(2)?);
            let (front, pool, pip) = (format!("{id}-fe"), format!("{id}-pool"), format!("{id}-pip"));
            rows.push(("load_balancer", row(&[&id, &sku, "false"])));
            rows.push(("load_balancer_pool", row(&[&pool, &id])));
            if let Some(subnet) = cells.get(3) {
                rows.push(("load_balancer_frontend", row(&[&front, &id, subnet, &address, ""])));
            } else {
                rows.push(("load_balancer_frontend", row(&[&front, &id, "", "", &pip])));
                rows.push(("public_ip", row(&[&pip, if sku == "basic" { "basic" } else { "standard" }])));
                rows.push(("public_ip_address", row(&[&pip, &address])));
            }
        }
        "balance" => {
            let (id, port) = (arg(0)?, arg(2)?);
            let rule = format!("{id}/{port}");
            rows.push(("load_balancing_rule", row(&[&rule, &format!("{id}-fe"), &arg(1)?, &port, &arg(3)?, "false", "true", ""])));
            rows.push(("load_balancing_rule_pool", row(&[&rule, &format!("{id}-pool")])));
        }
        _ if store_word(name).is_some() => {
            let (_, part, suffix, kind) = store_word(name).ok_or("a word for a store")?;
            let id = arg(0)?;
            let region = or(2, "westeurope");
            let kind = or(3, kind);
            let host_name = id.rsplit('/').next().unwrap_or_default();
            let default = match or(1, "allow").as_str() {
                "allow" => "yes",
                "deny" => "no",
                other => return Err(format!("the default action is allow or deny, found `{other}`")),
            };
            rows.push(("store", row(&[&id, name, &kind, &region])));
            rows.push(("store_part", row(&[&id, part, "primary", &format!("{host_name}.{suffix}"), &region])));
            if name == "web" {
                rows.push(("store_part", row(&[&id, "scm", "primary", &format!("{host_name}.scm.{suffix}"), &region])));
            }
            // The default action of some stands in a child.
            let (public, default) = match name {
                "web" => ("unset", "maybe"),
                "eventhub" | "servicebus" => ("enabled", "maybe"),
                _ => ("enabled", default),
            };
            rows.push(("store_access", row(&[&id, public, default, "false", "false", "false"])));
        }
        "private" => {
            let (id, subnet, address, target, group) = (arg(0)?, arg(1)?, arg(2)?, arg(3)?, arg(4)?);
            let state = or(5, "approved");
            rows.push(("private_endpoint", row(&[&id, &subnet, "westeurope"])));
            rows.push(("private_endpoint_connection", row(&[&format!("{id}-link"), &id, &target, &group, "false", &state, "true"])));
            rows.push(("private_endpoint_address", row(&[&id, "static", &group, &address, ""])));
            rows.push(("provider_connection", row(&[&format!("{id}-owner"), &target, &id, &state, "true"])));
        }
        "zone" => {
            let id = arg(0)?;
            rows.push(("private_dns_zone", row(&[&id, &arg(1)?])));
            rows.push(("zone_record", row(&[&format!("{id}/soa"), &id, "@", "soa", ""])));
            let links = cells[2..].iter().map(|v| ("zone_link", row(&[&format!("{id}-{v}"), &id, v, "true", "false", "false"])));
            rows.extend(links);
        }
        "within" => {
            let (perimeter, resource) = (arg(0)?, arg(1)?);
            rows.push(("perimeter", row(&[&perimeter, ""])));
            let association = format!("{perimeter}/{}", resource.rsplit('/').next().unwrap_or_default());
            rows.push((
                "perimeter_association",
                row(&[&association, &perimeter, &format!("{perimeter}/default"), &resource, &or(2, "enforced"), "true"]),
            ));
        }
        "linked" => {
            for (a, b) in [(arg(0)?, arg(1)?), (arg(1)?, arg(0)?)] {
                let link = format!("{a}-{b}");
                rows.push(("perimeter_link", row(&[&link, &a, &b, "yes"])));
                for (end, direction) in [("local", "inbound"), ("local", "outbound"), ("remote", "inbound"), ("remote", "outbound")] {
                    rows.push(("perimeter_link_profile", row(&[&link, end, direction, "*"])));
                }
            }
        }
        "grouped" => {
            let group = arg(0)?;
            rows.extend(cells[1..].iter().map(|v| ("group_member", row(&[&group, v, v]))));
        }
        "governed" => {
            let (vnet, what) = (arg(0)?, or(2, "admin"));
            rows.push(("manager_listing", row(&[&vnet, &what])));
            rows.push(("manager_applied", row(&[&vnet, &what, &arg(1)?])));
        }
        "transit" => {
            let (spoke, hub) = (arg(0)?, arg(1)?);
            let side = |a: &str, b: &str, offers: &str, uses: &str| {
                row(&[&format!("{a}-{b}"), a, b, "connected", "true", "true", "false", offers, uses, "true"])
            };
            rows.push(("peering", side(&spoke, &hub, "false", "true")));
            rows.push(("peering", side(&hub, &spoke, "true", "false")));
        }
        "hubbed" => {
            let (vnet, hub) = (arg(0)?, arg(1)?);
            let (link, table) = (format!("{vnet}-{hub}"), format!("{hub}/hubroutetables/defaultroutetable"));
            rows.push(("hub_table", row(&[&table, &hub])));
            rows.push(("hub_connection", row(&[&link, &hub, &vnet, &or(2, "false"), &table])));
            rows.push(("hub_propagation", row(&[&link, &table])));
            rows.push(("hub_label", row(&[&link, "default"])));
        }
        "record" => {
            let (zone, label) = (arg(0)?, arg(1)?);
            rows.push(("zone_record", row(&[&format!("{zone}/{label}"), &zone, &label, "a", &arg(2)?])));
        }
        "firewall" => {
            let (id, subnet, address, policy) = (arg(0)?, arg(1)?, arg(2)?, arg(3)?);
            rows.push(("device", row(&[&id, "azure-firewall", &subnet])));
            rows.push(("device_address", row(&[&id, &address, &subnet])));
            rows.push(("azure_firewall", row(&[&id, "", &policy, "false"])));
            for (n, public) in cells[4..].iter().enumerate() {
                let pip = format!("{id}-pip{n}");
                rows.push(("public_ip", row(&[&pip, "standard"])));
                rows.push(("public_ip_address", row(&[&pip, public])));
                rows.push(("device_public_ip", row(&[&id, &pip])));
            }
        }
        "policy" => rows.push(("firewall_policy", row(&[&arg(0)?, &or(1, ""), "true"]))),
        "group" => {
            rows.push(("firewall_group", row(&[&arg(0)?, &arg(1)?, &arg(2)?])));
            rows.push(("firewall_policy_group", row(&[&arg(1)?, &arg(0)?])));
        }
        "network_rule" => {
            let id = arg(0)?;
            rows.push(("firewall_rule", row(&[&id, &arg(1)?, "network", "0", &arg(2)?, &arg(3)?])));
            rows.push(("firewall_rule_traffic", row(&[&id, &arg(4)?, &or(5, "*")])));
        }
        "application_rule" => {
            let id = arg(0)?;
            rows.push(("firewall_rule", row(&[&id, &arg(1)?, "application", "0", &arg(2)?, "*"])));
            rows.push(("firewall_rule_name", row(&[&id, "fqdn", &arg(3)?])));
            rows.push(("firewall_rule_traffic", row(&[&id, "tcp", &or(4, "443")])));
        }
        "nat_rule" => {
            let id = arg(0)?;
            rows.push(("firewall_rule", row(&[&id, &arg(1)?, "nat", &or(8, "0"), &arg(2)?, &arg(3)?])));
            rows.push(("firewall_rule_traffic", row(&[&id, &arg(4)?, &arg(5)?])));
            rows.push(("firewall_translation", row(&[&id, &arg(6)?, "", &arg(7)?])));
        }
        _ => {
            let mut values = cells.to_vec();
            if let Some((_, least, rest)) = DEFAULTS.iter().find(|d| d.0 == name)
                && values.len() >= *least
            {
                values.extend(rest[(values.len() - least).min(rest.len())..].iter().map(|v| (*v).to_owned()));
            }
            rows.push((name, values));
        }
    }
    let read = |(relation, values): (&str, Vec<String>)| {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        match Fact::read(relation, &values) {
            Some(Ok(fact)) => Ok(fact),
            Some(Err(error)) => Err(format!("`{relation}`: {error}")),
            None => Err(format!("no relation `{relation}`")),
        }
    };
    rows.into_iter().map(read).collect()
}

/// One line of an `expect` block.
fn claim(text: &str) -> Result<Claim, String> {
    let words = words(text);
    let at = words.iter().position(|w| w == "->").ok_or("expected `from -> to`")?;
    if at < 2 || at + 1 >= words.len() {
        return Err("expected `verdict from -> to …`".into());
    }
    let (from, to) = (end(&words[at - 1])?, end(&words[at + 1])?);
    let head = words[..at - 1].join(" ");
    let mut tail = words[at + 2..].iter();
    if head.contains("leak") {
        let hops = tail.nth(1).and_then(|n| n.parse().ok());
        return Ok(Claim::Leak { from, to, certainty: head, hops });
    }
    if let Some(verdict) = head.strip_suffix(" copy") {
        let (by, driver) = (tail.next(), tail.next());
        let driver = end(driver.filter(|_| by.is_some_and(|by| by == "driven-by")).ok_or("expected `driven-by` somebody")?)?;
        let at = tail.next();
        let stage = tail.next().filter(|_| at.is_some_and(|at| at == "at")).cloned();
        return Ok(Claim::Copy { from, to, driver, verdict: verdict.to_owned(), stage });
    }
    let traffic = tail.next().ok_or("expected a protocol and port")?;
    let (proto, port) = traffic.split_once('/').unwrap_or((traffic, "0"));
    let mut ask = Ask {
        from,
        to,
        proto: Proto::parse(proto).ok_or_else(|| format!("no protocol `{proto}`"))?,
        dport: port.parse().map_err(|_| format!("no port `{port}`"))?,
        sport: None,
        mode: Mode::Configured,
        session: true,
    };
    let (mut stage, mut via, mut rule, mut codes) = (None, None, None, Vec::new());
    while let Some(word) = tail.next() {
        let mut next = || tail.next().cloned().ok_or_else(|| format!("`{word}` needs a word after it"));
        match word.as_str() {
            "at" => stage = Some(next()?),
            "via" => via = Some(next()?),
            "by" => rule = Some(next()?),
            "because" => codes = next()?.split(',').map(str::to_owned).collect(),
            "adversarial" => ask.mode = Mode::Adversarial,
            "one-way" => ask.session = false,
            "from-port" => ask.sport = Some(next()?.parse().map_err(|_| "a source port is a number")?),
            other => return Err(format!("no such word: `{other}`")),
        }
    }
    Ok(Claim::Flow { ask, verdict: head, stage, via, rule, codes })
}

/// Splits at blanks outside quotes; the quotes go.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn end(text: &str) -> Result<End, String> {
    if text == "internet" {
        return Ok(End::Internet(None));
    }
    let (kind, name) = text.split_once(':').ok_or_else(|| format!("no such end: `{text}`"))?;
    let sym = Sym::new(name);
    let address = || name.parse().map_err(|_| format!("no address: `{name}`"));
    let store = |part: &str| End::Store(sym, Sym::new(part), Instance::Primary);
    Ok(match kind {
        "vm" => End::Machine(sym),
        "nic" => End::Nic(sym),
        "subnet" => End::Subnet(sym),
        "pe" => End::PrivateEndpoint(sym),
        "onprem" => End::Site(sym),
        "ip" => End::Ip(address()?),
        "internet" => End::Internet(Some(address()?)),
        "fqdn" => End::Fqdn(sym),
        "resource" => End::Unmodelled(sym),
        "network" => End::Network(sym),
        "external" => End::External(Service::parse(name).ok_or_else(|| format!("no service `{name}`"))?),
        "storage" => {
            let (account, part) = name.rsplit_once('/').unwrap_or((name, "blob"));
            let (part, instance) = match part.strip_suffix("_secondary") {
                Some(part) => (part, Instance::Secondary),
                None => (part, Instance::Primary),
            };
            End::Store(Sym::new(account), Sym::new(part), instance)
        }
        // Ids hold slashes too: the last word is a part where the service has such a part.
        other => match (store_word(other), name.rsplit_once('/').filter(|(_, part)| is_part(other, part))) {
            (Some(_), Some((id, part))) => End::Store(Sym::new(id), Sym::new(part), Instance::Primary),
            (Some((_, part, ..)), None) => store(part),
            (None, _) => return Err(format!("no such end: `{other}`")),
        },
    })
}

fn is_part(word: &str, part: &str) -> bool {
    let main = part.split('.').next().unwrap_or(part);
    Service::parse(word).is_some_and(|service| service.parts().contains(&main))
}

/// The facts of a scenario after each of its steps.
pub fn states(scenario: &Scenario) -> Vec<BTreeSet<Fact>> {
    let mut facts = BTreeSet::new();
    let mut states = Vec::new();
    for step in &scenario.steps {
        for fact in &step.removed {
            facts.remove(fact);
        }
        facts.extend(step.added.iter().copied());
        states.push(facts.clone());
    }
    states
}
