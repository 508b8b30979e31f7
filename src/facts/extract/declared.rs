//! Settings by which a resource sends what it holds, or what it logs, somewhere else by itself.

use serde_json::Value;

use crate::facts::channels::DeclaredCopy;
use crate::facts::extract::out::{Out, get, properties};
use crate::facts::extract::store::host;
use crate::model::{Sym, Tri};

/// What a diagnostic setting hangs on, up to the account of a sub-resource.
const BELOW: [&str; 4] = ["/blobservices/", "/fileservices/", "/queueservices/", "/tableservices/"];

/// `microsoft.insights/diagnosticsettings`, an extension of the resource whose logs it sends.
pub(super) fn diagnostic_setting<'a>(out: &mut Out<'a>, body: &'a Value) {
    let setting = out.id();
    let Some((source, _)) = setting.as_str().rsplit_once("/providers/") else { return out.gap("what the setting is of is not known") };
    let source = BELOW.iter().find_map(|part| source.split_once(part)).map_or(source, |(account, _)| account);
    let in_force = sends(out, body);
    for field in ["storageAccountId", "eventHubAuthorizationRuleId", "workspaceId"] {
        let Some(destination) = out.text(body, field).map(crate::model::ids::normal_id) else { continue };
        // A rule of a namespace stands for it.
        let destination = destination.as_str().split("/authorizationrules/").next().unwrap_or_default();
        let row = DeclaredCopy { setting, source: Sym::new(source), destination: Sym::new(destination), in_force };
        if in_force.hi() && !destination.is_empty() {
            out.fact(row);
        }
    }
}

/// Whether any log or metric is switched on.
fn sends<'a>(out: &mut Out<'a>, body: &'a Value) -> Tri {
    if get(body, "logs").is_none() && get(body, "metrics").is_none() {
        return Tri::Maybe;
    }
    let lists = [out.objects(body, "logs"), out.objects(body, "metrics")];
    let each: Vec<Option<bool>> = lists.into_iter().flatten().map(|category| out.flag(category, "enabled")).collect();
    each.into_iter().map(|on| on.map_or(Tri::Maybe, Tri::from_bool)).max().unwrap_or(Tri::No)
}

/// `microsoft.eventhub/namespaces/eventhubs`: the capture of what is sent to the hub.
pub(super) fn event_hub<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (setting, source) = (out.id(), out.parent());
    let Some(capture) = out.object(body, "captureDescription") else { return };
    let in_force = out.flag(capture, "enabled").map_or(Tri::Maybe, Tri::from_bool);
    let target = out.object(capture, "destination").map(properties);
    match target.and_then(|target| out.link(target, "storageAccountResourceId")) {
        Some(destination) if in_force.hi() => out.fact(DeclaredCopy { setting, source, destination, in_force }),
        None if in_force.hi() => out.gap("where the capture goes is not modelled"),
        _ => {}
    }
}

/// `microsoft.containerregistry/registries/exportpipelines`: images go to the account of the host.
pub(super) fn export_pipeline<'a>(out: &mut Out<'a>, body: &'a Value) {
    let (setting, source) = (out.id(), out.parent());
    let uri = out.object(body, "target").and_then(|target| out.text(target, "uri"));
    match uri.and_then(host).and_then(|host| host.as_str().split('.').next().map(Sym::new)) {
        Some(destination) => out.fact(DeclaredCopy { setting, source, destination, in_force: Tri::Yes }),
        None => out.gap("`properties.target.uri` is missing"),
    }
}
