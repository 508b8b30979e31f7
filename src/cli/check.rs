//! `watertight check`: many flows, an answer each, in their order.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use crate::cli::args::{CheckArgs, Format, Global};
use crate::cli::console::no_format;
use crate::cli::estate::{self, Opened};
use crate::cli::flows::{Question, Resolver};
use crate::cli::{Console, Fail, Outcome};
use crate::config::Names;
use crate::explain::world::World;
use crate::report::answer::AnswerRow;
use crate::report::listing::{self, to_json};
use crate::report::text::{self, Look};

/// Prints the answers.
///
/// # Errors
/// The input or the file of flows cannot be used. A single flow that cannot be evaluated is an answer and exit code 2.
pub fn run(args: &CheckArgs, global: &Global, console: &mut Console) -> Result<Outcome, Fail> {
    let format = global.format.unwrap_or(Format::Ndjson);
    if matches!(format, Format::Sarif | Format::Mermaid | Format::Dot) {
        return Err(no_format("check", format, "ndjson, json, text, csv, markdown and junit"));
    }
    let from_stdin = args.flows.as_os_str() == "-";
    if from_stdin && args.inputs.inputs.iter().any(|input| input.as_os_str() == "-") {
        return Err(Fail::new("cli::stdin", "the input and the flows cannot both come from standard input"));
    }
    let opened = estate::open(&args.inputs.inputs, global, console)?;
    let lines: Box<dyn Read> = if from_stdin {
        let mut bytes = Vec::new();
        console.stdin.read_to_end(&mut bytes).map_err(|error| Fail::file(Path::new("-"), "read", &error))?;
        Box::new(io::Cursor::new(bytes))
    } else {
        Box::new(File::open(&args.flows).map_err(|error| Fail::file(&args.flows, "read", &error))?)
    };
    let mut printer = Printer { format, rows: Vec::new(), cells: Vec::new(), count: Count::default() };
    let look = console.look;
    console.result(global, |out| {
        answers(&opened, format, estate::workers(global).get(), BufReader::with_capacity(1 << 16, lines), &mut |part| {
            printer.part(part, out)
        })?;
        printer.finish(&opened, look, out)
    })?;
    let count = printer.count;
    console.note(&count.text());
    Ok(if count.errors > 0 {
        Outcome::Unusable
    } else if count.failed > 0 {
        Outcome::Violation
    } else {
        Outcome::Well
    })
}

/// What came out, in numbers.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    flows: usize,
    passed: usize,
    failed: usize,
    errors: usize,
}

impl Count {
    fn add(&mut self, row: &AnswerRow) {
        self.flows += 1;
        match (row.verdict, row.pass) {
            ("error", _) => self.errors += 1,
            (_, Some(true)) => self.passed += 1,
            (_, Some(false)) => self.failed += 1,
            (_, None) => {}
        }
    }

    fn join(&mut self, other: Count) {
        self.flows += other.flows;
        self.passed += other.passed;
        self.failed += other.failed;
        self.errors += other.errors;
    }

    fn text(&self) -> String {
        format!("{}: {} passed, {} failed, {} in error", text::count(self.flows, "flow"), self.passed, self.failed, self.errors)
    }
}

/// Bytes of flows that one thread answers at a time.
const BLOCK: u64 = 1 << 16;
/// Blocks that each thread may be ahead of the output.
const AHEAD: usize = 2;

/// The answers to one block of lines.
#[derive(Default)]
struct Part {
    /// NDJSON as it is printed.
    text: Vec<u8>,
    /// JSON rows.
    rows: Vec<String>,
    /// The cells of the other formats.
    cells: Vec<Vec<String>>,
    count: Count,
}

/// A thread that answers blocks: where they go in, and where its answers come out, in the same order.
type Lane = (SyncSender<Vec<u8>>, Receiver<io::Result<Part>>);

/// Reads blocks of lines, has them answered by up to `workers` threads and gives the answers to `emit` in the order of the lines.
fn answers(
    opened: &Opened,
    format: Format,
    workers: usize,
    mut lines: impl BufRead,
    emit: &mut dyn FnMut(Part) -> io::Result<()>,
) -> io::Result<()> {
    let names = Names::new(&opened.index);
    thread::scope(|scope| {
        let mut lanes: Vec<Lane> = Vec::new();
        let (mut sent, mut received) = (0, 0);
        loop {
            let block = block(&mut lines)?;
            let ended = block.is_empty();
            if !ended {
                if sent == lanes.len() && sent < workers {
                    let (to, blocks) = mpsc::sync_channel::<Vec<u8>>(AHEAD);
                    let (parts, from) = mpsc::channel();
                    let names = &names;
                    scope.spawn(move || {
                        // The evaluation keeps what it compiles, so each thread has a world of its own.
                        let world: World = opened.world();
                        let mut resolver = Resolver::new(names, opened.platform);
                        blocks.iter().all(|block| parts.send(part(&world, &mut resolver, format, &block)).is_ok());
                    });
                    lanes.push((to, from));
                }
                // A lane that is gone has panicked; the scope reports that when it ends.
                if lanes[sent % lanes.len()].0.send(block).is_err() {
                    return Ok(());
                }
                sent += 1;
            }
            while received < sent && (ended || sent - received >= AHEAD * workers) {
                let Ok(part) = lanes[received % lanes.len()].1.recv() else { return Ok(()) };
                emit(part?)?;
                received += 1;
            }
            if ended {
                return Ok(());
            }
        }
    })
}

