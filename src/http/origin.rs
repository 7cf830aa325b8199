//! Refuses changes that a page of another origin makes in somebody's browser. Browsers say from where a request comes;
//! other clients send neither header.

use super::error::Problem;
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Uri;
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use actix_web::middleware::Next;

/// The middleware before every handler.
///
/// A refused request does not count as an attempt to sign in.
///
/// # Errors
/// The error of the wrapped service.
pub async fn refuse_foreign(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).or_else(|| {
        // HTTP/2 has the host in the address.
        request.uri().authority().map(|authority| authority.as_str())
    });
    if !request.method().is_safe() && is_foreign(request.headers(), host) {
        return Ok(request.error_response(Problem::ForeignOrigin).map_into_right_body());
    }
    next.call(request).await.map(ServiceResponse::map_into_left_body)
}

fn is_foreign(headers: &HeaderMap, host: Option<&str>) -> bool {
    // `same-origin` is a page of ours, and `none` the user's own doing.
    let sites = headers.get_all("sec-fetch-site");
    if sites.into_iter().any(|site| !matches!(site.as_bytes(), b"same-origin" | b"none")) {
        return true;
    }
    headers.get_all(ORIGIN).any(|origin| {
        let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
        let authority = origin.as_ref().and_then(Uri::authority).map(|authority| authority.as_str());
        // A page without an origin, such as one in a frame of its own, sends `null`, which is no host.
        authority.is_none() || !authority.zip(host).is_some_and(|(origin, host)| origin.eq_ignore_ascii_case(host))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    #[test]
    fn only_the_pages_of_this_host_and_other_programs_than_browsers_are_not_foreign() {
        let judge = |sent: &[(&'static str, &'static str)]| {
            let sent =
                sent.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            let mut headers = HeaderMap::new();
            sent.for_each(|(name, value)| headers.append(name, value));
            is_foreign(&headers, Some("keys.example.org:8443"))
        };
        let ours = ("origin", "https://keys.example.org:8443");
        for own in [&[][..], &[ours], &[("sec-fetch-site", "same-origin"), ours], &[("sec-fetch-site", "none")]] {
            assert!(!judge(own), "{own:?}");
        }
        for foreign in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "https://keys.example.org")],
            &[("origin", "null")],
            &[("origin", "")],
            &[ours, ("origin", "https://evil.example")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site"), ours],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
        ] {
            assert!(judge(foreign), "{foreign:?}");
        }
        assert!(is_foreign(&HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static("https://a"))]), None));
    }
}
