//! Which address a name has for whom.
//!
//! `zone` looks names up in one private zone, `names` knows how stores are called; here is who asks whom.

pub mod firewall;
pub mod names;
pub mod zone;

use std::net::IpAddr;

use crate::facts::Index;
use crate::facts::platform::Platform;
use crate::facts::private_access::RecordType;
use crate::facts::store_facts::StorePart;
use crate::model::{Sym, Tri};
use crate::rules::{consent, private_endpoint};
use names::{normal, under};
use zone::{Lookup, lookup};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// A machine in `vnet`; `nic` may have servers of its own, and is empty for any machine there (DNS-01).
    Vnet {
        /// The virtual network.
        vnet: Sym,
        /// The network interface, or empty.
        nic: Sym,
    },
    /// Anybody outside.
    Internet,
    /// A site on premises (DNS-26).
    Site(Sym),
}

/// What kind of answer a name has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// Addresses that a private zone or a server's own records hold.
    Addresses,
    /// The public address of the name.
    Public,
    /// The name does not exist.
    NxDomain,
    /// The name exists without an address.
    NoData,
    /// The server gives no answer.
    ServFail,
    /// The answer depends on something that is not known.
    Unknown,
}

impl Answer {
    /// The word in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Answer::Addresses => "addresses",
            Answer::Public => "public",
            Answer::NxDomain => "nxdomain",
            Answer::NoData => "nodata",
            Answer::ServFail => "servfail",
            Answer::Unknown => "unknown",
        }
    }
}

/// What a name resolves to, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The kind of answer.
    pub answer: Answer,
    /// Its addresses, sorted; for an unknown answer those that are possible.
    pub addresses: Vec<IpAddr>,
    /// The names that were followed, the one asked for first.
    pub chain: Vec<String>,
    /// In plain words.
    pub reason: String,
    /// The reason code of an answer that fails or is not known; else empty.
    pub code: &'static str,
    /// The records that answered.
    pub records: Vec<Sym>,
    /// What decided: a private zone, a link, a server's resource; empty where none did.
    pub decider: Sym,
    /// The endpoint whose public address a public answer is.
    pub part: Option<StorePart>,
}

impl Resolution {
    fn new(answer: Answer, name: &str, reason: String) -> Resolution {
        let code = match answer {
            Answer::Addresses | Answer::Public => "",
            Answer::NxDomain => "DNS_NX",
            Answer::NoData => "DNS_NODATA",
            Answer::ServFail => "DNS_UNKNOWN",
            Answer::Unknown => "DNS_UNKNOWN",
        };
        Resolution {
            answer,
            addresses: Vec::new(),
            chain: vec![name.to_owned()],
            reason,
            code,
            records: Vec::new(),
            decider: Sym::EMPTY,
            part: None,
        }
    }

    /// Nothing can be said of a name.
    pub fn unknown(reason: &str) -> Resolution {
        Resolution::new(Answer::Unknown, "", reason.to_owned())
    }

    fn by(mut self, decider: Sym) -> Resolution {
        self.decider = decider;
        self
    }

    /// The same answer, reached from `name`.
    fn from(mut self, name: &str) -> Resolution {
        self.chain.insert(0, name.to_owned());
        self
    }

    /// Whether the client could not tell the two apart.
    fn same(&self, other: &Resolution) -> bool {
        self.answer == other.answer && self.addresses == other.addresses && self.part == other.part
    }
}

/// The answer where it is not known which of `possible` applies: theirs where they agree, else unknown with `reason`.
fn either(name: &str, possible: Vec<Resolution>, reason: &str) -> Resolution {
    let mut possible = possible.into_iter();
    let Some(first) = possible.next() else { return Resolution::new(Answer::Unknown, name, reason.to_owned()) };
    let others: Vec<Resolution> = possible.collect();
    if others.iter().all(|other| other.same(&first)) {
        return first;
    }
    let mut unknown = Resolution::new(Answer::Unknown, name, reason.to_owned()).by(first.decider);
    for one in std::iter::once(first).chain(others) {
        unknown.addresses.extend(one.addresses);
        unknown.records.extend(one.records);
    }
    unknown.addresses.sort_unstable();
    unknown.addresses.dedup();
    unknown.records.sort_by_key(|r| r.as_str());
    unknown.records.dedup();
    unknown
}

