//! IAM: users, roles and their policies, and the policy simulator.
//!
//! The permissions of the plan are shown as one inline policy of the user or role. The simulator evaluates the allow
//! and deny lists of the plan and ignores resources.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::caller::{Caller, Principal};
use super::constraint::{Constraints, Text};
use super::permission::is_action_pattern;
use super::plan::{Account, CREATED, Identity, ROLES_ANYWHERE, Role, Trust};
use super::refusal::Refusal;
use super::service::Service;
use super::wire::query::Parameters;
use super::wire::xml::Element;
use crate::policy::evaluate::{self, Decision, Own};
use crate::policy::request::{self, Context};

mod inline_policy;

/// Answers an operation of IAM.
///
/// # Errors
/// The refusal that AWS would answer.
pub(super) fn answer(caller: &Caller<'_>, operation: &str, parameters: &Parameters) -> Result<Vec<Element>, Refusal> {
    // IAM rejects the temporary credentials of a user without MFA.
    if matches!(caller.principal, Principal::UserSession(_) | Principal::Federated(..)) {
        return Err(Refusal::KeyUnknown);
    }
    match operation {
        "ListUsers" => list_users(caller, parameters),
        "ListRoles" => list_roles(caller, parameters),
        "GetUser" => get_user(caller, parameters),
        "GetRole" => get_role(caller, parameters),
        "ListUserPolicies" => inline_policy::list(caller, parameters, Kind::User),
        "ListRolePolicies" => inline_policy::list(caller, parameters, Kind::Role),
        "GetUserPolicy" => inline_policy::get(caller, parameters, Kind::User),
        "GetRolePolicy" => inline_policy::get(caller, parameters, Kind::Role),
        "SimulatePrincipalPolicy" => simulate(caller, parameters),
        _ => Err(Refusal::OperationUnknown {
            operation: operation.to_owned(),
            version: Service::Iam.version().to_owned(),
        }),
    }
}

fn list_users(caller: &Caller<'_>, parameters: &Parameters) -> Result<Vec<Element>, Refusal> {
    let listing = Listing::read(caller, "user", "iam:ListUsers", parameters)?;
    let users = caller
        .account
        .users
        .iter()
        .map(|user| (&user.identity, description(Element::new("member"), &user.identity, "User")));
    Ok(listing.page("Users", users.collect()))
}

fn list_roles(caller: &Caller<'_>, parameters: &Parameters) -> Result<Vec<Element>, Refusal> {
    let listing = Listing::read(caller, "role", "iam:ListRoles", parameters)?;
    let member = |role| role_description(Element::new("member"), role, caller.account);
    let roles = caller.account.roles.iter().map(|role| (&role.identity, member(role)));
    Ok(listing.page("Roles", roles.collect()))
}

/// GetUser. Without a name it answers the user that signed the request.
fn get_user(caller: &Caller<'_>, parameters: &Parameters) -> Result<Vec<Element>, Refusal> {
    let mut constraints = Constraints::default();
    let name = constraints.text(parameters, &Text { required: false, ..Kind::User.name_parameter() });
    constraints.finish()?;
    let name = match (name, &caller.principal) {
        (Some(name), _) => name,
        (None, Principal::User(user)) => &user.identity.name,
        (None, _) => {
            let fault = "Must specify userName when calling with non-User credentials";
            return Err(Refusal::Invalid(fault.to_owned()));
        }
    };
    let identity = Kind::User.find(caller, name, "iam:GetUser")?;
    Ok(vec![description(Element::new("User"), identity, "User")])
}

fn get_role(caller: &Caller<'_>, parameters: &Parameters) -> Result<Vec<Element>, Refusal> {
    let mut constraints = Constraints::default();
    let name = constraints.text(parameters, &Kind::Role.name_parameter());
    constraints.finish()?;
    let identity = Kind::Role.find(caller, name.ok_or(Refusal::Internal)?, "iam:GetRole")?;
    let role = caller.account.role(&identity.name).ok_or(Refusal::Internal)?;
    let element = role_description(Element::new("Role"), role, caller.account);
    Ok(vec![element.child(Element::new("RoleLastUsed"))])
}

fn role_description(element: Element, role: &Role, account: &Account) -> Element {
    description(element, &role.identity, "Role")
        .text("AssumeRolePolicyDocument", &trust_policy(role, account))
        .optional("Description", role.description.as_deref())
        .child(Element::number("MaxSessionDuration", role.max_session))
}

fn description(element: Element, identity: &Identity, kind: &str) -> Element {
    element
        .text("Path", &identity.path)
        .text(&format!("{kind}Name"), &identity.name)
        .text(&format!("{kind}Id"), &identity.id)
        .text("Arn", &identity.arn)
        .text("CreateDate", CREATED)
}

