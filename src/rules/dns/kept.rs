//! Records that Azure keeps in a zone by itself, for zones whose records were not exported.

use std::net::IpAddr;

use crate::model::{Sym, Tri};
use crate::rules::dns::names::{self, normal};
use crate::rules::dns::resolution::either;
use crate::rules::dns::{Answer, Resolution, Resolver};
use crate::rules::lead::{self, Lead};
use crate::rules::{consent, private_endpoint};

impl Resolver<'_> {
    /// What zone groups and the registration of machines hold for `name` (DNS-10, DNS-17); `None` where they hold nothing.
    ///
    /// ```datalog
    /// keeps(Z, N, A) :- zone_group_record(_, Z, N, A).                                                               // kept.1
    /// keeps_records(E, Z) :- zone_group(_, E, Z).                                                                    // kept.2
    /// registers(Z, V) :- zone_link(_, Z, V, true, true, _).                                                          // kept.3
    /// ```
    pub(super) fn kept(&self, zone: Sym, zone_name: &str, name: &str) -> Option<Resolution> {
        let written = self.index.zone_group_records.get(zone).iter().filter(|row| row.name.as_str() == name);
        let written: Vec<IpAddr> = written.map(|row| row.address).collect();
        if !written.is_empty() {
            let reason = format!("a private endpoint wrote its record into the zone {zone_name}");
            return Some(Resolution::addresses(name, written, reason).by(zone));
        }
        self.by_groups(zone, zone_name, name).or_else(|| self.by_machines(zone, zone_name, name))
    }

    /// The addresses that zone groups will write for `name` once they are deployed.
    fn by_groups(&self, zone: Sym, zone_name: &str, name: &str) -> Option<Resolution> {
        let mut sure: Vec<IpAddr> = Vec::new();
        let mut unsure = false;
        for keeper in self.index.zone_groups_by_zone.get(zone) {
            for Lead { connection, certain } in lead::of_endpoint(self.index, keeper.endpoint) {
                let connection = &connection;
                let hosts = names::hosts(self.index, self.platform, connection);
                let (target, group) = names::named(self.index, connection);
                let kind = names::kind_of(self.index, target);
                let aliases = |host: &String| names::private_names(self.platform, kind, group, host);
                let Some(host) = hosts.iter().find(|host| aliases(host).iter().any(|alias| alias == name)) else { continue };
                let known = if certain { Tri::Yes } else { Tri::Maybe };
                match consent::of(self.index, connection).admitted.and(known) {
                    Tri::Yes => sure.extend(private_endpoint::addresses_of_name(self.index, keeper.endpoint, connection.group, host)),
                    Tri::Maybe => unsure = true,
                    Tri::No => {}
                }
            }
        }
        let unknown = || {
            let reason = format!("the address that a private endpoint keeps in the zone {zone_name} is not known");
            Resolution::new(Answer::Unknown, name, reason).by(zone)
        };
        if sure.is_empty() {
            return unsure.then(unknown);
        }
        let kept = Resolution::addresses(name, sure, format!("a private endpoint keeps its record in the zone {zone_name}")).by(zone);
        Some(if unsure { either(name, vec![kept, unknown()], "whether a private endpoint keeps a record is not known") } else { kept })
    }

    /// The addresses of machines of this name in networks that register their machines in the zone (DNS-10).
    fn by_machines(&self, zone: Sym, zone_name: &str, name: &str) -> Option<Resolution> {
        let relative = name.strip_suffix(zone_name)?.strip_suffix('.')?;
        let links = self.index.zone_links_by_zone.get(zone).iter().filter(|link| link.registration && link.usable);
        let mut found: Vec<IpAddr> = Vec::new();
        for link in links {
            for subnet in self.index.subnets_by_vnet.get(link.vnet) {
                for config in self.index.ip_configs_by_subnet.get(subnet.subnet).iter().filter(|config| config.primary) {
                    let machines = self.index.nic_machine.get(config.nic).iter();
                    let names = machines.filter_map(|row| self.index.resource.one(row.machine)).map(|row| normal(row.name.as_str()));
                    if names.into_iter().any(|machine| machine == relative) {
                        found.extend(self.index.ip_config_address.get(config.ip_config).iter().map(|row| row.address));
                    }
                }
            }
        }
        // The record has the name the machine calls itself, which may be another one.
        let reason = format!("the zone {zone_name} registers machines, and whether one registered under this name is not in the input");
        let possible = Resolution { addresses: found, ..Resolution::new(Answer::Unknown, name, reason) }.by(zone);
        (!possible.addresses.is_empty()).then_some(possible)
    }
}
