//! What an answer can be, and where on the way it was decided.

use serde::{Deserialize, Serialize};

/// The answer to one flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Proven from the configuration: Azure delivers it.
    Allowed,
    /// Proven from the configuration: Azure does not deliver it.
    Denied,
    /// Depends on something that is not in the input; the assumption is named.
    Unproven,
}

impl Verdict {
    /// The word in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Allowed => "allowed",
            Verdict::Denied => "denied",
            Verdict::Unproven => "unproven",
        }
    }
}

/// Three-valued truth: `lo` is [`Tri::Yes`], `hi` is everything but [`Tri::No`] (CNV-03, M-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tri {
    /// Surely not.
    #[default]
    No,
    /// Depends on something unknown.
    Maybe,
    /// Surely.
    Yes,
}

impl Tri {
    /// `Yes` or `No`.
    pub fn from_bool(value: bool) -> Tri {
        if value { Tri::Yes } else { Tri::No }
    }
    /// Surely true.
    pub fn lo(self) -> bool {
        self == Tri::Yes
    }
    /// Possibly true.
    pub fn hi(self) -> bool {
        self != Tri::No
    }
    /// Both: the lesser of the two.
    pub fn and(self, other: Tri) -> Tri {
        self.min(other)
    }
    /// Either: the greater of the two.
    pub fn or(self, other: Tri) -> Tri {
        self.max(other)
    }
    /// The contrary.
    pub fn negated(self) -> Tri {
        match self {
            Tri::No => Tri::Yes,
            Tri::Maybe => Tri::Maybe,
            Tri::Yes => Tri::No,
        }
    }
}

/// Where a flow was decided: the closed list of `reason.stage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the words of the output")]
pub enum Stage {
    Dns,
    NsgOutbound,
    AdminRule,
    Route,
    Peering,
    Gateway,
    Appliance,
    AzureFirewall,
    LoadBalancer,
    Nat,
    ServiceEndpointPolicy,
    PrivateEndpoint,
    NsgInbound,
    Consent,
    Perimeter,
    StorageFirewall,
    KeyvaultFirewall,
    SqlFirewall,
    CosmosFirewall,
    EventhubFirewall,
    ServicebusFirewall,
    AcrFirewall,
    WebFirewall,
    CognitiveFirewall,
    PaasFirewall,
    Delivered,
}

impl Stage {
    /// The word in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Dns => "dns",
            Stage::NsgOutbound => "nsg-outbound",
            Stage::AdminRule => "admin-rule",
            Stage::Route => "route",
            Stage::Peering => "peering",
            Stage::Gateway => "gateway",
            Stage::Appliance => "appliance",
            Stage::AzureFirewall => "azure-firewall",
            Stage::LoadBalancer => "load-balancer",
            Stage::Nat => "nat",
            Stage::ServiceEndpointPolicy => "service-endpoint-policy",
            Stage::PrivateEndpoint => "private-endpoint",
            Stage::NsgInbound => "nsg-inbound",
            Stage::Consent => "consent",
            Stage::Perimeter => "perimeter",
            Stage::StorageFirewall => "storage-firewall",
            Stage::KeyvaultFirewall => "keyvault-firewall",
            Stage::SqlFirewall => "sql-firewall",
            Stage::CosmosFirewall => "cosmos-firewall",
            Stage::EventhubFirewall => "eventhub-firewall",
            Stage::ServicebusFirewall => "servicebus-firewall",
            Stage::AcrFirewall => "acr-firewall",
            Stage::WebFirewall => "web-firewall",
            Stage::CognitiveFirewall => "cognitive-firewall",
            Stage::PaasFirewall => "paas-firewall",
            Stage::Delivered => "delivered",
        }
    }
}

/// How two ends are joined: the closed list of `via`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the words of the output")]
pub enum Via {
    VnetLocal,
    Peering,
    ConnectedGroup,
    Appliance,
    AzureFirewall,
    Gateway,
    LoadBalancer,
    Public,
    ServiceEndpoint,
    PrivateEndpoint,
    PrivateLinkService,
}

impl Via {
    /// The word in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Via::VnetLocal => "vnet-local",
            Via::Peering => "peering",
            Via::ConnectedGroup => "connected-group",
            Via::Appliance => "appliance",
            Via::AzureFirewall => "azure-firewall",
            Via::Gateway => "gateway",
            Via::LoadBalancer => "load-balancer",
            Via::Public => "public",
            Via::ServiceEndpoint => "service-endpoint",
            Via::PrivateEndpoint => "private-endpoint",
            Via::PrivateLinkService => "private-link-service",
        }
    }
}
