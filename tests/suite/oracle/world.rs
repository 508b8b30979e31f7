//! The facts as lists of rows, and the small questions that everything asks.

use std::collections::BTreeSet;
use std::net::IpAddr;

use watertight::facts::Fact;
use watertight::facts::azure_firewall::*;
use watertight::facts::channels::*;
use watertight::facts::config::*;
use watertight::facts::dns::*;
use watertight::facts::gap::*;
use watertight::facts::hub::*;
use watertight::facts::load_balancing::*;
use watertight::facts::manager::*;
use watertight::facts::network::*;
use watertight::facts::perimeter::*;
use watertight::facts::platform::Platform;
use watertight::facts::private_access::*;
use watertight::facts::private_link::*;
use watertight::facts::selector::Selector;
use watertight::facts::store_facts::*;
use watertight::model::{Prefix, Sym, Tri};

use super::manager::Managed;

macro_rules! world {
    ($($field:ident: $row:ident),+ $(,)?) => {
        /// One list a relation.
        #[derive(Clone)]
        pub struct World<'p> {
            pub platform: &'p Platform,
            mentioned: std::cell::OnceCell<Vec<Prefix>>,
            /// Links that network managers keep; each has a peering of its own.
            pub managed: Vec<Managed>,
            pub managed_peerings: Vec<Peering>,
            /// Connections of which it is not sure that they are for the sub-resource.
            pub vague: BTreeSet<(Sym, Sym)>,
            /// Sides of peerings that nobody exported and that others say are there.
            pub unlisted_sides: Vec<Sym>,
            $(pub $field: Vec<$row>,)+
        }

        impl<'p> World<'p> {
            /// Sorts the facts into their lists.
            pub fn new(facts: &BTreeSet<Fact>, platform: &'p Platform) -> World<'p> {
                let mut world = World {
                    platform,
                    mentioned: std::cell::OnceCell::new(),
                    managed: Vec::new(),
                    managed_peerings: Vec::new(),
                    vague: BTreeSet::new(),
                    unlisted_sides: Vec::new(),
                    $($field: Vec::new(),)+
                };
                for fact in facts {
                    match fact {
                        $(Fact::$row(row) => world.$field.push(*row),)+
                        _ => {} // relations that decide nothing: gaps, tags, labels
                    }
                }
                world.forget_lists_that_are_missing();
                world.forget_empty_nat_rules();
                world.tell_translations();
                world.add_unlisted_sides();
                world.add_unnamed_sides();
                world.add_managed_links();
                world.tell_groups();
                world
            }
        }
    };
}

