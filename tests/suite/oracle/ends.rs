//! From ends to packets: who sends with which address, to which address, and what "one of" and "every" mean (decisions 9, 17, 18).

use std::net::IpAddr;

use watertight::explain::way::{End, Mode};
use watertight::facts::network::{IpConfig, IpConfigAddress, Machine, MachineKind, Nic, NicMachine, NicRole};
use watertight::model::net::{address, is_public, number};
use watertight::model::{Prefix, Proto, Stage, Sym, Tri, Verdict, Via};

use super::dns::{Answer, View};
use super::filter::Place;
use super::instances::guest_of;
use super::packet::{Addr, Called, Outcome, Packet, all_of, any_of, check};
use super::walk::{Origin, Target, Trip, Walk, Wanted};
use super::world::{World, name_of};
use super::{Ask, OracleAnswer};

/// The configuration of a machine that is only imagined: it is in no group, whoever else may have its address.
const NO_CONFIG: Option<Sym> = Some(Sym::EMPTY);

/// One concrete sender.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// In a subnet, with its interface and configuration, or a place for a machine.
    Inside {
        place: Place,
        config: Option<Sym>,
        ip: IpAddr,
    },
    Site {
        site: Sym,
        ip: IpAddr,
    },
    Internet {
        ip: IpAddr,
    },
}

