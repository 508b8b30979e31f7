//! What leads on: addresses in front of machines, and resources inside that nobody has a model of. Every pair is asked, nothing is kept.

use watertight::explain::way::End;
use watertight::facts::network::DeviceKind;
use watertight::facts::private_access::Consent;
use watertight::facts::private_link::PrivateLinkService;
use watertight::facts::store_facts::{PublicAccess, StoreAccess};
use watertight::model::{Proto, Sym, Verdict};

use super::leak::{ANSWERED, EITHER};
use super::world::World;

/// The better of two answers.
pub fn better(a: Verdict, b: Verdict) -> Verdict {
    [Verdict::Allowed, Verdict::Unproven].into_iter().find(|wanted| a == *wanted || b == *wanted).unwrap_or(Verdict::Denied)
}

fn worse(a: Verdict, b: Verdict) -> Verdict {
    [Verdict::Denied, Verdict::Unproven].into_iter().find(|wanted| a == *wanted || b == *wanted).unwrap_or(Verdict::Allowed)
}

impl World<'_> {
    /// The Private Link service that a connection names, by its id or its alias (PLS-09).
    pub fn service_named(&self, target: Sym) -> Option<&PrivateLinkService> {
        let alias = |alias: Sym| !alias.is_empty() && target.as_str().eq_ignore_ascii_case(alias.as_str());
        self.services.iter().find(|s| s.service == target || alias(s.alias))
    }

    /// The best answer to a flow of some protocols that ends at the machine by way of an address in front of it.
    pub fn led_on(&self, caller: End, machine: End, over: &[Proto]) -> Verdict {
        let (End::Machine(id) | End::Subnet(id)) = machine else { return Verdict::Denied };
        if !matches!(caller, End::Machine(_) | End::Subnet(_) | End::Site(_) | End::Internet(None)) {
            return Verdict::Denied;
        }
        let mine = |config: &Sym| self.configs.iter().any(|c| c.ip_config == *config && self.machine_of(c.nic) == Some(id));
        let configs: Vec<Sym> = self.configs.iter().map(|c| c.ip_config).filter(mine).collect();
        let mut best = Verdict::Denied;
        let named = self.config_public_ips.iter().filter(|row| configs.contains(&row.ip_config)).map(|row| row.public_ip);
        let said = configs.iter().flat_map(|config| self.unclaimed_by(*config));
        for public_ip in named.chain(said) {
            let known = self.public_addresses_of(public_ip);
            if known.is_empty() {
                let into = self.best_over(over, End::Internet(None), machine);
                best = better(best, worse(worse(self.somewhere(caller, over), into), Verdict::Unproven));
            }
            for ip in known {
                best = better(best, self.best_over(over, caller, End::Ip(ip)));
            }
        }
        for link in &self.links {
            let Some(service) = self.service_named(link.target) else { continue };
            let fronts: Vec<Sym> = self.service_frontends.iter().filter(|f| f.service == service.service).map(|f| f.frontend).collect();
            let behind = |config: Sym| {
                self.frontends_before(config).iter().any(|front| fronts.contains(front))
                    || service.destination.is_some_and(|ip| self.addresses_of(config).contains(&ip))
            };
            if configs.iter().any(|config| behind(*config)) {
                let alone = self.configs.iter().filter(|c| behind(c.ip_config)).count() == 1;
                let there = self.best_over(over, caller, End::PrivateEndpoint(link.endpoint));
                best = better(best, if alone { there } else { worse(there, Verdict::Unproven) });
            }
        }
        let mut own: Vec<std::net::IpAddr> = configs.iter().flat_map(|config| self.addresses_of(*config)).collect();
        for front in configs.iter().flat_map(|config| self.frontends_before(*config)) {
            own.extend(self.fronts.iter().filter(|f| f.frontend == front).filter_map(|f| f.address));
        }
        let translated = self.translations.iter().any(|t| t.address.is_none_or(|ip| own.contains(&ip)));
        for device in &self.devices {
            let firewall = self.is_firewall(device.device) && translated;
            if !firewall && !self.takes_requests(device) {
                continue;
            }
            let private = self.device_addresses.iter().filter(|a| a.device == device.device);
            let mut reached: Vec<Verdict> = private.map(|a| self.best_over(over, caller, End::Ip(a.address))).collect();
            for row in self.device_public_ips.iter().filter(|row| row.device == device.device) {
                let known = self.public_addresses_of(row.public_ip);
                reached.extend(known.is_empty().then(|| self.somewhere(caller, over)));
                reached.extend(known.into_iter().map(|ip| self.best_over(over, caller, End::Ip(ip))));
            }
            if reached.is_empty() && !firewall {
                reached.push(self.best_over(over, caller, End::Subnet(device.subnet)));
            }
            for there in reached {
                let on = if firewall { Verdict::Unproven } else { self.best_over(over, End::Subnet(device.subnet), machine) };
                best = better(best, worse(worse(there, on), Verdict::Unproven));
            }
        }
        better(best, self.led_by_strangers(caller, machine, over))
    }

    /// The same by way of gateways and firewalls that only a public address tells of: where they stand and what they do is not in the input.
    fn led_by_strangers(&self, caller: End, machine: End, over: &[Proto]) -> Verdict {
        let mut best = Verdict::Denied;
        for row in &self.public_ip_holders {
            let Some((device, _)) = row
                .holder
                .as_str()
                .rsplit_once("/frontendipconfigurations/")
                .or_else(|| row.holder.as_str().rsplit_once("/azurefirewallipconfigurations/"))
            else {
                continue;
            };
            let (device, kind) = (Sym::new(device), device.rsplit('/').nth(1).unwrap_or_default());
            let said = self.device_public_ips.iter().any(|d| d.device == device && d.public_ip == row.public_ip);
            if said || !["applicationgateways", "azurefirewalls"].contains(&kind) {
                continue;
            }
            let known = self.public_addresses_of(row.public_ip);
            let there = known.iter().fold(if known.is_empty() { self.somewhere(caller, over) } else { Verdict::Denied }, |best, ip| {
                better(best, self.best_over(over, caller, End::Ip(*ip)))
            });
            let stands: Vec<Sym> = self.devices.iter().filter(|d| d.device == device && !d.subnet.is_empty()).map(|d| d.subnet).collect();
            let on = stands.iter().fold(if stands.is_empty() { Verdict::Unproven } else { Verdict::Denied }, |best, subnet| {
                better(best, self.best_over(over, End::Subnet(*subnet), machine))
            });
            best = better(best, worse(worse(there, on), Verdict::Unproven));
        }
        best
    }

    /// Whether the caller gets to some address of the internet that nobody tells.
    fn somewhere(&self, caller: End, over: &[Proto]) -> Verdict {
        if caller == End::Internet(None) { Verdict::Unproven } else { self.best_over(over, caller, End::Internet(None)) }
    }

    /// The resources inside that stand in a subnet, take flows over private endpoints or run code, and that nobody has a model of.
    pub fn residents(&self) -> Vec<Sym> {
        let mut all: Vec<Sym> = self.devices.iter().filter(|d| self.stands(d.kind, d.subnet)).map(|d| d.device).collect();
        all.extend(self.links.iter().filter(|link| self.leads_to_unmodelled(link.target, link.state)).map(|link| link.target));
        all.extend(self.resources.iter().filter(|row| self.platform.runs_code(row.kind)).map(|row| row.id));
        all.retain(|id| self.is_inside(*id));
        Sym::sort(&mut all);
        all.dedup();
        all
    }

    fn stands(&self, kind: DeviceKind, subnet: Sym) -> bool {
        kind == DeviceKind::Other && !subnet.is_empty()
    }

    fn leads_to_unmodelled(&self, target: Sym, state: Consent) -> bool {
        !target.is_empty()
            && !self.stores.iter().any(|s| s.store == target)
            && self.service_named(target).is_none()
            && !matches!(state, Consent::Rejected | Consent::Disconnected)
    }

    /// What may get from one node to another because one of them is such a resource; never proven.
    pub fn by_resident(&self, from: End, to: End, residents: &[Sym]) -> Verdict {
        let one = |end: End| match end {
            End::Unmodelled(id) | End::Store(id, ..) if residents.contains(&id) => Some(id),
            _ => None,
        };
        if one(from).or(one(to)).is_none() {
            return Verdict::Denied;
        }
        let subnets = |id: Sym| -> Vec<End> {
            self.devices.iter().filter(|d| d.device == id && self.stands(d.kind, d.subnet)).map(|d| End::Subnet(d.subnet)).collect()
        };
        let doors = |id: Sym| -> Vec<End> {
            let links = self.links.iter().filter(|link| link.target == id && self.leads_to_unmodelled(id, link.state));
            links.map(|link| End::PrivateEndpoint(link.endpoint)).collect()
        };
        // A service of Azure's has a front end on the internet besides, until its switch closes that (GEN-04, GEN-05).
        let fronts = |id: Sym| {
            let off = |a: &StoreAccess| matches!(a.public, PublicAccess::Disabled | PublicAccess::SecuredByPerimeter);
            let closed = self.accesses.iter().any(|a| a.store == id && off(a));
            !doors(id).is_empty() && !closed && !id.as_str().contains("/microsoft.network/")
        };
        let sends = |end: End| match (one(end), end) {
            (Some(id), _) => subnets(id),
            (None, End::Machine(_) | End::Subnet(_) | End::Site(_)) => vec![end],
            _ => Vec::new(),
        };
        let takes = |end: End| match (one(end), end) {
            (Some(id), End::Store(..)) => subnets(id).into_iter().chain([end]).collect(),
            (Some(id), _) => {
                subnets(id).into_iter().chain(doors(id)).chain(fronts(id).then_some(End::Internet(None))).collect::<Vec<End>>()
            }
            (None, _) => vec![end],
        };
        let mut best = Verdict::Denied;
        for (a, b, over) in [(from, to, EITHER), (to, from, ANSWERED)] {
            for sender in sends(a) {
                for receiver in takes(b) {
                    best = better(best, self.best_over(over, sender, receiver));
                }
            }
            if let (Some(id), End::Store(..)) = (one(a), b) {
                best = better(best, self.best_over(over, End::Unmodelled(id), b));
            }
        }
        // Code that no subnet of ours carries sends where it likes.
        if let (Some(id), End::Internet(None) | End::External(_)) = (one(from), to) {
            let runs = self.resources.iter().any(|row| row.id == id && self.platform.runs_code(row.kind));
            let app = matches!(from, End::Store(..)) && !self.routed_apps.iter().any(|row| row.app == id);
            if runs && (subnets(id).is_empty() || app) {
                best = better(best, Verdict::Unproven);
            }
        }
        // Whom the front end lets in takes what is there.
        if let (Some(id), End::Unmodelled(_), End::Internet(None)) = (one(from), from, to)
            && fronts(id)
        {
            best = better(best, Verdict::Unproven);
        }
        worse(best, Verdict::Unproven)
    }
}
