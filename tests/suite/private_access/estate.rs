//! A small estate written as facts: two networks, four accounts, and whatever a case adds.
//!
//! Network `n1` (10.1.0.0/16, eastus) has the subnets `a`, `b` and `p`, network `n2` (10.2.0.0/16, eastus) the subnet `c`; nothing is peered. The accounts
//! `a1` and `a2` stand in eastus, `a3` in its pair westus, `a4` in westeurope; they admit everybody until a case says otherwise.

use std::net::IpAddr;

use watertight::explain::store::{Target, ways};
use watertight::explain::transport::{Arrival, Client, ClientKind, ServiceClass, Transport};
use watertight::explain::way::{Kind, Mode, Step, Way};
use watertight::explain::world::World;
use watertight::facts::gap::{ChildType, Resource};
use watertight::facts::network::*;
use watertight::facts::platform::Platform;
use watertight::facts::private_access::*;
use watertight::facts::store_facts::*;
use watertight::facts::{Fact, Index};
use watertight::model::{Proto, Set, Span, Stage, Sym, Tri, Verdict, Via, net};
use watertight::rules::azure_firewall::Named;
use watertight::rules::dns::{Reach, Resolution, View, resolve};
use watertight::rules::paas_firewall::{Origin, Source};

pub const TENANT: &str = "t1";
pub const STRANGER: &str = "tx";

pub fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// `n1/a` to the id of the subnet, `n1` to that of the network.
pub fn network(path: &str) -> Sym {
    let vnet = |name: &str| format!("/subscriptions/s1/resourcegroups/net/providers/microsoft.network/virtualnetworks/{name}");
    Sym::new(&match path.split_once('/') {
        Some((name, subnet)) => format!("{}/subnets/{subnet}", vnet(name)),
        None => vnet(path),
    })
}

pub fn account(name: &str) -> Sym {
    let group = if name == "a2" { "rg10" } else { "rg1" };
    let subscription = if name == "rx" { "sx" } else { "s1" };
    Sym::new(&format!("/subscriptions/{subscription}/resourcegroups/{group}/providers/microsoft.storage/storageaccounts/{name}"))
}

pub fn zone_id(name: &str) -> Sym {
    Sym::new(&format!("/subscriptions/s1/resourcegroups/dns/providers/microsoft.network/privatednszones/{name}"))
}

pub const BLOB_ZONE: &str = "privatelink.blob.core.windows.net";

#[derive(Clone)]
pub struct Estate {
    pub index: Index,
}

impl Estate {
    pub fn new() -> Estate {
        let mut estate = Estate { index: Index::default() };
        for (vnet, prefix, subnets) in [("n1", "10.1.0.0/16", &["a", "b", "p"][..]), ("n2", "10.2.0.0/16", &["c"])] {
            estate.add(Vnet { vnet: network(vnet), location: "eastus".into() });
            estate.add(VnetPrefix { vnet: network(vnet), prefix: net::parse_prefix(prefix).unwrap() });
            for name in subnets {
                estate.add(Subnet { subnet: network(&format!("{vnet}/{name}")), vnet: network(vnet), name: (*name).into() });
            }
        }
        for (name, region) in [("a1", "eastus"), ("a2", "eastus"), ("a3", "westus"), ("a4", "westeurope")] {
            estate.store(account(name), Service::Storage, region, TENANT);
            for part in ["blob", "file"] {
                estate.part(account(name), part, Instance::Primary, &format!("{name}.{part}.core.windows.net"), region);
            }
            // The export has the list of connections of every account, be it empty.
            estate.add(ChildType { parent: account(name), kind: "microsoft.storage/storageaccounts/privateendpointconnections".into() });
        }
        estate
    }

    pub fn add(&mut self, fact: impl Into<Fact>) {
        assert!(self.index.insert(fact.into()), "a fact of the case is there already");
    }

    pub fn store(&mut self, store: Sym, service: Service, region: &str, tenant: &str) {
        let kind = service.kinds()[0];
        self.add(Resource {
            id: store,
            kind: kind.into(),
            name: store.as_str().rsplit('/').next().unwrap().into(),
            location: region.into(),
            subscription: "s1".into(),
            tenant: tenant.into(),
            group: "rg1".into(),
        });
        self.add(Store { store, service, kind: "storagev2".into(), location: region.into() });
        self.add(StoreAccess {
            store,
            public: PublicAccess::Enabled,
            default_allow: Tri::from_bool(service != Service::Sql),
            trusted: true,
            plain_http: false,
            outbound_restricted: false,
        });
    }

    pub fn part(&mut self, store: Sym, part: &str, instance: Instance, host: &str, region: &str) {
        self.add(StorePart { store, part: part.into(), instance, host: host.into(), location: region.into() });
    }

    /// Changes the switches of a store.
    pub fn access(&mut self, store: Sym, change: impl Fn(&mut StoreAccess)) {
        let old = *self.index.store_access.one(store).unwrap();
        let mut new = old;
        change(&mut new);
        self.index.remove(old.into());
        self.index.insert(new.into());
    }

