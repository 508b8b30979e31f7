//! Whole runs of the released binary on the exports of all three estates: `cargo bench --bench whole`.
//!
//! Each line is one process: how long it took from start to end, the most memory it held, and both against the run of the same command on the next
//! smaller export of the same estate, beside how much larger that export is. `WATERTIGHT_BENCH_SUBNETS=10000` adds a size, `WATERTIGHT_BENCH_SECONDS=60`
//! ends every command after a minute (by default after ten); words after `--` choose estates and commands: `cargo bench --bench whole -- private exfil`.
//!
//! The memory of `private` must grow by what its export grows by: were it kept as endpoints × subnets, twice the estate would need four times as much. Where
//! it does, the run ends with a failure.

#![allow(missing_docs, reason = "a program has no items to read about")]

mod exports;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_watertight");
const VERBS: [&str; 4] = ["facts", "verify", "exfil", "lint"];
/// How often the memory of a process is read. The system keeps the maximum, so that only what is taken in its very last moment is missed.
const LOOK: Duration = Duration::from_millis(2);

/// One export, written to a file.
struct Export {
    estate: &'static str,
    size: u32,
    bytes: u64,
    path: String,
}

/// What one process took; memory in kilobytes, 0 where the system does not tell.
#[derive(Clone, Copy)]
struct Cost {
    seconds: f64,
    memory: u64,
}

fn main() -> ExitCode {
    // `cargo bench` adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let exports = exports(folder.path(), &words);
    println!("| estate | size | export | command | time | peak memory | export grows | time grows | memory grows |");
    println!("|---|--:|--:|---|--:|--:|--:|--:|--:|");
    let mut well = true;
    for verb in chosen(&VERBS, &words) {
        let mut before: Option<(&Export, Cost)> = None;
        for export in &exports {
            before = before.filter(|(smaller, _)| smaller.estate == export.estate);
            let cost = run(verb, export, folder.path());
            let ratios = before.zip(cost).map(|((smaller, less), more)| {
                let size = export.bytes as f64 / smaller.bytes as f64;
                (size, more.seconds / less.seconds, more.memory as f64 / less.memory.max(1) as f64)
            });
            println!("{}", line(export, verb, cost, ratios));
            // Between what is added (as much as the export) and its square.
            let too_much = ratios.is_some_and(|(size, _, memory)| memory > size.powf(1.5));
            if export.estate == "private" && too_much {
                eprintln!("the memory of `{verb}` on `private` grows faster than what is added to the estate");
                well = false;
            }
            before = cost.map(|cost| (export, cost));
        }
    }
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Those that the words name, or all where they name none.
fn chosen<'a>(all: &[&'a str], words: &[String]) -> Vec<&'a str> {
    let named: Vec<&str> = all.iter().filter(|name| words.iter().any(|word| word == *name)).copied().collect();
    if named.is_empty() { all.to_vec() } else { named }
}

/// Writes the exports, each estate from small to large.
fn exports(folder: &Path, words: &[String]) -> Vec<Export> {
    let more: Option<u32> = std::env::var("WATERTIGHT_BENCH_SUBNETS").ok().and_then(|n| n.parse().ok());
    let mut exports = Vec::new();
    for estate in chosen(&["hub-spoke", "rich", "private"], words) {
        let sizes: &[u32] = if estate == "private" { &[100, 500, 1_000] } else { &[100, 1_000] };
        for size in sizes.iter().copied().chain(more) {
            let bytes = match estate {
                "hub-spoke" => exports::hub_spoke(size),
                "rich" => exports::rich(size),
                _ => exports::private(size),
            };
            let path = folder.join(format!("{estate}-{size}.json"));
            fs::write(&path, &bytes).expect("the temporary folder takes the exports");
            exports.push(Export { estate, size, bytes: bytes.len() as u64, path: path.display().to_string() });
        }
    }
    exports
}

/// One run; `None` where it did not end in time.
///
/// # Panics
/// Where the command does not understand its input: there is nothing to measure then.
fn run(verb: &str, export: &Export, folder: &Path) -> Option<Cost> {
    let out = folder.join(format!("{verb}-{}-{}", export.estate, export.size));
    let mut command = Command::new(BINARY);
    command.args([verb, &export.path, "--quiet", "--strict", "-o"]).arg(&out);
    if verb != "facts" {
        command.args(["--format", "json"]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn().expect("the binary that cargo built");
    let memory = watch(&mut child, start)?;
    let seconds = start.elapsed().as_secs_f64();
    let code = child.wait().expect("a process of ours").code();
    // 1 is the answer that something is found.
    assert!(matches!(code, Some(0 | 1)), "`{verb}` on {} ended with {code:?}", export.path);
    let answered = if out.is_dir() {
        out.read_dir().is_ok_and(|mut files| files.next().is_some())
    } else {
        out.metadata().is_ok_and(|file| file.len() > 2)
    };
    assert!(answered, "`{verb}` on {} wrote nothing", export.path);
    Some(Cost { seconds, memory })
}

/// Waits for the process and returns its peak memory; `None` where its time is up.
fn watch(child: &mut Child, start: Instant) -> Option<u64> {
    let seconds = std::env::var("WATERTIGHT_BENCH_SECONDS").ok().and_then(|n| n.parse().ok()).unwrap_or(600);
    let mut memory = 0;
    while child.try_wait().expect("a process of ours").is_none() {
        if start.elapsed() > Duration::from_secs(seconds) {
            child.kill().and_then(|()| child.wait()).expect("a process of ours ends");
            return None;
        }
        memory = peak(child.id()).unwrap_or(0).max(memory);
        std::thread::sleep(LOOK);
    }
    Some(memory)
}

/// The most memory that a live process ever held, in kilobytes.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find(|line| line.starts_with("VmHWM"))?.split_whitespace().nth(1)?.parse().ok()
}

fn line(export: &Export, verb: &str, cost: Option<Cost>, ratios: Option<(f64, f64, f64)>) -> String {
    let Export { estate, size, bytes, .. } = export;
    let taken = match cost {
        Some(Cost { seconds, memory }) => format!("{seconds:.2} s | {:.1} MB", memory as f64 / 1024.0),
        None => "not in time | –".to_owned(),
    };
    let grows = match ratios {
        Some((size, time, memory)) => format!("× {size:.2} | × {time:.2} | × {memory:.2}"),
        None => "| |".to_owned(),
    };
    format!("| {estate} | {size} | {:.1} MB | {verb} | {taken} | {grows} |", *bytes as f64 / 1e6)
}