world! {
    resources: Resource, unreads: Unread, unread_rules: UnreadRule, child_types: ChildType, unlisted: Unlisted, complete_types: CompleteType, hidden_rules: HiddenRules, eras: Era,
    vnets: Vnet, vnet_prefixes: VnetPrefix, vnet_dns: VnetDns,
    subnets: Subnet, subnet_prefixes: SubnetPrefix, subnet_nsgs: SubnetNsg, subnet_tables: SubnetRouteTable,
    subnet_nats: SubnetNatGateway, delegations: SubnetDelegation, service_endpoints: SubnetServiceEndpoint,
    subnet_policies: SubnetEndpointPolicy, endpoint_filters: SubnetPrivateEndpointPolicy, default_outbound: SubnetDefaultOutbound,
    peerings: Peering, peering_prefixes: PeeringPrefix,
    machines: Machine, scale_sets: MachineScaleSet, instance_configs: InstanceConfig, nics: Nic, nic_nsgs: NicNsg, nic_primaries: NicPrimary, nic_machines: NicMachine, nic_dns: NicDns,
    configs: IpConfig, config_addresses: IpConfigAddress, config_public_ips: IpConfigPublicIp, config_asgs: IpConfigAsg,
    config_pools: IpConfigPool, config_links: IpConfigLink,
    public_ips: PublicIp, public_ip_addresses: PublicIpAddress, public_ips_untold: PublicIpUntold, public_ip_families: PublicIpFamily,
    public_ip_holders: PublicIpHolder, public_ip_ranges: PublicIpRange,
    nsgs: Nsg, nsg_rules: NsgRule, tables: RouteTable, routes: Route,
    nats: NatGateway, nat_public_ips: NatGatewayPublicIp, nat_ranges: NatGatewayRange,
    gateways: Gateway, gateway_subnets: GatewaySubnet, client_pools: GatewayClientPool, connections: Connection,
    connection_limits: ConnectionLimit, local_gateways: LocalGateway, local_prefixes: LocalGatewayPrefix,
    local_speakers: LocalGatewayPeer, learned: LearnedRoute, looked_at: LearnedRoutes,
    balancers: LoadBalancer, fronts: LoadBalancerFrontend, front_ranges: LoadBalancerFrontendRange, chains: GatewayChain,
    pools: LoadBalancerPool, pool_addresses: LoadBalancerAddress, pool_regions: LoadBalancerRegion, members_down: LoadBalancerMemberDown,
    balancing_rules: LoadBalancingRule, rule_pools: LoadBalancingRulePool, probes: LoadBalancerProbe,
    nat_rules: InboundNatRule, nat_rule_pools: InboundNatRulePool, outbound_rules: OutboundRule, outbound_fronts: OutboundRuleFrontend,
    default_sites: GatewayDefaultSite, remote_networks: GatewayRemoteNetworks, circuit_prefixes: CircuitPublicPrefix,
    peering_subnets: PeeringSubnet, subnet_configs: SubnetIpConfig, peerings_only_v6: PeeringOnlyV6, overrides: RouteBgpOverride, basic_policies: VnetBasicEndpointPolicies,
    seen: ObservedRoutes, seen_routes: ObservedRoute, seen_doubts: ObservedDoubt, routing_collections: RoutingCollection, routing_rules: RoutingRule, gateway_summaries: GatewaySummary, listeners: Listener,
    proxy_rules: ProxyRule, proxy_members: ProxyMember, proxy_passes: ProxyPass, config_proxy_pools: IpConfigProxyPool,
    network_managers: NetworkManager, group_members: GroupMember, memberships: MembershipsListed, group_policies: GroupPolicy,
    manager_listings: ManagerListing, manager_applied: ManagerApplied, admin_configurations: AdminConfiguration,
    admin_collections: AdminCollection, admin_rules: AdminRule, admin_rule_groups: AdminRuleGroup, connectivity: Connectivity,
    connectivity_hubs: ConnectivityHub, connectivity_groups: ConnectivityGroup,
    wans: VirtualWan, hubs: VirtualHub, route_servers: RouteServer, hub_connections: HubConnection, hub_propagations: HubPropagation,
    hub_labels: HubLabel, hub_tables: HubTable, hub_table_labels: HubTableLabel, hub_routes: HubRoute, hub_policies: HubPolicy, hub_guards: HubGuard, hub_branches: HubBranch,
    hub_doubts: HubDoubt,
    devices: Device, device_addresses: DeviceAddress, device_public_ips: DevicePublicIp,
    firewalls: AzureFirewall, firewall_hub_addresses: FirewallHubAddress, firewall_policies: FirewallPolicy, policy_groups: FirewallPolicyGroup,
    inspections: FirewallInspection, private_ranges: FirewallPrivateRange, learns_ranges: FirewallLearnsRanges,
    dns_proxies: FirewallDnsProxy, firewall_servers: FirewallDnsServer, firewall_groups: FirewallGroup, collections: FirewallCollection,
    firewall_rules: FirewallRule, rule_traffic: FirewallRuleTraffic, rule_ip_groups: FirewallRuleIpGroup, rule_names: FirewallRuleName,
    translations: FirewallTranslation, ip_groups: IpGroup, ip_group_prefixes: IpGroupPrefix,
    endpoints: PrivateEndpoint, links: PrivateEndpointConnection, endpoint_nics: PrivateEndpointNic,
    endpoint_addresses: PrivateEndpointAddress, endpoint_asgs: PrivateEndpointAsg, provider_links: ProviderConnection,
    provider_groups: ProviderConnectionGroup,
    zones: PrivateDnsZone, zone_sizes: ZoneSize, zone_links: ZoneLink, zone_records: ZoneRecord, zone_groups: ZoneGroup,
    resolvers: DnsResolver, inbounds: DnsInbound, rulesets: ForwardingRuleset, rules: ForwardingRule, rule_targets: ForwardingTarget,
    ruleset_links: RulesetLink, public_zones: PublicDnsZone,
    group_records: ZoneGroupRecord, local_records: LocalRecord, clouds: Clouded,
    policies: EndpointPolicy, policy_scopes: EndpointPolicyScope,
    stores: Store, parts: StorePart, store_regions: StoreRegion, accesses: StoreAccess, switches: StoreSwitch, ip_rules: StoreIpRule, subnet_rules: StoreSubnetRule,
    resource_rules: StoreResourceRule, outbound_hosts: StoreOutboundRule,
    perimeters: Perimeter, associations: PerimeterAssociation, perimeter_rules: PerimeterRule, perimeter_links: PerimeterLink,
    link_profiles: PerimeterLinkProfile, network_identifiers: SubnetNetworkIdentifier,
    copy_scopes: StoreCopyScope, cross_tenant: StoreCrossTenant, replications: ObjectReplication, declared: DeclaredCopy,
    export_off: StoreExportOff, routed_apps: AppRoutesAll,
    services: PrivateLinkService, service_frontends: PrivateLinkFrontend, service_nats: PrivateLinkNat, open_subnets: SubnetPrivateLinkOpen,
    service_visible: PrivateLinkVisible, service_approvals: PrivateLinkAutoApproval,
    rule_sets: StoreRuleSet, list_rules: StoreListRule,
    boundary_tenants: BoundaryTenant, boundary_subscriptions: BoundarySubscription,
    sites: Site, site_prefixes: SitePrefix, site_nats: SiteNat, forwarders: SiteForwarder,
    dns_servers: DnsServer, dns_server_records: DnsServerRecord, appliances: Appliance, appliance_allows: ApplianceAllow,
}

