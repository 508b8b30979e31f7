//! What is true of Azure itself, whoever's estate it is: read from the reviewed files under `facts/`.
//!
//! The files are part of the binary. [`Platform::builtin`] parses them once; [`Platform::with_service_tags`] is the same truth with Microsoft's
//! list of the week in place of the dated cut of service tags.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::de::{Deserialize, Deserializer, Error};
use smallvec::SmallVec;

use crate::facts::catalog::Row;
use crate::facts::network::{Access, Direction};
use crate::facts::selector::Selectors;
use crate::facts::service::{Service, sub_resource};
use crate::facts::store_facts::Switch;
use crate::model::{Prefix, Ranges, Sym, Tri, net};

relations! { PLATFORM_RELATIONS:
    /// `nsg_default(name, direction, priority, access, source, destination)`: the rules every network security group ends with, for any protocol and port
    /// (NSG-04).
    DefaultRule nsg_default { name: Sym, direction: Direction, priority: u32, access: Access, source: Selectors, destination: Selectors }

    /// `service_tag(tag, prefix)`: the tag (lower case) stands for the prefix (NSG-24).
    ServiceTag service_tag { tag: Sym, prefix: Prefix }

    /// `region_pair(region, pair)`: `region` has its second copy in `pair` (SE-15). Most pairs stand both ways round, a few regions are paired one way only.
    RegionPair region_pair { region: Sym, pair: Sym }

    /// `tag_region(name, region)`: regional service tags call `region` by `name`; the tag of a region may shorten it (NSG-24).
    TagRegion tag_region { name: Sym, region: Sym }

    /// `private_link_zone(kind, group, suffix, zone)`: the sub-resource `group` of resources of type `kind` is named `<name>.<suffix>` in public and has its
    /// private record in `zone` (DNS-17, DNS-37). `{region}`, `{geo}`, `{dns}` and `{n}` stand for a label that depends on the resource.
    PrivateLinkZone private_link_zone { kind: Sym, group: Sym, suffix: Sym, zone: Sym }

    /// `service_port(group, port)`: the front end of the sub-resource `group` answers at TCP `port` (M-16). Where services share the name of a sub-resource
    /// and not its ports, the service stands before it: `eventhub/namespace`.
    ServicePort service_port { group: Sym, port: u16 }

    /// `switched_port(switch, group, port, answers)`: the front end of the sub-resource `group` of a storage account answers at TCP `port` where the account is
    /// switched to it (M-16); `maybe` where only another sub-resource is documented to.
    SwitchedPort switched_port { switch: Switch, group: Sym, port: u16, answers: Tri }

    /// `endpoint_service(service, tag)`: what the service endpoint `service` covers is the service tag `tag`; both lower case (SE-03).
    EndpointService endpoint_service { service: Sym, tag: Sym }

    /// `reserved_suffix(suffix)`: names under `suffix` belong to Azure's services, and a forwarding rule for all names does not apply to them (DNS-18).
    ReservedSuffix reserved_suffix { suffix: Sym }

    /// `front_end_name(kind, suffix)`: public names of resources of type `kind` lead on to names of regional front ends under `suffix` (DNS-15).
    FrontEndName front_end_name { kind: Sym, suffix: Sym }

    /// `public_resolver(address)`: a resolver anybody may ask, which knows nothing of private zones (DNS-20).
    PublicResolver public_resolver { address: IpAddr }

    /// `running_service(kind)`: resources of type `kind` run code or pipelines of their owner outside the networks of the estate, or may (X-17).
    RunningService running_service { kind: Sym }

    /// `fetching_service(kind)`: stores of type `kind` fetch by themselves from where their owner points them (X-13).
    FetchingService fetching_service { kind: Sym }

    /// `public_only_service(kind)`: resources of type `kind` have no place in a network, and call whom they call from public addresses (PE-16).
    PublicOnlyService public_only_service { kind: Sym }

    /// `placeless_service(kind)`: resources of type `kind`, which are no stores, stand in no network of the estate unless a property names a subnet (R-07).
    PlacelessService placeless_service { kind: Sym }

    /// `service_limit(name, kind, count)`: a resource of type `kind` has at most `count` of what `name` says (SE-29, SEP-17).
    ServiceLimit service_limit { name: Sym, kind: Sym, count: u32 }
}

