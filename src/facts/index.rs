//! The facts of an estate, findable by the columns that rules ask for.
//!
//! A plain in-memory mirror of what the dataflow is fed: points are evaluated on it, and reports read it. It is a set: inserting a fact twice
//! is inserting it once.

use std::hash::Hash;
use std::net::IpAddr;
use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::azure_firewall::*;
use crate::facts::catalog::Fact;
use crate::facts::channels::*;
use crate::facts::config::*;
use crate::facts::dns::*;
use crate::facts::gap::*;
use crate::facts::hub::*;
use crate::facts::load_balancing::*;
use crate::facts::manager::*;
use crate::facts::network::*;
use crate::facts::perimeter::*;
use crate::facts::private_access::*;
use crate::facts::private_link::*;
use crate::facts::store_facts::*;
use crate::model::Sym;

/// Rows of one relation, grouped by one column. The order inside a group is the order of insertion and means nothing.
#[derive(Clone, Debug)]
pub struct Table<K, R> {
    // Where the group of a key stands: apart from the rows, so that the same map serves every relation.
    places: FxHashMap<K, u32>,
    groups: Vec<(K, Group<R>)>,
}

/// The rows that share a key: mostly one.
#[derive(Clone, Debug)]
enum Group<R> {
    One(R),
    /// Two at least.
    Many(Vec<R>),
}

impl<R> Group<R> {
    #[inline]
    fn as_slice(&self) -> &[R] {
        match self {
            Group::One(row) => std::slice::from_ref(row),
            Group::Many(rows) => rows,
        }
    }
}

impl<K, R> Default for Table<K, R> {
    fn default() -> Self {
        Table { places: FxHashMap::default(), groups: Vec::new() }
    }
}

impl<K: Copy + Eq + Hash, R: Copy + Eq> Table<K, R> {
    /// The rows with `key` in the column.
    #[inline]
    pub fn get(&self, key: K) -> &[R] {
        self.places.get(&key).map_or(&[], |at| self.groups[*at as usize].1.as_slice())
    }

    /// The row with `key` in the column, where the relation holds at most one (else any of them).
    #[inline]
    pub fn one(&self, key: K) -> Option<&R> {
        self.get(key).first()
    }

    /// Whether some row has `key` in the column.
    #[inline]
    pub fn has(&self, key: K) -> bool {
        self.places.contains_key(&key)
    }

    /// Every row, in no order.
    pub fn rows(&self) -> Rows<'_, K, R> {
        Rows { groups: self.groups.iter(), rows: [].iter() }
    }

    /// What stands in the column, each once, in no order.
    pub fn keys(&self) -> impl Iterator<Item = K> {
        self.groups.iter().map(|(key, _)| *key)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.groups.iter().map(|(_, group)| group.as_slice().len()).sum()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether the row is there.
    fn contains(&self, key: K, row: &R) -> bool {
        self.get(key).contains(row)
    }

    /// Adds the row, which is not there.
    fn insert(&mut self, key: K, row: R) {
        let at = *self.places.entry(key).or_insert(self.groups.len() as u32);
        match self.groups.get_mut(at as usize) {
            None => self.groups.push((key, Group::One(row))),
            Some((_, group)) => match group {
                Group::One(first) => *group = Group::Many(vec![*first, row]),
                Group::Many(rows) => rows.push(row),
            },
        }
    }

    /// Removes the row; whether it was there.
    fn remove(&mut self, key: K, row: R) -> bool {
        let Some(at) = self.places.get(&key).map(|at| *at as usize) else { return false };
        let group = &mut self.groups[at].1;
        let Some(position) = group.as_slice().iter().position(|known| *known == row) else { return false };
        if let Group::Many(rows) = group {
            rows.swap_remove(position);
            if let [last] = rows[..] {
                *group = Group::One(last);
            }
            return true;
        }
        self.places.remove(&key);
        self.groups.swap_remove(at);
        if let Some((moved, _)) = self.groups.get(at) {
            self.places.insert(*moved, at as u32);
        }
        true
    }
}

