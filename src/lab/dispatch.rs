//! Dispatches an HTTP request to a service of the lab: signature, operation, injected faults, form of the answer.

use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, OwnedFd};

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::call_counts::CallCounts;
use super::caller::Caller;
use super::fault::{FaultAnswer, Faults};
use super::kms::Kms;
use super::plan::LabPlan;
use super::refusal::{Dialect, Refusal};
use super::service::Service;
use super::session::Sessions;
use super::sigv4::{Claim, Received};
use super::wire::query::Parameters;
use super::wire::xml::Element;
use super::wire::{json, query};
use super::{control, ec2, iam, sts};

/// The largest body of a request, in bytes. No valid request exceeds it.
const MAX_BODY_BYTES: usize = 1 << 20;
/// AWS's placeholder for the version of a request without one.
const NO_VERSION: &str = "NO_VERSION_SPECIFIED";

pub(super) struct Cloud {
    pub plan: LabPlan,
    pub sessions: Sessions,
    pub faults: Faults,
    pub call_counts: CallCounts,
    pub kms: Kms,
}

/// Answers every request to the lab's port.
pub(super) async fn answer(cloud: web::Data<Cloud>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let body = payload.to_bytes_limited(MAX_BODY_BYTES).await;
    let now = Utc::now();
    let body = match body {
        Ok(Ok(body)) => body,
        // The client has disconnected, so that nobody reads the answer.
        Ok(Err(_)) => return respond(400, "text/plain", String::new()),
        Err(_) => return refuse(Service::Sts, &Refusal::TooLarge, &Uuid::new_v4().to_string()),
    };
    if request.path().starts_with(control::PREFIX) {
        let answer = control::answer(&cloud, &request, &body, now);
        return match cloud.kms.flush().await {
            Ok(()) => answer,
            Err(_) => control::failed(),
        };
    }
    let call = SignedCall::read(&request, &body);
    cloud.call_counts.count(&call.action(), call.region());
    let fault = cloud.faults.take(call.service, &call.operation, call.region());
    let injected = fault.as_ref().and_then(|fault| fault.answer);
    if let Some(fault) = &fault {
        tokio::time::sleep(fault.delay()).await;
    }
    if injected == Some(FaultAnswer::Drop) {
        disconnect(&request);
    }
    let request_id = Uuid::new_v4().to_string();
    let mut outcome = call.outcome(&cloud, injected, now);
    if let Ok(Answer::Json(_)) = &outcome
        && let Err(refusal) = cloud.kms.flush().await
    {
        outcome = Err(refusal);
    }
    match outcome {
        Ok(answer) => call.accept(answer, &request_id),
        Err(refusal) => refuse(call.service, &refusal, &request_id),
    }
}

/// The answer of a service, by protocol.
enum Answer {
    Xml(Vec<Element>),
    Json(Value),
}

/// A request, parsed and not checked.
struct SignedCall<'a> {
    received: Received<'a>,
    claim: Result<Claim, Refusal>,
    service: Service,
    operation: String,
    parameters: Parameters,
}

