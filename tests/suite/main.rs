//! The one test binary.

mod front_pages;
mod private_access;
