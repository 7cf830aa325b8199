//! UpdatePrimaryRegion: another region's replica becomes the primary key. It is sent to the region of the present one.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, Repeat};
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
    // The second time AWS would refuse: the key asked is no longer the primary.
    const REPEAT: Repeat = Repeat::IfNotDone;

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
    async fn it_is_asked_in_awss_words() {
        let new_primary = Region::parse("eu-west-1").expect("a region");
        let sent = sent(UpdatePrimaryRegion { key: key(), new_primary }).await;
        assert_eq!(sent, r#"UpdatePrimaryRegion {ID,"PrimaryRegion":"eu-west-1"}"#);
    }
}
