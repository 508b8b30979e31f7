//! The security admin rules that a packet meets before the security groups (AVN-04, AVN-05).

use crate::explain::packet::{Host, Packet, StepExt, short, step};
use crate::explain::way::{Kind, Step};
use crate::explain::world::World;
use crate::facts::manager::AdminAccess;
use crate::facts::network::Direction;
use crate::model::{Set, Span, Stage};
use crate::rules::filter::SourcePorts;
use crate::rules::tag::Party;

/// What admin rules say at one end.
pub struct Governed {
    /// The step; nothing where no rule says a word.
    pub step: Option<Step>,
    /// What no security group is asked about.
    pub always: Span,
}

/// What the admin rules of the network of `host` say about a packet.
pub fn govern(
    world: &World<'_>,
    host: &Host,
    direction: Direction,
    own: Party<'_>,
    remote: Party<'_>,
    ports: SourcePorts,
    asked: Set,
) -> Governed {
    let program = world.admin_program(host.vnet, host.subnet, direction);
    if program.is_empty() {
        return Governed { step: None, always: Span::NONE };
    }
    let context = world.context(host.subnet);
    let said = program.ask(own, remote, ports, &context, world.platform, asked);
    if said.passed == Span::ALL && said.always.is_none() {
        return Governed { step: None, always: Span::NONE };
    }
    let certain = asked.within(said.passed.sure) || !asked.meets(said.passed.may);
    let word = match (asked.within(said.passed.sure), asked.meets(said.passed.may)) {
        (true, _) => "lets it pass",
        (false, false) => "denies it",
        _ => "perhaps decides it",
    };
    let step = match said.deciding {
        _ if !program.missing.is_empty() => {
            let text = format!("the admin rules of {}, in force in {}, are not in the input", short(program.missing), short(host.vnet));
            step(Stage::AdminRule, said.passed, "admin.2", text).by(program.missing, "").kind(Kind::Assumption).code("W-MISSING")
        }
        Some((rule, priority, access)) => {
            let always = if access == AdminAccess::AlwaysAllow { ", whatever the NSGs say" } else { "" };
            let text = format!("admin rule {} of {}, priority {priority}, {word}{always}", short(rule), short(host.vnet));
            let decided = step(Stage::AdminRule, said.passed, "admin.1", text).by(rule, short(rule)).at_fact(rule);
            if certain { decided.kind(Kind::Fact) } else { decided.kind(Kind::Assumption).code("W-AVNM-DYN") }
        }
        None => {
            let text = format!("no admin rule of {} names it", short(host.vnet));
            step(Stage::AdminRule, said.passed, "admin.1", text).by(host.vnet, "").kind(Kind::Absence)
        }
    };
    Governed { step: Some(step), always: said.always }
}

/// A step of a security group, where admin rules let some traffic pass without asking it.
pub fn overrule(step: Step, always: Span, asked: Set) -> Step {
    if always.is_none() {
        return step;
    }
    let span = step.span.or(always);
    if asked.within(always.sure) && !asked.within(step.span.sure) {
        let text = format!("{}; an admin rule overrules it", step.text);
        return Step { span, text, code: "", ..step };
    }
    let code = if asked.within(span.sure) || !asked.meets(span.may) {
        ""
    } else if step.code.is_empty() {
        "W-AVNM-DYN"
    } else {
        step.code
    };
    Step { span, code, ..step }
}

impl crate::explain::walk::Walk<'_, '_> {
    /// A Standard public address without a security group, where an admin rule always allows the packet: whether that opens it is not documented
    /// (AVN-10).
    pub fn perhaps_opened(&self, host: &Host, packet: &Packet, closed: Step) -> Step {
        let inner = Packet { dst: host.ip, ..packet.clone() };
        let governed = govern(self.world, host, Direction::Inbound, inner.destination(), inner.source(), inner.ports, self.asked);
        if governed.always.is_none() {
            return closed;
        }
        let span = Span { sure: closed.span.sure, may: closed.span.may.or(governed.always.may) };
        Step { span, kind: Kind::Assumption, code: "W-UNSUPPORTED", ..closed }
    }
}
