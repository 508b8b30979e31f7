//! What can stand on the command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};

use crate::explain::way::Mode;
use crate::model::Proto;

/// Proves what can reach what in an Azure estate, and where data can leave it
///
/// watertight reads what `az`, Resource Graph, Terraform or Bicep print. It never talks to Azure and needs no credentials.
#[derive(Debug, Parser)]
#[command(name = "watertight", version, propagate_version = true, max_term_width = 100, after_help = EXAMPLES)]
pub struct Args {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  az graph query -q Resources -o json > estate.json
  watertight reach estate.json --from internet
  watertight explain estate.json --from vm:web01 --to storage:corpdata/blob --port 443
  watertight exfil estate.json --from label:sensitive --to external:storage
  watertight whatif estate.json --change change.json

Exit codes: 0 all well; 1 a violation, a failed expectation or an unapproved snapshot; 2 the command or its input
could not be used.";

const SELECTORS: &str = "\
Selectors: a resource id, a unique name, or vm:web01, vmss:pool, nic:web01-nic, subnet:hub/web, vnet:hub, pe:blob-pe, \
storage:corpdata/blob, sql:srv1, keyvault:kv1, ip:10.1.2.4, onprem:hq, internet, internet:203.0.113.7, \
fqdn:corpdata.blob.core.windows.net, label:pci, tag:env=prod, external:storage. Globs work in names.";

/// Options of every command.
#[derive(Debug, clap::Args)]
pub struct Global {
    /// How to print the result
    #[arg(long, global = true, value_name = "FORMAT", help_heading = "Global options")]
    pub format: Option<Format>,
    /// Write the result to this file (`facts`: to this folder) instead of standard output
    #[arg(short, long, global = true, value_name = "PATH", help_heading = "Global options")]
    pub output: Option<PathBuf>,
    /// Threads to work with [default: one a processor]
    #[arg(long, global = true, value_name = "N", help_heading = "Global options")]
    pub workers: Option<NonZeroUsize>,
    /// Microsoft's ServiceTags_Public JSON, instead of the built-in list
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub service_tags: Option<PathBuf>,
    /// Whatever cannot be read of the input is a failure
    #[arg(long, global = true, help_heading = "Global options")]
    pub strict: bool,
    /// Print errors only, no warnings and no progress
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub quiet: bool,
    /// When to colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Global options")]
    pub color: Colour,
}

/// The formats; a command says which of them it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names are the formats")]
pub enum Format {
    Text,
    Json,
    Ndjson,
    Csv,
    Markdown,
    Sarif,
    Junit,
    Mermaid,
    Dot,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Colour {
    Auto,
    Always,
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Compile to facts, one tab-separated file a relation, with a schema
    Facts(FactsArgs),
    /// Who can reach what, by which path
    #[command(after_help = SELECTORS)]
    Reach(ReachArgs),
    /// Exfiltration paths, shortest first, each with its hops
    #[command(after_help = SELECTORS)]
    Exfil(ExfilArgs),
    /// Why a flow gets through, hop by hop, or why not
    #[command(after_help = SELECTORS)]
    Explain(ExplainArgs),
    /// Bulk expectations: each flow is allowed, denied or unproven, and passes or fails
    #[command(after_help = SELECTORS)]
    Check(CheckArgs),
    /// The routes, rules or names that hold at one place, in Azure's own shapes
    #[command(after_help = SELECTORS)]
    Effective(EffectiveArgs),
    /// Misconfigurations, each with what to do about it
    Lint(LintArgs),
    /// Compliance: all checks, a report, an exit code
    ///
    /// Exit code 1 on any finding, also an unproven one: what must not be is then not shown to be absent. With --snapshot only on what
    /// differs from the approved findings.
    Verify(VerifyArgs),
    /// Approve the pending snapshot
    Accept(AcceptArgs),
    /// What a change adds and removes
    Whatif(WhatifArgs),
    /// What differs between two estates
    Diff(DiffArgs),
    /// A synthetic estate, to try scale
    Generate(GenerateArgs),
    /// Every relation, its columns and what it means
    Schema,
    /// Completions for a shell, on standard output
    Completions(CompletionsArgs),
}

/// The inputs of a command.
#[derive(Debug, clap::Args)]
pub struct Inputs {
    /// Files, folders or `-` for standard input: Resource Graph, ARM, Terraform or facts
    ///
    /// `watertight.toml` is looked for in the current folder and above; where there is none, in the folders given here.
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
}

/// Options of `facts`.
#[derive(Debug, clap::Args)]
#[expect(missing_docs, reason = "the help texts stand on the fields of `Inputs`")]
pub struct FactsArgs {
    #[command(flatten)]
    pub inputs: Inputs,
}

/// Options of `reach`.
#[derive(Debug, clap::Args)]
pub struct ReachArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the help text stands in `Inputs`")]
    pub inputs: Inputs,
    /// Only from here
    #[arg(long, value_name = "SELECTOR")]
    pub from: Option<String>,
    /// Only to there
    #[arg(long, value_name = "SELECTOR")]
    pub to: Option<String>,
    /// Only this protocol: tcp, udp, icmp, esp, ah
    #[arg(long, value_parser = proto)]
    pub proto: Option<Proto>,
    /// Only this destination port
    #[arg(long)]
    pub port: Option<u16>,
    /// Show the hops of each way
    #[arg(long)]
    pub paths: bool,
}

/// Options of `exfil`.
#[derive(Debug, clap::Args)]
pub struct ExfilArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the help text stands in `Inputs`")]
    pub inputs: Inputs,
    /// Only from here
    #[arg(long, value_name = "SELECTOR")]
    pub from: Option<String>,
    /// Only to there; without it any way across the boundary
    #[arg(long, value_name = "SELECTOR")]
    pub to: Option<String>,
}

