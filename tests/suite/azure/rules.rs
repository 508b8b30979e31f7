//! Effective rules in one form, whether Azure or we print them, and what they say of one packet.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::Value;
use watertight::model::{Prefix, net};

use super::recording::{list, name, text};

/// The groups at an interface and their rules, as lines; and what the tags of a rule stand for, by rule and side.
#[derive(Default)]
pub struct Groups {
    lines: BTreeSet<String>,
    expanded: BTreeMap<(String, &'static str), Vec<Prefix>>,
}

impl Groups {
    /// Of `az network nic list-effective-nsg`, and of ours. What stands there without a group only tells what tags stand for.
    pub fn effective(document: &Value) -> Groups {
        let mut groups = Groups::default();
        for group in list(&document["value"]).iter().filter(|group| group["networkSecurityGroup"].is_object()) {
            for (kind, of) in group["association"].as_object().into_iter().flatten().filter(|(_, of)| of.is_object()) {
                groups.lines.insert(format!("a group on {} {}", kind.to_lowercase(), name(text(&of["id"]))));
            }
            list(&group["effectiveSecurityRules"]).iter().for_each(|rule| groups.add(rule));
        }
        groups
    }

    /// Of `az network watcher show-security-group-view`.
    pub fn view(associations: &Value) -> Groups {
        let mut groups = Groups::default();
        for (key, kind) in [("networkInterfaceAssociation", "networkinterface"), ("subnetAssociation", "subnet")] {
            if let Some(id) = associations[key]["id"].as_str() {
                groups.lines.insert(format!("a group on {kind} {}", name(id)));
            }
        }
        // The view adds what happens where no group says anything: no rule of any group.
        let added = |rule: &&Value| !["DefaultInboundDenyAll", "DefaultOutboundDenyAll"].contains(&text(&rule["name"]));
        list(&associations["effectiveSecurityRules"]).iter().filter(added).for_each(|rule| groups.add(rule));
        groups
    }

    fn add(&mut self, rule: &Value) {
        let called = rule_name(text(&rule["name"]));
        let field = |one: &str, many: &str| {
            let mut values: Vec<String> = list(&rule[many]).iter().map(|value| spelled(text(value))).collect();
            if values.is_empty() {
                values.push(spelled(text(&rule[one])));
            }
            values.sort();
            values.dedup();
            values.join(",")
        };
        self.lines.insert(format!(
            "{} {} {} {} {called}: {} {} to {} {}",
            text(&rule["direction"]).to_lowercase(),
            rule["priority"],
            text(&rule["access"]),
            text(&rule["protocol"]),
            field("sourceAddressPrefix", "sourceAddressPrefixes"),
            field("sourcePortRange", "sourcePortRanges"),
            field("destinationAddressPrefix", "destinationAddressPrefixes"),
            field("destinationPortRange", "destinationPortRanges"),
        ));
        for (side, key) in [("source", "expandedSourceAddressPrefix"), ("destination", "expandedDestinationAddressPrefix")] {
            let prefixes: Vec<Prefix> = list(&rule[key]).iter().filter_map(|prefix| text(prefix).parse().ok()).collect();
            if !prefixes.is_empty() {
                self.expanded.insert((called.clone(), side), prefixes);
            }
        }
    }

    /// How much there is.
    pub fn summary(&self) -> String {
        match self.lines.len() {
            0 => "no rules".to_owned(),
            many => format!("{many} lines"),
        }
    }

