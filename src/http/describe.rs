//! How the types of a handler describe it: each argument says what it takes from the request and how it may refuse it,
//! the answer says its status and body. So the description of the API is read off the code that serves it; `openapi`
//! makes the document of it.

use crate::service::access::RequiredRight;
use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, Object, Schema, Type};
use utoipa::openapi::{Ref, RefOr, Required};

/// An argument or an answer of a handler that can say what it means to a client.
pub trait Described {
    fn describe(to: &mut Description);
}

/// What is known about one operation.
#[derive(Default)]
pub struct Description {
    /// The right that the guard among the arguments asks for, if there is one.
    pub guard: Option<RequiredRight>,
    pub query: Vec<QueryMember>,
    /// What the body holds, if there is one, and whether there must be one.
    pub body: Option<(RefOr<Schema>, Required)>,
    /// The answers when all goes well: status, content type and what the body holds.
    pub answers: BTreeMap<u16, Option<(&'static str, RefOr<Schema>)>>,
    /// The statuses of the error table that may come back.
    pub failures: BTreeSet<u16>,
    /// The schemas that the above refer to, by name.
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

    /// Sets what the body holds, and whether there must be one.
    pub fn takes_json<T: ToSchema>(&mut self, required: Required) {
        self.body = Some((self.schema_of::<T>(), required));
    }

    /// Adds an answer with a JSON body.
    pub fn answers_json<V: ToSchema>(&mut self, status: u16) {
        let schema = self.schema_of::<V>();
        self.answers.insert(status, Some(("application/json", schema)));
    }

    /// Adds an answer that is one page of a list.
    pub fn answers_page<V: ToSchema>(&mut self) {
        let row = self.schema_of::<V>();
        let name = format!("{}List", V::name());
        self.schemas.entry(name.clone()).or_insert_with(|| page_of(row).into());
        self.answers.insert(200, Some(("application/json", Ref::from_schema_name(name).into())));
    }

    /// Adds an answer of another type.
    pub fn answers_with(&mut self, status: u16, content_type: &'static str, schema: impl Into<RefOr<Schema>>) {
        self.answers.insert(status, Some((content_type, schema.into())));
    }

    /// Adds an answer without a body.
    pub fn answers_nothing(&mut self, status: u16) {
        self.answers.insert(status, None);
    }

    /// Sets the right that a guard asks for. A guard reads the query too, and may meet a defect.
    pub fn is_guarded_by(&mut self, right: RequiredRight) {
        self.guard = Some(right);
        self.may_fail(&[400, 500]);
    }

    /// Adds statuses of the error table.
    pub fn may_fail(&mut self, statuses: &[u16]) {
        self.failures.extend(statuses);
    }

    /// A reference to the schema of a type, which is kept with all that it refers to itself.
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
        .property("skip", number("Rows left out at the start, as asked for."))
        .property("limit", number("Rows shown at most, as asked for; -1: all."))
        .property("total", number("Rows that matched."))
        .property("resources", Array::new(row))
        .required("skip")
        .required("limit")
        .required("total")
        .required("resources")
        .build()
}

// Not from the request, or told by the path already.
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
