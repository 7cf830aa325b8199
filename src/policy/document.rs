//! A policy: statements with principals, actions, resources and conditions.

use super::condition::Condition;
use super::json::Json;
use super::pattern;
use super::principal::{Named, Principal};
use super::request::{Context, Request};

/// A policy that can be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Whether the policy has version 2012-10-17, in which `${…}` is a variable.
    variables: bool,
    statements: Vec<Statement>,
}

/// The reason why a text is not a policy. The texts of the first variants are AWS's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error("Policy contains a statement with one or more invalid principals.")]
    InvalidPrincipal,
    #[error("Policy contains a statement with no principal.")]
    NoPrincipal,
    #[error("Syntax errors in policy: {0}")]
    Syntax(String),
}

/// A policy that AWS has returned, as far as it could be read. AWS knows principals, operators and elements that came
/// after this program: what it does not understand is kept apart, and not taken for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub policy: Policy,
    pub not_understood: Vec<NotUnderstood>,
}

impl Reading {
    /// Reads the policy of a key as AWS returns it. A text that is no policy is not understood as a whole.
    pub fn of(text: &str) -> Reading {
        Policy::returned(text).unwrap_or_else(|error| {
            let whole = NotUnderstood { number: 0, sid: None, reason: error.to_string() };
            Reading { policy: Policy::empty(), not_understood: vec![whole] }
        })
    }
}

/// A statement that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUnderstood {
    /// Its place in the policy, from 1 on; 0 for the policy as a whole.
    pub number: usize,
    pub sid: Option<String>,
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its place in the policy, from 1 on.
    pub number: usize,
    pub sid: Option<String>,
    pub effect: Effect,
    /// The principals; `None` in a policy of an identity.
    pub principals: Option<Selection<Principal>>,
    /// Patterns of actions, in lower case.
    pub actions: Selection<String>,
    /// The patterns of actions as they are written.
    pub written_actions: Vec<String>,
    pub resources: Selection<String>,
    pub conditions: Vec<Condition>,
}

/// `Action` or `NotAction`, and so on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection<T> {
    /// Whether everything but the items is selected.
    pub all_but: bool,
    pub items: Vec<T>,
}

/// The kind of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The policy of a key, with principals, about actions of KMS.
    OfKey,
    /// The same as AWS returns it, which may name what this program does not know.
    Returned,
    /// The policy of a user, role or session, without principals.
    OfIdentity,
}

const ELEMENTS: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

impl Policy {
    /// Reads the policy of a key, as strictly as AWS.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn of_key(text: &str) -> Result<Policy, PolicyError> {
        Policy::parse(text, Kind::OfKey)
    }

    /// Reads a policy of a user, role or session.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn of_identity(text: &str) -> Result<Policy, PolicyError> {
        Policy::parse(text, Kind::OfIdentity)
    }

    /// The policy of an identity that allows and denies patterns of actions on every resource.
    pub fn of_actions(allow: &[String], deny: &[String]) -> Policy {
        let statement = |effect, patterns: &[String]| Statement {
            number: 1,
            sid: None,
            effect,
            principals: None,
            written_actions: patterns.to_vec(),
            actions: Selection { all_but: false, items: patterns.iter().map(|text| text.to_lowercase()).collect() },
            resources: Selection { all_but: false, items: vec!["*".to_owned()] },
            conditions: Vec::new(),
        };
        Policy { variables: false, statements: vec![statement(Effect::Allow, allow), statement(Effect::Deny, deny)] }
    }

    /// A policy that allows nothing.
    pub fn empty() -> Policy {
        Policy { variables: false, statements: Vec::new() }
    }

    /// Reads the policy of a key as AWS returns it. A statement that cannot be read does not hide the others.
    ///
    /// # Errors
    /// [`PolicyError`] if the text has no statements at all.
    pub fn returned(text: &str) -> Result<Reading, PolicyError> {
        let (variables, all) = statements_of(text)?;
        let (mut statements, mut not_understood) = (Vec::new(), Vec::new());
        for (number, json) in (1..).zip(&all) {
            match Statement::parse(json, Kind::Returned, number) {
                Ok(statement) => statements.push(statement),
                Err(error) => {
                    not_understood.push(NotUnderstood {
                        number,
                        sid: Statement::sid_of(json),
                        reason: error.to_string(),
                    });
                }
            }
        }
        Ok(Reading { policy: Policy { variables, statements }, not_understood })
    }

    fn parse(text: &str, kind: Kind) -> Result<Policy, PolicyError> {
        let (variables, all) = statements_of(text)?;
        let statements = (1..).zip(&all).map(|(number, json)| Statement::parse(json, kind, number));
        Ok(Policy { variables, statements: statements.collect::<Result<_, _>>()? })
    }

    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Whether `${…}` is a variable in the policy.
    pub fn has_variables(&self) -> bool {
        self.variables
    }

    /// All principals that the policy names.
    pub fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.statements.iter().filter_map(|one| one.principals.as_ref()).flat_map(|selection| &selection.items)
    }

    /// Whether a statement with an effect applies to a request, whatever its principals are.
    pub(super) fn applies(&self, effect: Effect, resource: &str, request: &Request<'_>) -> bool {
        self.applicable(effect, resource, request).next().is_some()
    }

    /// How the statements with an effect that apply to a request name its caller: the strongest way.
    pub(super) fn names(&self, effect: Effect, resource: &str, request: &Request<'_>) -> Named {
        let named = self.applicable(effect, resource, request);
        let named = named.map(|statement| statement.names(|principal| principal.names(request.caller)));
        named.max().unwrap_or(Named::No)
    }

    fn applicable<'a>(
        &'a self,
        effect: Effect,
        resource: &'a str,
        request: &'a Request<'a>,
    ) -> impl Iterator<Item = &'a Statement> {
        let action = request.action.to_ascii_lowercase();
        self.statements.iter().filter(move |statement| {
            statement.effect == effect
                && statement.actions.fits(&action, None)
                && statement.resources.fits(resource, self.variables.then_some(request.context))
                && statement.conditions.iter().all(|condition| condition.holds(request.context, self.variables))
        })
    }
}

