//! DeleteAlias.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, Repeat};
use crate::aws::operation::AwsOperation;
use crate::domain::key::name::AliasName;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteAlias {
    pub alias: AliasName,
}

impl AwsCall for DeleteAlias {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("DeleteAlias");
    // The second time AWS would answer that there is no such alias.
    const REPEAT: Repeat = Repeat::IfNotDone;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<(), Fault> {
        let request = rusoto_kms::DeleteAliasRequest { alias_name: self.alias.to_string() };
        wire.kms(async |kms| kms.delete_alias(request).await).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::fake_kms::{alias, sent};

    #[tokio::test]
    async fn it_is_asked_in_awss_words() {
        assert_eq!(sent(DeleteAlias { alias: alias() }).await, r#"DeleteAlias {"AliasName":"alias/payroll"}"#);
    }
}
