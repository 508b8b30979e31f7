//! Virtual networks, their subnets and peerings.

use serde_json::Value;

use crate::facts::extract::out::{Out, get, is_set, properties, says_none};
use crate::facts::gap::{ChildType, POLICIES, SUBNETS};
use crate::facts::hub::RouteServer;
use crate::facts::network::{
    Clouded, EndpointPolicies, GatewaySubnet, GatewaySummary, NO_LOCATION, Peering, PeeringOnlyV6, PeeringPrefix, PeeringState,
    PeeringSubnet, Subnet, SubnetDefaultOutbound, SubnetDelegation, SubnetEndpointPolicy, SubnetIpConfig, SubnetNatGateway,
    SubnetNetworkIdentifier, SubnetNsg, SubnetPrefix, SubnetPrivateEndpointPolicy, SubnetRouteTable, SubnetServiceEndpoint, Vnet,
    VnetBasicEndpointPolicies, VnetDns, VnetPrefix,
};
use crate::facts::private_link::SubnetPrivateLinkOpen;
use crate::ingest;
use crate::model::{Prefix, Sym, Tri, ids, net};

/// `microsoft.network/virtualnetworks`.
pub(super) fn vnet<'a>(out: &mut Out<'a>, body: &'a Value) {
    let vnet = out.id();
    out.fact(Vnet { vnet, location: out.resource.location });
    let prefixes = out.object(body, "addressSpace").map_or_else(Vec::new, |space| {
        let stated = out.prefixes(space, "addressPrefixes");
        with_allocated(out, space, stated)
    });
    for prefix in prefixes {
        out.fact(VnetPrefix { vnet, prefix });
    }
    if let Some(options) = out.object(body, "dhcpOptions") {
        for (position, server) in (0..).zip(out.servers(options, "dnsServers")) {
            out.fact(VnetDns { vnet, position, server });
        }
    }
    let summaries = match get(body, "summarizedGatewayPrefixes") {
        Some(Value::Array(_)) => out.prefixes(body, "summarizedGatewayPrefixes"),
        Some(_) => out.object(body, "summarizedGatewayPrefixes").map_or(Vec::new(), |space| out.prefixes(space, "addressPrefixes")),
        None => Vec::new(),
    };
    for prefix in summaries {
        out.fact(GatewaySummary { vnet, prefix });
    }
    if out.text(body, "privateEndpointVNetPolicies").is_some_and(|word| word.eq_ignore_ascii_case("Basic")) {
        out.fact(VnetBasicEndpointPolicies { vnet });
    }
}

/// The prefixes that are stated and those that IP address management gave out (ADR-01). A space of which an allocation is not told is not known in full: none
/// of it counts.
fn with_allocated<'a>(out: &mut Out<'a>, at: &'a Value, stated: Vec<Prefix>) -> Vec<Prefix> {
    let mut prefixes = stated;
    for allocation in out.objects(at, "ipamPoolPrefixAllocations").iter().filter(|allocation| allocation.is_object()) {
        if get(allocation, "allocatedAddressPrefixes").is_none() {
            out.gap("an entry of `ipamPoolPrefixAllocations` lacks `allocatedAddressPrefixes`: the address space is not known in full");
            return Vec::new();
        }
        prefixes.extend(out.prefixes(allocation, "allocatedAddressPrefixes"));
    }
    prefixes
}

