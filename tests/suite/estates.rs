//! Small random estates, changes to them, and the flows worth asking.
//!
//! A strategy draws a tape of bytes; [`build`] reads choices from it and writes facts in the syntax of the scenarios. A shorter tape, or one of
//! zeros, is a simpler estate, so what fails shrinks well.

use std::collections::BTreeSet;

use proptest::prelude::*;
use watertight::explain::way::{End, Mode};
use watertight::facts::Fact;
use watertight::facts::store_facts::Service;
use watertight::model::{Proto, Sym};

use crate::oracle::Ask;
use crate::rarities::KINDS;
use crate::scenario_format::statements;

/// A change: facts that go and facts that come.
#[derive(Clone, Debug)]
pub struct Edit {
    pub added: Vec<Fact>,
    pub removed: Vec<Fact>,
}

/// Choices, one byte each; past the end every choice is the first.
pub struct Tape<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Tape<'_> {
    pub fn below(&mut self, n: usize) -> usize {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(byte) % n
    }
    /// True in about one of `n` cases, never past the end.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) + 1 == n
    }
    pub fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.below(from.len())]
    }
}

/// A random estate.
pub fn arb_estate() -> impl Strategy<Value = BTreeSet<Fact>> {
    proptest::collection::vec(any::<u8>(), 0..520).prop_map(|bytes| build(&bytes))
}

/// Random changes to an estate: facts that go, facts of another random estate that come, some of them naming what is not there.
pub fn arb_edits(estate: &BTreeSet<Fact>) -> impl Strategy<Value = Vec<Edit>> + use<> {
    let here: Vec<Fact> = estate.iter().copied().collect();
    let edit = (arb_estate(), any::<u16>(), any::<u16>(), 0u8..3).prop_map(move |(other, from, which, kind)| {
        let there: Vec<Fact> = other.into_iter().collect();
        let choose = |all: &[Fact], n: u16| all.get(usize::from(n) % all.len().max(1)).copied().into_iter().collect::<Vec<Fact>>();
        let fits = |fact: &Fact| !at_most_one(fact) && !here.contains(fact);
        let coming: Vec<Fact> = choose(&there, which).into_iter().filter(fits).collect();
        match kind {
            0 => Edit { added: Vec::new(), removed: choose(&here, from) },
            1 => Edit { added: coming, removed: Vec::new() },
            _ => Edit { added: coming, removed: choose(&here, from) },
        }
    });
    proptest::collection::vec(edit, 1..4)
}

/// Relations that hold at most one row for what they are about: a second would be no estate.
fn at_most_one(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Vnet(_)
            | Fact::Subnet(_)
            | Fact::SubnetNsg(_)
            | Fact::SubnetRouteTable(_)
            | Fact::SubnetNatGateway(_)
            | Fact::SubnetPrivateEndpointPolicy(_)
            | Fact::SubnetDefaultOutbound(_)
            | Fact::Peering(_)
            | Fact::Machine(_)
            | Fact::Nic(_)
            | Fact::NicNsg(_)
            | Fact::NicMachine(_)
            | Fact::IpConfig(_)
            | Fact::IpConfigAddress(_)
            | Fact::IpConfigPublicIp(_)
            | Fact::PublicIp(_)
            | Fact::PublicIpAddress(_)
            | Fact::RouteTable(_)
            | Fact::Route(_)
            | Fact::NatGateway(_)
            | Fact::LoadBalancer(_)
            | Fact::LoadBalancerFrontend(_)
            | Fact::LoadBalancerPool(_)
            | Fact::LoadBalancingRule(_)
            | Fact::LoadBalancerProbe(_)
            | Fact::InboundNatRule(_)
            | Fact::OutboundRule(_)
            | Fact::Gateway(_)
            | Fact::GatewaySubnet(_)
            | Fact::Connection(_)
            | Fact::LocalGateway(_)
            | Fact::PrivateEndpoint(_)
            | Fact::PrivateEndpointConnection(_)
            | Fact::ProviderConnection(_)
            | Fact::PrivateDnsZone(_)
            | Fact::ZoneLink(_)
            | Fact::NsgRule(_)
            | Fact::Store(_)
            | Fact::StorePart(_)
            | Fact::StoreAccess(_)
            | Fact::StoreSubnetRule(_)
            | Fact::StoreRuleSet(_)
            | Fact::StoreListRule(_)
            | Fact::Appliance(_)
            | Fact::DnsServer(_)
            | Fact::VnetDns(_)
            | Fact::DnsResolver(_)
            | Fact::DnsInbound(_)
            | Fact::ForwardingRuleset(_)
            | Fact::ForwardingRule(_)
            | Fact::ForwardingTarget(_)
            | Fact::RulesetLink(_)
            | Fact::EndpointPolicy(_)
            | Fact::SubnetPrefix(_)
            | Fact::VnetPrefix(_)
            | Fact::AzureFirewall(_)
            | Fact::FirewallPolicy(_)
            | Fact::FirewallGroup(_)
            | Fact::FirewallRule(_)
            | Fact::FirewallTranslation(_)
            | Fact::Device(_)
            | Fact::DeviceAddress(_)
            | Fact::Perimeter(_)
            | Fact::PerimeterAssociation(_)
            | Fact::PerimeterLink(_)
            | Fact::PrivateLinkService(_)
            | Fact::PrivateLinkNat(_)
    )
}

