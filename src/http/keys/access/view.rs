//! Who may use a key, in answers.

use super::used_by::UsedByView;
use crate::domain::key::aggregate::Key;
use crate::service::key_access::{
    AccessSeen, ActionNames, ConditionSeen, Entry, Found, Group, Manager, Source, UsedBy, Verdict, of_group,
};
use serde::Serialize;
use utoipa::ToSchema;

/// Who may use a key.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyAccess)]
pub struct AccessView {
    /// The id of the key.
    id: String,
    /// The ARN of the key.
    arn: String,
    /// The name of the KMS.
    kms: String,
    /// The id of the KMS.
    kms_id: String,
    /// The principal of which was asked; otherwise absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    principal: Option<String>,
    /// What this principal may do; only with `principal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    decision: Option<DecisionView>,
    /// The decision about each action that the key has; only with `principal`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<ActionDecisionView>,
    /// What the policy and the grants say of each principal; with `principal`, of this one.
    entries: Vec<EntryView>,
    /// Whether the policy of the key is known.
    policy_known: bool,
    /// The statements of the policy that could not be read. What they allow or deny is not in the answer.
    not_understood: Vec<NotUnderstoodView>,
    /// Whether the grants could be read.
    grants_known: bool,
    /// Whether there are more grants than the 1000 that were read.
    grants_truncated: bool,
    /// Why the grants could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    grants_error: Option<String>,
    /// What decides too and is not known here.
    not_considered: Vec<&'static str>,
    /// Who used the key, by CloudTrail; only with `log_group` or `days`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    used_by: Option<UsedByView>,
    /// Whether it is known where the events of the key are; false if no `log_group` is given and no drift watch of the
    /// KMS has one. Only with `log_group` or `days`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    used_by_known: Option<bool>,
    /// Who may change the key through Claviger's own rights; only for readers with `keyupdate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    managed_by: Option<Vec<ManagerView>>,
}

/// What is possible in each group of actions: the decision about the action of which most is possible.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessDecision)]
struct DecisionView {
    /// Cryptography with the key: `allowed`, `depends` (on conditions), `iam_decides` (the principal's own policies
    /// do), `not_known` (a part of the policy could not be read), `not_allowed` or `denied`.
    r#use: &'static str,
    /// Changes of the key.
    administer: &'static str,
    /// Grants.
    grant: &'static str,
    /// Reads of the key's properties.
    view: &'static str,
}

/// The decision about one action.
#[derive(Serialize, ToSchema)]
#[schema(as = ActionDecision)]
struct ActionDecisionView {
    /// The action.
    action: &'static str,
    /// Its group: `use`, `administer`, `grant` or `view`.
    group: &'static str,
    /// The decision.
    decision: &'static str,
}

/// What a statement or a grant says of one principal.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessEntry)]
struct EntryView {
    /// The principal as AWS writes it; `*` for everybody.
    principal: String,
    /// `account`, `user`, `role`, `session`, `service`, `federated`, `everyone`, `unknown_id` (of a user or role that
    /// was deleted) or `canonical_user`.
    kind: &'static str,
    /// The account of the principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account: Option<String>,
    /// The principals that are excepted from everybody (`NotPrincipal`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    except: Vec<String>,
    /// `allow` or `deny`.
    effect: &'static str,
    /// The actions by what they are for.
    actions: ActionsView,
    /// The actions as they are written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    action_patterns: Vec<String>,
    /// The actions that are left out, as they are written (`NotAction`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_action_patterns: Vec<String>,
    /// Whether the statement is about this key: its `Resource` can name others.
    applies: bool,
    /// Whether the account is named, so that its own policies decide for each of its users and roles.
    delegates_to_iam: bool,
    /// What says so.
    source: SourceView,
    /// The conditions, all of which must be met.
    conditions: Vec<ConditionView>,
}

/// Actions by what they are for.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessActions)]
struct ActionsView {
    /// Cryptography with the key.
    r#use: Vec<String>,
    /// Changes of the key.
    administer: Vec<String>,
    /// Grants.
    grant: Vec<String>,
    /// Reads of the key's properties.
    view: Vec<String>,
    /// Patterns that match no action known here.
    other: Vec<String>,
}

/// A statement of the policy, or a grant.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessSource)]
struct SourceView {
    /// `policy` or `grant`.
    r#type: &'static str,
    /// The place of the statement in the policy, from 1 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    statement: Option<usize>,
    /// The Sid of the statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sid: Option<String>,
    /// AWS's id of the grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    grant_id: Option<String>,
    /// The name of the grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    grant_name: Option<String>,
}

/// A condition, or the constraint of a grant.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessCondition)]
struct ConditionView {
    /// The operator as AWS writes it.
    operator: String,
    /// The condition key.
    key: String,
    /// The values.
    values: Vec<String>,
    /// The condition in words.
    #[schema(example = "the service that asks for the caller is s3.eu-west-1.amazonaws.com")]
    text: String,
}

/// A statement that could not be read.
#[derive(Serialize, ToSchema)]
#[schema(as = StatementNotUnderstood)]
struct NotUnderstoodView {
    /// The place of the statement in the policy, from 1 on; 0 for the policy as a whole.
    statement: usize,
    /// Its Sid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sid: Option<String>,
    /// Why it could not be read.
    reason: String,
}

