//! Guards: the type of a handler's first argument is the right that its route requires, and the value holds the permit.
//! actix polls the arguments of a handler concurrently and returns the first error. A guard's future is ready at once
//! (it reads the published state, without locks or disk), so access is authorized before a byte of the body is read.

use super::body::BodyLimit;
use super::change_rate::ChangeRate;
use super::describe::{Described, Description};
use super::error::Problem;
use super::query::{members, unknown_member};
use super::query_members::QueryMembers;
use super::trace::request_id;
use super::version;
use crate::domain::id::{KeyId, KmsId, ReportId, TemplateId};
use crate::domain::user::User;
use crate::service::Services;
use crate::service::access::{
    KeyPermit, KeyRight, KeyStorePermit, KmsPermit, KmsRight, Permit, ReportPermit, RequiredRight, Right,
    TemplatePermit,
};
use crate::service::caller::{Caller, RequestContext};
use crate::service::failure::{Failure, TokenProblem, invalid};
use crate::service::own_calls;
use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Instant;

/// A caller who has the right `R`, and the request's context.
pub struct Authorized<R> {
    pub permit: Permit<R>,
    pub context: RequestContext,
}

/// A caller who may do `A` on the KMS that the path names.
pub struct OnKms<A> {
    pub permit: KmsPermit<A>,
    pub context: RequestContext,
}

/// A caller who may do `A` on the key that the path names.
pub struct OnKey<A> {
    pub permit: KeyPermit<A>,
    pub context: RequestContext,
}

/// A caller who may do `A` on the custom key store that the path names, by id or name.
pub struct OnKeyStore<A> {
    pub permit: KeyStorePermit<A>,
    pub context: RequestContext,
}

/// A caller who may do `A` on the policy template that the path names.
pub struct OnTemplate<A> {
    pub permit: TemplatePermit<A>,
    pub context: RequestContext,
}

/// A caller who may do `A` with the report that the path names.
pub struct OnReport<A> {
    pub permit: ReportPermit<A>,
    pub context: RequestContext,
}

/// The name with which a client tried to sign in.
pub struct TriedName(pub String);

/// A caller without a token; only the address is known.
pub struct Anonymous {
    pub context: RequestContext,
    pub source: String,
    request: HttpRequest,
}

impl Anonymous {
    /// Keeps the name with which the client tried to sign in, for the log of failed attempts.
    pub fn tried(&self, name: &str) {
        self.request.extensions_mut().insert(TriedName(name.to_owned()));
    }

    /// Sets the user that the request's line in the log names.
    pub fn signed_in_as(&self, user: Arc<User>) {
        self.request.extensions_mut().insert(user);
    }
}

impl<R: Right + 'static> FromRequest for Authorized<R> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authorize(request))
    }
}

fn authorize<R: Right>(request: &HttpRequest) -> Result<Authorized<R>, Problem> {
    let permit = Permit::authorize(caller(request)?)?;
    Ok(Authorized { permit, context: context(request)? })
}

impl<A: KmsRight + 'static> FromRequest for OnKms<A> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authorize_on_kms(request))
    }
}

fn authorize_on_kms<A: KmsRight>(request: &HttpRequest) -> Result<OnKms<A>, Problem> {
    let caller = caller(request)?;
    let permit = KmsPermit::authorize(caller, kms_id(request)?)?;
    Ok(OnKms { permit, context: context(request)? })
}

impl<A: KeyRight + 'static> FromRequest for OnKey<A> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authorize_on_key(request))
    }
}

fn authorize_on_key<A: KeyRight>(request: &HttpRequest) -> Result<OnKey<A>, Problem> {
    let caller = caller(request)?;
    let text = request.match_info().get("id").unwrap_or_default();
    let id = KeyId::parse(text).map_err(|problem| invalid("id", problem))?;
    Ok(OnKey { permit: KeyPermit::authorize(caller, id)?, context: context(request)? })
}

impl<A: KmsRight + 'static> FromRequest for OnKeyStore<A> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authorize_on_key_store(request))
    }
}

fn authorize_on_key_store<A: KmsRight>(request: &HttpRequest) -> Result<OnKeyStore<A>, Problem> {
    let caller = caller(request)?;
    let text = request.match_info().query("id");
    Ok(OnKeyStore { permit: KeyStorePermit::authorize(caller, text)?, context: context(request)? })
}

impl<A: KmsRight + 'static> FromRequest for OnTemplate<A> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authorize_on_template(request))
    }
}

fn authorize_on_template<A: KmsRight>(request: &HttpRequest) -> Result<OnTemplate<A>, Problem> {
    let caller = caller(request)?;
    let text = request.match_info().get("id").unwrap_or_default();
    let id = TemplateId::parse(text).map_err(|problem| invalid("id", problem))?;
    Ok(OnTemplate { permit: TemplatePermit::authorize(caller, id)?, context: context(request)? })
}

impl<A: KmsRight + 'static> FromRequest for OnReport<A> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authorize_on_report(request))
    }
}

fn authorize_on_report<A: KmsRight>(request: &HttpRequest) -> Result<OnReport<A>, Problem> {
    let caller = caller(request)?;
    let text = request.match_info().get("id").unwrap_or_default();
    let id = ReportId::parse(text).map_err(|problem| invalid("id", problem))?;
    Ok(OnReport { permit: ReportPermit::authorize(caller, id)?, context: context(request)? })
}