impl World<'_> {
    /// Answers one flow.
    pub fn answer(&self, ask: &Ask) -> OracleAnswer {
        self.sent_by(ask).answer()
    }

    /// By one way that the sender chose: with any source port asked for, all must get through by it.
    pub fn by_one_way(&self, ask: &Ask, way: impl Fn(&Ask) -> Outcome) -> Outcome {
        all_of(self.source_ports_of(ask).into_iter().map(|port| way(&Ask { sport: Some(port), ..*ask })).collect())
    }

    /// The same of several ways, which are the same ones whatever the source port: each for itself.
    pub fn way_by_way(&self, ask: &Ask, ways: impl Fn(&Ask) -> Vec<Outcome>) -> Vec<Outcome> {
        let by_port: Vec<Vec<Outcome>> =
            self.source_ports_of(ask).into_iter().map(|port| ways(&Ask { sport: Some(port), ..*ask })).collect();
        assert!(by_port.iter().all(|ways| ways.len() == by_port[0].len()), "a source port opens or closes ways, it makes none");
        (0..by_port[0].len()).map(|n| all_of(by_port.iter().map(|ways| ways[n].clone()).collect())).collect()
    }

    /// One source port for every part of the asked range that some rule tells apart.
    fn source_ports_of(&self, ask: &Ask) -> Vec<u16> {
        match ask.sport {
            Some(port) => vec![port],
            None if ask.proto.has_ports() => self.source_ports(),
            None => vec![0],
        }
    }

    fn source_ports(&self) -> Vec<u16> {
        let mut starts: Vec<u32> = vec![0];
        let rules = self.nsg_rules.iter().map(|r| r.source_ports).chain(self.admin_rules.iter().map(|r| r.source_ports));
        for (low, high) in rules.flat_map(|ports| ports.items()) {
            starts.extend([u32::from(low), u32::from(high) + 1]);
        }
        starts.sort_unstable();
        starts.dedup();
        starts.into_iter().filter_map(|p| u16::try_from(p).ok()).collect()
    }

    fn sent_by(&self, ask: &Ask) -> Outcome {
        if ask.proto == Proto::Udp && ask.sport == Some(65330) {
            return Outcome::denied(Stage::Route, ""); // the host keeps this port for itself (ADR-13)
        }
        let outcome = self.sent_by_end(ask);
        let service = matches!(ask.to, End::Store(..) | End::External(_) | End::Fqdn(_) | End::Unmodelled(_));
        if !service && self.may_translate(ask.from, ask.to) {
            return any_of(vec![outcome, Outcome::unproven(Stage::Gateway, "connection", "W-VPN-NAT")]);
        }
        outcome
    }

    pub fn sent_by_end(&self, ask: &Ask) -> Outcome {
        match ask.from {
            End::Machine(machine) => {
                let members = self.members_of_set(machine);
                if !members.is_empty() {
                    return any_of(members.into_iter().map(|from| self.sent_by_end(&Ask { from, ..*ask })).collect());
                }
                let nics: Vec<Sym> = self.nic_machines.iter().filter(|m| m.machine == machine).map(|m| m.nic).collect();
                if nics.is_empty() {
                    return Outcome::unproven(Stage::Route, name_of(machine), "W-MISSING"); // there is none without an interface
                }
                // Each instance of a scale set is a guest of its own.
                let mut guests: Vec<Vec<Sym>> = Vec::new();
                for nic in nics {
                    match guests.iter_mut().find(|guest| guest_of(guest[0]) == guest_of(nic)) {
                        Some(guest) => guest.push(nic),
                        None => guests.push(vec![nic]),
                    }
                }
                any_of(guests.iter().map(|nics| self.sent_by_nics(nics, ask)).collect())
            }
            End::Nic(nic) => {
                let outcome = self.sent_by_nics(&[nic], ask);
                if self.siblings(nic) > 1 && !self.is_primary(nic) { self.doubt_secondary(outcome, nic, ask) } else { outcome }
            }
            End::Subnet(subnet) => {
                if self.subnet_space(subnet).is_empty() {
                    return Outcome::unproven(Stage::Route, name_of(subnet), "W-MISSING");
                }
                let mut free = self.free_addresses(subnet);
                free.retain(|ip| self.is_asked_for_by(ip.is_ipv4(), ask.to));
                let place = Place { subnet, nic: None, endpoint: None };
                all_of(free.into_iter().map(|ip| self.to_end(Start::Inside { place, config: NO_CONFIG, ip }, ask)).collect())
            }
            End::Ip(ip) => self.sent_by_address(ip, ask),
            // Whoever has an address of ours is not on the internet (IN-01).
            End::Internet(Some(ip)) if self.owns_public(ip) => Outcome::denied(Stage::Route, "no-endpoint"),
            End::Internet(Some(ip)) => self.to_end(Start::Internet { ip }, ask),
            End::Internet(None) => {
                let mut all = self.internet_addresses(true);
                all.extend(self.internet_addresses(false));
                any_of(all.into_iter().map(|ip| self.to_end(Start::Internet { ip }, ask)).collect())
            }
            End::Site(site) => {
                let all = self.representatives_of(&self.site_space(site));
                if let End::Ip(to) | End::Internet(Some(to)) = ask.to
                    && is_public(to)
                    && !self.anywhere_inside(to)
                {
                    let from = Start::Site { site, ip: to };
                    return self.by_one_way(ask, |ask| self.to_address(from, Target::Address, to, ask)); // by its own way out
                }
                if self.is_branch(site) && !matches!(ask.to, End::Store(..) | End::External(_) | End::Fqdn(_)) {
                    let each = all.into_iter().map(|ip| self.to_end(Start::Site { site, ip }, ask));
                    let hub = Outcome::unproven(Stage::Gateway, name_of(site), "W-VWAN");
                    return any_of(each.chain([hub]).collect());
                }
                let connected =
                    self.connections.iter().any(|c| self.ends_at(c, site) || self.overlaps(site, c.peer) || self.may_lead_to(c, site));
                if connected && !matches!(ask.to, End::Store(..) | End::External(_) | End::Fqdn(_)) && self.learns_more_of(site) {
                    return self.sent_by_unlisted(site, &all, ask);
                }
                if all.is_empty() && connected {
                    let unknown = Outcome::unproven(Stage::Gateway, name_of(site), "W-BGP-UNKNOWN");
                    if let (End::Store(..), Mode::Adversarial) = (ask.to, ask.mode) {
                        return any_of(vec![self.site_apart(site, ask), unknown]);
                    }
                    if let End::Store(store, part, instance) = ask.to {
                        // What its name leads out to the public front end is judged there, wherever the site's addresses are.
                        let host = self.host_of(Wanted { store, part, instance });
                        let named_public = host.is_some_and(|(host, _)| matches!(self.resolve(View::Site(site), host), Answer::Public(_)));
                        let apart = self.site_apart(site, ask);
                        let unconnected = apart.verdict == Verdict::Denied && !self.links.iter().any(|l| l.target == store);
                        if named_public || unconnected {
                            return apart;
                        }
                    }
                    let End::PrivateEndpoint(endpoint) = ask.to else { return unknown };
                    let any = Start::Site { site, ip: IpAddr::from([0, 0, 0, 0]) };
                    let untold =
                        !self.endpoints.iter().any(|e| e.endpoint == endpoint) && !self.links.iter().any(|l| l.endpoint == endpoint);
                    if untold {
                        return self.to_end(any, ask);
                    }
                    let lost = !self.endpoints.iter().any(|e| e.endpoint == endpoint && self.vnet_of(e.subnet).is_some());
                    let unknown = if lost { unknown.beside(Stage::Route) } else { unknown };
                    return self.refused_anyway(unknown, endpoint, &self.packet(any, Addr::SomePublic, None, ask));
                }
                if !connected && !self.client_pools.iter().any(|p| p.gateway == site) {
                    return self.site_apart(site, ask);
                }
                any_of(all.into_iter().map(|ip| self.to_end(Start::Site { site, ip }, ask)).collect())
            }
            End::PrivateEndpoint(endpoint) => Outcome::denied(Stage::PrivateEndpoint, name_of(endpoint)), // PE-16
            End::Store(caller, ..) | End::Unmodelled(caller) => self.called_by(caller, ask),
            End::Fqdn(_) | End::External(_) | End::Network(_) => Outcome::unproven(Stage::Route, "", "W-UNSUPPORTED"),
        }
    }

    /// Whether the destination can have an address of the family at all: nobody sends to one of the other (ADR-14).
    fn is_asked_for_by(&self, v4: bool, to: End) -> bool {
        match to {
            End::Ip(ip) | End::Internet(Some(ip)) => ip.is_ipv4() == v4,
            End::Store(..) | End::External(_) | End::Fqdn(_) => v4,
            _ => true,
        }
    }

    /// From a site that may have more addresses than are listed: a listed one, or perhaps another (GW-04).
    fn sent_by_unlisted(&self, site: Sym, listed: &[IpAddr], ask: &Ask) -> Outcome {
        let mut ways: Vec<Outcome> = listed.iter().map(|&ip| self.to_end(Start::Site { site, ip }, ask)).collect();
        for ip in self.unlisted_of(site) {
            ways.push(self.to_end(Start::Site { site, ip }, ask).doubted(Stage::Gateway, name_of(site), "W-BGP-UNKNOWN"));
        }
        any_of(ways)
    }

    /// Addresses that no site lists and no network has, one for each part of the space that looks the same.
    fn unlisted_of(&self, site: Sym) -> Vec<IpAddr> {
        if !self.learns_more_of(site) {
            return Vec::new();
        }
        let sites = self.local_gateways.iter().map(|l| l.site).chain(self.sites.iter().map(|s| s.site));
        let sites = sites.filter(|_| !self.is_nowhere(site));
        let listed: Vec<_> = sites.flat_map(|s| self.site_space(s)).chain(self.vnet_prefixes.iter().map(|p| p.prefix)).collect();
        let mut all = Vec::new();
        for (low, high) in [("1.0.0.0", "223.255.255.255"), ("2000::", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")] {
            all.extend(self.representatives(low.parse().expect("literal"), high.parse().expect("literal")));
        }
        all.retain(|&ip| !listed.iter().any(|p| p.contains(&ip)) && !self.owns_public(ip));
        all
    }

    fn sent_by_nics(&self, nics: &[Sym], ask: &Ask) -> Outcome {
        let mut each: Vec<(Sym, Outcome)> = Vec::new();
        for &nic in nics.iter().filter(|&&n| self.is_attached(n)) {
            let mut ways = Vec::new();
            for config in self.configs.iter().filter(|c| c.nic == nic) {
                let place = Place { subnet: config.subnet, nic: Some(nic), endpoint: None };
                let starts = self.possible_addresses(config.ip_config, config.subnet);
                if starts.is_empty() {
                    ways.push(Outcome::unproven(Stage::Route, name_of(config.subnet), "W-MISSING")); // its subnet is not in the input
                    continue;
                }
                let config = Some(config.ip_config);
                ways.push(all_of(starts.into_iter().map(|ip| self.to_end(Start::Inside { place, config, ip }, ask)).collect()));
            }
            each.push((nic, any_of(ways)));
        }
        // A guest sends off its subnet by its primary interface alone; where the facts do not say which that is, by any of them (ADR-15).
        if nics.iter().any(|&nic| self.nic(nic).is_none()) {
            each.push((Sym::EMPTY, Outcome::unproven(Stage::Route, "interface", "W-MISSING")));
        }
        let all_agree = each.iter().all(|(_, o)| o.verdict == Verdict::Allowed);
        if each.len() > 1 && !all_agree {
            return any_of(
                each.into_iter().map(|(nic, o)| if self.is_primary(nic) { o } else { self.doubt_secondary(o, nic, ask) }).collect(),
            );
        }
        any_of(each.into_iter().map(|(_, o)| o).collect())
    }

    /// From a site that no gateway is connected to: its own way out is left.
    fn site_apart(&self, site: Sym, ask: &Ask) -> Outcome {
        match ask.to {
            End::Store(..) | End::External(_) | End::Fqdn(_) => self.to_end(Start::Site { site, ip: IpAddr::from([0, 0, 0, 0]) }, ask),
            _ => Outcome::denied(Stage::Gateway, "no connection"),
        }
    }

    pub fn is_primary(&self, nic: Sym) -> bool {
        let says = |nic: Sym| self.nic_primaries.iter().any(|row| row.nic == nic);
        let machine = self.machine_of(nic);
        let beside = |other: Sym| other != nic && guest_of(other) == guest_of(nic);
        says(nic) && !self.nic_machines.iter().any(|row| Some(row.machine) == machine && beside(row.nic) && says(row.nic))
    }

    /// Off its own subnet an interface that may be a secondary one is not certain to be used (ADR-15).
    fn doubt_secondary(&self, outcome: Outcome, nic: Sym, ask: &Ask) -> Outcome {
        let subnets: Vec<Sym> = self.configs.iter().filter(|c| c.nic == nic).map(|c| c.subnet).collect();
        let near = |subnet: Sym| subnets.contains(&subnet);
        let nic_is_near = |n: Sym| self.configs.iter().any(|c| c.nic == n && near(c.subnet));
        let local = match ask.to {
            End::Nic(n) => nic_is_near(n),
            End::Machine(m) => self.nic_machines.iter().any(|row| row.machine == m && nic_is_near(row.nic)),
            End::Subnet(s) => near(s),
            End::Ip(ip) => subnets.iter().any(|&s| self.subnet_space(s).iter().any(|p| p.contains(&ip))),
            End::PrivateEndpoint(e) => self.endpoints.iter().any(|row| row.endpoint == e && near(row.subnet)),
            _ => false,
        };
        if local { outcome } else { outcome.doubted(Stage::Route, name_of(nic), "secondary-interface") }
    }

    /// Whoever has the literal address sends.
    fn sent_by_address(&self, ip: IpAddr, ask: &Ask) -> Outcome {
        // An interface that came without its configurations may hold anything besides.
        let is_interface =
            |id: Sym| watertight::model::ids::id_type(id.as_str()).is_some_and(|kind| kind == "microsoft.network/networkinterfaces");
        if let Some(unread) = self.device_addresses.iter().find(|a| a.address == ip && is_interface(a.device)) {
            return Outcome::unproven(Stage::Route, name_of(unread.device), "W-UNSUPPORTED");
        }
        let mut ways = Vec::new();
        for a in self.config_addresses.iter().filter(|a| a.address == ip) {
            for c in self.configs.iter().filter(|c| c.ip_config == a.ip_config && self.is_attached(c.nic)) {
                let place = Place { subnet: c.subnet, nic: Some(c.nic), endpoint: None };
                ways.push(self.to_end(Start::Inside { place, config: Some(c.ip_config), ip }, ask));
            }
        }
        if ways.is_empty() {
            let usable =
                |p: &Prefix| watertight::model::net::usable(p).is_some_and(|(low, high)| p.contains(&ip) && low <= ip && ip <= high);
            for s in self.subnets.iter().filter(|s| self.subnet_space(s.subnet).iter().any(usable)) {
                let place = Place { subnet: s.subnet, nic: None, endpoint: None };
                ways.push(self.to_end(Start::Inside { place, config: None, ip }, ask));
                // Whoever there has an address that is not told may have this one (ADR-06).
                let untold = |c: &&IpConfig| c.subnet == s.subnet && self.addresses_of(c.ip_config).is_empty() && self.is_attached(c.nic);
                for c in self.configs.iter().filter(untold) {
                    let place = Place { subnet: c.subnet, nic: Some(c.nic), endpoint: None };
                    let outcome = self.to_end(Start::Inside { place, config: Some(c.ip_config), ip }, ask);
                    let sole = self.siblings(c.nic) < 2;
                    ways.push(if sole || self.is_primary(c.nic) { outcome } else { self.doubt_secondary(outcome, c.nic, ask) });
                }
                let named = self.subnet_configs.iter().any(|row| row.subnet == s.subnet && self.is_unseen(row.ip_config));
                if named || self.an_interface_is_hidden() {
                    return Outcome::unproven(Stage::Route, name_of(s.subnet), "W-MISSING"); // somebody else may stand there
                }
            }
        }
        if ways.is_empty() {
            return self.sent_from_outside(ip, ask);
        }
        all_of(ways) // in several networks the address is several machines'
    }

    /// Nobody inside has the address: the sites that have it, else the internet, and whoever else may have it (GW-01, GW-04, SND-04).
    fn sent_from_outside(&self, ip: IpAddr, ask: &Ask) -> Outcome {
        let stated = self.sites.iter().map(|s| s.site);
        let called = |id: Sym| self.sites.iter().any(|s| name_of(id).eq_ignore_ascii_case(s.site.as_str()));
        let pools: std::collections::BTreeSet<Sym> = self.client_pools.iter().map(|p| p.gateway).collect();
        let sites = self.local_gateways.iter().map(|l| l.site).chain(pools).filter(|&id| !called(id)).chain(stated);
        let having: Vec<Sym> = sites.filter(|&s| self.site_space(s).iter().any(|p| p.contains(&ip))).collect();
        let joined: Vec<Sym> = having.iter().copied().filter(|&s| self.is_joined(s)).collect();
        let from = |site: Sym| {
            let sent = self.to_end(Start::Site { site, ip }, ask);
            let hub = self.is_branch(site).then(|| Outcome::unproven(Stage::Gateway, name_of(site), "W-VWAN"));
            any_of(std::iter::once(sent).chain(hub).collect())
        };
        let known = match (joined.as_slice(), having.first()) {
            ([], _) if is_public(ip) => self.to_end(Start::Internet { ip }, ask),
            ([], None) => Outcome::denied(Stage::Route, "nobody"),
            ([], Some(&site)) => from(site),
            (joined, _) => all_of(joined.iter().map(|&site| from(site)).collect()),
        };
        any_of(std::iter::once(known).chain(self.who_else_has(ip)).collect())
    }

    pub fn to_end(&self, start: Start, ask: &Ask) -> Outcome {
        match ask.to {
            End::Machine(machine) => {
                let members = self.members_of_set(machine);
                if !members.is_empty() {
                    return any_of(members.into_iter().map(|to| self.to_end(start, &Ask { to, ..*ask })).collect());
                }
                let nics: Vec<Sym> = self.nic_machines.iter().filter(|m| m.machine == machine).map(|m| m.nic).collect();
                if nics.is_empty() {
                    return Outcome::unproven(Stage::Route, name_of(machine), "W-MISSING");
                }
                any_of(nics.iter().map(|&nic| self.to_nic(start, nic, ask)).collect())
            }
            End::Nic(nic) => self.to_nic(start, nic, ask),
            End::Subnet(subnet) => {
                if let Start::Internet { .. } = start {
                    return self.to_anybody_placed(start, subnet, ask);
                }
                if self.subnet_space(subnet).is_empty() {
                    return Outcome::unproven(Stage::Route, name_of(subnet), "W-MISSING");
                }
                let mut free = self.free_addresses(subnet);
                free.retain(|&ip| start.family_of(ip));
                // One address stands for all that look the same: a machine may call another of them.
                let walk = |ip, ask: &Ask| self.walk(start, Target::Slot(subnet), Addr::Known(ip), NO_CONFIG, ask);
                all_of(free.into_iter().map(|ip| self.by_one_way(ask, |ask| walk(ip, ask))).collect())
            }
            End::Ip(ip) => {
                let there = self.by_one_way(ask, |ask| self.to_address(start, Target::Address, ip, ask));
                self.dialled(there, ip, ask)
            }
            End::Internet(Some(ip)) => self.by_one_way(ask, |ask| self.to_address(start, Target::Outside, ip, ask)),
            End::Internet(None) => {
                let mut all = self.internet_addresses(true);
                all.extend(self.internet_addresses(false));
                // What a service endpoint leads to is no machine on the internet but a front end of Azure, which is asked for as such.
                if let Start::Inside { place, .. } = start {
                    all.retain(|&ip| !self.address_is_covered(place.subnet, ip).hi());
                }
                let to = |ip| self.by_one_way(ask, |ask| self.to_address(start, Target::Outside, ip, ask));
                any_of(all.into_iter().map(to).collect())
            }
            End::Site(site) => {
                let mut all = self.representatives_of(&self.site_space(site));
                all.extend(self.unlisted_of(site));
                all.retain(|&ip| start.family_of(ip));
                let walk = |ip, ask: &Ask| self.walk(start, Target::Site(site), Addr::Known(ip), None, ask);
                any_of(all.into_iter().map(|ip| self.by_one_way(ask, |ask| walk(ip, ask))).collect())
            }
            End::PrivateEndpoint(endpoint) => {
                let mut ips: Vec<IpAddr> = self.endpoint_ips(endpoint).into_iter().map(|(_, ip)| ip).collect();
                ips.dedup();
                if ips.is_empty() {
                    let links = self.links.iter().filter(|l| l.endpoint == endpoint);
                    return match links.map(|l| self.consent(*l)).max() {
                        Some(_) if !self.answers_at_all(endpoint, &self.packet(start, Addr::SomePublic, None, ask)) => {
                            Outcome::denied(Stage::PrivateEndpoint, name_of(endpoint))
                        }
                        Some(Tri::No) => Outcome::denied(Stage::Consent, name_of(endpoint)),
                        _ => Outcome::unproven(Stage::Route, name_of(endpoint), "dynamic-address"),
                    };
                }
                let target = Target::Endpoint(Some(endpoint), None);
                let packet = self.packet(start, Addr::SomePublic, None, ask);
                let walk = |ip, ask: &Ask| self.refused_anyway(self.walk(start, target, Addr::Known(ip), None, ask), endpoint, &packet);
                any_of(ips.into_iter().map(|ip| self.by_one_way(ask, |ask| walk(ip, ask))).collect())
            }
            End::Store(store, part, instance) => self.to_store(start, Wanted { store, part, instance }, ask),
            End::Fqdn(name) => self.to_name(start, name, ask),
            End::External(service) => any_of(self.way_by_way(ask, |ask| self.to_external(start, service, ask))),
            End::Unmodelled(id) => Outcome::unproven(Stage::Route, name_of(id), self.doubt_of(id)),
            End::Network(id) => Outcome::unproven(Stage::Route, name_of(id), "W-UNSUPPORTED"),
        }
    }

    /// From the internet to a machine that could be placed in the subnet: it has no public address, so only what is in front of machines leads to it, and to
    /// the address it gets perhaps (ADR-16).
    fn to_anybody_placed(&self, start: Start, subnet: Sym, ask: &Ask) -> Outcome {
        let nobody = Outcome::denied(Stage::Route, "no-endpoint");
        if self.subnet_space(subnet).is_empty() {
            return Outcome::unproven(Stage::Route, name_of(subnet), "W-MISSING");
        }
        let mut slots = self.free_addresses(subnet);
        let mut named: Vec<IpAddr> = self.pool_addresses.iter().map(|row| row.address).collect();
        named.extend(self.proxy_members.iter().filter_map(|row| row.address));
        named.extend(self.translations.iter().filter_map(|row| row.address));
        named.extend(self.zone_records.iter().filter_map(|row| row.value.as_str().parse::<IpAddr>().ok()));
        named.extend(self.dns_server_records.iter().map(|row| row.address));
        named.extend(self.local_records.iter().map(|row| row.address));
        slots.extend(named.into_iter().filter(|ip| self.is_free(subnet, *ip)));
        slots.sort();
        slots.dedup();
        let each = slots.into_iter().map(|ip| {
            let nic = Sym::new("somebody-placed-there");
            let there = self.with_machine(nic, subnet, ip).to_nic(start, nic, ask);
            // What is in doubt on the way there comes before whether the machine gets the address.
            let before = there.stages.clone();
            let mut perhaps =
                if there.verdict == Verdict::Unproven { there } else { there.doubted(Stage::Route, name_of(subnet), "W-MISSING") };
            perhaps.stages.extend(before);
            perhaps
        });
        any_of(each.chain([nobody]).collect())
    }

    /// The same estate with one more machine, at an address that nobody has.
    fn with_machine(&self, nic: Sym, subnet: Sym, address: IpAddr) -> World<'_> {
        let (machine, ip_config) = (Sym::new("somebody"), Sym::new("somebody-placed-there/config"));
        let mut more = self.clone();
        more.machines.push(Machine { machine, kind: MachineKind::Vm });
        more.nics.push(Nic { nic, role: NicRole::Machine, forwarding: false });
        more.nic_machines.push(NicMachine { nic, machine });
        more.configs.push(IpConfig { ip_config, nic, subnet, primary: true });
        more.config_addresses.push(IpConfigAddress { ip_config, address });
        more
    }

    /// To an interface: by its private addresses from inside, by its public ones from the internet (decision 9).
    fn to_nic(&self, start: Start, nic: Sym, ask: &Ask) -> Outcome {
        if self.nic(nic).is_none() {
            return Outcome::unproven(Stage::Route, name_of(nic), "W-MISSING");
        }
        if !self.is_attached(nic) {
            return Outcome::denied(Stage::Route, "no-endpoint"); // ADR-07
        }
        let configs = self.configs.iter().filter(|c| c.nic == nic);
        any_of(configs.flat_map(|config| self.way_by_way(ask, |ask| self.to_config(start, config, ask))).collect())
    }

    /// The ways to one address configuration.
    fn to_config(&self, start: Start, config: &IpConfig, ask: &Ask) -> Vec<Outcome> {
        let mut ways = Vec::new();
        let Start::Internet { ip: client } = start else {
            let possible = self.possible_addresses(config.ip_config, config.subnet);
            if possible.is_empty() {
                ways.push(Outcome::unproven(Stage::Route, name_of(config.subnet), "W-MISSING"));
            }
            let ips = possible.into_iter().filter(|&ip| start.family_of(ip));
            let each = ips.map(|ip| self.walk(start, Target::Config(config.ip_config), Addr::Known(ip), Some(config.ip_config), ask));
            ways.push(all_of(each.collect()));
            ways.extend(self.by_frontends(start, config.ip_config, ask));
            return ways;
        };
        // A machine whose address nobody knows may have one that something in front of machines leads to (ADR-06).
        let led =
            self.proxy_members.iter().any(|m| m.address.is_some()) || !self.pool_addresses.is_empty() || !self.translations.is_empty();
        if led && self.possible_addresses(config.ip_config, config.subnet).is_empty() {
            ways.push(Outcome::unproven(Stage::Route, name_of(config.subnet), "W-MISSING"));
        }
        ways.extend(self.in_by_frontends(start, client, config.ip_config, ask));
        ways.extend(self.in_by_firewalls(start, config.ip_config, config.subnet, ask));
        ways.extend(self.in_by_proxies(start, client, config, ask));
        for p in self.config_public_ips.iter().filter(|p| p.ip_config == config.ip_config) {
            let fits = self.has_family(p.public_ip, client.is_ipv4(), self.inside_v4(config.ip_config));
            if fits.hi() {
                let walk = self.walker(start, Target::Config(config.ip_config), ask);
                let packet = self.packet(start, Addr::SomePublic, None, ask);
                let arrived = walk.arrive_at_instance(p.public_ip, config.ip_config, packet);
                let doubted = fits == Tri::Maybe || self.is_of_two(p.public_ip);
                ways.push(if doubted { arrived.doubted(Stage::Nat, name_of(p.public_ip), "W-MISSING") } else { arrived });
            }
        }
        for public_ip in self.unclaimed_by(config.ip_config) {
            if self.has_family(public_ip, client.is_ipv4(), self.inside_v4(config.ip_config)).hi() {
                let walk = self.walker(start, Target::Config(config.ip_config), ask);
                let packet = self.packet(start, Addr::SomePublic, None, ask);
                let arrived = walk.arrive_at_instance(public_ip, config.ip_config, packet);
                ways.push(arrived.doubted(Stage::Nat, name_of(public_ip), "W-MISSING"));
            }
        }
        ways
    }

    /// To a literal address.
    pub fn to_address(&self, start: Start, target: Target, ip: IpAddr, ask: &Ask) -> Outcome {
        if !start.family_of(ip) {
            return Outcome::denied(Stage::Route, "no-endpoint"); // ADR-14
        }
        match start {
            Start::Inside { .. } => {
                if let Some(outcome) = self.to_platform(start, ip, ask) {
                    return outcome;
                }
                self.walk(start, target, Addr::Known(ip), None, ask)
            }
            Start::Site { site, .. } if is_public(ip) && !self.anywhere_inside(ip) => {
                let walk = self.walker(start, Target::Address, ask);
                let packet = self.packet(start, Addr::Known(ip), None, ask);
                let nats = self.site_addresses(site).into_iter().map(|src| walk.arrive_in_public(Packet { src, sport: None, ..packet }));
                all_of(nats.collect())
            }
            Start::Site { .. } => self.walk(start, Target::Address, Addr::Known(ip), None, ask),
            Start::Internet { .. } => {
                let walk = self.walker(start, Target::Address, ask);
                let ours = self.owns_public(ip) || self.firewall_hub_addresses.iter().any(|hub| hub.address == ip);
                if target == Target::Address && !ours && is_public(ip) && self.anywhere_inside(ip) {
                    // Private to a network, whoever has the address on the internet (ADR-02).
                    return match self.has_lost_public_ip(ip) {
                        true => Outcome::unproven(Stage::Route, "", "W-MISSING"),
                        false => Outcome::denied(Stage::Route, "no-endpoint"),
                    };
                }
                if is_public(ip) {
                    walk.arrive_in_public(self.packet(start, Addr::Known(ip), None, ask))
                } else {
                    Outcome::denied(Stage::Route, "no-endpoint")
                }
            }
        }
    }

    fn anywhere_inside(&self, ip: IpAddr) -> bool {
        self.vnets.iter().any(|v| self.in_space(v.vnet, ip))
    }

    /// The addresses of the platform itself: no rule counts but one that names their tag (NSG-11).
    fn to_platform(&self, start: Start, ip: IpAddr, ask: &Ask) -> Option<Outcome> {
        let tag = match ip.to_string().as_str() {
            "168.63.129.16" => "azureplatformdns",
            "169.254.169.254" => "azureplatformimds",
            _ => return None,
        };
        let Start::Inside { place, .. } = start else { return None };
        let packet = self.packet(start, Addr::Known(ip), None, ask);
        let each = self.groups_at(place).into_iter().map(|group| self.rules_naming(group, tag, place, &packet));
        let (tri, rule) = each.min_by_key(|(tri, _)| *tri).unwrap_or((Tri::Yes, String::new()));
        Some(check(tri, Stage::NsgOutbound, &rule, "unsure-rule", || Outcome::delivered(Via::VnetLocal)))
    }

    /// The public addresses a site's traffic leaves with; without any, some address.
    pub fn site_addresses(&self, site: Sym) -> Vec<Addr> {
        let mut all: Vec<Addr> = self.site_nats.iter().filter(|n| self.same_site(n.site, site)).map(|n| Addr::Known(n.address)).collect();
        if all.is_empty() {
            // Of a site whose addresses all lie in one that a person stated.
            let ours = self.site_space(site);
            let within = |whole: Sym| {
                let stated = |part: &Prefix| self.site_prefixes.iter().any(|p| p.site == whole && p.prefix.contains(part));
                !ours.is_empty() && ours.iter().all(stated) && !self.learns_more_of(site)
            };
            all.extend(self.site_nats.iter().filter(|n| within(n.site)).map(|n| Addr::Known(n.address)));
        }
        // And over the Microsoft peering of a circuit: any address that it announces (GW-15).
        for shown in self.circuit_prefixes.iter().filter(|c| self.same_site(c.circuit, site)) {
            let (first, last) = (number(shown.prefix.network()), number(shown.prefix.broadcast()));
            let some = if last - first < 256 { (first..=last).collect() } else { vec![first, last] };
            all.extend(some.into_iter().map(|n| Addr::Known(address(n, shown.prefix.addr().is_ipv4()))));
        }
        if all.is_empty() {
            all.push(Addr::SomePublic);
        }
        all
    }

    pub fn packet(&self, start: Start, dst: Addr, dst_config: Option<Sym>, ask: &Ask) -> Packet {
        let (src, src_config) = match start {
            Start::Inside { ip, config, .. } => (ip, config),
            Start::Site { ip, .. } | Start::Internet { ip } => (ip, None),
        };
        let called = match ask.to {
            End::Fqdn(name) => Called::Host(name),
            End::Store(store, part, instance) => {
                self.host_of(Wanted { store, part, instance }).map_or(Called::Unknown, |(host, _)| Called::Host(Sym::new(host)))
            }
            _ => Called::Unknown,
        };
        Packet {
            src: Addr::Known(src),
            src_config,
            dst,
            dst_config,
            proto: ask.proto,
            dport: ask.dport,
            sport: ask.sport,
            called,
            part: None,
        }
    }

    pub fn walker(&self, start: Start, target: Target, ask: &Ask) -> Walk<'_, '_> {
        let origin = match start {
            Start::Inside { place, .. } => self.vnet_of(place.subnet).map_or(Origin::Internet, Origin::Network),
            Start::Site { site, .. } => Origin::Site(site),
            Start::Internet { .. } => Origin::Internet,
        };
        Walk { world: self, target, origin, session: ask.session && ask.proto == Proto::Tcp }
    }

    pub fn walk(&self, start: Start, target: Target, dst: Addr, dst_config: Option<Sym>, ask: &Ask) -> Outcome {
        let walk = self.walker(start, target, ask);
        let packet = self.packet(start, dst, dst_config, ask);
        match start {
            Start::Inside { place, ip, .. } => {
                let same_family = !matches!(dst, Addr::Known(to) if to.is_ipv4() != ip.is_ipv4());
                check(Tri::from_bool(same_family), Stage::Route, "no-endpoint", "", || walk.send(place, packet, &Trip::default()))
            }
            Start::Site { site, .. } => walk.enter_by_gateway(site, packet),
            Start::Internet { .. } => Outcome::denied(Stage::Route, "no-endpoint"),
        }
    }
}

impl Start {
    pub fn family_of(&self, to: IpAddr) -> bool {
        match self {
            Start::Inside { ip, .. } | Start::Site { ip, .. } | Start::Internet { ip } => ip.is_ipv4() == to.is_ipv4(),
        }
    }

    pub fn view(&self) -> View {
        match *self {
            Start::Inside { place, config, ip } => View::Inside { place, config, ip },
            Start::Site { site, .. } => View::Site(site),
            Start::Internet { .. } => View::Internet,
        }
    }
}