/// The truth about Azure that the rules ask for.
#[derive(Clone, Debug)]
pub struct Platform {
    tags: Tags,
    truth: &'static Truth,
}

impl Platform {
    /// What the binary brings along, parsed at the first call.
    pub fn builtin() -> &'static Platform {
        static PLATFORM: OnceLock<Platform> = OnceLock::new();
        PLATFORM.get_or_init(|| Platform { tags: builtin_tags(), truth: Truth::builtin() })
    }

    /// The same with the service tags of a `ServiceTags_Public` JSON file instead of the built-in cut.
    ///
    /// # Errors
    /// Where `json` is not such a file: what is wrong, with line and column.
    pub fn with_service_tags(json: &[u8]) -> Result<Platform, String> {
        let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
        let list: TagList = serde_json::from_slice(json).map_err(|error| format!("not a service tags file: {error}"))?;
        if list.values.is_empty() {
            return Err("not a service tags file: `values` is empty".to_owned());
        }
        let mut tags = Tags::default();
        for value in list.values {
            let tag = Sym::lower(&value.name);
            tags.by_name.entry(tag).or_default().extend(value.properties.address_prefixes.into_iter().map(|Net(prefix)| prefix));
        }
        Ok(Platform { tags: tags.finished(), truth: Truth::builtin() })
    }

    /// The prefixes of a tag, given in lower case, sorted; `None` where the tag is not known (NSG-25).
    pub fn tag(&self, tag: Sym) -> Option<&[Prefix]> {
        self.tags.by_name.get(&tag).map(Vec::as_slice)
    }

    /// The addresses of a tag, given in lower case; `None` where the tag is not known (NSG-25).
    pub fn tag_ranges(&self, tag: Sym) -> Option<&Ranges> {
        self.tags.ranges.get(&tag)
    }

    /// The addresses that front ends of stores may have, those that an attacker can have one of: other services of Azure are part of the internet (X-10, X-16).
    pub fn front_ends(&self) -> &Ranges {
        &self.tags.front_ends
    }

    /// The tag of a service in one region: `storage.westeurope`; `None` where the list does not have it.
    pub fn regional_tag(&self, service: Sym, region: Sym) -> Option<Sym> {
        self.tags.regional.get(&(service, region)).copied()
    }

    /// The region that a regional tag calls `name`: `germanywestcentral` of `azurecloud.germanywc`; `None` where no region is known by it (NSG-25).
    pub fn tag_region(&self, name: &str) -> Option<Sym> {
        self.truth.tag_regions.get(&Sym::new(name)).copied()
    }

    /// Under which name the regional front ends stand to which public names of resources of the type lead on; `None` where nobody documents it (DNS-15).
    pub fn front_end_suffix(&self, kind: Sym) -> Option<&'static str> {
        self.truth.front_end_names.iter().find(|row| row.kind == kind).map(|row| row.suffix.as_str())
    }

    /// Whether resources of the type run code of their owner's outside the networks of the estate, or may (X-17).
    pub fn runs_code(&self, kind: Sym) -> bool {
        self.truth.running.contains(&kind)
    }

    /// Whether stores of the service, once an attacker has one, fetch by themselves from where they are pointed at (X-13).
    pub fn fetches(&self, service: Service) -> bool {
        service.kinds().iter().any(|kind| self.truth.fetching.contains(&Sym::new(kind)))
    }

    /// Whether resources of the service have no place in a network, and call whom they call from public addresses (PE-16).
    pub fn is_public_only(&self, service: Service) -> bool {
        service.kinds().iter().any(|kind| self.truth.public_only.contains(&Sym::new(kind)))
    }

    /// Whether resources of the type, which are no stores, stand in a network of the estate only where a property of theirs says so (R-07).
    pub fn is_placeless(&self, kind: Sym) -> bool {
        self.truth.placeless.contains(&kind)
    }

    /// The tags one of whose prefixes holds `ip`, sorted by text.
    pub fn tags_holding(&self, ip: IpAddr) -> Vec<Sym> {
        self.tags.holding(ip)
    }

    /// The region that holds the second copy of `region`'s data (SE-15).
    pub fn region_pair(&self, region: Sym) -> Option<Sym> {
        self.truth.pairs.get(&region).copied()
    }

    /// The main zone of a resource type and sub-resource, both in lower case; some have more, see [`Platform::zones`].
    pub fn zone(&self, kind: Sym, group: Sym) -> Option<&PrivateLinkZone> {
        self.truth.zones.iter().find(|zone| zone.kind == kind && zone.group == group)
    }

    /// All private-link zones, in the order of the documentation.
    pub fn zones(&self) -> &[PrivateLinkZone] {
        &self.truth.zones
    }

    /// The TCP ports of a sub-resource, sorted; empty where they are not known (M-16).
    pub fn ports(&self, group: Sym) -> &[u16] {
        self.truth.ports.get(&group).map_or(&[], Vec::as_slice)
    }

    /// The TCP ports of one endpoint of a store of `service`; empty where they are not known (M-16).
    pub fn ports_of(&self, service: Service, part: Sym) -> &[u16] {
        let group = sub_resource(part);
        let own = self.ports(Sym::new(&format!("{}/{group}", service.as_str())));
        if own.is_empty() { self.ports(group) } else { own }
    }

    /// The TCP ports that switches of storage accounts open (M-16).
    pub fn switched_ports(&self) -> &[SwitchedPort] {
        &self.truth.switched
    }

    /// The tag that holds what a service endpoint covers (RTE-05).
    pub fn service_tag_of_endpoint(&self, service: Sym) -> Option<Sym> {
        self.truth.endpoints.get(&service).copied()
    }

    /// The six rules every network security group ends with (NSG-04), inbound before outbound, by priority.
    pub fn default_rules(&self) -> &[DefaultRule] {
        &self.truth.default_rules
    }

    /// Whether `name` belongs to Azure's services in some cloud (DNS-18).
    pub fn is_reserved(&self, name: &str) -> bool {
        let mut rest = Some(name);
        while let Some(suffix) = rest {
            if self.truth.reserved.contains(suffix) {
                return true;
            }
            rest = suffix.split_once('.').map(|(_, rest)| rest);
        }
        false
    }

    /// Whether `address` is a resolver that anybody may ask (DNS-20).
    pub fn is_public_resolver(&self, address: IpAddr) -> bool {
        self.truth.resolvers.contains(&address)
    }

    /// Every row that programs can read: all but the prefixes of service tags, which are asked for by address.
    pub fn cells(&self) -> Vec<(&'static str, Vec<String>)> {
        fn of<R: Row>(rows: &[R]) -> impl Iterator<Item = (&'static str, Vec<String>)> + '_ {
            rows.iter().map(|row| {
                let mut cells = Vec::new();
                row.write(&mut cells);
                (R::RELATION.name, cells)
            })
        }
        let truth = self.truth;
        let pairs: Vec<RegionPair> = truth.pairs.iter().map(|(&region, &pair)| RegionPair { region, pair }).collect();
        let names: Vec<TagRegion> = truth.tag_regions.iter().map(|(&name, &region)| TagRegion { name, region }).collect();
        let ports = truth.ports.iter().flat_map(|(&group, ports)| ports.iter().map(move |&port| ServicePort { group, port }));
        let ports: Vec<ServicePort> = ports.collect();
        let endpoints: Vec<EndpointService> = truth.endpoints.iter().map(|(&service, &tag)| EndpointService { service, tag }).collect();
        let rows =
            of(&truth.default_rules).chain(of(&pairs)).chain(of(&names)).chain(of(&truth.zones)).chain(of(&ports)).chain(of(&endpoints));
        let reserved: Vec<ReservedSuffix> = truth.reserved.iter().map(|suffix| ReservedSuffix { suffix: Sym::new(suffix) }).collect();
        let resolvers: Vec<PublicResolver> = truth.resolvers.iter().map(|&address| PublicResolver { address }).collect();
        let running: Vec<RunningService> = truth.running.iter().map(|&kind| RunningService { kind }).collect();
        let fetching: Vec<FetchingService> = truth.fetching.iter().map(|&kind| FetchingService { kind }).collect();
        let public: Vec<PublicOnlyService> = truth.public_only.iter().map(|&kind| PublicOnlyService { kind }).collect();
        let placeless: Vec<PlacelessService> = truth.placeless.iter().map(|&kind| PlacelessService { kind }).collect();
        let rows = rows.chain(of(&truth.switched));
        let named = of(&truth.front_end_names)
            .chain(of(&reserved))
            .chain(of(&resolvers))
            .chain(of(&running))
            .chain(of(&fetching))
            .chain(of(&public))
            .chain(of(&placeless));
        rows.chain(of(&truth.limits)).chain(named).collect()
    }

    /// How many of `name` a resource of type `kind` can have.
    pub fn limit(&self, name: Sym, kind: Sym) -> Option<u32> {
        self.truth.limits.iter().find(|limit| limit.name == name && limit.kind == kind).map(|limit| limit.count)
    }
}

