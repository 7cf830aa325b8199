//! Successful answers of handlers. The type gives the status and the body, both to the client and to the description of
//! the API, so the two cannot differ. `paging::List` (200) is another.

use super::describe::{Described, Description};
use super::error::Problem;
use super::version;
use crate::service::failure::Failure;
use actix_web::body::BoxBody;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, Responder};
use serde::Serialize;
use std::marker::PhantomData;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, Type};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// 200 with a JSON body.
pub struct Json<V>(pub V);

/// 200 with a JSON body that is serialised already.
pub struct Rendered<V> {
    text: Bytes,
    view: PhantomData<V>,
}

/// 201 with the new resource.
pub struct Created<V>(pub V);

/// 202 with a job that has started and continues after the answer.
pub struct Accepted<V>(pub V);

/// 204 without a body.
pub struct NoContent;

/// 200 with a JSON body that no cache may store.
pub struct Unstored<V>(pub V);

/// 200 with a file in pieces; `M` describes its media types.
pub struct Download<M> {
    answer: HttpResponse,
    media: PhantomData<M>,
}

/// 200 with a public key in PEM, which a browser saves as a file.
pub struct PublicKeyPem {
    pub name: String,
    pub text: String,
}

impl<V: Serialize> Responder for Json<V> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        version::tag(request, json(HttpResponse::Ok(), &self.0))
    }
}

impl<V> Rendered<V> {
    /// The JSON text of a `V`.
    pub fn new(text: Bytes) -> Self {
        Self { text, view: PhantomData }
    }
}

impl<V> Responder for Rendered<V> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        version::tag(request, HttpResponse::Ok().content_type(JSON).body(self.text))
    }
}

impl<M> Download<M> {
    /// The answer with the file.
    pub fn new(answer: HttpResponse) -> Self {
        Self { answer, media: PhantomData }
    }
}

impl<M> Responder for Download<M> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.answer
    }
}

impl<M: Described> Described for Download<M> {
    fn describe(to: &mut Description) {
        M::describe(to);
    }
}

impl<V: Serialize> Responder for Created<V> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        json(HttpResponse::Created(), &self.0)
    }
}

impl<V: Serialize> Responder for Accepted<V> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Accepted().json(self.0)
    }
}

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}

impl<V: Serialize> Responder for Unstored<V> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut answer = HttpResponse::Ok();
        answer.insert_header((CACHE_CONTROL, "no-store"));
        json(answer, &self.0)
    }
}

fn json(mut answer: HttpResponseBuilder, value: &impl Serialize) -> HttpResponse {
    // The capacity suffices for most answers: a vector that grows is copied each time.
    let mut text = Vec::with_capacity(1024);
    match serde_json::to_writer(&mut text, value) {
        Ok(()) => answer.content_type(JSON).body(text),
        Err(_) => HttpResponse::from_error(Problem::Failure(Failure::Internal("an answer could not be written"))),
    }
}

impl<V: ToSchema> Described for Json<V> {
    fn describe(to: &mut Description) {
        to.answers_json::<V>(200);
    }
}

impl<V: ToSchema> Described for Rendered<V> {
    fn describe(to: &mut Description) {
        to.answers_json::<V>(200);
    }
}

impl<V: ToSchema> Described for Created<V> {
    fn describe(to: &mut Description) {
        to.answers_json::<V>(201);
    }
}

impl<V: ToSchema> Described for Accepted<V> {
    fn describe(to: &mut Description) {
        to.answers_json::<V>(202);
    }
}

impl Described for NoContent {
    fn describe(to: &mut Description) {
        to.answers_nothing(204);
    }
}

impl<V: ToSchema> Described for Unstored<V> {
    fn describe(to: &mut Description) {
        to.answers_json::<V>(200);
    }
}

impl<A: Described> Described for Result<A, Problem> {
    fn describe(to: &mut Description) {
        A::describe(to);
    }
}

const PEM: &str = "application/x-pem-file";

impl Responder for PublicKeyPem {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let disposition = format!("attachment; filename=\"{}.pem\"", self.name);
        HttpResponse::Ok().content_type(PEM).insert_header(("Content-Disposition", disposition)).body(self.text)
    }
}

impl Described for PublicKeyPem {
    fn describe(to: &mut Description) {
        to.answers_with(200, PEM, Object::with_type(Type::String));
    }
}
