//! CreateAlias.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, Repeat};
use crate::aws::operation::AwsOperation;
use crate::domain::key::name::{AliasName, AwsKeyId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateAlias {
    pub alias: AliasName,
    pub key: AwsKeyId,
}

impl AwsCall for CreateAlias {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("CreateAlias");
    // The second time AWS would answer that the alias exists already.
    const REPEAT: Repeat = Repeat::IfNotDone;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<(), Fault> {
        let request =
            rusoto_kms::CreateAliasRequest { alias_name: self.alias.to_string(), target_key_id: self.key.to_string() };
        wire.kms(async |kms| kms.create_alias(request).await).await
    }
}
