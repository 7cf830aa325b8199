//! Key policies from lists of principals: the administrators and the users of a key. The policies have the form that
//! AWS's console writes, and the lists can be read from a policy of that form.

// `serde_json::Value` gets no new variants.
#![allow(clippy::wildcard_enum_match_arm)]

use super::operation::EncryptFor;
use super::policy_text::{PolicyText, PolicyTextError};
use super::spec::KeyUsage;
use crate::domain::place::{AccountId, Arn, Partition};
use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt;

/// The principals that administer a key and that use it. Users and roles are names in the key's own account, or ARNs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PolicyPrincipals {
    pub admins: Vec<String>,
    pub admin_roles: Vec<String>,
    pub users: Vec<String>,
    pub user_roles: Vec<String>,
    /// Other accounts that use the key.
    pub accounts: Vec<String>,
}

/// The properties of a key on which its policy depends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyContext {
    pub partition: Partition,
    pub account: AccountId,
    pub usage: KeyUsage,
}

/// A name or ARN that cannot be a principal.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PrincipalError {
    /// Neither a name nor an ARN.
    #[error("{member}: `{text}` is not the name or ARN of an IAM {kind}")]
    NotAPrincipal {
        member: &'static str,
        /// `user` or `role`.
        kind: &'static str,
        text: String,
    },
    #[error("external_accounts: `{0}` is not an AWS account id of twelve digits")]
    NotAnAccount(String),
    /// The policy would be too long.
    #[error("policy: {0}")]
    Text(#[from] PolicyTextError),
}

const ROOT_SID: &str = "Enable IAM User Permissions";
const ADMINS_SID: &str = "Allow access for Key Administrators";
const USERS_SID: &str = "Allow use of the key";
const GRANTS_SID: &str = "Allow attachment of persistent resources";

const ADMIN_ACTIONS: &[&str] = &[
    "kms:Create*",
    "kms:Describe*",
    "kms:Enable*",
    "kms:List*",
    "kms:Put*",
    "kms:Update*",
    "kms:Revoke*",
    "kms:Disable*",
    "kms:Get*",
    "kms:Delete*",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
    "kms:RotateKeyOnDemand",
];
const GRANT_ACTIONS: &[&str] = &["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"];

impl PolicyPrincipals {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the policy that grants the principals their rights.
    ///
    /// # Errors
    /// When a name is invalid, or the policy would be longer than AWS accepts.
    pub fn policy(&self, policy_context: &PolicyContext) -> Result<PolicyText, PrincipalError> {
        let root = policy_context.principal("root");
        let mut statements = vec![json!({
            "Sid": ROOT_SID, "Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*",
        })];
        let admins = policy_context.principals("key_admins", "user", &self.admins)?.into_iter();
        let admins: Vec<_> =
            admins.chain(policy_context.principals("key_admins_roles", "role", &self.admin_roles)?).collect();
        if !admins.is_empty() {
            statements.push(allow(ADMINS_SID, &admins, ADMIN_ACTIONS));
        }
        let users = policy_context.principals("key_users", "user", &self.users)?.into_iter();
        let users = users.chain(policy_context.principals("key_users_roles", "role", &self.user_roles)?);
        let users: Vec<_> = users.chain(policy_context.roots(&self.accounts)?).collect();
        if !users.is_empty() {
            statements.push(allow(USERS_SID, &users, use_actions(&policy_context.usage)));
            let mut grants = allow(GRANTS_SID, &users, GRANT_ACTIONS);
            grants["Condition"] = json!({"Bool": {"kms:GrantIsForAWSResource": "true"}});
            statements.push(grants);
        }
        let policy = json!({"Version": "2012-10-17", "Id": "key-consolepolicy-3", "Statement": statements});
        Ok(PolicyText::of(&policy)?)
    }

    /// Reads the principals from a policy in the form that [`PolicyPrincipals::policy`] writes; `None` for another
    /// form. Users and roles are ARNs.
    pub fn of(policy: &PolicyText, policy_context: &PolicyContext) -> Option<Self> {
        let policy: Shape<'_> = serde_json::from_str(policy.as_str()).ok()?;
        let mut sorted = Self::default();
        let mut rooted = false;
        for Statement { sid, effect, principal } in policy.statements {
            if effect != "Allow" {
                return None;
            }
            let Texts(principals) = principal.aws;
            match &*sid {
                ROOT_SID => {
                    let account = policy_context.account.to_string();
                    rooted = principals == [policy_context.principal("root")] || principals == [account];
                }
                ADMINS_SID => sort_principals(&principals, &mut sorted.admins, &mut sorted.admin_roles, None)?,
                USERS_SID => {
                    let accounts = Some(&mut sorted.accounts);
                    sort_principals(&principals, &mut sorted.users, &mut sorted.user_roles, accounts)?;
                }
                GRANTS_SID => {}
                _ => return None,
            }
        }
        rooted.then_some(sorted)
    }
}

