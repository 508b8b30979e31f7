//! Private endpoints, names, service endpoints and store firewalls together, on small estates written as facts.

mod beside_the_network;
mod estate;
mod firewalls;
mod names;
mod resolvers;
mod service_endpoints;
