//! A file of the console, and the answer that it becomes: the form that the client can read, or that it has it already.

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, VARY,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use aws_lc_rs::digest::{Context, SHA256};
use std::fmt::Write;

/// A file that can be served.
#[derive(Clone)]
pub(super) struct Served {
    plain: Bytes,
    brotli: Option<Bytes>,
    media: &'static str,
    /// A weak one: it is the same for both forms.
    etag: String,
}

/// How long an answer may be kept.
#[derive(Clone, Copy)]
pub(super) enum Caching {
    /// For ever, since the address has the hash of the build.
    Immutable,
    /// Until the server says that it changed, which is asked each time.
    Revalidated,
}

/// The headers of what a browser shows as a page. Scripts, styles and calls go to this server only; nothing inline runs, and no
/// other page may show this one in a frame. On other files they mean nothing.
const OF_DOCUMENTS: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// The place in `index.html` that gets the address of the other files.
const PLACEHOLDER: &str = "{assets}";

/// `index.html` with the address of the files of a build.
pub(super) fn index_of(text: &str, build: &str) -> Served {
    let text = text.replace(PLACEHOLDER, &format!("/assets/{build}"));
    Served::new(Bytes::from(text), None, "text/html; charset=utf-8")
}

/// The first half of the SHA-256 of some parts and their lengths, in hexadecimal.
pub(super) fn digest_of<'a>(parts: impl Iterator<Item = &'a [u8]>) -> String {
    let mut digest = Context::new(&SHA256);
    for part in parts {
        digest.update(&part.len().to_be_bytes());
        digest.update(part);
    }
    digest.finish().as_ref().iter().take(16).fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Served {
    pub(super) fn new(plain: Bytes, brotli: Option<Bytes>, media: &'static str) -> Self {
        let etag = format!("W/\"{}\"", digest_of([&*plain].into_iter()));
        Self { plain, brotli, media, etag }
    }

    pub(super) fn answer(self, request: &HttpRequest, caching: Caching) -> HttpResponse {
        let has_it = is_listed(request, IF_NONE_MATCH, |tag| tag == "*" || tag == self.etag);
        let mut answer = if has_it { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        if ["text/html", "image/svg"].iter().any(|document| self.media.starts_with(document)) {
            for header in OF_DOCUMENTS {
                answer.insert_header(*header);
            }
        }
        answer.insert_header(("cross-origin-resource-policy", "same-origin"));
        answer.insert_header((CACHE_CONTROL, caching.header()));
        answer.insert_header((ETAG, self.etag));
        if self.brotli.is_some() {
            answer.insert_header((VARY, "accept-encoding"));
        }
        if has_it {
            return answer.finish();
        }
        answer.insert_header((CONTENT_TYPE, self.media));
        // Every browser takes Brotli over HTTPS; other clients get the file as it is.
        match self.brotli.filter(|_| is_listed(request, ACCEPT_ENCODING, is_brotli)) {
            Some(brotli) => answer.insert_header((CONTENT_ENCODING, "br")).body(brotli),
            None => answer.body(self.plain),
        }
    }
}

impl Caching {
    fn header(self) -> &'static str {
        match self {
            Self::Immutable => "public, max-age=31536000, immutable",
            Self::Revalidated => "no-cache",
        }
    }
}

/// Whether a header has an entry that meets a condition.
fn is_listed(request: &HttpRequest, header: HeaderName, meets: impl Fn(&str) -> bool) -> bool {
    let mut values = request.headers().get_all(header).filter_map(|value| value.to_str().ok());
    values.any(|value| value.split(',').any(|entry| meets(entry.trim())))
}

/// Whether an entry of `Accept-Encoding` is Brotli, and does not exclude it.
fn is_brotli(entry: &str) -> bool {
    let (name, weight) = entry.split_once(';').unwrap_or((entry, "q=1"));
    let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
    name.trim().eq_ignore_ascii_case("br") && weight.is_some_and(|weight| weight > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotli_is_for_clients_that_take_it() {
        assert!(["br", "BR", "br;q=0.5", "br; q=1"].into_iter().all(is_brotli));
        assert!(!["gzip", "br;q=0", "br;q=0.000", "br;x", "*", ""].into_iter().any(is_brotli));
    }

    #[test]
    fn a_digest_tells_where_its_parts_end() {
        let digest = |parts: &[&'static str]| digest_of(parts.iter().map(|part| part.as_bytes()));
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_eq!(digest(&["ab", "c"]).len(), 32);
    }
}
