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

    /// The doubt about an interface of which somebody else in its subnet has an address too; `None`: no such doubt.
    pub fn shares_address(&self, nic: Sym, stage: Stage) -> Option<Step> {
        let index = self.index;
        let addresses = index.ip_configs_by_nic.get(nic).iter().flat_map(|config| {
            let rows = index.ip_config_address.get(config.ip_config).iter();
            rows.map(|row| (config.subnet, row.address))
        });
        let shared = addresses.filter_map(|(subnet, address)| Some((address, self.another_at(subnet, address, nic)?)));
        shared.min_by_key(|(address, _)| *address).map(|(address, other)| one_of_both(nic, other, address, stage))
    }

    /// The same of a frontend.
    pub fn frontend_shares_address(&self, frontend: Sym) -> Option<Step> {
        let row = self.index.load_balancer_frontend.one(frontend)?;
        let address = row.address?;
        self.another_at(row.subnet, address, frontend).map(|other| one_of_both(frontend, other, address, Stage::LoadBalancer))
    }

    /// An interface or a frontend in the subnet that has the address and is not `one`; the first by id.
    fn another_at(&self, subnet: Sym, address: IpAddr, one: Sym) -> Option<Sym> {
        let index = self.index;
        let configs = index.ip_configs_by_address.get(address).iter().filter_map(|row| index.ip_config.one(row.ip_config));
        let nics = configs.filter(|config| config.subnet == subnet).map(|config| config.nic);
        let rows = index.load_balancer_frontends_by_address.get(Some(address)).iter();
        let frontends = rows.filter(|row| row.subnet == subnet).map(|row| row.frontend);
        nics.chain(frontends).filter(|other| *other != one).min_by_key(|other| other.as_str())
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

/// The step that does not know which of two has the private address.
fn one_of_both(one: Sym, other: Sym, address: IpAddr, stage: Stage) -> Step {
    let text = format!("{} and {} both have {address}: which of them is there, the export does not agree", short(one), short(other));
    step(stage, Span::UNKNOWN, "address.17", text).by(one, address.to_string()).kind(Kind::Assumption).code("W-MISSING")
}

/// Whether the holder that an address names is the claimant, or a part of it.
fn is_of(holder: Sym, claimant: Sym) -> bool {
    holder.as_str().strip_prefix(claimant.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
