//! Whether an address field of a rule matches one end of a packet, where the rule's NSG is applied. Tags are also known by their older spellings (NSG-26).

use std::net::{IpAddr, Ipv6Addr};

use ipnet::Ipv4Net;

use crate::facts::platform::Platform;
use crate::facts::selector::{Selector, UNKNOWN_TAG};
use crate::model::{Prefix, Ranges, Sym, Tri, net, ranges};
use crate::rules::route::{Context, platform_address};

/// A public front end of Azure whose address is not known, only what it belongs to (M-14).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceClass {
    /// The service tag, lower case: `storage`, `azurekeyvault`, `sql`.
    pub tag: Sym,
    /// The region; empty where it can be any.
    pub region: Sym,
}

impl ServiceClass {
    /// The tags that surely hold the front end: the service's, its regional one, and the cloud's (M-14).
    fn tags(&self) -> [String; 4] {
        let (tag, region) = (self.tag, self.region);
        [tag.to_string(), format!("{tag}.{region}"), "azurecloud".to_owned(), format!("azurecloud.{region}")]
    }

    /// The prefixes it may have an address of: of its region where the list tells regions apart; `None` where the list lacks the service.
    pub fn known<'p>(&self, platform: &'p Platform) -> Option<&'p Ranges> {
        platform.tag_ranges(platform.regional_tag(self.tag, self.region).unwrap_or(self.tag))
    }

    /// Whether the tag holds the front end by its name: its own tags and the cloud's do, those of another region do not; `None` for any other tag (M-14).
    pub fn belongs(&self, tag: Sym, platform: &Platform) -> Option<Tri> {
        let text = tag.as_str();
        if self.tags().iter().any(|own| own == text) {
            return Some(Tri::Yes);
        }
        // The same service, or the whole cloud, in a region: only a name that is known to be a region's tells them apart (NSG-25).
        let (base, name) = text.split_once('.')?;
        let region = platform.tag_region(name).filter(|_| base == self.tag.as_str() || base == "azurecloud")?;
        Some(if self.region.is_empty() { Tri::Maybe } else { Tri::from_bool(region == self.region) })
    }

    /// Whether the list of the tag surely shares no address with those that the front end may have; one that holds it by its name may lack them all the same.
    pub fn is_apart(&self, tag: Sym, platform: &Platform) -> bool {
        // A regional tag holds no more than its global one (NSG-25).
        let listed = || platform.tag_ranges(tag).or_else(|| platform.tag_ranges(global_tag(tag)?));
        self.known(platform).zip(listed()).is_some_and(|(known, ranges)| !known.overlap(ranges))
    }

    /// Whether its address is in the prefix: yes where all of its known prefixes are, no where none overlaps (M-14). It is asked for by IPv4, and no prefix of
    /// the other family holds such an address (ADR-14).
    pub fn within(&self, prefix: &Prefix, platform: &Platform) -> Tri {
        if !prefix.addr().is_ipv4() || !net::overlaps_public(prefix) {
            return Tri::No;
        }
        if prefix.prefix_len() == 0 {
            return Tri::Yes;
        }
        let Some(known) = self.known(platform) else { return Tri::Maybe };
        if known.lie_in(prefix) {
            Tri::Yes
        } else if known.meet(prefix) {
            Tri::Maybe
        } else {
            Tri::No
        }
    }
}

/// Where one end of a packet is.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// At an address.
    At(IpAddr),
    /// In a block that nothing mentioned anywhere near cuts: every address of it gets the same answer.
    In(&'a Prefix),
    /// At a front end of Azure.
    Service(&'a ServiceClass),
    /// At some public IPv4 address that the input does not tell (OUT-07).
    SomePublic,
    /// At one of the last two, somewhere in the part of the address space that looks to every prefix asked for like this address.
    Part(IpAddr, &'a Place<'a>),
}

impl Place<'_> {
    /// One address for each part that `prefixes` make of the public IPv4 addresses that an unknown place may have; none where the address is known.
    ///
    /// What several prefixes hold together none of them holds alone: in each part every one of them says yes or no.
    pub fn parts(&self, prefixes: impl IntoIterator<Item = Prefix>, platform: &Platform) -> Vec<IpAddr> {
        let known = match self {
            Place::Service(class) => class.known(platform),
            Place::SomePublic => None,
            Place::At(_) | Place::In(_) | Place::Part(..) => return Vec::new(),
        };
        let public = || net::public(Prefix::V4(Ipv4Net::default())).iter().collect::<Ranges>();
        let public = if known.is_some() { Ranges::default() } else { public() };
        let all = known.unwrap_or(&public);
        let starts = ranges::starts(prefixes);
        let lasts = starts.iter().skip(1).map(|next| next - 1).chain([u32::MAX]);
        // The address that stands for a part is one of those that the place may have: prefixes that hold none of them do not hold it.
        let one = |(first, last): (&u32, u32)| all.first_from(IpAddr::V4((*first).into())).filter(|ip| *ip <= IpAddr::V4(last.into()));
        starts.iter().zip(lasts).filter_map(one).collect()
    }
}

/// One end of a packet as a filter sees it.
#[derive(Clone, Copy, Debug)]
pub struct Party<'a> {
    /// Where it is.
    pub place: Place<'a>,
    /// The application security groups that hold it, each with whether that counts surely (NSG-09). Sorted.
    pub asgs: &'a [(Sym, Tri)],
}

