//! What selectors name, and what is said where they name nothing or too much.

use watertight::config::{Names, Side, resolve_end, resolve_many, resolve_place};
use watertight::explain::way::End;
use watertight::explain::way::Place;
use watertight::facts::store_facts::{Instance, Service};
use watertight::facts::{Fact, Index};
use watertight::model::Sym;

const GROUP: &str = "/subscriptions/s/resourcegroups/rg/providers";

/// Facts, a line each: the relation, then its cells, separated by `|`; `@` stands for the group's path.
pub fn index(lines: &str) -> Index {
    let fact = |line: &str| {
        let line = line.trim().replace('@', GROUP);
        let (relation, cells) = line.split_once('|').expect("a relation and its cells");
        let cells: Vec<&str> = cells.split('|').collect();
        Fact::read(relation, &cells).expect("a known relation").unwrap_or_else(|e| panic!("{line}: {e}"))
    };
    lines.lines().filter(|line| !line.trim().is_empty()).map(fact).collect()
}

fn estate() -> Index {
    index(
        "
        vnet|@/microsoft.network/virtualnetworks/hub|westeurope
        vnet|@/microsoft.network/virtualnetworks/spoke|westeurope
        subnet|@/microsoft.network/virtualnetworks/hub/subnets/web|@/microsoft.network/virtualnetworks/hub|web
        subnet|@/microsoft.network/virtualnetworks/hub/subnets/db|@/microsoft.network/virtualnetworks/hub|db
        subnet|@/microsoft.network/virtualnetworks/spoke/subnets/web|@/microsoft.network/virtualnetworks/spoke|web
        machine|@/microsoft.compute/virtualmachines/web01|vm
        machine|@/microsoft.compute/virtualmachines/web02|vm
        machine|/subscriptions/s/resourcegroups/other/providers/microsoft.compute/virtualmachines/web02|vm
        machine|@/microsoft.compute/virtualmachinescalesets/pool|vmss
        nic|@/microsoft.network/networkinterfaces/web01-nic|machine|false
        private_endpoint|@/microsoft.network/privateendpoints/blob-pe|@/microsoft.network/virtualnetworks/hub/subnets/db|westeurope
        store|@/microsoft.storage/storageaccounts/corpdata|storage|storagev2|westeurope
        store_part|@/microsoft.storage/storageaccounts/corpdata|blob|primary|corpdata.blob.core.windows.net|westeurope
        store_part|@/microsoft.storage/storageaccounts/corpdata|file|primary|corpdata.file.core.windows.net|westeurope
        store_part|@/microsoft.storage/storageaccounts/corpdata|blob|secondary|corpdata-secondary.blob.core.windows.net|northeurope
        store|@/microsoft.keyvault/vaults/kv1|keyvault|vault|westeurope
        store_part|@/microsoft.keyvault/vaults/kv1|vault|primary|kv1.vault.azure.net|westeurope
        store|@/microsoft.sql/servers/srv1|sql|server|westeurope
        store_part|@/microsoft.sql/servers/srv1|sqlserver|primary|srv1.database.windows.net|westeurope
        local_gateway|@/microsoft.network/localnetworkgateways/hq|false
        local_gateway|@/microsoft.network/localnetworkgateways/dc|false
        gateway_client_pool|@/microsoft.network/virtualnetworkgateways/vpn|172.30.0.0/24
        site|HQ
        site|branch
        connection|@/microsoft.network/connections/er|expressroute|@/microsoft.network/virtualnetworkgateways/g|@/microsoft.network/expressroutecircuits/line|yes|false
        resource|@/microsoft.datafactory/factories/f|microsoft.datafactory/factories|F|westeurope|s||rg
        resource|@/microsoft.network/routetables/rt|microsoft.network/routetables|rt|westeurope|s||rg
        resource|@/microsoft.compute/virtualmachines/web01|microsoft.compute/virtualmachines|Web01|westeurope|s||rg
        tag|@/microsoft.compute/virtualmachines/web01|Env|prod
        tag|@/microsoft.storage/storageaccounts/corpdata|env|prod
        tag|@/microsoft.network/routetables/rt|env|prod
        label|sensitive|storage:corp*
        label|sensitive|keyvault:*
        label|loop|label:loop
        ",
    )
}

fn id(path: &str) -> Sym {
    Sym::new(&format!("{GROUP}/{path}"))
}

