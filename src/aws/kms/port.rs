//! What the services need of AWS KMS, in domain terms.
//!
//! A call goes to one region of the account behind an [`Access`], waits for a permit there, has a deadline, and is
//! repeated only where that is safe: what [`AwsFailure::may_have_been_done`] says of a failure can be relied on. It
//! answers once AWS has confirmed it. AWS is eventually consistent: what was changed a moment ago may still be read as
//! it was.

use async_trait::async_trait;

use super::calls::{Answer, Request};
use crate::aws::call::AwsCall;
use crate::aws::failure::AwsFailure;
use crate::aws::page::{Marker, Page, Paging};
use crate::aws::port::Access;
use crate::domain::place::Region;

/// AWS KMS as the services see it.
#[async_trait]
pub trait AwsKms: Send + Sync + 'static {
    /// Carries any call. Services use `call`, which knows the type of the answer.
    async fn send(&self, access: &Access, region: &Region, request: Request) -> Result<Answer, AwsFailure>;
}

/// A call to KMS. `calls/mod.rs` implements it for each.
pub trait KmsCall: AwsCall + Clone + Into<Request> {
    /// The answer to this call; `None` if it is the answer to another.
    fn answer_of(answer: Answer) -> Option<Self::Answer>;
}

/// A call that AWS answers page by page.
pub trait PagedCall: KmsCall + AwsCall<Answer = Page<<Self as PagedCall>::Item>> {
    type Item: Send;

    fn paging(&mut self) -> &mut Paging;
}

impl dyn AwsKms + '_ {
    pub async fn call<C: KmsCall>(&self, access: &Access, region: &Region, call: C) -> Result<C::Answer, AwsFailure> {
        let answer = self.send(access, region, call.into()).await?;
        C::answer_of(answer).ok_or_else(|| AwsFailure::Unintelligible {
            operation: C::OPERATION,
            reason: "it is the answer to another call".to_owned(),
        })
    }

    /// All pages of a list, from the one that `first` asks for.
    pub fn pages<'a, C: PagedCall>(&'a self, access: &'a Access, region: &'a Region, first: C) -> Pages<'a, C> {
        Pages { aws: self, access, region, next: Some(first), read: 0 }
    }
}

/// The pages of a list, each asked for when it is wanted.
pub struct Pages<'a, C> {
    aws: &'a dyn AwsKms,
    access: &'a Access,
    region: &'a Region,
    next: Option<C>,
    read: u32,
}

/// No list of AWS's has so many pages: what goes on beyond them goes round.
const PAGES_MAX: u32 = 10_000;

impl<C: PagedCall> Pages<'_, C> {
    /// The items of the next page, which may be none; `None` after the last page.
    ///
    /// # Errors
    /// What AWS says, and [`AwsFailure::Unintelligible`] when the list comes back to where it was, or has no end.
    pub async fn next(&mut self) -> Result<Option<Vec<C::Item>>, AwsFailure> {
        let Some(call) = &mut self.next else { return Ok(None) };
        let page = self.aws.call(self.access, self.region, call.clone()).await?;
        self.read += 1;
        match page.next {
            Some(marker) => go_on(call.paging(), marker, self.read)
                .map_err(|reason| AwsFailure::Unintelligible { operation: C::OPERATION, reason: reason.to_owned() })?,
            None => self.next = None,
        }
        Ok(Some(page.items))
    }

    /// The items of all pages.
    ///
    /// # Errors
    /// Those of [`Pages::next`].
    pub async fn collect(mut self) -> Result<Vec<C::Item>, AwsFailure> {
        let mut all = Vec::new();
        while let Some(items) = self.next().await? {
            all.extend(items);
        }
        Ok(all)
    }
}

fn go_on(paging: &mut Paging, marker: Marker, read: u32) -> Result<(), &'static str> {
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
    fn a_list_without_an_end_is_refused() {
        let mut paging = Paging::first(9);
        let marker = |n: u32| Marker::new(n.to_string());
        assert_eq!(go_on(&mut paging, marker(1), 1), Ok(()));
        assert_eq!(paging, Paging { marker: Some(marker(1)), limit: Some(9) });
        assert!(go_on(&mut paging, marker(1), 2).is_err());
        assert_eq!(go_on(&mut paging, marker(2), PAGES_MAX - 1), Ok(()));
        assert!(go_on(&mut paging, marker(3), PAGES_MAX).is_err());
    }
}