const ADDRESSES: &[&str] = &[
    "*",
    "virtualnetwork",
    "internet",
    "10.0.0.0/16",
    "10.1.0.0/24",
    "10.0.0.4",
    "storage",
    "sql.westeurope",
    "asg:web",
    "0.0.0.0/0",
    "203.0.113.0/24",
    "unheardof",
    "azureloadbalancer",
];
const PORTS: &[&str] = &["*", "443", "1433,443", "0-1000"];
const DESTINATIONS: &[&str] =
    &["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.0.1.0/24", "20.60.0.0/24", "storage", "10.0.0.9/32", "192.168.0.0/16", "unheardof"];

/// How many of the first choices are about what only some estates have.
const RARE: usize = 40;

/// Reads an estate off the tape.
pub fn build(bytes: &[u8]) -> BTreeSet<Fact> {
    let (rare, bytes) = bytes.split_at(bytes.len().min(RARE));
    let mut tape = Tape { bytes, at: 0 };
    let mut text = String::new();
    let vnets = 1 + tape.below(3);
    networks(&mut tape, &mut text, vnets);
    machines(&mut tape, &mut text, vnets);
    balancers(&mut tape, &mut text, vnets);
    filters(&mut tape, &mut text, vnets);
    routes(&mut tape, &mut text, vnets);
    hybrid(&mut tape, &mut text, vnets);
    stores(&mut tape, &mut text, vnets);
    services(&mut tape, &mut text, vnets);
    firewalls(&mut tape, &mut text);
    let mut facts = statements(&text).expect("the generator writes facts").into_iter().collect();
    let mut tape = Tape { bytes: rare, at: 0 };
    // Half of the estates have nothing rare.
    if let Some(kind) = tape.below(2 * KINDS.len()).checked_sub(KINDS.len()) {
        KINDS[kind](&mut tape, &mut facts, vnets);
    }
    facts
}

