//! The generated pages of `docs/` are what the code says now; `UPDATE=1` writes them anew.

use std::fs;
use std::path::Path;

use watertight::facts::catalog::{PLATFORM, RELATIONS};
use watertight::facts::extract::{INERT, MODELLED};

fn fresh(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    if std::env::var_os("UPDATE").is_some_and(|value| !value.is_empty()) {
        fs::write(&path, page).expect("the page can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == page, "docs/{name} is not what the code says: run `cargo docs`");
}

#[test]
fn the_relations_page_is_fresh() {
    let mut page = String::from(
        "# Relations\n\nWritten by `cargo docs` from the declarations. One tab-separated file a relation, `<name>.facts`, in this column order.\n",
    );
    for (title, relations) in [("What an estate says", RELATIONS), ("What is true of Azure", PLATFORM)] {
        page.push_str(&format!("\n## {title}\n"));
        for relation in relations {
            let columns: Vec<String> = relation.columns.iter().map(|(name, kind)| format!("{name}: {kind}")).collect();
            page.push_str(&format!("\n### {}\n\n```\n{}({})\n```\n\n", relation.name, relation.name, columns.join(", ")));
            let doc: Vec<&str> = relation.doc.lines().map(str::trim).collect();
            page.push_str(doc.join("\n").trim());
            page.push('\n');
        }
    }
    fresh("relations.md", &page);
}

#[test]
fn the_resource_types_page_is_fresh() {
    let mut page = String::from(
        "# Resource types\n\nWritten by `cargo docs` from the extractors. A type in neither table is a named gap: what depends on it is `unproven`.\n\n## Understood\n\n",
    );
    for kind in MODELLED {
        page.push_str(&format!("- `{kind}`\n"));
    }
    page.push_str("\n## Without effect on networks or stores\n\n| type | why |\n|---|---|\n");
    for (kind, why) in INERT {
        page.push_str(&format!("| `{kind}` | {why} |\n"));
    }
    fresh("resource-types.md", &page);
}

#[test]
fn every_listed_type_is_understood() {
    for kind in MODELLED {
        assert!(watertight::facts::extract::is_modelled(&kind.replace('*', "x")), "{kind}");
    }
}
