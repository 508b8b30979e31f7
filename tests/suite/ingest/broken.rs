//! Input that is cut off, of another type, or no text at all.

use proptest::prelude::*;
use serde_json::{Value, json};
use watertight::facts::estate::Estate;
use watertight::facts::gap::Unread;
use watertight::facts::store;
use watertight::ingest::{self, Input};
use watertight::model::Sym;

use crate::ingest::{codes, id, input, lines, read, vnet};

#[test]
fn broken_files_keep_what_stood_before_the_break() {
    let whole = json!([vnet(), vnet()]).to_string();
    let one = json!([vnet()]).to_string().len();
    for end in [one + 5, one + 40, whole.len() - 1] {
        let loaded = read(&whole[..end]);
        assert_eq!(loaded.resources.len(), 3, "cut at {end}");
        assert_eq!(codes(&loaded.diagnostics), ["ingest::broken_json"], "cut at {end}");
        let message = loaded.diagnostics[0].render(false);
        assert!(message.contains("--> a.json:1:"), "{message}");
    }
    assert_eq!(read(&whole[..one + 40]).diagnostics[0].pointer, "/1");
    for text in ["{\"value\": [", "[{]", "\"", "{\"id\": 1", "[\u{0}]", "{\"data\": {\"rows\": [[1]", "nonsense"] {
        let loaded = read(text);
        assert_eq!(codes(&loaded.diagnostics), ["ingest::broken_json"], "{text}");
    }
    let loaded = ingest::read(vec![Input { name: "b".into(), bytes: b"[\n \"\xff\"]".to_vec() }]);
    assert_eq!(loaded.diagnostics[0].line, Some((2, 3)));
    assert_eq!(codes(&read("").diagnostics), ["ingest::empty_file"]);
}

