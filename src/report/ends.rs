//! The ends of rows, exactly as JSON prints them.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::config::Names;
use crate::explain::way::End;
use crate::explain::world::is_scale_set;
use crate::facts::Index;
use crate::facts::store_facts::{Instance, Service};
use crate::model::{Prefix, Sym};

/// What kind of thing an end is: the words of the selectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the variants are the words of the selectors")]
pub enum EndKind {
    Subnet,
    Nic,
    Vm,
    Vmss,
    Pe,
    Storage,
    Keyvault,
    Sql,
    Cosmos,
    Eventhub,
    Servicebus,
    Acr,
    Web,
    Cognitive,
    Internet,
    Onprem,
    External,
    Ip,
    Fqdn,
    Resource,
}

impl EndKind {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            EndKind::Subnet => "subnet",
            EndKind::Nic => "nic",
            EndKind::Vm => "vm",
            EndKind::Vmss => "vmss",
            EndKind::Pe => "pe",
            EndKind::Storage => "storage",
            EndKind::Keyvault => "keyvault",
            EndKind::Sql => "sql",
            EndKind::Cosmos => "cosmos",
            EndKind::Eventhub => "eventhub",
            EndKind::Servicebus => "servicebus",
            EndKind::Acr => "acr",
            EndKind::Web => "web",
            EndKind::Cognitive => "cognitive",
            EndKind::Internet => "internet",
            EndKind::Onprem => "onprem",
            EndKind::External => "external",
            EndKind::Ip => "ip",
            EndKind::Fqdn => "fqdn",
            EndKind::Resource => "resource",
        }
    }

    fn of_service(service: Service) -> EndKind {
        match service {
            Service::Storage => EndKind::Storage,
            Service::KeyVault => EndKind::Keyvault,
            Service::Sql => EndKind::Sql,
            Service::Cosmos => EndKind::Cosmos,
            Service::EventHub => EndKind::Eventhub,
            Service::ServiceBus => EndKind::Servicebus,
            Service::Acr => EndKind::Acr,
            Service::Web => EndKind::Web,
            Service::Cognitive => EndKind::Cognitive,
            // What only an id names.
            _ => EndKind::Resource,
        }
    }
}

/// One end of a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RowEnd {
    /// What it is.
    pub kind: EndKind,
    /// The resource, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Sym>,
    /// A store's part, or the service of an external store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Sym>,
    /// Only for the second front end of a store: `secondary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Sym>,
    /// A site's name, an address or a host name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Sym>,
    /// The addresses for which the row holds, where it does not hold for all of the end; sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<Prefix>,
}

impl RowEnd {
    /// An end that is known by its kind alone.
    pub fn new(kind: EndKind) -> RowEnd {
        RowEnd { kind, id: None, part: None, instance: None, name: None, prefixes: Vec::new() }
    }

    /// A resource.
    pub fn resource(kind: EndKind, id: Sym) -> RowEnd {
        RowEnd { id: Some(id), ..RowEnd::new(kind) }
    }

    /// One endpoint of a store.
    pub fn store(service: Service, id: Sym, part: Sym, instance: Instance) -> RowEnd {
        let instance = (instance == Instance::Secondary).then(|| Sym::new("secondary"));
        RowEnd { part: Some(part), instance, ..RowEnd::resource(EndKind::of_service(service), id) }
    }

    /// A site on premises, by its name, for the addresses of `prefixes`; none of them stands for all.
    pub fn site(name: Sym, mut prefixes: Vec<Prefix>) -> RowEnd {
        prefixes.sort();
        RowEnd { name: Some(name), prefixes, ..RowEnd::new(EndKind::Onprem) }
    }

    /// Any store of the service outside the trust boundary.
    pub fn external(service: Service) -> RowEnd {
        RowEnd { part: Some(Sym::new(service.as_str())), ..RowEnd::new(EndKind::External) }
    }

