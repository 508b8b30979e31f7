//! Proxies of Azure's own at their front addresses: application gateways and bastions (IN-08, IN-10, NSG-12).
//!
//! A proxy ends the flow: what it opens behind itself is a flow of its own, from its subnet.

use crate::explain::filters;
use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::walk::{Home, Target, Trail, Walk, device_words};
use crate::explain::way::{Kind, Step, Way};
use crate::facts::network::{DeviceKind, Listener};
use crate::model::traffic::ANY_PORT;
use crate::model::{Proto, Set, Span, Stage, Sym, Via};
use crate::rules::outbound::PublicSource;

impl Walk<'_, '_> {
    /// Whether the device is a proxy that answers at its own addresses.
    pub fn is_proxy(&self, kind: DeviceKind) -> bool {
        matches!(kind, DeviceKind::ApplicationGateway | DeviceKind::Bastion)
    }

    /// The packet comes to a public address of a proxy, with one of the sources that `source` allows.
    pub fn at_public_proxy(&self, device: Sym, public_ip: Sym, packet: &Packet, source: &PublicSource, trail: Trail, ways: &mut Vec<Way>) {
        let sources: Vec<Seen> = match source {
            PublicSource::SomeAzure => vec![Seen::SomePublic],
            PublicSource::OneOf(list) => {
                let rooms = self.rooms(device);
                let cuts: Vec<_> = rooms.iter().flat_map(|room| filters::cuts(self.world, Sym::EMPTY, *room)).collect();
                crate::explain::pieces::of(list, &cuts, |_| true).into_iter().map(Seen::At).collect()
            }
        };
        self.at_proxy(device, &|row: &Listener| row.public_ip == public_ip, packet, &sources, trail, Via::Public, ways);
    }

    /// The packet comes to a private address of a proxy.
    pub fn at_private_proxy(&self, device: Sym, packet: &Packet, trail: Trail, via: Via, ways: &mut Vec<Way>) {
        let here = |row: &Listener| row.address == Some(packet.dst);
        self.at_proxy(device, &here, packet, std::slice::from_ref(&packet.src), trail, via, ways);
    }

    /// The subnets that a device stands in, sorted.
    fn rooms(&self, device: Sym) -> Vec<Sym> {
        let mut rooms: Vec<Sym> = self.world.index.device.get(device).iter().map(|row| row.subnet).filter(|s| !s.is_empty()).collect();
        Sym::sort(&mut rooms);
        rooms.dedup();
        rooms
    }

    #[expect(clippy::too_many_arguments, reason = "a front address, whoever calls it, and the way there")]
    fn at_proxy(
        &self,
        device: Sym,
        here: &dyn Fn(&Listener) -> bool,
        packet: &Packet,
        sources: &[Seen],
        trail: Trail,
        via: Via,
        ways: &mut Vec<Way>,
    ) {
        let kind = self.world.index.device.one(device).map_or(DeviceKind::Other, |row| row.kind);
        let (stage, _) = device_words(kind);
        if matches!(&self.target, Target::Host(_) | Target::Endpoint(_) | Target::Site(_) | Target::Network(_)) {
            let text = format!("{} {} has the address and passes nothing on as it is", kind.as_str(), short(device));
            ways.push(trail.and(step(stage, Span::NONE, "inbound.6", text).by(device, "")).end(via));
            return;
        }
        let trail = trail.and(self.listening(device, kind, stage, here));
        let rooms = self.rooms(device);
        let hosts: Vec<Host> = rooms
            .iter()
            .flat_map(|room| self.world.free_addresses(*room).into_iter().map(|ip| Host::imagined(self.world, *room, ip)))
            .filter(|host| host.ip.is_ipv4() == packet.dst.is_ipv4())
            .collect();
        if hosts.is_empty() {
            let text = format!("where {} stands is not in the input", short(device));
            let unknown = step(Stage::NsgInbound, Span::UNKNOWN, "inbound.6", text).by(device, "").kind(Kind::Assumption);
            ways.push(trail.and(unknown.code("W-MISSING")).end(via));
            return;
        }
        // Which of its addresses takes the packet, and which source it has, nobody knows: all must be admitted for certainty.
        let admitted = |(host, source): (&Host, &Seen)| {
            let inner = Packet { src: source.clone(), dst: host.ip, dst_asgs: Vec::new(), ..packet.clone() };
            let mut met = filters::inbound(self.world, host, &inner, self.asked);
            if self.session {
                met.extend(match self.home {
                    Home::Internet => self.way_back_to_internet(host, source),
                    _ if via == Via::Public => self.way_back_to_internet(host, source),
                    _ => self.way_back(host, &inner, &trail),
                });
            }
            met
        };
        let each = hosts.iter().flat_map(|host| sources.iter().map(move |source| (host, source))).map(admitted).collect();
        let mut trail = trail;
        trail.steps.extend(filters::whichever(each));
        ways.push(trail.end(via));
    }

    /// What the proxy listens for at one of its addresses.
    fn listening(&self, device: Sym, kind: DeviceKind, stage: Stage, here: &dyn Fn(&Listener) -> bool) -> Step {
        let rows: Vec<&Listener> = self.world.index.listeners.get(device).iter().filter(|row| here(row)).collect();
        let tcp = |port: u16| Set::of(Proto::Tcp, (port, port), ANY_PORT);
        let known = rows.iter().filter(|row| row.port != 0).fold(Set::EMPTY, |set, row| set.or(tcp(row.port)));
        // A listener of which the export does not say where or for which port it listens may listen here.
        let unknown = self.world.index.listeners.get(device).iter().any(|row| row.port == 0);
        let span = Span { sure: known, may: if unknown { Set::tcp() } else { known } };
        let listed = if known.is_empty() { "nothing".to_owned() } else { known.to_string() };
        let text = format!("{} {} listens for {listed}", kind.as_str(), short(device));
        let by = step(stage, span, "inbound.5", text).by(device, "").at_fact(device).kind(Kind::Fact);
        if unknown { by.kind(Kind::Assumption).code("W-MISSING") } else { by }
    }
}
