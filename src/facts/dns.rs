//! Who answers names, and what they hold: resolvers and their rulesets, public zones, firewalls that answer for others, names of services.

use std::net::IpAddr;

use crate::model::{Sym, Tri};

relations! { DNS_RELATIONS:
    /// `dns_resolver(resolver, vnet)`: a private resolver of `vnet` (DNS-20).
    DnsResolver dns_resolver { resolver: Sym, vnet: Sym }

    /// `dns_inbound(endpoint, resolver, subnet, address, settled)`: the resolver answers at `address`, with what its own network sees (DNS-20, DNS-33).
    DnsInbound dns_inbound { endpoint: Sym, resolver: Sym, subnet: Sym, address: IpAddr, settled: bool }

    /// `forwarding_ruleset(ruleset, location)`: rules about which names are asked for elsewhere (DNS-19).
    ForwardingRuleset forwarding_ruleset { ruleset: Sym, location: Sym }

    /// `forwarding_rule(rule, ruleset, domain, enabled)`: names under `domain` (lower case, no trailing dot, empty for all names) are asked for at the rule's
    /// targets (DNS-19).
    ForwardingRule forwarding_rule { rule: Sym, ruleset: Sym, domain: Sym, enabled: Tri }

    /// `forwarding_target(rule, position, server, port)`: the server at `position` (from 0) that the rule sends names to.
    ForwardingTarget forwarding_target { rule: Sym, position: u16, server: IpAddr, port: u16 }

    /// `ruleset_link(link, ruleset, vnet, usable)`: `vnet`, empty where the link does not say, resolves by the rules of `ruleset` (DNS-08, DNS-19).
    RulesetLink ruleset_link { link: Sym, ruleset: Sym, vnet: Sym, usable: bool }

    /// `public_dns_zone(zone, name)`: a zone of the public name system; `name` in lower case without a trailing dot (DNS-34). Its records are `zone_record` rows.
    PublicDnsZone public_dns_zone { zone: Sym, name: Sym }

    /// `zone_group_record(group, zone, name, address)`: what the zone group says it wrote into `zone` for the whole name `name` (DNS-17).
    ZoneGroupRecord zone_group_record { group: Sym, zone: Sym, name: Sym, address: IpAddr }

    /// `service_host(resource, group, host)`: the sub-resource `group` (lower case, empty for any) of the resource answers at the public name `host` as well
    /// (DNS-36, DNS-37).
    ServiceHost service_host { resource: Sym, group: Sym, host: Sym }

    /// `local_record(at, name, address)`: `at`, a machine, an interface, a network or a site, takes `name` for `address` without asking anybody: a hosts file
    /// (DNS-06). Only ever stated by a person.
    LocalRecord local_record { at: Sym, name: Sym, address: IpAddr }
}
