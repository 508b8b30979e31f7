//! `watertight.toml`: what a person states about an estate, typed, with the line of everything that is wrong.
//!
//! The file is read in three passes: the tree tells unknown keys, serde gives it types, and `Config::facts` turns the statements
//! into rows of the relations of `facts::config`, looking selectors up in the estate.

mod hosts;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::resolve::Names;
use crate::config::selector::{self, SelectorError, nearest};
use crate::diag::{Diagnostic, Severity, line_of_offset};
use crate::explain::way::End;
use crate::explain::way::Place;
use crate::facts::config::*;
use crate::facts::network::Protocol;
use crate::facts::private_access::{CompleteType, Era, HiddenRules};
use crate::facts::selector::PortList;
use crate::facts::service::Service;
use crate::facts::{Fact, Index};
use crate::model::ids::id_parts;
use crate::model::traffic::parse_ports;
use crate::model::{Prefix, Sym, Tri, net};

/// The name of the file.
pub const FILE: &str = "watertight.toml";

/// A file that was read, and what it says.
#[derive(Debug)]
pub struct Config {
    file: String,
    text: String,
    stated: Stated,
}

#[derive(Debug, Default, Deserialize)]
struct Stated {
    #[serde(default)]
    boundary: Boundary,
    #[serde(default)]
    labels: std::collections::BTreeMap<String, Vec<Spanned<String>>>,
    #[serde(default)]
    onprem: Vec<Onprem>,
    #[serde(default)]
    dns_server: Vec<Server>,
    #[serde(default)]
    hosts: Vec<hosts::Hosts>,
    #[serde(default)]
    input: Input,
    #[serde(default)]
    appliance: Vec<Device>,
    #[serde(default)]
    profile: Profile,
}

#[derive(Debug, Default, Deserialize)]
struct Boundary {
    tenants: Option<Spanned<Vec<Spanned<String>>>>,
    subscriptions: Option<Spanned<Vec<Spanned<String>>>>,
}

#[derive(Debug, Deserialize)]
struct Onprem {
    name: Spanned<String>,
    #[serde(default)]
    prefixes: Vec<Spanned<String>>,
    #[serde(default)]
    nat: Vec<Spanned<String>>,
    #[serde(default)]
    forwarders: Vec<Forwarder>,
}