/// Options of `explain`.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the help text stands in `Inputs`")]
    pub inputs: Inputs,
    /// Where the flow starts
    #[arg(long, value_name = "SELECTOR")]
    pub from: String,
    /// Where the flow goes
    #[arg(long, value_name = "SELECTOR")]
    pub to: String,
    /// tcp, udp, icmp, esp or ah
    #[arg(long, value_parser = proto, default_value = "tcp")]
    pub proto: Proto,
    /// The destination port [default: the store's own, else any]
    #[arg(long)]
    pub port: Option<u16>,
    /// The source port
    #[arg(long)]
    pub src_port: Option<u16>,
    /// Whether the client obeys DNS (configured) or dials any address with any name (adversarial)
    #[arg(long, value_parser = mode)]
    pub mode: Option<Mode>,
    /// Whether TCP needs its way back
    #[arg(long, action = ArgAction::Set, value_name = "BOOL")]
    pub session: Option<bool>,
}

/// Options of `check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the help text stands in `Inputs`")]
    pub inputs: Inputs,
    /// NDJSON, one flow a line; `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub flows: PathBuf,
}

/// What `effective` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum What {
    Routes,
    Rules,
    Dns,
}

/// Options of `effective`.
#[derive(Debug, clap::Args)]
pub struct EffectiveArgs {
    /// What to show
    pub what: What,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the help text stands in `Inputs`")]
    pub inputs: Inputs,
    /// The interface, machine, subnet or network to look from
    #[arg(long, value_name = "SELECTOR")]
    pub at: String,
    /// Routes: also which of them are chosen for this address
    #[arg(long, value_name = "IP")]
    pub dst: Option<std::net::IpAddr>,
    /// DNS: the name to resolve
    #[arg(long, value_name = "FQDN")]
    pub name: Option<String>,
}

/// Options of `verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the help text stands in `Inputs`")]
    pub inputs: Inputs,
    /// A folder of checks, added to the shipped ones
    #[arg(long, value_name = "DIR")]
    pub queries: Option<PathBuf>,
    /// Compare with the approved findings in this folder
    #[arg(long, value_name = "DIR")]
    pub snapshot: Option<PathBuf>,
}

/// Options of `lint`.
#[derive(Debug, clap::Args)]
#[expect(missing_docs, reason = "the help texts stand on the fields of `Inputs`")]
pub struct LintArgs {
    #[command(flatten)]
    pub inputs: Inputs,
}

/// Options of `accept`.
#[derive(Debug, clap::Args)]
pub struct AcceptArgs {
    /// The folder that `verify` compared with
    #[arg(long, value_name = "DIR")]
    pub snapshot: PathBuf,
}

/// Options of `whatif`.
#[derive(Debug, clap::Args)]
pub struct WhatifArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the help text stands in `Inputs`")]
    pub inputs: Inputs,
    /// JSON arrays of whole resources and of `{"id": …, "deleted": true}`, applied in this order
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub change: Vec<PathBuf>,
}

/// Options of `diff`.
#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// A file or folder: how it was
    pub old: PathBuf,
    /// A file or folder: how it is
    pub new: PathBuf,
}

/// Options of `generate`.
#[derive(Debug, clap::Args)]
pub struct GenerateArgs {
    /// Subnets for workloads; those of hubs come on top
    #[arg(long, value_name = "N")]
    pub subnets: usize,
    /// Another seed, another estate
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// How the networks hang together: hub-spoke, flat or mesh
    #[arg(long, default_value = "hub-spoke")]
    pub shape: String,
}

/// Options of `completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

fn proto(text: &str) -> Result<Proto, String> {
    Proto::parse(text).ok_or_else(|| "expected tcp, udp, icmp, esp or ah".to_owned())
}

fn mode(text: &str) -> Result<Mode, String> {
    match text {
        "configured" => Ok(Mode::Configured),
        "adversarial" => Ok(Mode::Adversarial),
        _ => Err("expected configured or adversarial".to_owned()),
    }
}
