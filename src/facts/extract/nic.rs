//! Network interfaces and their address configurations.

use std::net::Ipv6Addr;

use serde_json::Value;

use crate::facts::extract::load_balancer;
use crate::facts::extract::out::{Out, get, is_set, properties};
use crate::facts::extract::private_dns::name_of;
use crate::facts::network::{
    IpConfig, IpConfigAddress, IpConfigAsg, IpConfigLink, IpConfigPool, IpConfigProxyPool, IpConfigPublicIp, Nic, NicDns, NicMachine,
    NicNsg, NicPrimary, NicRole,
};
use crate::facts::private_access::PrivateEndpointNic;
use crate::model::Sym;
use crate::model::ids::InstanceId;

/// `microsoft.network/networkinterfaces`, and the interfaces of a scale set's instances where an export holds them.
pub(super) fn nic<'a>(out: &mut Out<'a>, body: &'a Value) {
    let nic = out.id();
    // An instance of a uniform scale set is no machine of its own here (ADR-08).
    let scale_set = InstanceId::of(nic.as_str()).map(|instance| Sym::new(instance.scale_set));
    let machine = scale_set.or_else(|| out.link(body, "virtualMachine"));
    let workloads = !out.items(body, "hostedWorkloads").is_empty();
    let endpoint = out.link(body, "privateEndpoint");
    let role = if endpoint.is_some() {
        NicRole::PrivateEndpoint
    } else if out.link(body, "privateLinkService").is_some() {
        NicRole::PrivateLinkService
    } else if machine.is_some() {
        NicRole::Machine
    } else if workloads {
        NicRole::Platform
    } else {
        NicRole::Detached
    };
    // The platform owns a private endpoint's interface: what it says of filters and forwarding is not in force (PE-07).
    let of_endpoint = role == NicRole::PrivateEndpoint;
    let forwarding = out.flag(body, "enableIPForwarding").unwrap_or(false) && !of_endpoint;
    out.fact(Nic { nic, role, forwarding });
    if let Some(endpoint) = endpoint {
        out.fact(PrivateEndpointNic { endpoint, nic });
    }
    if let Some(machine) = machine {
        out.fact(NicMachine { nic, machine });
        if out.flag(body, "primary") == Some(true) {
            out.fact(NicPrimary { nic });
        }
    }
    interface(out, nic, body, of_endpoint);
}

/// What a network interface and the interface configuration of a scale set have in common.
pub(super) fn interface<'a>(out: &mut Out<'a>, nic: Sym, body: &'a Value, of_endpoint: bool) {
    if let Some(nsg) = out.security_group(body).filter(|_| !of_endpoint) {
        out.fact(NicNsg { nic, nsg });
    }
    if let Some(dns) = out.object(body, "dnsSettings") {
        for (position, server) in (0..).zip(out.servers(dns, "dnsServers")) {
            out.fact(NicDns { nic, position, server });
        }
    }
    let configurations = out.objects(body, "ipConfigurations");
    // Azure knows no interface without one: it was left out on the way.
    if configurations.is_empty() {
        out.lacks("ipConfigurations");
    } else if configurations.iter().all(|configuration| is_of_ipv6(properties(configuration))) {
        // Nor one without an IPv4 address (ADR-14).
        out.cut("`properties.ipConfigurations` holds none of IPv4".to_owned());
    }
    for (at, configuration) in configurations.iter().enumerate() {
        ip_configuration(out, nic, configuration, at, configurations.len() == 1);
    }
}

/// Whether the configuration says that it is one of IPv6: the word for nothing is IPv4, unless an address says otherwise.
fn is_of_ipv6(body: &Value) -> bool {
    let text = |name: &str| get(body, name).and_then(Value::as_str);
    match text("privateIPAddressVersion") {
        Some(family) => family.eq_ignore_ascii_case("IPv6"),
        None => text("privateIPAddress").is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
    }
}

fn ip_configuration<'a>(out: &mut Out<'a>, nic: Sym, configuration: &'a Value, at: usize, only: bool) {
    let ip_config = out.part_id(configuration, nic, "ipconfigurations", at);
    let body = properties(configuration);
    for asg in out.links(body, "applicationSecurityGroups") {
        out.fact(IpConfigAsg { ip_config, asg });
    }
    let Some(subnet) = out.link(body, "subnet") else {
        return out.lacks(&format!("ipConfigurations.{at}.subnet"));
    };
    let primary = out.flag(body, "primary").unwrap_or(only);
    out.fact(IpConfig { ip_config, nic, subnet, primary });
    if let Some(address) = out.address_of_family(body, "privateIPAddress", "privateIPAddressVersion") {
        out.fact(IpConfigAddress { ip_config, address });
    }
    if let Some(public_ip) = out.named(body, "publicIPAddress") {
        out.fact(IpConfigPublicIp { ip_config, public_ip });
    }
    for list in ["loadBalancerBackendAddressPools", "loadBalancerInboundNatRules", "loadBalancerInboundNatPools"] {
        for pool in out.links(body, list) {
            out.fact(IpConfigPool { ip_config, pool });
        }
    }
    for pool in out.links(body, "applicationGatewayBackendAddressPools") {
        out.fact(IpConfigProxyPool { ip_config, pool });
    }
    load_balancer::chain(out, ip_config, body);
    if let Some(link) = out.object(body, "privateLinkConnectionProperties").filter(|link| is_set(link)) {
        let group = out.text(link, "groupId").map_or(Sym::EMPTY, Sym::lower);
        let names = out.texts(link, "fqdns");
        if names.is_empty() {
            out.fact(IpConfigLink { ip_config, group, fqdn: Sym::EMPTY });
        }
        for name in names {
            out.fact(IpConfigLink { ip_config, group, fqdn: name_of(name) });
        }
    }
    out.not_modelled(body, "properties.ipConfigurations.", &["privateIPAddressPrefixLength"]);
}