    pub fn deny(&mut self, store: Sym) {
        self.access(store, |a| a.default_allow = Tri::No);
    }

    /// A private endpoint in `subnet` with the same state in both views.
    pub fn endpoint(&mut self, name: &str, subnet: &str, address: &str, target: Sym, group: &str, state: Consent) -> Sym {
        let id = |rest: &str| Sym::new(&format!("/subscriptions/s1/resourcegroups/pe/providers/microsoft.network/{rest}"));
        let endpoint = id(&format!("privateendpoints/{name}"));
        let nic = id(&format!("networkinterfaces/{name}-nic"));
        let connection = Sym::new(&format!("{endpoint}/privatelinkserviceconnections/{name}"));
        self.add(PrivateEndpoint { endpoint, subnet: network(subnet), location: "eastus".into() });
        self.add(PrivateEndpointConnection { connection, endpoint, target, group: group.into(), manual: false, state, settled: true });
        self.add(PrivateEndpointNic { endpoint, nic });
        self.add(Nic { nic, role: NicRole::PrivateEndpoint, forwarding: false });
        self.add(IpConfig { ip_config: Sym::new(&format!("{nic}/c")), nic, subnet: network(subnet), primary: true });
        self.add(IpConfigAddress { ip_config: Sym::new(&format!("{nic}/c")), address: ip(address) });
        let theirs = Sym::new(&format!("{target}/privateendpointconnections/{name}"));
        self.add(ProviderConnection { connection: theirs, target, endpoint, state, settled: true });
        endpoint
    }

    /// A zone with its SOA record, linked to `vnet`.
    pub fn zone(&mut self, name: &str, vnet: &str) -> Sym {
        let zone = zone_id(name);
        self.add(PrivateDnsZone { zone, name: name.into() });
        self.add(ZoneRecord {
            record: Sym::new(&format!("{zone}/soa/@")),
            zone,
            name: "@".into(),
            kind: RecordType::Soa,
            value: Sym::EMPTY,
        });
        let link = Sym::new(&format!("{zone}/virtualnetworklinks/{vnet}"));
        self.add(ZoneLink { link, zone, vnet: network(vnet), usable: true, registration: false, redirect: false });
        zone
    }

    pub fn record(&mut self, zone: Sym, name: &str, address: &str) {
        let record = Sym::new(&format!("{zone}/a/{name}"));
        self.add(ZoneRecord { record, zone, name: name.into(), kind: RecordType::A, value: address.into() });
    }

    /// `pe1` to the blobs of `a1` and its zone, linked to `n1`.
    pub fn pe1_z1(&mut self, state: Consent) -> Sym {
        let zone = self.zone(BLOB_ZONE, "n1");
        self.record(zone, "a1", "10.1.9.4");
        self.endpoint("pe1", "n1/p", "10.1.9.4", account("a1"), "blob", state);
        zone
    }

    pub fn service_endpoint(&mut self, subnet: &str, service: &str) {
        self.add(SubnetServiceEndpoint { subnet: network(subnet), service: service.into(), location: Sym::EMPTY });
    }

    pub fn subnet_rule(&mut self, store: Sym, subnet: &str, effective: Tri) {
        self.add(StoreSubnetRule { rule: Sym::new(&format!("{store}#{subnet}")), store, subnet: network(subnet), effective });
    }

    pub fn ip_rule(&mut self, store: Sym, from: &str, to: &str) {
        self.add(StoreIpRule { rule: Sym::new(&format!("{store}#{from}")), store, from: ip(from), to: ip(to) });
    }

    /// A service endpoint policy on `n1/a` that lists `scopes`.
    pub fn policy(&mut self, scopes: &[(&str, &str)]) {
        let policy = Sym::new("/subscriptions/s1/resourcegroups/net/providers/microsoft.network/serviceendpointpolicies/sep");
        self.add(SubnetEndpointPolicy { subnet: network("n1/a"), policy });
        self.add(EndpointPolicy { policy, location: "eastus".into() });
        for (service, scope) in scopes {
            let definition = Sym::new(&format!("{policy}/{scope}"));
            self.add(EndpointPolicyScope { definition, policy, service: (*service).into(), scope: (*scope).into() });
        }
    }

    pub fn world(&self) -> World<'_> {
        World::new(&self.index, Platform::builtin())
    }

    /// A network without filters.
    pub fn transport(&self) -> impl Transport + '_ {
        Open { index: &self.index }
    }

    pub fn resolve(&self, view: View, name: &str) -> Resolution {
        let reach = |server: IpAddr| Open { index: &self.index }.dns_server(&machine("n1/a"), server);
        resolve(&self.index, Platform::builtin(), &reach, &view, name)
    }

    pub fn ways(&self, client: Client, store: Sym, part: &str, instance: Instance, mode: Mode) -> Vec<Way> {
        let target = Target { store, part: part.into(), instance };
        ways(&self.world(), &Open { index: &self.index }, &client, &target, mode, Set::ALL)
    }

    /// Verdict, stage and `via` of one TCP port, taken like the network half takes them: a sure way, else a possible one, else the first refusal.
    pub fn flow(&self, client: Client, store: Sym, part: &str, port: u16) -> Outcome {
        outcome(&self.ways(client, store, part, Instance::Primary, Mode::Configured), tcp(port))
    }
}

