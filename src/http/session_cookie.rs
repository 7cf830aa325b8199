//! The refresh token in a cookie, for the console: scripts cannot read it there. Only the calls that issue and revoke tokens
//! look at it, and only if they carry a header that pages of other origins cannot send; everything else needs a bearer
//! token. docs/decisions/0083-sessions-of-the-console.md

use super::describe::{Described, Description};
use super::error::Problem;
use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
use std::future::{Ready, ready};
use zeroize::Zeroizing;

/// The cookie. By its prefix, browsers take it only from this host over HTTPS, so no other host of the domain can set it.
const NAME: &str = "__Host-claviger-refresh";

/// What follows the value. Without `Max-Age` the cookie ends with the browser; when the token ends, the server decides.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

/// The header of calls that use the cookie. A page of another origin would have to ask before it may send one, and no answer
/// allows that.
const CONSOLE: HeaderName = HeaderName::from_static("x-claviger-console");

/// What a request brings for a session in a cookie.
pub struct SessionCookie {
    has_header: bool,
    token: Option<Zeroizing<String>>,
}

/// A change of the cookie.
pub enum CookieChange {
    None,
    Set(Zeroizing<String>),
    Remove,
}

/// An answer that can change the cookie.
pub struct WithCookie<A> {
    pub answer: A,
    pub change: CookieChange,
}

impl SessionCookie {
    fn of(headers: &HeaderMap) -> Self {
        let has_header = headers.get(CONSOLE).is_some_and(|value| value.as_bytes() == b"1");
        Self { has_header, token: token_in(headers) }
    }

    /// Refuses a request without the header.
    ///
    /// # Errors
    /// [`Problem::NoConsoleHeader`]
    pub fn require_header(&self) -> Result<(), Problem> {
        self.has_header.then_some(()).ok_or(Problem::NoConsoleHeader)
    }

    /// The refresh token in the cookie, for a request with the header.
    ///
    /// # Errors
    /// [`Problem::NoConsoleHeader`], or [`Problem::NoSessionCookie`] if there is no cookie.
    pub fn token(self) -> Result<Zeroizing<String>, Problem> {
        self.require_header()?;
        self.token.ok_or(Problem::NoSessionCookie)
    }
}

/// The value of the cookie; `None` if there is none, or more than one.
fn token_in(headers: &HeaderMap) -> Option<Zeroizing<String>> {
    let headers = headers.get_all(COOKIE).filter_map(|header| header.to_str().ok());
    let cookies = headers.flat_map(|header| header.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    let mut tokens = cookies.filter(|(name, value)| *name == NAME && !value.is_empty()).map(|(_, value)| value);
    match (tokens.next(), tokens.next()) {
        (Some(token), None) => Some(Zeroizing::new(token.to_owned())),
        _ => None,
    }
}

impl FromRequest for SessionCookie {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request.headers())))
    }
}

impl Described for SessionCookie {
    fn describe(to: &mut Description) {
        to.may_fail(&[401, 403]);
    }
}

impl CookieChange {
    fn header(&self) -> Option<HeaderValue> {
        let text = match self {
            Self::None => return None,
            Self::Set(token) => Zeroizing::new(format!("{NAME}={}; {ATTRIBUTES}", token.as_str())),
            Self::Remove => Zeroizing::new(format!("{NAME}=; Max-Age=0; {ATTRIBUTES}")),
        };
        // Refresh tokens are of letters that a header may have.
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl<A> WithCookie<A> {
    /// An answer that leaves the cookie as it is.
    pub fn unchanged(answer: A) -> Self {
        Self { answer, change: CookieChange::None }
    }
}

impl<A: Responder<Body = BoxBody>> Responder for WithCookie<A> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut answer = self.answer.respond_to(request);
        if let Some(value) = self.change.header() {
            answer.headers_mut().append(SET_COOKIE, value);
        }
        answer
    }
}

impl<A: Described> Described for WithCookie<A> {
    fn describe(to: &mut Description) {
        A::describe(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(cookies: &[&'static str], console: Option<&'static str>) -> SessionCookie {
        let mut headers = HeaderMap::new();
        cookies.iter().for_each(|cookie| headers.append(COOKIE, HeaderValue::from_static(cookie)));
        if let Some(value) = console {
            headers.append(CONSOLE, HeaderValue::from_static(value));
        }
        SessionCookie::of(&headers)
    }

    #[test]
    fn the_token_is_in_the_one_cookie_of_this_name_and_needs_the_header() {
        let token =
            |cookies: &[&'static str], console| given(cookies, console).token().ok().map(|token| token.to_string());
        let ours = "a=b; __Host-claviger-refresh=xyz; c";
        assert_eq!(token(&[ours], Some("1")).as_deref(), Some("xyz"));
        assert_eq!(token(&["a=b", ours], Some("1")).as_deref(), Some("xyz"));
        assert!(matches!(given(&[ours], None).token(), Err(Problem::NoConsoleHeader)));
        assert!(matches!(given(&[ours], Some("0")).token(), Err(Problem::NoConsoleHeader)));
        for none in [&[][..], &["__Host-claviger-refresh="], &["__host-claviger-refresh=xyz"], &[ours, ours]] {
            assert!(matches!(given(none, Some("1")).token(), Err(Problem::NoSessionCookie)), "{none:?}");
        }
    }

    #[test]
    fn scripts_and_other_sites_do_not_get_the_cookie() {
        let set = CookieChange::Set(Zeroizing::new("xyz".to_owned())).header().expect("a header");
        let shown = set.to_str().expect("text");
        assert_eq!(shown, "__Host-claviger-refresh=xyz; Path=/; Secure; HttpOnly; SameSite=Strict");
        assert!(set.is_sensitive());
        assert!(
            CookieChange::Remove
                .header()
                .is_some_and(|value| value.to_str().is_ok_and(|text| text.contains("Max-Age=0")))
        );
    }
}
