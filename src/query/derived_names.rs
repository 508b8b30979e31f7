//! What names of stores resolve to in networks that private zones are linked to.

use rustc_hash::FxHashMap;

use crate::facts::private_access::ZoneLink;
use crate::facts::store_facts::StorePart;
use crate::model::Sym;
use crate::query::derived::{Derived, certainty};
use crate::query::value::Value;
use crate::rules::dns::{self, Ambiguity, Answer, Resolution, names};
use crate::rules::lead::{self, Lead};
use crate::rules::{consent, private_endpoint};

/// All that tells the names of one network from those of another: the zones it is linked to, and how; the network itself where more
/// than that decides.
#[derive(PartialEq, Eq, Hash)]
struct Outlook {
    links: Vec<(Sym, bool)>,
    itself: Option<Sym>,
}

/// A zone, a store, its host name, the zone's answer, and whether only networks hear it whose DNS servers may say something else, or whose
/// zones are not known whole.
pub(super) type Said = (Sym, Sym, Sym, &'static str, bool);

/// Who hears an answer.
pub(super) struct Heard {
    /// The first network, by id.
    pub vnet: Sym,
    /// How many there are.
    pub networks: usize,
}

/// What networks of one outlook are told for a name, and which zone says it; empty where not one alone does.
struct Name {
    host: Sym,
    answer: &'static str,
    zone: Sym,
}

/// The answer where records may be missing in the input.
pub(super) const UNKNOWN: &str = "unknown";

impl Derived<'_> {
    /// `name_answer` rows: what a linked private zone makes of the host name of each part of each store.
    pub(super) fn name_answers(&self) -> Vec<Vec<Value>> {
        let mut rows = Vec::new();
        self.each_name(&mut |vnet, part, said| {
            rows.push([vnet, part.store, part.part, said.host, Sym::new(said.answer)].map(Value::Symbol).to_vec());
        });
        rows
    }

    /// `zone_answer` rows: the same, once for all networks that hear it of one zone.
    pub(super) fn zone_answers(&self) -> Vec<Vec<Value>> {
        let row = |(zone, store, host, answer, own): &Said| {
            let cells = [*zone, *store, *host, Sym::new(answer)].map(Value::Symbol);
            cells.into_iter().chain([certainty(!own)]).collect()
        };
        self.heard().keys().map(row).collect()
    }

    /// Who hears what of which zone. Where a network that asks Azure's servers hears it, those that have servers of their own add nothing.
    pub(super) fn heard(&self) -> &FxHashMap<Said, Heard> {
        self.heard.get_or_init(|| {
            let mut all: FxHashMap<Said, Heard> = FxHashMap::default();
            self.each_name(&mut |vnet, part, said| {
                let own = !self.world.index.vnet_dns.get(vnet).is_empty();
                // Where no zone decides alone, it is a matter of each network.
                let zone = if said.zone.is_empty() { vnet } else { said.zone };
                let heard = all.entry((zone, part.store, said.host, said.answer, own || said.answer == UNKNOWN));
                let heard = heard.or_insert(Heard { vnet, networks: 0 });
                heard.networks += 1;
                if vnet.as_str() < heard.vnet.as_str() {
                    heard.vnet = vnet;
                }
            });
            let proven: Vec<Said> = all.keys().filter(|said| !said.4).copied().collect();
            for (zone, store, host, answer, _) in proven {
                all.remove(&(zone, store, host, answer, true));
            }
            all
        })
    }

    /// Calls `found` with each network and each name of a part of a store that a private zone captures there.
    fn each_name(&self, found: &mut dyn FnMut(Sym, &StorePart, &Name)) {
        let index = self.world.index;
        let hosts: Vec<(&StorePart, Sym)> =
            index.store_parts.rows().filter_map(|part| Some((part, Sym::new(&names::host(index, self.world.platform, part)?)))).collect();
        let mut known: FxHashMap<Outlook, Vec<(usize, Name)>> = FxHashMap::default();
        for vnet in index.vnet.rows().map(|row| row.vnet).filter(|vnet| !index.zone_links_by_vnet.get(*vnet).is_empty()) {
            let names = known.entry(self.outlook(vnet)).or_insert_with(|| {
                let name = |(n, &(part, host)): (usize, &(&StorePart, Sym))| {
                    let group = private_endpoint::group(part.part, part.instance);
                    let resolution = self.resolve(vnet, host.as_str());
                    let answer = self.answer(&resolution, part.store, group)?;
                    Some((n, Name { host, answer, zone: resolution.decider }))
                };
                hosts.iter().enumerate().filter_map(name).collect()
            });
            names.iter().for_each(|(n, name)| found(vnet, hosts[*n].0, name));
        }
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
        // Rulesets are for networks of their region, policies and hosts files for single ones.
        let rules = !index.forwarding_ruleset.is_empty() || !index.ruleset_links.is_empty() || !index.forwarding_rules.is_empty();
        let alike = !rules && index.clouded.get(vnet).is_empty() && !index.local_records.has(vnet);
        Outlook { links, itself: (!alike).then_some(vnet) }
    }

    /// By network the one that hears the same as it and some others do; a network that is alone with its names has none.
    pub(super) fn speakers(&self) -> &FxHashMap<Sym, Sym> {
        self.speakers.get_or_init(|| {
            let index = self.world.index;
            let mut alike: FxHashMap<Outlook, Vec<Sym>> = FxHashMap::default();
            for vnet in index.vnet.rows().map(|row| row.vnet).filter(|vnet| !index.vnet_dns.has(*vnet)) {
                alike.entry(self.outlook(vnet)).or_default().push(vnet);
            }
            let groups = alike.into_values().filter(|networks| networks.len() > 1);
            groups.flat_map(|networks| networks.clone().into_iter().map(move |vnet| (vnet, networks[0]))).collect()
        })
    }

    /// What Azure DNS answers in `vnet`, whatever servers of its own the network names.
    pub(super) fn resolve(&self, vnet: Sym, host: &str) -> Resolution {
        dns::resolve_by_azure(self.world.index, self.world.platform, vnet, host)
    }

    /// The word for an answer that a private zone gives; nothing for one that none does.
    pub(super) fn answer(&self, resolution: &Resolution, store: Sym, group: Sym) -> Option<&'static str> {
        match resolution.answer {
            _ if resolution.ambiguity == Ambiguity::Zones => Some(UNKNOWN),
            Answer::Public | Answer::ServFail => None,
            Answer::NxDomain => Some("nxdomain"),
            Answer::NoData => Some("nodata"),
            // A forwarding ruleset is no private zone.
            Answer::Unknown if !resolution.decider.is_empty() && !resolution.decider.as_str().contains("/privatednszones/") => None,
            Answer::Unknown => Some(UNKNOWN),
            Answer::Addresses => {
                let index = self.world.index;
                let own = |address| {
                    lead::leads(index, store, group).iter().any(|Lead { connection, .. }| {
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