fn networks(tape: &mut Tape<'_>, text: &mut String, vnets: usize) {
    for v in 0..vnets {
        // Now and then two networks have the same addresses.
        let net = if tape.once_in(8) { 0 } else { v };
        let region = tape.pick(&["westeurope", "northeurope", "eastus"]);
        text.push_str(&format!("vnet(\"v{v}\", 10.{net}.0.0/16, {region}). "));
        for s in 0..2 {
            text.push_str(&format!("subnet(\"s{v}{s}\", \"v{v}\", 10.{net}.{s}.0/24). "));
            if tape.once_in(4) {
                let service = tape.pick(&["microsoft.storage", "microsoft.sql", "microsoft.keyvault", "microsoft.storage.global"]);
                let location = tape.pick(&["\"\"", "\"*\"", "northeurope"]);
                text.push_str(&format!("subnet_service_endpoint(\"s{v}{s}\", \"{service}\", {location}). "));
            }
            if tape.once_in(6) {
                text.push_str(&format!("subnet_default_outbound(\"s{v}{s}\", {}). ", tape.pick(&["no", "maybe"])));
            }
            if tape.once_in(6) {
                text.push_str(&format!("subnet_endpoint_policy(\"s{v}{s}\", \"policy\"). "));
            }
            if tape.once_in(5) {
                let word = tape.pick(&["enabled", "networksecuritygroupenabled", "routetableenabled", "unknown"]);
                text.push_str(&format!("subnet_private_endpoint_policy(\"s{v}{s}\", {word}). "));
            }
            if tape.once_in(6) {
                text.push_str(&format!("subnet_nat_gateway(\"s{v}{s}\", \"nat\"). "));
            }
        }
        if tape.once_in(8) {
            text.push_str(&format!("vnet_dns(\"v{v}\", 0, {}). ", tape.pick(&["10.0.0.53", "10.0.0.54", "8.8.8.8", "168.63.129.16"])));
        }
    }
    for a in 0..vnets {
        for b in 0..vnets {
            if a == b || !tape.once_in(2) && (a > b || tape.once_in(2)) {
                continue;
            }
            let state = tape.pick(&["connected", "connected", "connected", "initiated", "unknown"]);
            let flag = |tape: &mut Tape<'_>, often: bool| if tape.once_in(4) { !often } else { often };
            let (sync, access, forwarded) = (flag(tape, true), flag(tape, true), flag(tape, false));
            let (transit, remote) = (flag(tape, false), flag(tape, false));
            text.push_str(&format!(
                "peering(\"p{a}{b}\", \"v{a}\", \"v{b}\", {state}, {sync}, {access}, {forwarded}, {transit}, {remote}). "
            ));
        }
    }
    if tape.once_in(2) {
        text.push_str("nat_gateway(\"nat\"). nat_gateway_public_ip(\"nat\", \"nat-pip\"). public_ip(\"nat-pip\"). ");
        text.push_str("public_ip_address(\"nat-pip\", 203.0.113.9). ");
    }
    if tape.once_in(2) {
        let (service, scope) = match tape.below(4) {
            0 => ("microsoft.storage", "a0"),
            1 => ("global", "/services/azure"),
            2 => ("microsoft.storage", ""),
            _ => ("microsoft.storage", "a1"),
        };
        text.push_str(&format!("endpoint_policy(\"policy\"). endpoint_policy_scope(\"d\", \"policy\", \"{service}\", \"{scope}\"). "));
    }
    if tape.once_in(4) {
        text.push_str(&format!("dns_server(10.0.0.53, {}, \"v0\"). ", tape.pick(&["azure-dns", "internet"])));
    }
    if tape.once_in(6) {
        text.push_str("dns_resolver(\"r\", \"v0\"). dns_inbound(\"r/in\", \"r\", \"s00\", 10.0.0.54, true). ");
    }
    if tape.once_in(6) {
        let domain = tape.pick(&["", "windows.net", "blob.core.windows.net", "privatelink.blob.core.windows.net"]);
        let (target, vnet) = (tape.pick(&["10.0.0.53", "10.0.0.54", "8.8.8.8"]), tape.below(vnets));
        text.push_str("forwarding_ruleset(\"set\", \"westeurope\"). ");
        text.push_str(&format!(
            "ruleset_link(\"set-v\", \"set\", \"v{vnet}\", true). forwarding_rule(\"rule\", \"set\", \"{domain}\", yes). "
        ));
        text.push_str(&format!("forwarding_target(\"rule\", 0, {target}, 53). "));
    }
}

fn machines(tape: &mut Tape<'_>, text: &mut String, vnets: usize) {
    for m in 0..(1 + tape.below(5)) {
        let (v, s) = if m == 0 { (0, tape.below(2)) } else { (tape.below(vnets), tape.below(2)) };
        let kind = if m == 0 && !tape.once_in(4) { "router" } else { "vm" };
        // The address fits where the network has its own number; elsewhere it is one that does not.
        if tape.once_in(8) {
            text.push_str(&format!("{kind}(\"m{m}\", \"s{v}{s}\"). "));
        } else {
            text.push_str(&format!("{kind}(\"m{m}\", \"s{v}{s}\", 10.{v}.{s}.{}). ", 4 + m));
        }
        if tape.once_in(3) {
            text.push_str(&format!("public(\"m{m}\", 203.0.113.{}, {}). ", 20 + m, tape.pick(&["standard", "basic", "unknown"])));
        }
        if tape.once_in(4) {
            text.push_str(&format!("ip_config_asg(\"m{m}-ip\", \"web\"). "));
        }
        if tape.once_in(12) {
            text.push_str(&format!("ip_config_pool(\"m{m}-ip\", \"pool\"). "));
        }
    }
    if tape.once_in(2) {
        text.push_str(&format!("appliance(\"m0-nic\", {}). ", tape.pick(&["no", "yes", "maybe"])));
        let (from, to) = (tape.pick(&["0.0.0.0/0", "10.0.0.0/8"]), tape.pick(&["0.0.0.0/0", "10.1.0.0/16"]));
        text.push_str(&format!(
            "appliance_allow(\"m0-nic\", {from}, {to}, {}, \"{}\"). ",
            tape.pick(&["\"*\"", "tcp"]),
            tape.pick(&["*", "443"])
        ));
    }
}