#[derive(Debug, Deserialize)]
struct Forwarder {
    suffix: Spanned<String>,
    server: Spanned<String>,
    chases_cname: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Server {
    address: Spanned<String>,
    forwards: Option<Spanned<String>>,
    at: Option<Spanned<String>>,
    #[serde(default)]
    records: Vec<ServerRecord>,
}

#[derive(Debug, Deserialize)]
struct ServerRecord {
    name: Spanned<String>,
    address: Spanned<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Input {
    #[serde(default)]
    complete: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
struct Device {
    selector: Spanned<String>,
    #[serde(default)]
    allow: Vec<Allow>,
    snat: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Allow {
    from: Spanned<String>,
    to: Spanned<String>,
    proto: Spanned<String>,
    ports: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
struct Profile {
    era: Option<Spanned<String>>,
    assume_no_db_rules: Option<bool>,
}

/// The keys of each table; a table that is not here (`labels`) takes any key.
const KEYS: [(&str, &[&str]); 12] = [
    ("", &["boundary", "labels", "onprem", "dns_server", "hosts", "input", "appliance", "profile"]),
    ("boundary", &["tenants", "subscriptions"]),
    ("onprem", &["name", "prefixes", "nat", "forwarders"]),
    ("onprem.forwarders", &["suffix", "server", "chases_cname"]),
    ("dns_server", &["address", "forwards", "at", "records"]),
    ("dns_server.records", &["name", "address"]),
    ("hosts", &["at", "records"]),
    ("hosts.records", &["name", "address"]),
    ("input", &["complete"]),
    ("appliance", &["selector", "allow", "snat"]),
    ("appliance.allow", &["from", "to", "proto", "ports"]),
    ("profile", &["era", "assume_no_db_rules"]),
];

/// The file that applies in `folder`: there or in the nearest folder above.
pub fn find(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|above| above.join(FILE)).find(|file| file.is_file())
}

impl Config {
    /// Reads the text of `file`.
    ///
    /// # Errors
    /// Every unknown key and the first value of a wrong shape, each with its line. A statement that is misread could turn
    /// an answer round, so nothing of the file is used then.
    pub fn parse(file: &str, text: String) -> Result<Config, Vec<Diagnostic>> {
        let (tree, broken) = DeTable::parse_recoverable(&text);
        if let Some(error) = broken.first() {
            return Err(vec![unreadable(file, &text, error)]);
        }
        let mut problems = Vec::new();
        unknown_keys("", tree.get_ref(), &mut |path, key, known| {
            let word = key.get_ref().as_ref();
            let place = if path.is_empty() { "this file".to_owned() } else { format!("`[{path}]`") };
            let help = match nearest(word, known.iter().copied()).first() {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("keys here are {}", known.join(", ")),
            };
            problems.push(
                Diagnostic::new("config::unknown_key", Severity::Error, format!("`{word}` is no key of {place}"))
                    .at(file, "")
                    .on_line(Some(line_of_offset(text.as_bytes(), key.span().start)))
                    .help(help),
            );
        });
        problems.sort_by_key(|d| d.line);
        match toml::from_str::<Stated>(&text) {
            Ok(stated) if problems.is_empty() => Ok(Config { file: file.to_owned(), text, stated }),
            Ok(_) => Err(problems),
            Err(error) => {
                problems.push(unreadable(file, &text, &error));
                Err(problems)
            }
        }
    }

    /// The facts that the file states about the estate in `index`, and what is wrong with its values.
    ///
    /// Diagnostics of severity `Error` are values that cannot be meant; a selector that names nothing in this estate is a warning.
    pub fn facts(&self, index: &Index) -> (Vec<Fact>, Vec<Diagnostic>) {
        let mut reader = Reader { config: self, names: Names::new(index), facts: Vec::new(), problems: Vec::new() };
        reader.boundary();
        reader.labels();
        self.stated.onprem.iter().for_each(|site| reader.site(site));
        reader.sites_differ();
        self.stated.dns_server.iter().for_each(|server| reader.dns_server(server));
        self.stated.hosts.iter().for_each(|hosts| reader.hosts(hosts));
        self.stated.input.complete.iter().for_each(|kind| reader.complete(kind));
        self.stated.appliance.iter().for_each(|device| reader.appliance(device));
        reader.profile();
        (reader.facts, reader.problems)
    }
}

fn unreadable(file: &str, text: &str, error: &toml::de::Error) -> Diagnostic {
    let message = error.message().lines().next().unwrap_or("the file is not TOML").to_owned();
    let place = error.span().map(|span| line_of_offset(text.as_bytes(), span.start));
    Diagnostic::new("config::unreadable", Severity::Error, message).at(file, "").on_line(place)
}

/// A key as it stands in the file.
type Key<'t> = Spanned<std::borrow::Cow<'t, str>>;

/// Calls `report` with path, key and the keys known there for each key that is not one of them.
fn unknown_keys<'t>(path: &str, table: &'t DeTable<'t>, report: &mut dyn FnMut(&str, &Key<'t>, &'static [&'static str])) {
    let Some((_, known)) = KEYS.iter().find(|(table, _)| *table == path) else { return };
    for (key, value) in table {
        if !known.contains(&key.get_ref().as_ref()) {
            report(path, key, known);
            continue;
        }
        let below = if path.is_empty() { key.get_ref().to_string() } else { format!("{path}.{}", key.get_ref()) };
        match value.get_ref() {
            DeValue::Table(table) => unknown_keys(&below, table, report),
            DeValue::Array(items) => {
                for item in items.iter() {
                    if let DeValue::Table(table) = item.get_ref() {
                        unknown_keys(&below, table, report);
                    }
                }
            }
            _ => {}
        }
    }
}

struct Reader<'a> {
    config: &'a Config,
    names: Names<'a>,
    facts: Vec<Fact>,
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn problem(&mut self, severity: Severity, code: &'static str, offset: usize, message: String, help: Option<String>) {
        let place = line_of_offset(self.config.text.as_bytes(), offset);
        let mut problem = Diagnostic::new(code, severity, message).at(&self.config.file, "").on_line(Some(place));
        problem.help = help;
        self.problems.push(problem);
    }

