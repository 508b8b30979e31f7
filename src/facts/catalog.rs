//! The one list of relations: name, columns, sentence; and the enum that holds a fact of any of them.

use std::fmt;
use std::net::IpAddr;

use crate::facts::azure_firewall::*;
use crate::facts::channels::*;
use crate::facts::config::*;
use crate::facts::dns::*;
use crate::facts::gap::*;
use crate::facts::hub::*;
use crate::facts::load_balancing::*;
use crate::facts::manager::*;
use crate::facts::network::*;
use crate::facts::perimeter::*;
use crate::facts::platform::*;
use crate::facts::private_access::*;
use crate::facts::private_link::*;
use crate::facts::store_facts::*;
use crate::model::{Prefix, Sym, Tri, net};

/// What a relation is called, its columns and what a row says.
#[derive(Debug)]
pub struct Relation {
    /// The name: file, query language, documentation.
    pub name: &'static str,
    /// Column names and their types: `symbol`, `number`, `bool`, `address`, `prefix`.
    pub columns: &'static [(&'static str, &'static str)],
    /// The documentation of the row type, Markdown.
    pub doc: &'static str,
}

/// A row of one relation.
pub trait Row: Sized {
    /// Its catalog entry.
    const RELATION: &'static Relation;
    /// Appends one text per column.
    fn write(&self, cells: &mut Vec<String>);
    /// Reads the cells of one line, in column order.
    fn read(cells: &[&str]) -> Result<Self, CellError>;
}

/// A value of one column.
pub trait Column: Sized {
    /// The type's name in declarations.
    const TYPE: &'static str;
    /// The cell's text, not escaped.
    fn write(&self) -> String;
    /// Reads a cell, `None` where the text is no such value.
    fn read(cell: &str) -> Option<Self>;
}

/// A line of a facts file that is no row of its relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellError {
    /// Which cell, from 0.
    pub at: Option<usize>,
    /// What is wrong with it and what was expected.
    pub message: String,
}

impl CellError {
    /// The line ends before `column`.
    pub fn missing(column: &str) -> CellError {
        CellError { at: None, message: format!("the line ends before column `{column}`") }
    }
    /// The cell is not of the column's type.
    pub fn wrong<C: Column>(at: usize, column: &str, cell: &str) -> CellError {
        CellError { at: Some(at), message: format!("column `{column}` is a {}, found `{cell}`", C::TYPE) }
    }
}

impl fmt::Display for CellError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Column for Sym {
    const TYPE: &'static str = "symbol";
    fn write(&self) -> String {
        self.as_str().to_owned()
    }
    fn read(cell: &str) -> Option<Sym> {
        Some(Sym::new(cell))
    }
}

impl Column for bool {
    const TYPE: &'static str = "bool";
    fn write(&self) -> String {
        self.to_string()
    }
    fn read(cell: &str) -> Option<bool> {
        cell.parse().ok()
    }
}

impl Column for u16 {
    const TYPE: &'static str = "number";
    fn write(&self) -> String {
        self.to_string()
    }
    fn read(cell: &str) -> Option<u16> {
        cell.parse().ok()
    }
}

impl Column for u32 {
    const TYPE: &'static str = "number";
    fn write(&self) -> String {
        self.to_string()
    }
    fn read(cell: &str) -> Option<u32> {
        cell.parse().ok()
    }
}

impl Column for IpAddr {
    const TYPE: &'static str = "address";
    fn write(&self) -> String {
        self.to_string()
    }
    fn read(cell: &str) -> Option<IpAddr> {
        cell.parse().ok()
    }
}

impl Column for Prefix {
    const TYPE: &'static str = "prefix";
    fn write(&self) -> String {
        self.to_string()
    }
    fn read(cell: &str) -> Option<Prefix> {
        net::parse_prefix(cell)
    }
}