fn to(text: &str) -> Result<End, String> {
    resolve_end(text, &estate(), Side::To).map_err(|e| e.to_string())
}

#[test]
fn each_kind_names_one_endpoint_whatever_the_case() {
    let web01 = id("microsoft.compute/virtualmachines/web01");
    assert_eq!(to("vm:WEB01"), Ok(End::Machine(web01)));
    assert_eq!(to("web01"), Ok(End::Machine(web01)));
    assert_eq!(to(&web01.as_str().to_uppercase()), Ok(End::Machine(web01)));
    assert_eq!(to("vmss:pool"), Ok(End::Machine(id("microsoft.compute/virtualmachinescalesets/pool"))));
    assert_eq!(to("nic:web01-nic"), Ok(End::Nic(id("microsoft.network/networkinterfaces/web01-nic"))));
    assert_eq!(to("subnet:Hub/Web"), Ok(End::Subnet(id("microsoft.network/virtualnetworks/hub/subnets/web"))));
    assert_eq!(to("subnet:db"), Ok(End::Subnet(id("microsoft.network/virtualnetworks/hub/subnets/db"))));
    assert_eq!(to("pe:blob-pe"), Ok(End::PrivateEndpoint(id("microsoft.network/privateendpoints/blob-pe"))));
    assert_eq!(to("keyvault:kv1"), Ok(End::Store(id("microsoft.keyvault/vaults/kv1"), Sym::new("vault"), Instance::Primary)));
    assert_eq!(to("sql:srv1"), Ok(End::Store(id("microsoft.sql/servers/srv1"), Sym::new("sqlserver"), Instance::Primary)));
    assert_eq!(to("ip:10.1.2.4"), Ok(End::Ip("10.1.2.4".parse().unwrap())));
    assert_eq!(to("internet"), Ok(End::Internet(None)));
    assert_eq!(to("internet:203.0.113.7"), Ok(End::Internet(Some("203.0.113.7".parse().unwrap()))));
    assert_eq!(to("internet:2606:4700:4700::1111"), Ok(End::Internet(Some("2606:4700:4700::1111".parse().unwrap()))));
    assert_eq!(to("fqdn:A.blob.core.windows.net."), Ok(End::Fqdn(Sym::new("a.blob.core.windows.net"))));
    for service in Service::EXTERNAL {
        assert_eq!(to(&format!("external:{}", service.as_str())), Ok(End::External(service)));
    }
}

#[test]
fn a_store_has_parts_and_a_second_front_end() {
    let account = id("microsoft.storage/storageaccounts/corpdata");
    let blob = Sym::new("blob");
    assert_eq!(to("storage:corpdata/blob"), Ok(End::Store(account, blob, Instance::Primary)));
    assert_eq!(to("storage:corpdata-secondary/blob"), Ok(End::Store(account, blob, Instance::Secondary)));
    assert_eq!(to(&format!("{account}/blobServices/default/containers/c")), Ok(End::Store(account, blob, Instance::Primary)));
    insta::assert_snapshot!(to("storage:corpdata").unwrap_err(), @"`storage:corpdata` names 3 endpoints, one is needed: storage:corpdata-secondary/blob, storage:corpdata/blob, storage:corpdata/file");
    insta::assert_snapshot!(to("storage:corpdata/queue").unwrap_err(), @"`storage:corpdata/queue` has no part `queue`: storage:corpdata-secondary/blob, storage:corpdata/blob, storage:corpdata/file");
    assert_eq!(resolve_many("storage:corpdata", &estate()).unwrap().len(), 3);
}

#[test]
fn a_site_is_known_by_gateway_statement_or_circuit() {
    assert_eq!(to("onprem:hq"), Ok(End::Site(Sym::new("HQ"))));
    assert_eq!(to("onprem:DC"), Ok(End::Site(id("microsoft.network/localnetworkgateways/dc"))));
    assert_eq!(to("onprem:Branch"), Ok(End::Site(Sym::new("branch"))));
    let clients = End::Site(id("microsoft.network/virtualnetworkgateways/vpn"));
    assert_eq!((to("onprem:VPN"), to(id("microsoft.network/virtualnetworkgateways/vpn").as_str())), (Ok(clients), Ok(clients)));
    assert_eq!(to("onprem:line"), Ok(End::Site(id("microsoft.network/expressroutecircuits/line"))));
}

