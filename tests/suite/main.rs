//! The one test binary.
mod front_pages;