/// Whether a policy has variables, and its statements.
pub(super) fn statements_of(text: &str) -> Result<(bool, Vec<Json>), PolicyError> {
    let json = Json::parse(text).map_err(|error| syntax(error.to_string()))?;
    let members = json.object().ok_or_else(|| syntax("the policy is not a JSON object"))?;
    let get = |name: &str| members.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    if let Some((name, _)) = members.iter().find(|(name, _)| !["Version", "Id", "Statement"].contains(&&**name)) {
        return Err(syntax(format!("unknown element {name}")));
    }
    if get("Id").is_some_and(|id| id.text().is_none()) {
        return Err(syntax("the Id has to be a text"));
    }
    let variables = match get("Version").map(Json::text) {
        Some(Some("2012-10-17")) => true,
        None | Some(Some("2008-10-17")) => false,
        Some(_) => return Err(syntax("the Version has to be 2012-10-17 or 2008-10-17")),
    };
    match get("Statement") {
        Some(Json::List(all)) => Ok((variables, all.clone())),
        Some(one @ Json::Object(_)) => Ok((variables, vec![one.clone()])),
        Some(_) => Err(syntax("the Statement has to be an object or a list of objects")),
        None => Err(syntax("the policy has no Statement")),
    }
}

impl Selection<String> {
    /// Whether the patterns can mean a resource. A variable can stand for anything.
    pub(super) fn can_mean(&self, resource: &str, variables: bool) -> bool {
        let has_variable = variables && self.items.iter().any(|pattern| pattern.contains("${"));
        has_variable || self.fits(resource, None)
    }

    pub(super) fn fits(&self, text: &str, variables: Option<&Context>) -> bool {
        let fits = |pattern: &String| match variables {
            // A variable without a value fits nothing.
            Some(_) => pattern::expand(pattern, variables).is_some_and(|parts| pattern::fits(&parts, text)),
            None => pattern::matches(pattern, text),
        };
        self.items.iter().any(fits) != self.all_but
    }
}

impl Statement {
    /// How the statement names somebody whom its principals name in these ways.
    pub(super) fn names(&self, by: impl Fn(&Principal) -> Named) -> Named {
        let Some(selection) = &self.principals else { return Named::No };
        // Only a user, role or session is excepted by `NotPrincipal`. An account alone excepts nobody in it.
        match (selection.all_but, selection.items.iter().map(by).max().unwrap_or(Named::No)) {
            (false, way) => way,
            (true, Named::No | Named::ByAccount) => Named::ByIssuer,
            (true, Named::ByIssuer | Named::BySession) => Named::No,
        }
    }

    /// Whether the statement can be about a resource. A variable can stand for anything.
    pub fn applies_to(&self, resource: &str, variables: bool) -> bool {
        self.resources.can_mean(resource, variables)
    }

    /// Whether the statement is about an action, such as `kms:Encrypt`.
    pub fn is_about(&self, action: &str) -> bool {
        self.actions.fits(&action.to_ascii_lowercase(), None)
    }

    /// The Sid of a statement that need not be valid.
    pub(super) fn sid_of(json: &Json) -> Option<String> {
        let sid = json.object()?.iter().find(|(name, _)| name == "Sid");
        sid.and_then(|(_, value)| value.text()).map(str::to_owned)
    }

