//! `[[hosts]]`: what a machine, a network or a site takes a name for without asking anybody (DNS-06).

use serde::Deserialize;
use toml::Spanned;

use crate::explain::way::Place;
use crate::facts::dns::LocalRecord;
use crate::model::Sym;

use super::{Reader, ServerRecord};

/// One entry: whose file it is, and what stands in it.
#[derive(Debug, Deserialize)]
pub(super) struct Hosts {
    pub at: Spanned<String>,
    #[serde(default)]
    pub records: Vec<ServerRecord>,
}

impl Reader<'_> {
    pub(super) fn hosts(&mut self, stated: &Hosts) {
        let Some(at) = self.host_of(&stated.at) else { return };
        for record in &stated.records {
            if let (Some(name), Some(address)) = (self.host_name(&record.name), self.address(&record.address)) {
                self.facts.push(LocalRecord { at, name, address }.into());
            }
        }
    }

    /// Whose names they are; a site may be one that only this file tells of.
    fn host_of(&mut self, value: &Spanned<String>) -> Option<Sym> {
        let text = value.get_ref().trim();
        let mut stated = self.config.stated.onprem.iter().map(|site| site.name.get_ref().trim());
        if let Some(site) = text.strip_prefix("onprem:").and_then(|name| stated.find(|site| *site == name)) {
            return Some(Sym::new(site));
        }
        match self.names.place(text) {
            Ok(Place::Machine(id) | Place::Nic(id) | Place::Vnet(id) | Place::Site(id)) => Some(id),
            Ok(Place::Subnet(_) | Place::Internet) => {
                self.wrong(value, "a machine, an interface, a virtual network or a site, such as `vm:web01`");
                None
            }
            Err(error) => {
                self.selector(Self::severity(value), value, error);
                None
            }
        }
    }
}
