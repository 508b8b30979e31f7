//! What is true of Azure itself, whoever's estate it is: read from the reviewed files under `facts/`.

use crate::model::{Prefix, Sym};

relations! { PLATFORM_RELATIONS:
    /// `service_tag(tag, prefix)`: the tag (lower case) stands for the prefix (NSG-24).
    ServiceTag service_tag { tag: Sym, prefix: Prefix }

    /// `region_pair(region, pair)`: the two regions are paired (SE-15). Both ways round.
    RegionPair region_pair { region: Sym, pair: Sym }

    /// `private_link_zone(kind, group, suffix, zone)`: the sub-resource `group` of resources of type `kind` is named `<name>.<suffix>` in public and has its
    /// private record in `zone` (the table of 40 rows).
    PrivateLinkZone private_link_zone { kind: Sym, group: Sym, suffix: Sym, zone: Sym }

    /// `service_port(group, port)`: the front end of the sub-resource `group` answers at TCP `port` (M-16).
    ServicePort service_port { group: Sym, port: u16 }

    /// `endpoint_service(service, tag)`: what the service endpoint `service` covers is the service tag `tag`; both lower case (SE-03).
    EndpointService endpoint_service { service: Sym, tag: Sym }
}
