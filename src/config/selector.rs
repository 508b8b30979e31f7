//! The text of a selector: a resource id, a name, or a kind and a path.

use std::fmt;
use std::net::IpAddr;

use crate::facts::store_facts::Service;
use crate::model::ids::normal_id;
use crate::model::{Sym, net};

/// The kinds whose members are found by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are the words of the selectors")]
pub enum Kind {
    Vm,
    Vmss,
    Nic,
    Subnet,
    Vnet,
    PrivateEndpoint,
    Storage,
    Sql,
    KeyVault,
    Cosmos,
    EventHub,
    ServiceBus,
    Acr,
    Web,
    Cognitive,
    Onprem,
}

impl Kind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Kind; 16] = [
        Kind::Vm,
        Kind::Vmss,
        Kind::Nic,
        Kind::Subnet,
        Kind::Vnet,
        Kind::PrivateEndpoint,
        Kind::Storage,
        Kind::Sql,
        Kind::KeyVault,
        Kind::Cosmos,
        Kind::EventHub,
        Kind::ServiceBus,
        Kind::Acr,
        Kind::Web,
        Kind::Cognitive,
        Kind::Onprem,
    ];

    /// The word before the colon.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Vm => "vm",
            Kind::Vmss => "vmss",
            Kind::Nic => "nic",
            Kind::Subnet => "subnet",
            Kind::Vnet => "vnet",
            Kind::PrivateEndpoint => "pe",
            Kind::Storage => "storage",
            Kind::Sql => "sql",
            Kind::KeyVault => "keyvault",
            Kind::Cosmos => "cosmos",
            Kind::EventHub => "eventhub",
            Kind::ServiceBus => "servicebus",
            Kind::Acr => "acr",
            Kind::Web => "web",
            Kind::Cognitive => "cognitive",
            Kind::Onprem => "onprem",
        }
    }

    /// What a person calls a member.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::Vm => "virtual machine",
            Kind::Vmss => "scale set",
            Kind::Nic => "network interface",
            Kind::Subnet => "subnet",
            Kind::Vnet => "virtual network",
            Kind::PrivateEndpoint => "private endpoint",
            Kind::Storage => "storage account",
            Kind::Sql => "SQL server",
            Kind::KeyVault => "key vault",
            Kind::Cosmos => "Cosmos DB account",
            Kind::EventHub => "Event Hubs namespace",
            Kind::ServiceBus => "Service Bus namespace",
            Kind::Acr => "container registry",
            Kind::Web => "app",
            Kind::Cognitive => "Cognitive Services account",
            Kind::Onprem => "site",
        }
    }

    /// The kind of the stores of `service`; `None` for those that only their id names.
    pub fn of_service(service: Service) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.is_store() && kind.as_str() == service.as_str())
    }

    /// Whether members have parts that a second segment names.
    pub fn is_store(self) -> bool {
        Service::EXTERNAL.iter().any(|service| service.as_str() == self.as_str())
    }
}

/// The words that start a selector without naming members of the estate.
const OTHER_WORDS: [&str; 6] = ["ip", "internet", "fqdn", "label", "tag", "external"];

/// What a selector says, before anything is looked up. Names are in lower case.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// A resource id, normalised.
    Id(Sym),
    /// A name of anything.
    Bare(Glob),
    /// A kind and a name; for a subnet `within` is its network, for a store `part` is its part.
    Named {
        /// The word before the colon.
        kind: Kind,
        /// The network of a subnet, where one is written.
        within: Option<Glob>,
        /// The name.
        name: Glob,
        /// The part of a store, where one is written.
        part: Option<Glob>,
    },
    /// An address, literally.
    Ip(IpAddr),
    /// The internet, or one address there.
    Internet(Option<IpAddr>),
    /// A host name, lower case, without a trailing dot.
    Fqdn(Sym),
    /// What carries a label of `watertight.toml`.
    Label(Sym),
    /// What carries an Azure tag; keys are compared without case, values as written.
    Tag {
        /// The key.
        key: Glob,
        /// The value.
        value: Glob,
    },
    /// Any store of the service outside the trust boundary.
    External(Service),
}

/// A name that may hold `*`, `?`, `[…]` or `{…}`.
#[derive(Clone, Debug)]
pub struct Glob {
    text: String,
    /// What is matched with, where the text is not the name itself.
    pattern: Option<String>,
}

