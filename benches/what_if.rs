//! One security rule flips in the live session, beside the same estate from nothing; both in one run, so that their ratio counts.

use crate::estate;
use criterion::{BenchmarkId, Criterion, criterion_group};
use watertight::engine::live::Session;
use watertight::facts::Fact;

fn what_if(criterion: &mut Criterion) {
    let platform = estate::platform();
    let mut group = criterion.benchmark_group("what_if");
    group.sample_size(10);
    for subnets in estate::sizes() {
        let facts = estate::facts(subnets);
        let rules: Vec<_> = facts.iter().filter_map(|fact| if let Fact::NsgRule(rule) = fact { Some(*rule) } else { None }).collect();
        let mut session = Session::load(facts.iter().copied(), &platform, 1).expect("a session");
        let mut at = 0;
        group.bench_function(BenchmarkId::new("rule flips and flips back", subnets), |bencher| {
            bencher.iter(|| {
                at = (at + 7919) % rules.len();
                let (old, new) = (Fact::NsgRule(rules[at]), Fact::NsgRule(estate::flipped(rules[at])));
                session.edit([new], [old]).expect("an edit");
                session.edit([old], [new]).expect("an edit");
            });
        });
        group.bench_function(BenchmarkId::new("from nothing", subnets), |bencher| {
            bencher.iter(|| Session::load(facts.iter().copied(), &platform, 1).expect("a session"));
        });
        let fresh = Session::load(facts.iter().copied(), &platform, 1).expect("a session");
        assert_eq!(session.rows(), fresh.rows(), "the edits left what a load from nothing settles");
    }
    group.finish();
}

criterion_group!(benches, what_if);