/// Everything but the service tags.
#[derive(Debug)]
struct Truth {
    default_rules: Vec<DefaultRule>,
    pairs: FxHashMap<Sym, Sym>,
    tag_regions: FxHashMap<Sym, Sym>,
    zones: Vec<PrivateLinkZone>,
    ports: FxHashMap<Sym, Vec<u16>>,
    switched: Vec<SwitchedPort>,
    endpoints: FxHashMap<Sym, Sym>,
    front_end_names: Vec<FrontEndName>,
    reserved: FxHashSet<&'static str>,
    resolvers: FxHashSet<IpAddr>,
    limits: Vec<ServiceLimit>,
    running: FxHashSet<Sym>,
    fetching: FxHashSet<Sym>,
    public_only: FxHashSet<Sym>,
    placeless: FxHashSet<Sym>,
}

impl Truth {
    fn builtin() -> &'static Truth {
        static TRUTH: OnceLock<Truth> = OnceLock::new();
        TRUTH.get_or_init(|| {
            let mut ports: FxHashMap<Sym, Vec<u16>> = FxHashMap::default();
            for row in rows::<ServicePort>(include_str!("../../facts/service_ports.facts")) {
                ports.entry(row.group).or_default().push(row.port);
            }
            ports.values_mut().for_each(|ports| ports.sort_unstable());
            Truth {
                default_rules: rows(include_str!("../../facts/nsg_defaults.facts")).collect(),
                pairs: rows::<RegionPair>(include_str!("../../facts/region_pairs.facts")).map(|row| (row.region, row.pair)).collect(),
                tag_regions: rows::<TagRegion>(include_str!("../../facts/tag_regions.facts")).map(|row| (row.name, row.region)).collect(),
                zones: rows(include_str!("../../facts/private_link_zones.facts")).collect(),
                ports,
                switched: rows(include_str!("../../facts/switched_ports.facts")).collect(),
                endpoints: rows::<EndpointService>(include_str!("../../facts/endpoint_services.facts"))
                    .map(|row| (row.service, row.tag))
                    .collect(),
                front_end_names: rows(include_str!("../../facts/front_end_names.facts")).collect(),
                reserved: rows::<ReservedSuffix>(include_str!("../../facts/reserved_suffixes.facts"))
                    .map(|row| row.suffix.as_str())
                    .collect(),
                resolvers: rows::<PublicResolver>(include_str!("../../facts/public_resolvers.facts")).map(|row| row.address).collect(),
                limits: rows(include_str!("../../facts/service_limits.facts")).collect(),
                running: rows::<RunningService>(include_str!("../../facts/running_services.facts")).map(|row| row.kind).collect(),
                fetching: rows::<FetchingService>(include_str!("../../facts/fetching_services.facts")).map(|row| row.kind).collect(),
                public_only: rows::<PublicOnlyService>(include_str!("../../facts/public_only_services.facts"))
                    .map(|row| row.kind)
                    .collect(),
                placeless: rows::<PlacelessService>(include_str!("../../facts/placeless_services.facts")).map(|row| row.kind).collect(),
            }
        })
    }
}