impl<'a> SignedCall<'a> {
    fn read(request: &'a HttpRequest, body: &'a [u8]) -> SignedCall<'a> {
        let headers = request.headers().iter();
        let received = Received {
            method: request.method().as_str(),
            path: request.uri().path(),
            query: request.query_string(),
            headers: headers.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect(),
            body,
        };
        let claim = Claim::read(&received);
        let target = received.header("x-amz-target");
        let form = if target.is_some() { &[] } else { body };
        let parameters = Parameters::read(received.query, form);
        let scope = claim.as_ref().ok().map(|claim| claim.scope.service.as_str());
        let service = Service::addressed(target, parameters.get("Version"), scope);
        let operation = match service.dialect() {
            Dialect::Json => target.and_then(json::target).map(|(_, operation)| operation),
            Dialect::Query | Dialect::Ec2 => parameters.get("Action"),
        };
        let operation = operation.unwrap_or_default().to_owned();
        SignedCall { received, claim, service, operation, parameters }
    }

    fn action(&self) -> String {
        format!("{}:{}", self.service.name(), self.operation)
    }

    fn region(&self) -> &str {
        self.claim.as_ref().map_or("", |claim| &claim.scope.region)
    }

    fn outcome(&self, cloud: &Cloud, injected: Option<FaultAnswer>, now: DateTime<Utc>) -> Result<Answer, Refusal> {
        match injected {
            Some(FaultAnswer::Throttle) => return Err(Refusal::Throttled),
            Some(FaultAnswer::Internal) => return Err(Refusal::Internal),
            Some(FaultAnswer::Unavailable) => return Err(Refusal::Unavailable),
            Some(FaultAnswer::Deny | FaultAnswer::Drop) | None => {}
        }
        let claim = self.claim.as_ref().map_err(Refusal::clone)?;
        let caller = Caller::authenticate(&cloud.plan, &cloud.sessions, &self.received, claim, self.service, now)?;
        if injected == Some(FaultAnswer::Deny) {
            return Err(caller.denied(&self.action(), None, true));
        }
        if self.operation.is_empty() {
            return Err(Refusal::OperationMissing);
        }
        self.check_version()?;
        let (operation, parameters) = (self.operation.as_str(), &self.parameters);
        match self.service {
            Service::Sts => {
                sts::answer(&cloud.plan, &cloud.sessions, &caller, operation, parameters, now).map(Answer::Xml)
            }
            Service::Ec2 => ec2::answer(&caller, operation, parameters).map(Answer::Xml),
            Service::Iam => iam::answer(&caller, operation, parameters).map(Answer::Xml),
            Service::Kms => {
                cloud.kms.answer(&cloud.plan, &caller, self.region(), operation, self.received.body).map(Answer::Json)
            }
        }
    }

    /// Checks the version of a request in the query protocol. Requests to JSON services have none.
    fn check_version(&self) -> Result<(), Refusal> {
        let version = self.parameters.get("Version").unwrap_or(NO_VERSION);
        if self.service.dialect() == Dialect::Json || version == self.service.version() {
            Ok(())
        } else {
            Err(self.unknown(version))
        }
    }

    fn unknown(&self, version: &str) -> Refusal {
        Refusal::OperationUnknown { operation: self.operation.clone(), version: version.to_owned() }
    }

    fn accept(&self, answer: Answer, request_id: &str) -> HttpResponse {
        let namespace = self.service.namespace();
        let body = match answer {
            Answer::Json(result) => json::answer(&result),
            Answer::Xml(result) if self.service.dialect() == Dialect::Ec2 => {
                query::ec2_answer(namespace, &self.operation, result, request_id)
            }
            Answer::Xml(result) => query::answer(namespace, &self.operation, result, request_id),
        };
        numbered(respond(200, media_type(self.service), body), request_id)
    }
}

fn refuse(service: Service, refusal: &Refusal, request_id: &str) -> HttpResponse {
    let row = refusal.row(service.dialect());
    let body = match service.dialect() {
        Dialect::Query => query::refusal(service.namespace(), &row, request_id),
        Dialect::Ec2 => query::ec2_refusal(&row, request_id),
        Dialect::Json => json::refusal(&row),
    };
    numbered(respond(row.status, media_type(service), body), request_id)
}

fn media_type(service: Service) -> &'static str {
    match service.dialect() {
        Dialect::Query => "text/xml",
        Dialect::Ec2 => "text/xml;charset=UTF-8",
        Dialect::Json => json::MEDIA_TYPE,
    }
}

/// A response with a body of a media type.
pub(super) fn respond(status: u16, media_type: &'static str, body: String) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status).content_type(media_type).body(body)
}

fn numbered(mut response: HttpResponse<BoxBody>, request_id: &str) -> HttpResponse {
    use actix_web::http::header::{HeaderName, HeaderValue};
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(HeaderName::from_static("x-amzn-requestid"), value);
    }
    response
}

/// A second handle of a client's connection, which closes the connection within a call.
pub(super) struct CallerSocket(TcpStream);

impl CallerSocket {
    /// Duplicates the socket of an accepted connection; `None` if the process may open no more files.
    pub(super) fn of(connection: &impl AsFd) -> Option<CallerSocket> {
        connection.as_fd().try_clone_to_owned().ok().map(|fd: OwnedFd| CallerSocket(TcpStream::from(fd)))
    }
}

fn disconnect(request: &HttpRequest) {
    if let Some(CallerSocket(connection)) = request.conn_data::<CallerSocket>() {
        // An error means that the client has disconnected already.
        let _ = connection.shutdown(Shutdown::Both);
    }
}
