//! Which networks see each other through a peering, and which addresses that covers.

use std::net::IpAddr;

use crate::facts::network::{Peering, PeeringPrefix, PeeringState};
use crate::model::{Prefix, Sym, Tri};
use crate::rules::route::reserved;

/// What joins two networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Joint {
    /// A peering of their own.
    Peering,
    /// A connected group of a network manager (PEER-14).
    Group,
}

/// What one network gets from one peering.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// The remote network.
    pub vnet: Sym,
    /// Our side of it.
    pub peering: Sym,
    /// What joins the two.
    pub joint: Joint,
    /// Whether packets of any subnet pass (PEER-02).
    pub usable: Tri,
    /// Whether packets of the subnets that take part pass: as `usable` where all do (PEER-12).
    pub whole: Tri,
    /// Only some subnets take part.
    pub partial: bool,
    /// Both sides have `allowVirtualNetworkAccess`; without it nothing is sure (PEER-05).
    pub access: bool,
    /// Our own side has it: then the remote space is in our `VirtualNetwork` tag.
    pub own_access: bool,
    /// Our side takes what the remote network forwards for others (PEER-06).
    pub forwarded: bool,
    /// Our side uses the gateway of the remote network, and it lets us (PEER-08).
    pub remote_gateway: bool,
    /// The remote addresses, each with whether it is surely there (PEER-04).
    pub prefixes: Vec<(Prefix, Tri)>,
    /// Nobody knows the remote addresses: the network is not in the input, and nothing else tells (SND-04).
    pub open: bool,
}

/// What the input tells of a remote network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remote {
    /// It is not in the input: the state we see is all there is.
    Missing,
    /// It is there without its peerings: it may have the other side.
    Unlisted,
    /// It is there with all of its peerings.
    Listed,
}

/// What `own` gives its network, seen beside the rows of the `reciprocal` side. `only_v6` says that nothing of IPv4 passes.
///
/// ```datalog
/// joined(V, W) :- peering(P, V, W, "connected", _, _, _, _, _, _), peering(Q, W, V, "connected", _, _, _, _, _, _).  // peering.1
/// ```
pub fn peer(
    own: &Peering,
    prefixes: &[PeeringPrefix],
    reciprocal: &[Peering],
    remote: Remote,
    remote_space: &[Prefix],
    only_v6: bool,
) -> Peer {
    // A side that does not say with whom it is may be the other one where no side says so.
    let named = reciprocal.iter().any(|side| !side.is_nameless());
    let reciprocal: Vec<&Peering> = reciprocal.iter().filter(|side| named != side.is_nameless()).collect();
    let vague = !named && !reciprocal.is_empty();
    let other = reciprocal.iter().map(|side| usable_state(side.state)).max();
    let whole = match other {
        Some(other) if vague => usable_state(own.state).and(other).and(Tri::Maybe),
        Some(other) => usable_state(own.state).and(other),
        // Azure says that a side is connected only where the other one is.
        None => match (own.state, remote) {
            (PeeringState::Initiated | PeeringState::Disconnected, _) | (_, Remote::Listed) => Tri::No,
            (PeeringState::Unknown, Remote::Unlisted) => Tri::No,
            (PeeringState::Connected, Remote::Missing) => Tri::Yes,
            _ => Tri::Maybe,
        },
    };
    let partial = !own.complete || reciprocal.iter().any(|side| !side.complete);
    let access = own.access && reciprocal.iter().all(|side| side.access);
    // A network whose side is not in the input lets us: else Azure would not have taken it.
    let lets_us = reciprocal.iter().any(|side| side.gateway_transit) || vague || (remote != Remote::Listed && reciprocal.is_empty());
    let remote_gateway = own.use_remote_gateways && lets_us;
    let prefixes = space(own, prefixes, remote_space);
    Peer {
        open: prefixes.is_empty(),
        vnet: own.remote,
        peering: own.peering,
        joint: Joint::Peering,
        usable: if partial { whole.and(Tri::Maybe) } else { whole },
        whole,
        partial,
        access,
        own_access: own.access,
        forwarded: own.forwarded,
        remote_gateway,
        prefixes: prefixes.into_iter().filter(|(prefix, _)| !only_v6 || prefix.addr().is_ipv6()).collect(),
    }
}