/// Lines that hold a row: not blank, not `#`.
fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn rows<R: Row>(text: &'static str) -> impl Iterator<Item = R> {
    lines(text).map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        R::read(&cells).expect("the files under facts/ hold rows of their relations")
    })
}

/// `service_tags.facts` holds several prefixes a line: `tag`, tab, prefixes with commas between.
fn builtin_tags() -> Tags {
    let mut tags = Tags::default();
    for line in lines(include_str!("../../facts/service_tags.facts")) {
        let (tag, prefixes) = line.split_once('\t').expect("a line of service_tags.facts has two cells");
        let prefixes = prefixes.split(',').map(|text| net::parse_prefix(text).expect("the second cell lists prefixes"));
        tags.by_name.entry(Sym::new(tag)).or_default().extend(prefixes);
    }
    tags.finished()
}

/// Service tags, by name and by address.
#[derive(Clone, Debug, Default)]
struct Tags {
    by_name: FxHashMap<Sym, Vec<Prefix>>,
    ranges: FxHashMap<Sym, Ranges>,
    front_ends: Ranges,
    /// By service and region: the tag of both.
    regional: FxHashMap<(Sym, Sym), Sym>,
    /// One table a prefix length that occurs: network address to the tags that have that prefix.
    v4: Vec<(u8, Networks)>,
    v6: Vec<(u8, Networks)>,
}

