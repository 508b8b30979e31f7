//! `watertight reach`: who can reach what.

use crate::cli::args::{Global, ReachArgs};
use crate::cli::estate::{self, Ask, Opened};
use crate::cli::{Console, Fail, Outcome};
use crate::config::Names;
use crate::model::Set;
use crate::model::traffic::ANY_PORT;
use crate::report::listing::{self, Shape};

/// Prints the rows.
///
/// # Errors
/// The input or a selector cannot be used.
pub fn run(args: &ReachArgs, global: &Global, console: &mut Console) -> Result<Outcome, Fail> {
    let shape = global.shape("reach", Shape::Text)?;
    let opened = estate::open(&args.inputs.inputs, global, console)?;
    let names = Names::new(&opened.index);
    let ports = args.port.map_or(ANY_PORT, |port| (port, port));
    let traffic = match (args.proto, args.port) {
        (Some(proto), Some(_)) if !proto.has_ports() => return Err(Fail::new("cli::ports", format!("{} has no ports", proto.as_str()))),
        (Some(proto), _) => Set::of(proto, ports, ANY_PORT),
        (None, Some(_)) => {
            [crate::model::Proto::Tcp, crate::model::Proto::Udp].iter().fold(Set::EMPTY, |set, &p| set.or(Set::of(p, ports, ANY_PORT)))
        }
        (None, None) => Set::ALL,
    };
    let (from, to) = (Opened::ends(&names, args.from.as_deref())?, Opened::ends(&names, args.to.as_deref())?);
    let ask = Ask { from, to, traffic, paths: args.paths, touching: None, workers: estate::workers(global) };
    let progress = console.progress("deriving who reaches what");
    let rows = opened.reach(&ask);
    drop(progress);
    let look = console.look;
    console.result(global, |out| listing::write("reach", &rows, &listing::gaps(&opened.index), shape, &names, look, out))?;
    Ok(Outcome::Well)
}
