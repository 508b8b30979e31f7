//! `watertight exfil`: where data can leave.

use serde::Serialize;

use crate::cli::args::{ExfilArgs, Global};
use crate::cli::estate::{self, Ask, Opened};
use crate::cli::{Console, Fail, Outcome};
use crate::config::Names;
use crate::model::Set;
use crate::report::listing::{self, Shape};

/// Prints the paths, shortest first.
///
/// # Errors
/// The input or a selector cannot be used.
pub fn run(args: &ExfilArgs, global: &Global, console: &mut Console) -> Result<Outcome, Fail> {
    let shape = global.shape("exfil", Shape::Text)?;
    let opened = estate::open(&args.inputs.inputs, global, console)?;
    let names = Names::new(&opened.index);
    let (from, to) = (Opened::ends(&names, args.from.as_deref())?, Opened::ends(&names, args.to.as_deref())?);
    let progress = console.progress("deriving where data can leave");
    let ask = Ask { from, to, traffic: Set::ALL, paths: true, touching: None, workers: estate::workers(global) };
    let rows = opened.exfil(&ask)?;
    // Whoever asks about one source also wants to know what holds, where nothing leaves.
    let blocked = if matches!(shape, Shape::Json | Shape::Text) { opened.blocked(&ask) } else { Vec::new() };
    drop(progress);
    let look = console.look;
    let gaps = listing::gaps(&opened.index);
    console.result(global, |out| match shape {
        Shape::Json if !blocked.is_empty() => {
            let lists = vec![("rows", json(&rows)), ("blocked", json(&blocked)), ("gaps", json(&gaps))];
            listing::write_json_lists("exfil", lists, out)
        }
        Shape::Text if !blocked.is_empty() => {
            listing::write("exfil", &rows, &[], shape, &names, look, out)?;
            writeln!(out, "\nwhat keeps it inside:")?;
            listing::write("exfil", &blocked, &gaps, shape, &names, look, out)
        }
        _ => listing::write("exfil", &rows, &gaps, shape, &names, look, out),
    })?;
    Ok(Outcome::Well)
}

fn json<T: Serialize>(items: &[T]) -> Vec<String> {
    items.iter().map(listing::to_json).collect()
}
