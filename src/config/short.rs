//! The shortest selector that names an end.

use std::collections::HashMap;

use crate::config::Names;
use crate::config::selector::{Kind, Pattern, parse};
use crate::explain::way::End;
use crate::explain::world::is_scale_set;
use crate::facts::store_facts::Instance;
use crate::model::Sym;
use crate::model::ids::id_parts;

impl Names<'_> {
    /// The shortest selector that names `end` alone, with names as written; the id where no short one does.
    pub fn short(&self, end: End) -> String {
        let named = |kind: Kind, id: Sym| {
            let name = id_parts(id.as_str()).name;
            if self.by_name.get(&(kind, name)).is_some_and(|ids| ids.len() == 1) {
                format!("{}:{}", kind.as_str(), self.written(id))
            } else {
                id.as_str().to_owned()
            }
        };
        match end {
            End::Machine(id) => named(if is_scale_set(self.index, id) { Kind::Vmss } else { Kind::Vm }, id),
            End::Nic(id) => named(Kind::Nic, id),
            End::Subnet(id) => self.short_subnet(id),
            End::Ip(ip) => format!("ip:{ip}"),
            End::Internet(None) => "internet".to_owned(),
            End::Internet(Some(ip)) => format!("internet:{ip}"),
            End::Site(site) => format!("onprem:{}", if site.as_str().starts_with('/') { self.written(site) } else { site.as_str() }),
            End::Store(id, part, instance) => {
                let Some(service) = self.index.store.one(id).map(|row| row.service) else { return id.as_str().to_owned() };
                let Some(kind) = Kind::of_service(service) else { return id.as_str().to_owned() };
                let head = named(kind, id);
                let secondary = if instance == Instance::Secondary { "-secondary" } else { "" };
                let parts: Vec<Sym> = self.index.store_parts.get(id).iter().map(|row| row.part).collect();
                let alone = kind != Kind::Storage && (parts.len() <= 1 || service.principal(&parts) == Some(part));
                if alone { format!("{head}{secondary}") } else { format!("{head}{secondary}/{part}") }
            }
            End::Fqdn(name) => format!("fqdn:{name}"),
            End::PrivateEndpoint(id) => named(Kind::PrivateEndpoint, id),
            End::External(service) => format!("external:{}", service.as_str()),
            End::Network(id) if id.is_empty() => "external:network".to_owned(),
            End::Network(id) => id.as_str().to_owned(),
            End::Unmodelled(id) => {
                let name = self.written(id);
                if self.is_alone(id) && matches!(parse(name), Ok(Pattern::Bare(_))) { name.to_owned() } else { id.as_str().to_owned() }
            }
        }
    }

    /// Whether nothing else in the input has the name of the resource.
    fn is_alone(&self, id: Sym) -> bool {
        let names = self.resource_names.get_or_init(|| {
            let mut names: HashMap<&'static str, usize> = HashMap::new();
            for row in self.index.resource.rows() {
                *names.entry(id_parts(row.id.as_str()).name).or_default() += 1;
            }
            names
        });
        let name = id_parts(id.as_str()).name;
        names.get(name) == Some(&1) && !Kind::ALL.into_iter().any(|kind| self.by_name.contains_key(&(kind, name)))
    }

    fn short_subnet(&self, id: Sym) -> String {
        let Some(vnet) = self.index.subnet.one(id).map(|row| row.vnet) else { return id.as_str().to_owned() };
        let name = id_parts(vnet.as_str()).name;
        if self.by_name.get(&(Kind::Vnet, name)).is_some_and(|ids| ids.len() > 1) {
            return id.as_str().to_owned();
        }
        format!("subnet:{}/{}", self.written(vnet), self.written(id))
    }

    /// The name of the resource as its owner wrote it.
    pub(super) fn written(&self, id: Sym) -> &'static str {
        match self.index.resource.one(id) {
            Some(row) if !row.name.is_empty() => row.name.as_str().rsplit('/').next().unwrap_or_default(),
            _ => id_parts(id.as_str()).name,
        }
    }
}
