//! The parameters of a query string or a form.

use std::borrow::Cow;

use percent_encoding::percent_decode;

/// The decoded parameters. `+` is a space.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let decoded = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    raw_pairs(text).map(|(name, value)| (decoded(name), decoded(value))).collect()
}

/// The decoded parameters as bytes, for signatures: bytes that are not UTF-8 stay unchanged.
pub(super) fn raw_pairs(text: &str) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> + '_ {
    text.split('&').filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decode(name), decode(value))
    })
}

fn decode(text: &str) -> Vec<u8> {
    let spaced = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    percent_decode(spaced.as_bytes()).collect()
}
