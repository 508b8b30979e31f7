//! What the names of scale sets and of their instances stand for (ADR-08).

use crate::config::Names;
use crate::config::resolve::Found;
use crate::explain::way::End;
use crate::explain::world::machines_of;
use crate::model::Sym;
use crate::model::ids::{InstanceId, id_parts, parent_id};

impl Names<'_> {
    /// A machine; of a flexible scale set the only one that it has in the input, where it has one.
    pub(super) fn machine(&self, id: Sym) -> Found {
        match machines_of(self.index, id)[..] {
            [one] => Found::End(End::Machine(one)),
            _ => Found::ScaleSet(id),
        }
    }

    /// The machines of a scale set, one by one.
    pub(super) fn each(&self, found: Found) -> Vec<Found> {
        match found {
            Found::ScaleSet(set) => machines_of(self.index, set).into_iter().map(|machine| Found::End(End::Machine(machine))).collect(),
            other => vec![other],
        }
    }

    /// An instance of a scale set, or an interface of one: its own interfaces where the input tells of them, else what stands for it.
    pub(super) fn instance(&self, id: Sym) -> Option<Vec<Found>> {
        let index = self.index;
        let instance = InstanceId::of(id.as_str())?;
        let set = Sym::new(instance.scale_set);
        let nics = index.nics_by_machine.get(set).iter().map(|row| row.nic);
        let mut own: Vec<Sym> = nics.filter(|nic| InstanceId::of(nic.as_str()).is_some_and(|of| of.name == instance.name)).collect();
        if let Some((nic, below)) = instance.in_profile() {
            if !below.is_empty() && !matches!(below.split('/').collect::<Vec<_>>()[..], ["ipconfigurations", _]) {
                return None;
            }
            // One that is not in the input may be it.
            own.retain(|own| id_parts(own.as_str()).name == id_parts(nic.as_str()).name || !index.nic.has(*own));
            if own.is_empty() && index.nic.has(nic) {
                own.push(nic);
            }
        } else if !instance.rest.is_empty() {
            return None;
        } else if own.is_empty() {
            let flexible = Sym::new(&format!("{}/virtualmachines/{}", parent_id(instance.scale_set)?, instance.name));
            let found = [flexible, set].into_iter().find(|machine| index.nics_by_machine.has(*machine))?;
            return Some(vec![Found::End(End::Machine(found))]);
        }
        (!own.is_empty()).then(|| own.into_iter().map(|nic| Found::End(End::Nic(nic))).collect())
    }
}