impl Column for Tri {
    const TYPE: &'static str = "symbol";
    fn write(&self) -> String {
        match self {
            Tri::No => "no",
            Tri::Maybe => "maybe",
            Tri::Yes => "yes",
        }
        .to_owned()
    }
    fn read(cell: &str) -> Option<Tri> {
        match cell {
            "no" => Some(Tri::No),
            "maybe" => Some(Tri::Maybe),
            "yes" => Some(Tri::Yes),
            _ => None,
        }
    }
}

/// An absent value is the empty cell.
impl<C: Column> Column for Option<C> {
    const TYPE: &'static str = C::TYPE;
    fn write(&self) -> String {
        self.as_ref().map_or(String::new(), Column::write)
    }
    fn read(cell: &str) -> Option<Option<C>> {
        if cell.is_empty() { Some(None) } else { C::read(cell).map(Some) }
    }
}

macro_rules! facts {
    ($($row:ident),+ $(,)?) => {
        /// A fact of any relation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[expect(missing_docs, reason = "a variant holds a row of the relation of its name")]
        #[expect(clippy::derive_ord_xor_partial_ord, reason = "one comparison of two hundred variants is enough to compile")]
        pub enum Fact { $($row($row)),+ }

        impl PartialOrd for Fact {
            fn partial_cmp(&self, other: &Fact) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        $(impl From<$row> for Fact {
            fn from(row: $row) -> Fact { Fact::$row(row) }
        })+

        impl Fact {
            /// The relation it belongs to.
            pub fn relation(&self) -> &'static Relation {
                match self { $(Fact::$row(_) => <$row as Row>::RELATION),+ }
            }

            /// Its cells, in column order, not escaped.
            pub fn cells(&self) -> Vec<String> {
                let mut cells = Vec::new();
                match self { $(Fact::$row(row) => row.write(&mut cells)),+ }
                cells
            }

            /// Reads one line of the relation called `relation`; `None` where there is no such relation.
            pub fn read(relation: &str, cells: &[&str]) -> Option<Result<Fact, CellError>> {
                $(if relation == <$row as Row>::RELATION.name {
                    if cells.len() > <$row as Row>::RELATION.columns.len() {
                        return Some(Err(CellError {
                            at: Some(<$row as Row>::RELATION.columns.len()),
                            message: format!("{} cells, `{relation}` has {} columns", cells.len(), <$row as Row>::RELATION.columns.len()),
                        }));
                    }
                    return Some(<$row as Row>::read(cells).map(Fact::$row));
                })+
                None
            }
        }

        /// Every relation that an estate's facts can belong to, in the order of the documentation.
        pub const RELATIONS: &[&Relation] = &[$(<$row as Row>::RELATION),+];
    };
}

