//! `watertight explain`: one flow, hop by hop.

use crate::cli::args::{ExplainArgs, Global};
use crate::cli::estate;
use crate::cli::flows::{Question, Resolver};
use crate::cli::{Console, Fail, Outcome};
use crate::config::Names;
use crate::explain::redirect;
use crate::report::listing;
use crate::report::proof::Explanation;

/// Prints the answer with its proof.
///
/// # Errors
/// The input or a selector cannot be used.
pub fn run(args: &ExplainArgs, global: &Global, console: &mut Console) -> Result<Outcome, Fail> {
    let json = global.wants_json("explain")?;
    let opened = estate::open(&args.inputs.inputs, global, console)?;
    let names = Names::new(&opened.index);
    let question = Question {
        from: Some(args.from.clone()),
        to: Some(args.to.clone()),
        op: args.op.map(|_| "copy".to_owned()),
        driver: args.driver.clone(),
        proto: Some(args.proto),
        port: args.port,
        src_port: args.src_port,
        mode: args.mode,
        session: args.session,
        ..Question::default()
    };
    if !args.proto.has_ports() && (args.port.is_some() || args.src_port.is_some()) {
        return Err(Fail::new("cli::ports", format!("{} has no ports", args.proto.as_str())));
    }
    if args.op.is_some() != args.driver.is_some() {
        return Err(Fail::new("cli::copy", "`--op copy` and `--driver` belong together: who starts the copy"));
    }
    let mut resolver = Resolver::new(&names, opened.platform);
    let flow = resolver.flow(&question).map_err(|why| Fail::new("cli::selector", why))?;
    let driver = resolver.driver(&question).map_err(|why| Fail::new("cli::selector", why))?;
    let world = opened.world();
    let mut answer = estate::answer(&world, &flow, driver).map_err(|why| Fail::new("cli::copy", why))?;
    redirect::annotate(&world, &flow, &mut answer);
    let gaps = listing::gaps(&opened.index);
    let place = |id| opened.place(id);
    let explanation = Explanation { asked: &question.asked(), flow: &flow, answer: &answer, place: &place, names: &names, gaps: &gaps };
    let look = console.look;
    console.result(global, |out| if json { explanation.json(out) } else { explanation.text(look, out) })?;
    Ok(Outcome::Well)
}
