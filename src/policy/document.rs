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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Statement {
    effect: Effect,
    /// The principals; `None` in a policy of an identity.
    principals: Option<Selection<Principal>>,
    /// Patterns of actions, in lower case.
    actions: Selection<String>,
    resources: Selection<String>,
    conditions: Vec<Condition>,
}

/// `Action` or `NotAction`, and so on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Selection<T> {
    all_but: bool,
    items: Vec<T>,
}

/// The kind of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The policy of a key, with principals, about actions of KMS.
    OfKey,
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
            effect,
            principals: None,
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

    fn parse(text: &str, kind: Kind) -> Result<Policy, PolicyError> {
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
        let statements = match get("Statement") {
            Some(Json::List(all)) => all.iter().map(|one| Statement::parse(one, kind)).collect::<Result<_, _>>()?,
            Some(one @ Json::Object(_)) => vec![Statement::parse(one, kind)?],
            Some(_) => return Err(syntax("the Statement has to be an object or a list of objects")),
            None => return Err(syntax("the policy has no Statement")),
        };
        Ok(Policy { variables, statements })
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
        let named = self.applicable(effect, resource, request).map(|statement| match &statement.principals {
            None => Named::No,
            Some(selection) => {
                let ways = selection.items.iter().map(|principal| principal.names(request.caller));
                // Only a user, role or session is excepted by `NotPrincipal`. An account alone excepts nobody in it.
                match (selection.all_but, ways.max().unwrap_or(Named::No)) {
                    (false, way) => way,
                    (true, Named::No | Named::ByAccount) => Named::ByIssuer,
                    (true, Named::ByIssuer | Named::BySession) => Named::No,
                }
            }
        });
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

impl Selection<String> {
    fn fits(&self, text: &str, variables: Option<&Context>) -> bool {
        let fits = |pattern: &String| match variables {
            // A variable without a value fits nothing.
            Some(_) => pattern::expand(pattern, variables).is_some_and(|parts| pattern::fits(&parts, text)),
            None => pattern::matches(pattern, text),
        };
        self.items.iter().any(fits) != self.all_but
    }
}

impl Statement {
    fn parse(json: &Json, kind: Kind) -> Result<Statement, PolicyError> {
        let members = json.object().ok_or_else(|| syntax("a statement has to be an object"))?;
        let get = |name: &str| members.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        if let Some((name, _)) = members.iter().find(|(name, _)| !ELEMENTS.contains(&&**name)) {
            return Err(syntax(format!("unknown element {name}")));
        }
        if get("Sid").is_some_and(|sid| sid.text().is_none()) {
            return Err(syntax("a Sid has to be a text"));
        }
        let effect = match get("Effect").map(Json::text) {
            Some(Some("Allow")) => Effect::Allow,
            Some(Some("Deny")) => Effect::Deny,
            _ => return Err(syntax("the Effect has to be Allow or Deny")),
        };
        let principals = match (kind, one_of("Principal", get("Principal"), get("NotPrincipal"))) {
            (Kind::OfKey, Ok((all_but, value))) => Some(Selection { all_but, items: principals(value)? }),
            (Kind::OfKey, Err(_)) if get("Principal").is_none() => return Err(PolicyError::NoPrincipal),
            (Kind::OfKey, Err(error)) => return Err(error),
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
        let actions = Selection {
            all_but: actions.all_but,
            items: actions.items.iter().map(|text| text.to_lowercase()).collect(),
        };
        let conditions = get("Condition").map_or(Ok(Vec::new()), Condition::parse_all).map_err(syntax)?;
        Ok(Statement { effect, principals, actions, resources, conditions })
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

fn principals(value: &Json) -> Result<Vec<Principal>, PolicyError> {
    match value {
        Json::Text(all) if all == "*" => Ok(vec![Principal::Anyone]),
        Json::Object(kinds) if !kinds.is_empty() => {
            let mut found = Vec::new();
            for (kind, names) in kinds {
                let names = names.texts().filter(|names| !names.is_empty()).ok_or(PolicyError::InvalidPrincipal)?;
                for name in names {
                    found.push(Principal::parse(kind, name).ok_or(PolicyError::InvalidPrincipal)?);
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
            part(service) && part(name) && (kind == Kind::OfIdentity || service.eq_ignore_ascii_case("kms"))
        })
}

fn syntax(why: impl Into<String>) -> PolicyError {
    PolicyError::Syntax(why.into())
}
