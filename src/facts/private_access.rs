//! Private endpoints, consent, private DNS, service endpoint policies.

use std::net::IpAddr;

use crate::model::{Sym, Tri};

words! {
    /// The state of a private endpoint connection in one view (PE-10, J-02); anything but the four words is `unknown`. `requested` has none yet: what a template
    /// or a plan is going to ask for (PE-12).
    Consent {
        Approved = "approved", Pending = "pending", Rejected = "rejected", Disconnected = "disconnected", Requested = "requested", Unknown = "unknown",
    }
}
words! {
    /// Where the address of a private endpoint was read, best first (PE-06). The interface's own address is in `ip_config_address`.
    AddressSource { CustomDns = "custom-dns", Static = "static" }
}
words! {
    /// The types of DNS records that matter here.
    RecordType { A = "a", Aaaa = "aaaa", Cname = "cname", Soa = "soa", Ns = "ns", Other = "other" }
}

relations! { PRIVATE_ACCESS_RELATIONS:
    /// `private_endpoint(endpoint, subnet, location)`: a private endpoint with its address in `subnet`.
    PrivateEndpoint private_endpoint { endpoint: Sym, subnet: Sym, location: Sym }

    /// `private_endpoint_connection(connection, endpoint, target, group, manual, state, settled)`: the consumer's view of the link to the sub-resource `group`
    /// of `target` (PE-02, PE-11). `target` is an id, or an alias as written. `group` in lower case; empty for a Private Link service, for anything else it says
    /// that this view does not tell it. `settled` is whether `provisioningState` is Succeeded, Ready or absent.
    PrivateEndpointConnection private_endpoint_connection {
        connection: Sym, endpoint: Sym, target: Sym, group: Sym, manual: bool, state: Consent, settled: bool,
    }

    /// `private_endpoint_nic(endpoint, nic)`: the interface that holds its addresses (PE-07).
    PrivateEndpointNic private_endpoint_nic { endpoint: Sym, nic: Sym }

    /// `private_endpoint_address(endpoint, source, group, address, fqdn)`: an address written on the endpoint itself; `group` and `fqdn` empty where the export
    /// does not say.
    PrivateEndpointAddress private_endpoint_address { endpoint: Sym, source: AddressSource, group: Sym, address: IpAddr, fqdn: Sym }

    /// `private_endpoint_asg(endpoint, asg)`: its addresses are members of the application security group (PE-23).
    PrivateEndpointAsg private_endpoint_asg { endpoint: Sym, asg: Sym }

    /// `provider_connection(connection, target, endpoint, state, settled)`: the provider's view of the link (PE-11).
    ProviderConnection provider_connection { connection: Sym, target: Sym, endpoint: Sym, state: Consent, settled: bool }

    /// `provider_connection_group(connection, group)`: the provider's view says that the link is to the sub-resource `group`, in lower case.
    ProviderConnectionGroup provider_connection_group { connection: Sym, group: Sym }

    /// `private_dns_zone(zone, name)`: a private DNS zone; `name` in lower case without a trailing dot.
    PrivateDnsZone private_dns_zone { zone: Sym, name: Sym }

    /// `zone_size(zone, records, links)`: Azure counts so many record sets and links of the zone `zone`, private or public; 0 where the export does not say.
    /// Where the input holds fewer, what the others are is not known (M-03).
    ZoneSize zone_size { zone: Sym, records: u32, links: u32 }

    /// `zone_link(link, zone, vnet, usable, registration, redirect)`: `vnet` resolves through `zone` (DNS-10, DNS-11). `redirect` is `resolutionPolicy` =
    /// `NxDomainRedirect` (DNS-13); of a policy that nobody knows there is a row for each. `vnet` is empty where the link does not say which it is.
    ZoneLink zone_link { link: Sym, zone: Sym, vnet: Sym, usable: bool, registration: bool, redirect: bool }

    /// `zone_record(record, zone, name, kind, value)`: `name` (relative, lower case, `@` for the zone itself) has the value: an address, a name, or in a public
    /// zone the id of the resource it stands for; a type that is not followed has the empty value.
    ZoneRecord zone_record { record: Sym, zone: Sym, name: Sym, kind: RecordType, value: Sym }

    /// `zone_group(group, endpoint, zone)`: the endpoint keeps its records in `zone` (DNS-17).
    ZoneGroup zone_group { group: Sym, endpoint: Sym, zone: Sym }

    /// `endpoint_policy(policy, location)`: a service endpoint policy (SEP-01).
    EndpointPolicy endpoint_policy { policy: Sym, location: Sym }

    /// `endpoint_policy_scope(definition, policy, service, scope)`: a definition of `policy` for `service` (`microsoft.storage` or `global`, lower case) lets
    /// traffic through to `scope`: an account, a resource group, a subscription or an alias; empty for a definition that lists nothing (SEP-11), `unknown` where the
    /// export does not say what it lists.
    EndpointPolicyScope endpoint_policy_scope { definition: Sym, policy: Sym, service: Sym, scope: Sym }

    /// `complete_type(kind)`: the person states that the input holds every child of this type (`[input] complete`, M-03).
    CompleteType complete_type { kind: Sym }

    /// `hidden_rules(service)`: stores of `service` may have rules that no export holds: those inside the databases of a SQL server (SQL-07). Only ever stated
    /// by a person; without a row there are none.
    HiddenRules hidden_rules { service: Sym }

    /// `era(era)`: the profile to reproduce: `2019`; without a row the current platform (M-06).
    Era era { era: Sym }
}

/// `Yes` for a usable value that is present, `Maybe` for one that is not settled.
pub fn settled(settled: bool) -> Tri {
    if settled { Tri::Yes } else { Tri::Maybe }
}
