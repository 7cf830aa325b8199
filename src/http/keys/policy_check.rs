//! `POST /v1/cckm/aws/keys/{id}/check-policy`: a new policy for a key is checked and compared, and not put.

use super::policy::PolicyBody;
use crate::domain::key::policy_difference::{ChangedStatement, ElementChange, PlacedStatement};
use crate::domain::refusal::Refusal;
use crate::http::answer::Json;
use crate::http::body::{Body, optional};
use crate::http::error::Problem;
use crate::http::guard::OnKey;
use crate::service::Services;
use crate::service::access::UpdateKey;
use crate::service::failure::invalid;
use crate::service::key_access::Verdict;
use crate::service::keys::{Compared, PolicyCandidate, PolicyCheck, PolicyChoice, PolicyProblem};
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A policy to check. Members as in the request that replaces the policy of a key.
#[derive(Deserialize, ToSchema)]
#[schema(as = PolicyCheckRequest)]
pub struct PolicyCheckBody {
    /// The policy, as its text, or as a JSON object, in which mistakes have no line.
    #[serde(default, alias = "Policy", deserialize_with = "optional")]
    #[schema(value_type = Option<Value>)]
    policy: Option<Value>,
    #[serde(flatten)]
    choice: PolicyBody,
}

/// What is known about a new policy for a key.
#[derive(Serialize, ToSchema)]
#[schema(as = PolicyCheck)]
pub struct PolicyCheckView {
    /// Whether AWS would accept the policy, as far as that is known here. Whether its principals exist, only AWS knows.
    valid: bool,
    /// The mistakes; at most 100.
    problems: Vec<PolicyProblemView>,
    /// The text of the policy that would be put.
    policy: String,
    lockout: LockoutView,
    /// Whom outside of the account it allows something, and the present policy does not: `everyone`, accounts, or
    /// callers that conditions name.
    opens_to: Vec<String>,
    /// What it is compared with: `aws` (the policy that AWS has now), `recorded` (the one that was read last, since AWS
    /// could not be asked), or `nothing`.
    compared_with: &'static str,
    /// Why AWS could not be asked for the policy or for the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    aws_error: Option<String>,
    /// The differences; absent if the text is not a JSON object, or there is nothing to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    differences: Option<DifferencesView>,
}

/// A mistake in a policy.
#[derive(Serialize, ToSchema)]
#[schema(as = PolicyProblem)]
struct PolicyProblemView {
    /// What is wrong.
    message: String,
    /// The place of the statement in the policy, from 1 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    statement: Option<usize>,
    /// The Sid of the statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sid: Option<String>,
    /// The line in the given text, from 1 on: of the mistake, or of the start of the statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    line: Option<usize>,
    /// The column, from 1 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    column: Option<usize>,
}

/// Who could change the policy again: `kms:PutKeyPolicy` under the new policy. The values are those of `decision` in
/// `GET …/{id}/access`.
#[derive(Serialize, ToSchema)]
#[schema(as = PolicyLockout)]
struct LockoutView {
    /// Whether AWS refuses the policy because the caller could not change it again.
    refused_by_aws: bool,
    /// The ARN with which this manager calls AWS for the key; absent if AWS could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    caller: Option<String>,
    /// Whether this caller could: `allowed`, `iam_decides`, `depends`, `not_known`, `not_allowed` or `denied`.
    caller_decision: &'static str,
    /// Whether the account could. If not, only the principals that the policy names can change it.
    account_decision: &'static str,
    /// The same in words.
    text: String,
}

/// How the new policy differs from the present one.
#[derive(Serialize, ToSchema)]
#[schema(as = PolicyDifferences)]
struct DifferencesView {
    /// The number of statements that stay as they are.
    same: usize,
    /// The statements that are new.
    added: Vec<StatementView>,
    /// The statements that are gone.
    removed: Vec<StatementView>,
    /// The statements that are in both, with changes.
    changed: Vec<ChangedView>,
    /// Changes of `Version` and `Id`.
    elements: Vec<ElementView>,
    /// The differences in English, a sentence each.
    words: Vec<String>,
}

/// A statement.
#[derive(Serialize, ToSchema)]
#[schema(as = PlacedStatement)]
struct StatementView {
    /// Its place in its policy, from 1 on.
    number: usize,
    /// Its Sid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sid: Option<String>,
    /// The statement as it is written.
    #[schema(value_type = Object)]
    statement: Value,
}

/// A statement before and after.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedStatement)]
struct ChangedView {
    before: StatementView,
    after: StatementView,
    /// The elements that differ.
    elements: Vec<ElementView>,
}

