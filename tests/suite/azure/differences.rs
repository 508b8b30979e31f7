//! The differences that are known, each with its cause.

/// Why an answer of ours differs from the recorded one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The recording lacks a resource that was there.
    UnseenGroup,
    /// The recording lacks what the question is about.
    Incomplete,
    /// The service answered nothing.
    NoAnswer,
    /// The service contradicts itself.
    Contradiction,
    /// Something inside the machine.
    Guest,
    /// What the tag `Internet` is expanded to.
    InternetTag,
}

/// Each cause: its title on the page, and what there is to say.
pub const CAUSES: &[(Cause, &str, &str)] = &[
    (
        Cause::UnseenGroup,
        "A group that the recording never read",
        "A policy of the test subscription put a security group of another resource group on the subnet after the deployment. The recording reads neither the network nor that \
         group, so our input has the network as it was deployed: data incomplete. In the diagnostic of 2019-02-15 Azure also names that group's rule as the one that decides in `nsg1`.",
    ),
    (
        Cause::Incomplete,
        "The question is about resources that the recording lacks",
        "The network, or the machine's interface, is not in the recorded configuration, or only in a template whose names have to be computed. Our answer is `unproven` and names what is missing.",
    ),
    (
        Cause::NoAnswer,
        "The service gave no answer",
        "Empty lists and `Unknown`; why is not recorded. Other recordings of the same configuration have an answer, equal to ours.",
    ),
    (
        Cause::Contradiction,
        "The service contradicts itself",
        "`Deny`, by a default rule whose access is Allow. The same question about the same configuration was answered `Allow` by that rule in 2020 and 2022.",
    ),
    (
        Cause::Guest,
        "Inside the machine",
        "The agent reports an error of name resolution in the guest and sent no packet. Guests are out of scope (SND-08); the network lets the flow through.",
    ),
    (
        Cause::InternetTag,
        "What the tag Internet is expanded to",
        "Azure counts the platform's address 168.63.129.16 in, which rules do not filter (NSG-11) and which is in `VirtualNetwork` as well; NSG-22 counts it out. Azure leaves out \
         192.0.2.0/24, a range for examples that nobody has. 25.0.0.0/8 and 198.18.0.0/15, which Azure left out as well, are in neither: they are in the tag only perhaps.",
    ),
];

/// How many questions of each kind the recordings hold.
pub const ASKED: &[(&str, usize)] = &[
    ("connectivityCheck", 17),
    ("effectiveNetworkSecurityGroups", 3),
    ("effectiveRouteTable", 3),
    ("ipFlowVerify", 37),
    ("networkConfigurationDiagnostic", 12),
    ("nextHop", 18),
    ("query", 1),
    ("securityGroupView", 18),
];

/// The recording, the place of the question in it, the cause.
pub const EXPLAINED: &[(&str, usize, Cause)] = &[
    ("az-watcher-classic-2017-05-17-19029a", 3, Cause::InternetTag),
    ("az-watcher-classic-2017-05-24-d4d38d", 3, Cause::InternetTag),
    ("az-watcher-classic-2017-06-29-294f16", 3, Cause::InternetTag),
    ("az-watcher-vm-2018-09-10-0dbf5e", 1, Cause::UnseenGroup),
    ("az-watcher-vm-2018-09-10-0dbf5e", 3, Cause::UnseenGroup),
    ("az-watcher-vm-2018-09-10-0dbf5e", 5, Cause::UnseenGroup),
    ("az-watcher-vm-2018-11-12-8698ea", 3, Cause::UnseenGroup),
    ("az-watcher-vm-2018-11-12-8698ea", 5, Cause::UnseenGroup),
    ("az-watcher-vm-2019-02-15-d8d2c2", 1, Cause::UnseenGroup),
    ("az-watcher-vm-2019-02-15-d8d2c2", 3, Cause::UnseenGroup),
    ("az-watcher-vm-2019-02-15-d8d2c2", 5, Cause::UnseenGroup),
    ("az-watcher-vm-2019-05-13-d32ae6", 1, Cause::NoAnswer),
    ("az-watcher-vm-2020-04-03-5fa91c", 5, Cause::NoAnswer),
    ("az-watcher-vm-2020-09-03-60c507", 1, Cause::NoAnswer),
    ("az-watcher-vm-2020-09-03-60c507", 3, Cause::NoAnswer),
    ("az-watcher-vm-2020-09-03-60c507", 4, Cause::NoAnswer),
    ("az-watcher-vm-2020-09-03-60c507", 5, Cause::NoAnswer),
    ("az-watcher-vm-2021-05-26-78a135", 4, Cause::Contradiction),
    ("az-watcher-vm-2021-05-26-78a135", 5, Cause::NoAnswer),
    ("az-watcher-vm-2022-09-23-1ae90a", 5, Cause::NoAnswer),
    ("az-watcher-vm-2023-02-24-6a7d83", 0, Cause::Guest),
    ("sdk-net-checkconnectivityvmtointernettest-2018", 0, Cause::Incomplete),
    ("sdk-net-effectiverouteandacls", 1, Cause::InternetTag),
    ("xplat-nic_custom_effective-route-table_and_effective-nsg_commands-custom", 0, Cause::Incomplete),
    ("xplat-nic_custom_effective-route-table_and_effective-nsg_commands-custom", 1, Cause::Incomplete),
    ("xplat-nic_effective-route-table_and_effective-nsg_commands", 0, Cause::Incomplete),
    ("xplat-nic_effective-route-table_and_effective-nsg_commands", 1, Cause::Incomplete),
];