    /// What a selector names, as an end of a row.
    pub fn of(end: End, index: &Index) -> RowEnd {
        let named = |kind: EndKind, name: String| RowEnd { name: Some(Sym::new(&name)), ..RowEnd::new(kind) };
        match end {
            End::Machine(id) => RowEnd::resource(if is_scale_set(index, id) { EndKind::Vmss } else { EndKind::Vm }, id),
            End::Nic(id) => RowEnd::resource(EndKind::Nic, id),
            End::Subnet(id) => RowEnd::resource(EndKind::Subnet, id),
            End::Ip(ip) => named(EndKind::Ip, ip.to_string()),
            End::Internet(None) => RowEnd::new(EndKind::Internet),
            End::Internet(Some(ip)) => named(EndKind::Internet, ip.to_string()),
            End::Site(site) => {
                let name = if site.as_str().starts_with('/') { index.resource.one(site).map_or(site, |row| row.name) } else { site };
                RowEnd { id: site.as_str().starts_with('/').then_some(site), ..RowEnd::site(name, Vec::new()) }
            }
            End::Store(id, part, instance) => {
                RowEnd::store(index.store.one(id).map_or(Service::Storage, |row| row.service), id, part, instance)
            }
            End::Fqdn(name) => named(EndKind::Fqdn, name.as_str().to_owned()),
            End::PrivateEndpoint(id) => RowEnd::resource(EndKind::Pe, id),
            End::External(service) => RowEnd::external(service),
            End::Network(id) => {
                RowEnd { id: Some(id).filter(|id| !id.is_empty()), part: Some(Sym::new("network")), ..RowEnd::new(EndKind::External) }
            }
            End::Unmodelled(id) => RowEnd::resource(EndKind::Resource, id),
        }
    }

    /// The end as a person writes it, names as their owner wrote them.
    pub fn text(&self, names: &Names) -> String {
        let id = self.id.unwrap_or(Sym::EMPTY);
        let name = self.name.map_or("", Sym::as_str);
        let instance = if self.instance.is_some() { Instance::Secondary } else { Instance::Primary };
        let mut text = match self.kind {
            EndKind::Subnet => names.short(End::Subnet(id)),
            EndKind::Nic => names.short(End::Nic(id)),
            EndKind::Vm | EndKind::Vmss => names.short(End::Machine(id)),
            EndKind::Pe => names.short(End::PrivateEndpoint(id)),
            EndKind::Storage
            | EndKind::Keyvault
            | EndKind::Sql
            | EndKind::Cosmos
            | EndKind::Eventhub
            | EndKind::Servicebus
            | EndKind::Acr
            | EndKind::Web
            | EndKind::Cognitive => names.short(End::Store(id, self.part.unwrap_or(Sym::EMPTY), instance)),
            EndKind::External if !id.is_empty() => id.as_str().to_owned(),
            EndKind::External => format!("external:{}", self.part.map_or("", Sym::as_str)),
            EndKind::Internet if name.is_empty() => "internet".to_owned(),
            EndKind::Internet | EndKind::Onprem | EndKind::Ip | EndKind::Fqdn => format!("{}:{name}", self.kind.as_str()),
            EndKind::Resource => names.short(End::Unmodelled(id)),
        };
        if !self.prefixes.is_empty() {
            let prefixes: Vec<String> = self.prefixes.iter().map(Prefix::to_string).collect();
            text.push_str(&format!(" ({})", prefixes.join(", ")));
        }
        text
    }

    fn key(&self) -> impl Ord + '_ {
        let text = |sym: Option<Sym>| sym.map_or("", Sym::as_str);
        (self.kind.as_str(), text(self.id), text(self.part), text(self.instance), text(self.name), &self.prefixes)
    }
}

/// Handles order by first sight, so the order of rows is written out: by what is printed.
impl Ord for RowEnd {
    fn cmp(&self, other: &RowEnd) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for RowEnd {
    fn partial_cmp(&self, other: &RowEnd) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
