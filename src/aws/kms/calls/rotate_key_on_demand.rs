//! RotateKeyOnDemand: rotates a key now. rusoto does not know it.

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, Repeat};
use crate::aws::kms::json::{KeyIdBody, NoMembers};
use crate::aws::operation::AwsOperation;
use crate::domain::key::name::AwsKeyId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotateKeyOnDemand {
    pub key: AwsKeyId,
}

impl AwsCall for RotateKeyOnDemand {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("RotateKeyOnDemand");
    // Each time makes another material.
    const REPEAT: Repeat = Repeat::IfNotDone;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<(), Fault> {
        let NoMembers {} = wire.json(&KeyIdBody::of(&self.key)).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::fake_kms::{key, sent};

    #[tokio::test]
    async fn it_is_asked_in_awss_words() {
        assert_eq!(sent(RotateKeyOnDemand { key: key() }).await, r#"RotateKeyOnDemand {ID}"#);
    }
}
