//! The checks inside the binary: a file each under `queries/`, and the lints, a file a topic under `queries/lints/`.

/// Path from the repository's root and text of each check, by path. `tests/suite/queries.rs` makes sure that no file of the folder is missing.
pub const CHECKS: &[(&str, &str)] = &[
    ("queries/exfiltration/sensitive_store_leaks.dl", include_str!("../../queries/exfiltration/sensitive_store_leaks.dl")),
    (
        "queries/exfiltration/service_endpoint_reaches_foreign_accounts.dl",
        include_str!("../../queries/exfiltration/service_endpoint_reaches_foreign_accounts.dl"),
    ),
    ("queries/exposure/management_port_open.dl", include_str!("../../queries/exposure/management_port_open.dl")),
    ("queries/exposure/public_endpoint_beside_private.dl", include_str!("../../queries/exposure/public_endpoint_beside_private.dl")),
    ("queries/exposure/sql_admits_all_azure.dl", include_str!("../../queries/exposure/sql_admits_all_azure.dl")),
    ("queries/exposure/store_open_to_internet.dl", include_str!("../../queries/exposure/store_open_to_internet.dl")),
    ("queries/private-link/approved_foreign_connection.dl", include_str!("../../queries/private-link/approved_foreign_connection.dl")),
    ("queries/private-link/connection_refused.dl", include_str!("../../queries/private-link/connection_refused.dl")),
    ("queries/private-link/connection_waits_for_consent.dl", include_str!("../../queries/private-link/connection_waits_for_consent.dl")),
    ("queries/private-link/dangling_private_record.dl", include_str!("../../queries/private-link/dangling_private_record.dl")),
    ("queries/private-link/name_resolves_to_nxdomain.dl", include_str!("../../queries/private-link/name_resolves_to_nxdomain.dl")),
    ("queries/segmentation/nsg_allows_any_inbound.dl", include_str!("../../queries/segmentation/nsg_allows_any_inbound.dl")),
    ("queries/segmentation/peering_half_open.dl", include_str!("../../queries/segmentation/peering_half_open.dl")),
    ("queries/segmentation/route_to_nobody.dl", include_str!("../../queries/segmentation/route_to_nobody.dl")),
    (
        "queries/segmentation/storage_rule_without_service_endpoint.dl",
        include_str!("../../queries/segmentation/storage_rule_without_service_endpoint.dl"),
    ),
    ("queries/segmentation/subnet_without_nsg.dl", include_str!("../../queries/segmentation/subnet_without_nsg.dl")),
];

/// Path from the repository's root and text of each file of lints; together they are one program ([`crate::query::lint`]).
pub const LINTS: &[(&str, &str)] = &[
    ("queries/lints/channels.dl", include_str!("../../queries/lints/channels.dl")),
    ("queries/lints/dns.dl", include_str!("../../queries/lints/dns.dl")),
    ("queries/lints/endpoint_policies.dl", include_str!("../../queries/lints/endpoint_policies.dl")),
    ("queries/lints/firewalls.dl", include_str!("../../queries/lints/firewalls.dl")),
    ("queries/lints/lib.dl", include_str!("../../queries/lints/lib.dl")),
    ("queries/lints/limits.dl", include_str!("../../queries/lints/limits.dl")),
    ("queries/lints/private_endpoints.dl", include_str!("../../queries/lints/private_endpoints.dl")),
    ("queries/lints/private_link_services.dl", include_str!("../../queries/lints/private_link_services.dl")),
    ("queries/lints/service_endpoints.dl", include_str!("../../queries/lints/service_endpoints.dl")),
];
