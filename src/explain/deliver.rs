//! A packet in the network of its destination: who has the address, and what filters it there.

use std::net::IpAddr;

use crate::explain::filters;
use crate::explain::packet::{Host, Packet, StepExt, short, step};
use crate::explain::walk::{Target, Trail, Walk, device_words};
use crate::explain::way::{Kind, Step, Way};
use crate::explain::world::Perhaps;
use crate::model::{Span, Stage, Sym, Via};

impl Walk<'_, '_> {
    /// Delivers to whoever has the address in `vnet`.
    pub fn deliver(&self, vnet: Sym, packet: &Packet, trail: Trail, via: Via, ways: &mut Vec<Way>) {
        let index = self.world.index;
        if self.target == Target::Network(vnet) {
            let text = format!("whoever stands in network {} outside the boundary has it", short(vnet));
            let theirs = step(Stage::Delivered, Span::ALL, "exfil.3", text).by(vnet, "").kind(Kind::Default);
            ways.push(trail.and(theirs).end(via));
            return;
        }
        if packet.service.is_some() {
            let text = format!("no front end of Azure stands in network {}", short(vnet));
            ways.push(trail.and(step(Stage::Route, Span::NONE, "address.13", text).by(vnet, "")).end(via));
            return;
        }
        if !index.vnet.has(vnet) {
            let text = format!("network {} is not in the input", short(vnet));
            let missing = step(Stage::Route, Span::UNKNOWN, "address.4", text).by(vnet, "").kind(Kind::Assumption).code("W-MISSING");
            ways.push(trail.and(missing).end(via));
            return;
        }
        if let Target::Host(host) = &self.target
            && host.ip == packet.dst
            && host.vnet == vnet
        {
            self.arrive(host, packet, trail, via, ways);
            return;
        }
        if let Target::Endpoint(endpoint) = &self.target
            && self.world.endpoints_at(packet.dst, vnet).contains(endpoint)
        {
            self.to_endpoint(*endpoint, packet, trail, Via::PrivateEndpoint, ways);
            return;
        }
        // Only its interface says that it stands here (SND-02).
        if let Target::Endpoint(endpoint) = &self.target
            && self.world.other_subnet_of(*endpoint).is_some()
            && self.world.endpoints_perhaps_at(packet.dst, vnet).contains(endpoint)
        {
            self.to_endpoint(*endpoint, packet, trail, Via::PrivateEndpoint, ways);
            return;
        }
        if let Target::Host(_) = &self.target
            && let frontends = self.world.frontends_at(packet.dst, vnet)
            && !frontends.is_empty()
        {
            frontends.into_iter().for_each(|frontend| self.to_frontend(frontend, vnet, packet, trail.clone(), ways));
            return;
        }
        if let Target::Host(host) = &self.target
            && host.ip == packet.dst
            && host.vnet.is_empty()
        {
            let text = format!("subnet {} is not in the input: it may be one of {}", short(host.subnet), short(vnet));
            let unknown = step(Stage::Route, Span::UNKNOWN, "address.8", text).by(host.subnet, "").kind(Kind::Assumption);
            ways.push(trail.and(unknown.code("W-MISSING")).end(via));
            return;
        }
        if let Target::Endpoint(endpoint) = &self.target
            && let Some(row) = index.private_endpoint.one(*endpoint)
            && !index.subnet.has(row.subnet)
        {
            let text = format!("the subnet of private endpoint {} is not in the input: it may be one of {}", short(*endpoint), short(vnet));
            let unknown = step(Stage::Route, Span::UNKNOWN, "address.8", text).by(*endpoint, "").kind(Kind::Assumption);
            ways.push(trail.and(unknown.code("W-MISSING")).end(via));
            return;
        }
        // A frontend of a subnet that is not in the input may be here, with the machine behind it.
        if let Target::Host(host) = &self.target
            && host.ip != packet.dst
            && let owners = self.world.owners(packet.dst, vnet)
            && owners.is_nobody()
            && let Some(perhaps) = owners.perhaps.filter(|perhaps| !perhaps.placeable)
        {
            ways.push(trail.and(perhaps_there(packet.dst, &perhaps)).end(via));
            return;
        }
        if !self.target.is_anyone() {
            let text = format!("{} is somebody else's address in {}", packet.dst, short(vnet));
            let other = step(Stage::Route, Span::NONE, "address.5", text).by(vnet, "");
            ways.push(trail.and(other).end(via));
            return;
        }
        self.deliver_to_owner(vnet, packet, trail, via, ways);
    }

