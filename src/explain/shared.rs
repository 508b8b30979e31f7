//! Work that is shared out over threads, each with what it keeps for itself; that never shows in what is found.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What is left to do: each place is handed out once.
pub struct Places {
    next: AtomicUsize,
    count: usize,
}

impl Places {
    /// The places that whoever asks is to look at, as long as there are any.
    pub fn each(&self) -> impl Iterator<Item = usize> + '_ {
        std::iter::from_fn(|| Some(self.next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < self.count))
    }
}

/// What was found, with its place.
pub type Found<T> = Vec<(usize, T)>;

/// What is found at each of `count` places, in their order: `mine` looks on the thread that asks, `theirs` on the other `workers`.
pub fn shared<T: Send>(
    count: usize,
    workers: NonZeroUsize,
    mine: impl FnOnce(&Places) -> Found<T>,
    theirs: impl Fn(&Places) -> Found<T> + Sync,
) -> Vec<T> {
    let places = Places { next: AtomicUsize::new(0), count };
    let mut found = thread::scope(|scope| {
        let threads = workers.get().min(count).max(1);
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| theirs(&places))).collect();
        let mut found = mine(&places);
        found.extend(others.into_iter().flat_map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic))));
        found
    });
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, found)| found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_looked_at_once_and_found_in_its_order() {
        for (count, workers) in [(0, 4), (1, 4), (1000, 1), (1000, 4)] {
            let look = |places: &Places| places.each().map(|at| (at, at * 2)).collect();
            let found = shared(count, NonZeroUsize::new(workers).expect("some"), look, look);
            assert_eq!(found, (0..count).map(|at| at * 2).collect::<Vec<_>>());
        }
    }
}