type Networks = FxHashMap<IpAddr, SmallVec<[Sym; 2]>>;

impl Tags {
    /// Sorts the lists and builds the tables by address.
    fn finished(mut self) -> Tags {
        let mut lengths: FxHashMap<(bool, u8), Networks> = FxHashMap::default();
        for (&tag, prefixes) in &mut self.by_name {
            prefixes.sort_unstable();
            prefixes.dedup();
            self.ranges.insert(tag, prefixes.iter().collect());
            if let Some((service, region)) = tag.as_str().split_once('.') {
                let region = Sym::new(region);
                let region = Truth::builtin().tag_regions.get(&region).copied().unwrap_or(region);
                self.regional.insert((Sym::new(service), region), tag);
            }
            for prefix in prefixes.iter() {
                let table = lengths.entry((prefix.addr().is_ipv4(), prefix.prefix_len())).or_default();
                table.entry(prefix.network()).or_default().push(tag);
            }
        }
        for ((is_v4, length), table) in lengths {
            if is_v4 { self.v4.push((length, table)) } else { self.v6.push((length, table)) }
        }
        let stores = Service::EXTERNAL.map(Service::tag);
        let base = |tag: &Sym| Sym::new(tag.as_str().split_once('.').map_or(tag.as_str(), |(base, _)| base));
        let services = self.by_name.iter().filter(|(tag, _)| stores.contains(&base(tag)));
        self.front_ends = services.flat_map(|(_, prefixes)| prefixes).collect();
        self.v4.sort_unstable_by_key(|(length, _)| *length);
        self.v6.sort_unstable_by_key(|(length, _)| *length);
        self
    }

    fn holding(&self, ip: IpAddr) -> Vec<Sym> {
        let tables = if ip.is_ipv4() { &self.v4 } else { &self.v6 };
        let mut found: Vec<Sym> = Vec::new();
        for (length, table) in tables {
            let network = Prefix::new(ip, *length).expect("the length is one of the address's family").network();
            found.extend(table.get(&network).into_iter().flatten());
        }
        Sym::sort(&mut found);
        found.dedup();
        found
    }
}

/// The part of Microsoft's file that is read.
#[derive(serde::Deserialize)]
struct TagList<'a> {
    #[serde(borrow)]
    values: Vec<TagValue<'a>>,
}

#[derive(serde::Deserialize)]
struct TagValue<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    properties: TagProperties,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct TagProperties {
    address_prefixes: Vec<Net>,
}

/// A prefix that says where it stands when it is none.
struct Net(Prefix);

impl<'de> Deserialize<'de> for Net {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Net, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        net::parse_prefix(&text).map(Net).ok_or_else(|| D::Error::custom(format_args!("`{text}` is no address prefix")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform() -> &'static Platform {
        Platform::builtin()
    }

    #[test]
    fn the_default_rules_are_azures_six() {
        let rules = platform().default_rules();
        assert_eq!(rules.len(), 6);
        let names: Vec<&str> = rules.iter().filter(|r| r.direction == Direction::Outbound).map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["AllowVnetOutBound", "AllowInternetOutBound", "DenyAllOutBound"]);
        assert_eq!(rules[0].source, rules[0].destination);
        assert!(rules.iter().all(|r| (r.priority == 65500) == (r.access == Access::Deny)));
    }