/// `microsoft.network/virtualnetworks/subnets`.
pub(super) fn subnet<'a>(out: &mut Out<'a>, body: &'a Value) {
    let subnet = out.id();
    out.fact(Subnet { subnet, vnet: out.parent(), name: Sym::lower(out.resource.name.as_str()) });
    if let Some(text) = out.text(body, "addressPrefix") {
        match (net::parse_prefix(text), get(body, "addressPrefix")) {
            (Some(prefix), _) => out.fact(SubnetPrefix { subnet, prefix }),
            (None, Some(value)) => out.wrong(value, "a prefix"),
            (None, None) => {}
        }
    }
    let stated = out.prefixes(body, "addressPrefixes");
    for prefix in with_allocated(out, body, stated) {
        out.fact(SubnetPrefix { subnet, prefix });
    }
    if let Some(nsg) = out.security_group(body) {
        out.fact(SubnetNsg { subnet, nsg });
    }
    if let Some(table) = out.binding(body, "routeTable") {
        out.fact(SubnetRouteTable { subnet, table });
    }
    if let Some(gateway) = out.binding(body, "natGateway") {
        out.fact(SubnetNatGateway { subnet, gateway });
    }
    for delegation in out.objects(body, "delegations") {
        let service = out.text(properties(delegation), "serviceName").map_or(Sym::EMPTY, Sym::lower);
        if service.is_empty() {
            out.gap("the service of a delegation is missing");
        }
        out.fact(SubnetDelegation { subnet, service });
    }
    let lost = out.lost_paths().len();
    for endpoint in out.objects(body, "serviceEndpoints") {
        service_endpoint(out, subnet, endpoint);
    }
    if out.lost_paths().len() > lost {
        // What this subnet sends to services is in doubt, said of all that its network sends.
        out.stand_for_lost(lost);
        let vnet = out.parent();
        out.fact(Clouded { vnet, what: Sym::new("routes"), resource: subnet });
    }
    if says_none(body, "serviceEndpointPolicies") {
        out.fact(ChildType { parent: subnet, kind: Sym::new(POLICIES) });
    }
    let (name, lost) = ("serviceEndpointPolicies", out.lost_paths().len());
    for policy in out.bindings(body, name) {
        out.fact(SubnetEndpointPolicy { subnet, policy });
    }
    if out.lost_paths().len() > lost {
        // One that may be attached to this subnet, and is not known to be (SEP-01).
        out.stand_for_lost(lost);
        let policy = out.unknown(name);
        out.fact(SubnetEndpointPolicy { subnet, policy });
        out.fact(ChildType { parent: policy, kind: Sym::new(SUBNETS) });
    }
    let name = "privateEndpointNetworkPolicies";
    if let Some(policies) = out.word(body, name, EndpointPolicies::parse, EndpointPolicies::Unknown) {
        out.fact(SubnetPrivateEndpointPolicy { subnet, policies });
    } else if get(body, name).is_some() {
        out.gap(format!("`{name}` has the unknown value ``"));
        out.fact(SubnetPrivateEndpointPolicy { subnet, policies: EndpointPolicies::Unknown });
    }
    match out.text(body, "privateLinkServiceNetworkPolicies").map(str::to_ascii_lowercase).as_deref() {
        Some("disabled") => out.fact(SubnetPrivateLinkOpen { subnet, open: Tri::Yes }),
        Some("enabled") | None => {}
        Some(other) => {
            out.gap(format!("`privateLinkServiceNetworkPolicies` has the unknown value `{other}`"));
            out.fact(SubnetPrivateLinkOpen { subnet, open: Tri::Maybe });
        }
    }
    match get(body, "defaultOutboundAccess") {
        None => {}
        Some(_) => {
            let allowed = out.flag(body, "defaultOutboundAccess").map_or(Tri::Maybe, Tri::from_bool);
            out.fact(SubnetDefaultOutbound { subnet, allowed });
        }
    }
    inhabitants(out, subnet, body);
    out.not_modelled(body, "properties.", &["sharingScope", "serviceGateway"]);
}

/// What the subnet names as standing in it: gateways, route servers, interfaces and others may be missing from the export themselves (RTE-04, NVA-11, SND-04).
fn inhabitants<'a>(out: &mut Out<'a>, subnet: Sym, body: &'a Value) {
    for configuration in out.links(body, "ipConfigurations") {
        let Some(device) = ids::parent_id(configuration.as_str()).map(Sym::new) else { continue };
        match ids::id_type(device.as_str()).as_deref() {
            Some("microsoft.network/virtualnetworkgateways") => out.fact(GatewaySubnet { gateway: device, subnet }),
            Some("microsoft.network/virtualhubs") => out.fact(RouteServer { server: device, subnet }),
            _ => out.fact(SubnetIpConfig { subnet, ip_config: configuration }),
        }
    }
    for list in ["applicationGatewayIPConfigurations", "ipConfigurationProfiles", "privateEndpoints"] {
        for occupant in out.links(body, list) {
            out.fact(SubnetIpConfig { subnet, ip_config: occupant });
        }
    }
    // A service that holds the subnet has its instances there, as one it is delegated to (ADR-09).
    for list in ["serviceAssociationLinks", "resourceNavigationLinks"] {
        for link in out.objects(body, list) {
            let service = out.text(properties(link), "linkedResourceType").map_or(Sym::EMPTY, Sym::lower);
            out.fact(SubnetDelegation { subnet, service });
        }
    }
}

