//! A resource that contradicts itself, or that lacks what every one of its type has: as good as one that was not exported, so that what depends on
//! it is unproven (SND-02).

use serde_json::Value;

use crate::facts::Fact;
use crate::facts::extract::out::Out;
use crate::facts::extract::{device, load_balancer};
use crate::facts::network::{Clouded, ConnectionKind, Device, DeviceKind, DevicePublicIp, GatewayKind, NicMachine};
use crate::facts::store_facts::PublicAccess;
use crate::model::ids::InstanceId;
use crate::model::{Sym, Tri, ids};

/// Types that others name where they need them, with the relations that are taken back: what is named and missing leaves everything open.
const NAMED: &[(&str, &[&str])] = &[
    ("microsoft.network/azurefirewalls", &["azure_firewall"]),
    ("microsoft.network/firewallpolicies", &["firewall_policy"]),
    ("microsoft.network/firewallpolicies/rulecollectiongroups", &["firewall_group"]),
    ("microsoft.network/ipgroups", &["ip_group", "ip_group_prefix"]),
    (load_balancer::BALANCER, &["load_balancer"]),
    (load_balancer::FRONTEND, &["load_balancer_frontend", "load_balancer_frontend_range"]),
    (load_balancer::POOL, &["load_balancer_pool"]),
    (load_balancer::PROBE, &["load_balancer_probe"]),
    ("microsoft.network/localnetworkgateways", &["local_gateway"]),
    ("microsoft.network/natgateways", &["nat_gateway"]),
    ("microsoft.network/networksecuritygroups", &["nsg"]),
    ("microsoft.network/routetables", &["route_table"]),
    ("microsoft.network/virtualhubs/hubroutetables", &["hub_table", "hub_table_label", "hub_route"]),
];

/// Types that stand for themselves, with the relations that are taken back.
const STANDING: &[(&str, &[&str])] = &[
    ("microsoft.compute/virtualmachinescalesets", INTERFACE),
    (INSTANCE, INTERFACE),
    ("microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces", INTERFACE),
    ("microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces/ipconfigurations/publicipaddresses", &["public_ip"]),
    (NIC, INTERFACE),
    ("microsoft.network/publicipaddresses", &["public_ip"]),
    ("microsoft.network/virtualnetworks", &["vnet", "vnet_dns"]),
    ("microsoft.network/virtualnetworks/subnets", &["subnet", "subnet_prefix"]),
];

const NIC: &str = "microsoft.network/networkinterfaces";

/// An instance of a scale set.
pub(super) const INSTANCE: &str = "microsoft.compute/virtualmachinescalesets/virtualmachines";

/// What an interface says of itself; not of which groups it is a member, for that tells whom else their rules are for (NSG-09).
const INTERFACE: &[&str] = &[
    "nic",
    "nic_nsg",
    "nic_dns",
    "ip_config",
    "ip_config_address",
    "ip_config_public_ip",
    "ip_config_pool",
    "ip_config_proxy_pool",
    "ip_config_link",
];

/// Types that stand in subnets and have addresses: whoever asks for one of those learns that what answers there is not known.
const CLAIMS: &[&str] = &[
    "microsoft.network/applicationgateways",
    "microsoft.network/azurefirewalls",
    "microsoft.network/bastionhosts",
    load_balancer::BALANCER,
    load_balancer::FRONTEND,
];

fn taken_back(all: &'static [(&'static str, &'static [&'static str])], kind: &str) -> Option<&'static [&'static str]> {
    all.iter().find(|(of, _)| *of == kind).map(|(_, taken)| *taken)
}

/// The relations that are taken back of a type that others name; `None` for any other type.
pub(super) fn of_named(kind: &str) -> Option<&'static [&'static str]> {
    taken_back(NAMED, kind)
}

/// Takes back what the other facts of the resource would prove.
pub(super) fn forget<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (id, kind) = (out.id(), out.resource.kind);
    let kind = kind.as_str();
    let taken = of_named(kind).or_else(|| taken_back(STANDING, kind)).unwrap_or_default();
    let proxy = is_proxy(kind);
    let mut vnets: Vec<Sym> = Vec::new();
    let contested = out.is_contested();
    out.revise(|fact| {
        match fact {
            Fact::Gateway(row) => row.kind = GatewayKind::Unknown,
            Fact::Connection(row) => (row.kind, row.connected) = (ConnectionKind::Unknown, Tri::Maybe),
            Fact::PrivateEndpointConnection(row) => row.settled = false,
            Fact::ProviderConnection(row) => row.settled = false,
            Fact::Device(row) if proxy => row.kind = DeviceKind::Other,
            Fact::StoreRuleSet(row) if contested => (row.public, row.default_allow) = (PublicAccess::Unknown, Tri::Maybe),
            Fact::StoreSwitch(row) if contested => row.on = Tri::Maybe,
            Fact::Peering(row) => vnets.extend([row.vnet, row.remote]),
            _ => {}
        }
        // Of a store of which nobody knows whom it lets in, anybody may be let in.
        let admits = contested
            && matches!(
                fact,
                Fact::StoreAccess(_)
                    | Fact::StoreIpRule(_)
                    | Fact::StoreSubnetRule(_)
                    | Fact::StoreResourceRule(_)
                    | Fact::StoreListRule(_)
            );
        !admits && !taken.contains(&fact.relation().name)
    });
    load_balancer::leave_open(out);
    match kind {
        "microsoft.network/virtualnetworks" => vnets.push(id),
        "microsoft.compute/virtualmachines" | "microsoft.compute/virtualmachinescalesets" | INSTANCE => another_interface(out),
        _ => {}
    }
    for vnet in vnets {
        for what in ["routes", "filters", "names"] {
            out.fact(Clouded { vnet, what: Sym::new(what), resource: id });
        }
    }
    if kind == NIC {
        claim(out, body);
    } else {
        claim_if_standing(out, body);
    }
}

/// Whether the type forwards what it is asked for at listeners of its own.
pub(super) fn is_proxy(kind: &str) -> bool {
    matches!(kind, "microsoft.network/applicationgateways" | "microsoft.network/bastionhosts")
}

/// Whatever is said of the machine's interfaces elsewhere, there may be another; those of an instance are its scale set's.
pub(super) fn another_interface(out: &mut Out<'_>) {
    let id = out.id();
    let machine = InstanceId::of(id.as_str()).map_or(id, |instance| Sym::new(instance.scale_set));
    out.fact(NicMachine { nic: Sym::new(&format!("{id}/networkinterfaces")), machine });
}

/// [`claim`] for the types of which it is told.
pub(super) fn claim_if_standing<'a>(out: &mut Out<'a>, body: &'a Value) {
    if CLAIMS.contains(&out.resource.kind.as_str()) {
        claim(out, body);
    }
}

/// Somebody of whom nothing else is known has the addresses that the body names.
fn claim<'a>(out: &mut Out<'a>, body: &'a Value) {
    device::elsewhere(out, body);
    public_addresses(out, body);
}

/// The public addresses that a body names: they are nobody else's.
fn public_addresses<'a>(out: &mut Out<'a>, value: &'a Value) {
    match value {
        Value::String(text) if ids::id_type(text).as_deref() == Some("microsoft.network/publicipaddresses") => {
            let device = out.id();
            out.fact(DevicePublicIp { device, public_ip: ids::normal_id(text) });
            out.fact(Device { device, kind: DeviceKind::Other, subnet: Sym::EMPTY });
        }
        Value::Array(items) => items.iter().for_each(|item| public_addresses(out, item)),
        Value::Object(fields) => fields.values().for_each(|field| public_addresses(out, field)),
        _ => {}
    }
}
