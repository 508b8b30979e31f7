//! `watertight check`: many flows, an answer each, in their order.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

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
    let mut count = Count::default();
    let look = console.look;
    console.result(global, |out| {
        let mut printer = Printer::new(format, out);
        let answers = answers(&opened, BufReader::with_capacity(1 << 16, lines), &mut count, &mut |row| printer.row(row));
        answers.and_then(|()| printer.finish(&opened, &count, look))
    })?;
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
#[derive(Debug, Default)]
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

    fn text(&self) -> String {
        format!("{}: {} passed, {} failed, {} in error", text::count(self.flows, "flow"), self.passed, self.failed, self.errors)
    }
}

/// Reads line by line and gives each answer to `emit`; blank lines are passed over.
fn answers(
    opened: &Opened,
    mut lines: impl BufRead,
    count: &mut Count,
    emit: &mut dyn FnMut(&AnswerRow) -> io::Result<()>,
) -> io::Result<()> {
    let names = Names::new(&opened.index);
    let world: World = opened.world();
    let mut resolver = Resolver::new(&names, opened.platform);
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let question = Question::read(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text));
        let row = match resolver.flow(&question) {
            Ok(flow) => AnswerRow::new(&question.asked(), &estate::answer(&world, &flow)),
            Err(why) => AnswerRow::error(&question.asked(), &why),
        };
        count.add(&row);
        emit(&row)?;
    }
}

/// Prints rows as they come, or keeps them for a format that needs them all.
struct Printer<'o> {
    format: Format,
    out: &'o mut dyn Write,
    /// JSON rows, or the cells of the other formats.
    rows: Vec<String>,
    cells: Vec<Vec<String>>,
}

impl<'o> Printer<'o> {
    fn new(format: Format, out: &'o mut dyn Write) -> Printer<'o> {
        Printer { format, out, rows: Vec::new(), cells: Vec::new() }
    }

    fn row(&mut self, row: &AnswerRow) -> io::Result<()> {
        match self.format {
            Format::Ndjson => {
                serde_json::to_writer(&mut *self.out, row)?;
                self.out.write_all(b"\n")?;
            }
            Format::Json => self.rows.push(to_json(row)),
            _ => self.cells.push(row.cells()),
        }
        Ok(())
    }

    fn finish(self, opened: &Opened, count: &Count, look: Look) -> io::Result<()> {
        let gaps = listing::gaps(&opened.index);
        match self.format {
            Format::Ndjson => Ok(()),
            Format::Json => listing::write_json("check", self.rows.into_iter(), &gaps, self.out),
            Format::Csv => listing::csv(AnswerRow::HEADER, &self.cells, self.out),
            Format::Markdown => listing::markdown_table(AnswerRow::HEADER, self.cells, &gaps, self.out),
            Format::Junit => junit(&self.cells, self.out),
            _ => {
                listing::text_table("flows", AnswerRow::HEADER, self.cells, look, self.out)?;
                writeln!(self.out, "\n{}", count.text())?;
                listing::text_gaps(&gaps, self.out)
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