/// Whose zones and forwarders count while a name is followed.
#[derive(Clone, Copy)]
enum Context {
    /// Azure's resolver for a virtual network (DNS-03).
    Azure(Sym),
    /// The public name system.
    Public,
    /// The servers of a site; `alias` is whether a name is followed that no client asked for (DNS-21).
    Site { site: Sym, alias: bool },
}

/// How long a chain of names may be (step 0 of the resolver's algorithm).
const LONGEST_CHAIN: usize = 16;

/// Azure's own resolver, as clients name it (DNS-03).
const AZURE_RESOLVER: [u8; 4] = [168, 63, 129, 16];

/// Public resolvers that know nothing of private zones (DNS-20).
const PUBLIC_RESOLVERS: [[u8; 4]; 8] =
    [[8, 8, 8, 8], [8, 8, 4, 4], [1, 1, 1, 1], [1, 0, 0, 1], [9, 9, 9, 9], [149, 112, 112, 112], [208, 67, 222, 222], [208, 67, 220, 220]];

/// The child type that holds the addresses of a private zone.
const RECORDS: &str = "microsoft.network/privatednszones/a";

/// Kinds of resources that forward names and are not modelled yet: one of them in the input may answer instead of public DNS (DNS-08, DNS-34).
const FORWARDERS: [&str; 3] = [
    "microsoft.network/dnsforwardingrulesets",
    "microsoft.network/dnsforwardingrulesets/virtualnetworklinks",
    "microsoft.network/dnsresolverpolicies/virtualnetworklinks",
];

/// Resolves `name` as `view` sees it. `unreachable` tells whether a DNS server is surely out of the client's reach (DNS-05).
///
/// ```datalog
/// asks(N, D) :- nic_dns(N, _, D).                                                                                // dns.1
/// asks(N, D) :- ip_config(_, N, S, _), subnet(S, V, _), vnet_dns(V, _, D), !has_own_servers(N).                  // dns.2
/// has_own_servers(N) :- nic_dns(N, _, _).
/// zone_answers(V, Z, N, A) :- zone_link(_, Z, V, true, _, _), zone_record(_, Z, N, "a", A).                          // dns.3
/// ```
pub fn resolve(index: &Index, platform: &Platform, unreachable: &dyn Fn(IpAddr) -> bool, view: &View, name: &str) -> Resolution {
    let resolver = Resolver { index, platform };
    let name = normal(name);
    match *view {
        View::Internet => resolver.follow(Context::Public, &name, 0),
        View::Site(site) => resolver.follow(Context::Site { site, alias: false }, &name, 0),
        View::Vnet { vnet, nic } => {
            let servers = servers(index, vnet, nic);
            let answers: Vec<Resolution> = servers
                .iter()
                .map(|&server| {
                    if unreachable(server) {
                        let reason = format!("no route leads to the DNS server {server}");
                        return Resolution::new(Answer::ServFail, &name, reason).by(vnet);
                    }
                    resolver.ask(server, Some(vnet), &name, 0)
                })
                .collect();
            if servers.is_empty() {
                return resolver.follow(Context::Azure(vnet), &name, 0);
            }
            // DNS-04 takes the first of servers that disagree; nobody knows which one a client asks after a timeout.
            either(&name, answers, "the DNS servers of the client give different answers")
        }
    }
}