    #[test]
    fn an_address_of_storage_is_in_the_tags_that_hold_storage() {
        let inside = platform().tag(Sym::new("storage.westeurope")).expect("a tag of the cut")[0].network();
        let tags: Vec<&str> = platform().tags_holding(inside).into_iter().map(Sym::as_str).collect();
        for tag in ["azurecloud", "azurecloud.westeurope", "storage", "storage.westeurope"] {
            assert!(tags.contains(&tag), "{tag} is not in {tags:?}");
        }
        assert!(platform().tags_holding("10.0.0.1".parse().unwrap()).is_empty());
        assert_eq!(platform().tag(Sym::new("nosuchtag")), None);
    }

    #[test]
    fn the_tables_by_address_agree_with_the_lists() {
        for (tag, prefixes) in platform().tags.by_name.iter().filter(|(tag, _)| tag.as_str().starts_with("sql")) {
            assert!(prefixes.is_sorted());
            for prefix in prefixes {
                assert!(platform().tags_holding(prefix.broadcast()).contains(tag), "{tag} {prefix}");
            }
        }
        assert!(platform().tag(Sym::new("storage")).unwrap().iter().any(|p| p.addr().is_ipv6()));
    }

    #[test]
    fn pairs_zones_ports_and_services_have_their_values() {
        let sym = Sym::new;
        assert_eq!(platform().region_pair(sym("westeurope")), Some(sym("northeurope")));
        assert_eq!(platform().region_pair(sym("westus3")), Some(sym("eastus")), "one way");
        assert_eq!(platform().region_pair(sym("polandcentral")), None);
        let zone = platform().zone(sym("microsoft.keyvault/vaults"), sym("vault")).unwrap();
        assert_eq!((zone.suffix, zone.zone), (sym("vault.azure.net"), sym("privatelink.vaultcore.azure.net")));
        assert_eq!(platform().ports(sym("file")), [443, 445]);
        assert_eq!(platform().ports(sym("nosuchgroup")), [] as [u16; 0]);
        assert_eq!(platform().service_tag_of_endpoint(sym("microsoft.keyvault")), Some(sym("azurekeyvault")));
        assert_eq!(platform().limit(sym("virtual-network-rules"), sym("microsoft.sql/servers")), Some(128));
    }

    #[test]
    fn every_covered_service_has_a_tag_of_the_cut_and_everything_is_lower_case() {
        for (service, tag) in &platform().truth.endpoints {
            assert!(platform().tag(*tag).is_some(), "{service} covers the unknown {tag}");
        }
        for zone in platform().zones() {
            for text in [zone.kind, zone.group, zone.suffix, zone.zone] {
                assert_eq!(text.as_str(), text.as_str().to_lowercase());
            }
        }
    }

    #[test]
    fn a_list_of_the_week_replaces_the_tags_and_nothing_else() {
        let json = br#"{"changeNumber":1,"cloud":"Public","values":[{"name":"Storage.WestUS","id":"Storage.WestUS",
            "properties":{"region":"westus","addressPrefixes":["20.1.0.0/16","2603::/64"]}}]}"#;
        let platform = Platform::with_service_tags(json).unwrap();
        assert_eq!(platform.tag(Sym::new("storage.westus")).unwrap().len(), 2);
        assert_eq!(platform.tag(Sym::new("sql")), None);
        assert_eq!(platform.tags_holding("20.1.255.255".parse().unwrap()), [Sym::new("storage.westus")]);
        assert_eq!(platform.default_rules().len(), 6);
    }

    #[test]
    fn what_is_no_list_is_refused_with_its_place() {
        let wrong =
            Platform::with_service_tags(b"{\"values\":[{\"name\":\"Sql\",\n\"properties\":{\"addressPrefixes\":[\"10.0.0.0/33\"]}}]}");
        assert_eq!(wrong.unwrap_err(), "not a service tags file: `10.0.0.0/33` is no address prefix at line 2 column 47");
        assert!(Platform::with_service_tags(b"{}").unwrap_err().contains("missing field `values`"));
        assert!(Platform::with_service_tags(b"").is_err());
    }
}
