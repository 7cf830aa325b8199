//! The log groups of a KMS's account, from which reports read CloudTrail.

use super::access::{CreateReport, KmsPermit, Permit, SignedIn};
use super::failure::{Failure, invalid};
use super::kms::KmsAccounts;
use crate::aws::logs::{LogGroup, LogGroupListing};
use crate::aws::page::{Marker, Page, Paging};
use crate::domain::place::Region;

/// A request for a page of log groups.
pub struct LogGroupsRequest {
    /// The name or id of the KMS.
    pub kms: String,
    /// Any region of the partition: a trail can deliver to one that the KMS does not manage.
    pub region: Region,
    pub name_prefix: Option<String>,
    pub limit: Option<u16>,
    /// The token that the previous page returned.
    pub token: Option<String>,
}

impl KmsAccounts {
    /// Lists a page of the log groups of a region of the account. The caller must be able to create reports on the KMS.
    ///
    /// # Errors
    /// When the caller lacks the right, the KMS is archived, or AWS refuses.
    pub async fn log_groups(
        &self,
        permit: &Permit<SignedIn>,
        request: LogGroupsRequest,
    ) -> Result<Page<LogGroup>, Failure> {
        let permit = KmsPermit::<CreateReport>::authorize_named(permit.caller().clone(), &request.kms)?;
        let kms = permit.kms();
        kms.refuse_archived()?;
        let access = self.cloud.access_to(&permit.caller().published.state, kms).await?;
        if request.region.partition() != access.partition {
            let problem = format!("is not a region of partition `{}`, to which the KMS belongs", access.partition);
            return Err(invalid("region", problem).into());
        }
        let paging = Paging { marker: request.token.map(Marker::new), limit: request.limit };
        let listing = LogGroupListing { name_prefix: request.name_prefix, paging };
        Ok(self.cloud.aws.log_groups(&access, &request.region, &listing).await?)
    }
}