/// One service endpoint of a subnet (SE-01).
fn service_endpoint<'a>(out: &mut Out<'a>, subnet: Sym, endpoint: &'a Value) {
    let Some(service) = out.text(endpoint, "service") else {
        if endpoint.is_object() {
            // Where the traffic of which service goes is open.
            out.gap("the service of a service endpoint is missing");
            let vnet = out.parent();
            out.fact(Clouded { vnet, what: Sym::new("routes"), resource: subnet });
        }
        return;
    };
    if !out.settled(endpoint) {
        return out.gap(format!("the service endpoint `{service}` is not provisioned, and counts as off"));
    }
    let service = Sym::lower(service);
    let locations = out.texts(endpoint, "locations");
    if locations.is_empty() {
        let location = if get(endpoint, "locations").is_some() { Sym::new(NO_LOCATION) } else { Sym::EMPTY };
        out.fact(SubnetServiceEndpoint { subnet, service, location });
    }
    for location in locations {
        out.fact(SubnetServiceEndpoint { subnet, service, location: ingest::region(location) });
    }
    if let Some(public_ip) = out.link(endpoint, "networkIdentifier") {
        out.fact(SubnetNetworkIdentifier { subnet, public_ip });
    }
}

/// `microsoft.network/virtualnetworks/virtualnetworkpeerings`.
pub(super) fn peering<'a>(out: &mut Out<'a>, body: &'a Value) {
    let peering = out.id();
    let remote = out.link(body, "remoteVirtualNetwork").unwrap_or_else(|| {
        out.gap("`properties.remoteVirtualNetwork` is missing");
        Peering::unknown_remote(peering)
    });
    let state = out.word(body, "peeringState", PeeringState::parse, PeeringState::Other).unwrap_or(PeeringState::Unknown);
    let in_sync = match out.text(body, "peeringSyncLevel") {
        Some(level) => level.eq_ignore_ascii_case("FullyInSync"),
        // Nothing says that it is: what was synchronised and what is there now are compared (PEER-04).
        None => !get(body, "remoteAddressSpace").is_some_and(is_set),
    };
    let mut flag = |name: &str, absent: bool| out.flag(body, name).unwrap_or(absent);
    let row = Peering {
        peering,
        vnet: Sym::EMPTY,
        remote,
        state,
        in_sync,
        access: flag("allowVirtualNetworkAccess", true),
        forwarded: flag("allowForwardedTraffic", false),
        gateway_transit: flag("allowGatewayTransit", false),
        use_remote_gateways: flag("useRemoteGateways", false),
        complete: flag("peerCompleteVnets", true),
    };
    let vnet = out.parent();
    out.fact(Peering { vnet, ..row });
    for (name, current) in [("remoteAddressSpace", false), ("remoteVirtualNetworkAddressSpace", true)] {
        if let Some(space) = out.object(body, name).filter(|space| is_set(space)) {
            for prefix in out.prefixes(space, "addressPrefixes") {
                out.fact(PeeringPrefix { peering, prefix, current });
            }
        }
    }
    if out.flag(body, "enableOnlyIPv6Peering").unwrap_or(false) {
        out.fact(PeeringOnlyV6 { peering });
    }
    for (list, local) in [("localSubnetNames", true), ("remoteSubnetNames", false)] {
        for name in out.texts(body, list) {
            out.fact(PeeringSubnet { peering, local, name: Sym::lower(name) });
        }
    }
}
