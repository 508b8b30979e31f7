//! What answers at a public address, and whom it lets in from outside (IN-01 to IN-03).

use std::net::IpAddr;

use crate::explain::filters;
use crate::explain::packet::{Host, Packet, Seen, StepExt, short, step};
use crate::explain::walk::{Target, Trail, Walk, device_words};
use crate::explain::way::{Kind, Step, Way};
use crate::facts::network::{PublicSku, is_nameless_group};
use crate::model::{Set, Span, Stage, Sym, Via};
use crate::rules::outbound::PublicSource;

impl Walk<'_, '_> {
    /// The packet is sent to a public address with one of the sources that `source` allows.
    pub fn at_public_address(&self, packet: &Packet, source: &PublicSource, trail: Trail, ways: &mut Vec<Way>) {
        let index = self.world.index;
        let owners = index.public_ips_by_address.get(packet.dst);
        let ranges = if owners.is_empty() { self.ranges_with(packet.dst) } else { Vec::new() };
        if !ranges.is_empty() {
            let mut frontends: Vec<Sym> =
                ranges.iter().flat_map(|range| index.load_balancer_frontends_by_range.get(*range)).map(|row| row.frontend).collect();
            Sym::sort(&mut frontends);
            if !frontends.is_empty() {
                frontends.into_iter().for_each(|frontend| self.to_public_frontend(frontend, packet, source, trail.clone(), ways));
                return;
            }
            let lost =
                Some(self.world.hidden_holder()).filter(|holder| !holder.is_empty()).unwrap_or(self.world.lost_public_ip(packet.dst));
            if !lost.is_empty() {
                ways.push(trail.and(hidden(packet.dst, lost)).end(Via::Public));
                return;
            }
            let text = format!("{} belongs to a public IP prefix of the input and to no public address", packet.dst);
            let closed = step(Stage::Route, Span::NONE, "inbound.3", text).by(Sym::EMPTY, "no-endpoint").kind(Kind::Absence);
            ways.push(trail.and(closed).end(Via::Public));
            return;
        }
        if let Some(hub) = index.firewalls_by_hub_address.get(packet.dst).iter().min_by_key(|row| row.firewall.as_str()) {
            self.at_firewall(hub.firewall, packet, &[], trail, ways);
            return;
        }
        if owners.is_empty() {
            let other = matches!(&self.target, Target::Host(_) | Target::Endpoint(_) | Target::Site(_) | Target::Network(_));
            let span = if other { Span::NONE } else { Span::ALL };
            let text = format!("{} is an address of the internet", packet.dst);
            let stage = if other { Stage::Route } else { Stage::Delivered };
            let mut trail = trail.and(step(stage, span, "outbound.3", text).kind(Kind::Default));
            trail.steps.extend(self.lost_address(packet.dst));
            trail.steps.extend(self.way_home(&trail));
            ways.push(trail.end(Via::Public));
            return;
        }
        for owner in owners {
            let sku = index.public_ip.one(owner.public_ip).map_or(PublicSku::Unknown, |row| row.sku);
            let mut nobody = true;
            let mut trail = trail.clone();
            trail.steps.extend(self.world.one_of_two(owner.public_ip));
            for config in index.ip_configs_by_public_ip.get(owner.public_ip) {
                let nic = index.ip_config.one(config.ip_config).map(|row| row.nic);
                if let Some(nic) = nic.filter(|nic| !index.nic.has(*nic)) {
                    nobody = false;
                    let text = format!("interface {} is not in the input", short(nic));
                    let missing = step(Stage::Route, Span::UNKNOWN, "inbound.3", text).by(nic, "").kind(Kind::Absence);
                    ways.push(trail.clone().and(missing.code("W-MISSING")).end(Via::Public));
                    continue;
                }
                if !self.world.is_endpoint_config(config.ip_config) {
                    continue; // nothing answers behind a detached interface (ADR-07)
                }
                let hosts = self.world.hosts_of_config(config.ip_config);
                nobody &= hosts.is_empty();
                let each = hosts.iter().map(|host| {
                    let mut ways = Vec::new();
                    self.public_in(host, owner.public_ip, sku, packet, source, trail.clone(), &mut ways);
                    ways
                });
                ways.extend(any_place(each.collect()));
            }
            for frontend in self.world.frontends_of_public_ip(owner.public_ip) {
                nobody = false;
                self.to_public_frontend(frontend, packet, source, trail.clone(), ways);
            }
            for device in index.devices_by_public_ip.get(owner.public_ip) {
                if index.gateway.has(device.device) || index.nat_gateway.has(device.device) {
                    continue; // its address leads to no machine (IN-12)
                }
                nobody = false;
                if index.azure_firewall.has(device.device) {
                    let sources = match source {
                        PublicSource::SomeAzure => vec![Seen::SomePublic],
                        PublicSource::OneOf(list) => {
                            let (mut cuts, tags) = self.world.firewalls_compare();
                            cuts.extend(tags.into_iter().flat_map(|tag| self.world.platform.tag(tag).unwrap_or_default()));
                            crate::explain::pieces::of(list, &cuts, |_| true).into_iter().map(Seen::At).collect()
                        }
                    };
                    self.at_firewall(device.device, packet, &sources, trail.clone(), ways);
                    continue;
                }
                let kind = index.device.one(device.device).map_or(crate::facts::network::DeviceKind::Other, |row| row.kind);
                if self.is_proxy(kind) {
                    self.at_public_proxy(device.device, owner.public_ip, packet, source, trail.clone(), ways);
                    continue;
                }
                let (stage, via) = device_words(kind);
                let text = format!("{} {} has the address; what it does is not modelled", kind.as_str(), short(device.device));
                let unknown = step(stage, Span::UNKNOWN, "inbound.4", text).by(device.device, "").kind(Kind::Assumption);
                ways.push(trail.clone().and(unknown.code("W-UNSUPPORTED")).end(via));
            }
            if let Some(holder) = self.world.unanswered_holder(owner.public_ip) {
                let of_set = self.world.instance_is_told(holder);
                let why =
                    if of_set { "an instance of which only its scale set's profile is in the input" } else { "which does not say so" };
                let text = format!("public address {} says that it belongs to {}, {why}", short(owner.public_ip), short(holder));
                let missing = step(Stage::Route, Span::UNKNOWN, "inbound.3", text).by(holder, "").kind(Kind::Absence);
                ways.push(trail.clone().and(missing.code("W-MISSING")).end(Via::Public));
                nobody = false;
            }
            let hidden_holder = self.world.hidden_holder();
            if nobody && !hidden_holder.is_empty() && !self.world.is_claimed(owner.public_ip) {
                ways.push(trail.clone().and(hidden(packet.dst, hidden_holder)).end(Via::Public));
                nobody = false;
            }
            if nobody {
                let text = format!("no machine answers at public address {}", short(owner.public_ip));
                let of_nat = index.nat_gateways_by_public_ip.has(owner.public_ip);
                let stage = if of_nat { Stage::Nat } else { Stage::Route };
                let closed = step(stage, Span::NONE, "inbound.3", text).by(owner.public_ip, "no-endpoint").kind(Kind::Absence);
                ways.push(trail.clone().and(closed).end(Via::Public));
            }
        }
    }