/// Whether `selector` names `party`, where the NSG is applied in `context`.
///
/// ```datalog
/// names(S, A) :- packet(_, A, _), prefix_of(S, P), within(A, P).        // tag.1
/// names(S, A) :- packet(_, A, _), service_tag(S, P), within(A, P).      // tag.2
/// ```
pub fn names(selector: Selector, party: Party<'_>, context: &Context, platform: &Platform) -> Tri {
    match selector {
        Selector::Any => Tri::Yes,
        // A field of the export that nobody could read: it may name anything.
        Selector::Tag(tag) if tag.as_str() == UNKNOWN_TAG => Tri::Maybe,
        Selector::Asg(asg) => party.asgs.iter().find(|(member, _)| *member == asg).map_or(Tri::No, |(_, sure)| *sure),
        Selector::Prefix(prefix) => match party.place {
            Place::At(ip) => Tri::from_bool(prefix.contains(&ip)),
            Place::In(block) => Tri::from_bool(prefix.contains(block)),
            Place::Service(class) => class.within(&prefix, platform),
            Place::SomePublic => some_public_within(&prefix),
            Place::Part(ip, _) => Tri::from_bool(prefix.contains(&ip)),
        },
        Selector::Tag(tag) => match party.place {
            Place::At(ip) => tag_holds(tag, &net::host(ip), context, platform),
            Place::In(block) => tag_holds(tag, block, context, platform),
            Place::Service(class) => tag_holds_service(tag, class, context, platform),
            Place::SomePublic => tag_holds_some_public(tag, context),
            Place::Part(_, whole) => names(selector, Party { place: *whole, ..party }, context, platform),
        },
    }
}

/// Whether the tag holds the addresses of `block` on a subnet with this context (NSG-20 to NSG-26).
fn tag_holds(tag: Sym, block: &Prefix, context: &Context, platform: &Platform) -> Tri {
    match tag.as_str() {
        "virtualnetwork" | "virtual_network" => context.in_virtual_network(block),
        "internet" => context.in_internet(block),
        "azureloadbalancer" | "azure_loadbalancer" | "azureplatformdns" => {
            let probe_v6 = IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0x1234, 0x5678, 0x9abc));
            Tri::from_bool(*block == platform_address() || *block == net::host(probe_v6))
        }
        "azureplatformimds" => Tri::from_bool(*block == net::host(IpAddr::from([169, 254, 169, 254]))),
        _ => match platform.tag_ranges(tag) {
            Some(ranges) => Tri::from_bool(ranges.hold(block)),
            None if !net::is_public(block.network()) => Tri::No,
            None => global_tag(tag)
                .and_then(|global| platform.tag_ranges(global))
                .map_or(Tri::Maybe, |ranges| if ranges.meet(block) { Tri::Maybe } else { Tri::No }),
        },
    }
}

/// The global tag of a regional one.
fn global_tag(tag: Sym) -> Option<Sym> {
    tag.as_str().split_once('.').map(|(global, _)| Sym::new(global))
}

/// Whether the tag holds a front end of Azure: its own tags and `Internet` do, `VirtualNetwork` does not by itself (M-14).
fn tag_holds_service(tag: Sym, class: &ServiceClass, context: &Context, platform: &Platform) -> Tri {
    match tag.as_str() {
        // Public space that a default route or a gateway puts into `VirtualNetwork` may not count as internet (NSG-22).
        "internet" => service_in_virtual_network(class, context, platform).negated().max(Tri::Maybe),
        "virtualnetwork" | "virtual_network" => service_in_virtual_network(class, context, platform),
        "azureloadbalancer" | "azure_loadbalancer" | "azureplatformdns" | "azureplatformimds" | "azureplatformlkm" => Tri::No,
        // Other services have addresses of their own, but the published lists overlap: compare them.
        _ => class.belongs(tag, platform).unwrap_or_else(|| if class.is_apart(tag, platform) { Tri::No } else { Tri::Maybe }),
    }
}

/// Whether an unknown public IPv4 address is in the prefix: surely only in the prefix of all of them.
pub fn some_public_within(prefix: &Prefix) -> Tri {
    if !prefix.addr().is_ipv4() || !net::overlaps_public(prefix) {
        Tri::No
    } else if prefix.prefix_len() == 0 {
        Tri::Yes
    } else {
        Tri::Maybe
    }
}

/// Whether the tag holds an unknown public IPv4 address.
fn tag_holds_some_public(tag: Sym, context: &Context) -> Tri {
    let network = || {
        let held = context.tag.public.iter().map(|(prefix, sure)| some_public_within(prefix).and(*sure)).max();
        held.unwrap_or(Tri::No).or(beyond_knowledge(context))
    };
    match tag.as_str() {
        "virtualnetwork" | "virtual_network" => network(),
        "internet" => network().negated().max(Tri::Maybe),
        "azureloadbalancer" | "azure_loadbalancer" | "azureplatformdns" | "azureplatformimds" | "azureplatformlkm" => Tri::No,
        _ => Tri::Maybe,
    }
}

/// A front end is in `VirtualNetwork` only where routes put its public address there (NSG-20, NSG-21).
fn service_in_virtual_network(class: &ServiceClass, context: &Context, platform: &Platform) -> Tri {
    let held = context.tag.public.iter().map(|(prefix, sure)| class.within(prefix, platform).and(*sure)).max();
    held.unwrap_or(Tri::No).or(beyond_knowledge(context))
}

/// A route table that is not in the input may put anything into `VirtualNetwork`.
fn beyond_knowledge(context: &Context) -> Tri {
    if context.unknown.is_empty() { Tri::No } else { Tri::Maybe }
}