/// The parts of a policy that contain principals. They are parsed for every key that is shown, so texts are borrowed.
#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(rename = "Statement", borrow)]
    statements: Vec<Statement<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement<'a> {
    #[serde(borrow)]
    sid: Cow<'a, str>,
    #[serde(borrow)]
    effect: Cow<'a, str>,
    #[serde(borrow)]
    principal: Principal<'a>,
}

#[derive(Deserialize)]
struct Principal<'a> {
    #[serde(rename = "AWS", borrow)]
    aws: Texts<'a>,
}

/// A text, or a list of texts.
struct Texts<'a>(Vec<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Texts<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reading;
        impl<'de> Visitor<'de> for Reading {
            type Value = Texts<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Texts(vec![text.into()]))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Texts(vec![text.to_owned().into()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                #[derive(Deserialize)]
                struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
                let mut texts = Vec::with_capacity(4);
                while let Some(Text(text)) = list.next_element()? {
                    texts.push(text);
                }
                Ok(Texts(texts))
            }
        }
        from.deserialize_any(Reading)
    }
}

const NO_ENCRYPT_SID: &str = "Rotated: decrypt only";

/// Returns the policy with a statement that denies encryption.
///
/// # Errors
/// When the policy would be longer than AWS accepts.
pub fn without_encrypt(
    policy: &PolicyText,
    account: AccountId,
    callers: EncryptFor,
) -> Result<PolicyText, PolicyTextError> {
    let mut policy = policy.value();
    let mut denial = json!({
        "Sid": NO_ENCRYPT_SID, "Effect": "Deny", "Principal": {"AWS": "*"}, "Resource": "*",
        "Action": ["kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncryptTo"],
    });
    if callers == EncryptFor::OwnAccount {
        denial["Condition"] = json!({"StringEquals": {"kms:CallerAccount": account.to_string()}});
    }
    let mut statements = match policy["Statement"].take() {
        Value::Array(statements) => statements,
        Value::Null => Vec::new(),
        one => vec![one],
    };
    statements.retain(|statement| statement["Sid"] != NO_ENCRYPT_SID);
    statements.push(denial);
    policy["Statement"] = Value::Array(statements);
    PolicyText::written(&policy)
}

fn allow(sid: &str, principals: &[String], actions: &[&str]) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Principal": {"AWS": principals}, "Action": actions, "Resource": "*"})
}

