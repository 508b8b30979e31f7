//! Route tables and their routes.

use serde_json::Value;

use crate::facts::extract::nsg::selector;
use crate::facts::extract::out::{Out, get};
use crate::facts::network::{HopKind, Route, RouteBgpOverride, RouteTable};
use crate::facts::selector::UNKNOWN_TAG;
use crate::facts::selector::{Selector, Selectors};
use crate::model::Sym;

/// `microsoft.network/routetables`.
pub(super) fn table<'a>(out: &mut Out<'a>, body: &'a Value) {
    let table = out.id();
    let gateway_routes = !out.flag(body, "disableBgpRoutePropagation").unwrap_or(false);
    out.fact(RouteTable { table, gateway_routes });
}

/// `microsoft.network/routetables/routes` (RTE-06, RTE-15).
pub(super) fn route<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (route, table) = (out.id(), out.parent());
    let destination = match out.text(body, "addressPrefix") {
        None => {
            out.gap("`properties.addressPrefix` is missing");
            unknown()
        }
        Some(text) => match (selector(text), get(body, "addressPrefix")) {
            (Some(item), _) => Selectors::new([item]),
            (None, Some(value)) => {
                out.wrong(value, "a prefix or a service tag");
                unknown()
            }
            (None, None) => unknown(),
        },
    };
    let hop = match out.word(body, "nextHopType", HopKind::parse, HopKind::Unknown) {
        Some(hop) => hop,
        None => {
            out.gap("`properties.nextHopType` is missing");
            HopKind::Unknown
        }
    };
    let hop_address = if hop == HopKind::VirtualAppliance { out.address(body, "nextHopIpAddress") } else { None };
    if hop == HopKind::VirtualAppliance && hop_address.is_none() {
        out.gap("the address of the appliance is not known");
    }
    out.fact(Route { route, table, destination, hop, hop_address });
    if let Some(wins) = out.flag(body, "hasBgpOverride") {
        out.fact(RouteBgpOverride { route, table, wins });
    }
}

fn unknown() -> Selectors {
    Selectors::new([Selector::Tag(Sym::new(UNKNOWN_TAG))])
}
