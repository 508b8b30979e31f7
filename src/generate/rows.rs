//! Rows as Azure Resource Graph returns them.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::plan::{Net, TENANT};

/// A JSON array under way.
pub(super) struct Rows<'a, W: Write> {
    out: &'a mut W,
    first: bool,
}

impl<'a, W: Write> Rows<'a, W> {
    pub(super) fn new(out: &'a mut W) -> io::Result<Rows<'a, W>> {
        out.write_all(b"[")?;
        Ok(Rows { out, first: true })
    }

    /// Writes one resource of `net`'s group; `kind` as Azure spells it, `name` with the parents' names before it (`server/rule`).
    pub(super) fn push(&mut self, net: &Net, kind: &str, name: &str, properties: Value) -> io::Result<()> {
        self.push_with(net, kind, name, &[], properties)
    }

    /// The same with columns beside the usual ones, such as `sku`.
    pub(super) fn push_with(&mut self, net: &Net, kind: &str, name: &str, columns: &[(&str, Value)], properties: Value) -> io::Result<()> {
        let mut row = json!({
            "id": net.id(kind, name), "name": name.rsplit('/').next().unwrap_or(name), "type": kind.to_lowercase(), "tenantId": TENANT,
            "kind": "", "location": net.location, "resourceGroup": net.group_name(), "subscriptionId": net.subscription(), "sku": null,
            "tags": null, "properties": null,
        });
        for (column, value) in columns {
            row[*column] = value.clone();
        }
        row["properties"] = properties;
        self.out.write_all(if self.first { b"\n" } else { b",\n" })?;
        self.first = false;
        serde_json::to_writer(&mut *self.out, &row)?;
        Ok(())
    }

    pub(super) fn finish(self) -> io::Result<()> {
        self.out.write_all(b"\n]\n")?;
        self.out.flush()
    }
}

/// `{"id": …}`.
pub(super) fn reference(id: impl Into<String>) -> Value {
    json!({ "id": id.into() })
}

/// An embedded child: `name` and `properties` under `parent`'s id.
pub(super) fn child(parent: &str, kind: &str, name: &str, properties: Value) -> Value {
    json!({ "id": format!("{parent}/{kind}/{name}"), "name": name, "properties": properties })
}
