//! Subnet peering: which subnets take part in a peering, and what it does to the packets of the others (PEER-12).

use std::net::IpAddr;

use crate::explain::packet::{Host, StepExt, short, step};
use crate::explain::walk::tri_span;
use crate::explain::way::{Kind, Step};
use crate::explain::world::World;
use crate::facts::network::Peering;
use crate::model::{Span, Stage, Sym, Tri};
use crate::rules::peering::Peer;

/// Which end of a peering a subnet is at, as its own network sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Near,
    Far,
}

impl World<'_> {
    /// Whether `subnet` takes part in the peering by which its network `vnet` sees `peer`.
    pub fn takes_part(&self, vnet: Sym, peer: &Peer, subnet: Sym) -> Tri {
        self.named_in(vnet, peer, subnet, At::Near)
    }

    /// What both sides of the peering say about a subnet at one of its ends; where they differ nobody knows which is in force.
    fn named_in(&self, vnet: Sym, peer: &Peer, subnet: Sym, at: At) -> Tri {
        let Some(name) = self.index.subnet.one(subnet).map(|row| row.name) else { return Tri::Maybe };
        let says = |row: &Peering, local: bool| {
            let mut names = self.index.peering_subnets.get(row.peering).iter().filter(|named| named.local == local).peekable();
            match names.peek() {
                _ if row.complete => Tri::Yes,
                None => Tri::Maybe,
                Some(_) => Tri::from_bool(names.any(|named| named.name == name)),
            }
        };
        let ours = self.index.peering.get(peer.peering).iter().map(|row| says(row, at == At::Near));
        let theirs = self.index.peerings_by_vnet.get(peer.vnet).iter().filter(|row| row.remote == vnet).map(|row| says(row, at == At::Far));
        let all: Vec<Tri> = ours.chain(theirs).collect();
        match (all.iter().min(), all.iter().max()) {
            (Some(least), Some(most)) if least == most => *least,
            _ => Tri::Maybe,
        }
    }

    /// What the subnets that take part let of a packet from `at` to `to` across the peering: an address of no known subnet is judged where it is
    /// delivered.
    pub fn partial_steps(&self, at: &Host, peer: &Peer, to: IpAddr) -> Vec<Step> {
        if !peer.partial {
            return Vec::new();
        }
        let far = self.subnet_with(peer.vnet, to);
        let ends = std::iter::once((at.subnet, At::Near)).chain(far.map(|subnet| (subnet, At::Far)));
        let mut out = Vec::new();
        for (subnet, end) in ends {
            let named = self.named_in(at.vnet, peer, subnet, end);
            if named.lo() {
                continue;
            }
            let text = match named {
                Tri::No => format!("subnet {} takes no part in the subnet peering with {}", short(subnet), short(peer.vnet)),
                _ => format!("whether subnet {} takes part in the subnet peering with {} is not known", short(subnet), short(peer.vnet)),
            };
            let property = if end == At::Near { "localSubnetNames" } else { "remoteSubnetNames" };
            let refused = step(Stage::Peering, tri_span(named), "peering.5", text).by(peer.peering, property).at_fact(peer.peering);
            out.push(if named.hi() { refused.kind(Kind::Assumption).code("W-MISSING") } else { refused.kind(Kind::Fact) });
        }
        out
    }
}

/// Whether anything passes the link as a whole, as a step; nothing where it surely does.
pub fn whole_step(peer: &Peer, text: String) -> Option<Step> {
    let state = if peer.partial { peer.whole } else { peer.usable };
    (!state.lo()).then(|| {
        let unsure = step(Stage::Peering, Span::UNKNOWN, "peering.1", text);
        unsure.by(peer.peering, "").at_fact(peer.peering).kind(Kind::Assumption).code("W-UNSUPPORTED")
    })
}
