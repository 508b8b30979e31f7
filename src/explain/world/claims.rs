//! Whom an address belongs to, where the export says so more than once: Azure gives it to one owner, so two that have it were exported at different times
//! (IN-02, SND-02).

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::explain::packet::{StepExt, short, step};
use crate::explain::way::{Kind, Step};
use crate::model::{Span, Stage, Sym};

use super::World;

impl World<'_> {
    /// Two that have the public address, one by its own words and another by its own or by those of the address; the first two by id. `None`: at most one.
    pub fn rivals(&self, public_ip: Sym) -> Option<(Sym, Sym)> {
        self.rivals.get_or_init(|| self.find_rivals()).get(&public_ip).copied()
    }

    /// Who has a public address by what the address itself says, where nobody in the input that it can mean says so too.
    pub fn unanswered_holder(&self, public_ip: Sym) -> Option<Sym> {
        let claimants = self.claimants(public_ip);
        let rows = self.index.public_ip_holder.get(public_ip).iter().map(|row| row.holder);
        let unanswered = rows.filter(|holder| !claimants.iter().any(|claimant| is_of(*holder, *claimant)));
        unanswered.min_by_key(|holder| holder.as_str())
    }

    /// Whether somebody in the input says that it has the public address.
    pub fn is_claimed(&self, public_ip: Sym) -> bool {
        !self.claimants(public_ip).is_empty()
    }

    /// The doubt about a public address that two have; `None`: no such doubt.
    pub fn one_of_two(&self, public_ip: Sym) -> Option<Step> {
        let (one, other) = self.rivals(public_ip)?;
        let text = format!(
            "public address {} belongs to {} or to {}: to which, the export does not agree",
            short(public_ip),
            short(one),
            short(other)
        );
        let unknown = step(Stage::Nat, Span::UNKNOWN, "inbound.1", text).by(public_ip, "ipConfiguration");
        Some(unknown.kind(Kind::Assumption).code("W-MISSING"))
    }

    /// The doubt about an interface of which another one of its subnet has the same address; `None`: no such doubt.
    pub fn shares_address(&self, nic: Sym, stage: Stage) -> Option<Step> {
        let (address, other) = self.shared_addresses.get_or_init(|| self.find_shared_addresses()).get(&nic)?;
        let text = format!("{} and {} both have {address}: which of them is there, the export does not agree", short(nic), short(*other));
        Some(step(stage, Span::UNKNOWN, "address.17", text).by(nic, address.to_string()).kind(Kind::Assumption).code("W-MISSING"))
    }

    /// By interface the first address that another one of its subnet has too, and the first of those.
    fn find_shared_addresses(&self) -> FxHashMap<Sym, (IpAddr, Sym)> {
        let index = self.index;
        let mut found: FxHashMap<Sym, (IpAddr, Sym)> = FxHashMap::default();
        for address in index.ip_configs_by_address.keys() {
            let rows = index.ip_configs_by_address.get(address);
            if rows.len() < 2 {
                continue;
            }
            let mut owners: Vec<(Sym, Sym)> =
                rows.iter().filter_map(|row| index.ip_config.one(row.ip_config)).map(|config| (config.subnet, config.nic)).collect();
            owners.sort_by_key(|(subnet, nic)| (subnet.as_str(), nic.as_str()));
            owners.dedup();
            for room in owners.chunk_by(|a, b| a.0 == b.0).filter(|room| room.len() > 1) {
                for (_, nic) in room {
                    let other = if *nic == room[0].1 { room[1].1 } else { room[0].1 };
                    let first = found.entry(*nic).or_insert((address, other));
                    if address < first.0 {
                        *first = (address, other);
                    }
                }
            }
        }
        found
    }

    fn find_rivals(&self) -> FxHashMap<Sym, (Sym, Sym)> {
        let index = self.index;
        let mut named: Vec<Sym> = index.ip_config_public_ip.rows().map(|row| row.public_ip).collect();
        named.extend(index.load_balancer_frontend.rows().map(|row| row.public_ip));
        named.extend(index.device_public_ips.rows().map(|row| row.public_ip));
        named.extend(index.nat_gateway_public_ips.rows().map(|row| row.public_ip));
        named.retain(|public_ip| !public_ip.is_empty());
        Sym::sort(&mut named);
        named.dedup();
        let two = |public_ip: Sym| {
            let mut all = self.claimants(public_ip);
            all.extend(self.unanswered_holder(public_ip));
            let [one, other, ..] = all[..] else { return None };
            Some((public_ip, (one, other)))
        };
        named.into_iter().filter_map(two).collect()
    }

    /// Who says that it has the public address, by id.
    fn claimants(&self, public_ip: Sym) -> Vec<Sym> {
        let index = self.index;
        let mut all: Vec<Sym> = index.ip_configs_by_public_ip.get(public_ip).iter().map(|row| row.ip_config).collect();
        all.extend(self.frontends_of_public_ip(public_ip));
        all.extend(index.devices_by_public_ip.get(public_ip).iter().map(|row| row.device));
        all.extend(index.nat_gateways_by_public_ip.get(public_ip).iter().map(|row| row.gateway));
        Sym::sort(&mut all);
        all.dedup();
        all
    }
}

/// Whether the holder that an address names is the claimant, or a part of it.
fn is_of(holder: Sym, claimant: Sym) -> bool {
    holder.as_str().strip_prefix(claimant.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
