//! Networks, machines, filters, routes and gateways.

use std::net::{IpAddr, Ipv4Addr};

use crate::facts::selector::{PortList, Selectors};
use crate::model::{Prefix, Sym, Tri, ids};

words! {
    /// Which way a rule looks at a packet.
    Direction { Inbound = "inbound", Outbound = "outbound" }
}
words! {
    /// What a rule says.
    Access { Allow = "allow", Deny = "deny" }
}
words! {
    /// The protocol field of a rule.
    Protocol { Any = "*", Tcp = "tcp", Udp = "udp", Icmp = "icmp", Esp = "esp", Ah = "ah" }
}
words! {
    /// The next hop types a person can configure (RTE-06).
    HopKind {
        VirtualNetworkGateway = "virtualnetworkgateway", VnetLocal = "vnetlocal", Internet = "internet",
        VirtualAppliance = "virtualappliance", None = "none", Unknown = "unknown",
    }
}
words! {
    /// The state of one side of a peering; `unknown` where the export does not say, `other` where it says something that no state is called.
    PeeringState { Connected = "connected", Initiated = "initiated", Disconnected = "disconnected", Unknown = "unknown", Other = "other" }
}
words! {
    /// Which filters of a subnet apply to private endpoints in it (PE-22); `unknown` where a template leaves it to the API version.
    EndpointPolicies {
        Disabled = "disabled", Enabled = "enabled", Nsg = "networksecuritygroupenabled", RouteTable = "routetableenabled", Unknown = "unknown",
    }
}
words! {
    /// What a network interface is for (ADR-07).
    NicRole { Machine = "machine", PrivateEndpoint = "private-endpoint", PrivateLinkService = "private-link-service", Detached = "detached", Platform = "platform" }
}
words! {
    /// The SKU of a public address or of what carries one; absent in Resource Graph means Basic (IN-03).
    PublicSku { Basic = "basic", Standard = "standard", StandardV2 = "standardv2", Unknown = "unknown" }
}
words! {
    /// What a machine is.
    MachineKind { Vm = "vm", ScaleSet = "vmss", FlexibleScaleSet = "vmss-flexible" }
}
words! {
    /// The kind of a virtual network gateway.
    GatewayKind { Vpn = "vpn", ExpressRoute = "expressroute", Unknown = "unknown" }
}
words! {
    /// The kind of a connection (GW-02).
    ConnectionKind { Ipsec = "ipsec", VnetToVnet = "vnet2vnet", ExpressRoute = "expressroute", VpnClient = "vpnclient", Unknown = "unknown" }
}
words! {
    /// Devices that stand in the way of packets and whose own rules are not derived.
    DeviceKind {
        AzureFirewall = "azure-firewall", ApplicationGateway = "application-gateway", Bastion = "bastion",
        VirtualHub = "virtual-hub", PrivateLinkService = "private-link-service", Other = "other",
    }
}

/// The address of a DNS server of which the input does not tell it.
pub const UNTOLD_SERVER: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The location of a service endpoint whose list of locations is there and empty.
pub const NO_LOCATION: &str = "none";

