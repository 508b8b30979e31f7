//! An Azure Firewall as one who asks for names, and as a server that clients ask (DNS-20).

use std::net::IpAddr;

use crate::facts::Index;
use crate::facts::platform::Platform;
use crate::model::Sym;

use super::names::normal;
use super::{Answer, Context, Resolution, Resolver, either};

/// What `name` leads to when the firewall asks: its own servers, else Azure's resolver for its network.
pub fn resolve_at_firewall(index: &Index, platform: &Platform, firewall: Sym, name: &str) -> Resolution {
    Resolver { index, platform }.at_firewall(firewall, &normal(name), 0)
}

/// Who holds what is configured of the firewall: its policy, else itself.
fn owner(index: &Index, firewall: Sym) -> Sym {
    index.azure_firewall.one(firewall).map_or(firewall, |row| if row.policy.is_empty() { firewall } else { row.policy })
}

impl Resolver<'_> {
    /// The answer of the firewall that has the address `server`, where one does.
    pub(super) fn proxied(&self, server: IpAddr, name: &str, depth: usize) -> Option<Resolution> {
        let mut firewalls: Vec<Sym> = self.index.devices_by_address.get(server).iter().map(|row| row.device).collect();
        firewalls.retain(|device| self.index.azure_firewall.has(*device));
        firewalls.sort_by_key(|device| device.as_str());
        firewalls.dedup();
        let [firewall] = firewalls[..] else { return None };
        let owner = owner(self.index, firewall);
        if !self.index.firewall_dns_proxy.has(owner) {
            // A NAT rule for the address may lead to a server behind it.
            let exported = owner == firewall || self.index.firewall_policy.has(owner);
            let exported = exported && self.index.firewall_translation.is_empty();
            let (answer, reason) = match exported {
                true => (Answer::ServFail, format!("the firewall at {server} is no DNS proxy")),
                false => (Answer::Unknown, format!("what the firewall at {server} does with questions is not known")),
            };
            return Some(Resolution::new(answer, name, reason).by(owner));
        }
        Some(self.at_firewall(firewall, name, depth + 1))
    }

    fn at_firewall(&self, firewall: Sym, name: &str, depth: usize) -> Resolution {
        let owner = owner(self.index, firewall);
        let rows = self.index.device_addresses.get(firewall).iter();
        let vnet = rows.filter_map(|row| self.index.subnet.one(row.subnet)).map(|subnet| subnet.vnet).min_by_key(|vnet| vnet.as_str());
        let mut servers: Vec<_> = self.index.firewall_dns_servers.get(owner).iter().map(|row| (row.position, row.server)).collect();
        servers.sort_unstable();
        if !servers.is_empty() {
            let answers = servers.into_iter().map(|(_, server)| self.ask(server, vnet, name, depth)).collect();
            return either(name, answers, "the DNS servers of the firewall give different answers");
        }
        match vnet {
            Some(vnet) => self.follow(Context::Azure(vnet), name, depth),
            None => Resolution::new(Answer::Unknown, name, "the network of the firewall is not in the input".to_owned()).by(firewall),
        }
    }
}
