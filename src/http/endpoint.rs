//! One endpoint: its path, its handler, and the parts of its description that do not follow from the handler's types.

use super::describe::{Described, Description};
use super::detached::Detached;
use super::examples::Example;
use super::version;
use crate::service::access::RequiredRight;
use actix_web::guard::{Any, Get, Head, fn_guard};
use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Responder, Route, web};
use utoipa::openapi::SchemaFormat;
use utoipa::openapi::schema::{Object, Type};

pub struct EndpointGroup {
    /// The tag of the group in the OpenAPI document.
    pub name: &'static str,
    /// The description of the tag.
    pub about: &'static str,
    pub endpoints: Vec<Endpoint>,
}

/// A method of a path, and the handler that serves it.
pub struct Endpoint {
    pub method: Method,
    /// The path, with `{…}` for parameters.
    pub path: String,
    /// The operation id in the document, from which client generators make the names of functions.
    pub id: &'static str,
    /// A summary in one line.
    pub summary: &'static str,
    /// The right that a call requires.
    pub needs: RequiredRight,
    /// Examples of requests and answers.
    pub examples: fn() -> Vec<Example>,
    /// Members of the query that the handler reads itself, each with its description.
    members: &'static [(&'static str, &'static str)],
    routes: Vec<Route>,
    variant: Option<Variant>,
    arguments: fn(&mut Description),
    answer: fn(&mut Description),
    effect: Effect,
    failures: &'static [u16],
}

/// An endpoint whose required right is not declared yet; the server serves only an [`Endpoint`].
pub struct Unprotected(Endpoint);

impl Unprotected {
    /// Declares the right that a call requires. The guard of the handler requires the same right if the path names the
    /// resource; where the body names the KMS, the use case authorizes.
    pub fn needs(self, right: RequiredRight) -> Endpoint {
        Endpoint { needs: right, ..self.0 }
    }
}

/// A member of the query that selects another handler.
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

/// The effect of a call on the event log.
#[derive(Clone, Copy, PartialEq)]
enum Effect {
    None,
    /// The call records events, unless it is a dry run.
    Recorded,
    /// The call records events, and cannot be a dry run.
    AlwaysRecorded,
}

/// `GET`, which changes nothing.
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

/// `PUT`
pub fn put<A: Arguments>(
    path: &str,
    handler: impl DescribedHandler<A>,
    id: &'static str,
    summary: &'static str,
) -> Unprotected {
    change(Method::PUT, path, handler, id, summary)
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

/// An endpoint that changes something; its handler continues after the client disconnects.
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
        members: &[],
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

/// The route of a method. The route of `GET` also serves `HEAD`.
fn of_method(method: &Method) -> Route {
    match *method {
        Method::GET => web::route().guard(Any(Get()).or(Head())),
        _ => web::method(method.clone()),
    }
}

impl Endpoint {
    /// Puts a prefix before the path.
    pub fn under(self, prefix: &str) -> Self {
        Self { path: format!("{prefix}{}", self.path), ..self }
    }

    /// Declares that a call records nothing, although its method is not `GET`.
    pub fn read_only(self) -> Self {
        Self { effect: Effect::None, ..self }
    }

    /// Declares that the endpoint has no `dry_run`.
    pub fn no_dry_run(self) -> Self {
        Self { effect: Effect::AlwaysRecorded, ..self }
    }

    /// Declares statuses of the error table that do not follow from the handler's arguments, the path and the method.
    pub fn refuses(self, failures: &'static [u16]) -> Self {
        Self { failures, ..self }
    }

    /// Declares members of the query that the handler reads itself.
    pub fn queries(self, members: &'static [(&'static str, &'static str)]) -> Self {
        Self { members, ..self }
    }

    pub fn examples(self, examples: fn() -> Vec<Example>) -> Self {
        Self { examples, ..self }
    }

    /// Adds a second handler, which serves requests that have this member in the query. In the document both are one
    /// operation.
    pub fn or_with<A: Arguments>(
        mut self,
        member: &'static str,
        format: &'static str,
        text: &'static str,
        handler: impl DescribedHandler<A>,
    ) -> Self {
        let given = fn_guard(move |context| super::query::is_given(context.head().uri.query(), member));
        self.routes.insert(0, of_method(&self.method).guard(given).to(handler));
        Self { variant: Some(Variant { member, text, format }), ..self }
    }

    /// The routes to register with actix; the first that matches serves the request.
    pub fn routes(self) -> Vec<Route> {
        self.routes
    }

    /// Whether a call always requires a bearer token.
    pub fn needs_token(&self) -> bool {
        !matches!(self.needs, RequiredRight::Nothing | RequiredRight::AsConfigured)
    }

    /// The right that the guard of the handler requires.
    pub fn guard(&self) -> RequiredRight {
        self.description().guard.unwrap_or(RequiredRight::Nothing)
    }

    /// The complete description, from the handler's types and from the row.
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
                // The right can be withdrawn between the guard's check and the change.
                description.may_fail(&[403]);
            }
        }
        if !self.method.is_safe() {
            // A page of another origin; too many changes.
            description.may_fail(&[403, 429]);
            if version::is_versioned(&self.path) {
                description.may_fail(&[412]);
            }
        }
        if self.effect == Effect::Recorded {
            let text = "If true, makes all checks and answers as the change would, but records nothing.";
            description.queries("dry_run", text, Object::with_type(Type::Boolean));
        }
        for (member, text) in self.members {
            description.queries(member, *text, Object::with_type(Type::String));
        }
        if let Some(Variant { member, text, format }) = &self.variant {
            let format = SchemaFormat::Custom((*format).to_owned());
            description.queries(member, *text, Object::builder().schema_type(Type::String).format(Some(format)));
        }
        description
    }
}