#[test]
fn big_and_deep_nonsense_is_refused_quickly() {
    let start = std::time::Instant::now();
    let nested = "[".repeat(10_000_000);
    assert_eq!(codes(&read(&nested).diagnostics), ["ingest::broken_json"]);
    let objects = "{\"a\":".repeat(2_000_000);
    assert_eq!(codes(&read(&objects).diagnostics), ["ingest::broken_json"]);
    let deep = format!("[{{\"id\": \"/subscriptions/s\", \"properties\": {}{}}}]", "[".repeat(1000), "]".repeat(1000));
    assert_eq!(codes(&read(&deep).diagnostics), ["ingest::broken_json"]);
    let noise: Vec<u8> = (0u32..10_000_000).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    assert_eq!(ingest::read(vec![Input { name: "noise".into(), bytes: noise }]).diagnostics.len(), 1);
    let numbers = format!("[{}1]", "1,".repeat(1_000_000));
    let loaded = read(&numbers);
    assert!(loaded.diagnostics.len() <= 100, "{}", loaded.diagnostics.len());
    assert!(loaded.diagnostics.iter().any(|d| d.note.as_deref().is_some_and(|note| note.contains("more of this kind"))));
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn big_lists_load_in_order_and_one_bad_entry_costs_only_itself() {
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let rows: Vec<String> = (0..3000)
        .map(|n| match n {
            1500 => format!("{{\"id\": \"{}\", \"properties\": {deep}}}", id("virtualNetworks/deep")),
            _ => {
                json!({"id": id(&format!("virtualNetworks/v{n:04}")), "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}})
                    .to_string()
            }
        })
        .collect();
    let loaded = read(&format!("{{\"value\": [{}]}}", rows.join(",")));
    assert_eq!(codes(&loaded.diagnostics), ["ingest::broken_json"]);
    assert_eq!(loaded.diagnostics[0].pointer, "/value/1500");
    assert_eq!(loaded.resources.len(), 2999);
    let last = loaded.resources.last().unwrap();
    assert_eq!((last.name.as_str(), last.source.pointer.as_str()), ("v2999", "/value/2999"));
}

/// Bytes that are no text are never passed over, also behind a document that is whole, or in front of any.
#[test]
fn bytes_that_are_no_text_are_named() {
    let whole =
        json!([{ "id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v", "properties": {} }]).to_string();
    for (bytes, resources) in [([whole.as_bytes(), b"\n\xff\xfe"].concat(), 1), (b"\xff\xff\xff".to_vec(), 0)] {
        let loaded = ingest::read(vec![Input { name: "a.json".to_owned(), bytes }]);
        assert_eq!((codes(&loaded.diagnostics), loaded.resources.len()), (vec!["ingest::broken_json"], resources));
    }
}

#[test]
fn wrong_types_are_named_and_the_rest_is_used() {
    let mut body = vnet();
    body["properties"]["addressSpace"] = json!({"addressPrefixes": ["10.0.0.0/16", 5, "ten"]});
    body["properties"]["dhcpOptions"] = json!({"dnsServers": "10.0.0.4"});
    body["tags"] = json!("none");
    let (estate, diagnostics) = Estate::from_loaded(read(&json!([body]).to_string()));
    assert_eq!(codes(&diagnostics), ["extract::wrong_type"; 4]);
    let pointers: Vec<&str> = diagnostics.iter().map(|said| said.pointer.as_str()).collect();
    let prefixes = "/0/properties/addressSpace/addressPrefixes";
    assert_eq!(pointers, ["/0/tags", &format!("{prefixes}/1"), &format!("{prefixes}/2"), "/0/properties/dhcpOptions/dnsServers"]);
    assert!(lines(estate.facts()).iter().any(|line| line.starts_with("vnet_prefix")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), flip in any::<u8>()) {
        let _ = ingest::read(vec![Input { name: "x".into(), bytes: bytes.clone() }]);
        let _ = store::read_file("nsg_rule", "nsg_rule.facts", &bytes);
        let mut text = json!({"data": [vnet()]}).to_string().into_bytes();
        let at = at.index(text.len());
        text[at] = flip;
        let (estate, diagnostics) = Estate::from_loaded(ingest::read(vec![Input { name: "x".into(), bytes: text.clone() }]));
        for diagnostic in diagnostics {
            let _ = watertight::diag::Text::new(text.as_slice()).locate(&diagnostic.pointer);
            let _ = diagnostic.render(true);
        }
        drop(estate);
    }
}

// covers: M-01, M-02, SND-02
#[test]
fn an_entry_without_a_readable_id_leaves_everything_open() {
    let record = |id: Value| json!({"id": id, "type": "Microsoft.Network/privateDnsZones/A", "properties": {"aRecords": []}});
    let of = |id: Value| ingest::read(vec![input("records.json", &json!([record(id)]).to_string())]);
    let zone = id("privateDnsZones/privatelink.blob.core.windows.net");
    for unreadable in [
        Value::Null,
        json!(5),
        json!("zap"),
        json!(format!("{zone}/A")),
        json!(format!("{zone}/A/")),
        json!(format!("{zone}//a1")),
        json!("/subscriptions/1/resourceGroups/r/A/a1"),
        json!("/subscriptions/1/resourceGroups/r/providers/Microsoft.Network"),
    ] {
        let loaded = of(unreadable.clone());
        assert_eq!(codes(&loaded.diagnostics), ["ingest::not_a_resource"], "{unreadable}");
        assert_eq!(loaded.facts, [Unread { resource: Sym::EMPTY, what: "records.json/0".into() }.into()], "{unreadable}");
        assert!(loaded.resources.is_empty(), "{unreadable}");
    }
    let readable = of(json!(format!("{zone}/A/a1")));
    assert_eq!((readable.facts.len(), readable.diagnostics.len(), readable.resources.len()), (0, 0, 1));
    // Of a type that says nothing of the network nothing is missed.
    let other = ingest::read(vec![input("f.json", &json!([{"type": "Contoso.Things/things", "properties": {}}]).to_string())]);
    assert_eq!((other.facts.len(), codes(&other.diagnostics)), (0, vec!["ingest::not_a_resource"]));
    // A subscription and a resource group have no provider.
    let group =
        json!([{"id": "/subscriptions/1/resourceGroups/r", "type": "Microsoft.Resources/subscriptions/resourceGroups", "properties": {}}]);
    assert_eq!(ingest::read(vec![input("g.json", &group.to_string())]).resources.len(), 1);
}
