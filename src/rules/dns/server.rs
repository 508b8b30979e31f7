//! What a DNS server answers, by who it is (DNS-20, DNS-33).

use std::net::{IpAddr, Ipv4Addr};

use crate::facts::network::UNTOLD_SERVER;
use crate::model::Sym;
use crate::rules::dns::names::normal;
use crate::rules::dns::resolution::either;
use crate::rules::dns::{Answer, Context, LONGEST_CHAIN, Resolution, Resolver};

/// Azure's own resolver, as clients name it (DNS-03).
pub(super) const AZURE_RESOLVER: IpAddr = IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16));

/// Where servers answer.
pub(super) const PORT: u16 = 53;

/// What is learned of a server that could not be read, whoever asks it.
pub(super) fn untold(name: &str) -> Resolution {
    Resolution::new(Answer::Unknown, name, "the address of a DNS server could not be read")
}

impl Resolver<'_> {
    /// What the server at `server` answers; `asker` is the network that Azure's own resolver answers for.
    pub(super) fn ask(&self, server: IpAddr, asker: Option<Sym>, name: &str, depth: usize) -> Resolution {
        if depth > LONGEST_CHAIN {
            return Resolution::circle(name, "the DNS servers forward in a circle");
        }
        if server == UNTOLD_SERVER {
            return untold(name);
        }
        if server == AZURE_RESOLVER {
            return match asker {
                Some(vnet) => self.follow(Context::azure(vnet), name, depth),
                None => Resolution::new(Answer::ServFail, name, "Azure's resolver answers only inside Azure"),
            };
        }
        if self.index.dns_server.has(server) {
            return self.stated(server, name, depth);
        }
        if let Some(answer) = self.inbound(server, asker, name, depth).or_else(|| self.proxy(server, asker, name, depth)) {
            return answer;
        }
        if self.platform.is_public_resolver(server) {
            return self.follow(Context::Public, name, depth);
        }
        let devices = self.index.devices_by_address.get(server).iter().map(|d| d.device);
        let machines = self.index.ip_configs_by_address.get(server).iter().filter_map(|a| self.index.ip_config.one(a.ip_config));
        let frontends = self.index.load_balancer_frontends_by_address.get(Some(server)).iter().map(|f| f.balancer);
        let owner = devices.chain(frontends).chain(machines.map(|c| c.nic)).min_by_key(|id| id.as_str()).unwrap_or(Sym::EMPTY);
        Resolution::new(Answer::Unknown, name, format!("what the custom DNS server {server} answers is not known")).by(owner)
    }

    /// A server that a person described: its own records, else whom it forwards to (DNS-20, DNS-32).
    fn stated(&self, server: IpAddr, name: &str, depth: usize) -> Resolution {
        if let Some(own) = self.own_record(server, name) {
            return own;
        }
        let mut rows = self.index.dns_server.get(server).to_vec();
        rows.sort_by_key(|row| (row.forwards.as_str(), row.at.as_str()));
        let unknown = |reason: String| Resolution::new(Answer::Unknown, name, reason);
        let answers = rows.iter().map(|row| match (row.forwards.as_str(), self.place(row.at, server)) {
            ("azure-dns", Some(vnet)) => self.follow(Context::azure(vnet), name, depth),
            ("azure-dns", None) => unknown(format!("in which virtual network the DNS server {server} asks Azure is not stated")),
            ("internet", _) => self.follow(Context::Public, name, depth),
            (forwards, place) => match forwards.parse::<IpAddr>() {
                Ok(next) => self.ask(next, place, name, depth + 1),
                Err(_) => unknown(format!("what the DNS server {server} does with names it does not hold is not stated")),
            },
        });
        let forwarded = either(name, answers.collect(), "the DNS server is described in several ways");
        // Some servers go on from an alias by themselves, and others take the whole answer of whom they forward to: which it does is not stated (DNS-21).
        let held: Vec<Resolution> = forwarded.chain.iter().skip(1).filter_map(|alias| self.own_record(server, alias)).collect();
        let reason = format!(
            "the DNS server {server} has a record only for what the name leads to, and whether it follows aliases itself is not stated: give it one for the name"
        );
        either(name, [forwarded].into_iter().chain(held).collect(), &reason)
    }

    /// What a modelled server holds of a name.
    fn own_record(&self, server: IpAddr, name: &str) -> Option<Resolution> {
        let own = self.index.dns_server_records.get(server).iter().filter(|r| normal(r.name.as_str()) == name);
        let addresses: Vec<IpAddr> = own.map(|r| r.address).collect();
        (!addresses.is_empty()).then(|| Resolution::addresses(name, addresses, format!("the DNS server {server} has a record of its own")))
    }

    /// The network whose zones a modelled server sees: the stated one, else the only one in which its address belongs to a machine.
    fn place(&self, at: Sym, server: IpAddr) -> Option<Sym> {
        if !at.is_empty() {
            return Some(at);
        }
        let configs = self.index.ip_configs_by_address.get(server).iter().filter_map(|a| self.index.ip_config.one(a.ip_config));
        let mut vnets: Vec<Sym> = configs.filter_map(|c| self.vnet_of(c.subnet)).collect();
        vnets.sort_unstable();
        vnets.dedup();
        if let [vnet] = vnets[..] { Some(vnet) } else { None }
    }

    pub(super) fn vnet_of(&self, subnet: Sym) -> Option<Sym> {
        self.index.subnet.one(subnet).map(|row| row.vnet)
    }

    /// Of owners of one address in several networks: those in the asker's own, where it has any.
    pub(super) fn nearest(&self, asker: Option<Sym>, mut owners: Vec<(Sym, Sym)>) -> Vec<(Sym, Sym)> {
        owners.sort_by_key(|(owner, vnet)| (owner.as_str(), vnet.as_str()));
        owners.dedup();
        if owners.iter().any(|(_, vnet)| Some(*vnet) == asker) {
            owners.retain(|(_, vnet)| Some(*vnet) == asker);
        }
        owners
    }

    /// The inbound endpoint of a private resolver answers with what its own network sees (DNS-33).
    ///
    /// ```datalog
    /// answers_for(A, V) :- dns_inbound(_, R, _, A, true), dns_resolver(R, V).                                        // server.1
    /// ```
    fn inbound(&self, server: IpAddr, asker: Option<Sym>, name: &str, depth: usize) -> Option<Resolution> {
        let rows = self.index.dns_inbound_by_address.get(server).iter();
        let owners = rows.map(|row| {
            let stated = self.index.dns_resolver.one(row.resolver).map(|resolver| resolver.vnet);
            (row.endpoint, stated.or_else(|| self.vnet_of(row.subnet)).unwrap_or_default())
        });
        let answers: Vec<Resolution> = self
            .nearest(asker, owners.collect())
            .into_iter()
            .map(|(endpoint, vnet)| {
                let settled = self.index.dns_inbound.get(endpoint).iter().any(|row| row.address == server && row.settled);
                if !settled {
                    return Resolution::new(Answer::Unknown, name, "the inbound endpoint of the resolver is not settled").by(endpoint);
                }
                self.follow(Context::azure(vnet), name, depth + 1)
            })
            .collect();
        (!answers.is_empty()).then(|| either(name, answers, "inbound endpoints of several networks have this address"))
    }
}