fn balancers(tape: &mut Tape<'_>, text: &mut String, vnets: usize) {
    for b in 0..tape.below(3) {
        let sku = tape.pick(&["standard", "standard", "basic", "unknown"]);
        if tape.once_in(2) {
            text.push_str(&format!("balancer(\"lb{b}\", {sku}, 203.0.113.{}). ", 50 + b));
        } else {
            let (v, s) = if b == 0 { (0, 0) } else { (tape.below(vnets), tape.below(2)) };
            text.push_str(&format!("balancer(\"lb{b}\", {sku}, 10.{v}.{s}.{}, \"s{v}{s}\"). ", 200 + b));
        }
        for r in 0..tape.below(3) {
            let (proto, ports) = match tape.below(5) {
                0 => ("all", "0, 0"),
                1 => ("tcp", "443, 443"),
                2 => ("tcp", "443, 1433"),
                3 => ("udp", "443, 443"),
                _ => ("tcp", "80, 443"),
            };
            let (snat, probe) = (tape.pick(&["true", "false"]), tape.pick(&["", "probe"]));
            text.push_str(&format!("load_balancing_rule(\"lb{b}/r{r}\", \"lb{b}-fe\", {proto}, {ports}, false, {snat}, \"{probe}\"). "));
            text.push_str(&format!("load_balancing_rule_pool(\"lb{b}/r{r}\", \"lb{b}-pool\"). "));
        }
        if tape.once_in(3) {
            let last = tape.pick(&["443", "450"]);
            text.push_str(&format!(
                "inbound_nat_rule(\"lb{b}/nat\", \"lb{b}-fe\", tcp, 443, {last}, 443). ip_config_pool(\"m1-ip\", \"lb{b}/nat\"). "
            ));
        }
        if tape.once_in(3) {
            let proto = tape.pick(&["all", "tcp"]);
            text.push_str(&format!(
                "outbound_rule(\"lb{b}/out\", \"lb{b}-pool\", {proto}). outbound_rule_frontend(\"lb{b}/out\", \"lb{b}-fe\"). "
            ));
        }
        for m in 0..4 {
            if tape.once_in(2) {
                text.push_str(&format!("ip_config_pool(\"m{m}-ip\", \"lb{b}-pool\"). "));
            }
            if tape.once_in(10) {
                text.push_str(&format!("load_balancer_member_down(\"lb{b}-pool\", \"m{m}-ip\"). "));
            }
        }
        if tape.once_in(5) {
            text.push_str(&format!("load_balancer_address(\"lb{b}-pool\", 10.0.0.{}, \"v0\"). ", 4 + tape.below(3)));
        }
    }
    if tape.once_in(2) {
        text.push_str("load_balancer_probe(\"probe\", 443). ");
    }
}

fn filters(tape: &mut Tape<'_>, text: &mut String, vnets: usize) {
    for g in 0..3 {
        if tape.once_in(8) {
            continue; // a group that the input does not hold
        }
        text.push_str(&format!("nsg(\"g{g}\"). "));
        for r in 0..tape.below(4) {
            let way = tape.pick(&["inbound", "outbound"]);
            let access = tape.pick(&["allow", "deny"]);
            let proto = tape.pick(&["\"*\"", "tcp", "udp", "icmp"]);
            let (from, to) = (tape.pick(ADDRESSES), tape.pick(ADDRESSES));
            let sports = if tape.once_in(6) { "1000-2000" } else { "*" };
            let ports = tape.pick(PORTS);
            let priority = 100 + 10 * r;
            text.push_str(&format!(
                "nsg_rule(\"g{g}/r{r}\", \"g{g}\", {way}, {priority}, {access}, {proto}, \"{from}\", \"{sports}\", \"{to}\", \"{ports}\"). "
            ));
        }
    }
    for v in 0..vnets {
        for s in 0..2 {
            if tape.once_in(3) {
                text.push_str(&format!("subnet_nsg(\"s{v}{s}\", \"g{}\"). ", tape.below(3)));
            }
        }
    }
    for m in 0..3 {
        if tape.once_in(3) {
            text.push_str(&format!("nic_nsg(\"m{m}-nic\", \"g{}\"). ", tape.below(3)));
        }
    }
}