/// The next whole lines, about [`BLOCK`] bytes of them; empty at the end.
fn block(lines: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut block = Vec::new();
    let mut read = || {
        lines.by_ref().take(BLOCK).read_to_end(&mut block)?;
        if !block.is_empty() && !block.ends_with(b"\n") {
            lines.read_until(b'\n', &mut block)?;
        }
        Ok(())
    };
    read().map_err(|error: io::Error| io::Error::new(io::ErrorKind::InvalidData, format!("cannot read the flows: {error}")))?;
    Ok(block)
}

/// Answers the lines of one block; blank lines are passed over.
fn part(world: &World, resolver: &mut Resolver, format: Format, block: &[u8]) -> io::Result<Part> {
    let mut part = Part::default();
    for line in block.split(|&b| b == b'\n') {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
        if line.is_empty() {
            continue;
        }
        let question = Question::read(line);
        let asked = resolver.flow(&question).and_then(|flow| Ok((flow, resolver.driver(&question)?)));
        let row = match asked.and_then(|(flow, driver)| estate::answer(world, &flow, driver)) {
            Ok(answer) => AnswerRow::new(&question.asked(), &answer),
            Err(why) => AnswerRow::error(&question.asked(), &why),
        };
        part.count.add(&row);
        match format {
            Format::Ndjson => {
                serde_json::to_writer(&mut part.text, &row)?;
                part.text.push(b'\n');
            }
            Format::Json => part.rows.push(to_json(&row)),
            _ => part.cells.push(row.cells()),
        }
    }
    Ok(part)
}

/// Prints NDJSON as it comes and keeps the rows of a format that needs them all.
struct Printer {
    format: Format,
    rows: Vec<String>,
    cells: Vec<Vec<String>>,
    count: Count,
}

impl Printer {
    fn part(&mut self, mut part: Part, out: &mut dyn Write) -> io::Result<()> {
        self.count.join(part.count);
        self.rows.append(&mut part.rows);
        self.cells.append(&mut part.cells);
        out.write_all(&part.text)
    }

    fn finish(&mut self, opened: &Opened, look: Look, out: &mut dyn Write) -> io::Result<()> {
        let gaps = listing::gaps(&opened.index);
        let cells = std::mem::take(&mut self.cells);
        match self.format {
            Format::Ndjson => Ok(()),
            Format::Json => listing::write_json("check", self.rows.drain(..), &gaps, out),
            Format::Csv => listing::csv(AnswerRow::HEADER, &cells, out),
            Format::Markdown => listing::markdown_table(AnswerRow::HEADER, cells, &gaps, out),
            Format::Junit => junit(&cells, out),
            _ => {
                listing::text_table("flows", AnswerRow::HEADER, cells, look, out)?;
                writeln!(out, "\n{}", self.count.text())?;
                listing::text_gaps(&gaps, out)
            }
        }
    }
}

/// JUnit, for pipelines: a test case a flow.
fn junit(rows: &[Vec<String>], out: &mut dyn Write) -> io::Result<()> {
    let bad = |row: &&Vec<String>| row[0] == "fail" || row[1] == "error";
    let failures = rows.iter().filter(bad).count();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuite name=\"watertight check\" tests=\"{}\" failures=\"{failures}\">", rows.len())?;
    for row in rows {
        let name = xml(&format!("{} -> {} {}", row[2], row[3], row[4]));
        if bad(&row) {
            writeln!(out, "  <testcase name=\"{name}\"><failure message=\"{}\">{}</failure></testcase>", xml(&row[1]), xml(&row[6]))?;
        } else {
            writeln!(out, "  <testcase name=\"{name}\"/>")?;
        }
    }
    writeln!(out, "</testsuite>")
}

fn xml(text: &str) -> String {
    let clean = text.chars().filter(|c| !c.is_control()).collect::<String>();
    clean.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