/// Every row of a table.
pub struct Rows<'a, K, R> {
    groups: std::slice::Iter<'a, (K, Group<R>)>,
    rows: std::slice::Iter<'a, R>,
}

impl<'a, K, R> Iterator for Rows<'a, K, R> {
    type Item = &'a R;

    #[inline]
    fn next(&mut self) -> Option<&'a R> {
        loop {
            if let Some(row) = self.rows.next() {
                return Some(row);
            }
            self.rows = self.groups.next()?.1.as_slice().iter();
        }
    }
}

macro_rules! index {
    ($($row:ident { $($field:ident: $column:ident as $key:ty),+ })+) => {
        /// The facts of one estate.
        #[derive(Clone, Debug, Default)]
        #[expect(missing_docs, reason = "a field is a relation, or a relation by the column it is named after")]
        pub struct Index {
            $($(pub $field: Table<$key, $row>,)+)+
            zones_without_row: OnceLock<Box<[Sym]>>,
            zones_short_of_records: OnceLock<FxHashSet<Sym>>,
            zones_short_of_links: OnceLock<Box<[Sym]>>,
        }

        impl Index {
            /// What was summed up of all rows does not hold any more.
            fn forget_summaries(&mut self) {
                self.zones_without_row.take();
                self.zones_short_of_records.take();
                self.zones_short_of_links.take();
            }

            /// Adds a fact; whether it is new.
            pub fn insert(&mut self, fact: Fact) -> bool {
                self.forget_summaries();
                // The first column named for each relation tells its rows apart, or nearly: groups under it are short.
                match fact { $(Fact::$row(row) => {
                    if index!(@known self row $($field $column)+) {
                        return false;
                    }
                    $(self.$field.insert(row.$column, row);)+
                })+ }
                true
            }

            /// Removes a fact; whether it was there.
            pub fn remove(&mut self, fact: Fact) -> bool {
                self.forget_summaries();
                let mut there = false;
                match fact { $(Fact::$row(row) => { $(there |= self.$field.remove(row.$column, row);)+ })+ }
                there
            }

            /// Whether a fact is there.
            pub fn holds(&self, fact: &Fact) -> bool {
                match fact { $(Fact::$row(row) => index!(@known self row $($field $column)+),)+ }
            }

            /// Every fact, relation by relation, in no order inside one.
            pub fn facts(&self) -> Vec<Fact> {
                let mut facts = Vec::new();
                $(facts.extend(index!(@first self $($field)+).rows().map(|row| Fact::$row(*row)));)+
                facts
            }
        }
    };
    (@known $self:ident $row:ident $first:ident $column:ident $($rest:ident)*) => { $self.$first.contains($row.$column, &$row) };
    (@first $self:ident $first:ident $($rest:ident)*) => { $self.$first };
}

