//! The firewall of a logical SQL server, and of the database services that follow its pattern (GEN-03).

use crate::facts::store_facts::Service;
use crate::model::Tri;
use crate::rules::paas_firewall::{Decision, Firewall, Item, NO_MATCH, Source, by_rules, settle};

/// The switch, then rules for subnets to what a service endpoint marks and rules for addresses to everything else; nobody passes without a rule
/// (SQL-01 … SQL-09).
///
/// Servers of PostgreSQL, MySQL and MariaDB, Synapse workspaces and Data Lake stores of the first generation follow the same order (GEN-03, SE-18); of them only
/// the last can be open by default. A subnet must be of the server's tenant (SE-20) and never meets a rule for addresses (SQL-04). The rule 0.0.0.0 admits whatever comes from Azure, of any
/// tenant (SQL-03, FW-09). Rules that a database keeps inside itself are not exported and taken for none, unless a person says that there may be some; a
/// service endpoint never meets one (SQL-07). A list that is not in the input may hold anything (M-03).
///
/// ```datalog
/// admits_azure(S) :- store(S, "sql", _, _), store_ip_rule(_, S, 0.0.0.0, 0.0.0.0), !closed(S).                   // sql.1
/// ```
pub fn admit(firewall: &Firewall<'_>, source: &Source) -> Decision {
    let Some(access) = firewall.access else { return Decision { admitted: Tri::Maybe, item: Item::Unknown } };
    let matched = by_rules(firewall, source);
    let (complete, list) = match source {
        Source::ServiceEndpoint { .. } => (firewall.subnet_complete, firewall.lists.subnet),
        _ => (firewall.ip_complete, firewall.lists.ip),
    };
    let matched =
        if matched.admitted == Tri::No && !complete { Decision { admitted: Tri::Maybe, item: Item::Missing { list } } } else { matched };
    let hidden = firewall.hidden && matched.admitted == Tri::No && !matches!(source, Source::ServiceEndpoint { .. });
    let matched = if hidden { Decision { admitted: Tri::Maybe, item: Item::Hidden } } else { matched };
    // A server has no default action (SQL-02); a Data Lake store may have its firewall off.
    let default = if firewall.store.service == Service::DataLake { access.default_allow } else { Tri::No };
    settle(NO_MATCH, access.public, default, matched)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::fixture::*;
    use super::super::{Decision, Item, Origin, Source, admit};
    use crate::facts::store_facts::{PublicAccess, Service};
    use crate::model::Tri;

    fn everybody(origin: Origin) -> Source {
        Source::AnyPublic { except: Arc::default(), origin }
    }

    // covers: SQL-02, SQL-03, SQL-04, SQL-06, FW-09, FW-10
    #[test]
    fn all_of_azure_is_neither_the_internet_nor_a_service_endpoint() {
        let mut server = store(Service::Sql);
        assert_eq!(admit(&server, &internet("198.51.100.7")).admitted, Tri::No, "no rule, no entry");
        server.ip_rules = ips(&[("0.0.0.0", "0.0.0.0")]);
        assert_eq!(admit(&server, &azure("20.9.9.9")).admitted, Tri::Yes);
        assert_eq!(admit(&server, &everybody(Origin::Azure)).admitted, Tri::Yes);
        assert_eq!(admit(&server, &everybody(Origin::Internet)).admitted, Tri::No);
        assert_eq!(admit(&server, &endpoint("a", "t1")).admitted, Tri::No);
        server.ip_rules = ips(&[("0.0.0.0", "255.255.255.255")]);
        assert_eq!(admit(&server, &everybody(Origin::Internet)).admitted, Tri::Yes);
        assert_eq!(admit(&server, &Source::Public { addresses: vec![], certain: false, origin: Origin::OnPrem }).admitted, Tri::Yes);
        assert_eq!(admit(&server, &endpoint("a", "t1")).admitted, Tri::No);
        let off = with(&server, |a| a.public = PublicAccess::Disabled);
        assert_eq!(admit(&off, &azure("20.9.9.9")).item, Item::PublicAccess(PublicAccess::Disabled));
    }

    // covers: SQL-05, SE-20
    #[test]
    fn a_subnet_of_another_tenant_is_not_admitted() {
        let mut server = store(Service::Sql);
        let subnet = "/subscriptions/s1/resourcegroups/r/providers/microsoft.network/virtualnetworks/v/subnets/a";
        server.subnet_rules = subnets(&[(subnet, Tri::Yes)]);
        assert_eq!(admit(&server, &endpoint(subnet, "t1")).admitted, Tri::Yes);
        assert_eq!(admit(&server, &endpoint(subnet, "tx")).admitted, Tri::No);
        assert_eq!(admit(&server, &endpoint(subnet, "")).admitted, Tri::Yes, "the same subscription has one tenant");
        server.subnet_rules = subnets(&[("/subscriptions/s9/b", Tri::Yes)]);
        assert_eq!(admit(&server, &endpoint("/subscriptions/s9/b", "")).admitted, Tri::Maybe);
    }

    // covers: SQL-07
    #[test]
    fn rules_inside_a_database_count_for_addresses_alone_and_where_they_are_said_to_be_possible() {
        let mut server = store(Service::Sql);
        assert_eq!(admit(&server, &internet("198.51.100.7")).admitted, Tri::No);
        server.hidden = true;
        assert_eq!(admit(&server, &internet("198.51.100.7")), Decision { admitted: Tri::Maybe, item: Item::Hidden });
        assert_eq!(admit(&server, &endpoint("a", "t1")).admitted, Tri::No);
        let off = with(&server, |a| a.public = PublicAccess::Disabled);
        assert_eq!(admit(&off, &internet("198.51.100.7")).admitted, Tri::No);
        server.ip_rules = ips(&[("198.51.100.7", "198.51.100.7")]);
        assert_eq!(admit(&server, &internet("198.51.100.7")).admitted, Tri::Yes);
    }

    // covers: M-03, SQL-02
    #[test]
    fn rules_that_nobody_exported_may_admit_anybody() {
        let mut server = store(Service::Sql);
        server.ip_complete = false;
        assert_eq!(admit(&server, &internet("198.51.100.7")).admitted, Tri::Maybe);
        assert_eq!(admit(&server, &endpoint("a", "t1")).admitted, Tri::No, "the other list is complete");
        server.subnet_complete = false;
        assert_eq!(admit(&server, &endpoint("a", "t1")).admitted, Tri::Maybe);
        let off = with(&server, |a| a.public = PublicAccess::Disabled);
        assert_eq!(admit(&off, &endpoint("a", "t1")).admitted, Tri::No);
    }
}