    pub(super) fn parse(json: &Json, kind: Kind, number: usize) -> Result<Statement, PolicyError> {
        let members = json.object().ok_or_else(|| syntax("a statement has to be an object"))?;
        let get = |name: &str| members.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        if let Some((name, _)) = members.iter().find(|(name, _)| !ELEMENTS.contains(&&**name)) {
            return Err(syntax(format!("unknown element {name}")));
        }
        let sid = match get("Sid").map(Json::text) {
            Some(None) => return Err(syntax("a Sid has to be a text")),
            sid => sid.flatten().map(str::to_owned),
        };
        let effect = match get("Effect").map(Json::text) {
            Some(Some("Allow")) => Effect::Allow,
            Some(Some("Deny")) => Effect::Deny,
            _ => return Err(syntax("the Effect has to be Allow or Deny")),
        };
        let principals = match (kind, one_of("Principal", get("Principal"), get("NotPrincipal"))) {
            (Kind::OfKey | Kind::Returned, Ok((all_but, value))) => {
                Some(Selection { all_but, items: principals(value, kind)? })
            }
            (Kind::OfKey | Kind::Returned, Err(_)) if get("Principal").is_none() => {
                return Err(PolicyError::NoPrincipal);
            }
            (Kind::OfKey | Kind::Returned, Err(error)) => return Err(error),
            (Kind::OfIdentity, _) if get("Principal").or(get("NotPrincipal")).is_some() => {
                return Err(syntax("a policy of an identity has no Principal"));
            }
            (Kind::OfIdentity, _) => None,
        };
        let actions = texts("Action", get("Action"), get("NotAction"))?;
        if let Some(action) = actions.items.iter().find(|action| !is_action(action, kind)) {
            return Err(syntax(format!("{action} is not an action that the policy can have")));
        }
        let resources = texts("Resource", get("Resource"), get("NotResource"))?;
        if let Some(resource) = resources.items.iter().find(|text| **text != "*" && !text.starts_with("arn:")) {
            return Err(syntax(format!("the Resource {resource} has to be an ARN or *")));
        }
        let (all_but, written_actions) = (actions.all_but, actions.items);
        let items = written_actions.iter().map(|text| text.to_lowercase()).collect();
        let actions = Selection { all_but, items };
        let conditions = get("Condition").map_or(Ok(Vec::new()), Condition::parse_all).map_err(syntax)?;
        Ok(Statement { number, sid, effect, principals, actions, written_actions, resources, conditions })
    }
}

/// An element or its opposite, of which a statement has exactly one; the opposite is `true`.
fn one_of<'a>(name: &str, one: Option<&'a Json>, other: Option<&'a Json>) -> Result<(bool, &'a Json), PolicyError> {
    match (one, other) {
        (Some(value), None) => Ok((false, value)),
        (None, Some(value)) => Ok((true, value)),
        (None, None) => Err(syntax(format!("a statement needs {name} or Not{name}"))),
        (Some(_), Some(_)) => Err(syntax(format!("a statement cannot have both {name} and Not{name}"))),
    }
}

fn texts(name: &str, one: Option<&Json>, other: Option<&Json>) -> Result<Selection<String>, PolicyError> {
    let (all_but, value) = one_of(name, one, other)?;
    let items = value.texts().filter(|texts| !texts.is_empty() && texts.iter().all(|text| !text.is_empty()));
    let items = items.ok_or_else(|| syntax(format!("{name} has to be a text or a list of texts")))?;
    Ok(Selection { all_but, items: items.into_iter().map(str::to_owned).collect() })
}

fn principals(value: &Json, form: Kind) -> Result<Vec<Principal>, PolicyError> {
    match value {
        Json::Text(all) if all == "*" => Ok(vec![Principal::Anyone]),
        Json::Object(kinds) if !kinds.is_empty() => {
            let mut found = Vec::new();
            for (kind, names) in kinds {
                let names = names.texts().filter(|names| !names.is_empty()).ok_or(PolicyError::InvalidPrincipal)?;
                for name in names {
                    let principal = match form {
                        Kind::Returned => Principal::returned(kind, name),
                        Kind::OfKey | Kind::OfIdentity => Principal::parse(kind, name),
                    };
                    found.push(principal.ok_or(PolicyError::InvalidPrincipal)?);
                }
            }
            Ok(found)
        }
        _ => Err(PolicyError::InvalidPrincipal),
    }
}

fn is_action(text: &str, kind: Kind) -> bool {
    let part = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'*' | b'?'))
    };
    text == "*"
        || text.split_once(':').is_some_and(|(service, name)| {
            part(service) && part(name) && (kind != Kind::OfKey || service.eq_ignore_ascii_case("kms"))
        })
}

fn syntax(why: impl Into<String>) -> PolicyError {
    PolicyError::Syntax(why.into())
}
