//! `GET /api/v1/openapi.json`: the description of the API, made from the list of `routes` and the types of its
//! handlers. This module has nothing that concerns a single endpoint. What the types cannot say is in `constraints`.

mod constraints;
mod links;

use super::describe::{Described, Description, QueryMember};
use super::endpoint::{Endpoint, EndpointGroup};
use super::error::{ErrorBody, ROWS, Row, causes};
use super::examples::Example;
use super::version;
use actix_web::body::BoxBody;
use actix_web::http::Method;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{Object, Schema, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, Content, Header, Info, License, OpenApi, Paths, Ref, RefOr, Required, Response, SchemaFormat, Server,
    Tag, example,
};

/// The serialised description; made once when the server starts.
pub struct Document(Bytes);

/// The description as an answer.
pub struct DocumentText(Bytes);

const ABOUT: &str = "An AWS cloud key manager that an organisation runs itself.\n\nBodies are JSON, whatever the \
    content type says. Unknown members are ignored, and an empty text for an optional member is the same as no member. \
    Every answer has the header `X-Request-ID`, with the value of the request if it sends one.";
const TOKEN: &str = "bearer";

/// The description of `{…}` in a path and its format, if it has one, by the segment before it.
const PATH_PARAMETERS: &[(&str, &str, Option<&str>)] = &[
    ("kms", "The id of the KMS.", Some("uuid")),
    ("keys", "The id of the key (Claviger's, not AWS's).", Some("uuid")),
    ("custom-key-stores", "The name or id of the custom key store.", None),
    ("xks-proxy-endpoints", "The id of the custom key store.", Some("uuid")),
    ("credentials", "The id of the credential.", Some("uuid")),
    ("keys2", "The name or id of the source key.", None),
    ("synchronization-jobs", "The id of the synchronisation job.", Some("uuid")),
    ("bulkjob", "The id of the bulk job.", Some("uuid")),
    ("templates", "The id of the policy template.", Some("uuid")),
    ("reports", "The id of the report.", Some("uuid")),
    ("job-configs", "The id of the schedule.", Some("uuid")),
    ("jobs", "The id of the run.", Some("uuid")),
    ("findings", "The name of the rule.", None),
    ("webhooks", "The id of the webhook.", Some("uuid")),
    ("alarms", "The number of the alarm.", None),
    ("drift-events", "The number of the entry.", None),
    ("connections", "The name or id of the connection.", None),
    ("tokens", "The id of the refresh token.", Some("uuid")),
    ("users", "The id of the user, `local|<uuid>`.", None),
    ("groups", "The name of the group.", None),
    ("records", "The number of the record, or the id of the failed attempt.", None),
    ("backups", "The id of the backup.", Some("uuid")),
    ("syslogs", "The id of the syslog receiver.", Some("uuid")),
    ("{id}", "An id of the request, which clients make up. It is not read.", None),
    ("pwdpolicies", "The name of the password policy.", None),
];

/// `GET /api/v1/openapi.json`
pub async fn serve(document: Data<Document>) -> DocumentText {
    DocumentText(document.0.clone())
}

impl Document {
    /// The description of these endpoints.
    ///
    /// # Errors
    /// An error of the serialisation, or of the constraints.
    pub fn of(groups: &[EndpointGroup]) -> serde_json::Result<Self> {
        let mut document = serde_json::to_value(describe(groups))?;
        constraints::constrain(&mut document).map_err(serde::de::Error::custom)?;
        links::link(&mut document);
        serde_json::to_vec(&document).map(|text| Self(text.into()))
    }
}

impl Responder for DocumentText {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().content_type("application/json").body(self.0)
    }
}

impl Described for DocumentText {
    fn describe(to: &mut Description) {
        to.answers_with(200, "application/json", Object::with_type(Type::Object));
    }
}

fn describe(groups: &[EndpointGroup]) -> OpenApi {
    let mut paths = Paths::new();
    let mut schemas: BTreeMap<String, RefOr<Schema>> = BTreeMap::new();
    let mut tags = Vec::new();
    for group in groups {
        tags.push(Tag::builder().name(group.name).description(Some(group.about)).build());
        for endpoint in &group.endpoints {
            let mut description = endpoint.description();
            schemas.append(&mut description.schemas);
            let item = paths.paths.entry(endpoint.path.clone()).or_default();
            put(item, &endpoint.method, operation(group, endpoint, description));
        }
    }
    let mut of_errors = vec![(ErrorBody::name().into_owned(), <ErrorBody as utoipa::PartialSchema>::schema())];
    ErrorBody::schemas(&mut of_errors);
    schemas.extend(of_errors);
    let info = Info::builder()
        .title("Claviger")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(License::builder().name("Apache-2.0").identifier(Some("Apache-2.0")).build()));
    let token = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("From `POST /api/v1/auth/tokens`."))
        .build();
    let components = Components::builder()
        .schemas_from_iter(schemas)
        .responses_from_iter(statuses().map(|status| (error_name(status), error_response(status))))
        .security_scheme(TOKEN, SecurityScheme::Http(token));
    let server = Server::builder().url("/").description(Some("The appliance that this document comes from."));
    OpenApi::builder()
        .info(info)
        .servers(Some([server.build()]))
        .tags(Some(tags))
        .paths(paths)
        .components(Some(components.build()))
        .build()
}

