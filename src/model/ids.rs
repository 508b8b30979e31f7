//! Interned text: every id and name is a small number inside, and text again at the border.

use std::fmt;
use std::sync::{OnceLock, RwLock};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An interned piece of text: a resource id, a name, a region, a tag.
///
/// Equality is equality of the text. The *order* is the order of first sight and means nothing: whatever is printed is
/// sorted by [`Sym::as_str`]. The table lives as long as the process and never shrinks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Sym(u32);

/// The numbers of texts; what looks texts up by number does not come here.
fn numbers() -> &'static RwLock<FxHashMap<&'static str, u32>> {
    static NUMBERS: OnceLock<RwLock<FxHashMap<&'static str, u32>>> = OnceLock::new();
    NUMBERS.get_or_init(RwLock::default)
}

/// The texts but the empty one, in order of first sight: the first is that of number 1.
static TEXTS: boxcar::Vec<&'static str> = boxcar::Vec::new();

impl Sym {
    /// The empty text; also the default.
    pub const EMPTY: Sym = Sym(0);

    /// Sorts names by their text: handles are in order of first sight.
    pub fn sort(names: &mut [Sym]) {
        names.sort_unstable_by_key(|name| name.as_str());
    }

    /// Interns `text` as it stands.
    pub fn new(text: &str) -> Sym {
        if text.is_empty() {
            return Sym::EMPTY;
        }
        if let Some(&id) = numbers().read().expect("no thread panics while it interns").get(text) {
            return Sym(id);
        }
        let mut numbers = numbers().write().expect("no thread panics while it interns");
        if let Some(&id) = numbers.get(text) {
            return Sym(id);
        }
        let kept: &'static str = Box::leak(text.to_owned().into_boxed_str());
        let id = u32::try_from(TEXTS.push(kept) + 1).expect("fewer than 2^32 different texts");
        numbers.insert(kept, id);
        Sym(id)
    }

    /// Interns `text` in lower case: how ids, types, regions and enum values are compared (SND-09, M-01).
    pub fn lower(text: &str) -> Sym {
        if text.bytes().any(|b| b.is_ascii_uppercase()) || !text.is_ascii() { Sym::new(&text.to_lowercase()) } else { Sym::new(text) }
    }

    /// The text.
    #[inline]
    pub fn as_str(self) -> &'static str {
        match self.0 {
            0 => "",
            id => TEXTS[id as usize - 1],
        }
    }

    /// Whether this is the empty text.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for Sym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl fmt::Display for Sym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&str> for Sym {
    fn from(text: &str) -> Sym {
        Sym::new(text)
    }
}

impl Serialize for Sym {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Sym {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sym, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Sym::new(&text))
    }
}

/// The parts of an Azure resource id, as written in the (lower-case) id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdParts<'a> {
    /// The subscription's GUID, empty at tenant scope.
    pub subscription: &'a str,
    /// The resource group, empty outside one.
    pub group: &'a str,
    /// The last segment.
    pub name: &'a str,
}

/// Brings an id into the one form that is compared: lower case, one leading `/`, no trailing `/` (M-01).
pub fn normal_id(id: &str) -> Sym {
    let trimmed = id.trim().trim_matches('/');
    if trimmed.is_empty() { Sym::EMPTY } else { Sym::lower(&format!("/{trimmed}")) }
}

/// What stands for something that `of` names as its `name` and does not tell.
pub fn unknown(of: Sym, name: &str) -> Sym {
    Sym::lower(&format!("{of}/unknown-{name}"))
}

/// Whether the id is such a one; `name` is in lower case.
pub fn is_unknown(id: Sym, name: &str) -> bool {
    id.as_str().strip_suffix(name).is_some_and(|rest| rest.ends_with("/unknown-"))
}

/// The network that a (lower-case) id is of, or is below, or extends.
pub fn vnet_of_id(id: &str) -> Option<&str> {
    const TYPE: &str = "/providers/microsoft.network/virtualnetworks/";
    let at = id.find(TYPE)?;
    let name = id[at + TYPE.len()..].split('/').next().filter(|name| !name.is_empty())?;
    Some(&id[..at + TYPE.len() + name.len()])
}

/// A (lower-case) id of, or below, one instance of a scale set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceId<'a> {
    /// The scale set's id.
    pub scale_set: &'a str,
    /// The name of the instance: its number.
    pub name: &'a str,
    /// What follows the instance's own id, `networkinterfaces/nic`; empty: nothing.
    pub rest: &'a str,
}

