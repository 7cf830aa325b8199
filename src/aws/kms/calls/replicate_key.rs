//! ReplicateKey: creates a replica of a multi-region key. The call goes to the region of the primary key.

use serde::Serialize;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::kms::json::{NewKeyBody, TagBody};
use crate::aws::kms::key_metadata::KeyMetadataAnswer;
use crate::aws::operation::AwsOperation;
use crate::domain::key::metadata::KeyMetadata;
use crate::domain::key::operation::NewReplica;
use crate::domain::place::Region;

#[derive(Debug, Clone, PartialEq)]
pub struct ReplicateKey {
    /// The new replica. Its aliases are ignored: CreateAlias creates them.
    pub new: NewReplica,
    /// The region of the replica.
    pub replica_region: Region,
}

impl AwsCall for ReplicateKey {
    type Answer = KeyMetadata;
    const OPERATION: AwsOperation = AwsOperation::kms("ReplicateKey");
    // AWS refuses a repetition, because the region has a replica already.
    const RETRY: RetryPolicy = RetryPolicy::IfNotExecuted;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<KeyMetadata, Fault> {
        let new = &self.new;
        let body = RequestBody {
            key_id: new.key.as_str(),
            replica_region: self.replica_region.as_str(),
            new: NewKeyBody {
                description: &new.description,
                policy: new.policy.as_ref().map(|policy| policy.as_str()),
                bypass_policy_lockout_safety_check: new.bypass_lockout_check,
                tags: TagBody::all(&new.tags),
            },
        };
        wire.json::<KeyMetadataAnswer>(&body).await?.metadata()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RequestBody<'a> {
    key_id: &'a str,
    replica_region: &'a str,
    #[serde(flatten)]
    new: NewKeyBody<'a>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::kms::fake_kms::{exchange, key, metadata, paris};
    use crate::domain::key::tag::Tag;

    #[tokio::test]
    async fn the_request_matches_the_api() {
        let new = NewReplica {
            key: key(),
            primary: paris(),
            aliases: Vec::new(),
            description: String::new(),
            policy: None,
            bypass_lockout_check: false,
            tags: vec![Tag::new("team", "ops")],
        };
        let call = ReplicateKey { new, replica_region: Region::parse("eu-west-1").expect("a region") };
        let answer = json!({"ReplicaKeyMetadata": metadata(), "ReplicaPolicy": "{}", "ReplicaTags": []});
        let expected = r#"ReplicateKey {"Description":"",ID,"ReplicaRegion":"eu-west-1","Tags":[{"TagKey":"team","TagValue":"ops"}]}"#;
        assert_eq!(exchange(call, answer).await.0, expected);
    }
}