    /// In by an instance public address (IN-02, IN-03): every possible source must be admitted for the answer to be sure.
    #[expect(clippy::too_many_arguments, reason = "the address has a resource, a kind and a machine behind it")]
    pub fn public_in(
        &self,
        host: &Host,
        public_ip: Sym,
        sku: PublicSku,
        packet: &Packet,
        source: &PublicSource,
        trail: Trail,
        ways: &mut Vec<Way>,
    ) {
        let mut trail = trail;
        let text = format!("public address {} stands for {}", short(public_ip), short(host.name(self.world)));
        trail = trail.and(step(Stage::Nat, Span::ALL, "inbound.1", text).by(public_ip, "").at_fact(public_ip).kind(Kind::Fact));
        if let Some(chained) = self.chained(host.ip_config) {
            trail = trail.and(chained);
        }
        ways.push(self.from_outside(host, public_ip, sku, packet, source, &[host.ip], trail).end(Via::Public));
    }

    /// The doubt about an address that nobody is known to have: a public address of the estate may be just this one, and whom its holder lets in is not the
    /// internet's affair (SND-04).
    fn lost_address(&self, ip: IpAddr) -> Option<Step> {
        let lost = self.world.lost_public_ip(ip);
        (self.target == Target::Anyone && !lost.is_empty()).then(|| {
            let text = format!("public address {} {}: it may be {ip}", short(lost), self.world.why_lost(lost));
            step(Stage::Route, Span::UNKNOWN, "inbound.11", text).by(lost, "").kind(Kind::Absence).code("W-MISSING")
        })
    }

