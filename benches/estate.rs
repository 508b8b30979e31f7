//! Generated estates for the benches: fixed seeds, so that every run sees the same facts.

use std::sync::Arc;

use watertight::facts::Fact;
use watertight::facts::estate::Estate;
use watertight::facts::network::{Access, NsgRule};
use watertight::facts::platform::Platform;
use watertight::generate::{Options, Shape, write};
use watertight::ingest::{Input, read};

/// The sizes every bench runs at, in subnets. `WATERTIGHT_BENCH_SUBNETS=10000` adds one.
pub fn sizes() -> Vec<u32> {
    let more = std::env::var("WATERTIGHT_BENCH_SUBNETS").ok().and_then(|n| n.parse().ok());
    [100, 1_000].into_iter().chain(more).collect()
}

/// The Resource Graph export of a generated hub-and-spoke estate.
pub fn export(subnets: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let options = Options { subnets: subnets as _, seed: 7, shape: Shape::HubSpoke };
    write(&options, &mut bytes).expect("a generated estate is written to memory");
    bytes
}

/// Its facts.
pub fn facts(subnets: u32) -> Vec<Fact> {
    let loaded = read(vec![Input { name: "generated".to_owned(), bytes: export(subnets) }]);
    let (estate, _) = Estate::from_loaded(loaded);
    let mut facts: Vec<Fact> = estate.facts().collect();
    facts.sort_unstable();
    facts
}

/// What is true of Azure.
pub fn platform() -> Arc<Platform> {
    Arc::new(Platform::builtin().clone())
}

/// The same rule with the other decision.
pub fn flipped(rule: NsgRule) -> NsgRule {
    let access = if rule.access == Access::Allow { Access::Deny } else { Access::Allow };
    NsgRule { access, ..rule }
}

/// The most memory that the process ever held, in megabytes; 0 where the system does not tell.
pub fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0) / 1024
}
