//! The firewalls of stores, compiled once.

use std::cell::RefCell;
use std::rc::Rc;

use crate::model::Sym;
use crate::rules::paas_firewall::{self, Decision, Firewall, Source};

use super::World;

/// The firewall of a store as it stands before one part.
pub struct Guard<'a> {
    /// Its rows.
    pub firewall: Firewall<'a>,
    /// The last answer: one machine after another shows a store the same source.
    last: RefCell<Option<(Source, Decision)>>,
}

impl Guard<'_> {
    /// Whether the firewall admits `source` over the public front end.
    pub fn admit(&self, source: &Source) -> Decision {
        if let Some((_, decision)) = self.last.borrow().as_ref().filter(|(last, _)| last == source) {
            return *decision;
        }
        let decision = paas_firewall::admit(&self.firewall, source);
        *self.last.borrow_mut() = Some((source.clone(), decision));
        decision
    }
}

impl<'a> World<'a> {
    /// The firewall of a store before `part`; `None` where the input has no such store.
    pub fn guard(&self, store: Sym, part: Sym) -> Option<Rc<Guard<'a>>> {
        if let Some(known) = self.guards.borrow().get(&(store, part)) {
            return known.clone();
        }
        let firewall = paas_firewall::firewall(self.index, self.platform, store, part);
        let guard = firewall.map(|firewall| Rc::new(Guard { firewall, last: RefCell::default() }));
        self.guards.borrow_mut().insert((store, part), guard.clone());
        guard
    }
}
