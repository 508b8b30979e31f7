//! The parts of one storage account: what is written through one is read through another (PE-04, PE-36, X-08).

use crate::engine::edges::{Edge, doubted};
use crate::explain::packet::short;
use crate::explain::way::End;
use crate::explain::world::World;
use crate::facts::store_facts::{Instance, Service};
use crate::model::traffic::ANY_PORT;
use crate::model::{Proto, Set, Span, Via};

/// Parts that show the same objects: directories, blobs, and the blobs of a static website.
const SAME_OBJECTS: [&str; 3] = ["blob", "dfs", "web"];

/// What gets from one part of an account to another without anybody's flow.
pub(super) fn shared(world: &World<'_>, from: End, to: End) -> Option<Edge> {
    let (End::Store(account, part, instance), End::Store(other, second, copy)) = (from, to) else { return None };
    if account != other || world.index.store.one(account).is_none_or(|row| row.service != Service::Storage) {
        return None;
    }
    let by_itself = Edge {
        span: Span::exactly(Set::of(Proto::Tcp, (443, 443), ANY_PORT)),
        sure_via: Via::Public,
        may_via: Via::Public,
        assumptions: Vec::new(),
    };
    if part == second {
        return (instance == Instance::Primary && copy == Instance::Secondary).then_some(by_itself);
    }
    let same = [part, second].iter().all(|part| SAME_OBJECTS.contains(&part.as_str()));
    let text = || format!("whether {} shows the same objects at `{part}` and at `{second}` is not known", short(account));
    (same && instance == copy).then(|| doubted(by_itself, "W-UNSUPPORTED", account, text()))
}
