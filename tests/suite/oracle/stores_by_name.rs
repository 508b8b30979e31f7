//! To a store by its name, by any address that leads to it, or to somebody else's (section 6, X-10).

use std::collections::BTreeSet;
use std::net::IpAddr;

use watertight::explain::way::{End, Mode};
use watertight::facts::azure_firewall::{FirewallNameKind, FirewallPass};
use watertight::facts::selector::Selector;
use watertight::facts::store_facts::Service;
use watertight::model::net::is_public;
use watertight::model::{Stage, Sym, Tri, Verdict, Via};

use super::Ask;
use super::dns::Answer;
use super::ends::Start;
use super::paas::firewall_stage;
use super::packet::{Addr, Called, Outcome, Packet, all_of, any_of, check};
use super::store::Seen;
use super::walk::{Target, Trip, Wanted};
use super::world::{World, name_of};

impl World<'_> {
    /// To a name: the client's own view decides the address.
    pub fn to_name(&self, start: Start, name: Sym, ask: &Ask) -> Outcome {
        if let Some(wanted) = self.part_named(name.as_str()) {
            return self.to_store(start, wanted, ask);
        }
        self.by_one_way(ask, |ask| self.to_other_name(start, name, ask))
    }

    /// To a name that no store of the input bears.
    fn to_other_name(&self, start: Start, name: Sym, ask: &Ask) -> Outcome {
        // Who may dial any address with any name gets to the store that the name is a name of (M-05, R-02).
        let private = self.parts.iter().find(|p| self.private_name(p.host.as_str()).is_some_and(|alias| alias == name.as_str()));
        if let (Some(part), Mode::Adversarial) = (private, ask.mode) {
            return self.to_store(start, Wanted { store: part.store, part: part.part, instance: part.instance }, ask);
        }
        match self.resolve(start.view(), name.as_str()) {
            Answer::Addresses(ips) => {
                let each = ips.into_iter().map(|ip| match ask.mode {
                    Mode::Adversarial => self.to_address(start, Target::Address, ip, ask),
                    Mode::Configured => {
                        let there = self.to_address(start, Target::Address, ip, ask);
                        check(self.answers_to(ip, name.as_str()), Stage::PrivateEndpoint, name.as_str(), "NAME_TLS", || there)
                    }
                });
                all_of(each.collect())
            }
            Answer::Public(_) if ask.mode == Mode::Configured && is_alias(name.as_str()) => Outcome::denied(Stage::Dns, name_of(name)),
            Answer::Public(Some(wanted)) if ask.mode == Mode::Adversarial => self.to_store(start, wanted, ask),
            Answer::Public(Some(wanted)) => self.to_front(start, wanted, ask).doubted(Stage::Dns, name_of(name), "NAME_TLS"),
            Answer::Nothing(word) => Outcome::denied(Stage::Dns, word),
            Answer::Unknown(word) => Outcome::unproven(Stage::Dns, word, "DNS_UNKNOWN"),
            Answer::Public(None) => match start {
                // Nobody lists its addresses: it may be any, so all of them must be in reach.
                Start::Inside { ip, .. } => {
                    let each = self
                        .internet_addresses(ip.is_ipv4())
                        .into_iter()
                        .map(|to| self.walk(start, Target::Address, Addr::Known(to), None, ask));
                    let outcome = all_of(each.collect());
                    // A service of Azure's, whose own firewall nobody knows (DNS-35, GEN-05).
                    let first = name.as_str().split('.').next().unwrap_or("");
                    let exported = self.resources.iter().any(|row| row.name.as_str().to_lowercase() == first);
                    if self.is_in_azure(name.as_str()) && (ask.mode == Mode::Configured || exported) {
                        return outcome.doubted(Stage::Dns, "public", "DNS_UNKNOWN");
                    }
                    if outcome.verdict == Verdict::Unproven { outcome.doubted(Stage::Dns, "public", "DNS_UNKNOWN") } else { outcome }
                }
                _ => Outcome::unproven(Stage::Dns, "public", "DNS_UNKNOWN"),
            },
        }
    }

    /// Whether the name ends as those of Azure's services do.
    fn is_in_azure(&self, name: &str) -> bool {
        let below = |suffix: &str| {
            let fixed = suffix.rsplit('}').next().unwrap_or("").trim_start_matches('.');
            !fixed.is_empty() && name.ends_with(&format!(".{fixed}"))
        };
        self.platform.is_reserved(name) || self.platform.zones().iter().any(|zone| below(zone.suffix.as_str()) || below(zone.zone.as_str()))
    }

    /// What becomes of a client that asks for an address and minds names: behind a private endpoint no certificate is for that (PE-30).
    pub fn dialled(&self, there: Outcome, ip: IpAddr, ask: &Ask) -> Outcome {
        let mut links: Vec<_> = self.endpoints.iter().flat_map(|e| self.endpoint_ips(e.endpoint)).filter(|&(_, at)| at == ip).collect();
        // Nor behind one that may have the address.
        for endpoint in self.endpoints.iter().filter(|_| links.is_empty()).filter(|e| self.has_untold_ip(e.endpoint)).collect::<Vec<_>>() {
            if self.subnet_space(endpoint.subnet).iter().any(|p| p.contains(&ip)) {
                links.extend(self.links.iter().filter(|l| l.endpoint == endpoint.endpoint).map(|l| (*l, ip)));
            }
        }
        let machine = self.config_addresses.iter().any(|a| {
            a.address == ip && self.configs.iter().any(|c| c.ip_config == a.ip_config && !self.endpoint_nics.iter().any(|n| n.nic == c.nic))
        });
        let plain = links.iter().any(|(link, _)| link.group.is_empty() || self.services.iter().any(|s| s.service == link.target));
        let only = there.vias.iter().all(|via| *via == Via::PrivateEndpoint) && !there.vias.is_empty();
        if ask.mode == Mode::Adversarial || links.is_empty() || plain || machine {
            return there;
        }
        match there.verdict {
            Verdict::Allowed => Outcome::denied(Stage::PrivateEndpoint, ip.to_string()),
            Verdict::Unproven if only => Outcome::denied(Stage::PrivateEndpoint, ip.to_string()).with_stages_of(&[there]),
            _ => there,
        }
    }

    /// Whether what stands at an address takes a client that calls it so: a service of Azure only by its own names (PE-29, PE-30).
    fn answers_to(&self, ip: IpAddr, name: &str) -> Tri {
        let endpoints = self.endpoints.iter().flat_map(|e| self.endpoint_ips(e.endpoint)).filter(|&(_, at)| at == ip);
        let takes = |link: watertight::facts::private_access::PrivateEndpointConnection| {
            let ours = self.services.iter().any(|s| s.service == link.target) || link.group.is_empty();
            let last = link.target.as_str().rsplit('/').next().unwrap_or("");
            let called = self.private_name(name).is_some() && name.split('.').next() == Some(last);
            match () {
                () if ours || called => Tri::Yes,
                () if is_alias(name) => Tri::No,
                () => Tri::Maybe,
            }
        };
        endpoints.map(|(link, _)| takes(link)).max().unwrap_or(Tri::Yes)
    }

    /// To an endpoint of a store (section 6).
    pub fn to_store(&self, start: Start, wanted: Wanted, ask: &Ask) -> Outcome {
        if self.service_of(wanted.store).is_none() {
            return Outcome::unproven(Stage::PaasFirewall, name_of(wanted.store), "W-MISSING");
        }
        let Some((host, _)) = self.host_of(wanted) else {
            return Outcome::unproven(Stage::Dns, name_of(wanted.store), "W-MISSING");
        };
        if ask.mode == Mode::Adversarial {
            return any_of(self.way_by_way(ask, |ask| self.by_any_way(start, wanted, ask)));
        }
        // What stands in no domain is no name of a front end.
        let answer = if host.contains('.') { self.resolve(start.view(), host) } else { Answer::Unknown("name") };
        match answer {
            Answer::Public(_) => self.by_one_way(ask, |ask| self.to_front(start, wanted, ask)),
            Answer::Nothing(word) => Outcome::denied(Stage::Dns, word),
            // Whatever it resolves to: where no way at all leads to the store, the name leads nowhere either.
            Answer::Unknown(word) => match any_of(self.way_by_way(ask, |ask| self.by_any_way(start, wanted, ask))) {
                lost if lost.verdict == Verdict::Denied => lost,
                _ => Outcome::unproven(Stage::Dns, word, "DNS_UNKNOWN"),
            },
            Answer::Addresses(ips) => {
                let several = ips.len() > 1;
                let to = |ip| any_of(self.way_by_way(ask, |ask| self.to_resolved(start, wanted, ip, ask)));
                let outcome = all_of(ips.into_iter().map(to).collect());
                // Which of them the client takes it was not told where they differ.
                if several && outcome.verdict == Verdict::Unproven { outcome.beside(Stage::Dns) } else { outcome }
            }
        }
    }

    /// By each of its private endpoints, and to its public front end.
    fn by_any_way(&self, start: Start, wanted: Wanted, ask: &Ask) -> Vec<Outcome> {
        let mut ways = Vec::new();
        // Also those of which only the connection is in the input: a packet may be lost on its way there, or not.
        let endpoints: BTreeSet<Sym> = self.links.iter().filter(|l| l.target == wanted.store).map(|l| l.endpoint).collect();
        for endpoint in endpoints {
            for (link, ip) in self.endpoint_ips(endpoint) {
                if link.target == wanted.store && link.group == super::endpoint::group_of(wanted) {
                    let target = Target::Endpoint(Some(endpoint), Some(wanted));
                    let way = self.walk(start, target, Addr::Known(ip), None, ask);
                    ways.push(self.refused_anyway(way, endpoint, &self.packet(start, Addr::SomePublic, None, ask)));
                }
            }
        }
        let group = super::endpoint::group_of(wanted);
        for link in self.links.iter().filter(|l| l.target == wanted.store && l.group == group && self.consent(**l).hi()) {
            let inside = !matches!(start, Start::Internet { .. });
            if inside && self.has_untold_ip(link.endpoint) {
                let unknown = Outcome::unproven(Stage::Route, name_of(link.endpoint), "dynamic-address");
                ways.push(self.refused_anyway(unknown, link.endpoint, &self.packet(start, Addr::SomePublic, None, ask)));
            }
        }
        ways.extend(self.by_hidden_endpoints(start, wanted, None, ask));
        ways.push(self.to_front(start, wanted, ask));
        ways
    }

    /// What reaches an endpoint whose connections are all refused is lost there, by whatever way it comes.
    pub fn refused_anyway(&self, outcome: Outcome, endpoint: Sym, packet: &Packet) -> Outcome {
        let consent = self.links.iter().filter(|l| l.endpoint == endpoint).map(|l| self.consent(*l)).max();
        match outcome.verdict {
            Verdict::Unproven if consent.is_some() && !self.answers_at_all(endpoint, packet) => {
                outcome.refused_at(Stage::PrivateEndpoint, name_of(endpoint))
            }
            Verdict::Unproven if consent == Some(watertight::model::Tri::No) => outcome.refused_at(Stage::Consent, name_of(endpoint)),
            Verdict::Unproven if consent.is_some() && self.leads_to_what_cannot_work(endpoint) => {
                outcome.refused_at(Stage::PrivateEndpoint, name_of(endpoint))
            }
            _ => outcome,
        }
    }

    /// Whether all that the endpoint is for are services that cannot work as they are configured.
    fn leads_to_what_cannot_work(&self, endpoint: Sym) -> bool {
        self.links.iter().filter(|l| l.endpoint == endpoint).all(|link| {
            self.service_named(link.target).is_some_and(|service| {
                let nats = self.service_nats.iter().filter(|n| n.service == service.service).count();
                !self.is_usable(service, nats).hi()
            })
        })
    }

    /// To the address a store's name resolved to (DNS-28).
    fn to_resolved(&self, start: Start, wanted: Wanted, ip: IpAddr, ask: &Ask) -> Vec<Outcome> {
        let known = self.to_known_owner(start, wanted, ip, ask);
        let mut ways = self.by_hidden_endpoints(start, wanted, Some(ip), ask);
        if ways.iter().all(|way| way.verdict == Verdict::Denied) {
            ways.fill(known.clone()); // as many, so that they can be told apart whatever the source port
        }
        ways.push(known);
        ways
    }

    fn to_known_owner(&self, start: Start, wanted: Wanted, ip: IpAddr, ask: &Ask) -> Outcome {
        if is_public(ip) {
            return Outcome::unproven(Stage::Dns, ip.to_string(), "DNS_UNKNOWN");
        }
        if self.endpoints.iter().any(|e| self.endpoint_ips(e.endpoint).iter().any(|&(_, a)| a == ip)) {
            return self.walk(start, Target::Endpoint(None, Some(wanted)), Addr::Known(ip), None, ask);
        }
        // An endpoint of the store whose address nobody exported may have this one.
        let group = super::endpoint::group_of(wanted);
        let hidden = self.links.iter().find(|l| l.target == wanted.store && l.group == group && self.has_untold_ip(l.endpoint));
        if let Some(link) = hidden {
            let unknown = Outcome::unproven(Stage::Dns, ip.to_string(), "DNS_UNKNOWN");
            return self.refused_anyway(unknown, link.endpoint, &self.packet(start, Addr::Known(ip), None, ask));
        }
        let somebody = self.config_addresses.iter().any(|a| a.address == ip)
            || self.device_addresses.iter().any(|a| a.address == ip)
            || self.local_prefixes.iter().any(|p| p.prefix.contains(&ip))
            || self.site_prefixes.iter().any(|p| p.prefix.contains(&ip))
            || self.leaves_open(ip);
        if somebody {
            Outcome::unproven(Stage::Dns, ip.to_string(), "DNS_UNKNOWN")
        } else {
            Outcome::denied(Stage::Dns, self.record_of(ip))
        }
    }

    /// Whether something in the subnet of the address could have it: what the service there manages, or what has no address that is told (ADR-06, ADR-09).
    fn leaves_open(&self, ip: IpAddr) -> bool {
        let here = |subnet: Sym| self.subnet_space(subnet).iter().any(|p| p.contains(&ip));
        let delegated = self.delegations.iter().any(|d| here(d.subnet));
        let devices = self.devices.iter().any(|d| here(d.subnet));
        let fronts = self.fronts.iter().any(|f| f.address.is_none() && here(f.subnet));
        let configs = self.configs.iter().any(|c| self.addresses_of(c.ip_config).is_empty() && here(c.subnet));
        let endpoints = self.endpoints.iter().any(|e| self.has_untold_ip(e.endpoint) && here(e.subnet));
        delegated || devices || fronts || configs || endpoints
    }

    /// The record that leads to an address, for the reason.
    fn record_of(&self, ip: IpAddr) -> String {
        self.zone_records.iter().find(|r| r.value.as_str() == ip.to_string()).map_or(String::new(), |r| r.record.as_str().to_owned())
    }

    /// To the public front end.
    fn to_front(&self, start: Start, wanted: Wanted, ask: &Ask) -> Outcome {
        let Some(service) = self.service_of(wanted.store) else {
            return Outcome::unproven(Stage::PaasFirewall, name_of(wanted.store), "W-MISSING");
        };
        let region = self.host_of(wanted).map_or(Sym::EMPTY, |(_, region)| region);
        let outcome = self.to_any_front(start, Target::Front(wanted), (service, region), None, ask);
        // By whatever way an unknown hop leads there: a firewall that admits nobody refuses it.
        if outcome.verdict == Verdict::Unproven && !self.admits_anybody(wanted, service) {
            let seen = outcome.clone();
            return outcome.refused_at(firewall_stage(service), "defaultAction=Deny").with_stages_of(&[seen]);
        }
        outcome
    }

    fn to_any_front(&self, start: Start, target: Target, (service, region): (Service, Sym), called: Option<Called>, ask: &Ask) -> Outcome {
        let walk = self.walker(start, target, ask);
        let packet = self.packet(start, Addr::Front(service, region), None, ask);
        let packet = Packet { called: called.unwrap_or(packet.called), ..packet };
        match start {
            Start::Inside { ip, .. } if ip.is_ipv6() => Outcome::denied(Stage::Route, "no-endpoint"),
            Start::Inside { place, .. } => walk.send(place, packet, &Trip::default()),
            Start::Site { site, .. } => {
                let each = self
                    .site_addresses(site)
                    .into_iter()
                    .map(|addr| walk.front_end(packet, Seen::Public { addr, azure: false }, Via::Public));
                all_of(each.collect())
            }
            Start::Internet { ip } => walk.front_end(packet, Seen::Public { addr: Addr::Known(ip), azure: false }, Via::Public),
        }
    }

    /// To somebody else's store, in whatever region suits the sender, or through an endpoint of ours that leads there.
    pub fn to_external(&self, start: Start, service: Service, ask: &Ask) -> Vec<Outcome> {
        let mut regions: Vec<Sym> = self.vnets.iter().map(|v| v.location).chain(self.parts.iter().map(|p| p.location)).collect();
        regions.extend(regions.clone().iter().filter_map(|r| self.platform.region_pair(*r)));
        regions.extend(self.regions_that_rules_name(service));
        regions.extend(self.service_endpoints.iter().map(|e| e.location).filter(|location| location.as_str() != "*"));
        regions.push(Sym::new("elsewhere"));
        regions.retain(|r| !r.is_empty());
        regions.sort();
        regions.dedup();
        let named = self.hosts_that_rules_name(service);
        let mut ways: Vec<Outcome> = Vec::new();
        for region in regions {
            let to = |name| self.to_any_front(start, Target::External(service), (service, region), Some(name), ask);
            ways.extend(self.names_of_strangers(service).into_iter().map(to));
            // Whoever has a host that a person named, the attacker perhaps has it.
            ways.extend(named.iter().map(|host| to(Called::Host(*host)).doubted(Stage::Delivered, host.as_str(), "W-MISSING")));
        }
        for endpoint in &self.endpoints {
            for (link, ip) in self.endpoint_ips(endpoint.endpoint) {
                let outside = self.leads_outside(link.target, service);
                if outside != Tri::No {
                    let way = self.walk(start, Target::Endpoint(Some(endpoint.endpoint), None), Addr::Known(ip), None, ask);
                    let sure = outside == Tri::Yes;
                    ways.push(if sure { way } else { way.doubted(Stage::PrivateEndpoint, name_of(link.target), "W-MISSING") });
                }
            }
        }
        // A stranger's account that was exported tells of connections whose endpoints were not.
        for part in self.parts.iter().filter(|p| self.service_of(p.store) == Some(service)) {
            let outside = self.is_outside(part.store);
            if outside != Tri::No {
                let wanted = Wanted { store: part.store, part: part.part, instance: part.instance };
                let hidden = self.by_hidden_endpoints(start, wanted, None, ask).into_iter();
                let doubt = |way: Outcome| {
                    if outside == Tri::Yes { way } else { way.doubted(Stage::PrivateEndpoint, name_of(part.store), "W-MISSING") }
                };
                ways.extend(hidden.map(doubt));
            }
        }
        // An endpoint of which nobody says what it leads to may lead to one.
        for endpoint in self.nameless_endpoints() {
            let nics = self.endpoint_nics.iter().filter(|row| row.endpoint == endpoint);
            let configs = nics.flat_map(|row| self.configs.iter().filter(move |config| config.nic == row.nic));
            let seen: Vec<IpAddr> = configs.flat_map(|config| self.addresses_of(config.ip_config)).collect();
            let alone = !self.endpoints.iter().any(|row| row.endpoint == endpoint);
            let there = if alone && !seen.is_empty() && matches!(start, Start::Inside { .. }) {
                any_of(seen.into_iter().map(|ip| self.walk(start, Target::Address, Addr::Known(ip), None, ask)).collect())
            } else {
                self.to_end(start, &Ask { to: End::PrivateEndpoint(endpoint), ..*ask })
            };
            ways.push(there.doubted(Stage::PrivateEndpoint, name_of(endpoint), "W-MISSING"));
        }
        ways
    }

    /// What somebody else's stores of a service may be called: a name below each of its suffixes.
    fn names_of_strangers(&self, service: Service) -> Vec<Called> {
        let kind = super::paas::table(service).0;
        let zones = self.platform.zones().iter().filter(|z| z.kind.as_str() == kind);
        let below = zones.map(|z| z.suffix.as_str().trim_start_matches("z{n}.")).map(|suffix| Called::Below(Sym::new(suffix)));
        let below: Vec<Called> = below.collect();
        if below.is_empty() { vec![Called::Unknown] } else { below }
    }

    /// The regions that a rule names as `Service.Region`: a group's, a network manager's or a firewall's.
    fn regions_that_rules_name(&self, service: Service) -> Vec<Sym> {
        let tag = super::paas::table(service).1;
        let lists = self.nsg_rules.iter().map(|r| r.destinations).chain(self.admin_rules.iter().map(|r| r.destinations));
        let lists = lists.chain(self.firewall_rules.iter().map(|r| r.destinations));
        let mut found = Vec::new();
        for selector in lists.flat_map(|list| list.items()) {
            if let Selector::Tag(name) = selector
                && let Some((base, region)) = name.as_str().split_once('.')
                && (base == tag || base == "azurecloud")
            {
                found.extend(self.platform.tag_region(region));
            }
        }
        found
    }

    /// The hosts below a suffix of the service that application rules name in full, but for those of stores inside the boundary.
    fn hosts_that_rules_name(&self, service: Service) -> Vec<Sym> {
        let below: Vec<&str> = self
            .names_of_strangers(service)
            .into_iter()
            .filter_map(|name| if let Called::Below(suffix) = name { Some(suffix.as_str()) } else { None })
            .collect();
        let mut found: Vec<Sym> = Vec::new();
        for row in &self.rule_names {
            let applies = self.firewall_rules.iter().any(|r| r.rule == row.rule && r.pass == FirewallPass::Application);
            let text = row.name.as_str();
            let host = match row.what {
                FirewallNameKind::Fqdn => text,
                FirewallNameKind::Url => text.rsplit("://").next().unwrap_or(text).split(&['/', ':'][..]).next().unwrap_or(""),
                _ => continue,
            };
            let fits = below.iter().any(|suffix| host.ends_with(&format!(".{suffix}")));
            let ours = self.part_named(host).is_some_and(|wanted| self.is_outside(wanted.store) == Tri::No);
            if applies && fits && !host.contains('*') && !ours {
                found.push(Sym::new(host));
            }
        }
        found
    }

    /// Whether a private endpoint's target is a store of the service outside the boundary.
    fn leads_outside(&self, target: Sym, service: Service) -> Tri {
        let kind = super::paas::table(service).0;
        let of_kind = watertight::model::ids::id_type(target.as_str()).as_deref() == Some(kind);
        if of_kind { self.is_outside(target) } else { Tri::No }
    }
}

/// The name that Azure gives a service for its private endpoints; no certificate has it.
fn is_alias(name: &str) -> bool {
    let azure = ["windows.net", "azure.net", "azure.com", "azurewebsites.net", "azurecr.io"];
    name.contains(".privatelink.") && azure.iter().any(|suffix| name.ends_with(suffix))
}
