//! Where a private endpoint, or whoever else was not exported, may stand (PE-08, PE-18, PE-37, ADR-09).

use std::net::IpAddr;

use crate::explain::candidates::{Candidate, choose};
use crate::facts::network::{MachineKind, NicRole, Peering};
use crate::model::ids::InstanceId;
use crate::model::{Sym, ids};
use crate::rules::route::Hop;
use crate::rules::{consent, lead};

use super::World;

impl World<'_> {
    /// Whether packets from `subnet` may meet `endpoint`, of which only the other end of its connection is in the input, at `address` where the asker knows it.
    ///
    /// It stands in a network of its own subscription: the subnet's, one that is joined to it, or one behind whatever else its routes lead to.
    pub fn may_meet(&self, subnet: Sym, endpoint: Sym, address: Option<IpAddr>) -> bool {
        if !self.index.subnet.has(subnet) {
            return true;
        }
        let ours = |vnet: Sym| share_subscription(endpoint, vnet) || self.is_nameless(vnet);
        let context = self.context(subnet);
        let network = &context.network;
        // Its interface may be in the input without it.
        let its = |ip: IpAddr| self.endpoint_addresses(endpoint).contains(&ip);
        let free = |vnet: Sym| address.is_none_or(|ip| its(ip) || !self.index.vnet.has(vnet) || self.known_owners(ip, vnet).is_nobody());
        let own = address.is_none_or(|ip| network.own.is_empty() || network.own.iter().any(|own| own.contains(&ip)));
        let beside = network.peers.iter().filter(|peer| peer.usable.hi() && ours(peer.vnet)).any(|peer| {
            let holds = peer.open || address.is_none_or(|ip| peer.prefixes.iter().any(|(prefix, sure)| sure.hi() && prefix.contains(&ip)));
            holds && free(peer.vnet)
        });
        if own && ours(network.vnet) && free(network.vnet) || beside {
            return true;
        }
        let onward = |hop: Hop| matches!(hop, Hop::Gateway | Hop::Appliance(_) | Hop::Unknown);
        let unknown = !context.unknown.is_empty() || !context.unknown_routes.is_empty() || !network.clouded.is_empty();
        unknown
            || match address {
                Some(ip) => {
                    choose(self, subnet, ip).candidates.iter().any(|one| matches!(one, Candidate::Route(entry) if onward(entry.hop)))
                }
                None => context.entries.iter().any(|entry| onward(entry.hop)),
            }
    }

    /// Whether it stands for the other network of a peering that does not say which that is: any in the input may be it.
    pub fn is_nameless(&self, vnet: Sym) -> bool {
        self.index.peerings_by_remote.get(vnet).iter().any(Peering::is_nameless)
    }

    /// An interface of a machine of which the pools that it is in are not known: it is not in the input, or without its configurations, or its machine tells
    /// of none and stands for it (IN-06, SND-04). The first by id; empty: there is none.
    pub(crate) fn unseen_interface(&self) -> Sym {
        let index = self.index;
        *self.unseen_interface.get_or_init(|| {
            let named = index.nic_machine.rows().map(|row| row.nic);
            let bare = index.resources_by_kind.get(Sym::new("microsoft.network/networkinterfaces")).iter().map(|row| row.id);
            let hollow = |nic: Sym| match index.nic.one(nic).map(|row| row.role) {
                None => true,
                Some(NicRole::Machine | NicRole::Detached) => !index.ip_configs_by_nic.has(nic),
                Some(_) => false,
            };
            let interfaces = named.chain(bare).filter(|nic| hollow(*nic));
            interfaces.chain(self.machines_without_interface()).min_by_key(|id| id.as_str()).unwrap_or_default()
        })
    }

    /// The machines of which the input tells no interface, though each has one; those of a flexible scale set are machines of their own (ADR-08).
    fn machines_without_interface(&self) -> impl Iterator<Item = Sym> {
        let index = self.index;
        let told = index.machine.rows().filter(|row| row.kind != MachineKind::FlexibleScaleSet).map(|row| row.machine);
        let kinds = ["microsoft.compute/virtualmachines", "microsoft.compute/virtualmachinescalesets"];
        let rows = kinds.into_iter().flat_map(|kind| index.resources_by_kind.get(Sym::new(kind))).map(|row| row.id);
        // An instance tells that its scale set is there.
        let instances = index.resources_by_kind.get(Sym::new("microsoft.compute/virtualmachinescalesets/virtualmachines")).iter();
        let sets = instances.filter_map(|row| InstanceId::of(row.id.as_str())).map(|instance| Sym::new(instance.scale_set));
        let rows = rows.chain(sets);
        told.chain(rows.filter(|id| !index.machine.has(*id))).filter(|machine| !index.nics_by_machine.has(*machine))
    }

    /// The delegated subnets of which no occupant is in the input: the service may have put instances there (ADR-09). Sorted.
    pub(crate) fn rooms_of_services(&self) -> Vec<Sym> {
        let index = self.index;
        let machines = |subnet: Sym| index.ip_configs_by_subnet.get(subnet).iter().any(|config| index.is_attached(config.nic));
        let delegated = index.subnet_delegations.rows().map(|row| row.subnet).filter(|subnet| index.subnet.has(*subnet));
        let mut found: Vec<Sym> = delegated.filter(|subnet| !index.devices_by_subnet.has(*subnet) && !machines(*subnet)).collect();
        Sym::sort(&mut found);
        found.dedup();
        found
    }

    /// A private endpoint that was not exported and may stand in `vnet`; the first by id.
    pub(super) fn unseen_endpoint_in(&self, vnet: Sym) -> Option<Sym> {
        let all = || {
            let listed = self.index.provider_connection.rows().filter(|row| lead::is_unseen(self.index, row.endpoint));
            let agreed = listed.filter(|row| consent::says(row.state, row.settled).hi() && !self.index.private_endpoint.has(row.endpoint));
            let mut found: Vec<Sym> = agreed.map(|row| row.endpoint).collect();
            Sym::sort(&mut found);
            found.dedup();
            found
        };
        self.unseen_endpoints.get_or_init(all).iter().find(|endpoint| share_subscription(**endpoint, vnet)).copied()
    }
}

/// Whether a private endpoint may be of the subscription of a network; an id that names none leaves it open.
fn share_subscription(endpoint: Sym, vnet: Sym) -> bool {
    let [ours, theirs] = [endpoint, vnet].map(|id| ids::id_parts(id.as_str()).subscription);
    ours.is_empty() || theirs.is_empty() || ours == theirs
}
