//! Endpoints that say how the keys stand, and who may use them.

use crate::http::endpoint::{Endpoint, get};
use crate::http::keys::{access, grants};
use crate::http::posture;
use crate::service::access::RequiredRight::{SignedIn, ViewKey};

pub(super) fn posture() -> Vec<Endpoint> {
    vec![
        get("/cckm/aws/posture", posture::get, "getPosture", "Get how the keys stand that the caller may see")
            .needs(SignedIn),
        get("/cckm/aws/posture/findings/{rule}", posture::findings, "listFindings", "List the keys that break a rule")
            .needs(SignedIn),
        get("/cckm/aws/access", access::of_principal, "listUsableKeys", "List the keys that a principal may use")
            .needs(SignedIn)
            .refuses(&[404]),
        get("/cckm/aws/keys/{id}/access", access::of_key, "getKeyAccess", "Get who may use a key")
            .needs(ViewKey)
            .refuses(&[403, 409, 502, 504]),
        get("/cckm/aws/keys/{id}/grants", grants::grants, "listKeyGrants", "List the grants of a key at AWS")
            .needs(ViewKey)
            .refuses(&[409, 502, 504]),
    ]
}
