//! `watertight exfil`: where data can leave.

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
    let rows = opened.exfil(&Ask { from, to, traffic: Set::ALL, paths: true, workers: estate::workers(global) });
    drop(progress);
    let look = console.look;
    console.result(global, |out| listing::write("exfil", &rows, &listing::gaps(&opened.index), shape, &names, look, out))?;
    Ok(Outcome::Well)
}
