//! Stores: the way to a public front end, service endpoints and their policies, and the firewall (SE, SEP, FW, ST, KV, SQL, section 6).

use std::net::IpAddr;

use watertight::facts::network::HopKind;
use watertight::facts::private_access::EndpointPolicyScope;
use watertight::facts::selector::Selector;
use watertight::facts::store_facts::{Instance, Service};
use watertight::model::{Prefix, Proto, Stage, Sym, Tri, Via, net};

use super::address::service_tag;
use super::filter::Place;
use super::paas::{external_ports, firewall_stage, main_part, table};
use super::packet::{Addr, Outcome, Packet, all_of, check};
use super::walk::{Target, Trip, Walk, Wanted};
use super::world::{World, name_of};

/// What a front end is shown of the client (M-08).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The identity of a subnet with a service endpoint.
    Subnet(Sym),
    /// A machine of the account's own region (ST-11).
    SameRegion,
    /// A resource that calls in its own name.
    Caller(Sym),
    /// A public address; whether it is a machine in Azure.
    Public { addr: Addr, azure: bool },
}

impl Walk<'_, '_> {
    /// Over a service endpoint: policies, then the front end sees the subnet (SE-08, SEP-15).
    pub fn over_service_endpoint(&self, at: Place, packet: Packet, trip: &Trip) -> Outcome {
        // It carries packets of its own subnet alone, and gives those of others no identity (NVA-06).
        let foreign = trip.passed.last().is_some_and(|last| !last.translated);
        if foreign && matches!(self.target, Target::Front(_) | Target::External(_)) {
            return Outcome::denied(Stage::Route, "source of another machine");
        }
        let (tri, rule, code) = self.world.policies_admit(at.subnet, self.target, packet.dst);
        check(tri, Stage::ServiceEndpointPolicy, &rule, code, || {
            self.with_return(trip, || match self.target {
                Target::Front(_) | Target::External(_) => self.front_end(packet, Seen::Subnet(at.subnet), Via::ServiceEndpoint),
                // Behind it are front ends of Azure alone.
                Target::Config(_) | Target::Slot(_) | Target::Site(_) | Target::Endpoint(..) => {
                    Outcome::denied(Stage::Delivered, "a front end")
                }
                _ => Outcome::delivered(Via::ServiceEndpoint),
            })
        })
    }

    /// Out of a subnet to a front end by its public address.
    pub fn leave_for_front_end(&self, at: Place, packet: Packet, trip: &Trip) -> Outcome {
        let region = self.world.vnet_of(at.subnet).map_or(Sym::EMPTY, |v| self.world.vnet_region(v));
        let Addr::Front(service, home) = packet.dst else { return Outcome::denied(Stage::Route, "no-endpoint") };
        let inside = || {
            let arrives = self.with_return(trip, || self.front_end(packet, Seen::SameRegion, Via::Public));
            // OUT-09 says it of private subnets; that it goes for all who have no way out nobody says.
            let private = self.world.default_outbound.iter().any(|d| d.subnet == at.subnet && d.allowed == Tri::No);
            let goes = private || self.world.way_out(at, &packet).sure == Tri::Yes;
            if goes { arrives } else { arrives.doubted(Stage::Nat, "same region", "W-UNSUPPORTED") }
        };
        let outside = || {
            self.with_egress(at, &packet, |addr| {
                self.with_return(trip, || self.front_end(packet, Seen::Public { addr, azure: true }, Via::Public))
            })
        };
        if service == Service::DataLake && trip.passed.is_empty() && self.world.adds_claims(at.subnet, home) {
            let claims = || self.with_return(trip, || self.front_end(packet, Seen::Subnet(at.subnet), Via::Public));
            let arrives = outside();
            // The token is looked at where the packets arrive at all; the source address may do instead.
            return if arrives.stage == Stage::PaasFirewall { claims() } else { arrives };
        }
        if service != Service::Storage {
            return outside();
        }
        if region.is_empty() || home.is_empty() {
            return all_of(vec![inside(), outside()]).doubted(Stage::Nat, "region", "W-MISSING");
        }
        if region == home { inside() } else { outside() }
    }

