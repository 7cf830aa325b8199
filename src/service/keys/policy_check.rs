//! Checks a new policy for a key without putting it: its mistakes, whether it locks its author out, and how it differs
//! from the policy that AWS has.

use super::{Keys, PolicyChoice};
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::GetKeyPolicy;
use crate::domain::key::aggregate::Key;
use crate::domain::key::operation::Operation;
use crate::domain::key::policy_difference::PolicyDifference;
use crate::domain::key::policy_text::{POLICY_MAX, PolicyText};
use crate::policy::Reading;
use crate::policy::access::{Subject, Target, Verdict, decide};
use crate::policy::check::{Problem, line_and_column, problems};
use crate::policy::summary::Summary;
use crate::service::access::{KeyPermit, UpdateKey};
use crate::service::cloud::RegionAccess;
use crate::service::failure::Failure;
use crate::service::list::pool;

/// The policy to check.
pub enum PolicyCandidate {
    /// A text, which need not be a policy.
    Text(String),
    /// A template, lists of principals, or the default.
    Choice(PolicyChoice),
}

/// The policy that a new one was compared with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compared {
    /// The one that AWS has now.
    AtAws,
    /// The one that was read last, since AWS could not be asked.
    Recorded,
    /// None is known.
    Nothing,
}

/// What is known about a new policy for a key.
pub struct PolicyCheck {
    /// The text that would be put.
    pub text: String,
    pub problems: Vec<Problem>,
    /// The ARN that puts the policy at AWS; `None` if AWS could not be asked.
    pub caller: Option<String>,
    /// Whether that one could change the policy again. AWS refuses a policy under which it could not.
    pub caller_keeps: Verdict,
    /// Whether the account could change the policy, by its own permissions.
    pub account_keeps: Verdict,
    /// Whom outside of the account it allows something, and the present one does not.
    pub opens_to: Vec<String>,
    pub compared: Compared,
    /// Why AWS could not be asked for the policy or for the caller.
    pub error: Option<String>,
    /// The differences; `None` if the new one is too long or no JSON object, a policy has too many statements, or there
    /// is no policy to compare with.
    pub difference: Option<PolicyDifference>,
}

impl PolicyCheck {
    /// Whether AWS would accept the policy, as far as that is known here.
    pub fn is_valid(&self) -> bool {
        self.problems.is_empty() && !self.locks_out()
    }

    /// Whether AWS would refuse it because the caller could not change the policy again.
    pub fn locks_out(&self) -> bool {
        self.problems.is_empty() && matches!(self.caller_keeps, Verdict::Denied | Verdict::NotAllowed)
    }
}

/// What AWS says, as far as it could be asked.
#[derive(Default)]
struct AtAws {
    caller: Option<String>,
    /// The role whose session the caller is.
    role: Option<String>,
    policy: Option<PolicyText>,
    error: Option<String>,
}

const PUT_POLICY: &str = "kms:PutKeyPolicy";

impl Keys {
    /// Checks a new policy for a key. If AWS cannot be asked, the answer says so.
    ///
    /// # Errors
    /// When there is no such template, the lists name what cannot be a principal, or the program stops.
    pub async fn check_policy(
        &self,
        permit: &KeyPermit<UpdateKey>,
        candidate: PolicyCandidate,
    ) -> Result<PolicyCheck, Failure> {
        let key = permit.key();
        let text = match candidate {
            PolicyCandidate::Text(text) => text,
            PolicyCandidate::Choice(choice) => {
                let Operation::PutPolicy { policy, .. } = self.policy_for(key, choice)? else {
                    return Err(Failure::Internal("the policy of a choice is no policy"));
                };
                policy.as_str().to_owned()
            }
        };
        let at_aws = match key.is_unlinked() {
            true => AtAws::default(),
            false => self.ask(key).await?,
        };
        let key = key.clone();
        pool::run(move || judged(&key, text, at_aws)).await
    }

    /// Asks AWS for the caller and for the present policy.
    async fn ask(&self, key: &Key) -> Result<AtAws, Failure> {
        let at = match self.cloud.region(key.kms, &key.region).await {
            Ok(at) => at,
            Err(failure @ (Failure::Stopped(_) | Failure::Interrupted)) => return Err(failure),
            Err(failure) => return Ok(AtAws { error: Some(failure.to_string()), ..AtAws::default() }),
        };
        let (caller, policy) = tokio::join!(at.caller(), policy(&at, key));
        let error = caller.as_ref().err().or(policy.as_ref().err()).map(ToString::to_string);
        let caller = caller.ok().map(|caller| caller.arn.to_string());
        Ok(AtAws { caller, role: at.role(), policy: policy.ok(), error })
    }
}

async fn policy(at: &RegionAccess, key: &Key) -> Result<PolicyText, AwsFailure> {
    at.call(GetKeyPolicy { key: key.aws_id().clone() }).await
}

fn judged(key: &Key, text: String, at_aws: AtAws) -> PolicyCheck {
    let AtAws { caller, role, policy, error } = at_aws;
    // The work may grow with the square of the length, so a text that is too long is not read.
    let read = if text.len() > POLICY_MAX { "" } else { text.as_str() };
    let problems = all_problems(&text);
    let (arn, account) = (key.metadata.arn.to_string(), key.metadata.account().to_string());
    let reading = Reading::of(read);
    let target = Target { arn: &arn, account: &account, reading: &reading, grants: &[] };
    let keeps = |who: &str| match Subject::parse(who) {
        Some(subject) if problems.is_empty() => decide(&target, &subject, PUT_POLICY),
        _ => Verdict::NotKnown,
    };
    // A policy names a role or its session.
    let of_caller = caller.as_deref().map_or(Verdict::NotKnown, keeps);
    let caller_keeps = match role.as_deref().filter(|_| caller.is_some()).map(keeps) {
        Some(of_role) if of_role == Verdict::Denied || of_caller == Verdict::Denied => Verdict::Denied,
        Some(of_role) => of_role.max(of_caller),
        None => of_caller,
    };
    let account_keeps = keeps(&account);
    let (compared, present) = match (policy, &key.policy) {
        (Some(policy), _) => (Compared::AtAws, Some(policy)),
        (None, Some(policy)) => (Compared::Recorded, Some(policy.clone())),
        (None, None) => (Compared::Nothing, None),
    };
    let new = PolicyText::returned(read).ok();
    let difference = present.as_ref().zip(new).and_then(|(present, new)| PolicyDifference::between(present, &new));
    let outsiders = |text: &str| Summary::of(text).outsiders(&arn, &account);
    let mut opens_to = outsiders(read);
    if let Some(present) = &present {
        let before = outsiders(present.as_str());
        opens_to.retain(|who| !before.contains(who));
    }
    let opens_to = opens_to.into_iter().collect();
    PolicyCheck { problems, caller, caller_keeps, account_keeps, opens_to, compared, error, difference, text }
}

/// The mistakes of a new policy. Of one that is too long, only that is said.
fn all_problems(text: &str) -> Vec<Problem> {
    let outside = |message: String, at| Problem { statement: None, sid: None, at, message };
    if text.len() > POLICY_MAX {
        let message = format!("a policy has up to {POLICY_MAX} bytes, and this one has {}", text.len());
        return vec![outside(message, None)];
    }
    let mut problems = problems(text);
    if let Some((offset, c)) = text.char_indices().find(|(_, c)| *c > '\u{ff}') {
        let message = format!("AWS accepts `{c}` only as a JSON escape");
        problems.push(outside(message, Some(line_and_column(text, offset))));
    }
    problems
}
