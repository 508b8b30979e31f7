//! The steps a store's side adds to a way: name, policy, endpoint, consent, firewall, delivery.

use crate::explain::packet::short;
use crate::explain::way::{Kind, Step};
use crate::facts::private_access::Consent;
use crate::facts::store_facts::{PublicAccess, Service};
use crate::model::{Span, Stage, Sym, Tri};
use crate::rules::consent::{self, View};
use crate::rules::dns::{Answer, Resolution};
use crate::rules::endpoint_policy;
use crate::rules::paas_firewall::{self, Item, Source};

/// All, nothing, or all of it possibly.
pub fn span(tri: Tri) -> Span {
    match tri {
        Tri::Yes => Span::ALL,
        Tri::Maybe => Span::UNKNOWN,
        Tri::No => Span::NONE,
    }
}

/// `code` where the step is not certain.
fn code(tri: Tri, code: &'static str) -> &'static str {
    if tri == Tri::Maybe { code } else { "" }
}

/// What the client's name resolution says; `asked` is what it asks for, `passes` whether it leads onto this way.
pub fn dns(resolution: &Resolution, asked: &str, passes: Tri, more: &str) -> Step {
    let answer = match resolution.answer {
        Answer::Addresses => {
            let list: Vec<String> = resolution.addresses.iter().map(ToString::to_string).collect();
            format!("{asked} resolves to {}", list.join(", "))
        }
        Answer::Public => format!("{asked} resolves to its public address"),
        Answer::NxDomain => format!("{asked} does not exist for this client"),
        Answer::NoData => format!("{asked} has no address for this client"),
        Answer::ServFail => format!("{asked} gets no answer"),
        Answer::Unknown => format!("what {asked} resolves to is not known"),
    };
    let record = resolution.records.first().copied().unwrap_or(Sym::EMPTY);
    let refused = matches!(resolution.answer, Answer::NxDomain | Answer::NoData | Answer::ServFail);
    let rule = match record.is_empty() {
        true if refused => Sym::new(resolution.answer.as_str()),
        true => resolution.decider,
        false => record,
    };
    Step {
        stage: Stage::Dns,
        span: span(passes),
        resource: resolution.decider,
        rule: rule.as_str().to_owned(),
        source: record,
        text: format!("{answer}: {}{more}", resolution.reason),
        kind: if record.is_empty() { Kind::Rule } else { Kind::Fact },
        label: if resolution.addresses.is_empty() { "dns.1" } else { "dns.3" },
        code: code(passes, "DNS_UNKNOWN"),
        taken: None,
    }
}

/// What the service endpoint policies of `subnet` say of the account.
///
/// `policy` is one of those attached; `missing` says that one of them is not in the input, `contested` that it and the subnet disagree whether it is attached.
pub fn policy(subnet: Sym, decision: &endpoint_policy::Decision, policy: Sym, missing: bool, contested: bool) -> Step {
    let text = match (decision.admitted, decision.effective) {
        (Tri::Yes, Tri::Yes) => format!("the service endpoint policies list {}", decision.scope),
        (Tri::Yes, _) => "the service endpoint policies list no resource and filter nothing".to_owned(),
        (Tri::Maybe, _) if contested => "a service endpoint policy and the subnet disagree on whether it is attached".to_owned(),
        (Tri::Maybe, _) => "whether the service endpoint policies let the account through is not known".to_owned(),
        (Tri::No, _) => "no service endpoint policy of the subnet lists the account".to_owned(),
    };
    Step {
        stage: Stage::ServiceEndpointPolicy,
        span: span(decision.admitted),
        resource: subnet,
        rule: if decision.scope.is_empty() { short(policy) } else { decision.scope.as_str() }.to_owned(),
        source: decision.definition,
        text,
        kind: if decision.definition.is_empty() { Kind::Absence } else { Kind::Fact },
        label: if decision.effective == Tri::No { "sep.4" } else { "sep.2" },
        code: code(decision.admitted, if missing { "W-MISSING" } else { "SEP_DENY" }),
        taken: None,
    }
}

/// What answers behind a private endpoint: the sub-resource `group` of its target, at the ports of `answers` (PE-03, PE-17, PE-29).
pub fn endpoint(endpoint: Sym, group: Sym, answers: Span) -> Step {
    let text = if group.is_empty() && answers.sure == answers.may {
        "behind the private endpoint stands a Private Link service".to_owned()
    } else if group.is_empty() {
        "what answers behind the private endpoint is not known".to_owned()
    } else if answers.sure.is_empty() {
        format!("at which ports `{group}` answers behind the private endpoint is not known")
    } else {
        format!("behind the private endpoint only `{group}` answers, at {}", answers.may)
    };
    Step {
        stage: Stage::PrivateEndpoint,
        span: answers,
        resource: endpoint,
        rule: group.as_str().to_owned(),
        source: Sym::EMPTY,
        text,
        kind: Kind::Fact,
        label: "pe.1",
        code: if answers.sure == answers.may { "" } else { "PE_PORT" },
        taken: None,
    }
}

/// The same, where it is not known whether the connection is for this sub-resource.
pub fn perhaps_for(at: Sym, group: Sym, contested: bool, answers: Span) -> Step {
    let text = match contested {
        true => format!("whether the private endpoint is for `{group}` is not known: it and the resource name different sub-resources"),
        false => format!("whether the private endpoint is for `{group}` is not in the input"),
    };
    Step { text, kind: Kind::Assumption, code: "W-MISSING", ..endpoint(at, group, answers.doubted()) }
}

/// Whether the connection is approved.
pub fn consent(endpoint: Sym, decision: &consent::Decision) -> Step {
    let state = decision.state.as_str();
    let text = match decision.view {
        View::Consumer => format!("the connection is {state} on the private endpoint"),
        View::Provider => format!("the connection is {state} on the resource"),
        View::NotListed => "the resource no longer lists the connection".to_owned(),
        View::ListMissing => "the list of connections of the resource is not in the input".to_owned(),
    };
    let uncertain = if decision.state == Consent::Unknown && decision.view != View::ListMissing { "W-UNSUPPORTED" } else { "W-MISSING" };
    Step {
        stage: Stage::Consent,
        span: span(decision.admitted),
        resource: endpoint,
        rule: state.to_owned(),
        source: decision.connection,
        text,
        kind: Kind::Fact,
        label: match decision.view {
            View::Consumer => "consent.1",
            View::Provider | View::NotListed => "consent.2",
            View::ListMissing => "consent.3",
        },
        code: code(decision.admitted, uncertain),
        taken: None,
    }
}

/// What the store's firewall says to packets that show `seen`.
pub fn firewall(store: Sym, service: Service, decision: &paas_firewall::Decision, seen: &Source) -> Step {
    let passes = decision.admitted;
    let (rule, source, text, kind, label, uncertain) = match decision.item {
        Item::PublicAccess(PublicAccess::Unknown) => (
            "publicNetworkAccess".to_owned(),
            Sym::EMPTY,
            "whether public network access is on is not known".to_owned(),
            Kind::Fact,
            "firewall.1",
            "W-UNSUPPORTED",
        ),
        Item::PublicAccess(public) => {
            let (word, text) = match public {
                PublicAccess::SecuredByPerimeter => {
                    ("SecuredByPerimeter", "public network access is left to a perimeter, and the store is in none")
                }
                _ => ("Disabled", "public network access is off, for service endpoints too"),
            };
            (format!("publicNetworkAccess={word}"), Sym::EMPTY, text.to_owned(), Kind::Fact, "firewall.1", "")
        }
        Item::Default(Tri::No) if !service.has_default_action() => {
            (String::new(), Sym::EMPTY, "no firewall rule admits the source".to_owned(), Kind::Absence, "firewall.5", "")
        }
        Item::Default(open) if !service.has_default_action() => {
            let text = match open {
                Tri::Yes => "the firewall filters nobody",
                _ => "whether the firewall filters anybody is not known",
            };
            (String::new(), Sym::EMPTY, text.to_owned(), Kind::Fact, "firewall.3", "W-UNSUPPORTED")
        }
        Item::Default(Tri::Yes) => (
            "defaultAction=Allow".to_owned(),
            Sym::EMPTY,
            "the firewall's default action admits everybody".to_owned(),
            Kind::Fact,
            "firewall.3",
            "",
        ),
        Item::Default(Tri::Maybe) => (
            "defaultAction".to_owned(),
            Sym::EMPTY,
            "the firewall's default action is not known".to_owned(),
            Kind::Fact,
            "firewall.3",
            "W-UNSUPPORTED",
        ),
        Item::Default(Tri::No) => (
            "defaultAction=Deny".to_owned(),
            Sym::EMPTY,
            "no rule admits the source and the default action denies it".to_owned(),
            Kind::Fact,
            "firewall.3",
            "",
        ),
        Item::Subnet { rule, subnet } => {
            let text = match passes {
                Tri::Yes => "a virtual network rule admits the subnet",
                _ => "whether the virtual network rule for the subnet is in effect is not known",
            };
            (subnet.as_str().to_owned(), rule, text.to_owned(), Kind::Fact, "firewall.4", "W-UNSUPPORTED")
        }
        Item::Ip { rule, from, to } => {
            let range = if from == to { from.to_string() } else { format!("{from}-{to}") };
            let text = match passes {
                Tri::Yes => format!("an IP rule admits {range}"),
                _ => format!("the IP rule for {range} admits some of the addresses the packets may come from"),
            };
            (range, rule, text, Kind::Fact, "firewall.5", "FW_IP")
        }
        Item::AllAzure { rule } => {
            ("0.0.0.0".to_owned(), rule, "a rule admits everything from Azure, of any tenant".to_owned(), Kind::Fact, "sql.1", "")
        }
        Item::Resource { resource } => {
            let whom = if resource.is_empty() { "somebody, and whom is not in the input".to_owned() } else { resource.to_string() };
            let text = format!("a resource instance rule names {whom}");
            (resource.as_str().to_owned(), Sym::EMPTY, text, Kind::Fact, "storage.1", "FW_RESOURCE")
        }
        Item::Trusted => {
            let text = match passes {
                Tri::Yes => "the firewall lets trusted Azure services through",
                _ => "trusted Azure services pass, where the caller's identity has a role on the data",
            };
            ("bypass=AzureServices".to_owned(), Sym::EMPTY, text.to_owned(), Kind::Fact, "keyvault.1", "FW_TRUSTED")
        }
        Item::NoFirewall => {
            let what = if service == Service::Storage { "an account of the classic model" } else { "this tier" };
            (String::new(), Sym::EMPTY, format!("{what} has no firewall"), Kind::Default, "firewall.3", "")
        }
        Item::PrivateEndpoint => {
            let text = match passes {
                Tri::No => "public network access is not set, and the private endpoint of the resource closes it",
                _ => "a private endpoint is connected, which may close the public front end",
            };
            ("publicNetworkAccess".to_owned(), Sym::EMPTY, text.to_owned(), Kind::Fact, "cosmos.1", "PNA_OFF")
        }
        Item::Listed { rule, allow } => {
            let name = rule.as_str().rsplit('/').next().unwrap_or_default();
            let text = match (passes, allow) {
                (Tri::Maybe, _) => format!("whether the access restriction {name} decides is not known"),
                (_, true) => format!("the access restriction {name} allows it"),
                (_, false) => format!("the access restriction {name} denies it"),
            };
            (name.to_owned(), rule, text, Kind::Fact, "site.1", "APP_RULE")
        }
        Item::Unmodelled => (
            String::new(),
            Sym::EMPTY,
            "beyond its switch for public access the firewall of this service is not modelled".to_owned(),
            Kind::Assumption,
            "firewall.3",
            "W-UNSUPPORTED",
        ),
        Item::Missing { list } => (
            list.as_str().to_owned(),
            Sym::EMPTY,
            format!("the rules of type {list} are not in the input"),
            Kind::Absence,
            "firewall.5",
            "W-MISSING",
        ),
        Item::Perimeter => (
            String::new(),
            Sym::EMPTY,
            "a network security perimeter may hold the store: its members are not in the input".to_owned(),
            Kind::Assumption,
            "firewall.2",
            "W-UNSUPPORTED",
        ),
        Item::Hidden => (
            String::new(),
            Sym::EMPTY,
            "rules inside its databases may admit the source: no export holds them".to_owned(),
            Kind::Assumption,
            "firewall.5",
            "W-MISSING",
        ),
        Item::Unread => (
            String::new(),
            Sym::EMPTY,
            "a rule of the firewall could not be read".to_owned(),
            Kind::Assumption,
            "firewall.5",
            "W-UNSUPPORTED",
        ),
        Item::Unknown => {
            (String::new(), Sym::EMPTY, "the store's firewall is not in the input".to_owned(), Kind::Absence, "firewall.3", "W-MISSING")
        }
    };
    let text = match noticed(service, decision.item, seen) {
        Some(error) if passes == Tri::No => format!("{text}: the client gets {error}"),
        _ => text,
    };
    let (stage, uncertain) = (firewall_stage(service), if uncertain.is_empty() { "W-UNSUPPORTED" } else { uncertain });
    Step { stage, span: span(passes), resource: store, rule, source, text, kind, label, code: code(passes, uncertain), taken: None }
}

/// What a client notices of a refusal: the front end answers, with an error (M-11).
fn noticed(service: Service, item: Item, seen: &Source) -> Option<&'static str> {
    match service {
        Service::Sql if matches!(item, Item::PublicAccess(_)) => Some("error 47073"),
        Service::Sql if matches!(seen, Source::ServiceEndpoint { .. }) => Some("error 40914"),
        Service::Sql => Some("error 40615"),
        Service::Storage | Service::Acr => Some("HTTP 403 or 404"),
        Service::KeyVault | Service::Cosmos | Service::Web => Some("HTTP 403"),
        _ => None,
    }
}

