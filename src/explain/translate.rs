//! Traffic on both sides of a translated port: what comes after is said of the new port, and read back as the old one.

use crate::explain::way::Step;
use crate::model::traffic::ANY_PORT;
use crate::model::{Set, Span};

/// A device sends what it takes on to one port; source ports stay.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// What it takes.
    pub taken: Set,
    /// The port behind it; `None` where it stays.
    pub port: Option<u16>,
}

impl Ports {
    /// What becomes of `outer`.
    pub fn forward(&self, outer: Set) -> Set {
        let taken = outer.and(self.taken);
        let Some(port) = self.port else { return taken };
        let bands = taken.bands().iter().flat_map(|band| band.sports.iter().map(|sports| (band.proto, *sports)));
        bands.fold(Set::EMPTY, |set, (proto, sports)| set.or(Set::of(proto, (port, port), sports)))
    }

    /// What of the traffic taken becomes some of `inner`; everything that is not taken is not touched.
    fn back(&self, inner: Set) -> Set {
        let Some(port) = self.port else { return inner };
        let mut outer = Set::ALL.minus(self.taken);
        for band in inner.bands().iter().filter(|band| !band.proto.has_ports() || (band.dports.0..=band.dports.1).contains(&port)) {
            for sports in &band.sports {
                outer = outer.or(self.taken.and(Set::of(band.proto, ANY_PORT, *sports)));
            }
        }
        outer
    }

    /// A step behind the device, said of the traffic in front of it.
    pub fn read_back(&self, step: Step) -> Step {
        Step { span: Span { sure: self.back(step.span.sure), may: self.back(step.span.may) }, ..step }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Proto;

    fn tcp(port: u16) -> Set {
        Set::of(Proto::Tcp, (port, port), ANY_PORT)
    }

    #[test]
    fn what_is_said_of_the_new_port_is_read_as_the_old_one() {
        let ports = Ports { taken: tcp(6033), port: Some(443) };
        assert_eq!(ports.forward(Set::tcp()), tcp(443));
        assert_eq!(ports.back(tcp(443)).and(tcp(6033)), tcp(6033));
        assert!(!ports.back(tcp(6033)).meets(tcp(6033)));
        let from_low = Set::of(Proto::Tcp, (443, 443), (0, 1023));
        assert_eq!(ports.back(from_low).and(tcp(6033)), Set::of(Proto::Tcp, (6033, 6033), (0, 1023)));
        assert_eq!(Ports { port: None, ..ports }.forward(tcp(6033)), tcp(6033));
    }
}
