//! ListResourceTags: the tags of a key.

use rusoto_kms::Kms;

use super::PagedCall;
use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, Repeat};
use crate::aws::operation::AwsOperation;
use crate::aws::page::{Page, Paging};
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::tag::Tag;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListResourceTags {
    pub key: AwsKeyId,
    pub paging: Paging,
}

impl ListResourceTags {
    pub fn of(key: AwsKeyId) -> Self {
        Self { key, paging: Paging::default() }
    }
}

impl AwsCall for ListResourceTags {
    type Answer = Page<Tag>;
    const OPERATION: AwsOperation = AwsOperation::kms("ListResourceTags");
    const REPEAT: Repeat = Repeat::Reading;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<Page<Tag>, Fault> {
        let (limit, marker) = self.paging.to_rusoto();
        let request = rusoto_kms::ListResourceTagsRequest { key_id: self.key.to_string(), limit, marker };
        let answer = wire.kms(async |kms| kms.list_resource_tags(request).await).await?;
        let tags = answer.tags.unwrap_or_default().into_iter().map(|tag| Tag::told(tag.tag_key, tag.tag_value));
        Ok(Page::of(tags.collect(), answer.truncated, answer.next_marker))
    }
}

impl PagedCall for ListResourceTags {
    type Item = Tag;

    fn paging(&mut self) -> &mut Paging {
        &mut self.paging
    }
}
