//! UpdateAlias: an alias moves to another key of the same kind and use.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, Repeat};
use crate::aws::operation::AwsOperation;
use crate::domain::key::name::{AliasName, AwsKeyId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateAlias {
    pub alias: AliasName,
    /// The key that it moves to.
    pub key: AwsKeyId,
}

impl AwsCall for UpdateAlias {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("UpdateAlias");
    const REPEAT: Repeat = Repeat::Always;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<(), Fault> {
        let request =
            rusoto_kms::UpdateAliasRequest { alias_name: self.alias.to_string(), target_key_id: self.key.to_string() };
        wire.kms(async |kms| kms.update_alias(request).await).await
    }
}