#[test]
fn what_is_not_modelled_can_still_be_named() {
    let factory = id("microsoft.datafactory/factories/f");
    assert_eq!(to(factory.as_str()), Ok(End::Unmodelled(factory)));
    assert_eq!(to("f"), Ok(End::Unmodelled(factory)));
}

#[test]
fn an_error_lists_candidates_and_says_what_to_do() {
    let errors: Vec<String> = [
        "vm:web02",
        "vm:web1",
        "vm:",
        "vn:web01",
        "subnet:hub/wbe",
        "vnet:hub",
        "storage:a/b/c",
        "10.1.2.4",
        "google.com",
        "internet:10.0.0.1",
        "ip:10.0.0.300",
        "external:ftp",
        "label:sensitiv",
        "label:loop",
        "tag:env",
        "tag:env=test",
        "vm:[",
        "/subscriptions/s/resourcegroups/rg/providers/microsoft.network/routetables/rt",
        "/subscriptions/s/resourcegroups/x/providers/microsoft.datafactory/factories/f",
        "",
    ]
    .iter()
    .map(|text| to(text).unwrap_err())
    .collect();
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn some_things_cannot_be_a_source() {
    let from = |text: &str| resolve_end(text, &estate(), Side::From).map_err(|e| e.message);
    assert!(from("fqdn:google.com").is_err());
    assert!(from("external:storage").is_err());
    assert!(from("storage:corpdata/blob").is_ok());
}

#[test]
fn listings_take_globs_labels_tags_and_whole_networks() {
    let index = estate();
    let names = Names::new(&index);
    let texts = |text: &str| names.many(text).unwrap().into_iter().map(|end| names.short(end)).collect::<Vec<_>>().join(" ");
    assert_eq!(texts("subnet:*/web"), "subnet:hub/web subnet:spoke/web");
    assert_eq!(texts("vnet:hub"), "subnet:hub/db subnet:hub/web");
    assert_eq!(texts("label:sensitive"), "keyvault:kv1 storage:corpdata/blob storage:corpdata-secondary/blob storage:corpdata/file");
    assert_eq!(texts("tag:ENV=prod"), "vm:Web01 storage:corpdata/blob storage:corpdata-secondary/blob storage:corpdata/file");
    assert_eq!(names.many("vm:web*").unwrap().len(), 3);
    assert!(names.many("vm:db*").is_err());
}

#[test]
fn a_place_is_a_network_a_subnet_or_a_machine() {
    let index = estate();
    assert_eq!(resolve_place("vnet:hub", &index).unwrap(), Place::Vnet(id("microsoft.network/virtualnetworks/hub")));
    assert_eq!(resolve_place("subnet:hub/db", &index).unwrap(), Place::Subnet(id("microsoft.network/virtualnetworks/hub/subnets/db")));
    assert_eq!(resolve_place("nic:web01-nic", &index).unwrap(), Place::Nic(id("microsoft.network/networkinterfaces/web01-nic")));
    assert_eq!(resolve_place("vm:web01", &index).unwrap(), Place::Machine(id("microsoft.compute/virtualmachines/web01")));
    assert_eq!(resolve_place("internet", &index).unwrap(), Place::Internet);
    assert!(resolve_place("storage:corpdata/blob", &index).is_err());
    assert!(resolve_place("subnet:web", &index).unwrap_err().to_string().contains("subnet:hub/web, subnet:spoke/web"));
}

// covers: ADR-08
#[test]
fn a_flexible_scale_set_is_its_machines() {
    let lines = "
        machine|@/microsoft.compute/virtualmachinescalesets/one|vmss-flexible
        machine|@/microsoft.compute/virtualmachinescalesets/two|vmss-flexible
        machine|@/microsoft.compute/virtualmachinescalesets/none|vmss-flexible
        machine|@/microsoft.compute/virtualmachines/a|vm
        machine_scale_set|@/microsoft.compute/virtualmachines/a|@/microsoft.compute/virtualmachinescalesets/one
        machine|@/microsoft.compute/virtualmachines/b|vm
        machine_scale_set|@/microsoft.compute/virtualmachines/b|@/microsoft.compute/virtualmachinescalesets/two
        machine|@/microsoft.compute/virtualmachines/c|vm
        machine_scale_set|@/microsoft.compute/virtualmachines/c|@/microsoft.compute/virtualmachinescalesets/two
        machine|@/microsoft.compute/virtualmachines/d|vm
        machine_scale_set|@/microsoft.compute/virtualmachines/d|@/microsoft.compute/virtualmachinescalesets/gone
        tag|@/microsoft.compute/virtualmachinescalesets/two|env|prod
        tag|@/microsoft.compute/virtualmachines/c|env|prod
        label|pool|vmss:two
        ";
    let index = index(lines);
    let names = Names::new(&index);
    let vm = |name: &str| End::Machine(id(&format!("microsoft.compute/virtualmachines/{name}")));
    let set = |name: &str| End::Machine(id(&format!("microsoft.compute/virtualmachinescalesets/{name}")));
    let to = |text: &str| names.end(text, Side::To).map_err(|error| error.to_string());
    let path = id("microsoft.compute/virtualmachinescalesets/two");
    // One is asked for, of several one of them.
    assert_eq!((to("vmss:one"), to("one"), to("vmss:gone")), (Ok(vm("a")), Ok(vm("a")), Ok(vm("d"))));
    assert_eq!((to("vmss:two"), to("TWO"), to(path.as_str())), (Ok(set("two")), Ok(set("two")), Ok(set("two"))));
    assert_eq!(to("vmss:none"), Ok(set("none")));
    assert_eq!(names.short(set("two")), "vmss:two");
    // Where many may be named, each of them is.
    for text in ["vmss:two", path.as_str(), "tag:env=prod", "label:pool"] {
        assert_eq!(names.many(text).unwrap(), [vm("b"), vm("c")], "{text}");
    }
    assert_eq!(names.many("vmss:none").unwrap(), [set("none")]);
    assert_eq!(names.many("vmss:*").unwrap(), [vm("a"), vm("b"), vm("c"), vm("d"), set("none")]);
    let error = names.place("vmss:two").unwrap_err().to_string();
    insta::assert_snapshot!(error, @"`vmss:two` names 2 resources, one is needed: vm:b, vm:c");
    assert_eq!(names.place("vmss:one").unwrap(), Place::Machine(id("microsoft.compute/virtualmachines/a")));
}

// covers: ADR-08
#[test]
fn an_instance_is_what_stands_for_it() {
    let lines = "
        machine|@/microsoft.compute/virtualmachinescalesets/x|vmss
        nic|@/microsoft.compute/virtualmachinescalesets/x/networkinterfaceconfigurations/n|machine|false
        nic_machine|@/microsoft.compute/virtualmachinescalesets/x/networkinterfaceconfigurations/n|@/microsoft.compute/virtualmachinescalesets/x
        resource|@/microsoft.compute/virtualmachinescalesets/x/virtualmachines/0|microsoft.compute/virtualmachinescalesets/virtualmachines|x_0|westeurope|s||rg
        tag|@/microsoft.compute/virtualmachinescalesets/x/virtualmachines/0|env|prod
        resource|@/microsoft.compute/virtualmachinescalesets/lost/virtualmachines/0|microsoft.compute/virtualmachinescalesets/virtualmachines|lost_0|westeurope|s||rg
        nic|@/microsoft.compute/virtualmachinescalesets/x/virtualmachines/1/networkinterfaces/n|machine|false
        nic_machine|@/microsoft.compute/virtualmachinescalesets/x/virtualmachines/1/networkinterfaces/n|@/microsoft.compute/virtualmachinescalesets/x
        nic_machine|@/microsoft.compute/virtualmachinescalesets/x/virtualmachines/2/networkinterfaces|@/microsoft.compute/virtualmachinescalesets/x
        ";
    let index = index(lines);
    let names = Names::new(&index);
    let below = |path: &str| id(&format!("microsoft.compute/virtualmachinescalesets/x{path}"));
    let to = |path: &str| names.end(below(path).as_str(), Side::To).map_err(|error| error.to_string());
    let profile = End::Nic(below("/networkinterfaceconfigurations/n"));
    assert_eq!(to("/virtualmachines/0"), Ok(End::Machine(below(""))));
    assert_eq!(names.many("tag:env=prod").unwrap(), [End::Machine(below(""))]);
    for path in ["/virtualmachines/0/networkinterfaces/n", "/virtualmachines/0/networkinterfaces/n/ipconfigurations/c"] {
        assert_eq!(to(path), Ok(profile), "{path}");
    }
    assert!(to("/virtualmachines/0/networkinterfaces/other").is_err());
    // Its own interface, where the input tells of one.
    let own = below("/virtualmachines/1/networkinterfaces/n");
    assert_eq!((to("/virtualmachines/1"), to("/virtualmachines/1/networkinterfaces/n")), (Ok(End::Nic(own)), Ok(End::Nic(own))));
    let untold = End::Nic(below("/virtualmachines/2/networkinterfaces"));
    assert_eq!((to("/virtualmachines/2"), to("/virtualmachines/2/networkinterfaces/n")), (Ok(untold), Ok(untold)));
    let lost = id("microsoft.compute/virtualmachinescalesets/lost/virtualmachines/0");
    assert_eq!(names.end(lost.as_str(), Side::To).unwrap(), End::Unmodelled(lost));
}

#[test]
fn an_app_is_its_main_site_and_other_services_have_words_of_their_own() {
    let index = index(
        "
        store|@/microsoft.web/sites/shop|web|app|westeurope
        store_part|@/microsoft.web/sites/shop|sites|primary|shop.azurewebsites.net|westeurope
        store_part|@/microsoft.web/sites/shop|scm|primary|shop.scm.azurewebsites.net|westeurope
        store|@/microsoft.documentdb/databaseaccounts/graph|cosmos|globaldocumentdb|westeurope
        store_part|@/microsoft.documentdb/databaseaccounts/graph|sql|primary|graph.documents.azure.com|westeurope
        store_part|@/microsoft.documentdb/databaseaccounts/graph|gremlin|primary|graph.gremlin.cosmos.azure.com|westeurope
        store|@/microsoft.search/searchservices/idx|search||westeurope
        store_part|@/microsoft.search/searchservices/idx|searchservice|primary|idx.search.windows.net|westeurope
        store|@/microsoft.synapse/workspaces/dwh|synapse||westeurope
        store_part|@/microsoft.synapse/workspaces/dwh|sql|primary|dwh.sql.azuresynapse.net|westeurope
        store_part|@/microsoft.synapse/workspaces/dwh|sqlondemand|primary|dwh-ondemand.sql.azuresynapse.net|westeurope
        ",
    );
    let names = Names::new(&index);
    let id = |rest: &str| Sym::new(&format!("{GROUP}/{rest}"));
    let part = |rest: &str, part: &str| Ok(End::Store(id(rest), Sym::new(part), Instance::Primary));
    let shop = "microsoft.web/sites/shop";
    for text in ["web:shop", "web:shop/sites", "shop", id(shop).as_str()] {
        assert_eq!(names.end(text, Side::To), part(shop, "sites"), "{text}");
    }
    assert_eq!(names.end("web:shop/scm", Side::To), part(shop, "scm"));
    assert_eq!(names.many("web:shop").unwrap().len(), 2);
    let graph = "microsoft.documentdb/databaseaccounts/graph";
    assert_eq!(names.end("cosmos:graph", Side::To), part(graph, "gremlin"), "the account's own protocol");
    let search = "microsoft.search/searchservices/idx";
    assert_eq!(names.end(id(search).as_str(), Side::To), part(search, "searchservice"));
    assert!(names.end(id("microsoft.synapse/workspaces/dwh").as_str(), Side::To).is_err(), "two endpoints, neither before the other");
    let written: Vec<String> = names.many("web:shop").unwrap().into_iter().map(|end| names.short(end)).collect();
    assert_eq!(written, ["web:shop/scm", "web:shop"]);
    assert_eq!(names.short(End::Store(id(search), Sym::new("searchservice"), Instance::Primary)), id(search).as_str());
}

#[test]
fn the_endpoints_of_a_service_without_a_selector_are_named_by_their_hosts() {
    let index = index(
        "
        store|@/microsoft.synapse/workspaces/sy|synapse||westeurope
        store_part|@/microsoft.synapse/workspaces/sy|sql|primary|sy.sql.azuresynapse.net|westeurope
        store_part|@/microsoft.synapse/workspaces/sy|sqlondemand|primary|sy-ondemand.sql.azuresynapse.net|westeurope
        ",
    );
    let said = resolve_end(&format!("{GROUP}/microsoft.synapse/workspaces/sy"), &index, Side::To).expect_err("there are two");
    let ends = "names 2 endpoints, one is needed: fqdn:sy-ondemand.sql.azuresynapse.net, fqdn:sy.sql.azuresynapse.net";
    assert!(said.to_string().ends_with(ends), "{said}");
}
