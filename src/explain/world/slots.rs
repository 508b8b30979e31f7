//! Places for machines in a subnet: its free addresses, and among them those that something in front of machines lists (ADR-16).

use std::net::IpAddr;

use crate::explain::packet::Host;
use crate::model::{Sym, net};

use super::World;

impl World<'_> {
    /// A machine at a free address of the subnet: at one of each piece that looks the same, and at each one that a pool, a translation or a record names.
    pub fn slots(&self, subnet: Sym) -> Vec<Host> {
        let vnet = self.vnet_of(subnet);
        let mut found = self.free_addresses(subnet);
        for row in self.index.subnet_prefixes.get(subnet) {
            let Some((first, last)) = net::usable(&row.prefix) else { continue };
            let listed = self.listed_addresses();
            let from = listed.partition_point(|ip| *ip < first);
            let named = listed[from..].iter().take_while(|ip| **ip <= last).copied();
            found.extend(named.filter(|ip| self.known_owners(*ip, vnet).is_nobody()));
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|ip| Host::imagined(self, subnet, ip)).collect()
    }

    /// The addresses that pools, translations and records of the input name, sorted.
    fn listed_addresses(&self) -> &[IpAddr] {
        self.listed_addresses.get_or_init(|| {
            let index = self.index;
            let mut all: Vec<IpAddr> = index.load_balancer_addresses.rows().map(|row| row.address).collect();
            all.extend(index.proxy_members.rows().filter_map(|row| row.address));
            all.extend(index.firewall_translation.rows().filter_map(|row| row.address));
            all.extend(index.zone_record.rows().filter_map(|row| row.value.as_str().parse::<IpAddr>().ok()));
            all.extend(index.dns_server_records.rows().map(|row| row.address));
            all.extend(index.local_records.rows().map(|row| row.address));
            all.sort_unstable();
            all.dedup();
            all
        })
    }
}