relations! { NETWORK_RELATIONS:
    /// `vnet(vnet, location)`: a virtual network. From `microsoft.network/virtualnetworks`.
    Vnet vnet { vnet: Sym, location: Sym }

    /// `vnet_prefix(vnet, prefix)`: `prefix` belongs to the address space of `vnet` (ADR-01). From `properties.addressSpace.addressPrefixes[]` and
    /// IPAM allocations.
    VnetPrefix vnet_prefix { vnet: Sym, prefix: Prefix }

    /// `vnet_dns(vnet, position, server)`: the custom DNS server at `position` (from 0) of `vnet` (DNS-02); 0.0.0.0 is one of which the input
    /// does not tell the address. From `properties.dhcpOptions.dnsServers[]`.
    VnetDns vnet_dns { vnet: Sym, position: u16, server: IpAddr }

    /// `subnet(subnet, vnet, name)`: `subnet` lies in `vnet`; `name` in lower case, for the special ones (ADR-10).
    Subnet subnet { subnet: Sym, vnet: Sym, name: Sym }

    /// `clouded(vnet, what, resource)`: `resource`, of a kind that is not modelled, changes the `routes`, `filters` or `names` of `vnet` in a way that is not
    /// derived: what depends on them is not proven (SND-02).
    Clouded clouded { vnet: Sym, what: Sym, resource: Sym }

    /// `subnet_prefix(subnet, prefix)`: `subnet` holds the addresses of `prefix` (ADR-03). From `addressPrefix` and `addressPrefixes[]`.
    SubnetPrefix subnet_prefix { subnet: Sym, prefix: Prefix }

    /// `subnet_nsg(subnet, nsg)`: traffic into or out of `subnet` is filtered by `nsg`. At most one per subnet. From `properties.networkSecurityGroup.id`.
    SubnetNsg subnet_nsg { subnet: Sym, nsg: Sym }

    /// `subnet_route_table(subnet, table)`: `subnet` uses the route table (RTE-02). At most one per subnet. From `properties.routeTable.id`.
    SubnetRouteTable subnet_route_table { subnet: Sym, table: Sym }

    /// `subnet_nat_gateway(subnet, gateway)`: what leaves `subnet` for the internet takes the NAT gateway (OUT-03). From `properties.natGateway.id`.
    SubnetNatGateway subnet_nat_gateway { subnet: Sym, gateway: Sym }

    /// `subnet_delegation(subnet, service)`: `subnet` is delegated to `service`, in lower case (ADR-09).
    SubnetDelegation subnet_delegation { subnet: Sym, service: Sym }

    /// `subnet_service_endpoint(subnet, service, location)`: the service endpoint `service` (lower case) is active on `subnet` for `location`; `*` is
    /// everywhere, empty means that the export has no list of locations (SE-01, SE-15), `none` that the list is there and empty: it may mean the same, or nowhere.
    SubnetServiceEndpoint subnet_service_endpoint { subnet: Sym, service: Sym, location: Sym }

    /// `subnet_network_identifier(subnet, public_ip)`: what its service endpoints mark carries this address for perimeters (SE-30). From
    /// `properties.serviceEndpoints[].networkIdentifier`.
    SubnetNetworkIdentifier subnet_network_identifier { subnet: Sym, public_ip: Sym }

    /// `subnet_endpoint_policy(subnet, policy)`: the service endpoint policy is attached to `subnet` (SEP-01). From either side of the link.
    SubnetEndpointPolicy subnet_endpoint_policy { subnet: Sym, policy: Sym }

    /// `subnet_private_endpoint_policy(subnet, policies)`: which filters apply to private endpoints in `subnet` (PE-22). At most one per subnet; without a
    /// row: `disabled`.
    SubnetPrivateEndpointPolicy subnet_private_endpoint_policy { subnet: Sym, policies: EndpointPolicies }

    /// `subnet_default_outbound(subnet, allowed)`: whether default outbound access exists on `subnet` (OUT-07). At most one; without a row: yes (OUT-08).
    SubnetDefaultOutbound subnet_default_outbound { subnet: Sym, allowed: Tri }

    /// `peering(peering, vnet, remote, state, in_sync, access, forwarded, gateway_transit, use_remote_gateways, complete)`: one side of a peering, as `vnet`
    /// sees `remote` (PEER-01); where no export names the other, `remote` is the peering's id and `/unknown-remotevirtualnetwork`. `in_sync` is `peeringSyncLevel = FullyInSync`,
    /// or that nothing is said of it and no space was recorded; `complete` is false for subnet peering.
    Peering peering {
        peering: Sym, vnet: Sym, remote: Sym, state: PeeringState, in_sync: bool, access: bool, forwarded: bool, gateway_transit: bool,
        use_remote_gateways: bool, complete: bool,
    }

    /// `peering_only_v6(peering)`: nothing of IPv4 passes the peering (PEER-12). From `enableOnlyIPv6Peering`.
    PeeringOnlyV6 peering_only_v6 { peering: Sym }

    /// `peering_subnet(peering, local, name)`: the subnet called `name` (lower case) takes part in the subnet peering, on the side of the peering's own network
    /// where `local`, else on the other (PEER-12).
    PeeringSubnet peering_subnet { peering: Sym, local: bool, name: Sym }

    /// `peering_prefix(peering, prefix, current)`: the address space of the remote side, as it was synchronised (`current` = false,
    /// `remoteAddressSpace`) or as it is now (`current` = true, `remoteVirtualNetworkAddressSpace`) (PEER-04).
    PeeringPrefix peering_prefix { peering: Sym, prefix: Prefix, current: bool }

    /// `machine(machine, kind)`: a virtual machine or a scale set.
    Machine machine { machine: Sym, kind: MachineKind }

    /// `machine_scale_set(machine, scale_set)`: the virtual machine is an instance of a flexible scale set (ADR-08, OUT-07).
    MachineScaleSet machine_scale_set { machine: Sym, scale_set: Sym }

    /// `instance_config(instance, ip_config)`: others call an address configuration of one instance of a uniform scale set `instance`. Where the input does not hold
    /// it itself, `ip_config` stands for it: the one of the scale set's profile, which stands for all instances, or of what an instance says of itself (ADR-08).
    InstanceConfig instance_config { instance: Sym, ip_config: Sym }

    /// `nic(nic, role, forwarding)`: a network interface; `forwarding` is `enableIPForwarding` (NVA-02). Instances of a uniform scale set share one,
    /// whose id is the scale set's followed by `/networkinterfaceconfigurations/<name>`.
    Nic nic { nic: Sym, role: NicRole, forwarding: bool }

    /// `nic_primary(nic)`: the interface is the primary one of its machine: the guest's default route leaves by it (ADR-15).
    NicPrimary nic_primary { nic: Sym }

    /// `nic_nsg(nic, nsg)`: traffic of `nic` is filtered by `nsg`. At most one per interface.
    NicNsg nic_nsg { nic: Sym, nsg: Sym }

    /// `nic_machine(nic, machine)`: the interface belongs to the machine.
    NicMachine nic_machine { nic: Sym, machine: Sym }

    /// `nic_dns(nic, position, server)`: the DNS server at `position` (from 0) of the interface, before those of its network (DNS-01); 0.0.0.0 as for
    /// `vnet_dns`.
    NicDns nic_dns { nic: Sym, position: u16, server: IpAddr }

    /// `ip_config(ip_config, nic, subnet, primary)`: one address configuration of `nic`, in `subnet` (ADR-05).
    IpConfig ip_config { ip_config: Sym, nic: Sym, subnet: Sym, primary: bool }

    /// `ip_config_address(ip_config, address)`: its private address; without a row any usable address of the subnet (ADR-06).
    IpConfigAddress ip_config_address { ip_config: Sym, address: IpAddr }

    /// `ip_config_public_ip(ip_config, public_ip)`: its instance public address (OUT-04, IN-02).
    IpConfigPublicIp ip_config_public_ip { ip_config: Sym, public_ip: Sym }

    /// `ip_config_asg(ip_config, asg)`: its private address is a member of the application security group (NSG-09).
    IpConfigAsg ip_config_asg { ip_config: Sym, asg: Sym }

    /// `ip_config_pool(ip_config, pool)`: it is a member of a load balancer's backend pool or the target of an inbound NAT rule. One that is listed and not told
    /// is called `…/unknown-backendipconfiguration`: any machine may be it (IN-06, SND-02).
    IpConfigPool ip_config_pool { ip_config: Sym, pool: Sym }

    /// `ip_config_link(ip_config, group, fqdn)`: on a private endpoint's interface, the sub-resource and name the address is for (PE-06); empty where
    /// the export does not say.
    IpConfigLink ip_config_link { ip_config: Sym, group: Sym, fqdn: Sym }

    /// `public_ip(public_ip, sku)`: a public address resource.
    PublicIp public_ip { public_ip: Sym, sku: PublicSku }

    /// `public_ip_address(public_ip, address)`: its address; without a row it has none, or one that is not known.
    PublicIpAddress public_ip_address { public_ip: Sym, address: IpAddr }

    /// `public_ip_family(public_ip, v6)`: of an address that is not known, whether it is one of IPv6; without a row it is one of IPv4, as Azure makes them
    /// where nothing is said (ADR-14).
    PublicIpFamily public_ip_family { public_ip: Sym, v6: Tri }

    /// `public_ip_untold(public_ip)`: it has an address, or may have one, that the export does not tell; without a row, and without one of its address, it has
    /// none.
    PublicIpUntold public_ip_untold { public_ip: Sym }

    /// `public_ip_holder(public_ip, holder)`: the address says that it belongs to `holder`, an address configuration or a frontend. Where nobody in the input
    /// claims the address its holder was not exported; a configuration that does not claim it has it perhaps.
    PublicIpHolder public_ip_holder { public_ip: Sym, holder: Sym }

    /// `public_ip_range(public_ip_prefix, prefix)`: the addresses of a public address prefix resource.
    PublicIpRange public_ip_range { public_ip_prefix: Sym, prefix: Prefix }

    /// `nsg(nsg)`: a network security group. Its default rules are platform truth, not facts (NSG-04).
    Nsg nsg { nsg: Sym }

    /// `nsg_rule(rule, nsg, direction, priority, access, protocol, sources, source_ports, destinations, destination_ports)`: a rule of `nsg`. Priorities
    /// rise from 100; the lowest match settles a packet (NSG-03). Address cells are lists of prefixes, tags and `asg:<id>`, port cells lists of ranges.
    NsgRule nsg_rule {
        rule: Sym, nsg: Sym, direction: Direction, priority: u32, access: Access, protocol: Protocol, sources: Selectors, source_ports: PortList,
        destinations: Selectors, destination_ports: PortList,
    }

    /// `asg(asg)`: an application security group.
    Asg asg { asg: Sym }

    /// `route_table(table, gateway_routes)`: a route table; `gateway_routes` is false where `disableBgpRoutePropagation` is set (RTE-04).
    RouteTable route_table { table: Sym, gateway_routes: bool }

    /// `route(route, table, destination, hop, hop_address)`: a user-defined route (RTE-06). `destination` is a prefix or a service tag; `hop_address` only
    /// with `virtualappliance`.
    Route route { route: Sym, table: Sym, destination: Selectors, hop: HopKind, hop_address: Option<IpAddr> }

    /// `route_bgp_override(route, table, wins)`: whether the route beats what gateways announce inside its prefix, whatever the length (RTE-11). From
    /// `hasBgpOverride`; without a row nobody knows.
    RouteBgpOverride route_bgp_override { route: Sym, table: Sym, wins: bool }

    /// `observed_routes(nic)`: somebody looked at the effective routes of the interface: its `observed_route` rows are all of them (RTE-07).
    ObservedRoutes observed_routes { nic: Sym }

    /// `observed_route(nic, prefix, source, hop, address)`: one of the active effective routes of the interface, in Azure's words: `default`, `user` or
    /// `virtualnetworkgateway`; `vnetlocal`, `vnetpeering`, `internet`, …; `address` where the platform names one (RTE-07).
    ObservedRoute observed_route { nic: Sym, prefix: Prefix, source: Sym, hop: Sym, address: Option<IpAddr> }

    /// `observed_doubt(nic, prefix, source, hop, address)`: one of two copies of what was seen at the interface lacks the route: it is there perhaps.
    ObservedDoubt observed_doubt { nic: Sym, prefix: Prefix, source: Sym, hop: Sym, address: Option<IpAddr> }

    /// `vnet_basic_endpoint_policies(vnet)`: `privateEndpointVNetPolicies` of the network is `Basic` (RTE-14).
    VnetBasicEndpointPolicies vnet_basic_endpoint_policies { vnet: Sym }

    /// `gateway_summary(vnet, prefix)`: the gateways in `vnet` announce the prefix in place of the network's own, and of those of its spokes that
    /// it holds (GW-07).
    GatewaySummary gateway_summary { vnet: Sym, prefix: Prefix }

    /// `nat_gateway(gateway, sku)`: a NAT gateway (OUT-03).
    NatGateway nat_gateway { gateway: Sym, sku: PublicSku }

    /// `nat_gateway_public_ip(gateway, public_ip)`: one of its public addresses.
    NatGatewayPublicIp nat_gateway_public_ip { gateway: Sym, public_ip: Sym }

    /// `nat_gateway_range(gateway, public_ip_prefix)`: one of its public prefixes.
    NatGatewayRange nat_gateway_range { gateway: Sym, public_ip_prefix: Sym }

    /// `gateway(gateway, kind, bgp)`: a virtual network gateway.
    Gateway gateway { gateway: Sym, kind: GatewayKind, bgp: bool }

    /// `gateway_remote_networks(gateway)`: an ExpressRoute gateway with `allowRemoteVnetTraffic`: networks on the same circuit may talk to its own (GW-12).
    GatewayRemoteNetworks gateway_remote_networks { gateway: Sym }

    /// `circuit_public_prefix(circuit, prefix)`: public addresses that a site shows over the circuit's Microsoft peering (GW-15).
    CircuitPublicPrefix circuit_public_prefix { circuit: Sym, prefix: Prefix }

    /// `gateway_subnet(gateway, subnet)`: its instances stand in `subnet`. From either side of the link.
    GatewaySubnet gateway_subnet { gateway: Sym, subnet: Sym }

    /// `subnet_ip_config(subnet, ip_config)`: the subnet says that `ip_config` stands in it, whether that was exported or not (SND-04). From
    /// `properties.ipConfigurations[]`.
    SubnetIpConfig subnet_ip_config { subnet: Sym, ip_config: Sym }

    /// `gateway_default_site(gateway, site)`: everything without a better route goes to the site (RTE-20).
    GatewayDefaultSite gateway_default_site { gateway: Sym, site: Sym }

    /// `gateway_client_pool(gateway, prefix)`: addresses of its point-to-site clients (GW-01).
    GatewayClientPool gateway_client_pool { gateway: Sym, prefix: Prefix }

    /// `connection(connection, kind, gateway, peer, connected, bgp)`: a connection of `gateway` to `peer`: a local network gateway, another gateway or a
    /// circuit (GW-02). `connected` is yes only where the export says `Connected` (GW-03).
    Connection connection { connection: Sym, kind: ConnectionKind, gateway: Sym, peer: Sym, connected: Tri, bgp: bool }

    /// `connection_limit(connection, property)`: the property of the connection translates or restricts what passes, in a way that is not derived (GW-14).
    ConnectionLimit connection_limit { connection: Sym, property: Sym }

    /// `local_gateway(site, bgp)`: a local network gateway, that is a site on premises (GW-01); `bgp` where it has BGP settings.
    LocalGateway local_gateway { site: Sym, bgp: bool }

    /// `local_gateway_prefix(site, prefix)`: addresses behind it.
    LocalGatewayPrefix local_gateway_prefix { site: Sym, prefix: Prefix }

    /// `local_gateway_peer(site, address)`: the address from which it speaks BGP. From `bgpSettings.bgpPeeringAddress`.
    LocalGatewayPeer local_gateway_peer { site: Sym, address: IpAddr }

    /// `learned_routes(gateway)`: somebody looked at what the gateway learned by BGP: its `learned_route` rows are all of it (GW-04).
    LearnedRoutes learned_routes { gateway: Sym }

    /// `learned_route(gateway, prefix, origin, peer)`: a prefix that the gateway learned from others than its own network, in Azure's words: `ebgp` from beyond
    /// a connection, `ibgp` from something beside it; `peer` is who told it, where the platform names one (GW-04).
    LearnedRoute learned_route { gateway: Sym, prefix: Prefix, origin: Sym, peer: Option<IpAddr> }

    /// `device(device, kind, subnet)`: a device whose own behaviour is not derived; `subnet` where it stands in one, else empty.
    Device device { device: Sym, kind: DeviceKind, subnet: Sym }

    /// `device_address(device, address, subnet)`: the device answers at `address`, in `subnet` (ADR-11).
    DeviceAddress device_address { device: Sym, address: IpAddr, subnet: Sym }

    /// `listener(device, public_ip, address, port)`: the proxy takes TCP connections to `port` at the public address or at the private one, whichever is
    /// there; port 0 where the export does not tell port and address (IN-08, IN-10).
    Listener listener { device: Sym, public_ip: Sym, address: Option<IpAddr>, port: u16 }

    /// `proxy_rule(device, public_ip, address, port, pool, backend_port)`: what the application gateway takes at its listener for that address and port
    /// it may pass on to a member of `pool` at `backend_port`; `pool` is empty and a port 0 where the export does not tell it. A gateway without any such
    /// row may pass on to anybody (IN-08). From `requestRoutingRules[]`, `routingRules[]` and `urlPathMaps[]`.
    ProxyRule proxy_rule { device: Sym, public_ip: Sym, address: Option<IpAddr>, port: u16, pool: Sym, backend_port: u16 }

    /// `proxy_pass(device, public_ip, address, port, pool)`: whatever the application gateway takes at that listener goes to a member of `pool`, whichever request it
    /// is: one basic rule of a listener that has the port to itself, in a gateway without a firewall of its own; listener and rule say nothing else that could
    /// choose among requests, such as hosts, certificates or tokens of clients (IN-08).
    ProxyPass proxy_pass { device: Sym, public_ip: Sym, address: Option<IpAddr>, port: u16, pool: Sym }

    /// `proxy_member(pool, address, host)`: whoever has `address`, or to whom the name leads, is a member of the application gateway's pool; with neither
    /// anybody may be. From `backendAddresses[]`.
    ProxyMember proxy_member { pool: Sym, address: Option<IpAddr>, host: Sym }

    /// `ip_config_proxy_pool(ip_config, pool)`: the address configuration is a member of the application gateway's pool. From either side of the link.
    IpConfigProxyPool ip_config_proxy_pool { ip_config: Sym, pool: Sym }

    /// `device_public_ip(device, public_ip)`: the device carries the public address.
    DevicePublicIp device_public_ip { device: Sym, public_ip: Sym }
}

/// What a peering names a remote network by, in lower case.
const REMOTE: &str = "remotevirtualnetwork";

/// Whether a security group stands for one that a subnet or an interface has without telling which.
pub fn is_nameless_group(nsg: Sym) -> bool {
    ids::is_unknown(nsg, "networksecuritygroup")
}

impl Peering {
    /// What stands for the remote network of `peering` where no export names it.
    pub fn unknown_remote(peering: Sym) -> Sym {
        ids::unknown(peering, REMOTE)
    }

    /// Whether no export names the remote network.
    pub fn is_nameless(&self) -> bool {
        ids::is_unknown(self.remote, REMOTE) && self.remote.as_str().starts_with(self.peering.as_str())
    }
}