    /// The front end itself: ports, then the firewall (M-16, FW).
    pub fn front_end(&self, packet: Packet, seen: Seen, via: Via) -> Outcome {
        let world = self.world;
        let done = || Outcome::delivered(via);
        match self.target {
            Target::External(service) => {
                // Whether the premium account of a stranger speaks NFS is his to say.
                let premium = service == Service::Storage && packet.dport == 2049;
                let answers = packet.proto == Proto::Tcp && (external_ports(service).contains(&packet.dport) || premium);
                check(Tri::from_bool(answers), firewall_stage(service), "port", "", done)
            }
            Target::Front(wanted) => {
                let Some(service) = world.service_of(wanted.store) else {
                    return Outcome::unproven(Stage::PaasFirewall, name_of(wanted.store), "W-MISSING");
                };
                let stage = firewall_stage(service);
                check(world.front_answers(wanted, &packet), stage, "port", "unknown-port", || {
                    check(world.https_is_enough(wanted, service, &packet), Stage::Perimeter, "https", "W-UNSUPPORTED", || {
                        let (tri, rule, code, stage) = world.admits(wanted, service, seen, world.sender_of(&packet));
                        check(tri, stage, &rule, code, done)
                    })
                })
            }
            _ => done(),
        }
    }
}

impl World<'_> {
    /// Whether the front end answers at the port (M-16).
    pub fn front_answers(&self, wanted: Wanted, packet: &Packet) -> Tri {
        if packet.proto != Proto::Tcp {
            return Tri::No; // SE-12
        }
        let plain = self.accesses.iter().any(|a| a.store == wanted.store && a.plain_http);
        let web = self.service_of(wanted.store) == Some(Service::Storage) && wanted.part.as_str() != "file";
        let ports = self.ports_of(wanted.store, wanted.part);
        let listed = ports.contains(&packet.dport) || (plain && web && packet.dport == 80);
        let unknown = if ports.is_empty() { Tri::Maybe } else { Tri::No };
        let main = main_part(wanted.part);
        let group = if wanted.instance == Instance::Secondary { Sym::new(&format!("{main}_secondary")) } else { main };
        Tri::from_bool(listed).or(unknown).or(self.extra_port(group, wanted.store, packet.dport))
    }

    /// The ports of a part; some names of parts stand for different ports with different services.
    pub fn ports_of(&self, store: Sym, part: Sym) -> Vec<u16> {
        match (self.service_of(store), main_part(part).as_str()) {
            (Some(Service::Cosmos), "sql") => vec![443],
            (None, "sql") if store.as_str().contains("/microsoft.documentdb/databaseaccounts/") => vec![443],
            (Some(Service::Synapse), "sql") => vec![1433],
            (Some(Service::EventHub), "namespace") => vec![443, 5671, 5672, 9093],
            _ => self.platform.ports(main_part(part)).to_vec(),
        }
    }

    /// Ports that a front end has only in some of its shapes, which the facts do not tell apart.
    pub fn extra_port(&self, group: Sym, store: Sym, port: u16) -> Tri {
        let http = port == 80 && self.accesses.iter().any(|a| a.store == store && a.plain_http);
        // Of an account that is not in the input nobody knows its shape.
        let unseen = !self.stores.iter().any(|s| s.store == store);
        match (group.as_str(), port) {
            ("file" | "file_secondary", 2049) if unseen || self.is_premium_share(store) => Tri::Maybe,
            ("sqlserver", 11000..=11999) => Tri::Maybe,
            ("sql", 10000..=20000) if self.service_of(store) == Some(Service::Cosmos) => Tri::Maybe,
            ("blob" | "dfs" | "queue" | "table" | "web", 80) if http => Tri::Yes,
            _ => self.switched_port(group, store, port, unseen),
        }
    }

    /// Port 80 of all but file shares, 22 for SFTP, 111 and 2048 for NFS 3.0: the last three of blobs, and of the other name of the same data perhaps.
    fn switched_port(&self, group: Sym, store: Sym, port: u16, unseen: bool) -> Tri {
        let (part, copy) = match group.as_str().strip_suffix("_secondary") {
            Some(part) => (part, true),
            None => (group.as_str(), false),
        };
        let wanted = match (part, port) {
            ("blob" | "dfs" | "queue" | "table" | "web", 80) => "http",
            ("blob" | "dfs", 22) => "sftp",
            ("blob" | "dfs", 111 | 2048) => "nfsv3",
            _ => return Tri::No,
        };
        if unseen {
            return Tri::Maybe;
        }
        let mut found = Tri::No;
        for row in self.switches.iter().filter(|row| row.store == store && row.switch.as_str() == wanted) {
            let documented = !copy && (part == "blob" || port == 80);
            found = found.or(if documented {
                row.on
            } else if row.on == Tri::No {
                Tri::No
            } else {
                Tri::Maybe
            });
        }
        found
    }

    fn is_premium_share(&self, store: Sym) -> bool {
        self.stores.iter().any(|s| s.store == store && (s.kind.as_str() == "filestorage" || s.kind.is_empty()))
    }

    /// Whether a service endpoint of the subnet carries the packet (SE-02, SE-12, SE-15).
    pub fn service_endpoint_route(&self, subnet: Sym, packet: &Packet) -> Tri {
        if packet.proto != Proto::Tcp {
            return Tri::No;
        }
        match packet.dst {
            Addr::Front(service, region) => {
                let seen =
                    self.seen_at(subnet).unwrap_or_default().into_iter().filter(|r| r.hop.as_str() == "virtualnetworkserviceendpoint");
                let seen = seen.filter(|r| self.in_prefix(packet.dst, r.prefix).hi()).count() > 0;
                let covers = self.endpoint_covers(subnet, service, region);
                if seen { covers.or(Tri::Maybe) } else { covers } // RTE-07
            }
            Addr::Known(ip) => self.address_is_covered(subnet, ip),
            Addr::SomePublic => Tri::No,
        }
    }

    /// Whether tokens asked for in the subnet carry its identity to a region (SE-18).
    fn adds_claims(&self, subnet: Sym, region: Sym) -> bool {
        let on = self.service_endpoints.iter().any(|e| e.subnet == subnet && e.service.as_str() == "microsoft.azureactivedirectory");
        on && self.vnet_of(subnet).is_some_and(|v| self.vnet_region(v) == region)
    }

    /// `se_covers` (SE-15, SEP-04), where SQL is never surely covered in another region than the network's (SE-16).
    fn endpoint_covers(&self, subnet: Sym, service: Service, region: Sym) -> Tri {
        let home = self.vnet_of(subnet).map_or(Sym::EMPTY, |vnet| self.vnet_region(vnet));
        let at_home = !home.is_empty() && home == region;
        let most = match service {
            Service::Sql | Service::Database | Service::Synapse if !at_home => Tri::Maybe,
            _ => Tri::Yes,
        };
        self.endpoint_lists(subnet, service, region).min(most)
    }

    /// What the endpoint's own locations say.
    fn endpoint_lists(&self, subnet: Sym, service: Service, region: Sym) -> Tri {
        let Some(vnet) = self.vnet_of(subnet) else { return Tri::No };
        let home = self.vnet_region(vnet);
        let mut best = Tri::No;
        for e in self.service_endpoints.iter().filter(|e| e.subnet == subnet && serves(e.service, service)) {
            let global = e.service.as_str() == "microsoft.storage.global";
            let first_version = self.eras.iter().any(|e| e.era.as_str() == "2019"); // SEP-16
            let widens = service == Service::Storage && !first_version;
            let attached = || self.subnet_policies.iter().filter(|p| p.subnet == subnet);
            let widened = widens && attached().any(|p| !self.is_disputed(subnet, p.policy));
            let perhaps = if widens && attached().next().is_some() { Tri::Maybe } else { Tri::No };
            let known = |same: bool| if home.is_empty() || region.is_empty() { Tri::Maybe } else { Tri::from_bool(same) };
            // A list that is there and empty is no list, or one of no region.
            let (location, most) = if e.location.as_str() == "none" { ("", Tri::Maybe) } else { (e.location.as_str(), Tri::Yes) };
            let covers = match location {
                _ if global || widened => Tri::Yes,
                _ if service == Service::Relay => Tri::Maybe,
                "*" => Tri::Yes,
                "" => match service {
                    Service::Storage => known(region == home || self.platform.region_pair(home) == Some(region)),
                    Service::Sql | Service::Database | Service::Synapse => known(region == home),
                    _ => Tri::Yes,
                },
                _ if region.is_empty() => Tri::Maybe,
                _ => Tri::from_bool(e.location == region),
            };
            best = best.or(covers.or(perhaps).min(most));
        }
        best
    }

    /// The same for a literal public address: it lies in a tag that an endpoint of the subnet covers (RTE-05).
    pub fn address_is_covered(&self, subnet: Sym, ip: IpAddr) -> Tri {
        let Some(vnet) = self.vnet_of(subnet) else { return Tri::No };
        if !net::is_public(ip) || self.in_space(vnet, ip) {
            return Tri::No;
        }
        let mut best = Tri::No;
        for e in self.service_endpoints.iter().filter(|e| e.subnet == subnet) {
            let Some(service) = Service::EXTERNAL.into_iter().find(|service| serves(e.service, *service)) else {
                // No store of anybody's is there to be asked for, but its addresses are covered all the same.
                let tag = self.platform.service_tag_of_endpoint(e.service).and_then(|tag| self.platform.tag(tag));
                best = best.or(Tri::from_bool(tag.is_some_and(|all| all.iter().any(|p| p.contains(&ip)))));
                continue;
            };
            let whole = service_tag(service);
            if self.platform.tag(Sym::new(whole)).is_none() {
                continue; // nobody knows what it covers
            }
            let inside = |tag: &str| self.platform.tag(Sym::new(tag)).map(|all| all.iter().any(|p| p.contains(&ip)));
            if inside(whole) == Some(false) {
                continue;
            }
            let mut regions = vec![self.vnet_region(vnet)];
            regions.extend(self.platform.region_pair(regions[0]));
            regions.push(e.location);
            let of_none = e.location.as_str() == "none";
            let covers = |region: Sym| {
                let listed = self.endpoint_lists(subnet, service, region);
                listed == Tri::Yes || of_none && listed.hi()
            };
            let known = regions.iter().filter(|r| !r.is_empty()).filter(|r| covers(**r));
            let sure = known.clone().any(|r| inside(&format!("{whole}.{r}")) == Some(true));
            let everywhere = self.endpoint_lists(subnet, service, Sym::new("(any other)")) == Tri::Yes && inside(whole) == Some(true);
            let unknown = inside(whole).is_none() || known.clone().any(|r| inside(&format!("{whole}.{r}")).is_none());
            let anywhere = of_none && self.endpoint_lists(subnet, service, Sym::new("(any other)")).hi() && inside(whole) == Some(true);
            best = best.or(if (sure || everywhere) && !of_none {
                Tri::Yes
            } else if unknown || of_none && (sure || anywhere) || self.vnet_region(vnet).is_empty() {
                Tri::Maybe
            } else {
                Tri::No
            });
        }
        best
    }

    /// Whether a service endpoint of the subnet covers addresses that nobody lists, of which the public one may be one (RTE-05, NSG-25).
    pub fn has_endpoint_of_unknown_range(&self, subnet: Sym, ip: std::net::IpAddr) -> bool {
        let listed = |name: Sym| self.platform.service_tag_of_endpoint(name).is_some_and(|tag| self.platform.tag(tag).is_some());
        let mine = self.vnet_of(subnet).is_some_and(|vnet| self.in_space(vnet, ip));
        let ours = self.public_ip_addresses.iter().any(|row| row.address == ip);
        net::is_public(ip) && !mine && !ours && self.service_endpoints.iter().any(|e| e.subnet == subnet && !listed(e.service))
    }

    /// Whether a user route may pull the packet away from the service endpoint: as long as the service's own prefix or longer,
    /// and not to the internet (RTE-12, decision 3).
    pub fn diverts_service_endpoint(&self, subnet: Sym, dst: Addr) -> Tri {
        let mut best = if self.table_is_missing(subnet) { Tri::Maybe } else { Tri::No };
        for (route, _) in self.user_routes(subnet).iter().filter(|(r, _)| r.hop != HopKind::Internet) {
            for item in route.destination.items() {
                best = best.or(match item {
                    Selector::Prefix(prefix) => self.pulls(prefix, dst),
                    Selector::Tag(tag) => match self.platform.tag(tag) {
                        Some(prefixes) => prefixes.iter().map(|&p| self.pulls(p, dst)).max().unwrap_or(Tri::No),
                        None => Tri::Maybe,
                    },
                    Selector::Any | Selector::Asg(_) => Tri::No,
                });
            }
        }
        let best = best.or(self.announced_over_service_endpoint(subnet, dst));
        // Which of the two counts somebody saw (RTE-07).
        if let (Some(rows), Addr::Known(ip), false) = (self.seen_at(subnet), dst, self.table_is_missing(subnet)) {
            let direct = rows.iter().any(|row| row.hop.as_str() == "virtualnetworkserviceendpoint" && row.prefix.contains(&ip));
            return Tri::from_bool(!direct && best.hi());
        }
        best
    }

    /// Whether what a gateway announces may pull it away: the service's own prefix (RTE-12). Other routes of a gateway come after it (RTE-09).
    fn announced_over_service_endpoint(&self, subnet: Sym, dst: Addr) -> Tri {
        let mut announced: Vec<Option<Prefix>> = Vec::new();
        if let (true, Some(vnet)) = (self.gateway_routes_on(subnet), self.vnet_of(subnet)) {
            announced.extend(self.gateway_routes(vnet).into_iter().map(|route| route.prefix));
        }
        let seen = self.seen_at(subnet).unwrap_or_default();
        announced.extend(seen.iter().filter(|row| row.source.as_str() == "virtualnetworkgateway").map(|row| Some(row.prefix)));
        let own = self.prefixes_of_service(dst);
        let longest = own.iter().flatten().map(|p| p.prefix_len()).max();
        let pulls = |prefix: &Prefix| match &own {
            None => prefix.prefix_len() > 0 && self.in_prefix(dst, *prefix).hi(),
            Some(all) => all.contains(prefix) && (matches!(dst, Addr::Front(..)) || Some(prefix.prefix_len()) == longest),
        };
        Tri::from_bool(announced.iter().any(|prefix| prefix.as_ref().is_some_and(pulls))).and(Tri::Maybe)
    }

    fn pulls(&self, prefix: Prefix, dst: Addr) -> Tri {
        if prefix.prefix_len() == 0 || self.in_prefix(dst, prefix) == Tri::No {
            return Tri::No;
        }
        let Some(own) = self.prefixes_of_service(dst) else { return Tri::Maybe };
        Tri::from_bool(own.iter().any(|o| o.contains(&prefix))).and(Tri::Maybe)
    }

    /// The prefixes of the service that hold the destination, or may; `None` where they are not known.
    fn prefixes_of_service(&self, dst: Addr) -> Option<Vec<Prefix>> {
        match dst {
            Addr::Front(service, region) => self.front_prefixes(service, region),
            Addr::Known(ip) => {
                let tags = self.platform.tags_holding(ip).into_iter().filter(|t| {
                    let name = t.as_str().split('.').next().unwrap_or("");
                    matches!(name, "storage" | "sql" | "azurekeyvault")
                });
                Some(tags.flat_map(|t| self.platform.tag(t).unwrap_or(&[]).to_vec()).filter(|p| p.contains(&ip)).collect())
            }
            Addr::SomePublic => Some(Vec::new()),
        }
    }

    /// Whether the subnet says that no policy is attached to it, or the policy that it is attached to no subnet.
    fn is_disputed(&self, subnet: Sym, policy: Sym) -> bool {
        let none = |of: Sym, what: &str| self.child_types.iter().any(|row| row.parent == of && row.kind.as_str() == what);
        none(subnet, "microsoft.network/serviceendpointpolicies") || none(policy, "microsoft.network/virtualnetworks/subnets")
    }

    /// What the policies of the subnet say about the store (SEP-01 to SEP-15).
    fn policies_admit(&self, subnet: Sym, target: Target, dst: Addr) -> (Tri, String, &'static str) {
        let storage = match dst {
            Addr::Front(service, _) => service == Service::Storage,
            Addr::Known(ip) => self.platform.tag(Sym::new("storage")).is_none_or(|all| all.iter().any(|p| p.contains(&ip))),
            Addr::SomePublic => false,
        };
        let attached: Vec<Sym> = self.subnet_policies.iter().filter(|p| p.subnet == subnet).map(|p| p.policy).collect();
        let (disputed, sure): (Vec<Sym>, Vec<Sym>) = attached.iter().partition(|policy| self.is_disputed(subnet, **policy));
        if !storage || attached.is_empty() {
            return (Tri::Yes, String::new(), "");
        }
        if let Addr::Front(_, region) = dst
            && self.policy_is_blind(subnet, region)
        {
            return (Tri::Yes, String::new(), "");
        }
        let rule = attached.iter().map(|p| name_of(*p)).min().unwrap_or_default();
        let missing = !disputed.is_empty()
            || attached.iter().any(|a| !self.policies.iter().any(|p| p.policy == *a) || !self.definitions_are_listed(*a));
        let listed = || self.policy_scopes.iter().filter(|s| sure.contains(&s.policy) && !s.scope.is_empty());
        let alias = |s: &&EndpointPolicyScope| s.scope.as_str().starts_with("/services/");
        let named = |s: &&EndpointPolicyScope| !s.service.is_empty() && s.service.as_str() != "global";
        // What definitions for other services list is nothing to storage (SEP-02).
        let foreign = |s: &&EndpointPolicyScope| named(s) && !s.service.as_str().starts_with("microsoft.storage");
        let resources: Vec<&str> = listed().filter(|s| !alias(s) && !foreign(s) && named(s)).map(|s| s.scope.as_str()).collect();
        // A definition without a service is about storage, or it is about nothing here; so is what one for all services lists beside aliases.
        let vague: Vec<&str> = listed().filter(|s| !alias(s) && !named(s)).map(|s| s.scope.as_str()).collect();
        if resources.is_empty() {
            if missing || !vague.is_empty() {
                return (Tri::Maybe, rule, "W-MISSING");
            }
            // Only aliases: no effect (SEP-10). Nothing at all: nobody says (SEP-11).
            return if !listed().any(|s| alias(&s)) { (Tri::Maybe, rule, "empty-policy") } else { (Tri::Yes, String::new(), "") };
        }
        let listed = match target {
            Target::Front(wanted) => {
                let classic = self.stores.iter().any(|s| s.store == wanted.store && s.kind.as_str() == "classic");
                let lists = |scope: &&str| match () {
                    () if in_scope(wanted.store.as_str(), scope) => Tri::Yes,
                    () => Tri::from_bool(!scope.starts_with("/subscriptions/")).and(Tri::Maybe), // nobody can read it
                };
                let perhaps = vague.iter().map(lists).max().unwrap_or(Tri::No).min(Tri::Maybe);
                if classic { Tri::No } else { resources.iter().map(lists).max().unwrap_or(Tri::No).max(perhaps) }
            }
            Target::External(_) => {
                let outside = |scopes: &[&str]| scopes.iter().map(|scope| self.is_scope_outside(scope)).max().unwrap_or(Tri::No);
                outside(&resources).max(outside(&vague).min(Tri::Maybe))
            }
            _ => Tri::Maybe, // an address: nobody knows whose account answers
        };
        let tri = if missing && listed == Tri::No { Tri::Maybe } else { listed };
        (tri, rule, if missing { "W-MISSING" } else { "unknown-account" })
    }

    /// Whether the policy's definitions are there, all of them: some of it, its own list, or rows that came without the lists of their policies (M-03).
    fn definitions_are_listed(&self, policy: Sym) -> bool {
        let kind = "microsoft.network/serviceendpointpolicies/serviceendpointpolicydefinitions";
        let listed = |policy: Sym| self.children_are_listed(policy, kind);
        listed(policy) || self.policy_scopes.iter().any(|s| s.policy == policy || !listed(s.policy))
    }

    /// The first version of policies looked at the network's region and its pair alone (SEP-16).
    fn policy_is_blind(&self, subnet: Sym, region: Sym) -> bool {
        let home = self.vnet_of(subnet).map_or(Sym::EMPTY, |v| self.vnet_region(v));
        let known = !home.is_empty() && !region.is_empty();
        self.eras.iter().any(|e| e.era.as_str() == "2019") && known && region != home && self.platform.region_pair(home) != Some(region)
    }

    /// Whether a scope lies outside the boundary.
    fn is_scope_outside(&self, scope: &str) -> Tri {
        if !scope.starts_with("/subscriptions/") {
            // Nobody can read it, unless it is the plain name of a store of the input.
            return if self.stores.iter().any(|s| s.store.as_str() == scope) { Tri::No } else { Tri::Maybe };
        }
        // A subscription, a group in it, an account in that; nobody knows what anything else stands for.
        let named: Vec<&str> = scope.trim_start_matches('/').split('/').collect();
        let lower = scope.to_lowercase();
        let account = lower.contains("/providers/microsoft.storage/storageaccounts/")
            || lower.contains("/providers/microsoft.classicstorage/storageaccounts/");
        let known = match named.as_slice() {
            [_, _] => true,
            [_, _, group, _] => group.eq_ignore_ascii_case("resourcegroups"),
            [_, _, group, _, _, _, _, _] => group.eq_ignore_ascii_case("resourcegroups") && account,
            _ => false,
        };
        self.is_outside(Sym::new(scope)).and(if known { Tri::Yes } else { Tri::Maybe })
    }
}

/// Whether the service endpoint is one for the service.
fn serves(name: Sym, service: Service) -> bool {
    name.as_str() == table(service).2 || (name.as_str() == "microsoft.storage.global" && service == Service::Storage)
}

/// Whether a resource lies in a scope, segment by segment (M-01, SEP-05).
fn in_scope(resource: &str, scope: &str) -> bool {
    let scope = scope.trim_matches('/').to_lowercase();
    let resource = resource.trim_matches('/').to_lowercase();
    resource == scope || resource.starts_with(&format!("{scope}/"))
}
