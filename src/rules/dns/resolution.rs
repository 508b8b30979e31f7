//! What a name resolves to, and how several answers become one.

use std::net::IpAddr;

use crate::facts::store_facts::StorePart;
use crate::model::Sym;

/// What kind of answer a name has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// Addresses that a zone, a server's own records or a hosts file hold.
    Addresses,
    /// The public address of the name.
    Public,
    /// The name does not exist.
    NxDomain,
    /// The name exists without an address.
    NoData,
    /// The server gives no answer.
    ServFail,
    /// The answer depends on something that is not known.
    Unknown,
}

impl Answer {
    /// The word in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Answer::Addresses => "addresses",
            Answer::Public => "public",
            Answer::NxDomain => "nxdomain",
            Answer::NoData => "nodata",
            Answer::ServFail => "servfail",
            Answer::Unknown => "unknown",
        }
    }
}

/// Whether others who may be asked say something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambiguity {
    /// Nobody does.
    None,
    /// Another server of the client does; this is the first one's answer (DNS-04).
    Servers,
    /// Another zone of the same name does, which Azure does not allow: one of them is not in force (DNS-12).
    Zones,
}

/// What a name resolves to, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The kind of answer.
    pub answer: Answer,
    /// Its addresses, sorted; for an unknown answer those that are possible.
    pub addresses: Vec<IpAddr>,
    /// The names that were followed, the one asked for first.
    pub chain: Vec<String>,
    /// In plain words.
    pub reason: String,
    /// The reason code of an answer that fails or is not known; else empty.
    pub code: &'static str,
    /// The records that answered.
    pub records: Vec<Sym>,
    /// What decided: a zone, a link, a server's resource; empty where none did.
    pub decider: Sym,
    /// The endpoint whose public address a public answer is.
    pub part: Option<StorePart>,
    /// Whether others say something else.
    pub ambiguity: Ambiguity,
}

impl Resolution {
    pub(super) fn new(answer: Answer, name: &str, reason: impl Into<String>) -> Resolution {
        let code = match answer {
            Answer::Addresses | Answer::Public => "",
            Answer::NxDomain => "DNS_NX",
            Answer::NoData => "DNS_NODATA",
            Answer::ServFail | Answer::Unknown => "DNS_UNKNOWN",
        };
        Resolution {
            answer,
            addresses: Vec::new(),
            chain: vec![name.to_owned()],
            reason: reason.into(),
            code,
            records: Vec::new(),
            decider: Sym::EMPTY,
            part: None,
            ambiguity: Ambiguity::None,
        }
    }

    /// Nothing can be said of a name.
    pub fn unknown(reason: &str) -> Resolution {
        Resolution::new(Answer::Unknown, "", reason)
    }

    /// The chain leads in a circle (DNS-22).
    pub(super) fn circle(name: &str, reason: &str) -> Resolution {
        Resolution { code: "DNS_LOOP", ..Resolution::new(Answer::ServFail, name, reason) }
    }

    /// Addresses, sorted, each once.
    pub(super) fn addresses(name: &str, mut addresses: Vec<IpAddr>, reason: impl Into<String>) -> Resolution {
        addresses.sort_unstable();
        addresses.dedup();
        Resolution { addresses, ..Resolution::new(Answer::Addresses, name, reason) }
    }

    pub(super) fn by(mut self, decider: Sym) -> Resolution {
        self.decider = decider;
        self
    }

    /// The same answer, reached from `name`.
    pub(super) fn from(mut self, name: &str) -> Resolution {
        self.chain.insert(0, name.to_owned());
        self
    }

    /// Whether the client could not tell the two apart.
    pub(super) fn same(&self, other: &Resolution) -> bool {
        self.answer == other.answer && self.addresses == other.addresses && self.part == other.part
    }

    /// Takes the addresses and records of `others` too.
    fn with_all(mut self, others: Vec<Resolution>) -> Resolution {
        for other in others {
            self.addresses.extend(other.addresses);
            self.records.extend(other.records);
        }
        self.addresses.sort_unstable();
        self.addresses.dedup();
        Sym::sort(&mut self.records);
        self.records.dedup();
        self
    }
}

/// The answer where it is not known which of `possible` applies: theirs where they agree, else unknown with `reason`.
pub(super) fn either(name: &str, possible: Vec<Resolution>, reason: &str) -> Resolution {
    let Some(first) = possible.first() else { return Resolution::new(Answer::Unknown, name, reason) };
    if possible.iter().all(|one| one.same(first)) {
        return first.clone();
    }
    // What is not known anyway says best what is missing.
    let decider = possible.iter().find(|one| one.answer == Answer::Unknown).unwrap_or(first).decider;
    Resolution::new(Answer::Unknown, name, reason).by(decider).with_all(possible)
}

/// The answer of a client with several servers: theirs where they agree, else that of the first one that answers (DNS-04).
///
/// A server that surely gives no answer is passed over: clients ask the next one.
pub(super) fn first(name: &str, answers: Vec<Resolution>) -> Resolution {
    let at = answers.iter().position(|one| one.answer != Answer::ServFail).unwrap_or(0);
    let Some(mut first) = answers.get(at).cloned() else { return Resolution::new(Answer::Unknown, name, "no server is known") };
    if !answers.iter().all(|one| one.same(&first)) {
        first.ambiguity = Ambiguity::Servers;
        first.reason.push_str("; the DNS servers of the client give different answers, and this is that of the first one");
    }
    first
}

/// The answer of several zones of one name, all of which are linked: everything they hold together (DNS-12).
pub(super) fn union(answers: Vec<Resolution>) -> Option<Resolution> {
    let best = |one: &&Resolution| match one.answer {
        Answer::Unknown => 0,
        Answer::Addresses => 1,
        Answer::Public => 2,
        Answer::NoData => 3,
        Answer::NxDomain => 4,
        Answer::ServFail => 5,
    };
    let first = answers.iter().min_by_key(best)?.clone();
    if answers.iter().all(|one| one.same(&first)) {
        return Some(first);
    }
    let answer = first.answer;
    let mut all = first.with_all(answers.into_iter().filter(|one| one.answer == answer).collect());
    all.ambiguity = Ambiguity::Zones;
    all.reason.push_str("; another linked private zone of the same name says something else");
    Some(all)
}