impl<'a> InstanceId<'a> {
    /// Splits an id; `None` where it is none of an instance.
    pub fn of(id: &'a str) -> Option<InstanceId<'a>> {
        const LIST: &str = "/virtualmachines/";
        let in_set = |at: &usize| id[..*at].rsplit('/').nth(1) == Some("virtualmachinescalesets");
        let at = id.match_indices(LIST).map(|(at, _)| at).find(in_set)?;
        let tail = &id[at + LIST.len()..];
        let (name, rest) = tail.split_once('/').unwrap_or((tail, ""));
        Some(InstanceId { scale_set: &id[..at], name, rest })
    }

    /// The interface configuration of the scale set's profile that an interface of the instance is made from, and what follows the interface's own id.
    pub fn in_profile(&self) -> Option<(Sym, &'a str)> {
        let (nic, below) = self.rest.strip_prefix("networkinterfaces/").map(|tail| tail.split_once('/').unwrap_or((tail, "")))?;
        (!nic.is_empty()).then(|| (Sym::new(&format!("{}/networkinterfaceconfigurations/{nic}", self.scale_set)), below))
    }
}

/// Splits a normalised id.
pub fn id_parts(id: &str) -> IdParts<'_> {
    let mut subscription = "";
    let mut group = "";
    let mut segments = id.split('/').skip(1);
    let mut name = "";
    while let Some(segment) = segments.next() {
        name = segment;
        if segment.eq_ignore_ascii_case("subscriptions") && subscription.is_empty() {
            subscription = segments.next().unwrap_or("");
            name = subscription;
        } else if segment.eq_ignore_ascii_case("resourcegroups") && group.is_empty() {
            group = segments.next().unwrap_or("");
            name = group;
        }
    }
    IdParts { subscription, group, name }
}

/// The resource type an id spells: the namespace and every second segment after the last `/providers/`, in lower case.
///
/// `None` for an id without a provider (a subscription, a resource group, text that is no id).
pub fn id_type(id: &str) -> Option<String> {
    let lower = id.to_lowercase();
    let (_, tail) = lower.rsplit_once("/providers/")?;
    let mut segments = tail.split('/');
    let mut kind = segments.next().filter(|s| !s.is_empty())?.to_owned();
    let mut any = false;
    while let Some(part) = segments.next() {
        kind.push('/');
        kind.push_str(part);
        any = true;
        segments.next();
    }
    any.then_some(kind)
}

/// The id of the resource `levels` types up: `parent(".../virtualnetworks/v/subnets/s")` is `".../virtualnetworks/v"`.
pub fn parent_id(id: &str) -> Option<&str> {
    let (rest, _name) = id.rsplit_once('/')?;
    let (rest, _kind) = rest.rsplit_once('/')?;
    (!rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_compared_without_case_and_slashes() {
        assert_eq!(normal_id("subscriptions/X/resourceGroups/R/"), normal_id("/SUBSCRIPTIONS/x/resourcegroups/r"));
    }

    #[test]
    fn an_instance_of_a_scale_set_is_known_by_its_id() {
        let set = "/subscriptions/x/resourcegroups/virtualmachines/providers/microsoft.compute/virtualmachinescalesets/s";
        let nic = format!("{set}/virtualmachines/0/networkinterfaces/n/ipconfigurations/c");
        let found = InstanceId::of(&nic).unwrap();
        assert_eq!((found.scale_set, found.name, found.rest), (set, "0", "networkinterfaces/n/ipconfigurations/c"));
        let profile = Sym::new(&format!("{set}/networkinterfaceconfigurations/n"));
        assert_eq!(found.in_profile(), Some((profile, "ipconfigurations/c")));
        let bare = format!("{set}/virtualmachines/0");
        assert_eq!(InstanceId::of(&bare).map(|found| (found.rest, found.in_profile())), Some(("", None)));
        assert_eq!(InstanceId::of(set), None);
        assert_eq!(InstanceId::of("/subscriptions/x/resourcegroups/r/providers/microsoft.compute/virtualmachines/m"), None);
    }

    #[test]
    fn the_type_of_a_child_has_every_second_segment() {
        let id = "/subscriptions/x/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/v/subnets/s";
        assert_eq!(id_type(id).as_deref(), Some("microsoft.network/virtualnetworks/subnets"));
        assert_eq!(parent_id(id), Some("/subscriptions/x/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/v"));
        assert_eq!(id_parts(id), IdParts { subscription: "x", group: "r", name: "s" });
        assert_eq!(id_type("/subscriptions/x"), None);
    }
}
