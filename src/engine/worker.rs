//! The timely side of a session: one dataflow, one command an epoch, the changes of every epoch sent back.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use differential_dataflow::input::InputSession;
use timely::WorkerConfig;
use timely::communication::Config as Communication;
use timely::dataflow::operators::probe::Handle as Probe;
use timely::worker::Worker;

use crate::facts::Fact;
use crate::facts::platform::Platform;
use crate::rules::derive::derive;
use crate::rules::input::Facts;
use crate::rules::part::{Key, Part, Parts};

/// What a session tells its workers.
#[derive(Clone)]
pub(super) enum Command {
    /// Changes of the facts, one epoch.
    Edit(Arc<Vec<(Fact, isize)>>),
    /// The end.
    Stop,
}

/// Which derived relation a change belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Output {
    /// What may leave members of a class.
    Out,
    /// What may enter them.
    Into,
    /// The class of an address configuration.
    Class,
    /// What leaks from a node.
    Leak,
    /// Whom a store lets in, and what the service endpoints of a subnet cover.
    Access,
}

/// One change of a derived relation.
pub(super) type Change = (Output, Key, Part, isize);

/// The two ends of the channels to the workers.
pub(super) struct Workers {
    pub commands: Vec<Sender<Command>>,
    pub changes: Receiver<Vec<Change>>,
    pub guards: timely::communication::WorkerGuards<()>,
}

/// Starts `count` workers with an empty dataflow.
pub(super) fn start(count: usize, platform: &Arc<Platform>) -> Result<Workers, String> {
    let (commands, receivers): (Vec<_>, Vec<_>) = (0..count).map(|_| channel()).unzip();
    let receivers = Mutex::new(receivers.into_iter().map(Some).collect::<Vec<Option<Receiver<Command>>>>());
    let (changes_in, changes) = channel();
    let changes_in = Mutex::new(changes_in);
    let platform = platform.clone();
    let communication = if count == 1 { Communication::Thread } else { Communication::Process(count) };
    let config = timely::Config { communication, worker: WorkerConfig::default() };
    let guards = timely::execute(config, move |worker| {
        let taken = receivers.lock().expect("no worker panics before it has its channel")[worker.index()].take();
        let changes = changes_in.lock().expect("no worker panics before it has its channel").clone();
        if let Some(commands) = taken {
            run(worker, &commands, &changes, &platform);
        }
    })?;
    Ok(Workers { commands, changes, guards })
}

fn run(worker: &mut Worker, commands: &Receiver<Command>, out: &Sender<Vec<Change>>, platform: &Arc<Platform>) {
    let mut input = InputSession::<u64, Fact, isize>::new();
    let mut probe = Probe::new();
    let seen: Rc<RefCell<Vec<Change>>> = Rc::default();
    worker.dataflow(|scope| {
        let facts = Facts::split(input.to_collection(scope));
        let derived = derive(&facts, platform);
        watch(derived.members, Output::Class, &seen, &mut probe);
        watch(only_rows(derived.out), Output::Out, &seen, &mut probe);
        watch(only_rows(derived.into), Output::Into, &seen, &mut probe);
        watch(derived.leaks, Output::Leak, &seen, &mut probe);
        watch(derived.access, Output::Access, &seen, &mut probe);
    });
    let (index, peers) = (worker.index(), worker.peers());
    let mut epoch = 0;
    while let Ok(Command::Edit(edits)) = commands.recv() {
        // Every worker takes a share of a load; small edits go wherever they fall.
        for (fact, diff) in edits.iter().skip(index).step_by(peers) {
            input.update(*fact, *diff);
        }
        epoch += 1;
        input.advance_to(epoch);
        input.flush();
        worker.step_while(|| probe.less_than(&epoch));
        let mut changes = std::mem::take(&mut *seen.borrow_mut());
        changes.sort_unstable();
        if out.send(changes).is_err() {
            break;
        }
    }
}

fn watch<'s>(parts: Parts<'s, u64>, output: Output, seen: &Rc<RefCell<Vec<Change>>>, probe: &mut Probe<u64>) {
    let seen = seen.clone();
    parts.inspect(move |((key, part), _time, diff)| seen.borrow_mut().push((output, *key, *part, *diff))).probe_with(probe);
}

/// The rows of a side, without what the dataflow alone needs.
fn only_rows(parts: Parts<'_, u64>) -> Parts<'_, u64> {
    parts.filter(|(_, part)| matches!(part, Part::Row { .. }))
}
