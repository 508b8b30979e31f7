//! The command line: one file a verb. The only room that reads files by name and prints.
//!
//! `args` is what clap parses, `console` where text goes, `estate` opens the inputs and is the one place that calls the engines.

mod accept;
pub mod args;
mod check;
mod completions;
pub mod console;
mod diff;
mod effective;
pub mod estate;
mod exfil;
mod explain;
mod facts;
pub mod flows;
mod generate;
mod lint;
mod moved;
mod reach;
mod schema;
mod verify;
mod whatif;

use std::ffi::OsString;
use std::io;
use std::path::Path;

use clap::Parser;

use crate::diag::{Diagnostic, Severity};
pub use args::{Args, Verb};
pub use console::Console;

/// What a command that could be carried out found; the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All well: 0.
    Well,
    /// A violation, a failed expectation or an unapproved snapshot: 1.
    Violation,
    /// Part of the input could not be used; everything else was answered: 2.
    Unusable,
}

/// Why a command could not be carried out: exit code 2, but for a reader that went away.
#[derive(Debug)]
pub enum Fail {
    /// Nobody reads the output any more (`| head`): no failure of ours.
    NobodyReads,
    /// What to tell the person.
    Said(Vec<Diagnostic>),
    /// The same, already laid out.
    Text(String),
}

impl Fail {
    /// One message: a lower-case clause without a full stop.
    pub fn new(code: &'static str, message: impl Into<String>) -> Fail {
        Fail::Said(vec![Diagnostic::new(code, Severity::Error, message)])
    }

    /// The same with something to do about it.
    pub fn help(self, help: impl Into<String>) -> Fail {
        match self {
            Fail::Said(mut said) => {
                if let Some(last) = said.last_mut() {
                    last.help = Some(help.into());
                }
                Fail::Said(said)
            }
            fail => fail,
        }
    }

    /// `file` could not be read or written.
    pub fn file(file: &Path, doing: &str, error: &io::Error) -> Fail {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Fail::NobodyReads;
        }
        let message = format!("cannot {doing} `{}`: {}", file.display(), plain(error));
        Fail::Said(vec![Diagnostic::new("cli::file", Severity::Error, message)])
    }
}

/// The error without the number of the operating system.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

impl From<io::Error> for Fail {
    fn from(error: io::Error) -> Fail {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Fail::NobodyReads,
            io::ErrorKind::InvalidData => Fail::new("cli::file", plain(&error)),
            _ => Fail::new("cli::output", format!("cannot write the output: {}", plain(&error))),
        }
    }
}

/// Parses `args` (with the program's name first), carries out the command and gives the exit code: 0, 1 or 2.
pub fn run(args: impl IntoIterator<Item = OsString>, console: &mut Console) -> u8 {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => return console.usage(&error),
    };
    console.obey(&args.global);
    let done = match &args.verb {
        Verb::Facts(verb) => facts::run(verb, &args.global, console),
        Verb::Reach(verb) => reach::run(verb, &args.global, console),
        Verb::Exfil(verb) => exfil::run(verb, &args.global, console),
        Verb::Explain(verb) => explain::run(verb, &args.global, console),
        Verb::Check(verb) => check::run(verb, &args.global, console),
        Verb::Effective(verb) => effective::run(verb, &args.global, console),
        Verb::Lint(verb) => lint::run(verb, &args.global, console),
        Verb::Verify(verb) => verify::run(verb, &args.global, console),
        Verb::Accept(verb) => accept::run(verb, console),
        Verb::Whatif(verb) => whatif::run(verb, &args.global, console),
        Verb::Diff(verb) => diff::run(verb, &args.global, console),
        Verb::Generate(verb) => generate::run(verb, &args.global, console),
        Verb::Schema => schema::run(&args.global, console),
        Verb::Completions(verb) => completions::run(verb, &args.global, console),
    };
    match done {
        Ok(Outcome::Well) | Err(Fail::NobodyReads) => 0,
        Ok(Outcome::Violation) => 1,
        Ok(Outcome::Unusable) => 2,
        Err(Fail::Said(said)) => {
            console.say(&said);
            2
        }
        Err(Fail::Text(text)) => {
            console.error(&text);
            2
        }
    }
}