/// Bytes of a pattern; names of Azure have 260 characters at most.
const LONGEST_PATTERN: usize = 4096;

impl Glob {
    /// Reads `text`; the error says what is wrong with the pattern.
    pub fn new(text: &str) -> Result<Glob, String> {
        if !text.contains(['*', '?', '[', '{']) {
            return Ok(Glob { text: text.to_owned(), pattern: None });
        }
        if text.len() > LONGEST_PATTERN {
            return Err("it is too large".to_owned());
        }
        // An exclamation mark in front is part of the name.
        let pattern = if text.starts_with('!') { format!("\\{text}") } else { text.to_owned() };
        fast_glob::validate(&pattern).map_err(|error| error.to_string())?;
        Ok(Glob { text: text.to_owned(), pattern: Some(pattern) })
    }

    /// The name, where it stands for nothing but itself.
    pub fn exact(&self) -> Option<&str> {
        self.pattern.is_none().then_some(self.text.as_str())
    }

    /// The text as given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether `name` is meant.
    pub fn matches(&self, name: &str) -> bool {
        self.pattern.as_ref().map_or(self.text == name, |pattern| fast_glob::glob_match(pattern, name))
    }
}

/// A selector that cannot be used, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectorError {
    /// What is wrong: one lower-case clause that quotes the selector.
    pub message: String,
    /// What it could have meant, sorted; empty where nothing comes near.
    pub candidates: Vec<String>,
    /// Something to do, where there is something.
    pub help: Option<String>,
}

/// Candidates that a message lists.
const LISTED: usize = 12;

impl SelectorError {
    /// An error without candidates.
    pub fn new(message: impl Into<String>) -> SelectorError {
        SelectorError { message: message.into(), candidates: Vec::new(), help: None }
    }

    /// The same with something to do about it.
    pub fn help(mut self, help: impl Into<String>) -> SelectorError {
        self.help = Some(help.into());
        self
    }

    /// The same with candidates, sorted here.
    pub fn candidates(mut self, mut candidates: Vec<String>) -> SelectorError {
        candidates.sort_unstable();
        candidates.dedup();
        self.candidates = candidates;
        self
    }

    /// The candidates a message has room for, as one text.
    pub fn listed(&self) -> String {
        let shown = self.candidates.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
        let rest = self.candidates.len().saturating_sub(LISTED);
        if rest == 0 { shown } else { format!("{shown} and {rest} more") }
    }
}

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.candidates.is_empty() {
            write!(f, ": {}", self.listed())?;
        }
        if let Some(help) = &self.help {
            write!(f, "; {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SelectorError {}

/// Reads a selector.
///
/// # Errors
/// What is wrong with the text; whether anything bears the name is not looked up here.
pub fn parse(text: &str) -> Result<Pattern, SelectorError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(
            SelectorError::new("the selector is empty").help("write a resource id, a name, or a kind and a path such as `vm:web01`")
        );
    }
    if text.starts_with('/') || text.to_ascii_lowercase().starts_with("subscriptions/") {
        return Ok(Pattern::Id(normal_id(text)));
    }
    if text.eq_ignore_ascii_case("internet") {
        return Ok(Pattern::Internet(None));
    }
    let Some((word, rest)) = text.split_once(':') else {
        return Ok(Pattern::Bare(glob(text, &text.to_lowercase())?));
    };
    let word = word.to_ascii_lowercase();
    if text.parse::<IpAddr>().is_ok() {
        return Err(SelectorError::new(format!("`{text}` is an address")).help(format!("write `ip:{text}` or `internet:{text}`")));
    }
    if rest.is_empty() {
        return Err(SelectorError::new(format!("`{text}` names nothing")).help(format!("write what `{word}` is meant after the colon")));
    }
    if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.as_str() == word) {
        return named(text, kind, &rest.to_lowercase());
    }
    match word.as_str() {
        "ip" => address(text, rest).map(Pattern::Ip),
        "internet" => {
            let ip = address(text, rest)?;
            if !net::is_public(ip) {
                return Err(
                    SelectorError::new(format!("`{ip}` is no public address")).help(format!("write `ip:{ip}` for an address inside"))
                );
            }
            Ok(Pattern::Internet(Some(ip)))
        }
        "fqdn" => {
            let name = rest.trim_end_matches('.').to_lowercase();
            let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if name.is_empty() || !name.chars().all(fine) || name.split('.').any(str::is_empty) {
                return Err(SelectorError::new(format!("`{rest}` is no host name"))
                    .help("write a name such as `fqdn:corpdata.blob.core.windows.net`"));
            }
            Ok(Pattern::Fqdn(Sym::new(&name)))
        }
        "label" => Ok(Pattern::Label(Sym::lower(rest))),
        "tag" => {
            let Some((key, value)) = rest.split_once('=') else {
                return Err(SelectorError::new(format!("`{text}` has no `=`")).help("write `tag:key=value`, with `*` for any value"));
            };
            Ok(Pattern::Tag { key: glob(text, &key.to_lowercase())?, value: glob(text, value)? })
        }
        "external" => {
            let service = rest.to_ascii_lowercase();
            match Service::parse(&service).filter(|service| Service::EXTERNAL.contains(service)) {
                Some(service) => Ok(Pattern::External(service)),
                None => {
                    let words: Vec<&str> = Service::EXTERNAL.iter().map(|service| service.as_str()).collect();
                    Err(SelectorError::new(format!("`{rest}` is no external service")).help(format!("write one of {}", words.join(", "))))
                }
            }
        }
        _ => {
            let words = Kind::ALL.iter().map(|kind| kind.as_str()).chain(OTHER_WORDS);
            let near = nearest(&word, words.clone());
            Err(SelectorError::new(format!("`{word}:` is no kind of selector")).help(match near.first() {
                Some(near) => format!("did you mean `{near}:{rest}`?"),
                None => format!("kinds are {}", words.collect::<Vec<_>>().join(", ")),
            }))
        }
    }
}

