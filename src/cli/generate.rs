//! `watertight generate`: a synthetic estate.

use std::io;

use crate::cli::args::{GenerateArgs, Global};
use crate::cli::{Console, Fail, Outcome};
use crate::generate::{self, Options, Shape};

/// Writes the estate as Resource Graph would print it.
///
/// # Errors
/// The shape is not known, or so many subnets do not fit.
pub fn run(args: &GenerateArgs, global: &Global, console: &mut Console) -> Result<Outcome, Fail> {
    let Some(shape) = Shape::parse(&args.shape) else {
        let words = Shape::ALL.map(Shape::as_str).join(", ");
        return Err(Fail::new("cli::shape", format!("`{}` is no shape of an estate", args.shape)).help(format!("shapes are {words}")));
    };
    let options = Options { subnets: args.subnets, seed: args.seed, shape };
    let mut too_many = None;
    console.result(global, |mut out| match generate::write(&options, &mut out) {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            too_many = Some(error.to_string());
            Ok(())
        }
        done => done,
    })?;
    too_many.map_or(Ok(Outcome::Well), |why| Err(Fail::new("cli::subnets", why)))
}