/// Whether the servers that a network lists give a client different answers for `name` (DNS-04): `true` where they surely do, `false` where they may, nothing
/// where they agree or there is but one.
pub fn disagree(index: &Index, platform: &Platform, vnet: Sym, name: &str) -> Option<bool> {
    let resolver = Resolver { index, platform };
    let name = normal(name);
    let ask = |server| resolver.ask(server, Some(vnet), &name, 0);
    let answers: Vec<Resolution> = servers(index, vnet, Sym::EMPTY).into_iter().map(ask).collect();
    let (known, unknown): (Vec<_>, Vec<_>) = answers.iter().partition(|one| one.answer != Answer::Unknown);
    if known.iter().any(|one| !one.same(known[0])) {
        return Some(true);
    }
    (!unknown.is_empty() && !known.is_empty()).then_some(false)
}

/// The servers a client asks, in their order; none means Azure's resolver (DNS-01, DNS-02, DNS-03).
pub fn servers(index: &Index, vnet: Sym, nic: Sym) -> Vec<IpAddr> {
    let mut own: Vec<(u16, IpAddr)> = index.nic_dns.get(nic).iter().map(|row| (row.position, row.server)).collect();
    if own.is_empty() {
        own = index.vnet_dns.get(vnet).iter().map(|row| (row.position, row.server)).collect();
    }
    own.sort_unstable();
    own.into_iter().map(|(_, server)| server).collect()
}

struct Resolver<'a> {
    index: &'a Index,
    platform: &'a Platform,
}

