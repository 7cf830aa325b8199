//! Records the calls to KMS and STS in CloudTrail.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{Answer, Cloud, SignedCall};
use crate::lab::caller::Caller;
use crate::lab::refusal::{Refusal, Row};
use crate::lab::service::Service;
use crate::lab::trail::{self, Done, Known, Resource, Subjects};
use crate::lab::wire::xml::Element;
use crate::lab::{plan::Account, sts};

/// The region of calls that name none, if the account has it.
const GLOBAL: &str = "us-east-1";

/// What the event of an authenticated call needs beside the call.
pub(super) struct Traced {
    known: Known,
    subjects: Subjects,
}

/// When, and from where, a call came.
pub(super) struct Received<'a> {
    pub time: DateTime<Utc>,
    pub request_id: &'a str,
    pub peer: &'a str,
}

impl SignedCall<'_> {
    /// Notes the caller and the subjects of a call, before it is performed and may delete them.
    pub(super) fn trace(&self, cloud: &Cloud, caller: &Caller<'_>, traced: &mut Option<Traced>) {
        let subjects = match self.service {
            Service::Kms => cloud.kms.subjects(caller.account, self.region(), self.received.body),
            Service::Sts => Subjects::default(),
            _ => return,
        };
        *traced = Some(Traced { known: Known::of(caller), subjects });
    }

    /// Notes a call of AssumeRoleWithWebIdentity, which is not signed. The account is that of the role.
    pub(super) fn trace_web_identity(&self, cloud: &Cloud, traced: &mut Option<Traced>) {
        let account = self.parameters.get("RoleArn").and_then(|arn| arn.split(':').nth(4));
        if let Some(account) = account.and_then(|id| cloud.plan.account(id)) {
            *traced = Some(Traced { known: Known::of_web_identity(&account.id), subjects: Subjects::default() });
        }
    }

    /// Records the event of a call that is done.
    pub(super) fn record(
        &self,
        cloud: &Cloud,
        traced: Traced,
        outcome: &Result<Answer, Refusal>,
        received: &Received<'_>,
    ) {
        let Traced { mut known, mut subjects } = traced;
        if matches!(outcome, Err(Refusal::OperationMissing | Refusal::OperationUnknown { .. })) {
            return;
        }
        let Some(account) = cloud.plan.account(&known.account) else { return };
        let region = self.region_of_event(account);
        let answer = match outcome {
            Ok(Answer::Json(answer) | Answer::Created(answer)) => Some(Cow::Borrowed(answer)),
            Ok(Answer::Xml(elements)) => Some(Cow::Owned(Element::new("Result").children(elements.clone()).json())),
            Err(_) => None,
        };
        let parameters = match self.service {
            Service::Kms => {
                if let Some(answer) = &answer {
                    cloud.kms.add_answered(&mut subjects, account, region, answer);
                }
                let body: Map<String, Value> = serde_json::from_slice(self.received.body).unwrap_or_default();
                trail::kms_parameters(&self.operation, &body)
            }
            _ => {
                if let Some(answer) = &answer {
                    self.add_answered(&mut known, &mut subjects, answer);
                }
                trail::sts_parameters(|name| self.parameters.get(name))
            }
        };
        let done = Done {
            service: self.service.name(),
            operation: &self.operation,
            region,
            time: received.time,
            request_id: received.request_id,
            source_address: received.peer,
            user_agent: self.received.header("user-agent").unwrap_or_default(),
            parameters,
            answer: answer.as_deref(),
            refusal: outcome.as_ref().err().map(|refusal| self.shown_refusal(refusal)),
            subjects,
        };
        cloud.trail.record(&known, &done);
    }

    /// Adds the role that was assumed, and the subject of a token that was verified.
    fn add_answered(&self, known: &mut Known, subjects: &mut Subjects, answer: &Value) {
        if let Some(arn) = self.parameters.get("RoleArn").filter(|_| self.operation.starts_with("AssumeRole")) {
            let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
            subjects.others.push(Resource { account, arn: arn.to_owned(), kind: Some("AWS::IAM::Role") });
        }
        let text = |member: &str| answer[member].as_str().unwrap_or_default();
        if self.operation == sts::ASSUME_ROLE_WITH_WEB_IDENTITY {
            known.verified(text("Provider"), text("Audience"), text("SubjectFromWebIdentityToken"));
        }
    }

    /// The code and the message of a refusal, as events show them.
    fn shown_refusal(&self, refusal: &Refusal) -> Row {
        let row = refusal.row(self.service.dialect());
        if row.code == "AccessDeniedException" { Row { code: "AccessDenied", ..row } } else { row }
    }

    fn region_of_event<'r>(&'r self, account: &'r Account) -> &'r str {
        match self.region() {
            "" if account.may_use(GLOBAL) => GLOBAL,
            "" => account.regions.first().map_or(GLOBAL, |region| &region.name),
            region => region,
        }
    }
}