index! {
    Resource { resource: id as Sym, resources_by_kind: kind as Sym }
    Tag { tags: resource as Sym }
    Gap { gaps: resource as Sym }
    Unread { unread: resource as Sym }
    UnreadRule { unread_rules: holder as Sym }
    Property { properties: resource as Sym }
    ChildType { child_type: parent as Sym, child_types: kind as Sym }
    Unlisted { unlisted: parent as Sym }
    Vnet { vnet: vnet as Sym }
    VnetPrefix { vnet_prefixes: vnet as Sym }
    VnetDns { vnet_dns: vnet as Sym }
    Subnet { subnet: subnet as Sym, subnets_by_vnet: vnet as Sym }
    SubnetPrefix { subnet_prefixes: subnet as Sym }
    SubnetNsg { subnet_nsg: subnet as Sym, subnets_by_nsg: nsg as Sym }
    SubnetRouteTable { subnet_route_table: subnet as Sym, subnets_by_table: table as Sym }
    SubnetNatGateway { subnet_nat_gateway: subnet as Sym }
    SubnetDelegation { subnet_delegations: subnet as Sym }
    SubnetServiceEndpoint { service_endpoints: subnet as Sym }
    SubnetNetworkIdentifier { subnet_network_identifiers: subnet as Sym }
    SubnetEndpointPolicy { subnet_endpoint_policies: subnet as Sym }
    SubnetPrivateEndpointPolicy { subnet_private_endpoint_policy: subnet as Sym }
    SubnetDefaultOutbound { subnet_default_outbound: subnet as Sym }
    Peering { peering: peering as Sym, peerings_by_vnet: vnet as Sym, peerings_by_remote: remote as Sym }
    PeeringPrefix { peering_prefixes: peering as Sym }
    PeeringOnlyV6 { peering_only_v6: peering as Sym }
    PeeringSubnet { peering_subnets: peering as Sym }
    Machine { machine: machine as Sym }
    MachineScaleSet { machine_scale_set: machine as Sym, machines_by_scale_set: scale_set as Sym }
    InstanceConfig { instance_configs: instance as Sym, instances_by_config: ip_config as Sym }
    Nic { nic: nic as Sym }
    NicPrimary { nic_primary: nic as Sym }
    Clouded { clouded: vnet as Sym }
    NicNsg { nic_nsg: nic as Sym, nics_by_nsg: nsg as Sym }
    NicMachine { nic_machine: nic as Sym, nics_by_machine: machine as Sym }
    NicDns { nic_dns: nic as Sym }
    IpConfig { ip_config: ip_config as Sym, ip_configs_by_nic: nic as Sym, ip_configs_by_subnet: subnet as Sym }
    IpConfigAddress { ip_config_address: ip_config as Sym, ip_configs_by_address: address as IpAddr }
    IpConfigPublicIp { ip_config_public_ip: ip_config as Sym, ip_configs_by_public_ip: public_ip as Sym }
    IpConfigAsg { ip_config_asgs: ip_config as Sym, ip_configs_by_asg: asg as Sym }
    IpConfigPool { ip_config_pools: ip_config as Sym, ip_configs_by_pool: pool as Sym }
    IpConfigLink { ip_config_links: ip_config as Sym }
    PublicIp { public_ip: public_ip as Sym }
    PublicIpAddress { public_ip_address: public_ip as Sym, public_ips_by_address: address as IpAddr }
    PublicIpUntold { public_ip_untold: public_ip as Sym }
    PublicIpFamily { public_ip_family: public_ip as Sym }
    PublicIpHolder { public_ip_holder: public_ip as Sym, public_ips_by_holder: holder as Sym }
    PublicIpRange { public_ip_ranges: public_ip_prefix as Sym }
    Nsg { nsg: nsg as Sym }
    NsgRule { nsg_rule: rule as Sym, nsg_rules: nsg as Sym }
    Asg { asg: asg as Sym }
    RouteTable { route_table: table as Sym }
    Route { route: route as Sym, routes: table as Sym }
    RouteBgpOverride { route_bgp_override: route as Sym, route_bgp_overrides: table as Sym }
    ObservedRoutes { observed_routes: nic as Sym }
    ObservedRoute { observed_route: nic as Sym }
    ObservedDoubt { observed_doubt: nic as Sym }
    VnetBasicEndpointPolicies { vnet_basic_endpoint_policies: vnet as Sym }
    GatewaySummary { gateway_summaries: vnet as Sym }
    NatGateway { nat_gateway: gateway as Sym }
    NatGatewayPublicIp { nat_gateway_public_ips: gateway as Sym, nat_gateways_by_public_ip: public_ip as Sym }
    NatGatewayRange { nat_gateway_ranges: gateway as Sym }
    Gateway { gateway: gateway as Sym }
    GatewayRemoteNetworks { gateway_remote_networks: gateway as Sym }
    CircuitPublicPrefix { circuit_public_prefixes: circuit as Sym }
    SubnetIpConfig { subnet_ip_configs: subnet as Sym }
    GatewaySubnet { gateway_subnets: gateway as Sym, gateways_by_subnet: subnet as Sym }
    GatewayDefaultSite { gateway_default_sites: gateway as Sym }
    GatewayClientPool { gateway_client_pools: gateway as Sym }
    Connection { connection: connection as Sym, connections_by_gateway: gateway as Sym, connections_by_peer: peer as Sym }
    ConnectionLimit { connection_limits: connection as Sym }
    LocalGateway { local_gateway: site as Sym }
    LocalGatewayPrefix { local_gateway_prefixes: site as Sym }
    LocalGatewayPeer { local_gateway_peers: site as Sym }
    LearnedRoutes { learned_routes: gateway as Sym }
    LearnedRoute { learned_route: gateway as Sym }
    Device { device: device as Sym, devices_by_subnet: subnet as Sym }
    DeviceAddress { device_addresses: device as Sym, devices_by_address: address as IpAddr }
    Listener { listeners: device as Sym }
    ProxyRule { proxy_rules: device as Sym }
    ProxyMember { proxy_members: pool as Sym }
    ProxyPass { proxy_passes: device as Sym }
    IpConfigProxyPool { ip_config_proxy_pools: ip_config as Sym }
    DevicePublicIp { device_public_ips: device as Sym, devices_by_public_ip: public_ip as Sym }
    LoadBalancer { load_balancer: balancer as Sym }
    LoadBalancerFrontend { load_balancer_frontend: frontend as Sym, load_balancer_frontends_by_balancer: balancer as Sym, load_balancer_frontends_by_subnet: subnet as Sym, load_balancer_frontends_by_address: address as Option<IpAddr>, load_balancer_frontends_by_public_ip: public_ip as Sym }
    LoadBalancerFrontendRange { load_balancer_frontend_ranges: frontend as Sym, load_balancer_frontends_by_range: public_ip_prefix as Sym }
    GatewayChain { gateway_chain: end as Sym }
    LoadBalancerPool { load_balancer_pool: pool as Sym }
    LoadBalancerAddress { load_balancer_addresses: pool as Sym, load_balancer_pools_by_address: address as IpAddr }
    LoadBalancerRegion { load_balancer_regions: pool as Sym, load_balancer_pools_by_region: frontend as Sym }
    LoadBalancerMemberDown { load_balancer_members_down: pool as Sym }
    LoadBalancingRule { load_balancing_rule: rule as Sym, load_balancing_rules: frontend as Sym }
    LoadBalancingRulePool { load_balancing_rule_pools: rule as Sym, load_balancing_rules_by_pool: pool as Sym }
    LoadBalancerProbe { load_balancer_probe: probe as Sym }
    InboundNatRule { inbound_nat_rule: rule as Sym, inbound_nat_rules: frontend as Sym }
    InboundNatRulePool { inbound_nat_rule_pools: rule as Sym, inbound_nat_rules_by_pool: pool as Sym }
    OutboundRule { outbound_rule: rule as Sym, outbound_rules: pool as Sym }
    OutboundRuleFrontend { outbound_rule_frontends: rule as Sym }
    VirtualWan { virtual_wan: wan as Sym }
    VirtualHub { virtual_hub: hub as Sym, hubs_by_wan: wan as Sym }
    RouteServer { route_server: server as Sym, route_servers_by_subnet: subnet as Sym }
    HubConnection { hub_connection: connection as Sym, hub_connections: hub as Sym, hub_connections_by_vnet: vnet as Sym }
    HubPropagation { hub_propagations: connection as Sym }
    HubLabel { hub_labels: connection as Sym }
    HubConnectionRoute { hub_connection_routes: connection as Sym }
    HubTable { hub_table: table as Sym }
    HubTableLabel { hub_table_labels: table as Sym }
    HubRoute { hub_routes: table as Sym }
    HubPolicy { hub_policies: hub as Sym }
    HubGuard { hub_guards: hub as Sym }
    HubBranch { hub_branches: hub as Sym }
    HubDoubt { hub_doubts: hub as Sym }
    NetworkManager { network_manager: manager as Sym }
    GroupMember { group_members: group as Sym, groups_by_member: member as Sym, groups_by_vnet: vnet as Sym }
    MembershipsListed { memberships_listed: resource as Sym }
    GroupPolicy { group_policies: group as Sym }
    ManagerListing { manager_listings: vnet as Sym }
    ManagerApplied { manager_applied: vnet as Sym, manager_applied_by_configuration: configuration as Sym }
    AdminConfiguration { admin_configuration: configuration as Sym }
    AdminCollection { admin_collections: configuration as Sym, admin_collections_by_group: group as Sym }
    AdminRule { admin_rules: collection as Sym }
    AdminRuleGroup { admin_rule_groups: rule as Sym }
    Connectivity { connectivity: configuration as Sym }
    ConnectivityHub { connectivity_hubs: configuration as Sym, connectivity_by_hub: vnet as Sym }
    ConnectivityGroup { connectivity_groups: configuration as Sym, connectivity_by_group: group as Sym }
    RoutingCollection { routing_collections_by_group: group as Sym }
    RoutingRule { routing_rules: collection as Sym }
    AzureFirewall { azure_firewall: firewall as Sym, azure_firewalls_by_hub: hub as Sym }
    FirewallHubAddress { firewall_hub_addresses: firewall as Sym, firewalls_by_hub_address: address as IpAddr }
    FirewallPolicy { firewall_policy: policy as Sym }
    FirewallPolicyGroup { firewall_policy_groups: policy as Sym }
    FirewallInspection { firewall_inspections: owner as Sym }
    FirewallPrivateRange { firewall_private_ranges: owner as Sym }
    FirewallLearnsRanges { firewall_learns_ranges: owner as Sym }
    FirewallDnsProxy { firewall_dns_proxy: owner as Sym }
    FirewallDnsServer { firewall_dns_servers: owner as Sym }
    FirewallGroup { firewall_group: group as Sym, firewall_groups: policy as Sym }
    FirewallCollection { firewall_collection: collection as Sym, firewall_collections: owner as Sym }
    FirewallRule { firewall_rule: rule as Sym, firewall_rules: collection as Sym }
    FirewallRuleTraffic { firewall_rule_traffic: rule as Sym }
    FirewallRuleIpGroup { firewall_rule_ip_groups: rule as Sym }
    FirewallRuleName { firewall_rule_names: rule as Sym }
    FirewallTranslation { firewall_translation: rule as Sym }
    IpGroup { ip_group: group as Sym }
    IpGroupPrefix { ip_group_prefixes: group as Sym }
    PrivateEndpoint { private_endpoint: endpoint as Sym, private_endpoints_by_subnet: subnet as Sym }
    PrivateEndpointConnection { private_endpoint_connection: connection as Sym, private_endpoint_connections: endpoint as Sym, private_endpoint_connections_by_target: target as Sym }
    PrivateEndpointNic { private_endpoint_nics: endpoint as Sym, private_endpoints_by_nic: nic as Sym }
    PrivateEndpointAddress { private_endpoint_addresses: endpoint as Sym }
    PrivateEndpointAsg { private_endpoint_asgs: endpoint as Sym, private_endpoints_by_asg: asg as Sym }
    ProviderConnection { provider_connection: connection as Sym, provider_connections_by_target: target as Sym, provider_connections_by_endpoint: endpoint as Sym }
    ProviderConnectionGroup { provider_connection_groups: connection as Sym }
    PrivateDnsZone { private_dns_zone: zone as Sym }
    ZoneSize { zone_size: zone as Sym }
    ZoneLink { zone_links_by_vnet: vnet as Sym, zone_links_by_zone: zone as Sym }
    ZoneRecord { zone_record: record as Sym, zone_records: zone as Sym }
    ZoneGroup { zone_groups: endpoint as Sym, zone_groups_by_zone: zone as Sym }
    DnsResolver { dns_resolver: resolver as Sym }
    DnsInbound { dns_inbound: endpoint as Sym, dns_inbound_by_address: address as IpAddr }
    ForwardingRuleset { forwarding_ruleset: ruleset as Sym }
    ForwardingRule { forwarding_rules: ruleset as Sym }
    ForwardingTarget { forwarding_targets: rule as Sym }
    RulesetLink { ruleset_links: vnet as Sym, ruleset_links_by_ruleset: ruleset as Sym }
    PublicDnsZone { public_dns_zone: zone as Sym, public_dns_zones_by_name: name as Sym }
    ZoneGroupRecord { zone_group_records: zone as Sym }
    ServiceHost { service_hosts: resource as Sym, service_hosts_by_host: host as Sym }
    LocalRecord { local_records: at as Sym }
    EndpointPolicy { endpoint_policy: policy as Sym }
    EndpointPolicyScope { endpoint_policy_scopes: policy as Sym }
    Store { store: store as Sym }
    StorePart { store_parts: store as Sym, store_parts_by_host: host as Sym }
    StoreRegion { store_regions: store as Sym }
    StoreAccess { store_access: store as Sym }
    StoreSwitch { store_switches: store as Sym }
    StoreIpRule { store_ip_rule: rule as Sym, store_ip_rules: store as Sym }
    StoreSubnetRule { store_subnet_rule: rule as Sym, store_subnet_rules: store as Sym, store_subnet_rules_by_subnet: subnet as Sym }
    StoreRuleSet { store_rule_set: rule_set as Sym, store_rule_sets: store as Sym }
    StoreListRule { store_list_rule: rule as Sym, store_list_rules: rule_set as Sym }
    StoreResourceRule { store_resource_rules: store as Sym }
    StoreOutboundRule { store_outbound_rules: store as Sym }
    StoreCopyScope { store_copy_scope: store as Sym }
    StoreCrossTenant { store_cross_tenant: store as Sym }
    ObjectReplication { object_replication: policy as Sym }
    DeclaredCopy { declared_copies: source as Sym }
    StoreExportOff { store_export_off: store as Sym }
    AppRoutesAll { app_routes_all: app as Sym }
    Perimeter { perimeter: perimeter as Sym }
    PerimeterAssociation { perimeter_association: association as Sym, perimeter_associations: resource as Sym }
    PerimeterRule { perimeter_rule: rule as Sym, perimeter_rules: profile as Sym }
    PerimeterLink { perimeter_link: link as Sym }
    PerimeterLinkProfile { perimeter_link_profiles: link as Sym }
    PrivateLinkService { private_link_service: service as Sym, private_link_services_by_alias: alias as Sym }
    PrivateLinkFrontend { private_link_frontends: service as Sym, private_link_services_by_frontend: frontend as Sym }
    PrivateLinkNat { private_link_nat: config as Sym, private_link_nats: service as Sym }
    PrivateLinkVisible { private_link_visible: service as Sym }
    PrivateLinkAutoApproval { private_link_auto_approvals: service as Sym }
    SubnetPrivateLinkOpen { subnet_private_link_open: subnet as Sym }
    BoundaryTenant { boundary_tenant: tenant as Sym }
    BoundarySubscription { boundary_subscription: subscription as Sym }
    Label { labels: label as Sym }
    Site { site: site as Sym }
    SitePrefix { site_prefixes: site as Sym }
    SiteNat { site_nats: site as Sym }
    SiteForwarder { site_forwarders: site as Sym }
    DnsServer { dns_server: address as IpAddr }
    DnsServerRecord { dns_server_records: server as IpAddr }
    Appliance { appliance: nic as Sym }
    ApplianceAllow { appliance_allows: nic as Sym }
    CompleteType { complete_type: kind as Sym }
    HiddenRules { hidden_rules: service as Sym }
    Era { era: era as Sym }
}

