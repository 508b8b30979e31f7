//! What a person states in `watertight.toml`.

use std::net::IpAddr;

use crate::facts::network::Protocol;
use crate::facts::selector::PortList;
use crate::model::{Prefix, Sym, Tri};

relations! { CONFIG_RELATIONS:
    /// `boundary_tenant(tenant)`: inside the trust boundary. Without any row: every tenant of the input.
    BoundaryTenant boundary_tenant { tenant: Sym }

    /// `boundary_subscription(subscription)`: inside the trust boundary. Without any row: every subscription of the input.
    BoundarySubscription boundary_subscription { subscription: Sym }

    /// `label(label, selector)`: what the selector names carries the label.
    Label label { label: Sym, selector: Sym }

    /// `site(site)`: a site on premises, by its name.
    Site site { site: Sym }

    /// `site_prefix(site, prefix)`: addresses at the site, added to what the gateways say.
    SitePrefix site_prefix { site: Sym, prefix: Prefix }

    /// `site_nat(site, address)`: a public address the site's traffic leaves with.
    SiteNat site_nat { site: Sym, address: IpAddr }

    /// `site_forwarder(site, suffix, server, chases_cname)`: the site asks `server` for names under `suffix` (DNS-26). `chases_cname` is whether the site's own
    /// server follows aliases itself, so that a rule for a name that only an alias leads to helps; `maybe` where that is not stated (DNS-21).
    SiteForwarder site_forwarder { site: Sym, suffix: Sym, server: IpAddr, chases_cname: Tri }

    /// `dns_server(address, forwards, at)`: what a custom DNS server does with names it does not hold: `azure-dns`, an address, `internet`, or empty for not
    /// known; `at` is the virtual network whose zones it sees (DNS-20).
    DnsServer dns_server { address: IpAddr, forwards: Sym, at: Sym }

    /// `dns_server_record(server, name, address)`: the server answers `name` itself.
    DnsServerRecord dns_server_record { server: IpAddr, name: Sym, address: IpAddr }

    /// `appliance(nic, snat)`: what the appliance behind the interface does is stated (NVA-05): what its `appliance_allow` rows list, and nothing else;
    /// `snat` whether it puts its own address in place of the source, `maybe` where that is not stated.
    Appliance appliance { nic: Sym, snat: Tri }

    /// `appliance_allow(nic, from, to, protocol, ports)`: the appliance forwards such packets. A prefix of length 0 of IPv4 stands for any address of both
    /// families.
    ApplianceAllow appliance_allow { nic: Sym, from: Prefix, to: Prefix, protocol: Protocol, ports: PortList }
}