/// The values that an element gains and loses: of principals `AWS: <name>`, of conditions `<operator> <key>: <value>`.
#[derive(Serialize, ToSchema)]
#[schema(as = ElementChange)]
struct ElementView {
    /// The name of the element.
    #[schema(example = "Action")]
    element: String,
    /// The values that it has in the new policy only.
    added: Vec<String>,
    /// The values that it has in the present policy only.
    removed: Vec<String>,
}

/// `POST /v1/cckm/aws/keys/{id}/check-policy`
pub async fn check(
    auth: OnKey<UpdateKey>,
    body: Body<PolicyCheckBody>,
    services: Data<Services>,
) -> Result<Json<PolicyCheckView>, Problem> {
    let is_text = matches!(body.0.policy, Some(Value::String(_)));
    let candidate = body.0.candidate()?;
    let check = services.keys.check_policy(&auth.permit, candidate).await?;
    Ok(Json(PolicyCheckView::of(check, is_text)))
}

impl PolicyCheckBody {
    fn candidate(self) -> Result<PolicyCandidate, Refusal> {
        let choice = self.choice.choice("policy", None)?;
        match (self.policy, choice) {
            (None, choice) => Ok(PolicyCandidate::Choice(choice)),
            (Some(Value::String(text)), PolicyChoice::Default) => Ok(PolicyCandidate::Text(text)),
            (Some(policy), PolicyChoice::Default) => Ok(PolicyCandidate::Text(policy.to_string())),
            (Some(_), PolicyChoice::Text(_) | PolicyChoice::Template(_) | PolicyChoice::Principals(_)) => Err(invalid(
                "policy",
                "only one of a policy, policytemplate, and lists such as key_admins can be given",
            )),
        }
    }
}

impl PolicyCheckView {
    fn of(check: PolicyCheck, is_text: bool) -> Self {
        let differences = check.difference.as_ref().map(|difference| DifferencesView {
            same: difference.same,
            added: difference.added.iter().map(StatementView::of).collect(),
            removed: difference.removed.iter().map(StatementView::of).collect(),
            changed: difference.changed.iter().map(ChangedView::of).collect(),
            elements: difference.elements.iter().map(ElementView::of).collect(),
            words: difference.words(),
        });
        Self {
            valid: check.is_valid(),
            lockout: LockoutView::of(&check),
            problems: check.problems.iter().map(|problem| PolicyProblemView::of(problem, is_text)).collect(),
            compared_with: match check.compared {
                Compared::AtAws => "aws",
                Compared::Recorded => "recorded",
                Compared::Nothing => "nothing",
            },
            differences,
            policy: check.text,
            opens_to: check.opens_to,
            aws_error: check.error,
        }
    }
}

impl PolicyProblemView {
    fn of(problem: &PolicyProblem, is_text: bool) -> Self {
        let (line, column) = problem.at.filter(|_| is_text).unzip();
        Self { message: problem.message.clone(), statement: problem.statement, sid: problem.sid.clone(), line, column }
    }
}

impl LockoutView {
    fn of(check: &PolicyCheck) -> Self {
        let by_account = check.account_keeps == Verdict::Allowed;
        let text = match &check.caller {
            _ if !check.problems.is_empty() => "Not known: the policy has mistakes.".to_owned(),
            Some(caller) if check.locks_out() => {
                format!("AWS refuses this policy: {caller} could not change it again (kms:PutKeyPolicy).")
            }
            _ if !by_account => "The administrators of the account could not change this policy again \
                                 (kms:PutKeyPolicy), except for those whom it names or its conditions admit."
                .to_owned(),
            Some(caller) => format!("{caller} can change this policy again, as far as the policy decides it."),
            None => "Not known: AWS could not be asked who calls it for this key.".to_owned(),
        };
        Self {
            refused_by_aws: check.locks_out(),
            caller: check.caller.clone(),
            caller_decision: check.caller_keeps.name(),
            account_decision: check.account_keeps.name(),
            text,
        }
    }
}

impl StatementView {
    fn of(placed: &PlacedStatement) -> Self {
        Self { number: placed.number, sid: placed.sid().map(str::to_owned), statement: placed.statement.clone() }
    }
}

impl ChangedView {
    fn of(change: &ChangedStatement) -> Self {
        Self {
            before: StatementView::of(&change.before),
            after: StatementView::of(&change.after),
            elements: change.elements.iter().map(ElementView::of).collect(),
        }
    }
}

impl ElementView {
    fn of(change: &ElementChange) -> Self {
        Self { element: change.element.clone(), added: change.added.clone(), removed: change.removed.clone() }
    }
}