/// A user or group of Claviger that may change the key.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyManager)]
struct ManagerView {
    /// The id of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_id: Option<String>,
    /// The name of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    username: Option<String>,
    /// The name of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    group: Option<String>,
    /// The actions that change the key; `all` for administrators of KMSs.
    actions: Vec<&'static str>,
    /// `true` if the members of the group need the right to view the key from another entry; otherwise absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    needs_view: Option<bool>,
}

/// A key that a principal may use.
#[derive(Serialize, ToSchema)]
#[schema(as = UsableKey)]
pub struct UsableKeyView {
    /// The id of the key.
    id: String,
    /// The ARN of the key.
    arn: String,
    /// The aliases of the key.
    alias: Vec<String>,
    /// The name of the KMS.
    kms: String,
    /// The id of the KMS.
    kms_id: String,
    /// The region of the key.
    region: String,
    /// What the principal may do.
    decision: DecisionView,
}

/// What also decides at AWS.
const NOT_CONSIDERED: [&str; 4] = [
    "the policies of the principal and its session in IAM, and its permissions boundary",
    "service and resource control policies of the organization",
    "policies of VPC endpoints",
    "a session does not say the path of its role: ask with the role's ARN if the role has one",
];

impl AccessView {
    pub(super) fn of(seen: AccessSeen, principal: Option<String>, used_by: Option<Option<UsedBy>>) -> Self {
        let decision = principal.is_some().then(|| {
            let groups = Group::ALL.map(|group| (group, of_group(&seen.verdicts, group)));
            DecisionView::of(&groups)
        });
        let actions = seen.verdicts.iter().map(|(action, group, verdict)| ActionDecisionView {
            action,
            group: group.name(),
            decision: verdict.name(),
        });
        let not_understood = seen.not_understood.into_iter().map(|part| NotUnderstoodView {
            statement: part.number,
            sid: part.sid,
            reason: part.reason,
        });
        Self {
            id: seen.key.id.to_string(),
            arn: seen.key.metadata.arn.to_string(),
            kms: seen.kms,
            kms_id: seen.key.kms.to_string(),
            principal,
            decision,
            actions: actions.collect(),
            entries: seen.entries.into_iter().map(EntryView::of).collect(),
            policy_known: seen.policy_known,
            not_understood: not_understood.collect(),
            grants_known: seen.grants_error.is_none(),
            grants_truncated: seen.grants_truncated,
            grants_error: seen.grants_error,
            not_considered: NOT_CONSIDERED.to_vec(),
            used_by_known: used_by.as_ref().map(Option::is_some),
            used_by: used_by.flatten().map(UsedByView::of),
            managed_by: seen.managed_by.map(|all| all.into_iter().map(ManagerView::of).collect()),
        }
    }
}

impl DecisionView {
    fn of(groups: &[(Group, Verdict); 4]) -> Self {
        let of = |wanted: Group| {
            let found = groups.iter().find(|(group, _)| *group == wanted);
            found.map_or(Verdict::NotKnown, |(_, verdict)| *verdict).name()
        };
        Self {
            r#use: of(Group::Use),
            administer: of(Group::Administer),
            grant: of(Group::Grant),
            view: of(Group::View),
        }
    }
}

impl EntryView {
    fn of(entry: Entry) -> Self {
        let ActionNames { r#use, administer, grant, view, other } = entry.actions;
        let (action_patterns, not_action_patterns) = match entry.all_but {
            false => (entry.written, Vec::new()),
            true => (Vec::new(), entry.written),
        };
        Self {
            principal: entry.principal,
            kind: entry.kind,
            account: entry.account,
            except: entry.except,
            effect: entry.effect,
            actions: ActionsView { r#use, administer, grant, view, other },
            action_patterns,
            not_action_patterns,
            applies: entry.applies,
            delegates_to_iam: entry.delegates_to_iam,
            source: SourceView::of(entry.source),
            conditions: entry.conditions.into_iter().map(ConditionView::of).collect(),
        }
    }
}

impl ConditionView {
    fn of(condition: ConditionSeen) -> Self {
        let ConditionSeen { operator, key, values, text } = condition;
        Self { operator, key, values, text }
    }
}

impl SourceView {
    fn of(source: Source) -> Self {
        let none = Self { r#type: "policy", statement: None, sid: None, grant_id: None, grant_name: None };
        match source {
            Source::Statement { number, sid } => Self { statement: Some(number), sid, ..none },
            Source::Grant { id, name } => {
                let grant_name = Some(name).filter(|name| !name.is_empty());
                Self { r#type: "grant", grant_id: Some(id), grant_name, ..none }
            }
        }
    }
}

impl ManagerView {
    fn of(manager: Manager) -> Self {
        let none = Self { user_id: None, username: None, group: None, actions: Vec::new(), needs_view: None };
        match manager {
            Manager::User { id, name, actions } => Self { user_id: Some(id), username: name, actions, ..none },
            Manager::Group { name, actions, needs_view } => {
                Self { group: Some(name), actions, needs_view: needs_view.then_some(true), ..none }
            }
            Manager::Administrators { name } => Self { group: Some(name), actions: vec!["all"], ..none },
        }
    }
}

impl UsableKeyView {
    pub(super) fn of(key: &Key, kms: String, found: &Found) -> Self {
        Self {
            id: key.id.to_string(),
            arn: key.metadata.arn.to_string(),
            alias: key.aliases.iter().map(|alias| alias.as_str().to_owned()).collect(),
            kms,
            kms_id: key.kms.to_string(),
            region: key.region.as_str().to_owned(),
            decision: DecisionView::of(&found.groups),
        }
    }
}
