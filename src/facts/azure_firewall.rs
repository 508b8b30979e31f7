//! Azure Firewalls, their policies and rules, and IP groups.

use std::net::IpAddr;

use crate::facts::network::{Access, Protocol};
use crate::facts::selector::{PortList, Selectors};
use crate::model::{Prefix, Sym};

words! {
    /// In which of its three passes a firewall looks at a rule (AFW-02).
    FirewallPass { Nat = "nat", Network = "network", Application = "application" }
}
words! {
    /// A side of a rule.
    FirewallSide { Source = "source", Destination = "destination" }
}
words! {
    /// What a name in a rule is: a host, or something whose hosts the input does not tell.
    FirewallNameKind { Fqdn = "fqdn", FqdnTag = "fqdn-tag", WebCategory = "web-category", Url = "url" }
}
words! {
    /// What recognises traffic by its content or its reputation.
    FirewallInspector { ThreatIntelligence = "threat-intelligence", IntrusionDetection = "intrusion-detection" }
}

relations! { AZURE_FIREWALL_RELATIONS:
    /// `azure_firewall(firewall, hub, policy, forced)`: an Azure Firewall (AFW-01). It stands in the virtual hub `hub` or, where that is empty, in a subnet
    /// ([`device_address`]). `policy` is empty where it has classic rule collections of its own. `forced` is whether it has a management address, so that
    /// its subnet may have a default route on premises (AFW-11).
    ///
    /// [`device_address`]: crate::facts::network::DeviceAddress
    AzureFirewall azure_firewall { firewall: Sym, hub: Sym, policy: Sym, forced: bool }

    /// `firewall_hub_address(firewall, address)`: the firewall of a virtual hub has the public address. From `hubIPAddresses.publicIPs.addresses[]`.
    FirewallHubAddress firewall_hub_address { firewall: Sym, address: IpAddr }

    /// `firewall_policy(policy, base, listed)`: a firewall policy, below the policy `base` where that is not empty. `listed` is whether its body lists its
    /// rule collection groups.
    FirewallPolicy firewall_policy { policy: Sym, base: Sym, listed: bool }

    /// `firewall_policy_group(policy, group)`: the body of `policy` lists the rule collection group.
    FirewallPolicyGroup firewall_policy_group { policy: Sym, group: Sym }

    /// `firewall_inspection(owner, what)`: the policy, or the firewall without one, drops what `what` recognises (AFW-09).
    FirewallInspection firewall_inspection { owner: Sym, what: FirewallInspector }

    /// `firewall_private_range(owner, prefix)`: what goes to `prefix` by a network rule keeps its source (AFW-08). Without a row for the policy or the
    /// firewall: the private ranges of RFC 1918 and RFC 6598.
    FirewallPrivateRange firewall_private_range { owner: Sym, prefix: Prefix }

    /// `firewall_learns_ranges(owner)`: more such ranges are learned, and are not in the input.
    FirewallLearnsRanges firewall_learns_ranges { owner: Sym }

    /// `firewall_dns_proxy(owner)`: the firewall answers DNS questions at its private address (DNS-20).
    FirewallDnsProxy firewall_dns_proxy { owner: Sym }

    /// `firewall_dns_server(owner, position, server)`: the firewall asks `server` (at `position`, from 0) instead of Azure's resolver.
    FirewallDnsServer firewall_dns_server { owner: Sym, position: u16, server: IpAddr }

    /// `firewall_group(group, policy, priority)`: a rule collection group; the lowest number comes first (AFW-03).
    FirewallGroup firewall_group { group: Sym, policy: Sym, priority: u32 }

    /// `firewall_collection(collection, owner, priority, action)`: a rule collection of a group, or of a firewall with classic rules. NAT collections `allow`.
    FirewallCollection firewall_collection { collection: Sym, owner: Sym, priority: u32, action: Access }

    /// `firewall_rule(rule, collection, pass, position, sources, destinations)`: a rule, at `position` (from 0) of its collection. Address cells are
    /// lists of prefixes and tags, without the IP groups and the names that stand in relations of their own.
    FirewallRule firewall_rule { rule: Sym, collection: Sym, pass: FirewallPass, position: u32, sources: Selectors, destinations: Selectors }

    /// `firewall_rule_traffic(rule, protocol, ports)`: the rule names the protocol at these destination ports.
    FirewallRuleTraffic firewall_rule_traffic { rule: Sym, protocol: Protocol, ports: PortList }

    /// `firewall_rule_ip_group(rule, side, group)`: the rule names the addresses of an IP group.
    FirewallRuleIpGroup firewall_rule_ip_group { rule: Sym, side: FirewallSide, group: Sym }

    /// `firewall_rule_name(rule, what, name)`: the rule names destinations by `name`, in lower case.
    FirewallRuleName firewall_rule_name { rule: Sym, what: FirewallNameKind, name: Sym }

    /// `firewall_translation(rule, address, fqdn, port)`: the NAT rule sends what it matches to `address`, else to what `fqdn` resolves to; without `port` to
    /// the same port (AFW-06).
    FirewallTranslation firewall_translation { rule: Sym, address: Option<IpAddr>, fqdn: Sym, port: Option<u16> }

    /// `ip_group(group)`: an IP group.
    IpGroup ip_group { group: Sym }

    /// `ip_group_prefix(group, prefix)`: addresses of an IP group. A range is several rows.
    IpGroupPrefix ip_group_prefix { group: Sym, prefix: Prefix }
}
