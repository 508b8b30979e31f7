//! The cases of lints, one file a file of `queries/lints`.

mod channels;
mod dns;
mod endpoint_policies;
mod firewalls;
mod limits;
mod private_endpoints;
mod private_link_services;
mod service_endpoints;

/// Case of a lint, what makes it fire, what comes near and must not. What stands in braces is spelled out by `lints.rs`.
pub(super) type Case = (&'static str, &'static str, &'static str);

/// All of them.
pub(super) fn cases() -> impl Iterator<Item = &'static Case> {
    let all = [
        channels::CASES,
        dns::CASES,
        endpoint_policies::CASES,
        firewalls::CASES,
        limits::CASES,
        private_endpoints::CASES,
        private_link_services::CASES,
        service_endpoints::CASES,
    ];
    all.into_iter().flatten()
}
