//! Dispatches an HTTP request to a service of the lab: signature, operation, injected faults, form of the answer.

use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::call_counts::CallCounts;
use super::caller::Caller;
use super::fault::{FaultAnswer, Faults};
use super::heavy_work::HeavyWork;
use super::kms::Kms;
use super::logs::{self, Rates};
use super::plan::LabPlan;
use super::refusal::{Dialect, Refusal, Row};
use super::service::{Absent, Service};
use super::session::Sessions;
use super::trail::Trail;
use super::wire::query::Parameters;
use super::wire::xml::Element;
use super::wire::{json, query};
use super::{cloudhsm, control, ec2, iam, roles_anywhere, sts};
use crate::sigv4::{Claim, Request};
use record::{Received, Traced};

mod record;

/// The largest body of a request, in bytes. No valid request exceeds it.
const MAX_BODY_BYTES: usize = 1 << 20;
const JSON: &str = "application/json";
/// AWS's placeholder for the version of a request without one.
const NO_VERSION: &str = "NO_VERSION_SPECIFIED";

pub(super) struct Cloud {
    pub plan: LabPlan,
    pub sessions: Sessions,
    pub faults: Arc<Faults>,
    pub call_counts: Arc<CallCounts>,
    pub kms: Arc<Kms>,
    pub heavy_work: HeavyWork,
    pub trail: Arc<Trail>,
    pub rates: Rates,
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
    let request_id = Uuid::new_v4().to_string();
    let message = Arc::new(Message::of(&request, body));
    let call = match SignedCall::read(&message) {
        Ok(call) => call,
        Err(absent) => return absent_service(&request, &absent, &request_id),
    };
    cloud.call_counts.count(&call.action(), call.region());
    let fault = cloud.faults.take(call.service, &call.operation, call.region());
    let injected = fault.as_ref().and_then(|fault| fault.answer);
    if let Some(fault) = &fault {
        tokio::time::sleep(fault.delay()).await;
    }
    let started = cloud.kms.now();
    let (mut outcome, traced) = if call.is_heavy() {
        let (inner, message, id) = (Arc::clone(&cloud), Arc::clone(&message), request_id.clone());
        // The runtime of this thread serves what the call waits for.
        let runtime = Handle::current();
        let perform = move || match SignedCall::read(&message) {
            Ok(call) => runtime.block_on(call.outcome(&inner, injected, now, &id)),
            Err(_) => (Err(Refusal::Internal), None),
        };
        cloud.heavy_work.run(perform).await.unwrap_or((Err(Refusal::Internal), None))
    } else {
        call.outcome(&cloud, injected, now, &request_id).await
    };
    if let Some(traced) = traced {
        let received = Received { time: started, request_id: &request_id, peer: &message.peer };
        call.record(&cloud, traced, &outcome, &received);
    }
    // The event of a change is on the disk with the change: it is in the same database.
    if let Ok(Answer::Json(_)) = &outcome
        && let Err(refusal) = cloud.kms.flush().await
    {
        outcome = Err(refusal);
    }
    if injected == Some(FaultAnswer::Drop) {
        // Only now: a call ends when its client has disconnected.
        disconnect(&request);
    }
    match outcome {
        Ok(answer) => call.accept(answer, &request_id),
        Err(refusal) => call.refuse(&refusal, &request_id),
    }
}

/// The answer of a service, by protocol.
enum Answer {
    Xml(Vec<Element>),
    Json(Value),
    /// JSON with status 201.
    Created(Value),
}

/// A received request, which can be handed to another thread.
struct Message {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Bytes,
    /// The address of the client.
    peer: String,
}

impl Message {
    fn of(request: &HttpRequest, body: Bytes) -> Message {
        let headers = request.headers().iter();
        Message {
            method: request.method().as_str().to_owned(),
            path: request.uri().path().to_owned(),
            query: request.query_string().to_owned(),
            headers: headers.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect(),
            body,
            peer: request.peer_addr().map(|peer| peer.ip().to_string()).unwrap_or_default(),
        }
    }
}

/// A request, parsed and not checked.
struct SignedCall<'a> {
    received: Request<'a>,
    claim: Result<Claim, Refusal>,
    service: Service,
    operation: String,
    parameters: Parameters,
}

