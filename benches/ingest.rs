//! A Resource Graph export to facts.

use crate::{estate, exports};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use watertight::facts::estate::Estate;
use watertight::ingest::{Input, read};

fn ingest(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ingest");
    group.sample_size(10);
    for subnets in estate::sizes() {
        let bytes = exports::hub_spoke(subnets);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(subnets), &bytes, |bencher, bytes| {
            bencher.iter(|| Estate::from_loaded(read(vec![Input { name: "generated".to_owned(), bytes: bytes.clone() }])));
        });
    }
    group.finish();
}

criterion_group!(benches, ingest);