    fn wrong(&mut self, value: &Spanned<String>, expected: &str) {
        let message = format!("expected {expected}, found `{}`", value.get_ref());
        self.problem(Severity::Error, "config::wrong_value", value.span().start, message, None);
    }

    fn selector(&mut self, severity: Severity, value: &Spanned<String>, error: SelectorError) {
        let message = if error.candidates.is_empty() { error.message.clone() } else { format!("{}: {}", error.message, error.listed()) };
        self.problem(severity, "config::selector", value.span().start, message, error.help);
    }

    /// A selector whose text is wrong is an error, one that names nothing here a warning.
    fn severity(value: &Spanned<String>) -> Severity {
        if selector::parse(value.get_ref()).is_err() { Severity::Error } else { Severity::Warning }
    }

    fn address(&mut self, value: &Spanned<String>) -> Option<IpAddr> {
        let address = value.get_ref().trim().parse().ok();
        if address.is_none() {
            self.wrong(value, "an IPv4 or IPv6 address");
        }
        address
    }

    fn prefix(&mut self, value: &Spanned<String>) -> Option<Prefix> {
        let prefix = net::parse_prefix(value.get_ref());
        if prefix.is_none() {
            self.wrong(value, "a prefix such as `10.0.0.0/8`");
        }
        prefix
    }

    fn host_name(&mut self, value: &Spanned<String>) -> Option<Sym> {
        let name = value.get_ref().trim().trim_matches('.').to_lowercase();
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || !name.chars().all(fine) {
            self.wrong(value, "a host name");
            return None;
        }
        Some(Sym::new(&name))
    }

    fn boundary(&mut self) {
        let config = self.config;
        let Boundary { tenants, subscriptions } = &config.stated.boundary;
        for (key, list) in [("tenants", tenants), ("subscriptions", subscriptions)] {
            let Some(list) = list else { continue };
            if list.get_ref().is_empty() {
                let help = format!("leave `{key}` out to have all of the input inside");
                self.problem(
                    Severity::Error,
                    "config::empty_boundary",
                    list.span().start,
                    format!("`{key}` lists nothing, so nothing would be inside"),
                    Some(help),
                );
            }
            for value in list.get_ref() {
                let id = value.get_ref().trim().to_lowercase();
                let guid = id.len() == 36
                    && id.bytes().enumerate().all(|(n, b)| if matches!(n, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() });
                if !guid {
                    self.wrong(value, "an id such as `11111111-1111-4111-8111-111111111111`");
                } else if key == "tenants" {
                    self.facts.push(BoundaryTenant { tenant: Sym::new(&id) }.into());
                } else {
                    self.facts.push(BoundarySubscription { subscription: Sym::new(&id) }.into());
                }
            }
        }
    }

    fn labels(&mut self) {
        let config = self.config;
        for (label, selectors) in &config.stated.labels {
            for value in selectors {
                match selector::parse(value.get_ref()) {
                    Ok(_) => self.facts.push(Label { label: Sym::lower(label), selector: Sym::new(value.get_ref().trim()) }.into()),
                    Err(error) => self.selector(Severity::Error, value, error),
                }
            }
        }
    }

