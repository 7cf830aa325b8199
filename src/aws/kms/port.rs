//! The port to AWS KMS, in domain terms.
//!
//! A call goes to one region of the account of an [`Access`]. It waits for a permit of that region, has a deadline, and
//! is retried only where that is safe, so that [`AwsFailure::may_have_been_done`] is reliable. A call returns after AWS
//! has confirmed it. AWS is eventually consistent: a read shortly after a change may still return the old value.

use futures_util::future::BoxFuture;

use super::calls::{Answer, Request};
use crate::aws::call::AwsCall;
use crate::aws::failure::AwsFailure;
use crate::aws::page::{Marker, Page, Paging};
use crate::aws::port::Access;
use crate::domain::place::Region;

/// AWS KMS. `dyn AwsKms` has the method `call`, which knows the type of the answer.
pub trait AwsKms: Send + Sync + 'static {
    /// Sends a call. Services use `call` instead.
    fn send<'a>(
        &'a self,
        access: &'a Access,
        region: &'a Region,
        request: Request,
    ) -> BoxFuture<'a, Result<Answer, AwsFailure>>;
}

/// A call to KMS. `calls/mod.rs` implements the trait for each call.
pub trait KmsCall: AwsCall + Clone + Into<Request> {
    /// The answer to this call; `None` if the answer belongs to another call.
    fn answer_of(answer: Answer) -> Option<Self::Answer>;
}

/// A call with a paginated answer.
pub trait PagedCall: KmsCall + AwsCall<Answer = Page<<Self as PagedCall>::Item>> {
    type Item: Send;

    fn paging(&mut self) -> &mut Paging;
}

impl dyn AwsKms + '_ {
    pub async fn call<C: KmsCall>(&self, access: &Access, region: &Region, call: C) -> Result<C::Answer, AwsFailure> {
        let answer = self.send(access, region, call.into()).await?;
        C::answer_of(answer).ok_or_else(|| AwsFailure::Unintelligible {
            operation: C::OPERATION,
            reason: "the answer belongs to another call".to_owned(),
        })
    }

    /// The pages of a list, beginning with the page that `first` requests.
    pub fn pages<'a, C: PagedCall>(&'a self, access: &'a Access, region: &'a Region, first: C) -> Pages<'a, C> {
        Pages { aws: self, access, region, next: Some(first), read: 0 }
    }
}

/// The pages of a list. Each page is requested when it is needed.
pub struct Pages<'a, C> {
    aws: &'a dyn AwsKms,
    access: &'a Access,
    region: &'a Region,
    next: Option<C>,
    read: u32,
}

/// The largest number of pages. A list with more pages is cyclic.
const PAGES_MAX: u32 = 10_000;

impl<C: PagedCall> Pages<'_, C> {
    /// Returns the items of the next page, which may be empty; `None` after the last page.
    ///
    /// # Errors
    /// AWS's failure, and [`AwsFailure::Unintelligible`] if the list does not end.
    pub async fn next(&mut self) -> Result<Option<Vec<C::Item>>, AwsFailure> {
        let Some(call) = &mut self.next else { return Ok(None) };
        let page = self.aws.call(self.access, self.region, call.clone()).await?;
        self.read += 1;
        match page.next {
            Some(marker) => advance(call.paging(), marker, self.read)
                .map_err(|reason| AwsFailure::Unintelligible { operation: C::OPERATION, reason: reason.to_owned() })?,
            None => self.next = None,
        }
        Ok(Some(page.items))
    }

    /// Returns the items of all pages.
    ///
    /// # Errors
    /// As for [`Pages::next`].
    pub async fn collect(mut self) -> Result<Vec<C::Item>, AwsFailure> {
        let mut all = Vec::new();
        while let Some(items) = self.next().await? {
            all.extend(items);
        }
        Ok(all)
    }
}

fn advance(paging: &mut Paging, marker: Marker, read: u32) -> Result<(), &'static str> {
    if paging.marker.as_ref() == Some(&marker) || read >= PAGES_MAX {
        return Err("the list has no end");
    }
    paging.marker = Some(marker);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_list_is_rejected() {
        let mut paging = Paging::first(9);
        let marker = |n: u32| Marker::new(n.to_string());
        assert_eq!(advance(&mut paging, marker(1), 1), Ok(()));
        assert_eq!(paging, Paging { marker: Some(marker(1)), limit: Some(9) });
        assert!(advance(&mut paging, marker(1), 2).is_err());
        assert_eq!(advance(&mut paging, marker(2), PAGES_MAX - 1), Ok(()));
        assert!(advance(&mut paging, marker(3), PAGES_MAX).is_err());
    }
}
