//! Where text goes: results to standard output or a file, everything else to standard error.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressDrawTarget};

use crate::cli::Fail;
use crate::cli::args::{Colour, Format, Global};
use crate::diag::{Diagnostic, Severity};
use crate::report::listing::Shape;
use crate::report::text::Look;

/// The three streams and what is known of them.
pub struct Console<'a> {
    /// Standard input.
    pub stdin: &'a mut (dyn Read + 'a),
    /// Standard output.
    pub stdout: &'a mut (dyn Write + 'a),
    /// Standard error.
    pub stderr: &'a mut (dyn Write + 'a),
    /// How text on standard output looks.
    pub look: Look,
    /// Whether a person watches standard error.
    pub watched: bool,
    /// The folder that `watertight.toml` is looked for in, and above.
    pub folder: PathBuf,
    /// Whether only errors are said.
    pub quiet: bool,
    /// Whether messages are coloured.
    pub colour_messages: bool,
}

impl<'a> Console<'a> {
    /// The streams of the process.
    pub fn of_process(stdin: &'a mut dyn Read, stdout: &'a mut dyn Write, stderr: &'a mut dyn Write) -> Console<'a> {
        let terminal = io::stdout().is_terminal();
        let width = terminal.then(columns);
        let watched = io::stderr().is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Console {
            stdin,
            stdout,
            stderr,
            look: Look { width, colour: terminal && !plain },
            watched,
            folder: std::env::current_dir().unwrap_or_default(),
            quiet: false,
            colour_messages: watched && !plain,
        }
    }

    /// Streams of a test or of another program: nobody watches, `folder` is the current one.
    pub fn piped(stdin: &'a mut dyn Read, stdout: &'a mut dyn Write, stderr: &'a mut dyn Write, folder: PathBuf) -> Console<'a> {
        Console { stdin, stdout, stderr, look: Look::default(), watched: false, folder, quiet: false, colour_messages: false }
    }

    /// Takes the person's wishes into account.
    pub fn obey(&mut self, global: &Global) {
        self.quiet = global.quiet;
        if global.output.is_some() {
            self.look = Look::default();
        }
        match global.color {
            Colour::Auto => {}
            Colour::Always => (self.look.colour, self.colour_messages) = (true, true),
            Colour::Never => (self.look.colour, self.colour_messages) = (false, false),
        }
    }

    /// Help, the version, or what is wrong with the arguments; the exit code.
    pub fn usage(&mut self, error: &clap::Error) -> u8 {
        let text = error.render();
        let colour = if error.use_stderr() { self.colour_messages } else { self.look.colour };
        let text = if colour { text.ansi().to_string() } else { text.to_string() };
        // Nobody is left to hear of a failure to print it.
        let _ = if error.use_stderr() { self.stderr.write_all(text.as_bytes()) } else { self.stdout.write_all(text.as_bytes()) };
        u8::try_from(error.exit_code()).unwrap_or(2)
    }

    /// Prints diagnostics; only errors where the person wants quiet.
    pub fn say(&mut self, diagnostics: &[Diagnostic]) {
        for diagnostic in diagnostics.iter().filter(|d| !self.quiet || d.severity == Severity::Error) {
            let _ = self.stderr.write_all(diagnostic.render(self.colour_messages).as_bytes());
        }
    }

    /// Prints what is already laid out.
    pub fn error(&mut self, text: &str) {
        let _ = writeln!(self.stderr, "{}", text.trim_end());
    }

    /// A note for a person, not part of the result.
    pub fn note(&mut self, text: &str) {
        if !self.quiet {
            let _ = writeln!(self.stderr, "{text}");
        }
    }

    /// A spinner that says what is being done; silent where nobody watches. It goes away with the value.
    pub fn progress(&self, doing: &'static str) -> Progress {
        let target = if self.watched && !self.quiet { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_message(doing);
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Progress(bar)
    }

    /// Calls `write` with where the result goes.
    ///
    /// # Errors
    /// The file of `--output` cannot be written, or nobody reads standard output.
    pub fn result(&mut self, global: &Global, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Fail> {
        match &global.output {
            None => {
                let mut out = BufWriter::with_capacity(1 << 16, &mut *self.stdout);
                write(&mut out)?;
                out.flush()?;
            }
            Some(path) => {
                let fail = |error: &io::Error| Fail::file(path, "write", error);
                let mut out = BufWriter::with_capacity(1 << 16, File::create(path).map_err(|e| fail(&e))?);
                write(&mut out).and_then(|()| out.flush()).map_err(|e| fail(&e))?;
            }
        }
        Ok(())
    }
}

/// A spinner on standard error, removed when dropped.
pub struct Progress(ProgressBar);

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// The width of the terminal: what the shell says, else what the terminal says.
fn columns() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    told.or_else(|| terminal_size::terminal_size().map(|(width, _)| width.0.into())).unwrap_or(100)
}

impl Global {
    /// The shape of a listing, `default` where the person did not say.
    ///
    /// # Errors
    /// The command has no such format.
    pub fn shape(&self, command: &str, default: Shape) -> Result<Shape, Fail> {
        match self.format {
            None => Ok(default),
            Some(Format::Text) => Ok(Shape::Text),
            Some(Format::Json) => Ok(Shape::Json),
            Some(Format::Ndjson) => Ok(Shape::Ndjson),
            Some(Format::Csv) => Ok(Shape::Csv),
            Some(Format::Markdown) => Ok(Shape::Markdown),
            Some(other) => Err(no_format(command, other, "text, json, ndjson, csv and markdown")),
        }
    }

    /// Whether JSON is wanted, of a command that has text and JSON.
    ///
    /// # Errors
    /// The command has no such format.
    pub fn wants_json(&self, command: &str) -> Result<bool, Fail> {
        match self.format {
            None | Some(Format::Text) => Ok(false),
            Some(Format::Json) => Ok(true),
            Some(other) => Err(no_format(command, other, "text and json")),
        }
    }
}

/// The command cannot print this format.
pub fn no_format(command: &str, format: Format, has: &str) -> Fail {
    let word = format!("{format:?}").to_lowercase();
    Fail::new("cli::format", format!("`{command}` has no format `{word}`")).help(format!("it has {has}"))
}