fn use_actions(usage: &KeyUsage) -> &'static [&'static str] {
    match usage {
        KeyUsage::SignVerify => &["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign", "kms:Verify"],
        KeyUsage::GenerateVerifyMac => &["kms:DescribeKey", "kms:GenerateMac", "kms:VerifyMac"],
        KeyUsage::KeyAgreement => &["kms:DescribeKey", "kms:GetPublicKey", "kms:DeriveSharedSecret"],
        KeyUsage::EncryptDecrypt | KeyUsage::EncapsulateDecapsulate | KeyUsage::Other(_) => {
            &["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        }
    }
}

impl PolicyContext {
    /// Returns the policy that AWS gives a key that is created without one.
    ///
    /// # Errors
    /// None in practice: the policy is short.
    pub fn default_policy(&self) -> Result<PolicyText, PolicyTextError> {
        PolicyText::of(&json!({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [{
            "Sid": ROOT_SID, "Effect": "Allow", "Principal": {"AWS": self.principal("root")},
            "Action": "kms:*", "Resource": "*",
        }]}))
    }

    fn principal(&self, resource: &str) -> String {
        self.principal_of(&self.account.to_string(), resource)
    }

    fn principal_of(&self, account: &str, resource: &str) -> String {
        format!("arn:{}:iam::{account}:{resource}", self.partition.as_str())
    }

    fn principals(
        &self,
        member: &'static str,
        kind: &'static str,
        names: &[String],
    ) -> Result<Vec<String>, PrincipalError> {
        let mistake = |text: &str| {
            let text = text.chars().take(80).collect();
            PrincipalError::NotAPrincipal { member, kind, text }
        };
        let one = |text: &String| -> Result<String, PrincipalError> {
            if text.starts_with("arn:") {
                let arn = Arn::parse(text).map_err(|_| mistake(text))?;
                let fits = arn.service() == "iam" && arn.resource().starts_with(&format!("{kind}/"));
                return if fits && arn.partition() == self.partition { Ok(text.clone()) } else { Err(mistake(text)) };
            }
            match is_name(text) {
                true => Ok(self.principal(&format!("{kind}/{text}"))),
                false => Err(mistake(text)),
            }
        };
        names.iter().map(one).collect()
    }

    fn roots(&self, accounts: &[String]) -> Result<Vec<String>, PrincipalError> {
        let root = |text: &String| match AccountId::parse(text) {
            Ok(account) => Ok(self.principal_of(&account.to_string(), "root")),
            Err(_) => Err(PrincipalError::NotAnAccount(text.chars().take(80).collect())),
        };
        accounts.iter().map(root).collect()
    }
}

/// Sorts principals into users, roles and accounts; `None` if one of them is something else.
fn sort_principals(
    principals: &[Cow<'_, str>],
    users: &mut Vec<String>,
    roles: &mut Vec<String>,
    accounts: Option<&mut Vec<String>>,
) -> Option<()> {
    let mut foreign = Vec::new();
    for text in principals {
        // AWS returns the ARN of the root for an account's id.
        if AccountId::parse(text).is_ok() {
            foreign.push(text.clone().into_owned());
            continue;
        }
        let arn = Arn::parse(text).ok()?;
        match (arn.resource(), arn.resource().split_once('/')) {
            ("root", _) => foreign.push(arn.account()?.to_string()),
            (_, Some(("user", _))) => users.push(text.clone().into_owned()),
            (_, Some(("role", _))) => roles.push(text.clone().into_owned()),
            _ => return None,
        }
    }
    match accounts {
        Some(accounts) => accounts.extend(foreign),
        None if foreign.is_empty() => {}
        None => return None,
    }
    Some(())
}

/// Whether a text is an IAM name with an optional path: letters, digits and `_+=,.@-`, separated by `/`.
fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c);
    !text.is_empty() && text.len() <= 512 && text.chars().all(fits) && !text.starts_with('/') && !text.ends_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy_context() -> PolicyContext {
        let account = AccountId::parse("123456789012").expect("an account");
        PolicyContext { partition: Partition::Aws, account, usage: KeyUsage::EncryptDecrypt }
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn people_become_a_policy_and_are_read_back_from_it() {
        let principals = PolicyPrincipals {
            admins: names(&["ann", "ops/bob"]),
            admin_roles: names(&["Admin"]),
            users: names(&["arn:aws:iam::789012123456:user/carl"]),
            user_roles: names(&["App"]),
            accounts: names(&["789012123456"]),
        };
        let policy = principals.policy(&policy_context()).expect("a policy");
        let read = PolicyPrincipals {
            admins: names(&["arn:aws:iam::123456789012:user/ann", "arn:aws:iam::123456789012:user/ops/bob"]),
            admin_roles: names(&["arn:aws:iam::123456789012:role/Admin"]),
            user_roles: names(&["arn:aws:iam::123456789012:role/App"]),
            ..principals
        };
        assert_eq!(PolicyPrincipals::of(&policy, &policy_context()), Some(read));
        let statements = policy.value()["Statement"].as_array().cloned().unwrap_or_default();
        let sids: Vec<_> = statements.iter().filter_map(|statement| statement["Sid"].as_str()).collect();
        assert_eq!(sids, [ROOT_SID, ADMINS_SID, USERS_SID, GRANTS_SID]);
        assert_eq!(statements[0]["Principal"]["AWS"], "arn:aws:iam::123456789012:root");
    }

    #[test]
    fn nobody_leaves_the_account_itself() {
        let policy = PolicyPrincipals::default().policy(&policy_context()).expect("a policy");
        assert_eq!(policy.value()["Statement"].as_array().map(Vec::len), Some(1));
        assert_eq!(PolicyPrincipals::of(&policy, &policy_context()), Some(PolicyPrincipals::default()));
    }

    #[test]
    fn a_policy_of_another_shape_has_no_people() {
        for other in [
            json!({"Version": "2012-10-17", "Statement": []}),
            json!({"Version": "2012-10-17", "Statement": [{"Sid": "Mine", "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"}]}),
            json!({"Version": "2012-10-17", "Statement": [{"Sid": ROOT_SID, "Effect": "Allow",
                "Principal": "*", "Action": "kms:*", "Resource": "*"}]}),
            json!({"Version": "2012-10-17", "Statement": [{"Sid": ROOT_SID, "Effect": "Deny",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"}]}),
        ] {
            let policy = PolicyText::of(&other).expect("a policy");
            assert_eq!(PolicyPrincipals::of(&policy, &policy_context()), None, "{other}");
        }
    }

    #[test]
    fn a_text_with_escapes_and_spaces_is_read_as_any_other() {
        let text = r#"{ "Version" : "2012-10-17", "Statement" : [ {
            "Sid" : "Enable IAM User\u0020Permissions", "Effect" : "\u0041llow",
            "Principal" : { "AWS" : [ "arn:aws:iam::123456789012:r\u006fot" ] }, "Action" : "kms:*", "Resource" : "*"
        } ] }"#;
        let policy = PolicyText::parse(text).expect("a policy");
        assert_eq!(PolicyPrincipals::of(&policy, &policy_context()), Some(PolicyPrincipals::default()));
    }

    #[test]
    fn what_can_be_no_principal_is_named() {
        let principals = PolicyPrincipals { users: names(&["no one"]), ..PolicyPrincipals::default() };
        let said = principals.policy(&policy_context()).expect_err("it is no name").to_string();
        assert_eq!(said, "key_users: `no one` is not the name or ARN of an IAM user");
        let principals = PolicyPrincipals {
            admin_roles: names(&["arn:aws:iam::123456789012:user/ann"]),
            ..PolicyPrincipals::default()
        };
        assert!(principals.policy(&policy_context()).is_err());
        let principals = PolicyPrincipals { accounts: names(&["12"]), ..PolicyPrincipals::default() };
        assert!(principals.policy(&policy_context()).is_err());
    }
}