fn routes(tape: &mut Tape<'_>, text: &mut String, vnets: usize) {
    for t in 0..2 {
        if !tape.once_in(6) {
            text.push_str(&format!("route_table(\"t{t}\", {}). ", tape.pick(&["true", "true", "false"])));
        }
        let mut seen = BTreeSet::new();
        if tape.once_in(2) {
            let to = tape.pick(&["10.0.0.0/8", "10.1.1.0/24", "0.0.0.0/0", "10.0.1.0/24"]);
            text.push_str(&format!(
                "route(\"t{t}/nva\", \"t{t}\", \"{to}\", virtualappliance, {}). ",
                tape.pick(&["10.0.0.4", "10.0.1.4"])
            ));
            seen.insert(to);
        }
        for r in 0..tape.below(4) {
            let to = tape.pick(DESTINATIONS);
            let hop = tape.pick(&["none", "internet", "virtualappliance", "vnetlocal", "virtualnetworkgateway", "virtualappliance"]);
            let address = if hop == "virtualappliance" { tape.pick(&["10.0.0.4", "10.0.1.4", "10.1.0.4", "10.0.0.200"]) } else { "\"\"" };
            if seen.insert(to) {
                text.push_str(&format!("route(\"t{t}/r{r}\", \"t{t}\", \"{to}\", {hop}, {address}). "));
            }
        }
    }
    for v in 0..vnets {
        for s in 0..2 {
            if tape.once_in(3) {
                text.push_str(&format!("subnet_route_table(\"s{v}{s}\", \"t{}\"). ", tape.below(2)));
            }
        }
    }
}

fn hybrid(tape: &mut Tape<'_>, text: &mut String, vnets: usize) {
    if !tape.once_in(3) {
        return;
    }
    let v = tape.below(vnets);
    let connected = tape.pick(&["yes", "yes", "maybe"]);
    let bgp = tape.once_in(6);
    text.push_str(&format!("subnet(\"gs\", \"v{v}\", 10.{v}.255.0/27). gateway(\"gw\"). gateway_subnet(\"gw\", \"gs\"). "));
    text.push_str(&format!("local_gateway(\"hq\"). local_gateway_prefix(\"hq\", {}). ", tape.pick(&["192.168.0.0/16", "10.9.0.0/16"])));
    let kind = if tape.once_in(8) { "vnet2vnet" } else { "ipsec" };
    text.push_str(&format!("connection(\"c\", {kind}, \"gw\", \"hq\", {connected}, {bgp}). "));
    if tape.once_in(2) {
        text.push_str("site_nat(\"hq\", 203.0.113.77). ");
    }
}

fn stores(tape: &mut Tape<'_>, text: &mut String, vnets: usize) {
    let default = |tape: &mut Tape<'_>| tape.pick(&["allow", "deny"]);
    let region = |tape: &mut Tape<'_>| tape.pick(&["westeurope", "northeurope", "eastus"]);
    for (id, word) in [("a0", "storage"), ("a1", "storage"), ("k0", "keyvault"), ("d0", "sql")] {
        if !tape.once_in(2) {
            continue;
        }
        let line = format!("{word}(\"{id}\", {}, {}). ", default(tape), region(tape));
        text.push_str(&line);
        if tape.once_in(3) {
            let (from, to) = match tape.below(3) {
                0 => ("203.0.113.0", "203.0.113.255"),
                1 => ("0.0.0.0", "0.0.0.0"),
                _ => ("203.0.113.20", "203.0.113.20"),
            };
            text.push_str(&format!("store_ip_rule(\"{id}/ip\", \"{id}\", {from}, {to}). "));
        }
        if tape.once_in(2) {
            let (v, s) = (tape.below(vnets), tape.below(2));
            text.push_str(&format!(
                "store_subnet_rule(\"{id}/net\", \"{id}\", \"s{v}{s}\", {}). ",
                tape.pick(&["yes", "yes", "maybe", "no"])
            ));
        }
    }
    for p in 0..tape.below(3) {
        let (v, s) = (tape.below(vnets), tape.below(2));
        let (target, group) = [("a0", "blob"), ("k0", "vault"), ("a1", "blob"), ("d0", "sqlserver"), ("a9", "blob")][tape.below(5)];
        let state = tape.pick(&["approved", "approved", "approved", "pending", "rejected", "disconnected", "unknown"]);
        text.push_str(&format!("private(\"pe{p}\", \"s{v}{s}\", 10.{v}.{s}.{}, \"{target}\", {group}, {state}). ", 100 + p));
        if tape.once_in(2) {
            text.push_str(&format!("record(\"z\", \"{target}\", 10.{v}.{s}.{}). ", 100 + p));
        }
    }
    if tape.once_in(2) {
        let v = tape.below(vnets);
        text.push_str(&format!("zone(\"z\", \"privatelink.blob.core.windows.net\", \"v{v}\"). "));
    }
}