    fn site(&mut self, stated: &Onprem) {
        let site = Sym::new(stated.name.get_ref().trim());
        if site.is_empty() || site.as_str().contains(['/', ':']) {
            return self.wrong(&stated.name, "the name of a site, without `/` and `:`");
        }
        self.facts.push(Site { site }.into());
        let mut prefixes: Vec<Prefix> = stated.prefixes.iter().filter_map(|value| self.prefix(value)).collect();
        prefixes.extend(self.gateway_prefixes(site));
        prefixes.sort_unstable();
        prefixes.dedup();
        self.facts.extend(prefixes.into_iter().map(|prefix| Fact::from(SitePrefix { site, prefix })));
        for value in &stated.nat {
            match self.address(value) {
                Some(address) if net::is_public(address) => self.facts.push(SiteNat { site, address }.into()),
                Some(_) => self.wrong(value, "a public address"),
                None => {}
            }
        }
        for forwarder in &stated.forwarders {
            if let (Some(suffix), Some(server)) = (self.host_name(&forwarder.suffix), self.address(&forwarder.server)) {
                let chases_cname = forwarder.chases_cname.map_or(Tri::Maybe, Tri::from_bool);
                self.facts.push(SiteForwarder { site, suffix, server, chases_cname }.into());
            }
        }
    }

    /// What the local network gateways of the site's name say: the two are one site, and the statement adds to the gateways.
    fn gateway_prefixes(&self, site: Sym) -> Vec<Prefix> {
        let index = self.names.index();
        let name = Sym::lower(site.as_str());
        let same = index.local_gateway.rows().filter(|row| id_parts(row.site.as_str()).name == name.as_str());
        same.flat_map(|row| index.local_gateway_prefixes.get(row.site)).map(|row| row.prefix).collect()
    }

    fn sites_differ(&mut self) {
        let config = self.config;
        let mut seen: Vec<String> = Vec::new();
        for site in &config.stated.onprem {
            let name = site.name.get_ref().trim().to_lowercase();
            if seen.contains(&name) {
                let message = format!("the site `{}` is described twice", site.name.get_ref());
                self.problem(
                    Severity::Error,
                    "config::twice",
                    site.name.span().start,
                    message,
                    Some("put both into one `[[onprem]]`".to_owned()),
                );
            }
            seen.push(name);
        }
    }

    fn dns_server(&mut self, stated: &Server) {
        let Some(address) = self.address(&stated.address) else { return };
        let mut forwards = match &stated.forwards {
            None => Sym::EMPTY,
            Some(value) => match value.get_ref().trim().to_lowercase().as_str() {
                word @ ("azure-dns" | "internet") => Sym::new(word),
                other => match other.parse::<IpAddr>() {
                    Ok(next) => Sym::new(&next.to_string()),
                    Err(_) => return self.wrong(value, "`azure-dns`, `internet` or an address"),
                },
            },
        };
        let mut at = Sym::EMPTY;
        if let Some(value) = &stated.at {
            match self.names.place(value.get_ref()) {
                Ok(Place::Vnet(vnet)) => at = vnet,
                Ok(_) => return self.wrong(value, "a virtual network such as `vnet:hub`"),
                Err(error) => self.selector(Self::severity(value), value, error),
            }
        }
        if forwards.as_str() == "azure-dns" && at.is_empty() {
            // Whose zones it sees is not known, so neither is what it answers (DNS-20).
            forwards = Sym::EMPTY;
            if stated.at.is_none() {
                let help = "add `at = \"vnet:…\"`: the network whose private zones the server sees".to_owned();
                let message =
                    format!("the DNS server {address} forwards to Azure from a network that is not named, so its answers stay unknown");
                self.problem(Severity::Warning, "config::dns_server", stated.address.span().start, message, Some(help));
            }
        }
        self.facts.push(DnsServer { address, forwards, at }.into());
        for record in &stated.records {
            if let (Some(name), Some(to)) = (self.host_name(&record.name), self.address(&record.address)) {
                self.facts.push(DnsServerRecord { server: address, name, address: to }.into());
            }
        }
    }

