//! UpdatePrimaryRegion: makes a replica the primary key. The call goes to the region of the current primary key.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::operation::AwsOperation;
use crate::domain::key::name::AwsKeyId;
use crate::domain::place::Region;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdatePrimaryRegion {
    pub key: AwsKeyId,
    /// The region of the replica that becomes the primary.
    pub new_primary: Region,
}

impl AwsCall for UpdatePrimaryRegion {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("UpdatePrimaryRegion");
    // AWS refuses a repetition, because the key is no longer the primary.
    const RETRY: RetryPolicy = RetryPolicy::IfNotExecuted;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<(), Fault> {
        let request = rusoto_kms::UpdatePrimaryRegionRequest {
            key_id: self.key.to_string(),
            primary_region: self.new_primary.to_string(),
        };
        wire.kms(async |kms| kms.update_primary_region(request).await).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::fake_kms::{key, sent};

    #[tokio::test]
    async fn the_request_matches_the_api() {
        let new_primary = Region::parse("eu-west-1").expect("a region");
        let sent = sent(UpdatePrimaryRegion { key: key(), new_primary }).await;
        assert_eq!(sent, r#"UpdatePrimaryRegion {ID,"PrimaryRegion":"eu-west-1"}"#);
    }
}
