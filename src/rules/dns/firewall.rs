//! An Azure Firewall as one who asks for names, and as a server that clients ask (DNS-20).

use std::cell::Cell;
use std::net::IpAddr;

use crate::facts::Index;
use crate::facts::network::DeviceKind;
use crate::facts::platform::Platform;
use crate::model::Sym;

use super::names::normal;
use super::{Answer, Context, MOST_QUESTIONS, Reach, Resolution, Resolver, either, first};

/// What `name` leads to when the firewall asks: its own servers, else Azure's resolver for its network.
pub fn resolve_at_firewall(index: &Index, platform: &Platform, firewall: Sym, name: &str) -> Resolution {
    let resolver = Resolver { index, platform, reach: &|_| Reach::Open, left: Cell::new(MOST_QUESTIONS) };
    let subnets = index.device_addresses.get(firewall).iter().map(|row| row.subnet);
    let vnet = subnets.filter_map(|subnet| resolver.vnet_of(subnet)).min_by_key(|vnet| vnet.as_str());
    resolver.at_firewall(firewall, vnet.unwrap_or_default(), &normal(name), 0)
}

/// Who holds what is configured of the firewall: its policy, else itself.
fn owner(index: &Index, firewall: Sym) -> Sym {
    index.azure_firewall.one(firewall).map_or(firewall, |row| if row.policy.is_empty() { firewall } else { row.policy })
}

impl Resolver<'_> {
    /// The answer of the firewall that has the address `server`, where one does.
    ///
    /// ```datalog
    /// answers_at(A, F) :- azure_firewall(F, _, "", _), device_address(F, A, _), firewall_dns_proxy(F).               // server.2
    /// answers_at(A, F) :- azure_firewall(F, _, P, _), device_address(F, A, _), firewall_dns_proxy(P).                // server.3
    /// ```
    pub(super) fn proxy(&self, server: IpAddr, asker: Option<Sym>, name: &str, depth: usize) -> Option<Resolution> {
        let is_firewall = |device: Sym| self.index.device.get(device).iter().any(|row| row.kind == DeviceKind::AzureFirewall);
        let rows = self.index.devices_by_address.get(server).iter().filter(|row| is_firewall(row.device));
        let owners: Vec<(Sym, Sym)> = rows.map(|row| (row.device, self.vnet_of(row.subnet).unwrap_or_default())).collect();
        if owners.is_empty() {
            return None;
        }
        let answers = self.nearest(asker, owners).into_iter().map(|(firewall, vnet)| self.by_firewall(server, firewall, vnet, name, depth));
        Some(either(name, answers.collect(), "firewalls of several networks have this address"))
    }

    fn by_firewall(&self, server: IpAddr, firewall: Sym, vnet: Sym, name: &str, depth: usize) -> Resolution {
        let owner = owner(self.index, firewall);
        if self.index.firewall_dns_proxy.has(owner) {
            return self.at_firewall(firewall, vnet, name, depth + 1);
        }
        // A NAT rule for the address may lead to a server behind it.
        let exported = self.index.azure_firewall.has(firewall) && (owner == firewall || self.index.firewall_policy.has(owner));
        let (answer, reason) = match exported && self.index.firewall_translation.is_empty() {
            true => (Answer::ServFail, format!("the firewall at {server} is no DNS proxy")),
            false => (Answer::Unknown, format!("what the firewall at {server} does with questions is not known")),
        };
        Resolution::new(answer, name, reason).by(owner)
    }

    fn at_firewall(&self, firewall: Sym, vnet: Sym, name: &str, depth: usize) -> Resolution {
        if vnet.is_empty() {
            return Resolution::new(Answer::Unknown, name, "the network of the firewall is not in the input").by(firewall);
        }
        let rows = self.index.firewall_dns_servers.get(owner(self.index, firewall)).iter();
        let mut servers: Vec<(u16, IpAddr)> = rows.map(|row| (row.position, row.server)).collect();
        servers.sort_unstable();
        if servers.is_empty() {
            return self.follow(Context::azure(vnet), name, depth + 1);
        }
        first(name, servers.into_iter().map(|(_, server)| self.ask(server, Some(vnet), name, depth + 1)).collect())
    }
}
