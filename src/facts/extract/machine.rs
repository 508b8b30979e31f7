//! Virtual machines and scale sets.

use serde_json::Value;

use crate::facts::extract::nic;
use crate::facts::extract::out::{Out, get, is_set, properties};
use crate::facts::extract::public_ip;
use crate::facts::network::{
    IpConfigPublicIp, Machine, MachineKind, MachineScaleSet, Nic, NicMachine, NicPrimary, NicRole, PublicIp, PublicIpUntold, PublicSku,
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
    let parse = |word: &str| match word.to_ascii_lowercase().as_str() {
        "uniform" => Some(Some(MachineKind::ScaleSet)),
        "flexible" => Some(Some(MachineKind::FlexibleScaleSet)),
        _ => None,
    };
    let mode = out.word(body, "orchestrationMode", parse, None).unwrap_or(Some(MachineKind::ScaleSet));
    out.fact(Machine { machine, kind: mode.unwrap_or(MachineKind::ScaleSet) });
    match mode {
        // Its machines and their interfaces are resources of their own.
        Some(MachineKind::FlexibleScaleSet) => return,
        Some(_) => {}
        // Perhaps the profile is a template for such machines, and stands for nobody (OUT-07, SND-02).
        None => out.cut("`properties.orchestrationMode` does not say whether the profile stands for the instances".to_owned()),
    }
    let Some(profile) = out.object(body, "virtualMachineProfile").and_then(|p| out.object(p, "networkProfile")) else {
        return out.gap("`properties.virtualMachineProfile.networkProfile` is missing");
    };
    let configurations = out.objects(profile, "networkInterfaceConfigurations");
    if configurations.is_empty() {
        out.gap("`properties.virtualMachineProfile.networkProfile.networkInterfaceConfigurations` is missing");
    }
    interfaces(out, machine, machine, configurations);
}

/// The interfaces of a scale set as `holder` describes them, its profile or one instance; the address configurations.
pub(super) fn interfaces<'a>(out: &mut Out<'a>, machine: Sym, holder: Sym, configurations: &'a [Value]) -> Vec<Sym> {
    let mut found = Vec::new();
    for (at, configuration) in configurations.iter().enumerate() {
        let name = get(configuration, "name").and_then(Value::as_str).map_or_else(|| at.to_string(), str::to_owned);
        let nic = Sym::lower(&format!("{holder}/networkinterfaceconfigurations/{name}"));
        let body = properties(configuration);
        let forwarding = out.flag(body, "enableIPForwarding").unwrap_or(false);
        out.fact(Nic { nic, role: NicRole::Machine, forwarding });
        out.fact(NicMachine { nic, machine });
        if out.flag(body, "primary") == Some(true) {
            out.fact(NicPrimary { nic });
        }
        nic::interface(out, nic, body, false);
        for (at, configuration) in out.objects(body, "ipConfigurations").iter().enumerate() {
            let ip_config = out.part_id(configuration, nic, "ipconfigurations", at);
            instance_address(out, ip_config, configuration);
            found.push(ip_config);
        }
    }
    found
}

/// Every instance has a public address of its own, which the scale set does not name.
fn instance_address<'a>(out: &mut Out<'a>, ip_config: Sym, configuration: &'a Value) {
    let Some(public) = out.object(properties(configuration), "publicIPAddressConfiguration") else { return };
    if !is_set(public) {
        out.lost(public, "a public address configuration with `name`");
        return;
    }
    let address = Sym::new(&format!("{ip_config}/publicipaddressconfiguration"));
    let sku = match out.object(public, "sku") {
        Some(sku) => out.word(sku, "name", PublicSku::parse, PublicSku::Unknown).unwrap_or(PublicSku::Unknown),
        None => PublicSku::Unknown,
    };
    out.fact(PublicIp { public_ip: address, sku });
    out.fact(PublicIpUntold { public_ip: address });
    public_ip::family(out, properties(public), address);
    out.fact(IpConfigPublicIp { ip_config, public_ip: address });
}
