//! Tests of the built-in plan, and of each rule.

use super::*;

/// Parses a plan with one account, to which `account` is appended.
fn parse(account: &str) -> Result<LabPlan, LabError> {
    LabPlan::parse(&format!(
        "[partitions.aws]\nenabled = [\"us-east-1\", \"eu-west-3\"]\nopt_in = [\"eu-south-1\"]\n\
         [[accounts]]\nid = \"123456789012\"\n\
         [[accounts.users]]\nname = \"ann\"\naccess_key_id = \"AKIAAAAAAAAAAAAAAAA1\"\n\
         secret_access_key = \"0123456789abcdef\"\n{account}"
    ))
}

/// The mistakes as pairs of path and problem.
fn mistakes(result: Result<LabPlan, LabError>) -> Vec<(String, Problem)> {
    match result {
        Err(LabError::PlanMistaken(mistakes)) => mistakes.into_iter().map(|m| (m.place, m.problem)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_built_in_plan_has_the_documented_content() {
    let plan = LabPlan::built_in();
    let first = plan.account("123456789012").expect("the first account");
    let user = first.user("user1").expect("its user");
    assert_eq!(user.identity.arn, "arn:aws:iam::123456789012:user/user1");
    assert_eq!(plan.default_keys().access_key_id(), user.keys.as_ref().expect("a key").access_key_id());
    let enabled: Vec<&str> = first
        .regions
        .iter()
        .filter(|region| region.opt_in == OptIn::NotRequired)
        .map(|region| region.name.as_str())
        .collect();
    assert_eq!(
        enabled,
        [
            "eu-north-1",
            "ap-south-1",
            "eu-west-3",
            "eu-west-2",
            "eu-west-1",
            "ap-northeast-2",
            "ap-northeast-1",
            "sa-east-1",
            "ca-central-1",
            "ap-southeast-1",
            "ap-southeast-2",
            "eu-central-1",
            "us-east-1",
            "us-east-2",
            "us-west-1",
            "us-west-2"
        ]
    );
    let role = plan.account("789012123456").and_then(|account| account.role("test-assume-role-ac"));
    assert_eq!(role.and_then(|role| role.external_id.as_deref()), Some("test-ext-id"));
    assert_eq!(plan.partition_of("us-gov-west-1"), Some(Partition::UsGov));
    assert_eq!(plan.partition_of("cn-north-1"), Some(Partition::China));
    assert_eq!(plan.partition_of("mars-1"), None);
}

#[test]
fn no_secret_shows_in_debug_output() {
    let shown = format!("{:?}", LabPlan::built_in());
    assert!(shown.contains("AKIALABUSER1ONLYLAB1") && !shown.contains("lab-only/"), "{shown}");
}

#[test]
fn unknown_members_and_wrong_types_are_named_with_their_line_but_not_quoted() {
    let error_of = |text: &str| parse(text).expect_err("a mistake").to_string();
    let text = error_of("allow = [\"*\"]\ncolour = \"red\"\n");
    assert!(text.contains("line 11, column 1: unknown field `colour`"), "{text}");
    let text = error_of("[[accounts.users]]\nname = \"bob\"\nsecret_access_key = 987654321\n");
    assert!(text.contains("line 12") && !text.contains("987654321"), "{text}");
    let text = LabPlan::parse("[partitions").expect_err("a mistake").to_string();
    assert!(text.contains("line 1"), "{text}");
}

#[test]
fn an_unreadable_file_is_named() {
    let text = LabPlan::read(Path::new("/nonexistent/lab.toml")).expect_err("no file").to_string();
    assert_eq!(text, "cannot read the lab cloud's plan /nonexistent/lab.toml");
}

#[test]
fn a_plan_without_an_access_key_is_rejected() {
    assert_eq!(mistakes(LabPlan::parse("")), [("accounts".into(), Problem::NoAccessKey)]);
}

#[test]
fn accounts_partitions_and_regions_are_validated() {
    let found = mistakes(LabPlan::parse(
        r#"
        [partitions.aws]
        enabled = ["us-east-1", "US East", "us-east-1"]
        [partitions.aws-moon]
        [[accounts]]
        id = "12"
        [[accounts]]
        id = "123456789012"
        opted_in_regions = ["us-east-1"]
        disabled_regions = ["eu-west-3"]
        [[accounts.users]]
        name = "ann"
        access_key_id = "AKIAAAAAAAAAAAAAAAA1"
        secret_access_key = "0123456789abcdef"
        [[accounts]]
        id = "123456789012"
        partition = "moon"
        [[accounts]]
        id = "210987654321"
        partition = "aws-cn"
        "#,
    ));
    let region = |region: &str, list| Problem::RegionUnknown { region: region.into(), partition: "aws", list };
    assert_eq!(
        found,
        [
            ("partitions.aws.enabled[1]".into(), Problem::RegionMalformed("US East".into())),
            ("partitions.aws.enabled[2]".into(), Problem::RegionRepeated("us-east-1".into())),
            ("partitions.aws-moon".into(), Problem::PartitionUnknown("aws-moon".into())),
            ("accounts[0].id".into(), Problem::AccountMalformed("12".into())),
            ("accounts[1].opted_in_regions[0]".into(), region("us-east-1", "opt_in")),
            ("accounts[1].disabled_regions[0]".into(), region("eu-west-3", "enabled")),
            ("accounts[2].id".into(), Problem::AccountRepeated("123456789012".into())),
            ("accounts[2].partition".into(), Problem::PartitionUnknown("moon".into())),
            ("accounts[3].partition".into(), Problem::PartitionEmpty("aws-cn")),
        ]
    );
}

#[test]
fn users_are_validated() {
    let found = mistakes(parse(
        r#"
        [[accounts.users]]
        name = "ann"
        path = "teams/"
        access_key_id = "AKIAAAAAAAAAAAAAAAA1"
        secret_access_key = "too short"
        [[accounts.users]]
        name = "a b"
        access_key_id = "ASIAAAAAAAAAAAAAAAA1"
        secret_access_key = "0123456789abcdef"
        allow = ["kms"]
        deny = ["*", "k ms:*"]
        [[accounts.users]]
        name = "half"
        access_key_id = "AKIAAAAAAAAAAAAAAAA2"
        "#,
    ));
    assert_eq!(
        found,
        [
            ("accounts[0].users[1].name".into(), Problem::NameRepeated("ann".into())),
            ("accounts[0].users[1].access_key_id".into(), Problem::KeyRepeated("AKIAAAAAAAAAAAAAAAA1".into())),
            ("accounts[0].users[1].secret_access_key".into(), Problem::SecretMalformed),
            ("accounts[0].users[1].path".into(), Problem::PathMalformed("teams/".into())),
            ("accounts[0].users[2].access_key_id".into(), Problem::KeyMalformed("ASIAAAAAAAAAAAAAAAA1".into())),
            ("accounts[0].users[2].allow[0]".into(), Problem::ActionMalformed("kms".into())),
            ("accounts[0].users[2].deny[1]".into(), Problem::ActionMalformed("k ms:*".into())),
            ("accounts[0].users[2].name".into(), Problem::NameMalformed("a b".into())),
            ("accounts[0].users[3]".into(), Problem::KeyIncomplete),
        ]
    );
}

#[test]
fn roles_are_validated() {
    let found = mistakes(parse(
        r#"
        [[accounts.roles]]
        name = "r"
        external_id = "x"
        max_session_seconds = 60
        trusts = ["everybody", "arn:aws:iam::123456789012:group/x", "999999999999"]
        [[accounts.roles]]
        name = "r"
        trusts = ["*", "123456789012", "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:user/ann",
                  "arn:aws:iam::123456789012:role/r", "arn:aws:iam::123456789012:user/bob"]
        "#,
    ));
    let unknown = |principal: &str| Problem::TrustUnknown { principal: principal.into(), partition: "aws" };
    assert_eq!(
        found,
        [
            ("accounts[0].roles[0].external_id".into(), Problem::ExternalIdMalformed("x".into())),
            ("accounts[0].roles[0].max_session_seconds".into(), Problem::SessionLength(60)),
            ("accounts[0].roles[0].trusts[0]".into(), Problem::TrustMalformed("everybody".into())),
            (
                "accounts[0].roles[0].trusts[1]".into(),
                Problem::TrustMalformed("arn:aws:iam::123456789012:group/x".into())
            ),
            ("accounts[0].roles[1].name".into(), Problem::NameRepeated("r".into())),
            ("accounts[0].roles[0].trusts[0]".into(), unknown("999999999999")),
            ("accounts[0].roles[1].trusts[5]".into(), unknown("arn:aws:iam::123456789012:user/bob")),
        ]
    );
}

#[test]
fn a_mistake_names_path_value_and_remedy() {
    let error = parse("allow = [\"kms\"]\n").expect_err("a mistake").to_string();
    assert_eq!(
        error,
        "the lab cloud's plan has mistakes: accounts[0].users[0].allow[0]: `kms` is not an action: *, or \
         service:Action where * and ? are wildcards, such as kms:Describe*"
    );
}

#[test]
fn an_account_can_opt_in_to_regions_and_disable_regions() {
    let plan = LabPlan::parse(
        "[partitions.aws]\nenabled = [\"us-east-1\", \"eu-west-3\"]\nopt_in = [\"eu-south-1\", \"af-south-1\"]\n\
         [[accounts]]\nid = \"123456789012\"\nopted_in_regions = [\"eu-south-1\"]\ndisabled_regions = [\"eu-west-3\"]\n\
         [[accounts.users]]\nname = \"ann\"\naccess_key_id = \"AKIAAAAAAAAAAAAAAAA1\"\n\
         secret_access_key = \"0123456789abcdef\"\n",
    )
    .expect("a plan without mistakes");
    let account = plan.account("123456789012").expect("the account");
    let regions: Vec<_> = account.regions.iter().map(|region| (region.name.as_str(), region.opt_in.as_str())).collect();
    assert_eq!(
        regions,
        [
            ("us-east-1", "opt-in-not-required"),
            ("eu-west-3", "not-opted-in"),
            ("eu-south-1", "opted-in"),
            ("af-south-1", "not-opted-in")
        ]
    );
    assert!(account.may_use("eu-south-1") && !account.may_use("eu-west-3") && !account.may_use("mars-1"));
}

#[test]
fn custom_key_stores_have_the_rules_of_aws_unless_the_plan_says_otherwise() {
    let plan = LabPlan::built_in();
    let rules = plan.custom_key_stores();
    assert_eq!((rules.max_per_region, rules.connection_seconds, rules.check_host_names), (10, 2, false));
    assert_eq!((rules.proxy_timeout.as_millis(), rules.health_check.as_secs()), (250, 300));
    assert_eq!(rules.unreachable_hosts, ["unreachable.lab.internal"]);
    let cluster = plan.cluster("cluster-lab2only3abc").expect("the cluster");
    assert!(cluster.is_active() && cluster.active_zones().len() == 2 && !cluster.kmsuser_logged_in);
    assert!(plan.account("123456789012").expect("the account").cluster("us-east-1", &cluster.id).is_some());
    let text = "[custom_key_stores]\nmax_per_region = -1\nproxy_timeout_ms = 0\nconnection_seconds = 3601\n\
                health_check_seconds = 0\nunreachable_hosts = [\"https://a\"]\n";
    let found = mistakes(parse(text)).into_iter().map(|(place, _)| place).collect::<Vec<_>>();
    let members =
        ["max_per_region", "connection_seconds", "health_check_seconds", "proxy_timeout_ms", "unreachable_hosts[0]"];
    assert_eq!(found, members.map(|member| format!("custom_key_stores.{member}")));
}

#[test]
fn a_cluster_needs_valid_members() {
    let text = "[[accounts.cloudhsm_clusters]]\nid = \"cluster-1\"\nregion = \"mars-1\"\nstate = \"FINE\"\n\
                hsms = [{ zone = \"us-east-1a\", state = \"FINE\" }]\nkmsuser_password = \"short\"\n\
                certificate = \"none\"\n";
    let found = mistakes(parse(text)).into_iter().map(|(place, _)| place).collect::<Vec<_>>();
    let members = ["id", "region", "state", "hsms[0].zone", "hsms[0].state", "kmsuser_password", "certificate"];
    assert_eq!(found, members.map(|member| format!("accounts[0].cloudhsm_clusters[0].{member}")));
}
