//! The facts of the dataflow, a stream a relation: whoever reads one relation is not sent the others.

use differential_dataflow::{AsCollection, VecCollection};
use rustc_hash::FxHashMap;
use timely::dataflow::operators::vec::Partition;

use crate::facts::Fact;
use crate::facts::catalog::{Relation, Row};
use crate::facts::config::*;
use crate::facts::gap::*;
use crate::facts::hub::*;
use crate::facts::manager::*;
use crate::facts::network::*;
use crate::facts::private_access::*;
use crate::facts::store_facts::*;
use crate::rules::part::{ByKey, Key, Part, Parts, Time};

macro_rules! used {
    ($($row:ident),+ $(,)?) => {
        /// The relations that rules of the dataflow read.
        pub const USED: &[&Relation] = &[$(<$row as Row>::RELATION),+];
    };
}

used! {
    Vnet, VnetPrefix, Clouded, Subnet, SubnetNsg, SubnetRouteTable, Peering, PeeringPrefix,
    Nic, NicNsg, IpConfig, IpConfigAddress, IpConfigAsg, PrivateEndpoint, PrivateEndpointAsg,
    Nsg, NsgRule, RouteTable, Route,
    Machine, MachineScaleSet, InstanceConfig, NicMachine, NicPrimary, Appliance, IpConfigPublicIp, IpConfigPool, PublicIpAddress,
    PublicIpHolder, DevicePublicIp, NatGatewayPublicIp,
    SubnetNatGateway, SubnetDefaultOutbound, SubnetDelegation, SubnetServiceEndpoint, SubnetEndpointPolicy,
    PrivateEndpointConnection, PrivateEndpointNic, PrivateEndpointAddress, IpConfigLink, ProviderConnection,
    ProviderConnectionGroup,
    Store, StorePart, StoreAccess, StoreSwitch, StoreIpRule, StoreSubnetRule, StoreResourceRule,
    Resource, ChildType, Unlisted, UnreadRule, BoundaryTenant, BoundarySubscription, CompleteType,
    PeeringOnlyV6, RouteBgpOverride, RouteServer, GroupMember, ManagerApplied, ConnectivityHub, VirtualHub, HubConnection, GroupPolicy,
    ConnectivityGroup, AdminCollection, AdminRuleGroup, RoutingCollection,
    Device,
    Gateway, GatewaySubnet, GatewayClientPool, GatewayDefaultSite, Connection, LocalGateway, LocalGatewayPrefix, LocalGatewayPeer,
    LearnedRoutes, LearnedRoute,
}

/// A column of a relation: which relation, and the key that a row of it has there.
#[derive(Clone, Copy)]
pub struct Column {
    /// The relation's name.
    pub relation: &'static str,
    /// The key.
    pub key: fn(&Fact) -> Option<Key>,
}

/// A column of a relation, as `column!(Subnet.vnet)`.
macro_rules! column {
    ($row:ident . $column:ident) => {
        $crate::rules::input::Column {
            relation: <$row as $crate::facts::catalog::Row>::RELATION.name,
            key: |fact: &$crate::facts::Fact| match fact {
                $crate::facts::Fact::$row(row) => Some($crate::rules::part::key(row.$column)),
                _ => None,
            },
        }
    };
}
pub(crate) use column;

/// The facts, by relation.
pub struct Facts<'s, T: Time> {
    relations: FxHashMap<&'static str, VecCollection<'s, T, Fact>>,
}

impl<'s, T: Time> Facts<'s, T> {
    /// Splits the stream of all facts.
    pub fn split(facts: VecCollection<'s, T, Fact>) -> Facts<'s, T> {
        let places: FxHashMap<&'static str, u64> = USED.iter().zip(0..).map(|(relation, n)| (relation.name, n)).collect();
        let rest = places.len() as u64;
        let streams = facts
            .inner
            .partition(rest + 1, move |(fact, time, diff)| (places.get(fact.relation().name).copied().unwrap_or(rest), (fact, time, diff)));
        let relations = USED.iter().map(|relation| relation.name).zip(streams.into_iter().map(AsCollection::as_collection));
        Facts { relations: relations.collect() }
    }

    /// The rows of a relation, as parts under the key in one of its columns.
    pub fn keyed(&self, column: Column) -> Parts<'s, T> {
        let rows = self.relations.get(column.relation).expect("the relation is in the list of those that are used").clone();
        rows.flat_map(move |fact| (column.key)(&fact).map(|key| (key, Part::Fact(fact))))
    }

    /// The same, arranged.
    pub fn by(&self, name: &str, column: Column) -> ByKey<'s, T> {
        self.keyed(column).arrange_by_key_named(name)
    }
}