impl Index {
    /// Whether the input tells of all resources of the type: it has one, or somebody said that it has all of them (M-03, decision 8).
    pub fn tells_of(&self, kind: Sym) -> bool {
        self.resources_by_kind.has(kind) || self.complete_type.has(kind)
    }

    /// The same of those that are children of `parent`, which may have been listed by themselves.
    pub fn tells_children_of(&self, parent: Sym, kind: Sym) -> bool {
        self.resources_by_kind.has(kind) || self.lists_children(parent, kind)
    }

    /// Whether the input tells what the security group does: it is there, with its list of rules, or rules of others are there as rows of their own (M-03).
    pub fn tells_rules_of(&self, nsg: Sym) -> bool {
        self.nsg.has(nsg) && (!self.unlisted.has(nsg) || !self.nsg_rule.is_empty() || self.complete_type.has(Sym::new(SECURITY_RULES)))
    }

    /// The same of a route table and its routes.
    pub fn tells_routes_of(&self, table: Sym) -> bool {
        self.route_table.has(table) && (!self.unlisted.has(table) || !self.route.is_empty() || self.complete_type.has(Sym::new(ROUTES)))
    }

    /// The same of a network and its peerings.
    pub fn tells_peerings_of(&self, vnet: Sym) -> bool {
        !self.unlisted.has(vnet) || !self.peerings_by_vnet.is_empty() || self.complete_type.has(Sym::new(PEERINGS))
    }

