//! What one evaluation looks at.

use crate::facts::Index;
use crate::facts::platform::Platform;

/// The facts of an estate and the truth about Azure.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// The estate.
    pub index: &'a Index,
    /// Azure itself.
    pub platform: &'a Platform,
}
