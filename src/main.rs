//! The `watertight` command: arguments in, exit code out.

use std::io;
use std::process::ExitCode;

use watertight::cli::{Console, run};

/// Arrangements allocate many small batches.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let (mut stdin, mut stdout, mut stderr) = (io::stdin().lock(), io::stdout().lock(), io::stderr());
    let mut console = Console::of_process(&mut stdin, &mut stdout, &mut stderr);
    ExitCode::from(run(std::env::args_os(), &mut console))
}