fn put(item: &mut PathItem, method: &Method, operation: Operation) {
    let of_method = match *method {
        Method::POST => HttpMethod::Post,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        Method::PUT => HttpMethod::Put,
        _ => HttpMethod::Get,
    };
    item.merge_operations(PathItem::new(of_method, operation));
}

fn operation(group: &EndpointGroup, endpoint: &Endpoint, description: Description) -> Operation {
    let examples = (endpoint.examples)();
    let Description { query, body, answers, failures, .. } = description;
    let mut operation = Operation::builder()
        .operation_id(Some(endpoint.id))
        .tag(group.name)
        .summary(Some(endpoint.summary))
        .description(endpoint.needs.sentence())
        .request_body(body.map(|body| request_body(body, &examples)));
    let if_match = (!endpoint.method.is_safe() && version::is_versioned(&endpoint.path)).then(if_match);
    let query = query.into_iter().map(query_parameter).chain(if_match);
    for parameter in path_parameters(&endpoint.path).chain(query) {
        operation = operation.parameter(parameter);
    }
    if endpoint.needs_token() {
        operation = operation.security(SecurityRequirement::new(TOKEN, [""; 0]));
    }
    for (status, body) in answers {
        let mut answer = answer(status, body, &examples);
        if endpoint.method.is_safe() && version::has_etag(&endpoint.path) {
            answer.headers.insert("ETag".to_owned(), etag());
        }
        operation = operation.response(status.to_string(), answer);
    }
    for status in failures {
        operation = operation.response(status.to_string(), Ref::from_response_name(error_name(status)));
    }
    operation.build()
}

fn path_parameters(path: &str) -> impl Iterator<Item = Parameter> + '_ {
    let segments = path.split('/').zip(path.split('/').skip(1));
    segments.filter_map(|(before, segment)| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        let known = PATH_PARAMETERS.iter().find(|(of, ..)| *of == before);
        let format = known.and_then(|(.., format)| *format).map(|format| SchemaFormat::Custom(format.to_owned()));
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(known.map(|(_, text, _)| *text))
            .schema(Some(Object::builder().schema_type(Type::String).format(format)));
        Some(parameter.build())
    })
}

fn query_parameter(member: QueryMember) -> Parameter {
    ParameterBuilder::new()
        .name(member.name)
        .parameter_in(ParameterIn::Query)
        .description(Some(member.text))
        .schema(Some(member.schema))
        .build()
}

fn if_match() -> Parameter {
    ParameterBuilder::new()
        .name("If-Match")
        .parameter_in(ParameterIn::Header)
        .description(Some(
            "The `ETag` of the version that the client saw. The change is refused if there is another one.",
        ))
        .schema(Some(Object::with_type(Type::String)))
        .build()
}

fn etag() -> Header {
    let text = "The version of the resource: the time of its last change, in quotes.";
    Header::builder().schema(Object::with_type(Type::String)).description(Some(text)).build()
}

fn request_body((schema, required): (RefOr<Schema>, Required), examples: &[Example]) -> RequestBody {
    let requests = examples.iter().filter_map(|example| Some((example, example.request.clone()?)));
    RequestBodyBuilder::new().required(Some(required)).content("application/json", content(schema, requests)).build()
}

fn answer(status: u16, body: Vec<(&'static str, RefOr<Schema>)>, examples: &[Example]) -> Response {
    let text = match status {
        201 => "The resource was created.",
        202 => "The job was started.",
        204 => "The request succeeded.",
        503 => "The service does not accept changes.",
        _ => "The request succeeded.",
    };
    let response = Response::builder().description(text);
    let answers = examples.iter().map(|example| (example, example.answer.clone()));
    let contents = body.into_iter().map(|(content_type, schema)| (content_type, content(schema, answers.clone())));
    contents.fold(response, |response, (content_type, content)| response.content(content_type, content)).build()
}

fn content<'a>(schema: RefOr<Schema>, examples: impl Iterator<Item = (&'a Example, Value)>) -> Content {
    let named = examples.map(|(example, value)| {
        let shown = example::Example::builder().summary(example.summary).value(Some(value)).build();
        (example.name, shown)
    });
    Content::builder().schema(Some(schema)).examples_from_iter(named).build()
}