impl<'a> SignedCall<'a> {
    fn read(message: &'a Message) -> Result<SignedCall<'a>, Absent> {
        let received = Request {
            method: &message.method,
            path: &message.path,
            query: &message.query,
            headers: message.headers.clone(),
            body: &message.body,
        };
        let claim = Claim::read(&received).map_err(Refusal::from);
        let target = received.header("x-amz-target");
        let form = if target.is_some() { &[] } else { received.body };
        let parameters = Parameters::read(received.query, form);
        let scope = claim.as_ref().ok().map(|claim| claim.scope.service.as_str());
        let service = Service::addressed(target, parameters.get("Version"), scope)?;
        let operation = match service.dialect() {
            Dialect::Json => target.and_then(json::target).map(|(_, operation)| operation),
            Dialect::Query | Dialect::Ec2 => parameters.get("Action"),
            Dialect::RestJson => Some(roles_anywhere::operation(received.method, received.path)),
        };
        let operation = operation.unwrap_or_default().to_owned();
        Ok(SignedCall { received, claim, service, operation, parameters })
    }

    /// Whether the call may need a key pair, whose creation and signatures take long.
    fn is_heavy(&self) -> bool {
        self.service == Service::Kms && Kms::is_heavy(&self.operation, self.received.body)
    }

    fn action(&self) -> String {
        format!("{}:{}", self.service.name(), self.operation)
    }

    fn region(&self) -> &str {
        self.claim.as_ref().map_or("", |claim| &claim.scope.region)
    }

    /// Performs the call. The second member is there if CloudTrail has an event of it.
    async fn outcome(
        &self,
        cloud: &Cloud,
        injected: Option<FaultAnswer>,
        now: DateTime<Utc>,
        request_id: &str,
    ) -> (Result<Answer, Refusal>, Option<Traced>) {
        let mut traced = None;
        let outcome = self.perform(cloud, injected, now, request_id, &mut traced).await;
        (outcome, traced)
    }

    async fn perform(
        &self,
        cloud: &Cloud,
        injected: Option<FaultAnswer>,
        now: DateTime<Utc>,
        request_id: &str,
        traced: &mut Option<Traced>,
    ) -> Result<Answer, Refusal> {
        let refusal = match injected {
            Some(FaultAnswer::Throttle) => Some(Refusal::Throttled),
            Some(FaultAnswer::Internal) => Some(Refusal::Internal),
            Some(FaultAnswer::Unavailable) => Some(Refusal::Unavailable),
            // The others are for calls of KMS to proxies, and for CloudWatch Logs.
            _ => None,
        };
        if let Some(refusal) = refusal {
            if let Ok(claim) = &self.claim
                && let Ok(caller) =
                    Caller::authenticate(&cloud.plan, &cloud.sessions, &self.received, claim, self.service, now)
            {
                self.trace(cloud, &caller, traced);
            }
            return Err(refusal);
        }
        if self.service == Service::Sts && self.operation == sts::ASSUME_ROLE_WITH_WEB_IDENTITY {
            self.check_version()?;
            self.trace_web_identity(cloud, traced);
            if injected == Some(FaultAnswer::Deny) {
                return Err(Refusal::Denied {
                    caller: String::new(),
                    action: self.action(),
                    resource: None,
                    explicit: true,
                });
            }
            let answer = sts::assume_role_with_web_identity(&cloud.plan, &cloud.sessions, &self.parameters, now);
            return answer.map(Answer::Xml);
        }
        let claim = self.claim.as_ref().map_err(Refusal::clone)?;
        if self.service == Service::RolesAnywhere {
            return self.roles_anywhere(cloud, claim, injected, now);
        }
        let caller = Caller::authenticate(&cloud.plan, &cloud.sessions, &self.received, claim, self.service, now)?;
        self.trace(cloud, &caller, traced);
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
            Service::RolesAnywhere => Err(Refusal::OperationMissing),
            Service::Kms => {
                let (region, body) = (self.region(), self.received.body);
                let answer = cloud.kms.answer(&cloud.plan, &caller, region, operation, body, request_id).await;
                answer.map(Answer::Json)
            }
            Service::Logs => {
                let (call, now) = ((self.region(), operation), cloud.kms.now());
                let body = self.received.body;
                let answer = logs::answer(&cloud.trail, &cloud.rates, &caller, call, body, injected, now).await;
                answer.map(Answer::Json)
            }
            Service::CloudHsm => {
                cloudhsm::answer(&caller, self.region(), operation, self.received.body).map(Answer::Json)
            }
        }
    }

