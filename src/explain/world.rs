//! The settled facts as the evaluation of points sees them.

use crate::facts::Index;
use crate::facts::platform::Platform;

/// The facts of one estate.
pub struct World<'a> {
    /// The facts.
    pub index: &'a Index,
    /// What is true of Azure.
    pub platform: &'a Platform,
}

impl<'a> World<'a> {
    /// A world over these facts.
    pub fn new(index: &'a Index, platform: &'a Platform) -> World<'a> {
        World { index, platform }
    }
}
