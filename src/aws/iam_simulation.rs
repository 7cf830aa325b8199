//! IAM's SimulatePrincipalPolicy: finds the actions that a principal's policies do not allow. It is sent as a signed
//! form, because rusoto's IAM client is not a dependency.

use std::collections::HashMap;
use std::sync::Arc;

use super::call::{AwsCall, Wire};
use super::fault::{Fault, RetryPolicy};
use super::operation::AwsOperation;
use super::port::Caller;
use super::xml::Element;
use crate::domain::place::{Arn, RoleArn};

/// The principal whose policies are simulated.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SimulationSource {
    /// A user or a role.
    Principal(Arn),
    /// The account's root user. No policy restricts it, and IAM does not simulate it.
    Root,
}

impl SimulationSource {
    /// The principal of a caller. The ARN of a session has only the name of the role, so that a role with a path is not
    /// found.
    pub(super) fn of(caller: &Caller) -> Result<Self, String> {
        let arn = &caller.arn;
        if let Some(role) = arn.role_of_session() {
            let role = RoleArn::named(arn.partition(), caller.account, role).map_err(|error| error.to_string())?;
            return Ok(Self::Principal(role.as_arn().clone()));
        }
        match (arn.service(), arn.resource()) {
            ("iam", "root") => Ok(Self::Root),
            ("iam", user) if user.starts_with("user/") => Ok(Self::Principal(arn.clone())),
            _ => Err(format!("the policies of `{arn}` cannot be simulated: a user or a role is needed")),
        }
    }
}

/// A simulation with the decisions of all its pages.
pub(super) struct Simulation {
    source: Arn,
    actions: Arc<[String]>,
    decided: HashMap<String, bool>,
    /// The marker of the next page, which the first page does not have. `None` once all pages are read.
    next: Option<Option<String>>,
    pages: usize,
}

impl Simulation {
    const PAGES_MAX: usize = 50;

    pub(super) fn new(source: Arn, actions: Arc<[String]>) -> Self {
        let next = if actions.is_empty() { None } else { Some(None) };
        Self { source, actions, decided: HashMap::new(), next, pages: 0 }
    }

    /// The call for the next page; `None` once all pages are read.
    pub(super) fn next_call(&self) -> Option<SimulatePrincipalPolicy> {
        let marker = self.next.as_ref()?;
        let mut parameters = vec![
            ("Action".to_owned(), AwsOperation::SIMULATE_PRINCIPAL_POLICY.name.to_owned()),
            ("Version".to_owned(), "2010-05-08".to_owned()),
            ("PolicySourceArn".to_owned(), self.source.to_string()),
        ];
        let numbered = self.actions.iter().enumerate();
        parameters
            .extend(numbered.map(|(index, action)| (format!("ActionNames.member.{}", index + 1), action.clone())));
        parameters.extend(marker.iter().map(|marker| ("Marker".to_owned(), marker.clone())));
        Some(SimulatePrincipalPolicy { parameters })
    }

    /// Adds a page of decisions.
    pub(super) fn add_page(&mut self, page: SimulationPage) -> Result<(), String> {
        self.decided.extend(page.decisions);
        self.pages += 1;
        self.next = match page.marker {
            Some(_) if self.pages == Self::PAGES_MAX => return Err(format!("more than {} pages", Self::PAGES_MAX)),
            Some(marker) => Some(Some(marker)),
            None => None,
        };
        Ok(())
    }

    /// The actions that are not allowed, in the order of the request.
    pub(super) fn missing(&self) -> Result<Vec<String>, String> {
        let mut missing = Vec::new();
        for action in self.actions.iter() {
            match self.decided.get(&action.to_ascii_lowercase()) {
                Some(true) => {}
                Some(false) => missing.push(action.clone()),
                None => return Err(format!("the answer has no decision about `{action}`")),
            }
        }
        Ok(missing)
    }
}

/// The call for a page of a simulation.
pub(super) struct SimulatePrincipalPolicy {
    parameters: Vec<(String, String)>,
}

