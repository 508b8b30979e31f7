//! Estates for the benches: no chance but from fixed seeds, so that every run sees the same facts.

use std::sync::Arc;

use watertight::facts::Fact;
use watertight::facts::estate::Estate;
use watertight::facts::network::{Access, NsgRule};
use watertight::facts::platform::Platform;
use watertight::ingest::{Input, read};

use crate::exports;

/// An estate to run at every size.
pub struct Kind {
    /// What the figures are called by.
    pub name: &'static str,
    /// Its export, by subnets or endpoints.
    pub export: fn(u32) -> Vec<u8>,
    /// The kind of edit that stands for the estate among the figures that are kept.
    pub edit: &'static str,
}

/// The three of them.
pub const KINDS: [Kind; 3] = [
    Kind { name: "hub-spoke", export: exports::hub_spoke, edit: "one security rule" },
    Kind { name: "rich", export: exports::rich, edit: "one firewall collection" },
    Kind { name: "private", export: exports::private, edit: "one consent, as both sides see it" },
];

/// The sizes every bench runs at, in subnets (`private`: endpoints). `WATERTIGHT_BENCH_SUBNETS=10000` adds one.
pub fn sizes() -> Vec<u32> {
    let more = std::env::var("WATERTIGHT_BENCH_SUBNETS").ok().and_then(|n| n.parse().ok());
    [100, 1_000].into_iter().chain(more.filter(|n| ![100, 1_000].contains(n))).collect()
}

impl Kind {
    /// The facts of the estate at a size.
    pub fn facts(&self, size: u32) -> Vec<Fact> {
        let loaded = read(vec![Input { name: "generated".to_owned(), bytes: (self.export)(size) }]);
        let (estate, _) = Estate::from_loaded(loaded);
        let mut facts: Vec<Fact> = estate.facts().collect();
        facts.sort_unstable();
        facts
    }
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
