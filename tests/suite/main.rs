//! The one test binary.

mod private_access;
