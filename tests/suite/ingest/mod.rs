//! Files to facts: every shape of input that exporters write, broken ones too.

mod broken;
mod changes;
mod copies;
mod recorded;
mod shapes;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use watertight::diag::Diagnostic;
use watertight::facts::catalog::Fact;
use watertight::facts::estate::Estate;
use watertight::facts::extract::extract;
use watertight::ingest::{self, Input, Loaded};

pub fn input(name: &str, text: &str) -> Input {
    Input { name: name.to_owned(), bytes: text.as_bytes().to_vec() }
}

/// Reads one document. Whoever reads it as facts, body by body, must know the same.
pub fn read(text: &str) -> Loaded {
    let inputs = || vec![input("a.json", text)];
    let (whole, said) = Estate::from_loaded(ingest::read(inputs()));
    let streamed = ingest::read_as_facts(inputs(), extract);
    assert!(streamed.resources.iter().all(|r| r.body.is_null() || r.inherits != (false, false)), "a body is kept");
    let (streamed, also_said) = Estate::from_loaded(streamed);
    let places = |estate: &Estate| estate.origins().map(|(id, source)| (id, source.clone())).collect::<Vec<_>>();
    assert_eq!(lines(whole.facts()), lines(streamed.facts()));
    assert_eq!(places(&whole), places(&streamed));
    assert_eq!(format!("{said:?}"), format!("{also_said:?}"));
    ingest::read(inputs())
}

pub fn ids(loaded: &Loaded) -> Vec<&str> {
    loaded.resources.iter().map(|r| r.id.as_str()).collect()
}

pub fn codes(diagnostics: &[Diagnostic]) -> Vec<&str> {
    diagnostics.iter().map(|d| d.code).collect()
}

/// The facts as text: relation and cells.
pub fn lines(facts: impl IntoIterator<Item = Fact>) -> BTreeSet<String> {
    facts.into_iter().map(|fact| format!("{} {}", fact.relation().name, fact.cells().join(" "))).collect()
}

pub fn estate(loaded: Loaded) -> Estate {
    Estate::from_loaded(loaded).0
}

pub fn id(tail: &str) -> String {
    format!("/subscriptions/S/resourceGroups/RG/providers/Microsoft.Network/{tail}")
}

pub fn vnet() -> Value {
    json!({
        "id": id("virtualNetworks/Hub"), "name": "Hub", "type": "Microsoft.Network/virtualNetworks", "location": "West Europe", "tenantId": "T",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [
                {"name": "Web", "properties": {"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": {"id": id("networkSecurityGroups/g")}}},
                {"id": id("virtualNetworks/hub/subnets/db"), "name": "db", "properties": {"addressPrefixes": ["10.0.2.0/24"]}},
            ],
            "virtualNetworkPeerings": [],
        },
    })
}

/// A folder of recorded estates, where they lie beside the repository.
pub fn shared(path: &str) -> Option<PathBuf> {
    let repository = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let path = Path::new(&repository).join("../shared").join(path);
    path.is_dir().then_some(path)
}