/// Now and then a store of another service, with rules of its kind.
fn services(tape: &mut Tape<'_>, text: &mut String, vnets: usize) {
    const SERVICES: [(&str, &str, &str, &[&str]); 8] = [
        ("c0", "cosmos", "microsoft.azurecosmosdb", &["globaldocumentdb"]),
        ("h0", "eventhub", "microsoft.eventhub", &["standard", "standard", "basic"]),
        ("b0", "servicebus", "microsoft.servicebus", &["premium", "premium", "standard", "\"\""]),
        ("r0", "acr", "microsoft.containerregistry", &["premium", "premium", "basic", "\"\""]),
        ("w0", "web", "microsoft.web", &["app"]),
        ("p0", "database", "microsoft.sql", &["\"\""]),
        ("x0", "search", "microsoft.keyvault", &["\"\""]),
        ("l0", "datalake", "microsoft.azureactivedirectory", &["\"\""]),
    ];
    for (at, (id, word, endpoint, tiers)) in SERVICES.into_iter().enumerate() {
        if !tape.once_in(4) {
            continue;
        }
        let (v, s) = (tape.below(vnets), tape.below(2));
        let default = tape.pick(&["allow", "deny"]);
        let region = tape.pick(&["westeurope", "eastus"]);
        text.push_str(&format!("{word}(\"{id}\", {default}, {region}, {}). ", tape.pick(tiers)));
        if tape.once_in(2) {
            let location = tape.pick(&["\"\"", "\"*\"", "eastus"]);
            text.push_str(&format!("subnet_service_endpoint(\"s{v}{s}\", \"{endpoint}\", {location}). "));
        }
        if word == "web" {
            access_restrictions(tape, text, id, &format!("s{v}{s}"));
        } else {
            let switch = tape.pick(&["enabled", "enabled", "disabled"]);
            if matches!(word, "eventhub" | "servicebus") && !tape.once_in(3) {
                text.push_str(&format!("store_rule_set(\"{id}/set\", \"{id}\", \"\", {switch}, {}). ", tape.pick(&["yes", "no"])));
            }
            if tape.once_in(2) {
                let range = tape.pick(&["203.0.113.0, 203.0.113.255", "0.0.0.0, 0.0.0.0", "198.51.100.7, 198.51.100.7"]);
                text.push_str(&format!("store_ip_rule(\"{id}/ip\", \"{id}\", {range}). "));
            }
            if tape.once_in(2) {
                text.push_str(&format!(
                    "store_subnet_rule(\"{id}/net\", \"{id}\", \"s{v}{s}\", {}). ",
                    tape.pick(&["yes", "yes", "maybe"])
                ));
            }
        }
        if tape.once_in(3) {
            let group = match word {
                "cosmos" => "sql",
                "eventhub" | "servicebus" => "namespace",
                "acr" => "registry",
                "web" => "sites",
                "database" => "postgresqlserver",
                _ => "searchservice",
            };
            let state = tape.pick(&["approved", "pending"]);
            text.push_str(&format!("private(\"q{at}\", \"s{v}{s}\", 10.{v}.{s}.{}, \"{id}\", {group}, {state}). ", 120 + at));
        }
    }
}

