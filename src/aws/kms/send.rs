//! How a call to KMS is sent: in turn, for its region, repeated only where that is safe.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use rusoto_core::RusotoError;
use rusoto_kms::KmsClient;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::json;
use crate::aws::credentials::Freshness;
use crate::aws::endpoint::is_of_legacy_sts;
use crate::aws::failure::AwsFailure;
use crate::aws::fault::{Fault, Protocol, Repeat, tidy};
use crate::aws::operation::Operation;
use crate::aws::port::{Access, AccessKeys, StsEndpoints};
use crate::aws::retry::Deadline;
use crate::aws::rusoto::{Errand, Line, RusotoAws, rusoto_keys};
use crate::domain::place::Region;

/// What is never sent again once it may have been done. Four of them make something each time; the others would answer
/// the second time with a refusal that says the contrary of what the first has done.
const ONCE: [Operation; 9] = [
    Operation::CREATE_KEY,
    Operation::REPLICATE_KEY,
    Operation::ROTATE_KEY_ON_DEMAND,
    Operation::IMPORT_KEY_MATERIAL,
    Operation::CREATE_ALIAS,
    Operation::DELETE_ALIAS,
    Operation::SCHEDULE_KEY_DELETION,
    Operation::CANCEL_KEY_DELETION,
    Operation::UPDATE_PRIMARY_REGION,
];

impl RusotoAws {
    /// One call through `rusoto_kms`.
    pub(super) async fn plain<T, E, F, A>(
        &self,
        operation: Operation,
        access: &Access,
        region: &Region,
        ask: A,
    ) -> Result<T, AwsFailure>
    where
        A: Fn(KmsClient) -> F + Send + Sync + 'static,
        F: Future<Output = Result<T, RusotoError<E>>> + Send,
        T: Send,
        E: Send,
    {
        let ask = Arc::new(ask);
        self.in_region(operation, access, region, |errand, keys, deadline| {
            self.line.clone().send_plain(errand, keys, deadline, Arc::clone(&ask))
        })
        .await
    }

    /// One call as a signed JSON request.
    pub(super) async fn json<T: DeserializeOwned + Send>(
        &self,
        operation: Operation,
        access: &Access,
        region: &Region,
        request: &(impl Serialize + Sync),
    ) -> Result<T, AwsFailure> {
        let body = serde_json::to_vec(request);
        let body = Bytes::from(body.map_err(|error| AwsFailure::NotSent { operation, reason: error.to_string() })?);
        self.in_region(operation, access, region, |errand, keys, deadline| {
            self.line.clone().send_json(errand, keys, deadline, body.clone())
        })
        .await
    }

    /// Waits for a turn in the region and sends.
    async fn in_region<T, F>(
        &self,
        operation: Operation,
        access: &Access,
        region: &Region,
        send: impl Fn(Errand, AccessKeys, Deadline) -> F + Sync,
    ) -> Result<T, AwsFailure>
    where
        F: Future<Output = Result<T, AwsFailure>>,
    {
        let not_sent = |reason| AwsFailure::NotSent { operation, reason };
        if region.partition() != access.partition {
            let partition = access.partition;
            return Err(not_sent(format!("`{region}` is not a region of partition `{partition}`")));
        }
        let deadline = self.line.deadline();
        let turn = self.line.lanes.turn(access, region, deadline).await;
        let _turn = turn.ok_or_else(|| not_sent(format!("too many calls to `{region}` are under way already")))?;
        let errand = Errand {
            operation,
            endpoint: self.line.endpoints.in_region(operation.service, region),
            protocol: Protocol::Json,
            repeat: match operation {
                once if ONCE.contains(&once) => Repeat::IfNotDone,
                reads if reads.is_read_only() => Repeat::Reading,
                _ => Repeat::Always,
            },
        };
        let ask = |keys, deadline| send(errand.clone(), keys, deadline);
        let access = access_in(access, region);
        self.line.ask(operation, &access, Some(region), Freshness::Kept, deadline, ask).await
    }
}

/// The access with which a region is reached: sessions that the global endpoint of STS gives are good only in the regions
/// that every account has.
fn access_in<'a>(access: &'a Access, region: &Region) -> Cow<'a, Access> {
    match access.roles.is_empty() || access.sts == StsEndpoints::Regional || is_of_legacy_sts(region) {
        true => Cow::Borrowed(access),
        false => Cow::Owned(Access { sts: StsEndpoints::Regional, ..access.clone() }),
    }
}

impl Line {
    async fn send_plain<T, E, F, A>(
        self: Arc<Self>,
        errand: Errand,
        keys: AccessKeys,
        deadline: Deadline,
        ask: Arc<A>,
    ) -> Result<T, AwsFailure>
    where
        A: Fn(KmsClient) -> F + Send + Sync,
        F: Future<Output = Result<T, RusotoError<E>>> + Send,
        T: Send,
        E: Send,
    {
        let ask = |client, region| ask(KmsClient::new_with_client(client, region));
        self.call(&errand, &keys, deadline, ask).await
    }

    async fn send_json<T: DeserializeOwned + Send>(
        self: Arc<Self>,
        errand: Errand,
        keys: AccessKeys,
        deadline: Deadline,
        body: Bytes,
    ) -> Result<T, AwsFailure> {
        let attempt = || async {
            let mut request = json::request(&errand.endpoint, errand.operation, body.clone());
            request.sign(&rusoto_keys(&keys));
            let answer = self.transport.send(request).await?;
            if !answer.is_success() {
                return Err(answer.fault(errand.protocol));
            }
            serde_json::from_slice(answer.json()?).map_err(|error| Fault::Garbled(tidy(&error.to_string())))
        };
        self.attempts(&errand, &keys, deadline, attempt).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::port::{RoleToAssume, SessionName};
    use crate::domain::place::{Partition, RoleArn};
    use zeroize::Zeroizing;

    #[test]
    fn sessions_for_regions_that_are_opted_in_come_from_a_regional_endpoint() {
        let secret = Zeroizing::new("secret".to_owned());
        let keys = AccessKeys { id: "AKIA1".to_owned(), secret, session_token: None };
        let plain = Access::with_keys(Partition::Aws, keys);
        let role = RoleToAssume {
            arn: RoleArn::parse("arn:aws:iam::123456789012:role/keys").expect("a role"),
            external_id: None,
            session_name: SessionName::shaped_from("test"),
        };
        let assuming = Access { roles: vec![role], ..plain.clone() };
        let sts = |access: &Access, region: &str| access_in(access, &Region::parse(region).expect("a region")).sts;
        assert_eq!(sts(&assuming, "eu-west-3"), StsEndpoints::Legacy);
        assert_eq!(sts(&assuming, "eu-south-1"), StsEndpoints::Regional);
        assert_eq!(sts(&plain, "eu-south-1"), StsEndpoints::Legacy, "keys of a user are good everywhere");
    }
}