facts! {
    // the estate as a whole
    Resource, Tag, Gap, Unread, UnreadRule, Property, ChildType, Unlisted,
    // networks
    Vnet, VnetPrefix, VnetDns, Clouded,
    Subnet, SubnetPrefix, SubnetNsg, SubnetRouteTable, SubnetNatGateway, SubnetDelegation,
    SubnetServiceEndpoint, SubnetNetworkIdentifier, SubnetEndpointPolicy, SubnetPrivateEndpointPolicy, SubnetDefaultOutbound,
    Peering, PeeringPrefix,
    // machines
    Machine, MachineScaleSet, InstanceConfig, Nic, NicPrimary, NicNsg, NicMachine, NicDns, IpConfig, IpConfigAddress, IpConfigPublicIp, IpConfigAsg, IpConfigPool,
    IpConfigLink,
    PublicIp, PublicIpAddress, PublicIpUntold, PublicIpFamily, PublicIpHolder, PublicIpRange,
    // filters and routes
    Nsg, NsgRule, Asg, RouteTable, Route, NatGateway, NatGatewayPublicIp, NatGatewayRange,
    // gateways and other devices
    SubnetIpConfig, Gateway, GatewaySubnet, GatewayClientPool, GatewayDefaultSite, Connection, ConnectionLimit, LocalGateway, LocalGatewayPrefix,
    Device, DeviceAddress, DevicePublicIp,
    // load balancers
    LoadBalancer, LoadBalancerFrontend, LoadBalancerFrontendRange, GatewayChain, LoadBalancerPool, LoadBalancerAddress, LoadBalancerRegion,
    LoadBalancerMemberDown, LoadBalancingRule, LoadBalancingRulePool, LoadBalancerProbe, InboundNatRule, InboundNatRulePool, OutboundRule,
    OutboundRuleFrontend,
    // Azure Firewall
    AzureFirewall, FirewallHubAddress, FirewallPolicy, FirewallPolicyGroup, FirewallInspection, FirewallPrivateRange, FirewallLearnsRanges,
    FirewallDnsProxy, FirewallDnsServer, FirewallGroup, FirewallCollection, FirewallRule, FirewallRuleTraffic, FirewallRuleIpGroup,
    FirewallRuleName, FirewallTranslation, IpGroup, IpGroupPrefix,
    // private endpoints and their names
    PrivateEndpoint, PrivateEndpointConnection, PrivateEndpointNic, PrivateEndpointAddress, PrivateEndpointAsg, ProviderConnection,
    ProviderConnectionGroup,
    PrivateDnsZone, ZoneSize, ZoneLink, ZoneRecord, ZoneGroup,
    // who answers names
    DnsResolver, DnsInbound, ForwardingRuleset, ForwardingRule, ForwardingTarget, RulesetLink, PublicDnsZone,
    ZoneGroupRecord, ServiceHost, LocalRecord,
    // service endpoint policies
    EndpointPolicy, EndpointPolicyScope,
    // stores
    Store, StorePart, StoreAccess, StoreSwitch, StoreRuleSet, StoreIpRule, StoreSubnetRule, StoreListRule, StoreResourceRule, StoreOutboundRule,
    // what stores move by themselves
    StoreRegion, StoreCopyScope, StoreCrossTenant, ObjectReplication, DeclaredCopy, StoreExportOff, AppRoutesAll,
    // network security perimeters
    Perimeter, PerimeterAssociation, PerimeterRule, PerimeterLink, PerimeterLinkProfile,
    // Private Link services
    PrivateLinkService, PrivateLinkFrontend, PrivateLinkNat, PrivateLinkVisible, PrivateLinkAutoApproval, SubnetPrivateLinkOpen,
    // what a person stated
    BoundaryTenant, BoundarySubscription, Label, Site, SitePrefix, SiteNat, SiteForwarder, DnsServer, DnsServerRecord, Appliance,
    ApplianceAllow, CompleteType, HiddenRules, Era,
    // more of peerings, routes, gateways and devices
    PeeringOnlyV6, PeeringSubnet, RouteBgpOverride, ObservedRoutes, ObservedRoute, ObservedDoubt, LearnedRoutes, LearnedRoute, LocalGatewayPeer,
    VnetBasicEndpointPolicies, GatewaySummary, GatewayRemoteNetworks, CircuitPublicPrefix, Listener, ProxyRule,
    ProxyMember, ProxyPass, IpConfigProxyPool,
    // virtual WAN
    VirtualWan, VirtualHub, RouteServer, HubConnection, HubPropagation, HubLabel, HubConnectionRoute, HubTable, HubTableLabel, HubRoute,
    HubPolicy, HubGuard, HubBranch, HubDoubt,
    // network managers
    NetworkManager, GroupMember, MembershipsListed, GroupPolicy, ManagerListing, ManagerApplied, AdminConfiguration, AdminCollection,
    AdminRule, AdminRuleGroup, Connectivity, ConnectivityHub, ConnectivityGroup, RoutingCollection, RoutingRule,
}

/// Platform truth: not part of an estate, but declared like the rest.
pub const PLATFORM: &[&Relation] = PLATFORM_RELATIONS;