/// The role's trust policy. IAM's lists contain the document URL-encoded.
fn trust_policy(role: &Role, account: &Account) -> String {
    let (mut principals, mut statements) = (Vec::new(), Vec::new());
    for trust in &role.trusts {
        match trust {
            Trust::Anyone => principals.push(json!("*")),
            Trust::Account(id) => principals.push(json!(format!("arn:{}:iam::{id}:root", account.partition))),
            Trust::Principal(arn) => principals.push(json!(arn)),
            Trust::OidcProvider(arn) => {
                let principal = json!({ "Federated": arn });
                let mut statement = trust_statement(&principal, json!("sts:AssumeRoleWithWebIdentity"));
                let issuer = arn.split_once("oidc-provider/").map_or("", |(_, issuer)| issuer);
                if !role.subjects.is_empty() {
                    statement["Condition"] = json!({ "StringLike": { format!("{issuer}:sub"): role.subjects } });
                }
                statements.push(statement);
            }
            Trust::RolesAnywhere => {
                let actions = json!(["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]);
                statements.push(trust_statement(&json!({ "Service": ROLES_ANYWHERE }), actions));
            }
        }
    }
    if !principals.is_empty() {
        let mut statement = trust_statement(&json!({ "AWS": principals }), json!("sts:AssumeRole"));
        if let Some(id) = &role.external_id {
            statement["Condition"] = json!({ "StringEquals": { "sts:ExternalId": id } });
        }
        statements.insert(0, statement);
    }
    encoded_document(&statements)
}

fn trust_statement(principal: &Value, action: Value) -> Value {
    json!({ "Effect": "Allow", "Principal": principal, "Action": action })
}

/// A policy, URL-encoded.
fn encoded_document(statements: &[Value]) -> String {
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    utf8_percent_encode(&document.to_string(), NON_ALPHANUMERIC).to_string()
}

/// The kind of a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    User,
    Role,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Role => "role",
        }
    }

    /// The parameter with the name of such a principal.
    fn name_parameter(self) -> Text {
        let (name, longest) = match self {
            Kind::User => ("UserName", 128),
            Kind::Role => ("RoleName", 64),
        };
        let pattern: (&str, fn(char) -> bool) =
            (r"[\w+=,.@-]+", |c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
        Text { name, required: true, length: (1, longest), pattern }
    }

    /// Finds a principal of the caller's account by its name, after a check of the permission.
    fn find<'a>(self, caller: &Caller<'a>, name: &str, action: &str) -> Result<&'a Identity, Refusal> {
        let account = caller.account;
        let found = match self {
            Kind::User => account.user(name).map(|user| &user.identity),
            Kind::Role => account.role(name).map(|role| &role.identity),
        };
        let kind = self.as_str();
        let of_none = || format!("arn:{}:iam::{}:{kind}/{name}", account.partition, account.id);
        caller.require(action, Some(found.map_or_else(of_none, |identity| identity.arn.clone())))?;
        found.ok_or_else(|| no_such_entity(format!("The {kind} with name {name} cannot be found.")))
    }
}

fn no_such_entity(message: String) -> Refusal {
    Refusal::Special { status: 404, code: "NoSuchEntity", message }
}

/// The parameters of ListUsers and ListRoles.
struct Listing<'a> {
    prefix: &'a str,
    page: ListPage,
}

impl<'a> Listing<'a> {
    fn read(caller: &Caller<'_>, kind: &str, action: &str, parameters: &'a Parameters) -> Result<Listing<'a>, Refusal> {
        let mut constraints = Constraints::default();
        let prefix = constraints.text(parameters, &PATH_PREFIX).unwrap_or("/");
        let page = ListPage::read(parameters, constraints)?;
        if !prefix.starts_with('/') {
            let fault = "The specified value for pathPrefix is invalid. It must begin with the / character and contain \
                         only alphanumeric characters and/or / characters.";
            return Err(Refusal::Invalid(fault.to_owned()));
        }
        let (partition, account) = (caller.account.partition, &caller.account.id);
        caller.require(action, Some(format!("arn:{partition}:iam::{account}:{kind}{prefix}")))?;
        Ok(Listing { prefix, page })
    }

    fn page(self, name: &str, mut all: Vec<(&Identity, Element)>) -> Vec<Element> {
        all.retain(|(identity, _)| identity.path.starts_with(self.prefix));
        all.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
        self.page.cut(name, all.into_iter().map(|(_, element)| element).collect())
    }
}