/// Those `sides` of other networks to which one of a network's `own` may answer though none says so: its own were not exported (`listed` is false), or one
/// does not say with whom it is.
pub fn claims(own: &[Peering], listed: bool, sides: impl Iterator<Item = Peering>) -> Vec<Peering> {
    let nameless = own.iter().any(Peering::is_nameless);
    let connected = |side: &Peering| matches!(side.state, PeeringState::Connected | PeeringState::Other);
    let wanted = |side: &Peering| connected(side) || nameless && usable_state(side.state).hi();
    let answered = |side: &Peering| own.iter().any(|own| own.remote == side.vnet);
    sides.filter(|side| (!listed || nameless) && !side.is_nameless() && wanted(side) && !answered(side)).collect()
}

/// What a network gets from a peering of which only the other side is in the input, because its own were not exported: perhaps the same as `other`, which
/// says with `only_v6` that nothing of IPv4 passes.
pub fn claimed(other: &Peering, prefixes: &[Prefix], only_v6: bool) -> Peer {
    let own = Peering {
        vnet: other.remote,
        remote: other.vnet,
        state: PeeringState::Connected,
        // Whatever its own side may say, it may say the more of the two.
        forwarded: true,
        use_remote_gateways: other.gateway_transit,
        ..*other
    };
    let peer = peer(&own, &[], std::slice::from_ref(other), Remote::Listed, prefixes, only_v6);
    Peer { usable: peer.usable.and(Tri::Maybe), whole: peer.whole.and(Tri::Maybe), ..peer }
}

impl Peer {
    /// Who may be joined to a network whose peerings are not in the input: somebody with private addresses (decision on child types without rows).
    ///
    /// ```datalog
    /// perhaps_joined(V) :- unlisted(V, "virtualnetworkpeerings"), !complete_type("virtualnetworkpeerings"), !peering(_, _, _, _, _, _, _, _, _, _).  // peering.7
    /// ```
    pub fn somebody(vnet: Sym) -> Peer {
        let peering = Sym::new(&format!("{vnet}/virtualnetworkpeerings"));
        let remote = Peering::unknown_remote(peering);
        let private = reserved().chain("fc00::/7".parse());
        Peer::by_manager(remote, peering, Joint::Peering, Tri::Maybe, private.map(|prefix| (prefix, Tri::Maybe)).collect())
    }

    /// A network that a configuration of a network manager joins with another (PEER-14).
    pub fn by_manager(vnet: Sym, configuration: Sym, joint: Joint, usable: Tri, mut prefixes: Vec<(Prefix, Tri)>) -> Peer {
        prefixes.sort_unstable();
        prefixes.dedup();
        Peer {
            vnet,
            peering: configuration,
            joint,
            usable,
            whole: usable,
            partial: false,
            access: true,
            own_access: true,
            forwarded: false,
            remote_gateway: false,
            prefixes,
            open: false,
        }
    }

    /// Whether the remote network has the address: where nobody knows its addresses, it may have any (PEER-04).
    pub fn holds(&self, address: &IpAddr) -> Tri {
        let there = self.prefixes.iter().filter(|(prefix, _)| prefix.contains(address)).map(|(_, sure)| *sure).max();
        there.unwrap_or(if self.open { Tri::Maybe } else { Tri::No })
    }

    /// The same as a subnet sees it that takes part in it (PEER-12).
    pub fn for_member(&self) -> Peer {
        Peer { usable: self.whole, ..self.clone() }
    }
}

fn usable_state(state: PeeringState) -> Tri {
    match state {
        PeeringState::Connected | PeeringState::Unknown => Tri::Yes,
        PeeringState::Other => Tri::Maybe,
        PeeringState::Initiated | PeeringState::Disconnected => Tri::No,
    }
}

