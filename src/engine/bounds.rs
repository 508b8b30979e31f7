//! What the dataflow settles of exfiltration, as bounds for the search over points.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::engine::live::Session;
use crate::facts::platform::Platform;
use crate::facts::service::Service;
use crate::facts::{Fact, Index};
use crate::model::Sym;
use crate::rules::input::USED;
use crate::rules::leak::{Leak, Node, Sink};

/// By node: how near each kind of sink is at the least and, where that is proven, at the most.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    pub(super) leaks: FxHashMap<Node, Vec<Leak>>,
    /// Facts of relations that no rule of the dataflow knows: then the rows prove nothing.
    pub(super) strange: usize,
}

impl Bounds {
    /// The bounds of a set of facts, settled by so many workers; `None` where a relation among them is in no rule of the dataflow.
    ///
    /// # Errors
    /// Those of [`Session::load`].
    pub fn of(facts: Vec<Fact>, platform: &Arc<Platform>, workers: usize) -> Result<Option<Bounds>, String> {
        if !are_followed(&facts) {
            return Ok(None);
        }
        Session::load(facts, platform, workers).map(|session| Some(session.into_bounds()))
    }

    /// The bounds of both sides of a change, one session kept up to date from the one to the other.
    ///
    /// # Errors
    /// Those of [`Session::load`] and [`Session::edit`].
    pub fn of_both(
        old: Vec<Fact>,
        new: Vec<Fact>,
        (added, removed): (&[Fact], &[Fact]),
        platform: &Arc<Platform>,
        workers: usize,
    ) -> Result<[Option<Bounds>; 2], String> {
        if !are_followed(&old) || !are_followed(&new) {
            return Ok([Bounds::of(old, platform, workers)?, Bounds::of(new, platform, workers)?]);
        }
        drop(new);
        let mut session = Session::load(old, platform, workers)?;
        let before = session.bounds().clone();
        session.edit(added.iter().copied(), removed.iter().copied())?;
        Ok([Some(before), Some(session.into_bounds())])
    }

    /// A bound from below of the hops that data at `node` needs to a sink of the kind, where it may leave at all: `None` proves that it cannot.
    /// `index` holds the facts that the bounds are of.
    pub fn may_leak(&self, index: &Index, node: Node, sink: Sink) -> Option<u32> {
        let found = self.leaks.get(&node).into_iter().flatten().filter(|leak| leak.sink == sink && !leak.sure).map(|leak| leak.distance);
        let known = found.min();
        if self.strange > 0 || !tells_apart(index) {
            return Some(1);
        }
        let perhaps = match sink {
            // Which site reaches whom is not in the rows, nor whether a foreign resource calls a store in its own name.
            Sink::Site if has_sites(index) => Some(1),
            Sink::Foreign if foreign(index) => Some(if index.store.has(node.0) { 1 } else { 2 }),
            _ => None,
        };
        known.into_iter().chain(perhaps).min()
    }

    /// A bound from above of the hops that data at `node` surely needs to a sink of the kind; `None` where no way is proven.
    pub fn surely_leaks(&self, node: Node, sink: Sink) -> Option<u32> {
        if self.strange > 0 {
            return None;
        }
        self.leaks.get(&node)?.iter().filter(|leak| leak.sink == sink && leak.sure).map(|leak| leak.distance).min()
    }
}

/// Whether the rows of a session prove anything of these facts.
fn are_followed(facts: &[Fact]) -> bool {
    let stated = |wanted: fn(&Fact) -> bool| facts.iter().any(wanted);
    let by_tenant = stated(|fact| matches!(fact, Fact::BoundaryTenant(_))) && !stated(|fact| matches!(fact, Fact::BoundarySubscription(_)));
    !by_tenant && !facts.iter().any(is_strange) && !names_group_of_elsewhere(facts)
}

/// Whether the rows know who is outside: of a resource whose tenant nothing tells they do not, where tenants alone say it.
fn tells_apart(index: &Index) -> bool {
    index.boundary_tenant.is_empty() || !index.boundary_subscription.is_empty()
}

/// Whether there may be any site on premises.
fn has_sites(index: &Index) -> bool {
    !index.site.is_empty() || !index.local_gateway.is_empty() || !index.connection.is_empty() || !index.gateway_client_pools.is_empty()
}

/// Whether a private endpoint leads to something that is no store of the input.
fn foreign(index: &Index) -> bool {
    index.private_endpoint_connections.rows().any(|row| !index.store.has(row.target))
}