/// The statuses of the error table.
fn statuses() -> impl Iterator<Item = u16> {
    let mut statuses: Vec<_> = ROWS.iter().map(|row| row.status).collect();
    statuses.dedup();
    statuses.into_iter()
}

fn error_name(status: u16) -> String {
    format!("Error{status}")
}

fn error_response(status: u16) -> Response {
    let rows: Vec<&Row> = ROWS.iter().filter(|row| row.status == status).collect();
    let text = rows.iter().map(|row| format!("{} (`{}`)", row.text, row.name)).collect::<Vec<_>>().join(", or: ");
    let examples = rows.iter().map(|row| {
        let reason = causes().find(|cause| cause.row == *row).map(|cause| cause.reason);
        let message = "the member that is wrong, and what is wrong with it";
        let value = json!({"code": row.code, "codeDesc": row.code_desc(message), "reason": reason, "message": message});
        (row.name, example::Example::builder().value(Some(value)).build())
    });
    let schema = Ref::from_schema_name(ErrorBody::name());
    let content = Content::builder().schema(Some(schema)).examples_from_iter(examples);
    let response = Response::builder().description(text).content("application/json", content.build());
    match status {
        429 => response.header("Retry-After", retry_after()).build(),
        _ => response.build(),
    }
}

fn retry_after() -> Header {
    let text = "Seconds until the request can be repeated, if known.";
    Header::builder().schema(Object::with_type(Type::Integer)).description(Some(text)).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::routes;
    use std::collections::BTreeSet;

    fn document() -> Value {
        serde_json::to_value(describe(&routes::endpoint_groups())).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Each method of each path in the document, and its operation.
    fn operations(document: &Value) -> Vec<(String, &Value)> {
        let paths = document["paths"].as_object().into_iter().flatten();
        let methods = paths.flat_map(|(path, item)| {
            let item = item.as_object().into_iter().flatten();
            item.map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
        });
        methods.collect()
    }

    #[test]
    fn the_document_has_what_the_server_serves_and_nothing_else() {
        let served: Vec<_> = routes::endpoint_groups().into_iter().flat_map(|group| group.endpoints).collect();
        let names: BTreeSet<_> =
            served.iter().map(|endpoint| format!("{} {}", endpoint.method, endpoint.path)).collect();
        assert_eq!(names.len(), served.len(), "an endpoint is in the list twice");
        let document = document();
        assert_eq!(operations(&document).into_iter().map(|(name, _)| name).collect::<BTreeSet<_>>(), names);
    }

    #[test]
    fn operations_have_names_of_their_own() {
        let document = document();
        let mut seen = BTreeSet::new();
        for (name, operation) in operations(&document) {
            let id = operation["operationId"].as_str().unwrap_or_default();
            assert!(!id.is_empty() && id.chars().all(|c| c.is_ascii_alphabetic()), "{name}: `{id}`");
            assert!(seen.insert(id), "{name}: `{id}` is taken");
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!(!summary.is_empty() && !summary.ends_with('.'), "{name}: `{summary}`");
        }
    }

    #[test]
    fn a_schema_has_the_name_of_one_type_only() {
        let mut seen: BTreeMap<String, Value> = BTreeMap::new();
        for endpoint in routes::endpoint_groups().iter().flat_map(|group| &group.endpoints) {
            for (name, schema) in endpoint.description().schemas {
                let schema = serde_json::to_value(schema).unwrap_or_else(|error| panic!("{error}"));
                let known = seen.entry(name.clone()).or_insert_with(|| schema.clone());
                assert_eq!(*known, schema, "two types have the schema {name}");
            }
        }
    }

    #[test]
    fn every_parameter_says_what_it_is() {
        let document = document();
        for (name, operation) in operations(&document) {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(parameter["description"].is_string(), "{name}: `{}` has no text", parameter["name"]);
            }
        }
    }

    #[test]
    fn every_status_of_the_error_table_can_be_referred_to() {
        let document = document();
        for (name, operation) in operations(&document) {
            for (status, response) in operation["responses"].as_object().into_iter().flatten() {
                let Some(reference) = response["$ref"].as_str() else { continue };
                let pointer = reference.trim_start_matches('#');
                assert!(document.pointer(pointer).is_some(), "{name}: {status} is not in the error table");
            }
        }
    }
}
