//! What names of stores resolve to in networks that private zones are linked to.

use rustc_hash::FxHashMap;

use crate::facts::Fact;
use crate::facts::private_access::ZoneLink;
use crate::facts::store_facts::StorePart;
use crate::model::Sym;
use crate::query::derived::Derived;
use crate::query::value::Value;
use crate::rules::dns::{self, Ambiguity, Answer, Reach, Resolution, View, names};
use crate::rules::{consent, private_endpoint};

/// All that tells the names of one network from those of another: the zones it is linked to, and how; the network itself where more
/// than that decides.
#[derive(PartialEq, Eq, Hash)]
struct Outlook {
    links: Vec<(Sym, bool)>,
    itself: Option<Sym>,
}

impl Derived<'_> {
    /// `name_answer` rows: what a linked private zone makes of the host name of each part of each store.
    pub(super) fn name_answers(&self) -> Vec<Vec<Value>> {
        let index = self.world.index;
        let hosts: Vec<(&StorePart, Sym)> = index
            .store_parts
            .rows()
            .map(|part| (part, Sym::new(&names::host(index, self.world.platform, part))))
            .filter(|(_, host)| !host.is_empty())
            .collect();
        let mut known: FxHashMap<Outlook, Vec<(usize, &'static str)>> = FxHashMap::default();
        let mut rows = Vec::new();
        for vnet in index.vnet.rows().map(|row| row.vnet).filter(|vnet| !index.zone_links_by_vnet.get(*vnet).is_empty()) {
            let found = known.entry(self.outlook(vnet)).or_insert_with(|| {
                let answer = |(n, (part, host)): (usize, &(&StorePart, Sym))| {
                    let group = private_endpoint::group(part.part, part.instance);
                    self.answer(&self.resolve(vnet, host.as_str()), part.store, group).map(|answer| (n, answer))
                };
                hosts.iter().enumerate().filter_map(answer).collect()
            });
            rows.extend(found.iter().map(|(n, answer)| {
                let (part, host) = hosts[*n];
                [vnet, part.store, part.part, host, Sym::new(answer)].map(Value::Symbol).to_vec()
            }));
        }
        rows
    }

    fn outlook(&self, vnet: Sym) -> Outlook {
        let index = self.world.index;
        let mut links: Vec<(Sym, bool)> = index
            .zone_links_by_vnet
            .get(vnet)
            .iter()
            .filter(|link: &&ZoneLink| link.usable)
            .map(|link| (link.zone, link.redirect))
            .collect();
        links.sort();
        links.dedup();
        // Rulesets are for networks of their region, policies for single ones.
        let alike = index.forwarding_ruleset.is_empty() && index.clouded.get(vnet).is_empty();
        Outlook { links, itself: (!alike).then_some(vnet) }
    }

    /// What Azure DNS answers in `vnet`, whatever servers of its own the network names.
    pub(super) fn resolve(&self, vnet: Sym, host: &str) -> Resolution {
        let index = self.world.index;
        let azure = self.azure_dns.get_or_init(|| {
            let servers: Vec<_> = index.vnet_dns.rows().copied().collect();
            (!servers.is_empty()).then(|| {
                let mut without = Box::new(index.clone());
                servers.into_iter().for_each(|row| {
                    without.remove(Fact::VnetDns(row));
                });
                without
            })
        });
        let index = azure.as_deref().unwrap_or(index);
        dns::resolve(index, self.world.platform, &|_| Reach::Open, &View::Vnet { vnet, nic: Sym::EMPTY }, host)
    }

    /// The word for an answer that a private zone gives; nothing for one that none does.
    pub(super) fn answer(&self, resolution: &Resolution, store: Sym, group: Sym) -> Option<&'static str> {
        match resolution.answer {
            _ if resolution.ambiguity == Ambiguity::Zones => Some("unknown"),
            Answer::Public | Answer::ServFail => None,
            Answer::NxDomain => Some("nxdomain"),
            Answer::NoData => Some("nodata"),
            // A forwarding ruleset is no private zone.
            Answer::Unknown if !resolution.decider.is_empty() && !resolution.decider.as_str().contains("/privatednszones/") => None,
            Answer::Unknown => Some("unknown"),
            Answer::Addresses => {
                let index = self.world.index;
                let own = |address| {
                    private_endpoint::connections(index, store, group).iter().any(|connection| {
                        let addresses = private_endpoint::addresses(index, connection.endpoint, group);
                        // An endpoint whose address is not in the input may have this one.
                        consent::of(index, connection).admitted.hi() && (addresses.is_empty() || addresses.contains(address))
                    })
                };
                Some(if resolution.addresses.iter().all(own) { "private" } else { "dangling" })
            }
        }
    }
}
