//! placeholder
use crate::facts::Index;
use crate::facts::private_access::*;
use crate::model::Tri;
pub struct D {
    pub carries: Tri,
}
pub fn of(_i: &Index, c: &PrivateEndpointConnection) -> D {
    D { carries: Tri::from_bool(c.state == Consent::Approved) }
}
