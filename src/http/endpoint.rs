//! One endpoint: where it is, who serves it, and what is to be said about it beyond what its handler's types say.

use super::describe::{Described, Description};
use super::detached::Detached;
use super::examples::Example;
use crate::service::access::RequiredRight;
use actix_web::guard::{Any, Get, Head, fn_guard};
use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Responder, Route, web};
use utoipa::openapi::SchemaFormat;
use utoipa::openapi::schema::{Object, Type};

pub struct EndpointGroup {
    /// A tag of the document.
    pub name: &'static str,
    /// The same in a sentence.
    pub about: &'static str,
    pub endpoints: Vec<Endpoint>,
}

/// A method of a path, and the handler that serves it.
pub struct Endpoint {
    pub method: Method,
    /// The path, with `{…}` for what varies.
    pub path: String,
    /// Its name in the document, from which client generators make the names of functions.
    pub id: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// The right that a call needs.
    pub needs: RequiredRight,
    /// Examples of what is asked and answered.
    pub examples: fn() -> Vec<Example>,
    routes: Vec<Route>,
    variant: Option<Variant>,
    arguments: fn(&mut Description),
    answer: fn(&mut Description),
    effect: Effect,
    failures: &'static [u16],
}

/// An endpoint of which it is not yet said which right it needs.
pub struct Unprotected(Endpoint);

impl Unprotected {
    /// Says which right a call needs. The guard of the handler asks for the same one, as far as the path tells; where
    /// the body names the KMS, the use case authorizes.
    pub fn needs(self, right: RequiredRight) -> Endpoint {
        Endpoint { needs: right, ..self.0 }
    }
}

/// A member of the query with which another handler serves.
struct Variant {
    member: &'static str,
    text: &'static str,
    format: &'static str,
}

/// The arguments of a handler that can describe themselves.
pub trait Arguments: FromRequest + Described + 'static {}
impl<A: FromRequest + Described + 'static> Arguments for A {}

/// A handler whose answer can describe itself.
pub trait DescribedHandler<A>: Handler<A, Output: Responder + Described + 'static> {}
impl<A, H: Handler<A, Output: Responder + Described + 'static>> DescribedHandler<A> for H {}

/// What a call leaves behind.
#[derive(Clone, Copy, PartialEq)]
enum Effect {
    None,
    /// Events, unless it is a dry run.
    Recorded,
    AlwaysRecorded,
}

/// `GET`: changes nothing.
pub fn get<A: Arguments>(
    path: &str,
    handler: impl DescribedHandler<A>,
    id: &'static str,
    summary: &'static str,
) -> Unprotected {
    Unprotected(Endpoint { effect: Effect::None, ..serve(Method::GET, path, handler, id, summary) })
}

/// `POST`
pub fn post<A: Arguments>(
    path: &str,
    handler: impl DescribedHandler<A>,
    id: &'static str,
    summary: &'static str,
) -> Unprotected {
    change(Method::POST, path, handler, id, summary)
}

/// `PATCH`
pub fn patch<A: Arguments>(
    path: &str,
    handler: impl DescribedHandler<A>,
    id: &'static str,
    summary: &'static str,
) -> Unprotected {
    change(Method::PATCH, path, handler, id, summary)
}

/// `DELETE`
pub fn delete<A: Arguments>(
    path: &str,
    handler: impl DescribedHandler<A>,
    id: &'static str,
    summary: &'static str,
) -> Unprotected {
    change(Method::DELETE, path, handler, id, summary)
}

/// What changes something goes on when the client goes away.
fn change<A: Arguments>(
    method: Method,
    path: &str,
    handler: impl DescribedHandler<A>,
    id: &'static str,
    summary: &'static str,
) -> Unprotected {
    Unprotected(serve(method, path, Detached(handler), id, summary))
}

fn serve<A, H>(method: Method, path: &str, handler: H, id: &'static str, summary: &'static str) -> Endpoint
where
    A: Arguments,
    H: DescribedHandler<A>,
{
    Endpoint {
        routes: vec![of_method(&method).to(handler)],
        method,
        path: path.to_owned(),
        id,
        summary,
        needs: RequiredRight::Administer,
        examples: Vec::new,
        variant: None,
        arguments: A::describe,
        answer: H::Output::describe,
        effect: Effect::Recorded,
        failures: &[],
    }
}

/// `HEAD` is answered as `GET` is, without the body.
fn of_method(method: &Method) -> Route {
    match *method {
        Method::GET => web::route().guard(Any(Get()).or(Head())),
        _ => web::method(method.clone()),
    }
}

impl Endpoint {
    /// Under a prefix.
    pub fn under(self, prefix: &str) -> Self {
        Self { path: format!("{prefix}{}", self.path), ..self }
    }

    /// It leaves nothing behind, although its method is not `GET`.
    pub fn read_only(self) -> Self {
        Self { effect: Effect::None, ..self }
    }

    /// It takes no `dry_run`.
    pub fn no_dry_run(self) -> Self {
        Self { effect: Effect::AlwaysRecorded, ..self }
    }

    /// Statuses of the error table that may come back, beyond those that follow from the handler's arguments, the path
    /// and the method.
    pub fn refuses(self, failures: &'static [u16]) -> Self {
        Self { failures, ..self }
    }

    pub fn examples(self, examples: fn() -> Vec<Example>) -> Self {
        Self { examples, ..self }
    }

    /// Requests with this member of the query are served by another handler, to the same effect for a client.
    pub fn or_with<A: Arguments>(
        mut self,
        member: &'static str,
        format: &'static str,
        text: &'static str,
        handler: impl DescribedHandler<A>,
    ) -> Self {
        let given = fn_guard(move |context| super::paging::is_given(context.head().uri.query(), member));
        self.routes.insert(0, of_method(&self.method).guard(given).to(handler));
        Self { variant: Some(Variant { member, text, format }), ..self }
    }

    /// What actix is to be told; the first that fits serves.
    pub fn routes(self) -> Vec<Route> {
        self.routes
    }

    /// Is it not served without a bearer token?
    pub fn needs_token(&self) -> bool {
        !matches!(self.needs, RequiredRight::Nothing | RequiredRight::AsConfigured)
    }

    /// The right that the guard of its handler asks for.
    pub fn guard(&self) -> RequiredRight {
        self.description().guard.unwrap_or(RequiredRight::Nothing)
    }

    /// All that is known about it.
    pub fn description(&self) -> Description {
        let mut description = Description::default();
        (self.arguments)(&mut description);
        (self.answer)(&mut description);
        description.may_fail(self.needs.failures());
        description.may_fail(self.failures);
        if self.path.contains('{') {
            description.may_fail(&[404]);
        }
        if self.effect != Effect::None {
            description.may_fail(&[503]);
            if self.needs_token() {
                // The right may be withdrawn before it is used.
                description.may_fail(&[403]);
            }
        }
        if self.effect == Effect::Recorded {
            let text = "Answers what would be answered, after all checks, and records nothing.";
            description.queries("dry_run", text, Object::with_type(Type::Boolean));
        }
        if let Some(Variant { member, text, format }) = &self.variant {
            let format = SchemaFormat::Custom((*format).to_owned());
            description.queries(member, *text, Object::builder().schema_type(Type::String).format(Some(format)));
        }
        description
    }
}