impl Resolver<'_> {
    /// Follows `name` in `context`, `depth` names down the chain.
    fn follow(&self, context: Context, name: &str, depth: usize) -> Resolution {
        if depth > LONGEST_CHAIN {
            let mut looped = Resolution::new(Answer::ServFail, name, "the names lead in a circle".to_owned());
            looped.code = "DNS_LOOP";
            return looped;
        }
        match context {
            Context::Public => self.public(context, name, depth),
            Context::Azure(vnet) => self.azure(vnet, name, depth),
            Context::Site { site, alias } => {
                let forwarder = self.index.site_forwarders.get(site).iter().filter(|f| {
                    // A conditional forwarder for a name that only an alias leads to helps where the site's server follows aliases itself (DNS-21).
                    under(name, &normal(f.suffix.as_str())) && (!alias || f.chases_cname)
                });
                match forwarder.max_by_key(|f| (f.suffix.as_str().len(), f.server)) {
                    Some(forwarder) => self.ask(forwarder.server, None, name, depth),
                    None => self.public(Context::Site { site, alias: true }, name, depth),
                }
            }
        }
    }

    /// Azure's resolver: linked zones first, then rulesets, then the public names (DNS-08).
    fn azure(&self, vnet: Sym, name: &str, depth: usize) -> Resolution {
        if !self.index.vnet.has(vnet) {
            return Resolution::new(Answer::Unknown, name, "the virtual network is not in the input".to_owned()).by(vnet);
        }
        let zones = self.zones(vnet, name);
        if zones.is_empty() {
            let outside = self.outside(vnet, name, depth);
            // A zone whose links nobody exported may be linked here (M-03).
            let unlinked = self.zones_without_links(name);
            if unlinked.is_empty() {
                return outside;
            }
            let mut possible = vec![outside];
            possible.extend(unlinked.iter().map(|&zone| self.in_zone(vnet, zone, false, name, depth)));
            return either(name, possible, "the links of a private zone for this name are not in the input");
        }
        // Two linked zones of one name cannot be (DNS-12): whichever is right.
        let answers = zones.iter().map(|&(zone, redirect)| self.in_zone(vnet, zone, redirect, name, depth)).collect();
        either(name, answers, "two linked private zones of the same name give different answers")
    }

    /// The linked zones that answer for `name`, with whether names they lack are asked for in public: those with the longest name (DNS-09, DNS-10, DNS-11).
    fn zones(&self, vnet: Sym, name: &str) -> Vec<(Sym, bool)> {
        let links = self.index.zone_links_by_vnet.get(vnet).iter().filter(|link| link.usable);
        let mut found: Vec<(Sym, bool)> =
            links.filter(|link| under(name, self.zone_name(link.zone))).map(|link| (link.zone, link.redirect)).collect();
        let longest = found.iter().map(|(zone, _)| self.zone_name(*zone).len()).max().unwrap_or(0);
        found.retain(|(zone, _)| self.zone_name(*zone).len() == longest);
        found.sort_by_key(|(zone, redirect)| (zone.as_str(), *redirect));
        found.dedup();
        found
    }

    fn zone_name(&self, zone: Sym) -> &'static str {
        match self.index.private_dns_zone.one(zone) {
            Some(row) => row.name.as_str(),
            None => zone.as_str().rsplit('/').next().unwrap_or(""),
        }
    }

    /// Zones for `name` of which it is not known to which networks they are linked.
    fn zones_without_links(&self, name: &str) -> Vec<Sym> {
        let kind = Sym::new("microsoft.network/privatednszones/virtualnetworklinks");
        if !self.index.zone_links_by_zone.is_empty() || self.index.complete_type.has(kind) || self.index.resources_by_kind.has(kind) {
            return Vec::new();
        }
        let listed = |zone: Sym| self.index.child_type.get(zone).iter().any(|c| c.kind == kind);
        let zones = self.index.private_dns_zone.rows().filter(|z| under(name, z.name.as_str()) && !listed(z.zone));
        let mut found: Vec<Sym> = zones.map(|z| z.zone).collect();
        found.sort_by_key(|zone| zone.as_str());
        found
    }

    fn in_zone(&self, vnet: Sym, zone: Sym, redirect: bool, name: &str, depth: usize) -> Resolution {
        let zone_name = self.zone_name(zone);
        match lookup(self.index.zone_records.get(zone), zone_name, name) {
            Lookup::Addresses(addresses, records) => {
                let mut found = Resolution::new(Answer::Addresses, name, format!("the private zone {zone_name} has a record")).by(zone);
                found.addresses = addresses;
                found.records = records;
                found
            }
            Lookup::Alias(target, record) => {
                let mut found = self.follow(Context::Azure(vnet), &target, depth + 1).from(name);
                found.records.insert(0, record);
                found
            }
            Lookup::NoData if self.unreadable(zone, zone_name, name) => {
                Resolution::new(Answer::Unknown, name, format!("a record of the private zone {zone_name} has no known value")).by(zone)
            }
            Lookup::NoData => {
                Resolution::new(Answer::NoData, name, format!("the private zone {zone_name} has the name, but no address for it")).by(zone)
            }
            Lookup::Unreadable(record) => {
                let mut found =
                    Resolution::new(Answer::Unknown, name, format!("a record of the private zone {zone_name} has no known value")).by(zone);
                found.records.push(record);
                found
            }
            Lookup::NxDomain => {
                let gone = || {
                    if redirect && names::private_link_zone(self.platform, zone_name) {
                        // The link sends names the zone lacks to public DNS (DNS-13).
                        let mut public = self.public(Context::Public, name, depth);
                        public.reason = format!("the private zone {zone_name} lacks the name and its link asks public DNS instead");
                        return public;
                    }
                    Resolution::new(Answer::NxDomain, name, format!("the private zone {zone_name} is linked and lacks the name")).by(zone)
                };
                let planned = self.planned(zone, name);
                let mut kept =
                    Resolution::new(Answer::Addresses, name, format!("a private endpoint keeps its record in the zone {zone_name}"))
                        .by(zone);
                kept.addresses = planned;
                if self.own_records(zone) || (self.records_exported() && kept.addresses.is_empty()) {
                    return gone();
                }
                if self.records_exported() {
                    return either(
                        name,
                        vec![gone(), kept],
                        "whether the record that a private endpoint keeps is deployed is not in the input",
                    );
                }
                if !kept.addresses.is_empty() {
                    return kept;
                }
                Resolution::new(Answer::Unknown, name, format!("the records of the private zone {zone_name} are not in the input")).by(zone)
            }
        }
    }

    /// Whether a record of the name was exported with a value that nobody understands.
    fn unreadable(&self, zone: Sym, zone_name: &str, name: &str) -> bool {
        let relative = name.strip_suffix(zone_name).unwrap_or("").trim_end_matches('.');
        let records = self.index.zone_records.get(zone).iter().filter(|r| r.name.as_str() == relative || r.name.as_str().starts_with('*'));
        records.into_iter().any(|r| self.index.gaps.has(r.record))
    }

    /// Whether the records of this very zone were exported: what it lacks does not exist (M-03).
    fn own_records(&self, zone: Sym) -> bool {
        let kind = Sym::new(RECORDS);
        let soa = self.index.zone_records.get(zone).iter().any(|r| r.kind == RecordType::Soa);
        soa || self.index.complete_type.has(kind) || self.index.child_type.get(zone).iter().any(|c| c.kind == kind)
    }

    /// Whether records were exported at all, which decision 8 takes for all zones.
    fn records_exported(&self) -> bool {
        self.index.resources_by_kind.has(Sym::new(RECORDS)) || self.index.zone_record.rows().any(|r| r.kind == RecordType::A)
    }

    /// The addresses that zone groups will write for `name` once they are deployed (DNS-17).
    fn planned(&self, zone: Sym, name: &str) -> Vec<IpAddr> {
        let Some(part) = names::part_of_private_name(self.index, self.platform, name) else { return Vec::new() };
        let group = private_endpoint::group(part.part, part.instance);
        let mut found: Vec<IpAddr> = Vec::new();
        for connection in private_endpoint::connections(self.index, part.store, group) {
            let keeps = self.index.zone_groups.get(connection.endpoint).iter().any(|g| g.zone == zone);
            if keeps && consent::of(self.index, &connection).admitted == Tri::Yes {
                found.extend(private_endpoint::addresses(self.index, connection.endpoint, connection.group));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Past the zones: rulesets are not modelled, so one in the input may answer anything.
    fn outside(&self, vnet: Sym, name: &str, depth: usize) -> Resolution {
        let forwarders = FORWARDERS.iter().flat_map(|kind| self.index.resources_by_kind.get(Sym::new(kind))).map(|r| r.id);
        let clouds = self.index.clouded.get(vnet).iter().filter(|row| row.what.as_str() == "names").map(|row| row.resource);
        match forwarders.chain(clouds).min_by_key(|id| id.as_str()) {
            Some(id) => {
                Resolution::new(Answer::Unknown, name, "a DNS forwarder that is not modelled may answer for this name".to_owned()).by(id)
            }
            None => self.public(Context::Azure(vnet), name, depth),
        }
    }

    /// The public name system: the alias into the private-link zone exists while a connection is approved (DNS-14, DNS-15).
    fn public(&self, context: Context, name: &str, depth: usize) -> Resolution {
        let public = |part: Option<StorePart>, reason: String| {
            let mut found = Resolution::new(Answer::Public, name, reason);
            found.part = part;
            found
        };
        if let Some(&part) = self.part_of_host(name) {
            let group = private_endpoint::group(part.part, part.instance);
            let kind = self.kind(part.store);
            let only_group = private_endpoint::only_group(self.index, part.store, group);
            let approved = consent::approved_for(self.index, part.store, group, only_group);
            let mut possible = Vec::new();
            if approved.hi() {
                let aliases = names::private_names(self.platform, kind, group, name);
                possible.extend(aliases.iter().map(|alias| self.follow(context, alias, depth + 1).from(name)));
            }
            if approved != Tri::Yes || possible.is_empty() {
                possible.push(public(Some(part), "no approved private endpoint gives the name an alias: its public address".to_owned()));
            }
            return either(name, possible, "whether an approved private endpoint gives the name a private alias is not in the input");
        }
        if let Some(part) = names::part_of_private_name(self.index, self.platform, name) {
            return public(Some(part), "no private zone answers for the private name: its public address".to_owned());
        }
        if names::of_azure(self.platform, name) {
            return Resolution::new(Answer::Unknown, name, "the name belongs to no store in the input".to_owned());
        }
        if names::internal(name) {
            return Resolution::new(Answer::Unknown, name, "no zone or server in the input knows this internal name".to_owned());
        }
        public(None, "public DNS answers".to_owned())
    }

    fn part_of_host(&self, name: &str) -> Option<&StorePart> {
        let parts = self.index.store_parts_by_host.get(Sym::new(name)).iter();
        parts.min_by_key(|part| (part.store.as_str(), part.part.as_str()))
    }

    fn kind(&self, store: Sym) -> Sym {
        self.index.store.one(store).map_or(Sym::EMPTY, |row| names::resource_kind(self.index, row))
    }

    /// What the server at `server` answers (DNS-20); `asker` is the network that Azure's own resolver answers for.
    fn ask(&self, server: IpAddr, asker: Option<Sym>, name: &str, depth: usize) -> Resolution {
        if depth > LONGEST_CHAIN {
            let mut looped = Resolution::new(Answer::ServFail, name, "the DNS servers forward in a circle".to_owned());
            looped.code = "DNS_LOOP";
            return looped;
        }
        if server == IpAddr::from(AZURE_RESOLVER) {
            return match asker {
                Some(vnet) => self.follow(Context::Azure(vnet), name, depth),
                None => Resolution::new(Answer::ServFail, name, "Azure's resolver answers only inside Azure".to_owned()),
            };
        }
        if let Some(&row) = self.index.dns_server.one(server) {
            let own = self.index.dns_server_records.get(server).iter().filter(|r| normal(r.name.as_str()) == name);
            let mut addresses: Vec<IpAddr> = own.map(|r| r.address).collect();
            if !addresses.is_empty() {
                addresses.sort_unstable();
                addresses.dedup();
                let mut found = Resolution::new(Answer::Addresses, name, format!("the DNS server {server} has a record of its own"));
                found.addresses = addresses;
                return found;
            }
            return match row.forwards.as_str() {
                "azure-dns" => match self.place(row.at, server) {
                    Some(vnet) => self.follow(Context::Azure(vnet), name, depth),
                    None => {
                        let reason = format!("in which virtual network the DNS server {server} asks Azure is not stated");
                        Resolution::new(Answer::Unknown, name, reason)
                    }
                },
                "internet" => self.follow(Context::Public, name, depth),
                forwards => match forwards.parse::<IpAddr>() {
                    Ok(next) => self.ask(next, self.place(row.at, server), name, depth + 1),
                    Err(_) => {
                        let reason = format!("what the DNS server {server} does with names it does not hold is not stated");
                        Resolution::new(Answer::Unknown, name, reason)
                    }
                },
            };
        }
        if let Some(answer) = self.proxied(server, name, depth) {
            return answer;
        }
        if PUBLIC_RESOLVERS.iter().any(|&known| server == IpAddr::from(known)) {
            return self.follow(Context::Public, name, depth);
        }
        let devices = self.index.devices_by_address.get(server).iter().map(|d| d.device);
        let frontends = self.index.load_balancer_frontends_by_address.get(Some(server)).iter().map(|f| f.balancer);
        let machines = self.index.ip_configs_by_address.get(server).iter().filter_map(|a| self.index.ip_config.one(a.ip_config));
        let owner = devices.chain(frontends).chain(machines.map(|c| c.nic)).min_by_key(|id| id.as_str()).unwrap_or(Sym::EMPTY);
        Resolution::new(Answer::Unknown, name, format!("what the custom DNS server {server} answers is not known")).by(owner)
    }

    /// The network whose zones a modelled server sees: the stated one, else the only one in which its address belongs to a machine.
    fn place(&self, at: Sym, server: IpAddr) -> Option<Sym> {
        if !at.is_empty() {
            return Some(at);
        }
        let configs = self.index.ip_configs_by_address.get(server).iter().filter_map(|a| self.index.ip_config.one(a.ip_config));
        let mut vnets: Vec<Sym> = configs.filter_map(|c| self.index.subnet.one(c.subnet)).map(|s| s.vnet).collect();
        vnets.sort_unstable();
        vnets.dedup();
        if let [vnet] = vnets[..] { Some(vnet) } else { None }
    }
}
