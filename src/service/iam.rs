//! The principals of a KMS's account, for policies.

use super::access::{KmsPermit, Permit, SignedIn, View};
use super::failure::Failure;
use super::kms::KmsAccounts;
use crate::aws::page::{Marker, Paging};
pub use crate::aws::port::IamPrincipal as Principal;
use crate::aws::port::{Access, IamListing};

/// The KMS whose principals a caller wants, and a filter.
pub struct Wanted {
    /// Of which KMS's account: name or id.
    pub kms: String,
    /// Only those whose path begins so.
    pub path_prefix: Option<String>,
    pub limit: Option<u16>,
    /// Where the page before ended.
    pub marker: Option<String>,
}

pub struct Principals {
    pub items: Vec<Principal>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

impl KmsAccounts {
    /// A page of the account's users, for whoever may see the KMS.
    ///
    /// # Errors
    /// When there is no such KMS for the caller, or what AWS says.
    pub async fn iam_users(&self, permit: &Permit<SignedIn>, wanted: Wanted) -> Result<Principals, Failure> {
        let (access, listing) = self.way(permit, wanted).await?;
        let page = self.cloud.aws.list_users(&access, &listing).await?;
        Ok(Principals { items: page.items, next: page.next.map(text) })
    }

    /// A page of the account's roles, for whoever may see the KMS.
    ///
    /// # Errors
    /// As [`KmsAccounts::iam_users`].
    pub async fn iam_roles(&self, permit: &Permit<SignedIn>, wanted: Wanted) -> Result<Principals, Failure> {
        let (access, listing) = self.way(permit, wanted).await?;
        let page = self.cloud.aws.list_roles(&access, &listing).await?;
        Ok(Principals { items: page.items, next: page.next.map(text) })
    }

    async fn way(&self, permit: &Permit<SignedIn>, wanted: Wanted) -> Result<(Access, IamListing), Failure> {
        let permit = KmsPermit::<View>::authorize_named(permit.caller().clone(), &wanted.kms)?;
        let kms = permit.kms();
        kms.refuse_archived()?;
        let access = self.cloud.access_to(&permit.caller().published.state, kms).await?;
        let paging = Paging { marker: wanted.marker.map(Marker::new), limit: wanted.limit };
        Ok((access, IamListing { path_prefix: wanted.path_prefix, paging }))
    }
}

fn text(marker: Marker) -> String {
    marker.as_str().to_owned()
}