    /// Whether the body of `parent` lists its children of the type, or somebody said that the input has all of the type: rows of others say nothing of it.
    pub fn lists_children(&self, parent: Sym, kind: Sym) -> bool {
        self.complete_type.has(kind) || self.child_type.get(parent).iter().any(|child| child.kind == kind)
    }

    /// DNS zones that records or zone groups name and that have no row of their own; sorted by id.
    pub fn zones_without_row(&self) -> &[Sym] {
        self.zones_without_row.get_or_init(|| {
            let named = self.zone_records.keys().chain(self.zone_groups_by_zone.keys());
            let mut found: Vec<Sym> = named.filter(|zone| !self.private_dns_zone.has(*zone) && !self.public_dns_zone.has(*zone)).collect();
            Sym::sort(&mut found);
            found.dedup();
            found.into()
        })
    }

    /// Zones of which Azure counts more record sets than the input holds. Each has its SOA record, and a public one the NS records of the zone itself.
    pub fn zones_short_of_records(&self) -> &FxHashSet<Sym> {
        self.zones_short_of_records.get_or_init(|| {
            let is_short = |size: &&ZoneSize| {
                let rows = self.zone_records.get(size.zone);
                let sets: FxHashSet<Sym> = rows.iter().map(|row| row.record).collect();
                let lacks = |kind: RecordType| usize::from(!rows.iter().any(|row| row.kind == kind && row.name.as_str() == "@"));
                let servers = if self.public_dns_zone.has(size.zone) { lacks(RecordType::Ns) } else { 0 };
                size.records as usize > sets.len() + lacks(RecordType::Soa) + servers
            };
            self.zone_size.rows().filter(is_short).map(|size| size.zone).collect()
        })
    }

