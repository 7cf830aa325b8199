//! UpdateKeyDescription.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, Repeat};
use crate::aws::operation::AwsOperation;
use crate::domain::key::name::AwsKeyId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateKeyDescription {
    pub key: AwsKeyId,
    pub description: String,
}

impl AwsCall for UpdateKeyDescription {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("UpdateKeyDescription");
    const REPEAT: Repeat = Repeat::Always;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<(), Fault> {
        let request = rusoto_kms::UpdateKeyDescriptionRequest {
            key_id: self.key.to_string(),
            description: self.description.clone(),
        };
        wire.kms(async |kms| kms.update_key_description(request).await).await
    }
}