    /// What only Azure says and what only we say; the same words where all is equal. What tags stand for counts where Azure says it.
    pub fn against(&self, ours: &Groups) -> (String, String) {
        let (mut azure_only, mut ours_only): (Vec<String>, Vec<String>) =
            (self.lines.difference(&ours.lines).cloned().collect(), ours.lines.difference(&self.lines).cloned().collect());
        for ((rule, side), azure) in &self.expanded {
            let ours = ours.expanded.get(&(rule.clone(), *side)).map_or(&[][..], Vec::as_slice);
            let beyond = |these: &[Prefix], those: &[Prefix]| {
                let mut left = net::subtract(these, those);
                left.sort();
                left.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
            };
            for (into, left) in [(&mut azure_only, beyond(azure, ours)), (&mut ours_only, beyond(ours, azure))] {
                if !left.is_empty() {
                    into.push(format!("{side} of {rule} holds {left}"));
                }
            }
        }
        told_apart(&azure_only, &ours_only, &self.summary())
    }
}

/// Both sides in words: `same` where neither has anything of its own.
fn told_apart(azure_only: &[String], ours_only: &[String], same: &str) -> (String, String) {
    if azure_only.is_empty() && ours_only.is_empty() {
        return (same.to_owned(), same.to_owned());
    }
    let words = |lines: &[String]| if lines.is_empty() { "the rest alone".to_owned() } else { lines.join("; ") };
    (words(azure_only), words(ours_only))
}

/// A rule's name without what says whose it is, in lower case.
fn rule_name(called: &str) -> String {
    let name = name(called);
    ["userrule_", "defaultrule_"].iter().find_map(|prefix| name.strip_prefix(prefix)).map_or(name.clone(), ToOwned::to_owned)
}

fn spelled(value: &str) -> String {
    if value == "*" { "0.0.0.0/0".to_owned() } else { value.to_owned() }
}

/// What the rules of each group say of one packet.
#[derive(Default)]
pub struct Diagnosis {
    /// What happens in the end; empty where nothing was said.
    result: String,
    /// Of each rule of each group whether its fields match.
    rules: BTreeMap<(String, String), String>,
}

impl Diagnosis {
    /// What Azure says.
    pub fn azure(result: &Value) -> Diagnosis {
        let mut diagnosis = Diagnosis::default();
        for result in list(&result["results"]) {
            let result = &result["networkSecurityGroupResult"];
            diagnosis.result = text(&result["securityRuleAccessResult"]).to_owned();
            for group in list(&result["evaluatedNetworkSecurityGroups"]) {
                let nsg = name(text(&group["networkSecurityGroupId"]));
                diagnosis.result += &format!(
                    ", {} by {} of {nsg}",
                    text(&group["matchedRule"]["action"]),
                    rule_name(text(&group["matchedRule"]["ruleName"]))
                );
                for rule in list(&group["rulesEvaluationResult"]) {
                    let fields = ["protocolMatched", "sourceMatched", "sourcePortMatched", "destinationMatched", "destinationPortMatched"];
                    let words = fields.map(|field| rule[field].to_string()).join(" ");
                    diagnosis.rules.insert((nsg.clone(), rule_name(text(&rule["name"]))), words);
                }
            }
        }
        diagnosis
    }

    /// What the effective rules that we print say of the same packet, the first that matches deciding.
    pub fn ours(document: &Value, packet: &Value) -> Diagnosis {
        let mut diagnosis = Diagnosis::default();
        let mut denied = false;
        let mut by = String::new();
        for group in list(&document["value"]).iter().filter(|group| group["networkSecurityGroup"].is_object()) {
            let nsg = name(text(&group["networkSecurityGroup"]["id"]));
            let mut rules: Vec<&Value> =
                list(&group["effectiveSecurityRules"]).iter().filter(|rule| rule["direction"] == packet["direction"]).collect();
            rules.sort_by_key(|rule| rule["priority"].as_u64());
            let mut decided = None;
            for rule in rules {
                let called = rule_name(text(&rule["name"]));
                let protocol = text(&rule["protocol"]);
                let fields = [
                    protocol == "All" || protocol.eq_ignore_ascii_case(text(&packet["protocol"])),
                    holds(&rule["sourceAddressPrefixes"], &rule["expandedSourceAddressPrefix"], text(&packet["source"])),
                    true, // no source port is asked for
                    holds(&rule["destinationAddressPrefixes"], &rule["expandedDestinationAddressPrefix"], text(&packet["destination"])),
                    ports_hold(&rule["destinationPortRanges"], text(&packet["destinationPort"])),
                ];
                diagnosis.rules.insert((nsg.clone(), called.clone()), fields.map(|field| field.to_string()).join(" "));
                if decided.is_none() && fields.iter().all(|field| *field) {
                    denied |= rule["access"] == "Deny";
                    decided = Some(format!(", {} by {called} of {nsg}", text(&rule["access"])));
                }
            }
            by += &decided.unwrap_or_default();
        }
        diagnosis.result = format!("{}{by}", if denied { "Deny" } else { "Allow" });
        diagnosis
    }

    /// What happens in the end.
    pub fn summary(&self) -> String {
        if self.result.is_empty() { "no result".to_owned() } else { self.result.clone() }
    }

    /// What Azure says and what we say. A rule counts where Azure looked at it.
    pub fn against(&self, ours: &Diagnosis) -> (String, String) {
        let (mut azure_said, mut ours_said) = (self.summary(), ours.summary());
        for (key, azure) in &self.rules {
            let ours = ours.rules.get(key).map_or("no such rule", String::as_str);
            if azure != ours {
                azure_said += &format!("; {} {}: {azure}", key.0, key.1);
                ours_said += &format!("; {} {}: {ours}", key.0, key.1);
            }
        }
        (azure_said, ours_said)
    }
}

fn holds(named: &Value, expanded: &Value, address: &str) -> bool {
    let address: IpAddr = address.parse().unwrap();
    list(named)
        .iter()
        .chain(list(expanded))
        .filter_map(|prefix| text(prefix).parse::<Prefix>().ok())
        .any(|prefix| prefix.contains(&address))
}

fn ports_hold(ranges: &Value, port: &str) -> bool {
    let port: u16 = port.parse().unwrap();
    list(ranges).iter().any(|range| {
        let (first, last) = text(range).split_once('-').unwrap();
        (first.parse().unwrap()..=last.parse().unwrap()).contains(&port)
    })
}