fn glob(text: &str, part: &str) -> Result<Glob, SelectorError> {
    Glob::new(part).map_err(|why| SelectorError::new(format!("`{text}` is no pattern: {why}")))
}

fn address(text: &str, rest: &str) -> Result<IpAddr, SelectorError> {
    let bare = rest.trim().trim_start_matches('[').trim_end_matches(']');
    bare.parse().map_err(|_| SelectorError::new(format!("`{rest}` in `{text}` is no address")).help("write one IPv4 or IPv6 address"))
}

/// `name`, `network/subnet`, `store/part`.
fn named(text: &str, kind: Kind, path: &str) -> Result<Pattern, SelectorError> {
    let (head, tail) = match path.split_once('/') {
        Some((head, tail)) => (head, Some(tail)),
        None => (path, None),
    };
    let bad = head.is_empty() || tail.is_some_and(|tail| tail.is_empty() || tail.contains('/'));
    if bad || (tail.is_some() && kind != Kind::Subnet && !kind.is_store()) {
        let shape = match kind {
            Kind::Subnet => "`subnet:<network>/<subnet>`".to_owned(),
            kind if kind.is_store() => format!("`{0}:<name>` or `{0}:<name>/<part>`", kind.as_str()),
            kind => format!("`{}:<name>`", kind.as_str()),
        };
        return Err(SelectorError::new(format!("`{text}` is no {}", kind.noun())).help(format!("write {shape}")));
    }
    let head = glob(text, head)?;
    let tail = tail.map(|tail| glob(text, tail)).transpose()?;
    Ok(match (kind, tail) {
        (Kind::Subnet, Some(name)) => Pattern::Named { kind, within: Some(head), name, part: None },
        (_, part) => Pattern::Named { kind, within: None, name: head, part },
    })
}

/// The words nearest to `word`, best first, at most three; none that differ in more than a third of the letters.
pub fn nearest<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let limit = 1 + word.chars().count() / 4;
    let mut near: Vec<(usize, &str)> = words
        .filter(|other| other.len().abs_diff(word.len()) <= limit)
        .map(|other| (distance(word, other), other))
        .filter(|(far, _)| *far <= limit)
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(3).map(|(_, other)| other).collect()
}

/// Insertions, deletions and replacements of characters that make one text the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found() {
        assert_eq!(nearest("stroage", ["storage", "sql"].into_iter()), ["storage"]);
        assert_eq!(nearest("zzzzz", ["storage", "sql"].into_iter()), Vec::<&str>::new());
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
