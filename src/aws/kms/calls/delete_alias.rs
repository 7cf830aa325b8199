//! DeleteAlias.

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::operation::AwsOperation;
use crate::domain::key::name::AliasName;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteAlias {
    pub alias: AliasName,
}

impl AwsCall for DeleteAlias {
    type Answer = ();
    const OPERATION: AwsOperation = AwsOperation::kms("DeleteAlias");
    // AWS refuses a repetition, because the alias does not exist any more.
    const RETRY: RetryPolicy = RetryPolicy::IfNotExecuted;

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
    async fn the_request_matches_the_api() {
        assert_eq!(sent(DeleteAlias { alias: alias() }).await, r#"DeleteAlias {"AliasName":"alias/payroll"}"#);
    }
}
