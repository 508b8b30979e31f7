//! The generated pages of `docs/` are what the code says now; `UPDATE=1` writes them anew.

use std::fs;
use std::path::Path;

use watertight::facts::catalog::{PLATFORM, RELATIONS};
use watertight::facts::extract::{INERT, KEPT, MODELLED};
use watertight::query::relations::catalog;
use watertight::query::{library, lint};

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
    page.push_str("\n## Kept for checks\n\nRows of `property`, by resource type; `[]` stands for any item of a list.\n");
    for (kind, paths) in KEPT {
        let kind = if *kind == "*" { "every type".to_owned() } else { format!("`{kind}`") };
        let paths: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
        page.push_str(&format!("\n- {kind}: {}\n", paths.join(", ")));
    }
    fresh("resource-types.md", &page);
}

#[test]
fn the_lints_page_is_fresh() {
    let mut page = String::from(
        "# Lints\n\nWritten by `cargo docs` from `queries/lints/`. `watertight lint` prints what each of them finds in an estate; it only answers, so its exit code is 0.\n\n\
         A finding is `unproven` where it depends on something that is not in the input. A lint may stand here twice: then the two cases differ in severity or\n\
         in what to do. The rules are those of the pages under `semantics/`.\n\n| id | severity | what | what to do | rules |\n|---|---|---|---|---|\n",
    );
    let estate: Vec<_> = catalog().into_iter().chain(library::derived()).collect();
    let check = lint::compile(&estate).unwrap_or_else(|error| panic!("{}", error.render()));
    for lint in lint::lints(&check) {
        let title = if lint.reference.is_empty() { lint.title } else { format!("[{}]({})", lint.title, lint.reference) };
        page.push_str(&format!("| {} | {} | {title} | {} | {} |\n", lint.id, lint.severity.as_str(), lint.repair, lint.rules));
    }
    fresh("lints.md", &page);
}

#[test]
fn every_listed_type_is_understood() {
    for kind in MODELLED {
        assert!(watertight::facts::extract::is_modelled(&kind.replace('*', "x")), "{kind}");
    }
}
