//! Questions that tests of Azure's own tools put to Azure, with its answers and the configuration of that moment.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::watertight;

/// One recorded question.
pub struct Probe {
    /// The recording it belongs to.
    pub scenario: String,
    /// Its place in the recording.
    pub number: usize,
    /// The operation of the interface: `ipFlowVerify`, `nextHop`, ….
    pub operation: String,
    /// The resource that was asked.
    pub target: String,
    /// What was asked; null where the recording kept no bodies.
    pub request: Value,
    /// What Azure said.
    pub result: Value,
    estate: Vec<Value>,
}

/// All recorded questions, by recording and place; `None` where the recordings are not there.
pub fn probes() -> Option<Vec<Probe>> {
    let repository = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let path = Path::new(&repository).join("../shared/data/expected-results");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(path).ok()?.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.join("probes.json").is_file());
    folders.sort();
    Some(folders.iter().flat_map(|folder| in_folder(folder)).collect())
}

fn in_folder(folder: &Path) -> Vec<Probe> {
    let scenario = folder.file_name().unwrap().to_str().unwrap().to_owned();
    let probe = |(number, probe): (usize, Value)| Probe {
        scenario: scenario.clone(),
        number,
        operation: text(&probe["operation"]).to_owned(),
        target: text(&probe["target"]).to_owned(),
        request: probe["request"].clone(),
        result: probe["result"].clone(),
        estate: estate(folder, probe["stateFile"].as_str()),
    };
    list(&read(&folder.join("probes.json"))).iter().cloned().enumerate().map(probe).collect()
}

/// The resources as they were read at that moment; where the recording never read one, as the deployment that made it says.
fn estate(folder: &Path, state: Option<&str>) -> Vec<Value> {
    let mut estate: Vec<Value> = state.map(|state| list(&read(&folder.join(state))).to_vec()).unwrap_or_default();
    let deployments = folder.join("deployments.json");
    if deployments.is_file() {
        for deployment in list(&read(&deployments)) {
            let group = text(&deployment["id"]).split("/providers/").next().unwrap();
            for resource in list(&deployment["template"]["resources"]) {
                let (kind, name) = (text(&resource["type"]), text(&resource["name"]));
                let id = format!("{group}/providers/{kind}/{name}");
                let known = estate.iter().any(|other| text(&other["id"]).eq_ignore_ascii_case(&id));
                // A name that has to be computed belongs to a template that this cannot stand for.
                if !known && !name.starts_with('[') {
                    let mut resource = resource.clone();
                    resource["id"] = id.into();
                    if resource["properties"].is_null() {
                        resource["properties"] = Value::Object(serde_json::Map::new());
                    }
                    // Who made it by this template made it without what the template leaves out.
                    for (of, list) in [("networkSecurityGroups", "securityRules"), ("routeTables", "routes")] {
                        if kind.to_ascii_lowercase().ends_with(&of.to_ascii_lowercase()) && resource["properties"][list].is_null() {
                            resource["properties"][list] = Value::Array(Vec::new());
                        }
                    }
                    estate.push(resource);
                }
            }
        }
    }
    estate
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Probe {
    /// Whether nothing but network watchers was recorded beside it.
    pub fn is_without_estate(&self) -> bool {
        self.estate.iter().all(|resource| text(&resource["id"]).to_ascii_lowercase().contains("/networkwatchers/"))
    }

    /// The resource of the estate that an id of the recording means: later recordings hide the subscription, in some places only.
    pub fn resource(&self, id: &str) -> String {
        let path = |id: &str| id.split_once("/resourceGroups/").map_or(id, |(_, path)| path).to_ascii_lowercase();
        let found = self.estate.iter().map(|resource| text(&resource["id"])).find(|known| path(known) == path(id));
        found.unwrap_or(id).to_owned()
    }

    /// A resource of the recorded estate.
    pub fn body(&self, id: &str) -> &Value {
        self.estate.iter().find(|resource| text(&resource["id"]) == id).unwrap_or(&Value::Null)
    }

    /// What the command answers as JSON; the message where it cannot.
    pub fn ask(&self, verb: &[&str], options: &[&str]) -> Result<Value, String> {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("estate.json"), Value::Array(self.estate.clone()).to_string()).unwrap();
        let file = folder.path().join("estate.json").display().to_string();
        let args: Vec<&str> = [verb, &[&file, "--format", "json"], options].concat();
        let said = watertight(folder.path(), &args, "");
        match serde_json::from_str(&said.out) {
            Ok(document) if said.code == 0 => Ok(document),
            _ => Err(said.err.lines().find(|line| line.starts_with("error")).unwrap_or("no answer").to_owned()),
        }
    }
}

/// The text of a value; empty for anything else.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The items of a value; none for anything else.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The last segment of an id, in lower case.
pub fn name(id: &str) -> String {
    id.rsplit('/').next().unwrap_or_default().to_ascii_lowercase()
}
