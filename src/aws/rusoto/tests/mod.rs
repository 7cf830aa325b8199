//! Tests of the client on a fake server.

use super::*;
use crate::aws::fake::{Fake, METADATA, RecordedRequest, Reply, access, assumed_role, client};
use crate::aws::port::{RoleToAssume, SessionName};
use crate::domain::place::{ExternalId, Partition, RoleArn};

mod calls;
mod failures;
mod sessions;

fn role(name: &str, external_id: Option<&str>) -> RoleToAssume {
    RoleToAssume {
        arn: RoleArn::parse(&format!("arn:aws:iam::789012123456:role/{name}")).expect("a role"),
        external_id: external_id.map(|id| ExternalId::parse(id).expect("an external id")),
        session_name: SessionName::shaped_from("claviger"),
    }
}

fn identity(arn: &str) -> Reply {
    let account = arn.split(':').nth(4).unwrap_or_default();
    Reply::Http(
        200,
        format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>{arn}</Arn>\
         <UserId>AIDA</UserId><Account>{account}</Account></GetCallerIdentityResult>{METADATA}</GetCallerIdentityResponse>"
        ),
    )
}

fn regions(names: &[&str]) -> Reply {
    let items = names
        .iter()
        .map(|name| format!("<item><regionName>{name}</regionName><optInStatus>opted-in</optInStatus></item>"));
    Reply::Http(
        200,
        format!(
            "<DescribeRegionsResponse><regionInfo>{}</regionInfo></DescribeRegionsResponse>",
            items.collect::<String>()
        ),
    )
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::Http(
        status,
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        ),
    )
}

fn user() -> Reply {
    identity("arn:aws:iam::123456789012:user/user1")
}
