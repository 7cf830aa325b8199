//! The principals of a KMS's account, for policies.

use super::access::{KmsPermit, Permit, SignedIn, View};
use super::failure::Failure;
use super::kms::KmsAccounts;
use crate::aws::page::{Marker, Paging};
pub use crate::aws::port::IamPrincipal as Principal;
use crate::aws::port::{Access, IamListing};

/// A request for the principals of a KMS's account.
pub struct PrincipalsRequest {
    /// The name or id of the KMS.
    pub kms: String,
    /// Lists only principals whose path begins with this prefix.
    pub path_prefix: Option<String>,
    pub limit: Option<u16>,
    /// The marker that the previous page returned.
    pub marker: Option<String>,
}

pub struct Principals {
    pub items: Vec<Principal>,
    /// The marker of the next page, if there is one.
    pub next: Option<String>,
}

impl KmsAccounts {
    /// Lists a page of the account's users. The caller must be able to view the KMS.
    ///
    /// # Errors
    /// When the caller may not view the KMS, it is archived, or AWS refuses.
    pub async fn iam_users(
        &self,
        permit: &Permit<SignedIn>,
        request: PrincipalsRequest,
    ) -> Result<Principals, Failure> {
        let (access, listing) = self.authorize_listing(permit, request).await?;
        let page = self.cloud.aws.list_users(&access, &listing).await?;
        Ok(Principals { items: page.items, next: page.next.map(text) })
    }

    /// Lists a page of the account's roles. The caller must be able to view the KMS.
    ///
    /// # Errors
    /// As [`KmsAccounts::iam_users`].
    pub async fn iam_roles(
        &self,
        permit: &Permit<SignedIn>,
        request: PrincipalsRequest,
    ) -> Result<Principals, Failure> {
        let (access, listing) = self.authorize_listing(permit, request).await?;
        let page = self.cloud.aws.list_roles(&access, &listing).await?;
        Ok(Principals { items: page.items, next: page.next.map(text) })
    }

    async fn authorize_listing(
        &self,
        permit: &Permit<SignedIn>,
        request: PrincipalsRequest,
    ) -> Result<(Access, IamListing), Failure> {
        let permit = KmsPermit::<View>::authorize_named(permit.caller().clone(), &request.kms)?;
        let kms = permit.kms();
        kms.refuse_archived()?;
        let access = self.cloud.access_to(&permit.caller().published.state, kms).await?;
        let paging = Paging { marker: request.marker.map(Marker::new), limit: request.limit };
        Ok((access, IamListing { path_prefix: request.path_prefix, paging }))
    }
}

fn text(marker: Marker) -> String {
    marker.as_str().to_owned()
}
