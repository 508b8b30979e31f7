//! Work on parts of a list at the same time, with the results in the order of the list.

use std::num::NonZero;
use std::thread;

/// More threads than this wait for each other at the table of names.
const MOST: usize = 4;

/// Cuts `items` into parts, at most one a processor, and calls `work` with the index of the first item of a part and the part. A panic in `work` goes on in
/// the caller.
pub(crate) fn spread<T: Sync, R: Send>(items: &[T], work: impl Fn(usize, &[T]) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MOST);
    let length = items.len().div_ceil(threads).max(1);
    if items.len() <= length {
        return vec![work(0, items)];
    }
    let work = &work;
    thread::scope(|scope| {
        let parts: Vec<_> =
            (0..).step_by(length).zip(items.chunks(length)).map(|(first, part)| scope.spawn(move || work(first, part))).collect();
        parts.into_iter().map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn parts_come_back_in_order() {
        for n in [0, 1, 2, 7, 100] {
            let items: Vec<usize> = (0..n).collect();
            let parts = spread(&items, |first, part| {
                assert!(part.first().is_none_or(|item| *item == first));
                part.to_vec()
            });
            assert_eq!(parts.concat(), items);
        }
    }
}