/// Routes follow the synchronised space; where it is not in sync, what is in both is sure and what is in either is possible (PEER-04).
fn space(own: &Peering, prefixes: &[PeeringPrefix], remote_space: &[Prefix]) -> Vec<(Prefix, Tri)> {
    let of = |current: bool| prefixes.iter().filter(|p| p.current == current).map(|p| p.prefix).collect::<Vec<_>>();
    let (synced, mut current) = (of(false), of(true));
    if current.is_empty() {
        current = remote_space.to_vec();
    }
    let mut out: Vec<(Prefix, Tri)> = if synced.is_empty() {
        let sure = if own.in_sync { Tri::Yes } else { Tri::Maybe };
        current.into_iter().map(|prefix| (prefix, sure)).collect()
    } else if own.in_sync || current.is_empty() {
        synced.into_iter().map(|prefix| (prefix, Tri::Yes)).collect()
    } else {
        let within = |space: &[Prefix], prefix: &Prefix| space.iter().any(|held| held.contains(prefix));
        let both = |prefix: &Prefix| within(&synced, prefix) && within(&current, prefix);
        let either = synced.iter().chain(&current);
        either.map(|prefix| (*prefix, if both(prefix) { Tri::Yes } else { Tri::Maybe })).collect()
    };
    out.sort_unstable();
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(state: PeeringState) -> Peering {
        Peering {
            peering: Sym::new("p"),
            vnet: Sym::new("a"),
            remote: Sym::new("b"),
            state,
            in_sync: true,
            access: true,
            forwarded: false,
            gateway_transit: false,
            use_remote_gateways: false,
            complete: true,
        }
    }

    /// covers: PEER-02
    #[test]
    fn a_peering_needs_both_sides_connected() {
        use PeeringState::*;
        let cases = [
            (Connected, vec![Connected], Remote::Listed, Tri::Yes),
            (Connected, vec![Disconnected], Remote::Listed, Tri::No),
            (Initiated, vec![Connected], Remote::Listed, Tri::No),
            (Connected, vec![], Remote::Listed, Tri::No),
            (Connected, vec![], Remote::Unlisted, Tri::Maybe),
            (Initiated, vec![], Remote::Unlisted, Tri::No),
            (Unknown, vec![], Remote::Unlisted, Tri::No),
            (Connected, vec![], Remote::Missing, Tri::Yes),
            (Unknown, vec![], Remote::Missing, Tri::Maybe),
            (Unknown, vec![Unknown], Remote::Listed, Tri::Yes),
            (Other, vec![Connected], Remote::Listed, Tri::Maybe),
            (Connected, vec![Other], Remote::Listed, Tri::Maybe),
            (Other, vec![Disconnected], Remote::Listed, Tri::No),
            (Other, vec![], Remote::Listed, Tri::No),
            (Other, vec![], Remote::Unlisted, Tri::Maybe),
            (Other, vec![], Remote::Missing, Tri::Maybe),
        ];
        for (own, other, remote, expected) in cases {
            let other: Vec<Peering> = other.into_iter().map(side).collect();
            assert_eq!(peer(&side(own), &[], &other, remote, &[], false).usable, expected, "{own:?} {other:?}");
        }
    }

    /// covers: PEER-02
    #[test]
    fn a_side_that_does_not_say_with_whom_may_be_the_other_one() {
        use PeeringState::*;
        let nameless = Peering { remote: Peering::unknown_remote(Sym::new("p")), ..side(Unknown) };
        assert!(nameless.is_nameless() && !side(Unknown).is_nameless());
        let cases = [
            (Connected, vec![nameless], Tri::Maybe),
            (Unknown, vec![nameless], Tri::Maybe),
            (Initiated, vec![nameless], Tri::No),
            (Connected, vec![nameless, side(Connected)], Tri::Yes),
            (Connected, vec![nameless, side(Disconnected)], Tri::No),
        ];
        for (own, other, expected) in cases {
            assert_eq!(peer(&side(own), &[], &other, Remote::Listed, &[], false).usable, expected, "{own:?} {other:?}");
        }
    }

    /// covers: PEER-04
    #[test]
    fn a_space_out_of_sync_is_sure_only_where_both_views_agree() {
        let mut own = side(PeeringState::Connected);
        own.in_sync = false;
        let row = |prefix: &str, current| PeeringPrefix { peering: own.peering, prefix: prefix.parse().unwrap(), current };
        let rows = [row("10.1.0.0/16", false), row("10.1.0.0/16", true), row("10.2.0.0/16", true)];
        let peer = peer(&own, &rows, &[side(PeeringState::Connected)], Remote::Listed, &[], false);
        let expected: Vec<(Prefix, Tri)> = vec![("10.1.0.0/16".parse().unwrap(), Tri::Yes), ("10.2.0.0/16".parse().unwrap(), Tri::Maybe)];
        assert_eq!(peer.prefixes, expected);
        // What was synchronised is not told: nothing is in both.
        let peer = super::peer(&own, &rows[1..2], &[side(PeeringState::Connected)], Remote::Listed, &[], false);
        assert_eq!(peer.prefixes, [("10.1.0.0/16".parse().unwrap(), Tri::Maybe)]);
    }
}
