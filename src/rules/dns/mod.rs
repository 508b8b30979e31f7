//! Which address a name has for whom.
//!
//! `server` is who is asked, `azure` Azure's resolver in a network, `zone` one zone, `kept` the records that endpoints and machines keep in one, `ruleset` where
//! rules send names, `public` the public name system, `names` how services are called; `resolution` is the answer. Here is who asks whom.

mod azure;
pub mod firewall;
mod kept;
pub mod names;
mod public;
mod resolution;
mod ruleset;
mod server;
pub mod zone;

use std::cell::Cell;
use std::net::IpAddr;

use crate::facts::Index;
use crate::facts::network::UNTOLD_SERVER;
use crate::facts::platform::Platform;
use crate::model::Sym;
use names::{normal, under};
pub use resolution::{Ambiguity, Answer, Resolution};
use resolution::{either, first};

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
    /// A site on premises (DNS-26), or the point-to-site clients of a gateway (DNS-07).
    Site(Sym),
}

/// Whether a client gets through to a DNS server (DNS-05).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Nothing says that it does not.
    Open,
    /// Surely not: the server lies in a modelled network, or is Azure's own.
    Lost,
    /// Filters of the client refuse its queries, and the server lies in no modelled network (decision 4), or only some ways to ask are refused.
    Unclear,
}

/// Resolves `name` as `view` sees it. `reach` tells whether the client gets through to a server.
///
/// ```datalog
/// asks(N, D) :- nic_dns(N, _, D).                                                                                // dns.1
/// asks(N, D) :- ip_config(_, N, S, _), subnet(S, V, _), vnet_dns(V, _, D), !has_own_servers(N).                  // dns.2
/// has_own_servers(N) :- nic_dns(N, _, _).
/// zone_answers(V, Z, N, A) :- zone_link(_, Z, V, true, _, _), zone_record(_, Z, N, "a", A).                      // dns.3
/// local_answers(V, N, A) :- local_record(V, N, A).                                                               // dns.4
/// ```
pub fn resolve(index: &Index, platform: &Platform, reach: &dyn Fn(IpAddr) -> Reach, view: &View, name: &str) -> Resolution {
    let resolver = Resolver { index, platform, reach, left: Cell::new(MOST_QUESTIONS) };
    let name = normal(name);
    if let Some(own) = resolver.hosts_file(view, &name) {
        return own;
    }
    match *view {
        View::Internet => resolver.follow(Context::Public, &name, 0),
        View::Site(site) => {
            // Clients of a gateway take over the servers of its network, where it names any (DNS-07).
            let subnets = index.gateway_subnets.get(site).iter().filter_map(|row| index.subnet.one(row.subnet));
            let vnet = subnets.map(|subnet| subnet.vnet).min_by_key(|vnet| vnet.as_str());
            let servers = vnet.map_or(Vec::new(), |vnet| servers(index, vnet, Sym::EMPTY));
            match vnet.filter(|_| !servers.is_empty()) {
                Some(vnet) => resolver.ask_all(&servers, vnet, &name),
                None => resolver.follow(Context::Site { site, alias: false }, &name, 0),
            }
        }
        View::Vnet { vnet, nic } => {
            let mut servers = servers(index, vnet, nic);
            if servers.is_empty() {
                servers.push(server::AZURE_RESOLVER);
            }
            resolver.ask_all(&servers, vnet, &name)
        }
    }
}

/// What Azure's own servers answer in a network, whatever servers it lists.
pub fn resolve_by_azure(index: &Index, platform: &Platform, vnet: Sym, name: &str) -> Resolution {
    let resolver = Resolver { index, platform, reach: &|_| Reach::Open, left: Cell::new(MOST_QUESTIONS) };
    let name = normal(name);
    let own = resolver.hosts_file(&View::Vnet { vnet, nic: Sym::EMPTY }, &name);
    own.unwrap_or_else(|| resolver.ask_all(&[server::AZURE_RESOLVER], vnet, &name))
}

/// Whether the servers that a network lists give a client different answers for `name` (DNS-04): `true` where they surely do, `false` where they may, nothing
/// where they agree or there is but one.
pub fn disagree(index: &Index, platform: &Platform, vnet: Sym, name: &str) -> Option<bool> {
    let resolver = Resolver { index, platform, reach: &|_| Reach::Open, left: Cell::new(MOST_QUESTIONS) };
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

/// Whose zones and forwarders count while a name is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Context {
    /// Azure's resolver for a virtual network (DNS-03); `alias` is whether a name is followed that only a public alias led to (DNS-23).
    Azure { vnet: Sym, alias: bool },
    /// The public name system.
    Public,
    /// The servers of a site; `alias` is whether a name is followed that only an alias led to (DNS-21).
    Site { site: Sym, alias: bool },
}