/// What a public front end answers: its service's ports and nothing else (M-16, SE-12).
pub fn front_end(store: Sym, service: Service, part: Sym, answers: Span) -> Step {
    let rule = "port".to_owned();
    Step { stage: firewall_stage(service), rule, ..delivered(store, part, answers) }
}

/// A store that is not in the input.
pub fn unseen(store: Sym, part: Sym) -> Step {
    let text = format!("the store of `{part}` is not in the input");
    Step { stage: Stage::PaasFirewall, kind: Kind::Absence, code: "W-MISSING", text, ..delivered(store, part, Span::UNKNOWN) }
}

/// The stage of a service's firewall.
fn firewall_stage(service: Service) -> Stage {
    match service {
        Service::Storage => Stage::StorageFirewall,
        Service::KeyVault => Stage::KeyvaultFirewall,
        Service::Sql => Stage::SqlFirewall,
        Service::Cosmos => Stage::CosmosFirewall,
        Service::EventHub => Stage::EventhubFirewall,
        Service::ServiceBus => Stage::ServicebusFirewall,
        Service::Acr => Stage::AcrFirewall,
        Service::Web => Stage::WebFirewall,
        Service::Cognitive => Stage::CognitiveFirewall,
        _ => Stage::PaasFirewall,
    }
}

/// The end of the way: what the front end answers.
pub fn delivered(store: Sym, part: Sym, answers: Span) -> Step {
    let text = if answers == Span::ALL {
        format!("`{part}` receives it")
    } else if answers.sure.is_empty() {
        format!("at which ports `{part}` answers is not known")
    } else {
        format!("`{part}` answers at {}", answers.may)
    };
    Step {
        stage: Stage::Delivered,
        span: answers,
        resource: store,
        rule: part.as_str().to_owned(),
        source: Sym::EMPTY,
        text,
        kind: Kind::Default,
        label: "pe.5",
        code: if answers.sure == answers.may { "" } else { "PE_PORT" },
        taken: None,
    }
}

/// A step of the network's that only this side knows of.
pub fn route(tri: Tri, resource: Sym, text: &str) -> Step {
    Step {
        stage: Stage::Route,
        span: span(tri),
        resource,
        rule: String::new(),
        source: Sym::EMPTY,
        text: text.to_owned(),
        kind: Kind::Absence,
        label: "pe.2",
        code: code(tri, "W-MISSING"),
        taken: None,
    }
}
