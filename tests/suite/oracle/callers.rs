//! Resources that call in their own name, and copies that two accounts make between themselves.

use watertight::explain::way::{End, Mode};
use watertight::facts::channels::CopyScope;
use watertight::facts::private_access::{Consent, PrivateEndpointConnection};
use watertight::facts::store_facts::{Instance, PublicAccess, Service};
use watertight::model::{Proto, Stage, Sym, Tri, Verdict, Via};

use super::Ask;
use super::endpoint::group_of;
use super::paas::{firewall_stage, table};
use super::packet::{Addr, Outcome, Packet, any_of, check};
use super::store::Seen;
use super::walk::{Origin, Target, Walk, Wanted};
use super::world::{World, name_of};

impl World<'_> {
    /// A call of a resource to a store, or of a SQL server to any outside.
    pub fn called_by(&self, caller: Sym, ask: &Ask) -> Outcome {
        let unknown = || Outcome::unproven(Stage::Route, "", self.doubt_of(caller));
        match ask.to {
            End::Store(store, part, instance) => {
                let wanted = Wanted { store, part, instance };
                let (Some(service), Some((host, _))) = (self.service_of(store), self.host_of(wanted)) else { return unknown() };
                let by_name = self.leaves(caller, Some(store), host, || {
                    let target = Target::Front(wanted);
                    let walk = Walk { world: self, target, session: ask.session, origin: Origin::Internet };
                    walk.front_end(self.call(service, ask), Seen::Caller(caller), Via::Public)
                });
                let mut ways = vec![by_name];
                ways.extend(self.by_its_places(caller, wanted, service, ask));
                any_of(ways)
            }
            End::External(service @ (Service::Storage | Service::Sql)) if self.service_of(caller) == Some(Service::Sql) => {
                let below = if service == Service::Storage { ".core.windows.net" } else { ".database.windows.net" };
                self.leaves(caller, None, below, || {
                    let walk = Walk { world: self, target: Target::External(service), session: ask.session, origin: Origin::Internet };
                    walk.front_end(self.call(service, ask), Seen::Caller(caller), Via::Public)
                })
            }
            // Whether it calls any other service nobody lists; what it may not call it does not.
            End::External(service) if self.service_of(caller) == Some(Service::Sql) => {
                let suffix = self.suffix_of(service);
                self.leaves(caller, None, &suffix, unknown)
            }
            End::PrivateEndpoint(_) if self.calls_from_outside(caller) => Outcome::denied(Stage::PrivateEndpoint, ""),
            End::Machine(_) | End::Nic(_) | End::Subnet(_) | End::Ip(_) if self.calls_from_outside(caller) => {
                // It has no place in a network, and is one of those that the internet stands for (PE-16, IN-01).
                self.sent_by_end(&Ask { from: End::Internet(None), ..*ask }).doubted(Stage::Route, name_of(caller), self.doubt_of(caller))
            }
            _ => unknown(),
        }
    }

    /// What comes from the networks that it stands in: never proven, for nobody knows what it sends there (APP-07, SE-22).
    fn by_its_places(&self, caller: Sym, wanted: Wanted, service: Service, ask: &Ask) -> Vec<Outcome> {
        let there = self.resources.iter().any(|row| row.id == caller) || self.service_of(caller).is_some();
        if self.calls_from_outside(caller) || !there && !self.devices.iter().any(|d| d.device == caller) {
            return Vec::new();
        }
        let mut stands: Vec<Sym> = self.devices.iter().filter(|d| d.device == caller && !d.subnet.is_empty()).map(|d| d.subnet).collect();
        Sym::sort(&mut stands);
        stands.dedup();
        let doubt = |outcome: Outcome| outcome.doubted(Stage::Route, name_of(caller), self.doubt_of(caller));
        let mut ways: Vec<Outcome> =
            stands.iter().map(|&subnet| doubt(self.sent_by_end(&Ask { from: End::Subnet(subnet), ..*ask }))).collect();
        let kind = self.resources.iter().find(|row| row.id == caller).map_or(Sym::EMPTY, |row| row.kind);
        let of = self.service_of(caller);
        // Where every address is taken no machine can be imagined in its place.
        let full = stands.iter().any(|&s| !self.subnet_space(s).is_empty() && self.free_addresses(s).is_empty());
        // An app without its body may have a subnet that is not told.
        let unseen = of == Some(Service::Web) && !self.accesses.iter().any(|a| a.store == caller);
        let told = !full && (!stands.is_empty() || of.is_some() && !unseen || self.platform.is_placeless(kind));
        let packet = self.call(service, ask);
        if !told && self.admits_anybody(wanted, service) {
            let at_port = self.front_answers(wanted, &packet).and(self.https_is_enough(wanted, service, &packet));
            let there = check(at_port, firewall_stage(service), "port", "unknown-port", || Outcome::delivered(Via::Public));
            ways.push(doubt(there));
        }
        // Networks of Azure's own have private endpoints too, which nobody exports (PE-37).
        let in_azure = of.map_or(self.platform.runs_code(kind), |service| service != Service::Web);
        let known = self.links.iter().filter(|_| !told).filter(|l| l.target == wanted.store && l.group == group_of(wanted));
        let mut links: Vec<PrivateEndpointConnection> = known.copied().filter(|l| self.consent(*l).hi()).collect();
        if !told || in_azure {
            let open =
                |l: &PrivateEndpointConnection| !l.settled || matches!(l.state, Consent::Approved | Consent::Unknown | Consent::Requested);
            links.extend(self.hidden_endpoints(wanted).into_iter().filter(open));
            let kind = format!("{}/privateendpointconnections", table(service).0);
            let listed = self.children_are_listed(wanted.store, &kind)
                || self.legible_links().any(|p| self.service_of(p.target) == Some(service))
                || self.resources.iter().any(|row| row.kind.as_str() == kind);
            if !listed {
                let (connection, endpoint) = (Sym::EMPTY, Sym::new("some-private-endpoint"));
                let (target, group, state) = (wanted.store, group_of(wanted), Consent::Approved);
                links.push(PrivateEndpointConnection { connection, endpoint, target, group, manual: false, state, settled: true });
            }
        }
        for link in links {
            let there = || Outcome::delivered(Via::PrivateEndpoint);
            ways.push(doubt(check(self.answers_behind(&link, &packet), Stage::PrivateEndpoint, "port", "unknown-port", there)));
        }
        ways
    }

    /// Whether it calls from public addresses alone.
    fn calls_from_outside(&self, caller: Sym) -> bool {
        let placed = self.devices.iter().any(|d| d.device == caller);
        !placed && self.service_of(caller).is_some_and(|service| self.platform.is_public_only(service))
    }

    /// What the names of a service's stores end in.
    fn suffix_of(&self, service: Service) -> String {
        let kind = super::paas::table(service).0;
        let zone = self.platform.zones().iter().find(|zone| zone.kind.as_str() == kind);
        zone.map_or(String::new(), |zone| format!(".{}", zone.suffix.as_str().rsplit('}').next().unwrap_or("").trim_start_matches('.')))
    }

    /// Why nobody knows what it does: it looks into requests and sends its own (IN-09), or its type is not understood.
    pub fn doubt_of(&self, resource: Sym) -> &'static str {
        let id = resource.as_str();
        let within = [
            "/microsoft.network/frontdoors/",
            "/microsoft.network/trafficmanagerprofiles/",
            "/microsoft.cdn/profiles/",
            "/microsoft.apimanagement/service/",
        ];
        if within.iter().any(|part| id.contains(part)) { "W-L7" } else { "W-UNSUPPORTED" }
    }

    /// Its list of hosts first, then its perimeter.
    fn leaves(&self, caller: Sym, callee: Option<Sym>, host: &str, rest: impl FnOnce() -> Outcome) -> Outcome {
        let called = || check(self.may_call(caller, callee, host), Stage::Perimeter, "accessRules", "W-MISSING", rest);
        check(self.hosts_are_listed(caller, host), Stage::SqlFirewall, "restrictOutboundNetworkAccess=Enabled", "W-MISSING", called)
    }

    fn call(&self, service: Service, ask: &Ask) -> Packet {
        Packet {
            src: Addr::SomePublic,
            src_config: None,
            dst: Addr::Front(service, Sym::EMPTY),
            dst_config: None,
            proto: ask.proto,
            dport: ask.dport,
            sport: None,
            called: super::packet::Called::Unknown,
            part: None,
        }
    }

    /// The subnet of whoever sends the packet, where its source is still its own.
    pub fn sender_of(&self, packet: &Packet) -> Sym {
        let config = packet.src_config.and_then(|c| self.configs.iter().find(|row| row.ip_config == c));
        config.map_or(Sym::EMPTY, |row| row.subnet)
    }

    /// Inside a perimeter an account speaks HTTPS only (NSP-10).
    pub fn https_is_enough(&self, wanted: Wanted, service: Service, packet: &Packet) -> Tri {
        match self.membership(wanted.store) {
            Some((_, sure)) if service == Service::Storage && packet.dport != 443 => {
                if sure {
                    Tri::No
                } else {
                    Tri::Maybe
                }
            }
            _ => Tri::Yes,
        }
    }

    /// A copy: both legs of whoever starts it, then what the accounts ask for.
    pub fn copied(&self, from: End, to: End, driver: End) -> Outcome {
        if !self.unreads.is_empty() {
            return Outcome::unproven(Stage::Route, "", "W-MISSING");
        }
        let leg = |to: End| {
            let ask = Ask { from: driver, to, proto: Proto::Tcp, dport: 443, sport: None, mode: Mode::Configured, session: true };
            self.copy_leg(&ask)
        };
        let (reading, writing) = (leg(from), leg(to));
        let limits = || self.copy_limits(from, to, &writing);
        match (reading.verdict, writing.verdict) {
            (Verdict::Denied, _) => reading,
            (_, Verdict::Denied) => writing,
            _ => {
                let last = limits();
                let all = [reading, writing, last];
                let worst = |verdict| all.iter().find(|o| o.verdict == verdict).cloned();
                worst(Verdict::Denied).or_else(|| worst(Verdict::Unproven)).unwrap_or_else(|| all[1].clone())
            }
        }
    }

    fn copy_leg(&self, ask: &Ask) -> Outcome {
        let said = self.answer(ask);
        let reached = match said.verdict {
            Verdict::Allowed => Outcome::delivered(said.via.unwrap_or(Via::Public)),
            Verdict::Denied => Outcome::denied(said.stage, said.rule),
            Verdict::Unproven => Outcome { via: said.via, ..Outcome::unproven(said.stage, said.rule, "leg") },
        };
        let End::Store(_, part, _) = ask.to else { return reached };
        let private = reached.via == Some(Via::PrivateEndpoint);
        let carries = match part.as_str() {
            "blob" | "file" => Tri::Yes,
            "dfs" if !private => Tri::Maybe,
            _ => Tri::No,
        };
        match reached.verdict {
            Verdict::Denied => reached,
            _ => {
                check(carries, if private { Stage::PrivateEndpoint } else { Stage::CopySource }, part.as_str(), "W-UNSUPPORTED", || reached)
            }
        }
    }

    fn copy_limits(&self, from: End, to: End, writing: &Outcome) -> Outcome {
        let done = || Outcome::delivered(Via::Public);
        let (End::Store(source, ..), End::Store(destination, ..)) = (from, to) else { return done() };
        let old = self.eras.iter().any(|e| e.era.as_str() == "2019") && writing.via == Some(Via::PrivateEndpoint);
        let closed = |a: &&watertight::facts::store_facts::StoreAccess| a.public != PublicAccess::Enabled || a.default_allow == Tri::No;
        let protected = old && self.accesses.iter().filter(|a| a.store == source).any(|a| closed(&a));
        check(Tri::from_bool(!protected), Stage::CopySource, "source", "", || {
            let scope = self.copy_scopes.iter().find(|s| s.store == destination).map(|s| s.scope);
            let passes = match scope {
                None => Tri::Yes,
                Some(CopyScope::Unknown) => Tri::Maybe,
                Some(CopyScope::Aad) => self.tenants_agree(source, destination),
                Some(CopyScope::PrivateLink) => {
                    let networks = |store: Sym| {
                        let links = self.links.iter().filter(move |l| l.target == store && self.consent(**l) == Tri::Yes);
                        let subnets = links.filter_map(|l| self.endpoints.iter().find(|e| e.endpoint == l.endpoint)).map(|e| e.subnet);
                        subnets.filter_map(|s| self.vnet_of(s)).collect::<Vec<Sym>>()
                    };
                    let there = networks(destination);
                    // Whose own list was not exported may have others, wherever they are (M-03).
                    let more = |store: Sym| {
                        let list = "microsoft.storage/storageaccounts/privateendpointconnections";
                        let some = self.legible_links().any(|p| p.target == store);
                        !some && !self.children_are_listed(store, list)
                    };
                    let perhaps = |store: Sym, found: &[Sym]| !found.is_empty() || more(store);
                    let here = networks(source);
                    let shared = here.iter().any(|vnet| there.contains(vnet));
                    let open = (more(source) && perhaps(destination, &there)) || (more(destination) && perhaps(source, &here));
                    Tri::from_bool(shared).or(if open { Tri::Maybe } else { Tri::No })
                }
            };
            let read_only = matches!(to, End::Store(_, _, Instance::Secondary));
            let passes = if read_only { Tri::No } else { passes };
            check(passes, Stage::CopyScope, "allowedCopyScope", "W-MISSING", done)
        })
    }

    fn tenants_agree(&self, a: Sym, b: Sym) -> Tri {
        let tenant = |id: Sym| self.resources.iter().find(|r| r.id == id).map_or(Sym::EMPTY, |r| r.tenant);
        if tenant(a).is_empty() || tenant(b).is_empty() { Tri::Maybe } else { Tri::from_bool(tenant(a) == tenant(b)) }
    }

    /// Whether what is written to one store is copied to another, or to any outside (`None`), by itself.
    pub fn replicates(&self, source: Sym, destination: Option<Sym>) -> Tri {
        let ours = |id: Sym| self.stores.iter().any(|s| s.store == id) && self.is_inside(id);
        let mut best = Tri::No;
        for row in self.replications.iter().filter(|r| r.source == source) {
            let ends_there = match destination {
                Some(wanted) => row.destination == wanted,
                None => !ours(row.destination),
            };
            if !ends_there {
                continue;
            }
            let allowed = self.cross_tenant.iter().find(|c| c.store == source).map(|c| c.allowed);
            let crosses = match (self.tenants_agree(source, row.destination), allowed) {
                (Tri::Yes, _) | (_, Some(true)) => Tri::Yes,
                (Tri::No, Some(false)) => Tri::No,
                _ => Tri::Maybe,
            };
            let free = |store: Sym| match self.membership(store) {
                None => {
                    if self.members_are_unknown() {
                        Tri::Maybe
                    } else {
                        Tri::Yes
                    }
                }
                Some((_, sure)) => {
                    if sure {
                        Tri::No
                    } else {
                        Tri::Maybe
                    }
                }
            };
            best = best.max(row.in_force.min(crosses).min(free(source)).min(free(row.destination)));
        }
        best
    }
}