    /// In front of a machine that public space leads to: closed until a group opens it (IN-03), then what the filters say of every possible source
    /// and of every destination in `seen` that they may look at (NSG-06), then the way back (SES-02).
    #[expect(clippy::too_many_arguments, reason = "the address has a resource, a kind and a machine behind it")]
    pub fn from_outside(
        &self,
        host: &Host,
        public_ip: Sym,
        sku: PublicSku,
        packet: &Packet,
        source: &PublicSource,
        seen: &[IpAddr],
        trail: Trail,
    ) -> Trail {
        let index = self.world.index;
        let mut trail = trail;
        let unfiltered = !index.subnet_nsg.has(host.subnet) && !index.nic_nsg.has(host.nic);
        if unfiltered && sku != PublicSku::Basic {
            // A subnet that is not in the input may have a group that opens it.
            let missing = !index.subnet.has(host.subnet);
            let unknown = missing || sku == PublicSku::Unknown;
            let span = if unknown { Span::UNKNOWN } else { Span::NONE };
            let text = format!("a Standard public address is closed while no NSG opens {}", short(host.nic));
            let closed = step(Stage::NsgInbound, span, "inbound.2", text).by(public_ip, "sku=Standard").kind(Kind::Default);
            let missing = missing || !index.public_ip.has(public_ip);
            let closed = if unknown { closed.code(if missing { "W-MISSING" } else { "W-UNSUPPORTED" }) } else { closed };
            trail = trail.and(self.perhaps_opened(host, packet, closed));
        }
        // A group that nobody names may be none.
        let mut groups =
            index.subnet_nsg.get(host.subnet).iter().map(|row| row.nsg).chain(index.nic_nsg.get(host.nic).iter().map(|row| row.nsg));
        if !unfiltered && sku != PublicSku::Basic && groups.all(is_nameless_group) {
            let text = format!(
                "which NSG filters at {} is not told, nor whether one does: a Standard address without one is closed",
                short(host.nic)
            );
            let perhaps = step(Stage::NsgInbound, Span::UNKNOWN, "inbound.2", text).by(public_ip, "").kind(Kind::Assumption);
            trail = trail.and(perhaps.code("W-MISSING"));
        }
        let sources: Vec<Seen> = match source {
            PublicSource::SomeAzure => vec![Seen::SomePublic],
            PublicSource::OneOf(list) => self.told_apart(host, list).into_iter().map(Seen::At).collect(),
        };
        if host.is_nowhere(self.world) {
            let text = format!("the address of {} is not in the input, nor the range of its subnet: rules may name it", short(host.nic));
            let unknown = step(Stage::NsgInbound, Span::UNKNOWN, "address.2", text).by(host.subnet, "");
            trail = trail.and(unknown.kind(Kind::Assumption).code("W-MISSING"));
        } else {
            trail.steps.extend(self.admitted(host, packet, &sources, seen));
        }
        if self.session {
            trail.steps.extend(filters::whichever(sources.iter().map(|seen| self.way_back_to_internet(host, seen)).collect()));
        }
        trail.steps.extend(self.way_home(&trail));
        trail
    }

    /// What the filters in front of `host` say where the packet has one of these sources and one of these destinations, nobody knows which: all must
    /// be admitted for certainty.
    pub fn admitted(&self, host: &Host, packet: &Packet, sources: &[Seen], destinations: &[IpAddr]) -> Vec<Step> {
        let asgs = self.world.asgs_of(host.ip_config);
        let met = |(source, dst): (&Seen, &IpAddr)| {
            let inner = Packet { src: source.clone(), dst: *dst, dst_asgs: asgs.clone(), ..packet.clone() };
            filters::inbound(self.world, host, &inner, self.asked)
        };
        filters::whichever(sources.iter().flat_map(|source| destinations.iter().map(move |dst| (source, dst))).map(met).collect())
    }

    /// The public prefixes of the input that hold an address, sorted by name.
    fn ranges_with(&self, ip: IpAddr) -> Vec<Sym> {
        let rows = self.world.index.public_ip_ranges.rows().filter(|row| row.prefix.contains(&ip));
        let mut ranges: Vec<Sym> = rows.map(|row| row.public_ip_prefix).collect();
        Sym::sort(&mut ranges);
        ranges
    }

    /// One address for each part of `list` that the filters in front of `host` and its routes tell apart.
    fn told_apart(&self, host: &Host, list: &[crate::model::Prefix]) -> Vec<IpAddr> {
        if list.iter().all(|prefix| prefix.prefix_len() == prefix.max_prefix_len()) {
            return list.iter().map(|prefix| prefix.network()).collect();
        }
        let cuts = filters::cuts(self.world, host.nic, host.subnet);
        crate::explain::pieces::of(list, &cuts, |_| true)
    }
}

/// A machine whose address is not known may have any of several: only what all of them let through is sure (ADR-06).
pub fn any_place(mut each: Vec<Vec<Way>>) -> Vec<Way> {
    if each.len() < 2 {
        return each.pop().unwrap_or_default();
    }
    let sure = each.iter().map(|ways| ways.iter().fold(Set::EMPTY, |set, way| set.or(way.span().sure))).fold(Set::ALL, Set::and);
    let mut all: Vec<Way> = each.into_iter().flatten().collect();
    for way in &mut all {
        let text = "the machine's own address is not known".to_owned();
        let unsure = step(Stage::NsgInbound, Span { sure, may: Set::ALL }, "address.1", text);
        way.steps.push(unsure.kind(Kind::Assumption).code("W-MISSING"));
    }
    all
}

/// A public address of the input that nobody is known to have, and that `holder` perhaps has.
fn hidden(ip: IpAddr, holder: Sym) -> Step {
    let text =
        format!("nobody in the input says that it has {ip}: {}, of which not everything is in the input, perhaps has", short(holder));
    step(Stage::Route, Span::UNKNOWN, "inbound.3", text).by(holder, "").kind(Kind::Absence).code("W-MISSING")
}