/// Two lists, of which the first has some rules.
fn access_restrictions(tape: &mut Tape<'_>, text: &mut String, id: &str, subnet: &str) {
    let switch = tape.pick(&["unset", "unset", "enabled", "disabled"]);
    text.push_str(&format!("store_rule_set(\"{id}/main\", \"{id}\", sites, {switch}, {}). ", tape.pick(&["yes", "no", "maybe"])));
    text.push_str(&format!("store_rule_set(\"{id}/scm\", \"{id}\", scm, {switch}, yes). "));
    for position in 0..tape.below(4) {
        let source = tape.pick(&["198.51.100.7/32", "203.0.113.0/24", "0.0.0.0/0", "*", "storage", "unheardof", "\"\""]);
        let named = if source == "\"\"" { tape.pick(&[subnet, "*", "s00"]) } else { "" };
        let (allow, sure) = (tape.once_in(2), !tape.once_in(5));
        text.push_str(&format!(
            "store_list_rule(\"{id}/{position}\", \"{id}/main\", {position}, {allow}, {source}, \"{named}\", {sure}). "
        ));
    }
}

/// Now and then a firewall in the first network, with routes to it and rules of all kinds.
fn firewalls(tape: &mut Tape<'_>, text: &mut String) {
    if !tape.once_in(2) {
        return;
    }
    text.push_str("subnet(\"fws\", \"v0\", 10.0.200.0/26). ");
    let policy = tape.pick(&["p", "p", "p", ""]);
    text.push_str(&format!("firewall(\"fw\", \"fws\", 10.0.200.4, \"{policy}\", 203.0.113.50). "));
    if !tape.once_in(12) {
        let base = tape.pick(&["", "base", "base"]);
        text.push_str(&format!(
            "policy(\"p\", \"{base}\"). group(\"g0\", \"p\", 200). group(\"g1\", \"p\", {}). ",
            tape.pick(&["100", "300", "200"])
        ));
        if !tape.once_in(6) {
            text.push_str("policy(\"base\"). group(\"b0\", \"base\", 60000). ");
        }
    }
    if tape.once_in(6) {
        text.push_str("subnet_nat_gateway(\"fws\", \"nat\"). ");
    }
    let ranges = tape.pick(&["", "", "", "255.255.255.255/32", "0.0.0.0/0", "10.1.0.0/16"]);
    if !ranges.is_empty() {
        text.push_str(&format!("firewall_private_range(\"{}\", {ranges}). ", tape.pick(&["p", "base", "fw"])));
    }
    if tape.once_in(8) {
        text.push_str(&format!("firewall_inspection(\"{}\", threat-intelligence). ", tape.pick(&["p", "base", "fw"])));
    }
    for (t, to) in [("t0", "0.0.0.0/1"), ("t0", "10.0.0.0/15"), ("t1", "0.0.0.0/1"), ("t1", "10.1.0.0/17"), ("t1", "128.0.0.0/1")] {
        if tape.once_in(2) {
            text.push_str(&format!("route(\"{t}/fw-{to}\", \"{t}\", {to}, virtualappliance, 10.0.200.4). "));
        }
    }
    if tape.once_in(8) {
        text.push_str("subnet_route_table(\"fws\", \"t1\"). ");
    }
    for c in 0..4 {
        let owner = tape.pick(&["g0", "g1", "b0", if policy.is_empty() { "fw" } else { "g0" }]);
        let (action, priority) = (tape.pick(&["allow", "allow", "deny"]), tape.pick(&["100", "200", "300"]));
        text.push_str(&format!("firewall_collection(\"c{c}\", \"{owner}\", {priority}, {action}). "));
        for r in 0..tape.below(3) {
            let id = format!("c{c}/r{r}");
            let from = tape.pick(&["*", "10.0.0.0/16", "10.1.0.0/24", "203.0.113.0/24", ""]);
            let proto = tape.pick(&["tcp", "\"*\"", "udp", "icmp"]);
            let ports = tape.pick(PORTS);
            match tape.below(6) {
                0 | 1 => {
                    let to = tape.pick(&["*", "10.0.0.0/15", "storage", "0.0.0.0/0", "203.0.113.0/24", "unheardof", "internet"]);
                    text.push_str(&format!("network_rule(\"{id}\", \"c{c}\", \"{from}\", \"{to}\", {proto}, \"{ports}\"). "));
                }
                2 | 3 => {
                    let host =
                        tape.pick(&["*.blob.core.windows.net", "a0.blob.core.windows.net", "*", "k0.vault.azure.net", "a*.windows.net"]);
                    text.push_str(&format!("application_rule(\"{id}\", \"c{c}\", \"{from}\", \"{host}\", \"{ports}\"). "));
                }
                4 => {
                    let (to, port) = (tape.pick(&["10.0.0.5", "10.1.0.5", "10.0.1.4", "10.0.0.99"]), tape.pick(&["443", "8443", "\"\""]));
                    let own = tape.pick(&["203.0.113.50", "10.0.200.4"]);
                    text.push_str(&format!("nat_rule(\"{id}\", \"c{c}\", \"{from}\", {own}, tcp, \"{ports}\", {to}, {port}, {r}). "));
                }
                _ => {
                    text.push_str(&format!("network_rule(\"{id}\", \"c{c}\", \"{from}\", \"\", {proto}, \"{ports}\"). "));
                    text.push_str(&format!("firewall_rule_ip_group(\"{id}\", {}, \"ips\"). ", tape.pick(&["source", "destination"])));
                    let name = tape.pick(&["a0.blob.core.windows.net", "k0.vault.azure.net", "www.example.com"]);
                    text.push_str(&format!("firewall_rule_name(\"{id}\", fqdn, \"{name}\"). "));
                }
            }
        }
    }
    if tape.once_in(2) {
        text.push_str("ip_group(\"ips\"). ip_group_prefix(\"ips\", 10.1.0.0/25). ip_group_prefix(\"ips\", 203.0.113.0/26). ");
    }
}