impl Context {
    fn azure(vnet: Sym) -> Context {
        Context::Azure { vnet, alias: false }
    }

    /// The same for a name that a public alias led to.
    fn behind_alias(self) -> Context {
        match self {
            Context::Azure { vnet, .. } => Context::Azure { vnet, alias: true },
            Context::Public => Context::Public,
            Context::Site { site, .. } => Context::Site { site, alias: true },
        }
    }
}

/// How long a chain of names and servers may be (step 0 of the resolver's algorithm).
const LONGEST_CHAIN: usize = 16;

/// How many questions one name may lead to: zones and servers that disagree multiply, and whoever wrote the input may have meant them to.
const MOST_QUESTIONS: u32 = 2000;

struct Resolver<'a> {
    index: &'a Index,
    platform: &'a Platform,
    /// Whether whoever asks first gets through to a server.
    reach: &'a dyn Fn(IpAddr) -> Reach,
    /// How many questions may still be asked.
    left: Cell<u32>,
}

impl Resolver<'_> {
    /// Follows `name` in `context`, `depth` names and servers down the chain.
    fn follow(&self, context: Context, name: &str, depth: usize) -> Resolution {
        if depth > LONGEST_CHAIN {
            return Resolution::circle(name, "the names and servers lead in a circle");
        }
        let Some(left) = self.left.get().checked_sub(1) else {
            return Resolution::new(Answer::Unknown, name, "too many zones and servers may answer");
        };
        self.left.set(left);
        match context {
            Context::Public => self.public(context, name, depth),
            Context::Azure { vnet, alias } => self.azure(vnet, alias, name, depth),
            Context::Site { site, alias } => self.at_site(site, alias, name, depth),
        }
    }

    /// A site's own servers: the longest conditional forwarder, else the public name system (DNS-21, DNS-26).
    fn at_site(&self, site: Sym, alias: bool, name: &str, depth: usize) -> Resolution {
        let public = || self.public(Context::Site { site, alias }, name, depth);
        let fitting = self.index.site_forwarders.get(site).iter().filter(|f| under(name, &normal(f.suffix.as_str())));
        let fitting = fitting.filter(|f| !alias || f.chases_cname.hi());
        let Some(best) = fitting.clone().map(|f| f.suffix.as_str().len()).max() else { return public() };
        let mut rules: Vec<_> = fitting.filter(|f| f.suffix.as_str().len() == best).collect();
        rules.sort_by_key(|f| f.server);
        let mut answers: Vec<Resolution> = rules.iter().map(|f| self.ask_through(f.server, None, name, depth + 1)).collect();
        if alias && rules.iter().any(|f| !f.chases_cname.lo()) {
            answers.push(public());
        }
        either(name, answers, "which of the site's forwarders answers is not stated")
    }

    /// What the client's machine, its network or its site takes a name for without asking (DNS-06).
    fn hosts_file(&self, view: &View, name: &str) -> Option<Resolution> {
        let places: Vec<Sym> = match *view {
            View::Vnet { vnet, nic } => {
                let machines = self.index.nic_machine.get(nic).iter().map(|row| row.machine);
                [nic].into_iter().chain(machines).chain([vnet]).collect()
            }
            View::Site(site) => vec![site],
            View::Internet => Vec::new(),
        };
        places.into_iter().filter(|place| !place.is_empty()).find_map(|place| {
            let rows = self.index.local_records.get(place).iter().filter(|row| normal(row.name.as_str()) == name);
            let addresses: Vec<IpAddr> = rows.map(|row| row.address).collect();
            let reason = "the client's own hosts file has the name";
            (!addresses.is_empty()).then(|| Resolution::addresses(name, addresses, reason).by(place))
        })
    }

    /// What a client in `vnet` learns from its servers (DNS-04).
    fn ask_all(&self, servers: &[IpAddr], vnet: Sym, name: &str) -> Resolution {
        first(name, servers.iter().map(|&server| self.ask_through(server, Some(vnet), name, 0)).collect())
    }

    /// What whoever asks first learns from one server, as far as queries get through (DNS-05).
    fn ask_through(&self, server: IpAddr, asker: Option<Sym>, name: &str, depth: usize) -> Resolution {
        let place = asker.unwrap_or_default();
        if server == UNTOLD_SERVER {
            return server::untold(name).by(place);
        }
        match (self.reach)(server) {
            Reach::Open => self.ask(server, asker, name, depth),
            Reach::Lost => Resolution::new(Answer::ServFail, name, format!("nothing gets through to the DNS server {server}")).by(place),
            Reach::Unclear => {
                let reason = format!("whether queries get through to the DNS server {server} is not known");
                Resolution::new(Answer::Unknown, name, reason).by(place)
            }
        }
    }
}