    /// Private zones of which Azure counts more links than the input holds, sorted by id.
    pub fn zones_short_of_links(&self) -> &[Sym] {
        self.zones_short_of_links.get_or_init(|| {
            let is_short = |size: &&ZoneSize| {
                let links: FxHashSet<Sym> = self.zone_links_by_zone.get(size.zone).iter().map(|row| row.link).collect();
                size.links as usize > links.len()
            };
            let mut found: Vec<Sym> = self.zone_size.rows().filter(is_short).map(|size| size.zone).collect();
            Sym::sort(&mut found);
            found.into()
        })
    }

    /// Whether a machine stands behind the interface (ADR-07): its own body says so, or a machine does that lists it.
    pub fn is_attached(&self, nic: Sym) -> bool {
        self.nic.one(nic).is_some_and(|row| match row.role {
            NicRole::Machine => true,
            NicRole::Detached => self.nic_machine.has(nic),
            NicRole::PrivateEndpoint | NicRole::PrivateLinkService | NicRole::Platform => false,
        })
    }
}

impl FromIterator<Fact> for Index {
    fn from_iter<I: IntoIterator<Item = Fact>>(facts: I) -> Index {
        let mut index = Index::default();
        for fact in facts {
            index.insert(fact);
        }
        index
    }
}
