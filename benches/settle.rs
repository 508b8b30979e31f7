//! From facts to everything the live session derives, from nothing.

use crate::estate;
use criterion::{BenchmarkId, Criterion, criterion_group};
use watertight::engine::live::Session;

fn settle(criterion: &mut Criterion) {
    let platform = estate::platform();
    let mut group = criterion.benchmark_group("settle");
    group.sample_size(10);
    for kind in estate::KINDS {
        for size in estate::sizes() {
            let facts = kind.facts(size);
            group.bench_with_input(BenchmarkId::new(kind.name, size), &facts, |bencher, facts| {
                bencher.iter(|| Session::load(facts.iter().copied(), &platform, 1).expect("a session"));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, settle);