    /// Answers IAM Roles Anywhere, whose requests are signed with certificates.
    fn roles_anywhere(
        &self,
        cloud: &Cloud,
        claim: &Claim,
        injected: Option<FaultAnswer>,
        now: DateTime<Utc>,
    ) -> Result<Answer, Refusal> {
        if self.operation.is_empty() {
            return Err(Refusal::OperationMissing);
        }
        if injected == Some(FaultAnswer::Deny) {
            let (status, code, message) = (403, "AccessDeniedException", "Access denied".to_owned());
            return Err(Refusal::Special { status, code, message });
        }
        roles_anywhere::create_session(&cloud.plan, &cloud.sessions, &self.received, claim, now).map(Answer::Created)
    }

    /// Checks the version of a request in the query protocol. Requests to JSON services have none.
    fn check_version(&self) -> Result<(), Refusal> {
        let version = self.parameters.get("Version").unwrap_or(NO_VERSION);
        let versioned = matches!(self.service.dialect(), Dialect::Query | Dialect::Ec2);
        if !versioned || version == self.service.version() { Ok(()) } else { Err(self.unknown(version)) }
    }

    fn unknown(&self, version: &str) -> Refusal {
        Refusal::OperationUnknown { operation: self.operation.clone(), version: version.to_owned() }
    }

    fn accept(&self, answer: Answer, request_id: &str) -> HttpResponse {
        let namespace = self.service.namespace();
        let (mut status, mut media_type) = (200, media_type(self.service));
        let body = match answer {
            Answer::Json(result) => json::answer(&result),
            Answer::Created(result) => {
                status = 201;
                json::answer(&result)
            }
            Answer::Xml(result) if self.in_json() => {
                media_type = JSON;
                query::json_answer(&self.operation, result, request_id)
            }
            Answer::Xml(result) if self.service.dialect() == Dialect::Ec2 => {
                query::ec2_answer(namespace, &self.operation, result, request_id)
            }
            Answer::Xml(result) => query::answer(namespace, &self.operation, result, request_id),
        };
        numbered(respond(status, media_type, body), request_id)
    }

    fn refuse(&self, refusal: &Refusal, request_id: &str) -> HttpResponse {
        if self.in_json() {
            let row = refusal.row(Dialect::Query);
            return numbered(respond(row.status, JSON, query::json_refusal(&row, request_id)), request_id);
        }
        refuse(self.service, refusal, request_id)
    }

    /// Whether STS answers in JSON.
    fn in_json(&self) -> bool {
        let accepts =
            |accept: &str| accept.split(',').any(|range| range.split(';').next().map(str::trim) == Some(JSON));
        self.service == Service::Sts && self.received.header("accept").is_some_and(accepts)
    }
}

/// The answer to a call of a service that the lab does not have. A status of 501 is not retried by AWS's SDKs.
fn absent_service(request: &HttpRequest, absent: &Absent, request_id: &str) -> HttpResponse {
    let row = Row { status: 501, code: "NotImplemented", message: absent.message() };
    let has = |name: &str, part: &str| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(part))
    };
    if request.headers().contains_key("x-amz-target") || has("content-type", "json") || has("accept", "json") {
        return rest_json_refusal(&row, request_id);
    }
    numbered(respond(row.status, "text/xml", query::refusal("", &row, request_id)), request_id)
}

/// An error in JSON, with its code in a header too.
fn rest_json_refusal(row: &Row, request_id: &str) -> HttpResponse {
    let mut response = numbered(respond(row.status, JSON, json::refusal(row)), request_id);
    response.headers_mut().insert(HeaderName::from_static("x-amzn-errortype"), HeaderValue::from_static(row.code));
    response
}

fn refuse(service: Service, refusal: &Refusal, request_id: &str) -> HttpResponse {
    let row = refusal.row(service.dialect());
    let body = match service.dialect() {
        Dialect::Query => query::refusal(service.namespace(), &row, request_id),
        Dialect::Ec2 => query::ec2_refusal(&row, request_id),
        Dialect::Json => json::refusal(&row),
        Dialect::RestJson => return rest_json_refusal(&row, request_id),
    };
    numbered(respond(row.status, media_type(service), body), request_id)
}

fn media_type(service: Service) -> &'static str {
    match service.dialect() {
        Dialect::Query => "text/xml",
        Dialect::Ec2 => "text/xml;charset=UTF-8",
        Dialect::Json => json::MEDIA_TYPE,
        Dialect::RestJson => JSON,
    }
}

/// A response with a body of a media type.
pub(super) fn respond(status: u16, media_type: &'static str, body: String) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status).content_type(media_type).body(body)
}

fn numbered(mut response: HttpResponse<BoxBody>, request_id: &str) -> HttpResponse {
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