    fn deliver_to_owner(&self, vnet: Sym, packet: &Packet, trail: Trail, via: Via, ways: &mut Vec<Way>) {
        let owners = self.world.owners(packet.dst, vnet);
        if self.target == Target::Server && self.at_server(&owners, vnet, packet, &trail, via, ways) {
            return;
        }
        for endpoint in &owners.endpoints {
            self.to_endpoint(*endpoint, packet, trail.clone(), Via::PrivateEndpoint, ways);
        }
        for host in &owners.hosts {
            self.arrive(host, packet, trail.clone(), via, ways);
        }
        for frontend in &owners.frontends {
            self.to_frontend(*frontend, vnet, packet, trail.clone(), ways);
        }
        for (device, kind) in &owners.devices {
            if self.is_proxy(*kind) {
                self.at_private_proxy(*device, packet, trail.clone(), via, ways);
                continue;
            }
            if self.world.index.azure_firewall.has(*device) {
                self.at_firewall(*device, packet, std::slice::from_ref(&packet.src), trail.clone(), ways);
                continue;
            }
            let (stage, via) = device_words(*kind);
            let text = format!("{} {} has the address; what it does is not modelled", kind.as_str(), short(*device));
            let unknown = step(stage, Span::UNKNOWN, "address.6", text).by(*device, "").kind(Kind::Assumption).code("W-UNSUPPORTED");
            ways.push(trail.clone().and(unknown).end(via));
        }
        if owners.is_nobody() {
            self.to_untold_endpoints(vnet, packet, &trail, ways);
            let nobody = match owners.perhaps {
                None => {
                    let text = format!("no-endpoint: nobody has {} in {}", packet.dst, short(vnet));
                    step(Stage::Route, Span::NONE, "address.3", text).by(vnet, "no-endpoint").kind(Kind::Absence)
                }
                Some(perhaps) => {
                    let unknown = perhaps_there(packet.dst, &perhaps);
                    if perhaps.placeable {
                        self.arrive(&Host::imagined(self.world, perhaps.subnet, packet.dst), packet, trail.and(unknown), via, ways);
                        return;
                    }
                    unknown
                }
            };
            ways.push(trail.and(nobody).end(via));
        }
    }

    /// To the private endpoints of `vnet` that may have the address (ADR-06).
    pub fn to_untold_endpoints(&self, vnet: Sym, packet: &Packet, trail: &Trail, ways: &mut Vec<Way>) {
        for endpoint in self.world.endpoints_with_untold_address(packet.dst, vnet) {
            let text = format!("private endpoint {} may have {}: the input does not tell its address", short(endpoint), packet.dst);
            let perhaps = step(Stage::Route, Span::UNKNOWN, "address.7", text).by(endpoint, "").kind(Kind::Assumption).code("W-MISSING");
            self.to_endpoint(endpoint, packet, trail.clone().and(perhaps), Via::PrivateEndpoint, ways);
        }
    }

    /// The filters in front of `host`, and the way back.
    pub fn arrive(&self, host: &Host, packet: &Packet, trail: Trail, via: Via, ways: &mut Vec<Way>) {
        let mut packet = packet.clone();
        packet.dst_asgs = self.world.asgs_of(host.ip_config);
        let mut trail = trail;
        trail.steps.extend(filters::inbound(self.world, host, &packet, self.asked));
        if self.session {
            trail.steps.extend(self.way_back(host, &packet, &trail));
        }
        ways.push(trail.end(via));
    }
}

/// The doubt about an address that somebody perhaps has.
fn perhaps_there(ip: IpAddr, perhaps: &Perhaps) -> Step {
    let text = format!("whether somebody has {ip} is not known: {}", perhaps.why);
    let unknown = step(Stage::Route, Span::UNKNOWN, "address.7", text).by(perhaps.subnet, "");
    unknown.kind(Kind::Assumption).code(perhaps.code)
}
