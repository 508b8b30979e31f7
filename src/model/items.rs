//! Sets of traffic as JSON: `[{"proto":"tcp","ports":"443"}]`.

use serde::{Deserialize, Serialize};

use crate::model::traffic::{ANY_PORT, Ports, ports_text};
use crate::model::{Proto, Set};

/// The part of a set that has one protocol and one list of source ports.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Item {
    /// The protocol.
    pub proto: Proto,
    /// Destination ports, `443,8000-8100` or `*`; absent for a protocol without ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports: Option<String>,
    /// Source ports, only where they are restricted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ports: Option<String>,
}

/// The items of `set`, sorted; none for no traffic.
pub fn items(set: Set) -> Vec<Item> {
    let mut groups: Vec<(Proto, &[Ports], Vec<String>)> = Vec::new();
    for band in set.bands() {
        let ports = ports_text(band.dports);
        match groups.iter_mut().find(|(proto, sports, _)| *proto == band.proto && *sports == band.sports) {
            Some((_, _, list)) => list.push(ports),
            None => groups.push((band.proto, &band.sports, vec![ports])),
        }
    }
    let item = |(proto, sports, ports): (Proto, &[Ports], Vec<String>)| Item {
        proto,
        ports: proto.has_ports().then(|| ports.join(",")),
        source_ports: (sports != [ANY_PORT]).then(|| sports.iter().map(|&p| ports_text(p)).collect::<Vec<_>>().join(",")),
    };
    groups.into_iter().map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_one_protocol_stand_together() {
        let set = Set::of(Proto::Tcp, (443, 443), ANY_PORT).or(Set::of(Proto::Tcp, (80, 80), ANY_PORT)).or(Set::of_proto(Proto::Icmp));
        let json = serde_json::to_string(&items(set)).unwrap();
        assert_eq!(json, r#"[{"proto":"tcp","ports":"80,443"},{"proto":"icmp"}]"#);
    }

    #[test]
    fn source_ports_stand_only_where_they_are_restricted() {
        let json = serde_json::to_string(&items(Set::of(Proto::Udp, (53, 53), (1024, 65535)))).unwrap();
        assert_eq!(json, r#"[{"proto":"udp","ports":"53","source_ports":"1024-65535"}]"#);
    }
}
