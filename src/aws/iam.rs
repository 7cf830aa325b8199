//! IAM's signed query requests (rusoto's client for IAM is not in use), and its SimulatePrincipalPolicy.
//!
//! Only what is asked and what the answer means stands here; `rusoto.rs` signs, sends and repeats.

use std::collections::HashMap;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use rusoto_core::signature::SignedRequest;

use super::endpoint::Endpoint;
use super::operation::Operation;
use super::port::Caller;
use super::xml::Element;
use crate::domain::place::{Arn, RoleArn};

/// Whose policies are to be simulated.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Principal {
    /// A user or a role.
    Source(Arn),
    /// The account's root user, whom no policy restricts and whom IAM refuses to simulate.
    Root,
}

impl Principal {
    /// The principal behind a caller. Only the name of an assumed role is known then: a role with a path is not found.
    pub(super) fn of(caller: &Caller) -> Result<Self, String> {
        let arn = &caller.arn;
        if let Some(role) = arn.role_of_session() {
            let role = RoleArn::named(arn.partition(), caller.account, role).map_err(|error| error.to_string())?;
            return Ok(Self::Source(role.as_arn().clone()));
        }
        match (arn.service(), arn.resource()) {
            ("iam", "root") => Ok(Self::Root),
            ("iam", user) if user.starts_with("user/") => Ok(Self::Source(arn.clone())),
            _ => Err(format!("the policies of `{arn}` cannot be simulated: a user or a role is needed")),
        }
    }
}

/// One simulation over all its pages.
pub(super) struct Simulation {
    source: Arn,
    actions: Arc<[String]>,
    decided: HashMap<String, bool>,
    /// Where the next page begins; nothing once all were read.
    next: Option<Option<String>>,
    pages: usize,
}

impl Simulation {
    const MOST_PAGES: usize = 50;

    pub(super) fn new(source: Arn, actions: Arc<[String]>) -> Self {
        let next = if actions.is_empty() { None } else { Some(None) };
        Self { source, actions, decided: HashMap::new(), next, pages: 0 }
    }

    /// The parameters of the next request, if there is any.
    pub(super) fn next_page(&self) -> Option<Vec<(String, String)>> {
        let marker = self.next.as_ref()?;
        let mut parameters = vec![
            ("Action".to_owned(), Operation::SIMULATE_PRINCIPAL_POLICY.name.to_owned()),
            ("Version".to_owned(), "2010-05-08".to_owned()),
            ("PolicySourceArn".to_owned(), self.source.to_string()),
        ];
        let numbered = self.actions.iter().enumerate();
        parameters
            .extend(numbered.map(|(index, action)| (format!("ActionNames.member.{}", index + 1), action.clone())));
        parameters.extend(marker.iter().map(|marker| ("Marker".to_owned(), marker.clone())));
        Some(parameters)
    }

    /// Takes in one page of decisions.
    pub(super) fn take_in(&mut self, page: Page) -> Result<(), String> {
        self.decided.extend(page.decisions);
        self.pages += 1;
        self.next = match page.marker {
            Some(_) if self.pages == Self::MOST_PAGES => return Err(format!("more than {} pages", Self::MOST_PAGES)),
            Some(marker) => Some(Some(marker)),
            None => None,
        };
        Ok(())
    }

    /// The actions that are not allowed, in the order in which they were asked about.
    pub(super) fn missing(&self) -> Result<Vec<String>, String> {
        let mut missing = Vec::new();
        for action in self.actions.iter() {
            match self.decided.get(&action.to_ascii_lowercase()) {
                Some(true) => {}
                Some(false) => missing.push(action.clone()),
                None => return Err(format!("it decides nothing about `{action}`")),
            }
        }
        Ok(missing)
    }
}

/// One page of the answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// Action in lower case, and whether it is allowed.
    decisions: Vec<(String, bool)>,
    marker: Option<String>,
}

impl Page {
    pub(super) fn parse(body: &[u8]) -> Result<Self, String> {
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

/// The request, not yet signed.
pub(super) fn request(endpoint: &Endpoint, parameters: &[(String, String)]) -> SignedRequest {
    let region = endpoint.as_rusoto();
    let service = Operation::SIMULATE_PRINCIPAL_POLICY.service.as_str();
    let mut request = SignedRequest::new("POST", service, &region, "/");
    request.set_content_type("application/x-www-form-urlencoded; charset=utf-8".to_owned());
    let pairs = parameters.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    request.set_payload(Some(pairs.collect::<Vec<_>>().join("&").into_bytes()));
    request
}

fn encoded(text: &str) -> PercentEncode<'_> {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, RESERVED)
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
        Principal::of(&caller).map(|principal| match principal {
            Principal::Root => "root".to_owned(),
            Principal::Source(source) => source.to_string(),
        })
    }

    #[test]
    fn a_role_stands_behind_its_session() {
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

    fn page(decisions: &[(&str, &str)], marker: Option<&str>) -> Page {
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
        Page::parse(body.as_bytes()).expect("a page")
    }

    #[test]
    fn what_is_not_allowed_is_missing_over_all_pages() {
        let mut simulation = simulation();
        simulation.take_in(page(&[("kms:listkeys", "implicitDeny")], Some("m/1="))).expect("a first page");
        let second = simulation.next_page().expect("a second page");
        assert_eq!(second.last(), Some(&("Marker".to_owned(), "m/1=".to_owned())));
        simulation.take_in(page(&[("kms:CreateKey", "allowed")], None)).expect("a second page");
        assert_eq!(simulation.next_page(), None);
        assert_eq!(simulation.missing(), Ok(vec!["kms:ListKeys".to_owned()]));
    }

    #[test]
    fn an_action_without_a_decision_and_endless_pages_are_no_answer() {
        let mut simulation = simulation();
        simulation.take_in(page(&[("kms:CreateKey", "allowed")], None)).expect("a page");
        assert!(simulation.missing().is_err());
        let mut simulation = self::simulation();
        let endless = (0..100).try_for_each(|_| simulation.take_in(page(&[], Some("again"))));
        assert!(endless.is_err());
        assert!(Page::parse(b"<html/>").is_err());
    }
}