pub fn tcp(port: u16) -> Set {
    Set::of(Proto::Tcp, (port, port), (0, u16::MAX))
}

#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub verdict: Verdict,
    pub stage: Stage,
    pub via: Via,
}

pub fn allowed(via: Via) -> Outcome {
    Outcome { verdict: Verdict::Allowed, stage: Stage::Delivered, via }
}

pub fn denied(stage: Stage, via: Via) -> Outcome {
    Outcome { verdict: Verdict::Denied, stage, via }
}

pub fn unproven(stage: Stage, via: Via) -> Outcome {
    Outcome { verdict: Verdict::Unproven, stage, via }
}

pub fn outcome(ways: &[Way], traffic: Set) -> Outcome {
    let passes = |way: &Way| {
        let span = way.span().within(traffic);
        if span.sure == traffic {
            Tri::Yes
        } else if span.may.is_empty() {
            Tri::No
        } else {
            Tri::Maybe
        }
    };
    let best = ways.iter().rev().max_by_key(|way| passes(way)).expect("there is a way to ask about");
    let (verdict, stage) = match passes(best) {
        Tri::Yes => (Verdict::Allowed, Some(Stage::Delivered)),
        Tri::Maybe => (Verdict::Unproven, best.steps.iter().find(|s| s.span.sure.and(traffic) != traffic).map(|s| s.stage)),
        Tri::No => (Verdict::Denied, best.steps.iter().find(|s| !s.span.may.meets(traffic)).map(|s| s.stage)),
    };
    Outcome { verdict, stage: stage.unwrap_or(Stage::Delivered), via: best.via }
}

/// A machine in the subnet `path`.
pub fn machine(path: &str) -> Client {
    let vnet = path.split('/').next().unwrap();
    Client {
        subnet: network(path),
        vnet: network(vnet),
        nic: Sym::EMPTY,
        ip_config: Sym::EMPTY,
        kind: ClientKind::Machine,
        name: Named::Unknown,
    }
}

pub fn inet() -> Client {
    outside(ClientKind::Internet(Some(ip("198.51.100.7"))))
}

pub fn outside(kind: ClientKind) -> Client {
    Client { subnet: Sym::EMPTY, vnet: Sym::EMPTY, nic: Sym::EMPTY, ip_config: Sym::EMPTY, kind, name: Named::Unknown }
}

/// A network without filters: every machine leaves with 20.0.0.1 (`n1`) or 20.0.0.2 and reaches the private endpoints of its own network.
struct Open<'a> {
    index: &'a Index,
}

impl Transport for Open<'_> {
    fn to_private_endpoint(&self, client: &Client, endpoint: Sym, _address: IpAddr, _traffic: Set) -> Vec<Way> {
        let subnet = self.index.private_endpoint.one(endpoint).unwrap().subnet;
        let local = self.index.subnet.one(subnet).unwrap().vnet == client.vnet || matches!(client.kind, ClientKind::Site(_));
        let span = if local { Span::ALL } else { Span::NONE };
        vec![Way { via: Via::VnetLocal, steps: vec![step(Stage::NsgOutbound, Span::ALL), step(Stage::Route, span)] }]
    }

    fn to_unseen_endpoint(&self, _client: &Client, _endpoint: Sym, _address: Option<IpAddr>) -> Vec<Way> {
        Vec::new()
    }

    fn to_service(&self, client: &Client, service: &ServiceClass, covered: Tri, _traffic: Set) -> Vec<(Way, Arrival)> {
        let routed = if covered == Tri::Maybe { Span::UNKNOWN } else { Span::ALL };
        let way = || Way { via: Via::Public, steps: vec![step(Stage::NsgOutbound, Span::ALL), step(Stage::Route, routed)] };
        let mut ways = Vec::new();
        if covered.hi() {
            let seen = Source::ServiceEndpoint { subnet: client.subnet, vnet: client.vnet, tenant: TENANT.into() };
            ways.push((way(), Arrival::Showing(seen)));
        }
        if covered != Tri::Yes {
            let home = self.index.vnet.one(client.vnet).unwrap().location;
            let source = if service.service == Service::Storage && service.region == home {
                Source::SameRegionAzure
            } else {
                let address = if client.vnet == network("n1") { "20.0.0.1" } else { "20.0.0.2" };
                Source::Public { addresses: vec![net::parse_prefix(address).unwrap()], certain: true, origin: Origin::Azure }
            };
            ways.push((way(), Arrival::Showing(source)));
        }
        ways
    }

    fn dns_server(&self, _client: &Client, server: IpAddr) -> Reach {
        if server == ip("10.2.99.99") { Reach::Lost } else { Reach::Open }
    }
}

fn step(stage: Stage, span: Span) -> Step {
    Step {
        stage,
        span,
        resource: Sym::EMPTY,
        rule: String::new(),
        source: Sym::EMPTY,
        text: String::new(),
        kind: Kind::Rule,
        label: "",
        code: "",
        taken: None,
    }
}
