//! Reads the grants of a key from AWS. A key can have 50 000, in pages of 100, and AWS limits the calls of an account; so
//! filters are passed on, and few lists are read at once.

use super::Subject;
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::ListGrants;
use crate::domain::key::aggregate::Key;
use crate::domain::key::grant::KeyGrant;
use crate::service::cloud::{Cloud, RegionAccess};
use crate::service::failure::Failure;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The most lists that are read at once.
const READS_MAX: usize = 4;

/// Which grants are wanted; all if neither is given.
#[derive(Clone, Default, Debug)]
pub struct GrantFilter {
    pub id: Option<String>,
    pub grantee: Option<String>,
}

/// The grants that were read.
#[derive(Default)]
pub(super) struct GrantsRead {
    pub grants: Vec<KeyGrant>,
    /// Whether there are more.
    pub truncated: bool,
}

#[derive(Clone)]
pub(super) struct GrantReader {
    cloud: Arc<Cloud>,
    reads: Arc<Semaphore>,
}

impl GrantReader {
    pub(super) fn new(cloud: Arc<Cloud>) -> Self {
        Self { cloud, reads: Arc::new(Semaphore::new(READS_MAX)) }
    }

    /// Lists the grants of a key.
    ///
    /// # Errors
    /// When AWS does not know the key yet, or refuses.
    pub(super) async fn list(&self, key: &Key, filter: &GrantFilter) -> Result<Vec<KeyGrant>, Failure> {
        // AWS refuses what cannot be an id or a principal, and no grant has such a one.
        let given = [(&filter.id, 128), (&filter.grantee, 256)];
        if given.into_iter().any(|(text, most)| text.as_ref().is_some_and(|text| !can_be_filter(text, most))) {
            return Ok(Vec::new());
        }
        key.refuse_unlinked()?;
        let _read = self.permit().await?;
        let at = self.cloud.region(key.kms, &key.region).await?;
        let GrantFilter { id, grantee } = filter.clone();
        let call = ListGrants { id, grantee, ..ListGrants::of(key.aws_id().clone()) };
        Ok(read(&at, call, usize::MAX).await?.grants)
    }

    /// Returns up to `most` grants of a key. With a subject, and if there is more than a page, only grants that can be for
    /// it are read.
    ///
    /// # Errors
    /// As [`GrantReader::list`].
    pub(super) async fn some(&self, key: &Key, subject: Option<&Subject>, most: usize) -> Result<GrantsRead, Failure> {
        key.refuse_unlinked()?;
        let _read = self.permit().await?;
        let at = self.cloud.region(key.kms, &key.region).await?;
        let all = ListGrants::of(key.aws_id().clone());
        let Some(grantees) = subject.and_then(Subject::grantees) else { return Ok(read(&at, all, most).await?) };
        let first = at.call(all.clone()).await?;
        if first.next.is_none() {
            return Ok(GrantsRead { grants: first.items, truncated: false });
        }
        let mut found = GrantsRead::default();
        for grantee in grantees {
            let call = ListGrants { grantee: Some(grantee), ..all.clone() };
            let more = read(&at, call, most.saturating_sub(found.grants.len())).await?;
            found.grants.extend(more.grants);
            found.truncated |= more.truncated;
        }
        Ok(found)
    }

    async fn permit(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Failure> {
        self.reads.acquire().await.map_err(|_| Failure::Internal("the grants of a key cannot be read"))
    }
}

async fn read(at: &RegionAccess, call: ListGrants, most: usize) -> Result<GrantsRead, AwsFailure> {
    let filtered = call.id.is_some() || call.grantee.is_some();
    let (mut pages, mut read) = (at.pages(call), GrantsRead::default());
    loop {
        match pages.next().await {
            Ok(Some(page)) => read.grants.extend(page),
            Ok(None) => return Ok(read),
            // There is no such grant, or no such principal.
            Err(failure)
                if filtered && (failure.is("InvalidGrantIdException") || failure.is("InvalidArnException")) =>
            {
                return Ok(read);
            }
            Err(failure) => return Err(failure),
        }
        if read.grants.len() > most {
            read.grants.truncate(most);
            read.truncated = true;
            return Ok(read);
        }
    }
}

/// Whether AWS accepts a text as a filter.
fn can_be_filter(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c))
}