impl AwsCall for SimulatePrincipalPolicy {
    type Answer = SimulationPage;
    const OPERATION: AwsOperation = AwsOperation::SIMULATE_PRINCIPAL_POLICY;
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<SimulationPage, Fault> {
        SimulationPage::parse(&wire.form(&self.parameters).await?).map_err(Fault::Unintelligible)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct SimulationPage {
    /// The actions in lower case, and whether each is allowed.
    decisions: Vec<(String, bool)>,
    marker: Option<String>,
}

impl SimulationPage {
    fn parse(body: &[u8]) -> Result<Self, String> {
        let root = Element::parse(body).map_err(|fault| fault.to_string())?;
        let result = root.child("SimulatePrincipalPolicyResult");
        let result = result.ok_or_else(|| format!("`{}` is not a simulation", root.name()))?;
        let members = result.child("EvaluationResults").into_iter().flat_map(|results| results.children("member"));
        let decisions = members.map(|member| {
            let action = member.child_text("EvalActionName").unwrap_or_default();
            (action.to_ascii_lowercase(), member.child_text("EvalDecision") == Some("allowed"))
        });
        let more = result.child_text("IsTruncated") == Some("true");
        let marker = result.child_text("Marker").filter(|marker| more && !marker.is_empty());
        Ok(Self { decisions: decisions.collect(), marker: marker.map(str::to_owned) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::place::AccountId;

    fn principal(arn: &str) -> Result<String, String> {
        let caller = Caller {
            account: AccountId::parse("123456789012").expect("an account"),
            arn: Arn::parse(arn).expect("an ARN"),
        };
        SimulationSource::of(&caller).map(|source| match source {
            SimulationSource::Root => "root".to_owned(),
            SimulationSource::Principal(source) => source.to_string(),
        })
    }

    #[test]
    fn the_principal_of_a_session_is_its_role() {
        let source = |text: &str| Ok(text.to_owned());
        assert_eq!(
            principal("arn:aws-cn:sts::123456789012:assumed-role/deploy/me"),
            source("arn:aws-cn:iam::123456789012:role/deploy")
        );
        assert_eq!(principal("arn:aws:iam::123456789012:user/a/ann"), source("arn:aws:iam::123456789012:user/a/ann"));
        assert_eq!(principal("arn:aws:iam::123456789012:root"), source("root"));
        assert!(principal("arn:aws:sts::123456789012:federated-user/bob").is_err());
    }

    fn simulation() -> Simulation {
        let actions = ["kms:CreateKey", "kms:ListKeys"].map(str::to_owned);
        Simulation::new(Arn::parse("arn:aws:iam::123456789012:user/ann").expect("an ARN"), Arc::new(actions))
    }

    fn page(decisions: &[(&str, &str)], marker: Option<&str>) -> SimulationPage {
        let members = decisions.iter().map(|(action, decision)| {
            format!("<member><EvalActionName>{action}</EvalActionName><EvalDecision>{decision}</EvalDecision></member>")
        });
        let more = marker.map(|marker| format!("<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>"));
        let body = format!(
            "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults>{}</EvaluationResults>{}\
             </SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>",
            members.collect::<String>(),
            more.unwrap_or_default()
        );
        SimulationPage::parse(body.as_bytes()).expect("a page")
    }

    #[test]
    fn actions_that_are_not_allowed_are_missing_over_all_pages() {
        let mut simulation = simulation();
        simulation.add_page(page(&[("kms:listkeys", "implicitDeny")], Some("m/1="))).expect("a first page");
        let second = simulation.next_call().expect("a second page").parameters;
        assert_eq!(second.last(), Some(&("Marker".to_owned(), "m/1=".to_owned())));
        simulation.add_page(page(&[("kms:CreateKey", "allowed")], None)).expect("a second page");
        assert!(simulation.next_call().is_none());
        assert_eq!(simulation.missing(), Ok(vec!["kms:ListKeys".to_owned()]));
    }

    #[test]
    fn an_action_without_a_decision_and_endless_pages_are_no_answer() {
        let mut simulation = simulation();
        simulation.add_page(page(&[("kms:CreateKey", "allowed")], None)).expect("a page");
        assert!(simulation.missing().is_err());
        let mut simulation = self::simulation();
        let endless = (0..100).try_for_each(|_| simulation.add_page(page(&[], Some("again"))));
        assert!(endless.is_err());
        assert!(SimulationPage::parse(b"<html/>").is_err());
    }
}
