//! Invalid values of each member.

use super::endpoints::Fixture;
use serde_json::{Value, json};

/// The end of a path, a member, members to put into the valid body, the status, and a text of the message.
pub(super) type Wrong = (&'static str, &'static str, Value, u16, &'static str);

impl Fixture {
    /// Members with a valid type and an invalid value.
    pub(super) fn wrong_values(&self) -> Vec<Wrong> {
        let arn = "arn:aws:iam::789012123456:role/test-assume-role-ac";
        let long = "x".repeat(1025);
        let mut wrong = vec![
            ("/tokens", "grant_type", json!({"grant_type": "guess"}), 400, "refresh_token"),
            ("/tokens", "connection", json!({"connection": "ldap"}), 400, "local_account"),
            ("/tokens", "domain", json!({"domain": "elsewhere"}), 400, "root"),
            ("/tokens", "auth_domain", json!({"auth_domain": "elsewhere"}), 400, "root"),
            ("/tokens", "password", json!({"password": long}), 400, "1024"),
            ("/tokens", "labels", json!({"labels": vec!["a"; 65]}), 400, "64"),
            ("/tokens", "labels", json!({"labels": ["x".repeat(256)]}), 400, "255"),
            ("/tokens", "labels", json!({"labels": ["a", null]}), 400, "null"),
            ("/tokens", "refresh_token_lifetime", json!({"refresh_token_lifetime": -1}), 400, "from 0 on"),
            ("/changepw", "password", json!({"new_password": long}), 400, "1024"),
            ("/users", "username", json!({"username": "ADMIN"}), 409, "already"),
            ("/users", "username", json!({"username": "a\u{0}b"}), 400, "control"),
            ("/users", "password", json!({"password": "short"}), 422, "12"),
            ("/users", "connection", json!({"connection": "ldap"}), 400, "local_account"),
            ("/users", "failed_logins_count", json!({"failed_logins_count": 3}), 400, "0"),
            ("/users", "password policy `strict`", json!({"password_policy": "strict"}), 404, "does not exist"),
            ("/users", "allowed_auth_methods", json!({"allowed_auth_methods": []}), 400, "password"),
            ("/users", "allowed_auth_methods", json!({"allowed_auth_methods": ["user_certificate"]}), 400, "password"),
            ("/users", "enable_cert_auth", json!({"enable_cert_auth": true}), 400, "not supported"),
            ("/users", "certificate_subject_dn", json!({"certificate_subject_dn": "CN=a"}), 400, "not supported"),
            ("/users", "is_domain_user", json!({"is_domain_user": true}), 400, "not supported"),
            ("/users", "user_id", json!({"user_id": "local|7"}), 400, "not supported"),
            ("/self/user", "password", json!({"password": "Another-secret-4"}), 400, "cannot be changed here"),
            ("/self/user", "username", json!({"username": "bob"}), 400, "cannot be changed here"),
            ("/self/user", "app_metadata", json!({"app_metadata": {"a": 1}}), 400, "cannot be changed here"),
            ("/self/user", "allowed_auth_methods", json!({"allowed_auth_methods": []}), 400, "cannot be changed here"),
            ("/users", "user_metadata", json!({"user_metadata": {"a": "x".repeat(20_000)}}), 400, "16384"),
            ("/groups", "name", json!({"name": "officers"}), 409, "already"),
            ("/groups", "name", json!({"name": "CCKM Admins"}), 409, "already"),
            ("/groups", "name", json!({"name": " padded"}), 400, "white space"),
            ("/groups/officers", "name", json!({"name": "CCKM Admins"}), 409, "already"),
            ("/groups/officers", "description", json!({"description": long}), 400, "1024"),
            ("/global", "inclusive_min_total_length", json!({"inclusive_min_total_length": 300}), 400, "from 1"),
            ("/global", "inclusive_max_total_length", json!({"inclusive_max_total_length": 2000}), 400, "1024"),
            ("/global", "password_history_threshold", json!({"password_history_threshold": 99}), 400, "24"),
            ("/global", "thresholds", json!({"failed_logins_lockout_thresholds": vec![1; 33]}), 400, "32"),
            ("/global", "policy_name", json!({"policy_name": "other"}), 400, "cannot be changed"),
            ("/global", "36500", json!({"password_expiry_notification_days": 36_501}), 400, "notification_days"),
            ("/pwdpolicies", "policy_name", json!({"policy_name": "global"}), 409, "already"),
            ("/pwdpolicies", "policy_name", json!({"policy_name": "a\u{0}b"}), 400, "control"),
            ("/backups", "scope", json!({"scope": "galaxy"}), 400, "system"),
            ("/reports", "report_type", json!({"report_type": "tea-report"}), 400, "key-aging"),
            ("/reports", "end_time", json!({"end_time": "2025-01-01T00:00:00Z"}), 400, "start_time"),
            ("/connections", "name", json!({"name": "test_aws-connection"}), 409, "already"),
            ("/connections", "cloud_name", json!({"cloud_name": "azure"}), 400, "aws-us-gov"),
            ("/connections", "aws_region", json!({"aws_region": "mars-1"}), 400, "eu-west-1"),
            ("/connections", "aws_region", json!({"aws_region": "cn-north-1"}), 400, "partition `aws`"),
            ("/connections", "assume_role_arn", json!({"assume_role_arn": "role"}), 400, "ARN"),
            ("/connections", "assume_role_external_id", json!({"assume_role_arn": ""}), 400, "assume_role_arn"),
            ("/connections", "regional", json!({"aws_sts_regional_endpoints": "x"}), 400, "legacy"),
            ("/connections", "iam_role_anywhere", json!({"is_role_anywhere": true}), 400, "must be given"),
            ("/connections", "products", json!({"products": ["backup"]}), 400, "cckm"),
            ("/connections", "description", json!({"description": long}), 400, "1024"),
            ("/connections", "access_key_id", json!({"access_key_id": "a b"}), 400, "letters"),
            ("/connections", "secret_access_key", json!({"secret_access_key": long}), 400, "1024"),
            ("/connections/spare", "aws_region", json!({"cloud_name": "aws-cn"}), 400, "partition"),
            ("/connections/spare", "secret_access_key", json!({"secret_access_key": long}), 400, "1024"),
            ("/connection-test", "cloud_name", json!({"cloud_name": "azure"}), 400, "aws-us-gov"),
            ("/accounts", "connection", json!({"connection": "nobody's"}), 404, "does not exist"),
            ("/accounts", "assume_role_external_id", json!({"assume_role_arn": null}), 400, "assume_role_arn"),
            ("/accounts", "AccessDenied", json!({"assume_role_external_id": "another"}), 502, "AssumeRole"),
            ("/accounts", "assume_role_external_id", json!({"assume_role_external_id": "?"}), 400, "1224"),
            ("/get-all-regions", "connection", json!({"connection": "nobody's"}), 404, "does not exist"),
            ("/kms", "name", json!({"name": "first"}), 409, "`first`"),
            ("/kms", "account_id", json!({"account_id": "12345678901"}), 400, "12 digits"),
            ("/kms", "account_id", json!({"account_id": "123456789012"}), 400, "789012123456"),
            ("/kms", "connection", json!({"connection": "nobody's"}), 404, "does not exist"),
            ("/kms", "regions", json!({"regions": []}), 400, "at least one"),
            ("/kms", "regions", json!({"regions": ["mars-1"]}), 400, "eu-west-1"),
            ("/kms", "regions", json!({"regions": ["us-east-2", "us-east-2"]}), 400, "twice"),
            ("/kms", "regions", json!({"regions": ["cn-north-1"]}), 400, "partition `aws`"),
            ("/kms", "regions", json!({"regions": ["af-south-1"]}), 400, "not enabled"),
            ("/kms", "assume_role_external_id", json!({"assume_role_arn": ""}), 400, "assume_role_arn"),
            ("/kms", "AccessDenied", json!({"assume_role_external_id": "another"}), 502, "AssumeRole"),
            ("/kms", "account_id", json!({"assume_role_arn": "", "assume_role_external_id": ""}), 400, "123456789012"),
        ];
        let regions = |regions: &[&str]| {
            json!({"account_id": "123456789012", "assume_role_arn": "",
            "assume_role_external_id": "", "regions": regions})
        };
        wrong.push(("/kms", "regions", regions(&["eu-central-1", "us-east-1"]), 409, "`second`"));
        wrong.extend(self.wrong_updates(arn));
        wrong
    }

    fn wrong_updates(&self, arn: &str) -> Vec<Wrong> {
        let first: &'static str = self.kms.clone().leak();
        let acls: &'static str = format!("{first}/update-acls").leak();
        let ann_in_path: &'static str = self.ann_in_path.clone().leak();
        let (nobody, ann) = ("local|00000000-0000-4000-8000-000000000000", &self.ann);
        let entry = json!({"group": "officers", "actions": ["view"], "permit": true});
        vec![
            (ann_in_path, "username", json!({"username": "Admin"}), 409, "already"),
            (ann_in_path, "password", json!({"password": "without-digits"}), 422, "upper-case"),
            (ann_in_path, "failed_logins_count", json!({"failed_logins_count": 1}), 400, "0"),
            (first, "regions", json!({"regions": []}), 400, "at least one"),
            (first, "regions", json!({"regions": ["eu-west-3", "eu-west-3"]}), 400, "twice"),
            (first, "regions", json!({"regions": ["us-east-1"]}), 409, "`second`"),
            (first, "regions", json!({"regions": ["af-south-1"]}), 400, "not enabled"),
            (first, "regions", json!({"regions": [7]}), 400, "string"),
            (first, "connection", json!({"connection": "nobody's"}), 404, "does not exist"),
            (first, "only one", json!({"assume_role_arn": arn}), 400, "assume_role_arn"),
            (first, "assume_role_external_id", json!({"assume_role_external_id": "abc"}), 400, "assume_role_arn"),
            (acls, "actions", json!({"actions": ["fly"]}), 400, "keybulkoperation"),
            (acls, "actions", json!({"actions": []}), 400, "at least one"),
            (acls, "user_id", json!({"user_id": ann}), 400, "exclude each other"),
            (acls, "user_id", json!({"group": null}), 400, "must be given"),
            (acls, "user_id", json!({"group": "", "user_id": "ann"}), 400, "local|<uuid>"),
            (acls, "user_id", json!({"group": "", "user_id": 7}), 400, "string"),
            (acls, "user", json!({"group": "", "user_id": nobody}), 404, "does not exist"),
            (acls, "group", json!({"group": "nobody's"}), 404, "does not exist"),
            (acls, "acls", json!({"acls": [entry]}), 400, "together"),
            (acls, "acls", json!({"acls": [], "group": "", "actions": null, "permit": null}), 400, "at least one"),
            (acls, "acls", json!({"acls": entry, "group": "", "actions": null, "permit": null}), 400, "sequence"),
            (
                acls,
                "user_id",
                json!({"acls": [{"actions": ["view"], "permit": true}], "group": "", "actions": null,
                "permit": null}),
                400,
                "must be given",
            ),
        ]
    }
}