/// Whether a fact is of a relation that may change what passes and that no rule of the dataflow knows: then the rows prove nothing.
pub(super) fn is_strange(fact: &Fact) -> bool {
    let followed = match fact {
        // The firewalls of other services let in by rules of their own kinds.
        Fact::Store(row) => matches!(row.service, Service::Storage | Service::KeyVault | Service::Sql),
        _ => true,
    };
    !followed || !USED.iter().any(|relation| relation.name == fact.relation().name) && !INERT.contains(&fact.relation().name)
}

/// Whether a security group is to filter that is of another region (NSG-15): the rows take its rules for the ones that filter.
fn names_group_of_elsewhere(facts: &[Fact]) -> bool {
    let (mut regions, mut networks, mut homes) = (FxHashMap::default(), FxHashMap::default(), FxHashMap::default());
    for fact in facts {
        match fact {
            Fact::Resource(row) if !row.location.is_empty() => _ = regions.insert(row.id, row.location),
            Fact::Vnet(row) if !row.location.is_empty() => _ = regions.insert(row.vnet, row.location),
            Fact::Subnet(row) => _ = networks.insert(row.subnet, row.vnet),
            Fact::IpConfig(row) => homes.entry(row.nic).or_insert_with(Vec::new).push(row.subnet),
            _ => {}
        }
    }
    let elsewhere = |nsg: Sym, subnet: Sym| {
        let own = networks.get(&subnet).and_then(|vnet| regions.get(vnet));
        own.zip(regions.get(&nsg)).is_some_and(|(own, theirs)| own != theirs)
    };
    facts.iter().any(|fact| match fact {
        Fact::SubnetNsg(row) => elsewhere(row.nsg, row.subnet),
        Fact::NicNsg(row) => homes.get(&row.nic).into_iter().flatten().any(|subnet| elsewhere(row.nsg, *subnet)),
        _ => false,
    })
}

/// Relations that the rows of a session do not read and need not: names, labels, what only narrows a way that the rows take for open. Not among
/// them: `load_balancer_address` and `firewall_translation`, by which something brings a machine what was sent to another address.
const INERT: &[&str] = &[
    "tag",
    "gap",
    "vnet_dns",
    "nic_dns",
    "subnet_prefix",
    "subnet_private_endpoint_policy",
    "subnet_ip_config",
    "public_ip",
    "public_ip_untold",
    "public_ip_range",
    "asg",
    "nat_gateway",
    "nat_gateway_range",
    "device_address",
    "private_dns_zone",
    "zone_size",
    "zone_link",
    "zone_record",
    "zone_group",
    "endpoint_policy",
    "endpoint_policy_scope",
    "store_outbound_rule",
    "app_routes_all",
    "store_region",
    "label",
    "site",
    "site_prefix",
    "site_nat",
    "site_forwarder",
    "dns_server",
    "dns_server_record",
    "appliance_allow",
    "era",
    "property",
    // what load balancers and gateways in front of machines do: next hops lead anywhere, and members of pools take from anybody
    "load_balancer",
    "load_balancer_frontend",
    "load_balancer_frontend_range",
    "gateway_chain",
    "load_balancer_pool",
    "load_balancer_region",
    "load_balancer_member_down",
    "load_balancing_rule",
    "load_balancing_rule_pool",
    "load_balancer_probe",
    "inbound_nat_rule",
    "inbound_nat_rule_pool",
    "outbound_rule",
    "outbound_rule_frontend",
    "listener",
    "proxy_rule",
    "proxy_member",
    "proxy_pass",
    "ip_config_proxy_pool",
    "azure_firewall",
    "firewall_hub_address",
    "firewall_policy",
    "firewall_policy_group",
    "firewall_inspection",
    "firewall_private_range",
    "firewall_learns_ranges",
    "firewall_dns_proxy",
    "firewall_dns_server",
    "firewall_group",
    "firewall_collection",
    "firewall_rule",
    "firewall_rule_traffic",
    "firewall_rule_ip_group",
    "firewall_rule_name",
    "ip_group",
    "ip_group_prefix",
    // stores whose firewalls are not followed let anybody in
    "store_rule_set",
    "store_list_rule",
    // subnets that take part in a peering are not told apart, gateways lead anywhere
    "peering_subnet",
    "vnet_basic_endpoint_policies",
    "gateway_remote_networks",
    "circuit_public_prefix",
    // networks that hubs and managers touch have unknown routes and filters
    "virtual_wan",
    "hub_propagation",
    "hub_label",
    "hub_connection_route",
    "hub_table",
    "hub_table_label",
    "hub_route",
    "hub_policy",
    "hub_guard",
    "hub_branch",
    "hub_doubt",
    "network_manager",
    "memberships_listed",
    "manager_listing",
    "admin_configuration",
    "admin_rule",
    "connectivity",
    "routing_rule",
];
