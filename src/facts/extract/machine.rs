//! Virtual machines and scale sets.

use serde_json::Value;

use crate::facts::extract::nic;
use crate::facts::extract::out::{Out, get, is_set, properties};
use crate::facts::extract::public_ip;
use crate::facts::extract::withdrawn;
use crate::facts::network::{
    IpConfigPublicIp, Machine, MachineKind, MachineScaleSet, Nic, NicMachine, NicPrimary, NicRole, PublicIp, PublicSku,
};
use crate::model::Sym;

/// `microsoft.compute/virtualmachines`.
pub(super) fn machine<'a>(out: &mut Out<'a>, body: &'a Value) {
    let machine = out.id();
    out.fact(Machine { machine, kind: MachineKind::Vm });
    if let Some(scale_set) = out.named(body, "virtualMachineScaleSet") {
        out.fact(MachineScaleSet { machine, scale_set });
    }
    let profile = out.object(body, "networkProfile");
    let nics = profile.map(|profile| out.links(profile, "networkInterfaces")).unwrap_or_default();
    // Azure knows no machine without one: which it has is not told, unless they tell themselves (ADR-07).
    if nics.is_empty() {
        out.gap("`properties.networkProfile.networkInterfaces` is missing");
    }
    for nic in nics {
        out.fact(NicMachine { nic, machine });
    }
}

/// `microsoft.compute/virtualmachinescalesets`: the instances of a uniform one share the interfaces of its profile (ADR-08).
pub(super) fn scale_set<'a>(out: &mut Out<'a>, body: &'a Value) {
    let machine = out.id();
    let flexible = match out.text(body, "orchestrationMode") {
        None => false,
        Some(mode) if mode.eq_ignore_ascii_case("Flexible") => true,
        Some(mode) => {
            if !mode.eq_ignore_ascii_case("Uniform") {
                // Perhaps its machines have interfaces of their own (OUT-07, SND-02).
                out.gap(format!("`orchestrationMode` has the unknown value `{mode}`"));
                withdrawn::another_interface(out);
            }
            false
        }
    };
    out.fact(Machine { machine, kind: if flexible { MachineKind::FlexibleScaleSet } else { MachineKind::ScaleSet } });
    if flexible {
        // Its machines and their interfaces are resources of their own.
        return;
    }
    let Some(profile) = out.object(body, "virtualMachineProfile").and_then(|p| out.object(p, "networkProfile")) else {
        return out.gap("`properties.virtualMachineProfile.networkProfile` is missing");
    };
    let configurations = out.objects(profile, "networkInterfaceConfigurations");
    if configurations.is_empty() {
        out.gap("`properties.virtualMachineProfile.networkProfile.networkInterfaceConfigurations` is missing");
    }
    for (at, configuration) in configurations.iter().enumerate() {
        let name = get(configuration, "name").and_then(Value::as_str).map_or_else(|| at.to_string(), str::to_owned);
        let nic = Sym::lower(&format!("{machine}/networkinterfaceconfigurations/{name}"));
        let body = properties(configuration);
        let forwarding = out.flag(body, "enableIPForwarding").unwrap_or(false);
        out.fact(Nic { nic, role: NicRole::Machine, forwarding });
        out.fact(NicMachine { nic, machine });
        if out.flag(body, "primary") == Some(true) {
            out.fact(NicPrimary { nic });
        }
        nic::interface(out, nic, body, false);
        for (at, configuration) in out.objects(body, "ipConfigurations").iter().enumerate() {
            instance_address(out, nic, configuration, at);
        }
    }
}

/// Every instance has a public address of its own, which the scale set does not name.
fn instance_address<'a>(out: &mut Out<'a>, nic: Sym, configuration: &'a Value, at: usize) {
    let Some(public) = out.object(properties(configuration), "publicIPAddressConfiguration") else { return };
    if !is_set(public) {
        out.lost(public, "a public address configuration with `name`");
        return;
    }
    let ip_config = out.part_id(configuration, nic, "ipconfigurations", at);
    let address = Sym::new(&format!("{ip_config}/publicipaddressconfiguration"));
    let sku = match out.object(public, "sku") {
        Some(sku) => out.word(sku, "name", PublicSku::parse, PublicSku::Unknown).unwrap_or(PublicSku::Unknown),
        None => PublicSku::Unknown,
    };
    out.fact(PublicIp { public_ip: address, sku });
    public_ip::family(out, properties(public), address);
    out.fact(IpConfigPublicIp { ip_config, public_ip: address });
}
