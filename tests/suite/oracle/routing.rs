//! Routes of network managers (RTE-24). Whether they are deployed stands nowhere, so each collection makes a second world in which it is.

use std::collections::BTreeSet;

use watertight::facts::Fact;
use watertight::facts::manager::{LocalRouting, RoutingCollection, RoutingRule};
use watertight::facts::network::{HopKind, Route, RouteTable, SubnetRouteTable};
use watertight::facts::selector::{Selector, Selectors};
use watertight::model::{Prefix, Sym};

use super::world::World;

impl World<'_> {
    /// Whether something else may route in the network: routes of a manager that are not in the input.
    pub fn is_routed_by_others(&self, vnet: Sym) -> bool {
        let rules = |c: &RoutingCollection| self.routing_rules.iter().any(|rule| rule.collection == c.collection);
        self.routing_collections.iter().any(|c| self.is_meant_for(c, vnet) && !rules(c))
    }

    /// Whether a collection of routes may be for the network or a subnet of it.
    fn is_meant_for(&self, collection: &RoutingCollection, vnet: Sym) -> bool {
        let group = collection.group;
        self.in_group(group, vnet, None).hi() || self.group_members.iter().any(|m| m.group == group && m.vnet == vnet)
    }

    /// The facts as they are where the collection is deployed: each subnet it may be for has a table with its routes besides its own.
    pub fn with_routes_of(&self, facts: &BTreeSet<Fact>, collection: &RoutingCollection) -> BTreeSet<Fact> {
        let mut all = facts.clone();
        for subnet in self.subnets.iter().filter(|subnet| self.is_meant_for(collection, subnet.vnet)) {
            let own = self.subnet_tables.iter().find(|row| row.subnet == subnet.subnet);
            let known = own.and_then(|own| self.tables.iter().find(|table| table.table == own.table));
            if let (Some(own), None) = (own, known) {
                assert!(all.contains(&Fact::SubnetRouteTable(*own)));
                continue; // it may route anywhere in any case
            }
            if let Some(own) = own {
                all.remove(&Fact::SubnetRouteTable(*own));
            }
            let table = Sym::new(&format!("{}#{}", subnet.subnet, collection.collection));
            let gateway_routes = collection.gateway_routes && known.is_none_or(|known| known.gateway_routes);
            all.insert(Fact::RouteTable(RouteTable { table, gateway_routes }));
            all.insert(Fact::SubnetRouteTable(SubnetRouteTable { subnet: subnet.subnet, table }));
            let mut routes: Vec<Route> =
                self.routes.iter().filter(|route| own.is_some_and(|own| own.table == route.table)).copied().collect();
            for rule in self.routing_rules.iter().filter(|rule| rule.collection == collection.collection) {
                let RoutingRule { rule, destination, hop, hop_address, .. } = *rule;
                if !routes.iter().any(|route| route.destination == destination) {
                    routes.push(Route { route: rule, table, destination, hop, hop_address });
                }
            }
            for prefix in self.kept_local(collection, subnet.subnet, subnet.vnet) {
                let destination = Selectors::new([Selector::Prefix(prefix)]);
                routes.push(Route { route: table, table, destination, hop: HopKind::VnetLocal, hop_address: None });
            }
            all.extend(routes.into_iter().map(|route| Fact::Route(Route { table, ..route })));
        }
        all
    }

    /// What a collection routes directly in a subnet.
    fn kept_local(&self, collection: &RoutingCollection, subnet: Sym, vnet: Sym) -> Vec<Prefix> {
        match collection.local {
            LocalRouting::NotSpecified => Vec::new(),
            LocalRouting::Subnet => self.subnet_prefixes.iter().filter(|row| row.subnet == subnet).map(|row| row.prefix).collect(),
            LocalRouting::Network | LocalRouting::Unknown => self.space(vnet),
        }
    }
}
