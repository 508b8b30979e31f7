//! What stands behind a Private Link service: the same for whoever consumes it (PLS-01 to PLS-16).

use std::net::IpAddr;

use watertight::facts::load_balancing::BalancerSku;
use watertight::facts::private_link::PrivateLinkService;
use watertight::model::{Stage, Sym, Tri};

use super::filter::Place;
use super::packet::{Addr, Outcome, Packet, all_of, any_of, check};
use super::walk::{Origin, Target, Trip, Walk};
use super::world::{World, name_of};

impl Walk<'_, '_> {
    /// Through a service with any of its addresses, all of which must get through.
    pub fn through_service(&self, service: &PrivateLinkService, packet: Packet) -> Outcome {
        let world = self.world;
        let stage = Stage::PrivateEndpoint;
        let nats: Vec<_> = world.service_nats.iter().filter(|n| n.service == service.service).collect();
        let usable = world.is_usable(service, nats.len());
        if usable.hi()
            && (nats.is_empty() || service.destination.is_none() && !world.service_frontends.iter().any(|f| f.service == service.service))
        {
            return Outcome::unproven(stage, name_of(service.service), "W-MISSING");
        }
        let unsettled = if service.settled { Tri::Yes } else { Tri::Maybe };
        check(usable, stage, "service", "W-MISSING", || {
            check(unsettled, stage, "state", "W-UNSUPPORTED", || {
                let each = nats.iter().flat_map(|nat| {
                    let known: Vec<IpAddr> = nat.address.into_iter().collect();
                    let all = if known.is_empty() { world.free_addresses(nat.subnet) } else { known };
                    all.into_iter().map(move |ip| (nat.subnet, ip, nat.address.is_some()))
                });
                let outcomes: Vec<Outcome> = each
                    .map(|(subnet, ip, known)| {
                        let outcome = self.by_nat(service, subnet, ip, packet);
                        if known { outcome } else { outcome.doubted(stage, "address", "W-MISSING") }
                    })
                    .collect();
                all_of(outcomes)
            })
        })
    }

    fn by_nat(&self, service: &PrivateLinkService, subnet: Sym, ip: IpAddr, packet: Packet) -> Outcome {
        let world = self.world;
        let Some(vnet) = world.vnet_of(subnet) else {
            return Outcome::unproven(Stage::PrivateEndpoint, name_of(service.service), "W-MISSING"); // from which network it goes on nobody knows
        };
        let walk = Walk { world, target: Target::Address, origin: Origin::Network(vnet), session: self.session };
        let from_here =
            |dst: IpAddr| Packet { src: Addr::Known(ip), src_config: Some(Sym::EMPTY), dst: Addr::Known(dst), dst_config: None, ..packet };
        let place = Place { subnet, nic: None, endpoint: None };
        let mut ways = Vec::new();
        if let Some(destination) = service.destination {
            ways.push(walk.forward(place, from_here(destination), &Trip::default()));
        }
        for row in world.service_frontends.iter().filter(|f| f.service == service.service) {
            let Some(front) = world.fronts.iter().find(|f| f.frontend == row.frontend) else {
                ways.push(Outcome::unproven(Stage::LoadBalancer, name_of(row.frontend), "W-MISSING"));
                continue;
            };
            let sku = world.balancers.iter().find(|b| b.balancer == front.balancer).map_or(BalancerSku::Unknown, |b| b.sku);
            let standard = match sku {
                BalancerSku::Standard => Tri::Yes,
                BalancerSku::StandardV2 | BalancerSku::Unknown => Tri::Maybe,
                BalancerSku::Basic | BalancerSku::Gateway => Tri::No,
            };
            let home = world.vnet_of(front.subnet).unwrap_or(vnet);
            let inner = from_here(front.address.unwrap_or(ip));
            ways.push(check(standard, Stage::LoadBalancer, "sku", "W-UNSUPPORTED", || {
                walk.at_frontend(row.frontend, home, inner, &Trip::default())
            }));
        }
        any_of(ways)
    }
}

impl World<'_> {
    /// Whether a service can work as it is configured (PLS-05, PLS-16).
    pub fn is_usable(&self, service: &PrivateLinkService, nats: usize) -> Tri {
        let subnets = self.service_nats.iter().filter(|n| n.service == service.service).map(|n| n.subnet);
        let open = |subnet: Sym| match self.vnet_of(subnet) {
            None => Tri::Maybe,
            Some(_) => self.open_subnets.iter().find(|o| o.subnet == subnet).map_or(Tri::No, |o| o.open),
        };
        let places = subnets.map(open).min().unwrap_or(Tri::Maybe);
        let leads = match service.destination {
            Some(ip) => {
                let private = self.endpoints.iter().any(|e| self.endpoint_ips(e.endpoint).iter().any(|&(_, a)| a == ip));
                Tri::from_bool(nats != 1 && !private)
            }
            // Azure makes none that leads nowhere.
            None => self.service_frontends.iter().find(|f| f.service == service.service).map_or(Tri::Maybe, |_| Tri::Yes),
        };
        places.min(leads)
    }
}
