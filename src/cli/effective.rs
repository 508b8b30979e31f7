//! `watertight effective`: routes, rules and names at one place, in Azure's own shapes.

use std::io::{self, Write};

use serde_json::{Map, Value};

use crate::cli::args::{EffectiveArgs, Global, What};
use crate::cli::estate::{self, selector_fail};
use crate::cli::{Console, Fail, Outcome};
use crate::config::Names;
use crate::explain::effective;
use crate::model::Sym;
use crate::report::text::{self, Look};

/// Prints the document, or a table of it.
///
/// # Errors
/// The input, the place or the name cannot be used.
pub fn run(args: &EffectiveArgs, global: &Global, console: &mut Console) -> Result<Outcome, Fail> {
    let json = global.wants_json("effective")?;
    let option = |given: bool, option: &str, what: &str| {
        if given { Err(Fail::new("cli::option", format!("`{option}` goes with `effective {what}` only"))) } else { Ok(()) }
    };
    option(args.dst.is_some() && args.what != What::Routes, "--dst", "routes")?;
    option(args.name.is_some() && args.what != What::Dns, "--name", "dns")?;
    let opened = estate::open(&args.inputs.inputs, global, console)?;
    let place = Names::new(&opened.index).place(&args.at).map_err(selector_fail)?;
    let world = opened.world();
    let (schema, found) = match args.what {
        What::Routes => ("watertight.effective-routes/1", effective::routes(&world, place, args.dst)),
        What::Rules => ("watertight.effective-rules/1", effective::rules(&world, place)),
        What::Dns => {
            let Some(name) = &args.name else {
                return Err(Fail::new("cli::option", "`effective dns` needs a name").help("add `--name FQDN`"));
            };
            ("watertight.effective-dns/1", effective::dns(&world, place, Sym::lower(name.trim_end_matches('.'))))
        }
    };
    if let Some(why) = found.get("error").and_then(Value::as_str) {
        return Err(Fail::new("cli::effective", why));
    }
    let mut document = Map::new();
    document.insert("schema".to_owned(), schema.into());
    if args.what == What::Dns {
        document.insert("at".to_owned(), args.at.as_str().into());
    }
    match found {
        Value::Object(more) => more.into_iter().for_each(|(key, value)| {
            document.entry(key).or_insert(value);
        }),
        other => {
            document.insert("value".to_owned(), other);
        }
    }
    let look = console.look;
    console.result(global, |out| {
        if json {
            writeln!(out, "{:#}", Value::Object(document))
        } else {
            match args.what {
                What::Routes => routes(&document, look, out),
                What::Rules => rules(&document, look, out),
                What::Dns => dns(&document, out),
            }
        }
    })?;
    Ok(Outcome::Well)
}

/// A value as one cell: lists joined, nothing for null.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            items.iter().map(|item| cell(Some(item))).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    }
}

fn list<'v>(document: &'v Map<String, Value>, key: &str) -> &'v [Value] {
    document.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn routes(document: &Map<String, Value>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    const KEYS: [&str; 5] = ["source", "state", "addressPrefix", "nextHopType", "nextHopIpAddress"];
    let rows =
        |routes: &[Value]| routes.iter().map(|route| KEYS.iter().map(|key| cell(route.get(key))).collect()).collect::<Vec<Vec<String>>>();
    let header = ["source", "state", "prefix", "next hop", "address"];
    text::table(&header, &rows(list(document, "value")), look, out)?;
    assumptions(document, out)?;
    if document.contains_key("selected") {
        writeln!(out, "\nselected:")?;
        text::table(&header, &rows(list(document, "selected")), look, out)?;
    }
    Ok(())
}

/// Azure writes one port as `22-22`.
fn ports(ranges: &str) -> String {
    let one = |range: &str| match range.split_once('-') {
        Some((first, last)) if first == last => first.to_owned(),
        _ => range.to_owned(),
    };
    ranges.split(", ").map(one).collect::<Vec<_>>().join(", ")
}

fn rules(document: &Map<String, Value>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for group in list(document, "value") {
        let nsg = cell(group.pointer("/networkSecurityGroup/id"));
        let nsg = nsg.rsplit('/').next().unwrap_or_default().to_owned();
        for rule in group.get("effectiveSecurityRules").and_then(Value::as_array).into_iter().flatten() {
            let either = |one: &str, many: &str| {
                let many = cell(rule.get(many));
                if many.is_empty() { cell(rule.get(one)) } else { many }
            };
            rows.push(vec![
                nsg.clone(),
                cell(rule.get("direction")),
                cell(rule.get("priority")),
                cell(rule.get("access")),
                cell(rule.get("protocol")),
                either("sourceAddressPrefix", "sourceAddressPrefixes"),
                either("destinationAddressPrefix", "destinationAddressPrefixes"),
                ports(&either("destinationPortRange", "destinationPortRanges")),
                cell(rule.get("name")),
            ]);
        }
    }
    if rows.is_empty() && !document.contains_key("assumptions") {
        return writeln!(out, "no network security group: nothing is filtered here");
    }
    if !rows.is_empty() {
        text::table(&["nsg", "direction", "priority", "access", "protocol", "from", "to", "ports", "rule"], &rows, look, out)?;
    }
    assumptions(document, out)
}

/// What the rows above do not know.
fn assumptions(document: &Map<String, Value>, out: &mut dyn Write) -> io::Result<()> {
    list(document, "assumptions").iter().try_for_each(|said| writeln!(out, "unproven: {}", cell(said.get("text"))))
}

fn dns(document: &Map<String, Value>, out: &mut dyn Write) -> io::Result<()> {
    let addresses = cell(document.get("addresses"));
    writeln!(out, "{} {}", cell(document.get("answer")), addresses)?;
    list(document, "chain").iter().try_for_each(|step| writeln!(out, "  {}", cell(Some(step))))
}
