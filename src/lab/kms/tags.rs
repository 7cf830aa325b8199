//! Tags of keys.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use serde_json::json;

use super::call::{Call, Names};
use super::page::PageRequest;
use super::request::Request;
use super::{Answer, exception};
use crate::lab::refusal::Refusal;

/// AWS's limit of tags for a key.
const MAX_TAGS: usize = 50;
const RESERVED: &str = "Tags beginning with aws: are reserved";

/// Validates tags and adds them to existing ones.
///
/// # Errors
/// `TagException`.
pub(super) fn validate(
    given: Vec<(&str, &str)>,
    mut tags: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Refusal> {
    let mut seen = Vec::new();
    for (key, value) in given {
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(exception::tag(RESERVED));
        }
        if !key.chars().chain(value.chars()).all(is_allowed) {
            return Err(exception::tag("Tags contain invalid characters"));
        }
        if seen.contains(&key) {
            return Err(exception::tag("Duplicate tag keys"));
        }
        seen.push(key);
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.len() > MAX_TAGS {
        return Err(exception::tag("Too many tags"));
    }
    Ok(tags)
}

fn is_allowed(c: char) -> bool {
    c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c)
}

/// `TagResource`
pub(super) fn tag_resource(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let Some(given) = request.tags() else {
        request.missing("Tags");
        return request.finish().map(|()| serde_json::Value::Null);
    };
    request.finish()?;
    call.change_silently(name, |key| {
        key.require_not_deleted(call.region)?;
        let placement = key.placement_mut(call.region)?;
        placement.tags = validate(given, std::mem::take(&mut placement.tags))?;
        Ok(())
    })
}

/// `UntagResource`
pub(super) fn untag_resource(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let Some(keys) = request.texts("TagKeys") else {
        request.missing("TagKeys");
        return request.finish().map(|()| serde_json::Value::Null);
    };
    request.finish()?;
    call.change_silently(name, |key| {
        key.require_not_deleted(call.region)?;
        let placement = key.placement_mut(call.region)?;
        if keys.iter().any(|key| key.to_ascii_lowercase().starts_with("aws:")) {
            return Err(exception::tag(RESERVED));
        }
        placement.tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(())
    })
}

/// `ListResourceTags`
pub(super) fn list_resource_tags(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let page = PageRequest::read(request, 50, 50);
    request.finish()?;
    let after = page.after()?;
    call.read(name, Names::OfKeys, |key, _| {
        let tags = key.placement(call.region)?.tags.range::<String, _>((Excluded(after), Unbounded));
        let entries = tags.map(|(key, value)| (key.clone(), json!({ "TagKey": key, "TagValue": value })));
        Ok(page.cut("Tags", entries))
    })
}