/// Whether two prefixes are of one family.
pub fn same_family(prefix: Prefix, ip: IpAddr) -> bool {
    prefix.network().is_ipv4() == ip.is_ipv4()
}

/// Whether a prefix holds everything of its family.
pub fn is_everything(prefix: Prefix) -> bool {
    prefix.prefix_len() == 0
}

/// The last segment of an id: what a person calls the thing.
pub fn name_of(id: Sym) -> String {
    id.as_str().rsplit('/').next().unwrap_or("").to_owned()
}

impl World<'_> {
    /// The network a subnet lies in.
    pub fn vnet_of(&self, subnet: Sym) -> Option<Sym> {
        self.subnets.iter().find(|s| s.subnet == subnet).map(|s| s.vnet)
    }

    /// The address space of a network.
    pub fn space(&self, vnet: Sym) -> Vec<Prefix> {
        self.vnet_prefixes.iter().filter(|p| p.vnet == vnet).map(|p| p.prefix).collect()
    }

    /// Whether the input holds the network itself.
    pub fn has_vnet(&self, vnet: Sym) -> bool {
        self.vnets.iter().any(|v| v.vnet == vnet)
    }

    /// The region of a network, empty where it is not known.
    pub fn vnet_region(&self, vnet: Sym) -> Sym {
        self.vnets.iter().find(|v| v.vnet == vnet).map_or(Sym::EMPTY, |v| v.location)
    }

    /// Whether `ip` is in the address space of the network.
    pub fn in_space(&self, vnet: Sym, ip: IpAddr) -> bool {
        self.space(vnet).iter().any(|p| p.contains(&ip))
    }

    /// The prefixes of a subnet.
    pub fn subnet_space(&self, subnet: Sym) -> Vec<Prefix> {
        self.subnet_prefixes.iter().filter(|p| p.subnet == subnet).map(|p| p.prefix).collect()
    }

    /// The interface, where the input holds it.
    pub fn nic(&self, nic: Sym) -> Option<Nic> {
        self.nics.iter().find(|n| n.nic == nic).copied()
    }

    /// The machine an interface belongs to.
    pub fn machine_of(&self, nic: Sym) -> Option<Sym> {
        self.nic_machines.iter().find(|m| m.nic == nic).map(|m| m.machine)
    }

    /// Whether something runs behind the interface (ADR-07).
    pub fn is_attached(&self, nic: Sym) -> bool {
        let listed = || self.nic_machines.iter().any(|m| m.nic == nic);
        self.nic(nic).is_some_and(|n| n.role == NicRole::Machine || (n.role == NicRole::Detached && listed()))
    }

    /// The known addresses of an address configuration; none where it is dynamic (ADR-06).
    pub fn addresses_of(&self, config: Sym) -> Vec<IpAddr> {
        self.config_addresses.iter().filter(|a| a.ip_config == config).map(|a| a.address).collect()
    }

    /// The addresses of a public address resource.
    pub fn public_addresses_of(&self, public_ip: Sym) -> Vec<IpAddr> {
        self.public_ip_addresses.iter().filter(|a| a.public_ip == public_ip).map(|a| a.address).collect()
    }

    /// Whether a public address resource can be used by packets of the family: by its address; without one by what it says, IPv4 where it says nothing; of
    /// one that nobody exported, by the address it stands for. `inside`: whether that is one of IPv4, where it is known (ADR-14).
    pub fn has_family(&self, public_ip: Sym, v4: bool, inside: Option<bool>) -> Tri {
        let known = self.public_addresses_of(public_ip);
        if !known.is_empty() {
            return Tri::from_bool(known.iter().any(|a| a.is_ipv4() == v4));
        }
        if let Some(said) = self.public_ip_families.iter().find(|f| f.public_ip == public_ip) {
            return if v4 { said.v6.negated() } else { said.v6 };
        }
        let exported = self.public_ips.iter().any(|p| p.public_ip == public_ip);
        match inside {
            Some(false) => Tri::Maybe, // Azure would not put an address of IPv4 there, and nothing tells of one of IPv6
            None if !exported => Tri::Maybe,
            _ => Tri::from_bool(v4),
        }
    }

    /// An interface of some machine that is not in the input, or came without its configurations: no pool can be sure that it is not a member.
    pub fn an_interface_is_hidden(&self) -> bool {
        let told = |m: Sym| self.nic_machines.iter().any(|n| n.machine == m);
        if self.machines.iter().any(|m| m.kind != MachineKind::FlexibleScaleSet && !told(m.machine)) {
            return true; // every machine has one
        }
        let is_machine = |kind: &str| ["microsoft.compute/virtualmachines", "microsoft.compute/virtualmachinescalesets"].contains(&kind);
        let untold = |r: &&Resource| is_machine(r.kind.as_str()) && !self.machines.iter().any(|m| m.machine == r.id);
        if self.resources.iter().filter(untold).any(|r| !told(r.id)) {
            return true;
        }
        // Of a scale set nobody may have exported more than its instances.
        let instances = self.resources.iter().filter(|r| r.kind.as_str() == "microsoft.compute/virtualmachinescalesets/virtualmachines");
        let mut sets = instances.filter_map(|r| r.id.as_str().rsplit_once("/virtualmachines/")).map(|(set, _)| Sym::new(set));
        if sets.any(|set| !told(set) && !self.machines.iter().any(|m| m.machine == set)) {
            return true;
        }
        let rows = self.resources.iter().filter(|r| r.kind.as_str() == "microsoft.network/networkinterfaces").map(|r| r.id);
        let mut all = self.nic_machines.iter().map(|m| m.nic).chain(rows);
        all.any(|nic| match self.nic(nic) {
            None => true,
            Some(row) if matches!(row.role, NicRole::Machine | NicRole::Detached) => !self.configs.iter().any(|c| c.nic == nic),
            Some(_) => false,
        })
    }

    /// A group or a table without the list of what makes it up, where the input has nothing of the kind at all, is as good as one that nobody exported (M-03).
    fn forget_lists_that_are_missing(&mut self) {
        let (rules, routes) = ("microsoft.network/networksecuritygroups/securityrules", "microsoft.network/routetables/routes");
        let complete = |kind: &str| self.complete_types.iter().any(|c| c.kind.as_str() == kind);
        let lacks = |id: Sym| self.unlisted.iter().any(|u| u.parent == id);
        if self.nsg_rules.is_empty() && !complete(rules) {
            self.nsgs = self.nsgs.iter().filter(|n| !lacks(n.nsg)).copied().collect();
        }
        if self.routes.is_empty() && !complete(routes) {
            self.tables = self.tables.iter().filter(|t| !lacks(t.table)).copied().collect();
        }
    }

    /// Whether absence of rows of a child type under `parent` means that there are none (M-03).
    pub fn children_are_listed(&self, parent: Sym, kind: &str) -> bool {
        self.complete_types.iter().any(|c| c.kind.as_str() == kind)
            || self.child_types.iter().any(|c| c.parent == parent && c.kind.as_str() == kind)
    }

    /// Every prefix that anything in the estate tells apart: the places where the world can look different.
    pub fn mentioned_prefixes(&self) -> &[Prefix] {
        self.mentioned.get_or_init(|| self.all_prefixes())
    }

    fn all_prefixes(&self) -> Vec<Prefix> {
        let host = watertight::model::net::host;
        let mut all: Vec<Prefix> = Vec::new();
        all.extend(self.vnet_prefixes.iter().map(|p| p.prefix));
        all.extend(self.subnet_prefixes.iter().map(|p| p.prefix));
        all.extend(self.peering_prefixes.iter().map(|p| p.prefix));
        all.extend(self.local_prefixes.iter().map(|p| p.prefix));
        all.extend(self.site_prefixes.iter().map(|p| p.prefix));
        all.extend(self.client_pools.iter().map(|p| p.prefix));
        all.extend(self.public_ip_ranges.iter().map(|p| p.prefix));
        all.extend(self.appliance_allows.iter().flat_map(|a| [a.from, a.to]));
        all.extend(self.config_addresses.iter().map(|a| host(a.address)));
        all.extend(self.public_ip_addresses.iter().map(|a| host(a.address)));
        all.extend(self.device_addresses.iter().map(|a| host(a.address)));
        all.extend(self.endpoint_addresses.iter().map(|a| host(a.address)));
        all.extend(self.ip_rules.iter().flat_map(|r| [host(r.from), host(r.to)]));
        all.extend(self.routes.iter().filter_map(|r| r.hop_address).map(host));
        let of_perimeters = self.perimeter_rules.iter().filter(|r| r.item == AccessItem::Prefix);
        all.extend(of_perimeters.filter_map(|r| r.value.as_str().parse::<Prefix>().ok()));
        all.extend(self.hub_routes.iter().map(|r| r.prefix));
        all.extend(self.private_ranges.iter().map(|r| r.prefix));
        all.extend(self.ip_group_prefixes.iter().map(|p| p.prefix));
        let admin = self.admin_rules.iter().flat_map(|r| [r.sources, r.destinations]);
        let firewall = self.firewall_rules.iter().flat_map(|r| [r.sources, r.destinations]);
        let fields = self
            .nsg_rules
            .iter()
            .flat_map(|r| [r.sources, r.destinations])
            .chain(admin)
            .chain(firewall)
            .chain(self.routes.iter().map(|r| r.destination));
        let fields = fields.chain(self.list_rules.iter().map(|r| r.source));
        for item in fields.flat_map(|field| field.items()) {
            match item {
                Selector::Prefix(prefix) => all.push(prefix),
                Selector::Tag(tag) => all.extend(self.platform.tag(tag).unwrap_or(&[])),
                Selector::Any | Selector::Asg(_) => {}
            }
        }
        // Replies to the front ends that a service endpoint covers leave by it.
        for endpoint in &self.service_endpoints {
            let Some(whole) = self.platform.service_tag_of_endpoint(endpoint.service) else { continue };
            let mut regions: Vec<Sym> = self.vnets.iter().map(|v| v.location).collect();
            regions.extend(regions.clone().iter().filter_map(|r| self.platform.region_pair(*r)));
            let tags = regions.into_iter().chain([endpoint.location]).map(|region| Sym::new(&format!("{whole}.{region}"))).chain([whole]);
            all.extend(tags.flat_map(|tag| self.platform.tag(tag).unwrap_or(&[]).to_vec()));
        }
        all.extend(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].map(|p| p.parse::<Prefix>().expect("literal")));
        all.sort();
        all.dedup();
        all
    }
}
