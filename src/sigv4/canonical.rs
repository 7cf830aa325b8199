//! The canonical request of Signature Version 4.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Claim, Request, query};

/// All characters except the unreserved ones of RFC 3986.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// In a path the slash is not escaped.
const ESCAPED_IN_PATH: &AsciiSet = &ESCAPED.remove(b'/');

/// The canonical request, in bytes, because header values need not be UTF-8.
pub(super) fn request(request: &Request<'_>, claim: &Claim, body_hash: &str) -> Vec<u8> {
    let mut names = claim.signed_headers.clone();
    names.sort();
    names.dedup();
    let mut text =
        format!("{}\n{}\n{}\n", request.method, path(request.path), query_string(request.query)).into_bytes();
    for name in &names {
        text.extend(name.as_bytes());
        text.push(b':');
        text.extend(header(request, name));
        text.push(b'\n');
    }
    text.extend(format!("\n{}\n{body_hash}", names.join(";")).into_bytes());
    text
}

/// The path, normalized and escaped once more. Only S3 does not do so.
pub(super) fn path(raw: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for part in raw.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            part => kept.push(part),
        }
    }
    let ends_open = raw.ends_with('/') && !kept.is_empty();
    let normal = format!("/{}{}", kept.join("/"), if ends_open { "/" } else { "" });
    utf8_percent_encode(&normal, ESCAPED_IN_PATH).to_string()
}

/// The parameters without the signature, with uniform escapes and sorted.
pub(super) fn query_string(raw: &str) -> String {
    let mut parts: Vec<(String, String)> = query::raw_pairs(raw)
        .filter(|(name, _)| name != b"X-Amz-Signature")
        .map(|(name, value)| (escape(&name), escape(&value)))
        .collect();
    parts.sort();
    let parts: Vec<String> = parts.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    parts.join("&")
}

fn escape(bytes: &[u8]) -> String {
    percent_encoding::percent_encode(bytes, ESCAPED).to_string()
}

/// The values of a header in their order, with whitespace collapsed, joined by commas.
fn header(request: &Request<'_>, name: &str) -> Vec<u8> {
    let values = request.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| {
        let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join(&b' ')
    });
    values.collect::<Vec<_>>().join(&b',')
}