fn simulate(caller: &Caller<'_>, parameters: &Parameters) -> Result<Vec<Element>, Refusal> {
    let mut constraints = Constraints::default();
    let source = constraints.text(parameters, &POLICY_SOURCE_ARN);
    let actions = parameters.list("ActionNames.member");
    if actions.is_empty() {
        constraints.missing("ActionNames");
    }
    let page = ListPage::read(parameters, constraints)?;
    let source = source.ok_or(Refusal::Internal)?;
    caller.require("iam:SimulatePrincipalPolicy", Some(source.to_owned()))?;
    let identity = principal(caller.account, source)?;
    let malformed = |action: &&&str| !is_action_pattern(action) || action.contains(['*', '?']);
    if let Some(action) = actions.iter().find(malformed) {
        return Err(invalid_input(format!("Invalid Action Name: {action}")));
    }
    let resources = match parameters.list("ResourceArns.member") {
        none if none.is_empty() => vec!["*"],
        some => some,
    };
    let results = actions.iter().flat_map(|action| {
        let decision = simulated(caller.account, identity, action);
        resources.iter().map(move |resource| {
            Element::new("member")
                .text("EvalActionName", action)
                .text("EvalResourceName", resource)
                .text("EvalDecision", decision)
                .child(Element::new("MatchedStatements"))
                .child(Element::new("MissingContextValues"))
        })
    });
    Ok(page.cut("EvaluationResults", results.collect()))
}

/// The decision about an action of a user or role, by its permissions alone.
fn simulated(account: &Account, identity: &Identity, action: &str) -> &'static str {
    let (account, arn, issuer) = (account.id.clone(), identity.arn.clone(), identity.arn.clone());
    let (caller, context) = (request::Caller { account, arn, issuer }, Context::default());
    let request = request::Request { caller: &caller, action, context: &context, encryption_context: None };
    let own = Own { identity: &[identity.permissions.policy()], session: None };
    match evaluate::on_other("*", &own, &request) {
        Decision::Allowed(_) => "allowed",
        Decision::Denied(denial) if denial.is_explicit() => "explicitDeny",
        Decision::Denied(_) => "implicitDeny",
    }
}

/// The user or role with an ARN, in the caller's account.
fn principal<'a>(account: &'a Account, arn: &str) -> Result<&'a Identity, Refusal> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let resource = match parts.as_slice() {
        ["arn", partition, "iam", "", id, resource]
            if *partition == account.partition.as_str() && *id == account.id =>
        {
            *resource
        }
        _ => {
            return Err(invalid_input(format!(
                "Invalid Entity Arn: {arn} does not clearly define entity type and name."
            )));
        }
    };
    let missing = |kind: &str| {
        let name = resource.rsplit('/').next().unwrap_or(resource);
        no_such_entity(format!("The {kind} with name {name} cannot be found."))
    };
    if resource.starts_with("user/") {
        let mut users = account.users.iter().map(|user| &user.identity);
        users.find(|identity| identity.arn == arn).ok_or_else(|| missing("user"))
    } else if resource.starts_with("role/") {
        let mut roles = account.roles.iter().map(|role| &role.identity);
        roles.find(|identity| identity.arn == arn).ok_or_else(|| missing("role"))
    } else {
        Err(invalid_input(format!("Invalid Entity Arn: {arn} does not clearly define entity type and name.")))
    }
}

fn invalid_input(message: String) -> Refusal {
    Refusal::Special { status: 400, code: "InvalidInput", message }
}

/// A page of a list of IAM: index of the first item and number of items.
struct ListPage {
    start: usize,
    size: usize,
}

impl ListPage {
    fn read(parameters: &Parameters, mut constraints: Constraints) -> Result<ListPage, Refusal> {
        let size = constraints.number(parameters, "MaxItems", (1, 1000), 100);
        constraints.finish()?;
        let start = match parameters.get("Marker") {
            None => 0,
            Some(marker) => read_marker(marker).ok_or_else(|| Refusal::Invalid(format!("Invalid Marker: {marker}")))?,
        };
        Ok(ListPage { start, size: usize::try_from(size).unwrap_or(1) })
    }

    fn cut(&self, name: &str, all: Vec<Element>) -> Vec<Element> {
        let end = self.start.saturating_add(self.size);
        let more = end < all.len();
        let members = all.into_iter().skip(self.start).take(self.size);
        let mut page =
            vec![Element::of("IsTruncated", if more { "true" } else { "false" }), Element::new(name).children(members)];
        page.extend(more.then(|| Element::of("Marker", &write_marker(end))));
        page
    }
}

fn write_marker(start: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("lab-page:{start}"))
}

fn read_marker(marker: &str) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(marker).ok()?).ok()?;
    text.strip_prefix("lab-page:")?.parse().ok()
}

const PATH_PREFIX: Text = Text {
    name: "PathPrefix",
    required: false,
    length: (1, 512),
    pattern: (r"\u002F[\u0021-\u007F]*", |c| matches!(c, '!'..='\u{7f}')),
};
const POLICY_SOURCE_ARN: Text =
    Text { name: "PolicySourceArn", required: true, length: (20, 2048), pattern: (r".*", |_| true) };
