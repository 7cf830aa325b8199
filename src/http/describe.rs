//! Descriptions of handlers by their types: each argument describes the part of the request that it reads and the
//! errors that it can return, and the answer describes its status and body. So the description of the API follows from
//! the code that serves it; `openapi` makes the document from it.

use crate::service::access::RequiredRight;
use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, Object, Schema, Type};
use utoipa::openapi::{Ref, RefOr, Required};

/// An argument or an answer of a handler that adds itself to the description of the operation.
pub trait Described {
    fn describe(to: &mut Description);
}

/// The description of one operation.
#[derive(Default)]
pub struct Description {
    /// The right that the guard among the arguments requires, if there is a guard.
    pub guard: Option<RequiredRight>,
    pub query: Vec<QueryMember>,
    /// The schema of the request body, and whether the body is required; `None` if the operation takes no body.
    pub body: Option<(RefOr<Schema>, Required)>,
    /// Reads the bytes of a request body, and tells whether they have the form of this operation's; for fuzzing.
    pub reads_body: Option<fn(&[u8]) -> bool>,
    /// The successful answers by status, each with the content types and the schemas of its body.
    pub answers: BTreeMap<u16, Vec<(&'static str, RefOr<Schema>)>>,
    /// The statuses of the error table that the operation can return.
    pub failures: BTreeSet<u16>,
    /// The schemas that the other members refer to, by name.
    pub schemas: BTreeMap<String, RefOr<Schema>>,
}

/// A member of the query.
pub struct QueryMember {
    pub name: &'static str,
    pub text: String,
    pub schema: RefOr<Schema>,
}

impl Description {
    /// Adds a member of the query.
    pub fn queries(&mut self, name: &'static str, text: impl Into<String>, schema: impl Into<RefOr<Schema>>) {
        self.query.push(QueryMember { name, text: text.into(), schema: schema.into() });
    }

    /// Sets the schema of the request body, and whether the body is required.
    pub fn takes_json<T: ToSchema>(&mut self, required: Required) {
        self.body = Some((self.schema_of::<T>(), required));
    }

    /// Adds an answer with a JSON body.
    pub fn answers_json<V: ToSchema>(&mut self, status: u16) {
        let schema = self.schema_of::<V>();
        self.answers.insert(status, vec![("application/json", schema)]);
    }

    /// Adds an answer that is one page of a list.
    pub fn answers_page<V: ToSchema>(&mut self) {
        let row = self.schema_of::<V>();
        let name = format!("{}List", V::name());
        self.schemas.entry(name.clone()).or_insert_with(|| page_of(row).into());
        self.answers.insert(200, vec![("application/json", Ref::from_schema_name(name).into())]);
    }

    /// Adds an answer with another content type than JSON; one status can have several.
    pub fn answers_with(&mut self, status: u16, content_type: &'static str, schema: impl Into<RefOr<Schema>>) {
        self.answers.entry(status).or_default().push((content_type, schema.into()));
    }

    /// Adds an answer without a body.
    pub fn answers_nothing(&mut self, status: u16) {
        self.answers.entry(status).or_default();
    }

    /// Sets the right that a guard requires. A guard also reads the query, and can fail with an internal error.
    pub fn is_guarded_by(&mut self, right: RequiredRight) {
        self.guard = Some(right);
        self.may_fail(&[400, 500]);
    }

    /// Adds statuses of the error table.
    pub fn may_fail(&mut self, statuses: &[u16]) {
        self.failures.extend(statuses);
    }

    /// Adds the schema of a type and all schemas that it refers to, and returns a reference to it.
    pub fn schema_of<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let mut referred = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut referred);
        self.schemas.extend(referred);
        Ref::from_schema_name(T::name()).into()
    }
}

/// A page of a list, as `paging` writes it.
fn page_of(row: RefOr<Schema>) -> Object {
    let number = |text: &str| Object::builder().schema_type(Type::Integer).description(Some(text));
    Object::builder()
        .schema_type(Type::Object)
        .property("skip", number("The `skip` of the request: the number of rows left out at the start."))
        .property("limit", number("The `limit` of the request: the largest number of rows; -1 stands for all."))
        .property("total", number("The number of rows that matched."))
        .property("resources", Array::new(row))
        .required("skip")
        .required("limit")
        .required("total")
        .required("resources")
        .build()
}

// These are not read from the request, or described by the path.
impl<T: ?Sized> Described for Data<T> {
    fn describe(_: &mut Description) {}
}
impl<T> Described for Path<T> {
    fn describe(_: &mut Description) {}
}
impl Described for HttpRequest {
    fn describe(_: &mut Description) {}
}

macro_rules! arguments {
    ($($argument:ident)*) => {
        impl<$($argument: Described),*> Described for ($($argument,)*) {
            fn describe(_to: &mut Description) {
                $($argument::describe(_to);)*
            }
        }
    };
}

arguments! {}
arguments! { A }
arguments! { A B }
arguments! { A B C }
arguments! { A B C D }
arguments! { A B C D E }