    fn complete(&mut self, value: &Spanned<String>) {
        let kind = value.get_ref().trim().to_lowercase();
        if kind.split('/').count() < 2 || !kind.contains('.') || kind.split('/').any(str::is_empty) {
            return self.wrong(value, "a resource type such as `microsoft.sql/servers/firewallrules`");
        }
        self.facts.push(CompleteType { kind: Sym::new(&kind) }.into());
    }

    fn appliance(&mut self, stated: &Device) {
        let mut allows = Vec::new();
        for allow in &stated.allow {
            let from = self.any_prefix(&allow.from);
            let to = self.any_prefix(&allow.to);
            let protocol = match allow.proto.get_ref().trim().to_lowercase().as_str() {
                "any" => Some(Protocol::Any),
                word => Protocol::parse(word),
            };
            if protocol.is_none() {
                self.wrong(&allow.proto, "tcp, udp, icmp, esp, ah or any");
            }
            let ports = match &allow.ports {
                None => Some(PortList::any()),
                Some(value) => {
                    let ranges: Option<Vec<_>> = value.get_ref().split(',').map(parse_ports).collect();
                    if ranges.is_none() {
                        self.wrong(value, "ports such as `443,8000-8100` or `any`");
                    }
                    ranges.map(PortList::new)
                }
            };
            if let (Some(from), Some(to), Some(protocol), Some(ports)) = (from, to, protocol, ports) {
                allows.push((from, to, protocol, ports));
            }
        }
        let nics = match self.appliance_nics(&stated.selector) {
            Ok(nics) => nics,
            Err((severity, error)) => return self.selector(severity, &stated.selector, error),
        };
        let snat = stated.snat.map_or(Tri::Maybe, Tri::from_bool);
        for nic in nics {
            self.facts.push(Appliance { nic, snat }.into());
            for &(from, to, protocol, ports) in &allows {
                self.facts.push(ApplianceAllow { nic, from, to, protocol, ports }.into());
            }
        }
    }

    /// A machine as an appliance means all its interfaces.
    fn appliance_nics(&self, value: &Spanned<String>) -> Result<Vec<Sym>, (Severity, SelectorError)> {
        let text = value.get_ref();
        let mut nics = Vec::new();
        for end in self.names.many(text).map_err(|error| (Self::severity(value), error))? {
            match end {
                End::Nic(nic) => nics.push(nic),
                End::Machine(machine) => nics.extend(self.names.index().nics_by_machine.get(machine).iter().map(|row| row.nic)),
                _ => {
                    let error = SelectorError::new(format!("`{text}` is no network interface"));
                    return Err((Severity::Error, error.help("write `nic:<name>` or `vm:<name>`")));
                }
            }
        }
        Sym::sort(&mut nics);
        nics.dedup();
        if nics.is_empty() {
            return Err((Severity::Warning, SelectorError::new(format!("`{text}` has no network interface"))));
        }
        Ok(nics)
    }

    fn any_prefix(&mut self, value: &Spanned<String>) -> Option<Prefix> {
        if matches!(value.get_ref().trim().to_lowercase().as_str(), "any" | "*") {
            return net::parse_prefix("0.0.0.0/0");
        }
        self.prefix(value)
    }

    fn profile(&mut self) {
        let config = self.config;
        if config.stated.profile.assume_no_db_rules == Some(false) {
            self.facts.push(HiddenRules { service: Sym::new(Service::Sql.as_str()) }.into());
        }
        let Some(era) = &config.stated.profile.era else { return };
        match era.get_ref().as_str() {
            "current" => {}
            "2019" => self.facts.push(Era { era: Sym::new("2019") }.into()),
            _ => self.wrong(era, "`current` or `2019`"),
        }
    }
}