/// The flows worth asking on an estate: every kind of end with every other, a few kinds of traffic, in an order that depends on names alone.
pub fn flows(facts: &BTreeSet<Fact>) -> Vec<Ask> {
    let mut machines: Vec<Sym> = Vec::new();
    let mut inside: Vec<End> = Vec::new();
    let mut targets: Vec<End> = Vec::new();
    for fact in facts {
        match fact {
            Fact::Machine(row) => machines.push(row.machine),
            Fact::Subnet(row) if !["gs", "fws", "gps"].contains(&row.name.as_str()) => inside.push(End::Subnet(row.subnet)),
            Fact::LocalGateway(row) => inside.push(End::Site(row.site)),
            Fact::StorePart(row) => targets.push(End::Store(row.store, row.part, row.instance)),
            Fact::PrivateEndpoint(row) => targets.push(End::PrivateEndpoint(row.endpoint)),
            Fact::PublicIpAddress(row) => targets.push(End::Ip(row.address)),
            Fact::LoadBalancerFrontend(row) => targets.extend(row.address.map(End::Ip)),
            _ => {}
        }
    }
    inside.extend(machines.iter().map(|m| End::Machine(*m)));
    let by_text = |ends: &mut Vec<End>| {
        ends.sort_by_key(|end| format!("{end:?}"));
        ends.dedup();
    };
    by_text(&mut inside);
    by_text(&mut targets);
    targets.extend(inside.iter().copied());
    targets.push(End::Internet(Some("198.51.100.7".parse().expect("literal"))));
    targets.push(End::Ip("10.0.0.9".parse().expect("literal")));
    targets.extend([Service::Storage, Service::Cosmos].map(End::External));
    let mut sources = inside;
    sources.push(End::Internet(Some("198.51.100.7".parse().expect("literal"))));
    sources.push(End::Internet(None));
    let mut all = Vec::new();
    for &from in &sources {
        for &to in targets.iter().filter(|to| **to != from) {
            let (from_outside, to_outside) =
                (matches!(from, End::Internet(_) | End::Site(_)), matches!(to, End::Internet(_) | End::External(_)));
            if from_outside && to_outside {
                continue; // nothing of the estate is asked
            }
            let dport = match to {
                End::Store(_, part, _) if part.as_str() == "sqlserver" => 1433,
                End::Store(_, part, _) if part.as_str() == "postgresqlserver" => 5432,
                _ => 443,
            };
            let turn = all.len();
            let proto = match (turn % 5, to) {
                (3, End::Machine(_) | End::Subnet(_) | End::Ip(_)) => Proto::Icmp,
                (4, End::Machine(_) | End::Subnet(_) | End::Ip(_)) => Proto::Udp,
                _ => Proto::Tcp,
            };
            all.push(Ask {
                from,
                to,
                proto,
                dport: if proto.has_ports() { dport } else { 0 },
                sport: if turn % 3 == 0 { None } else { Some(if turn % 3 == 1 { 1500 } else { 50000 }) }.filter(|_| proto.has_ports()),
                mode: if turn % 2 == 0 { Mode::Configured } else { Mode::Adversarial },
                session: turn % 7 != 6,
            });
        }
    }
    let step = all.len() / 48 + 1;
    all.into_iter().step_by(step).collect()
}
