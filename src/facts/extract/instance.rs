//! The instances of a uniform scale set, whose profile stands for them (ADR-08).

use serde_json::Value;

use crate::facts::extract::machine;
use crate::facts::extract::out::Out;
use crate::facts::extract::withdrawn;
use crate::facts::network::{InstanceConfig, MachineScaleSet, NicMachine};
use crate::model::ids::{self, InstanceId};
use crate::model::{Sym, Tri};

/// Somebody names an address configuration: where it is that of an instance, the one of the profile stands for it.
pub(super) fn named(out: &mut Out<'_>, ip_config: Sym) {
    let Some((nic, below)) = InstanceId::of(ip_config.as_str()).and_then(|instance| instance.in_profile()) else { return };
    out.fact(InstanceConfig { instance: ip_config, ip_config: Sym::new(&format!("{nic}/{below}")) });
}

/// `microsoft.compute/virtualmachinescalesets/virtualmachines`.
pub(super) fn instance<'a>(out: &mut Out<'a>, body: &'a Value) {
    let id = out.id();
    let Some(own) = InstanceId::of(id.as_str()) else { return };
    let scale_set = Sym::new(own.scale_set);
    if out.switch(body, &["latestModelApplied"], Tri::Yes) != Tri::Yes {
        return of_older_model(out, scale_set, body);
    }
    let profile = out.object(body, "networkProfile");
    for nic in profile.map(|profile| out.links(profile, "networkInterfaces")).unwrap_or_default() {
        match InstanceId::of(nic.as_str()).and_then(|instance| instance.in_profile()) {
            // Whether the profile has it is seen there.
            Some((nic, _)) => out.fact(NicMachine { nic, machine: scale_set }),
            None => of_flexible(out, own, nic),
        }
    }
}

/// An instance of a flexible scale set is a machine of its own, beside the set.
fn of_flexible(out: &mut Out<'_>, own: InstanceId<'_>, nic: Sym) {
    let Some(group) = ids::parent_id(own.scale_set) else { return };
    let machine = Sym::new(&format!("{group}/virtualmachines/{}", own.name));
    out.fact(MachineScaleSet { machine, scale_set: Sym::new(own.scale_set) });
    out.fact(NicMachine { nic, machine });
}

/// The profile does not stand for an instance that was made from an older one: it tells its interfaces itself, or nobody does.
fn of_older_model<'a>(out: &mut Out<'a>, scale_set: Sym, body: &'a Value) {
    let id = out.id();
    let profile = out.object(body, "networkProfileConfiguration");
    let configurations = profile.map(|profile| out.objects(profile, "networkInterfaceConfigurations")).unwrap_or_default();
    if configurations.is_empty() {
        out.gap("`properties.latestModelApplied` is not true, and `properties.networkProfileConfiguration` is missing");
        return withdrawn::another_interface(out);
    }
    for ip_config in machine::interfaces(out, scale_set, id, configurations) {
        let name = ip_config.as_str().replacen("/networkinterfaceconfigurations/", "/networkinterfaces/", 1);
        out.fact(InstanceConfig { instance: Sym::new(&name), ip_config });
    }
}
