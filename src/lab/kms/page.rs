//! Pages of lists: `Limit` and `Marker` in requests, `NextMarker` and `Truncated` in answers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::exception;
use super::request::Request;
use crate::lab::refusal::Refusal;

/// The prefix of every marker, before it is encoded. It distinguishes valid markers from others.
const MARK: &str = "after:";

/// The page that a request asks for.
#[derive(Debug)]
pub(super) struct PageRequest {
    limit: usize,
    marker: Option<String>,
}

impl PageRequest {
    /// Reads limit and marker. The limit defaults to `usual` and is at most `most`.
    pub(super) fn read(request: &mut Request<'_>, usual: usize, most: usize) -> PageRequest {
        let limit = request.number("Limit", (1, 1000)).and_then(|limit| usize::try_from(limit).ok());
        PageRequest {
            limit: limit.unwrap_or(usual).min(most),
            marker: request.text("Marker", (1, 1024)).map(str::to_owned),
        }
    }

    /// The name after which the page begins; empty for the first page.
    ///
    /// # Errors
    /// `InvalidMarkerException`.
    pub(super) fn after(&self) -> Result<String, Refusal> {
        let Some(marker) = &self.marker else { return Ok(String::new()) };
        let decoded = URL_SAFE_NO_PAD.decode(marker).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let name = decoded.as_deref().and_then(|text| text.strip_prefix(MARK)).map(str::to_owned);
        name.ok_or_else(|| exception::invalid_marker("Could not deserialize marker"))
    }

    /// Builds the page from the named items that follow [`PageRequest::after`].
    pub(super) fn cut(&self, member: &str, following: impl Iterator<Item = (String, Value)>) -> Value {
        let mut found: Vec<(String, Value)> = following.take(self.limit + 1).collect();
        let truncated = found.len() > self.limit;
        found.truncate(self.limit);
        let last = found.last().map(|(name, _)| name.clone()).unwrap_or_default();
        let items: Vec<Value> = found.into_iter().map(|(_, value)| value).collect();
        let mut page = json!({ member: items, "Truncated": truncated });
        if truncated {
            page["NextMarker"] = json!(URL_SAFE_NO_PAD.encode(format!("{MARK}{last}")));
        }
        page
    }
}