impl FromRequest for Anonymous {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let source = request.peer_addr().map(|peer| peer.ip().to_string()).unwrap_or_default();
        ready(context(request).map(|context| Self { context, source, request: request.clone() }))
    }
}

impl<R: Right> Described for Authorized<R> {
    fn describe(to: &mut Description) {
        to.is_guarded_by(R::REQUIRED);
    }
}

impl<A: KmsRight> Described for OnKms<A> {
    fn describe(to: &mut Description) {
        to.is_guarded_by(A::required());
    }
}

impl<A: KeyRight> Described for OnKey<A> {
    fn describe(to: &mut Description) {
        to.is_guarded_by(A::REQUIRED);
    }
}

impl<A: KmsRight> Described for OnKeyStore<A> {
    fn describe(to: &mut Description) {
        to.is_guarded_by(A::required_on_key_store());
    }
}

impl<A: KmsRight> Described for OnTemplate<A> {
    fn describe(to: &mut Description) {
        to.is_guarded_by(A::required_on_template());
    }
}

impl<A: KmsRight> Described for OnReport<A> {
    fn describe(to: &mut Description) {
        to.is_guarded_by(A::required_on_report());
    }
}

impl Described for Anonymous {
    fn describe(to: &mut Description) {
        to.is_guarded_by(RequiredRight::Nothing);
    }
}

/// The id of the KMS in the path.
///
/// # Errors
/// [`Problem`] if the path has something else than an id.
pub fn kms_id(request: &HttpRequest) -> Result<KmsId, Problem> {
    let text = request.match_info().get("id").unwrap_or_default();
    Ok(KmsId::parse(text).map_err(|problem| invalid("id", problem))?)
}

fn caller(request: &HttpRequest) -> Result<Caller, Problem> {
    let missing = || Problem::Failure(Failure::Unauthenticated(TokenProblem::Missing));
    let services = request.app_data::<Data<Services>>().ok_or(Problem::Failure(Failure::Internal("no services")))?;
    let header = request.headers().get(AUTHORIZATION).ok_or_else(missing)?;
    let header = std::str::from_utf8(header.as_bytes()).map_err(|_| missing())?;
    let (scheme, token) = header.trim().split_once(' ').ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    let caller = services.tokens.authenticate(token.trim())?;
    own_calls::asked_by(&caller, &request_id(request));
    request.extensions_mut().insert(caller.user.clone());
    version::note(request, &caller.published.state);
    if !request.method().is_safe() {
        let rate = request.app_data::<Data<ChangeRate>>().ok_or(Problem::Failure(Failure::Internal("no rate")))?;
        let counted = rate.count(caller.user.id, body_length(request), Instant::now());
        counted.map_err(|seconds| Problem::TooManyChanges { seconds })?;
    }
    Ok(caller)
}

/// The length of the body; that of the longest one if the request does not say it.
fn body_length(request: &HttpRequest) -> u64 {
    let longest = || request.app_data::<BodyLimit>().map_or(0, |limit| limit.bytes as u64);
    match request.headers().get(CONTENT_LENGTH) {
        Some(length) => length.to_str().ok().and_then(|text| text.parse().ok()).unwrap_or_else(longest),
        None if request.headers().contains_key(TRANSFER_ENCODING) => longest(),
        None => 0,
    }
}

fn context(request: &HttpRequest) -> Result<RequestContext, Problem> {
    refuse_unknown_members(request)?;
    let source = request.peer_addr().map(|peer| peer.ip().to_string().into());
    let dry_run = flag(request, "dry_run")?.unwrap_or_default();
    Ok(RequestContext { request_id: request_id(request), dry_run, source, expected: version::expected(request)? })
}

/// Refuses a change with a member of the query that it does not have. The client may have meant a dry run
/// (`DRY_RUN=true`, `x=1;dry_run=true`), and must not change anything then.
fn refuse_unknown_members(request: &HttpRequest) -> Result<(), Problem> {
    if request.query_string().is_empty() || request.method().is_safe() {
        return Ok(());
    }
    let served =
        request.app_data::<Data<QueryMembers>>().ok_or(Problem::Failure(Failure::Internal("no query members")))?;
    let known = served.of(request);
    let unknown =
        members(request.query_string()).into_iter().map(|(name, _)| name).find(|name| !known.contains(&&**name));
    match unknown {
        None => Ok(()),
        Some(name) => Err(unknown_member(&name, known)),
    }
}

/// Reads a member of the query that is `true` or `false`; `None` if it is absent.
///
/// # Errors
/// [`Problem`] if the member has another value or none, or is given more than once: a request that was meant as a dry
/// run must not change anything.
pub fn flag(request: &HttpRequest, member: &'static str) -> Result<Option<bool>, Problem> {
    if request.query_string().is_empty() {
        return Ok(None);
    }
    let members = members(request.query_string());
    let mut values = members.iter().filter(|(name, _)| name == member).map(|(_, value)| value.as_str());
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some("false"), None) => Ok(Some(false)),
        (Some("true"), None) => Ok(Some(true)),
        _ => Err(Problem::query(member, "must be true or false, and given once")),
    }
}
