//! The generated estate with what a grown estate has besides: firewalls, load balancers, gateways of every kind, a virtual WAN, a network manager.

mod balancers;
mod edge;
mod firewall;
mod manager;
mod pair;
mod wan;

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::hub_spoke;
use super::row::{Home, NIC, PUBLIC_IP, SUBNET, VNET, after, child, export};

/// The export of [`hub_spoke`] with, in every hub:
///
/// - an Azure Firewall with a policy below another one, network, application and NAT rules and IP groups; the route tables of every third spoke lead to it;
/// - an appliance with two interfaces behind an internal load balancer with HA ports; the route tables of another third lead there;
/// - one more site behind the VPN gateway, and a pool of addresses for clients;
/// - an application gateway with a public and a private front;
/// - a virtual WAN with a hub and two networks;
/// - a collection of security admin rules for a group of the first spokes;
///
/// and in every second spoke a public load balancer with a rule, an inbound NAT rule, a probe and an outbound rule, in the others an internal one, over
/// interfaces that are there already.
pub fn rich(subnets: u32) -> Vec<u8> {
    let mut estate = Estate::read(&hub_spoke(subnets));
    for (n, hub) in (0u8..).zip(estate.hubs.clone()) {
        firewall::add(&mut estate, &hub, n);
        pair::add(&mut estate, &hub);
        balancers::add(&mut estate, &hub, n);
        edge::add(&mut estate, &hub, n);
        wan::add(&mut estate, &hub, n);
    }
    manager::add(&mut estate);
    export(&estate.rows)
}

/// A hub: where it lives, its row, its first address.
#[derive(Clone)]
struct Hub {
    home: Home,
    name: String,
    at: usize,
    base: Ipv4Addr,
    spokes: Vec<Spoke>,
}

impl Hub {
    fn vnet(&self) -> String {
        self.home.id(VNET, &self.name)
    }

    fn subnet(&self, name: &str) -> String {
        self.home.id(SUBNET, &format!("{}/{name}", self.name))
    }

    /// The address at `host` of the hub's /24 number `slot`.
    fn address(&self, slot: u32, host: u32) -> String {
        after(self.base, slot * 256 + host).to_string()
    }
}

/// A spoke: its route table and the interfaces of machines that have no public address, as positions of rows.
#[derive(Clone)]
struct Spoke {
    home: Home,
    name: String,
    space: String,
    table: Option<usize>,
    nics: Vec<usize>,
}

/// The rows, and what there is among them.
struct Estate {
    rows: Vec<Value>,
    hubs: Vec<Hub>,
    public: u32,
}

impl Estate {
    fn read(bytes: &[u8]) -> Estate {
        let rows: Vec<Value> = serde_json::from_slice(bytes).expect("a generated estate is JSON");
        let mut hubs: Vec<Hub> = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let (home, name) = (Home::of(row), row["name"].as_str().unwrap_or_default().to_owned());
            let properties = &row["properties"];
            let space = properties["addressSpace"]["addressPrefixes"][0].as_str().unwrap_or_default().to_owned();
            let is = |kind: &str| row["type"] == kind.to_lowercase();
            if is(VNET) && name.starts_with("hub-") {
                let base = space.split('/').next().and_then(|base| base.parse().ok()).expect("a hub has an address space");
                hubs.push(Hub { home, name, at, base, spokes: Vec::new() });
                continue;
            }
            let spokes = &mut hubs.last_mut().expect("a hub comes before its spokes").spokes;
            if is(VNET) {
                spokes.push(Spoke { home, name, space, table: None, nics: Vec::new() });
            } else if let Some(spoke) = spokes.last_mut().filter(|spoke| spoke.home.group == home.group) {
                let attached = !properties["virtualMachine"].is_null();
                if is("Microsoft.Network/routeTables") {
                    spoke.table = Some(at);
                } else if is(NIC) && attached && properties["ipConfigurations"][0]["properties"]["publicIPAddress"].is_null() {
                    spoke.nics.push(at);
                }
            }
        }
        Estate { rows, hubs, public: 0 }
    }

    /// One more subnet of a hub.
    fn subnet(&mut self, hub: &Hub, name: &str, prefix: String) -> String {
        let properties = json!({ "addressPrefix": prefix, "serviceEndpoints": [] });
        let subnets = self.rows[hub.at]["properties"]["subnets"].as_array_mut().expect("a network lists its subnets");
        subnets.push(child(&hub.vnet(), "subnets", name, properties));
        hub.subnet(name)
    }

    /// One more public address: its id and the address, from a range that the generator leaves alone.
    fn public_ip(&mut self, home: &Home, name: &str) -> (String, String) {
        self.public += 1;
        let address = after(Ipv4Addr::new(20, 50, 0, 0), self.public).to_string();
        self.rows.push(home.public_ip(name, &address));
        (home.id(PUBLIC_IP, name), address)
    }

    /// The address configuration of an interface, and its address.
    fn configuration(&self, nic: usize) -> (String, String) {
        let configuration = &self.rows[nic]["properties"]["ipConfigurations"][0];
        let text = |value: &Value| value.as_str().expect("an interface has an id and an address").to_owned();
        (text(&configuration["id"]), text(&configuration["properties"]["privateIPAddress"]))
    }

    /// Puts the interface into a pool or under an inbound NAT rule, as its own body says it.
    fn join(&mut self, nic: usize, list: &str, id: &str) {
        let properties = &mut self.rows[nic]["properties"]["ipConfigurations"][0]["properties"];
        if properties[list].is_null() {
            properties[list] = json!([]);
        }
        properties[list].as_array_mut().expect("a list that is written here").push(super::row::reference(id));
    }

    /// Every route of the spoke to an appliance, and its default route, leads to `hop` from now on.
    fn route(&mut self, spoke: &Spoke, hop: &str) {
        let Some(table) = spoke.table else { return };
        for route in self.rows[table]["properties"]["routes"].as_array_mut().expect("a table lists its routes") {
            let route = &mut route["properties"];
            if route["nextHopType"] == "VirtualAppliance" || route["addressPrefix"] == "0.0.0.0/0" {
                route["nextHopType"] = "VirtualAppliance".into();
                route["nextHopIpAddress"] = hop.into();
            }
        }
    }
}
