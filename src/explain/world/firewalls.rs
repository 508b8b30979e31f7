//! Azure Firewalls: their rules, the names these look up, and how they leave.

use std::net::IpAddr;
use std::rc::Rc;

use crate::explain::packet::Host;
use crate::explain::world::World;
use crate::facts::selector::Selector;
use crate::model::{Prefix, Sym, net};
use crate::rules::azure_firewall::{self as kernel, Firewall, Held, Target};
use crate::rules::dns::{Answer, firewall::resolve_at_firewall};
use crate::rules::outbound::{Method, firewall_methods};

impl World<'_> {
    /// The rules of an Azure Firewall.
    pub fn firewall(&self, device: Sym) -> Rc<Firewall> {
        self.firewall_once(device, || Firewall::new(self.index, device, &|name| self.held(device, name)))
    }

    /// Whether a NAT rule of the firewall may lead to the address, or nobody knows its rules.
    pub fn firewall_may_lead_to(&self, device: Sym, address: IpAddr) -> bool {
        let firewall = self.firewall(device);
        !firewall.missing.is_empty() || firewall.rules.iter().any(|rule| self.leads_to(device, rule, address))
    }

    pub(in crate::explain) fn leads_to(&self, device: Sym, rule: &kernel::Rule, address: IpAddr) -> bool {
        rule.translation.as_ref().is_some_and(|to| match Target::of(to) {
            Target::Address(to) => to == address,
            Target::Untold => true,
            Target::Name(name) => {
                let held = self.held(device, name.as_str());
                !held.certain || held.addresses.contains(&address)
            }
        })
    }

    /// What a name leads to when the firewall asks for it.
    pub fn held(&self, device: Sym, name: &str) -> Held {
        let found = resolve_at_firewall(self.index, self.platform, device, name);
        // A NAT rule without a target names none.
        let certain = !name.is_empty() && found.answer != Answer::Unknown && found.answer != Answer::ServFail;
        let public = found.answer == Answer::Public;
        Held { addresses: found.addresses, certain, public }
    }

    /// How the packets of a firewall leave for public addresses (OUT-13): by the NAT gateway of its subnet, else with its own addresses.
    pub fn firewall_exits(&self, at: &Host, v6: bool) -> Vec<Method> {
        if v6 {
            return Vec::new();
        }
        let index = self.index;
        let addresses = index.device_public_ips.get(at.nic).iter();
        // Of an address that two have nobody knows whether it is the firewall's.
        let told = |public_ip: Sym| index.public_ip_address.one(public_ip).filter(|_| self.rivals(public_ip).is_none());
        let addresses = addresses.map(|row| told(row.public_ip).map(|row| net::host(row.address)));
        let in_hub = index.firewall_hub_addresses.get(at.nic).iter().map(|row| Some(net::host(row.address)));
        let mut known: Vec<Option<Prefix>> = addresses.chain(in_hub).collect();
        known.sort_unstable();
        let own = (!known.is_empty()).then(|| (at.nic, known.into_iter().collect()));
        firewall_methods(self.nat_of(at.subnet, v6), own)
    }

    /// Every prefix that a firewall and the routes behind it compare addresses with, and the service tags that its rules name.
    pub fn firewalls_compare(&self) -> (Vec<Prefix>, Vec<Sym>) {
        let (mut cuts, mut tags) = (Vec::new(), Vec::new());
        for row in self.index.azure_firewall.rows() {
            let firewall = self.firewall(row.firewall);
            for rule in &firewall.rules {
                cuts.extend(rule.names.iter().flat_map(|name| &name.held.addresses).map(|address| net::host(*address)));
                for selector in rule.sources.iter().chain(&rule.destinations) {
                    match selector {
                        Selector::Prefix(prefix) => cuts.push(*prefix),
                        Selector::Tag(tag) => tags.push(*tag),
                        Selector::Any | Selector::Asg(_) => {}
                    }
                }
            }
            for address in self.index.device_addresses.get(row.firewall) {
                cuts.push(net::host(address.address));
                cuts.extend(self.context(address.subnet).cuts());
            }
        }
        cuts.extend(self.index.firewall_private_ranges.rows().map(|row| row.prefix));
        (cuts, tags)
    }
}
