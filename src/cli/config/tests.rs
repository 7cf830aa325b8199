use super::*;
use crate::bounded_file;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde::de::value::Error as Never;
use serde::de::{Deserializer, Visitor};
use tempfile::TempDir;

fn load(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("claviger.toml");
    fs::write(&path, text).expect("written");
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(Some(&path), env)
}

/// The mistakes, without the name of the temporary directory.
fn mistakes(text: &str, env: &[(&str, &str)]) -> Vec<String> {
    let error = load(text, env).expect_err("it has mistakes");
    let shown = error.mistakes().iter().map(ToString::to_string);
    shown
        .map(|text| text.split_once("/claviger.toml").map_or(text.clone(), |(_, rest)| format!("FILE{rest}")))
        .collect()
}

/// The keys that a section takes, as serde asks for them.
fn keys_of<'de, T: Deserialize<'de>>() -> Vec<&'static str> {
    struct Ask<'a>(&'a mut Vec<&'static str>);

    impl<'de> Deserializer<'de> for Ask<'_> {
        type Error = Never;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Never> {
            Err(serde::de::Error::custom("no section"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Never> {
            self.0.extend_from_slice(fields);
            self.deserialize_any(visitor)
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut keys = Vec::new();
    drop(T::deserialize(Ask(&mut keys)));
    keys.sort_unstable();
    keys
}

#[test]
fn the_documented_file_is_the_default() {
    let shipped = include_str!("../../../config/claviger.toml");
    assert_eq!(load(shipped, &[]).expect("as shipped"), Config::default());
    assert_eq!(load(&reading::documented_defaults(), &[]).expect("with all keys in force"), Config::default());
}

#[test]
fn every_key_is_documented() {
    let documented: toml::Table = toml::from_str(&reading::documented_defaults()).expect("it is TOML");
    let mut sections = keys_of::<Config>();
    sections.retain(|section| *section != "admin_password");
    assert_eq!(documented.keys().collect::<Vec<_>>(), sections);
    for (section, keys) in [
        ("server", keys_of::<ServerSettings>()),
        ("console", keys_of::<ConsoleSettings>()),
        ("tls", keys_of::<TlsSettings>()),
        ("xks", keys_of::<XksSettings>()),
        ("storage", keys_of::<StorageSettings>()),
        ("master_key", keys_of::<MasterKeySettings>()),
        ("passwords", keys_of::<PasswordSettings>()),
        ("tokens", keys_of::<TokenSettings>()),
        ("login", keys_of::<LoginSettings>()),
        ("schedules", keys_of::<ScheduleSettings>()),
        ("limits", keys_of::<Limits>()),
        ("alarms", keys_of::<AlarmSettings>()),
        ("aws", keys_of::<AwsSettings>()),
        ("call_journal", keys_of::<CallJournalSettings>()),
        ("audit", keys_of::<AuditSettings>()),
        ("reports", keys_of::<ReportSettings>()),
        ("backup", keys_of::<BackupSettings>()),
        ("forwarding", keys_of::<ForwardingSettings>()),
        ("checkpoints", keys_of::<CheckpointSettings>()),
        ("log", keys_of::<LogSettings>()),
        ("metrics", keys_of::<MetricsSettings>()),
    ] {
        assert_eq!(documented[section].as_table().expect("a section").keys().collect::<Vec<_>>(), keys, "{section}");
        sections.retain(|other| *other != section);
    }
    assert_eq!(sections, [""; 0], "sections that this test does not know");
}

#[test]
fn the_environment_wins_over_the_file() {
    let text = "[server]\nlisten = '127.0.0.1:1'\nworkers = 3\n[aws]\nproxy = 'http://proxy:1'\n";
    let config = load(
        text,
        &[
            ("CLAVIGER_SERVER_LISTEN", "[::1]:8443"),
            ("CLAVIGER_METRICS_ENABLED", "false"),
            ("CLAVIGER_MASTER_KEY_SOURCE", "credential"),
            ("CLAVIGER_TLS_SELF_SIGNED_NAMES", "kms.example, 10.0.0.1"),
            ("CLAVIGER_AWS_NO_PROXY", "['a', 'b']"),
            ("CLAVIGER_AWS_ENDPOINTS", "[{ url = 'http://127.0.0.1:4566' }]"),
            ("CLAVIGER_AWS_PROXY", ""),
            ("CLAVIGER_URL", "https://for-clients"),
            ("CLAVIGER_TERRAFORM_PROVIDER", "/for/scripts/test"),
            ("CLAVIGER_LOCALSTACK", "/for/scripts/test"),
            ("CLAVIGER_XKS_CLIENT", "/for/scripts/test"),
            ("PATH", "/bin"),
        ],
    );
    let config = config.expect("all of it is right");
    assert_eq!(config.server.listen.to_string(), "[::1]:8443");
    assert_eq!(config.server.workers, 3);
    assert!(!config.metrics.enabled);
    assert_eq!(config.master_key.source, MasterKeyKind::Credential);
    assert_eq!(config.tls.self_signed_names, ["kms.example", "10.0.0.1"]);
    assert_eq!(config.aws.no_proxy, ["a", "b"]);
    assert_eq!(config.aws.endpoints.len(), 1);
    assert_eq!(config.aws.proxy, None, "an empty text takes the file's setting back");
}

#[test]
fn every_scalar_key_has_its_variable() {
    let documented: toml::Table = toml::from_str(&reading::documented_defaults()).expect("it is TOML");
    for (section, keys) in &documented {
        for (key, default) in keys.as_table().expect("a section") {
            let name = format!("CLAVIGER_{section}_{key}").to_uppercase();
            let value = default.as_str().map_or_else(|| default.to_string(), ToOwned::to_owned);
            assert_eq!(load("", &[(&name, &value)]).expect("its default"), Config::default(), "{name}");
        }
    }
}

#[test]
fn every_mistake_is_named_with_its_place() {
    let text = "\
[server]
listen = 'localhost'
wrokers = 2
workers = -1
[tls]
certificate = 5
[sever]
listen = '0.0.0.0:443'
port = 1
[master_key]
source = 'vault'
";
    let env = [
        ("CLAVIGER_SERVER_KEEP_ALIVE_SECONDS", "soon"),
        ("CLAVIGER_METRICS_ENABLED", "yes"),
        ("CLAVIGER_LOG_LEVLE", "info"),
        ("CLAVIGER_LISTEN", "x"),
        ("CLAVIGER_LOG_FORMAT", "xml"),
    ];
    insta::assert_snapshot!(mistakes(text, &env).join("\n"), @r#"
    FILE:2: server.listen: invalid value: string "localhost", expected an address and a port such as "0.0.0.0:443" or "[::]:443"
    FILE:3: server.wrokers: unknown field `wrokers`, expected one of `listen`, `workers`, `max_connections`, `max_connections_per_source`, `trusted_proxies`, `changes_per_second`, `body_limit_bytes`, `client_request_timeout_seconds`, `client_body_timeout_seconds`, `client_answer_timeout_seconds`, `client_disconnect_timeout_seconds`, `tls_handshake_timeout_seconds`, `keep_alive_seconds`, `shutdown_timeout_seconds`
    FILE:4: server.workers: invalid value: integer `-1`, expected usize
    FILE:6: tls.certificate: invalid type: integer `5`, expected path string
    FILE:8: sever: unknown field `sever`, expected one of `server`, `tls`, `console`, `xks`, `storage`, `master_key`, `passwords`, `tokens`, `login`, `schedules`, `limits`, `alarms`, `aws`, `call_journal`, `audit`, `reports`, `backup`, `forwarding`, `checkpoints`, `log`, `metrics`
    FILE:11: master_key.source: unknown variant `vault`, expected one of `file`, `credential`, `passphrase_file`, `passphrase_credential`, `operator`
    environment: CLAVIGER_LOG_FORMAT: log.format: unknown variant `xml`, expected one of `auto`, `json`, `text`
    environment: CLAVIGER_SERVER_KEEP_ALIVE_SECONDS: server.keep_alive_seconds: `soon` is not a whole number
    environment: CLAVIGER_METRICS_ENABLED: metrics.enabled: `yes` is not `true` or `false`
    environment: CLAVIGER_LOG_LEVLE: there is no such setting: one of CLAVIGER_LOG_FORMAT, CLAVIGER_LOG_LEVEL is expected
    environment: CLAVIGER_LISTEN: there is no such setting
    "#);
}

#[test]
fn a_file_that_is_no_toml_is_named_with_its_line_and_not_quoted() {
    let shown = mistakes("[aws]\n\nproxy = http://ann:hunter2@proxy\n", &[]).join("\n");
    assert!(shown.starts_with("FILE:3: ") && !shown.contains("hunter2"), "{shown}");
    let shown = mistakes("[log]\nlevel = 'info'\nlevel = 'debug'\n", &[]).join("\n");
    assert!(shown.starts_with("FILE:3: duplicate key"), "{shown}");
}

#[test]
fn a_missing_file_is_named() {
    let error = Config::load(Some(Path::new("/nowhere/claviger.toml")), std::iter::empty()).expect_err("refused");
    assert!(error.to_string().starts_with("/nowhere/claviger.toml: cannot be read: "), "{error}");
    assert_eq!(Config::load(None, std::iter::empty()).expect("defaults"), Config::default());
}

#[test]
fn the_admin_password_comes_from_the_environment_and_is_not_shown() {
    let config = load("", &[("CLAVIGER_ADMIN_PASSWORD", "hunter2")]).expect("it is no setting");
    assert_eq!(config.admin_password.as_ref().map(AdminPassword::expose), Some("hunter2"));
    assert!(!format!("{config:?}").contains("hunter2"));
    assert_eq!(load("", &[("CLAVIGER_ADMIN_PASSWORD", "")]).expect("as if unset").admin_password, None);
    assert!(load("admin_password = 'hunter2'", &[]).is_err());
}

/// A directory with certificates and keys, for configurations that use nothing else of the machine.
struct TestDirectory(TempDir);

impl TestDirectory {
    fn new() -> Self {
        let directory = Self(tempfile::tempdir().expect("a temporary directory"));
        for name in ["one", "two"] {
            let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
            directory.write(&format!("{name}.crt"), &made.cert.pem(), 0o644);
            directory.write(&format!("{name}.key"), &made.signing_key.serialize_pem(), 0o640);
        }
        directory
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &str, mode: u32) {
        fs::write(self.path(name), content).expect("written");
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).expect("restricted");
    }

    fn config(&self) -> Config {
        let mut config = Config::default();
        config.storage.data_dir = self.path("data");
        config.tls.certificate = Some(self.path("one.crt"));
        config.tls.private_key = Some(self.path("one.key"));
        config
    }

    /// The problems, without the name of the temporary directory.
    fn problems(&self, change: impl FnOnce(&mut Config)) -> Vec<String> {
        let mut config = self.config();
        change(&mut config);
        let here = self.0.path().display().to_string();
        config.check().iter().map(|problem| problem.to_string().replace(&here, "")).collect()
    }
}

#[test]
fn a_good_configuration_has_no_problem_and_checking_leaves_nothing_behind() {
    let directory = TestDirectory::new();
    assert_eq!(directory.problems(|_| {}), [""; 0]);
    assert!(!directory.path("data").exists());
    fs::create_dir(directory.path("data")).expect("made");
    assert_eq!(directory.problems(|_| {}), [""; 0]);
    assert_eq!(fs::read_dir(directory.path("data")).expect("listed").count(), 0);
}

#[test]
fn all_problems_are_named_at_once() {
    let directory = TestDirectory::new();
    directory.write("data", "a file", 0o644);
    directory.write("master.key", "hunter2", 0o600);
    let problems = directory.problems(|config| {
        config.server.shutdown_timeout_seconds = 60;
        config.server.max_connections = 0;
        config.server.trusted_proxies = vec!["10.0.0.0/8".to_owned(), "10.0.0.1".to_owned(), "proxy".to_owned()];
        config.tls.private_key = None;
        config.tls.self_signed_names = vec!["not a name".to_owned(), "kms.example".to_owned(), "::1".to_owned()];
        config.master_key.path = Some(directory.path("master.key"));
        config.passwords.memory_kib = 64;
        config.aws.ca_bundle = Some(directory.path("one.key"));
        config.log.level = "loud".to_owned();
    });
    insta::assert_snapshot!(problems.join("\n"), @r"
    server.max_connections: `0` is out of range: 16 to 1000000 is expected
    server.shutdown_timeout_seconds: `60` is out of range: 1 to 10 is expected
    server.trusted_proxies: `proxy` is neither an address nor a network such as `10.0.0.0/8`
    tls.certificate: `/one.crt` is given without tls.private_key: both or neither is expected
    tls.self_signed_names: `not a name` is neither a host name nor an address
    storage.data_dir: `/data`: not a directory
    master_key: `/master.key` is not a master key: 32 random bytes are expected, raw or as base64, for example from `openssl rand -base64 32`
    passwords.memory_kib: `64` is out of range: 1024 to 4194304 is expected
    aws.ca_bundle: `/one.key` holds no certificate: PEM with `BEGIN CERTIFICATE` is expected
    log.level: `loud` is neither a level (error, warn, info, debug, trace) nor a list such as `info,claviger::aws=debug`
    ");
}

#[test]
fn an_overridden_setting_is_reported_without_its_value() {
    let text = "[log]\nformat = \"json\"\nlevel = \"warn\"\n\n[aws]\nproxy = \"http://a:hunter2@b:1\"\n";
    let proxy = ("CLAVIGER_AWS_PROXY", "http://a:hunter3@b:1");
    let config = load(text, &[("CLAVIGER_LOG_FORMAT", "text"), ("CLAVIGER_LOG_LEVEL", "warn"), proxy]).expect("good");
    let warnings = config.warnings.join("\n");
    assert_eq!(config.warnings.len(), 2, "{warnings}");
    assert!(
        warnings.contains(":2") && warnings.contains("CLAVIGER_LOG_FORMAT") && !warnings.contains("hunter"),
        "{warnings}"
    );
}

#[test]
fn a_setting_by_its_former_name_counts_and_is_warned_of() {
    let former = "[aws]\nsettle_seconds = 7\n";
    let by_file = load(former, &[]).expect("good");
    assert_eq!(by_file.aws.consistency_wait_seconds, 7);
    let warning = by_file.warnings.join("\n");
    assert!(warning.ends_with(":2: aws.settle_seconds is called aws.consistency_wait_seconds now"), "{warning}");
    let variable = ("CLAVIGER_AWS_SETTLE_SECONDS", "9");
    let by_variable = load(former, &[variable]).expect("good");
    assert_eq!((by_variable.aws.consistency_wait_seconds, by_variable.warnings.len()), (9, 2));
    let wrong = [("CLAVIGER_AWS_SETTLE_SECONDS", "soon")];
    insta::assert_snapshot!(mistakes("", &wrong).join("\n"), @"environment: CLAVIGER_AWS_SETTLE_SECONDS: aws.settle_seconds: `soon` is not a whole number");
}

#[test]
fn a_setting_by_both_of_its_names_is_refused() {
    let both = "[aws]\nsettle_seconds = 7\nconsistency_wait_seconds = 7\n";
    let warnings = mistakes(both, &[]).join("\n");
    assert!(
        warnings.starts_with("FILE:2: aws.settle_seconds: is the former name of aws.consistency_wait_seconds"),
        "{warnings}"
    );
    assert!(warnings.ends_with("claviger.toml:3): leave it out"), "{warnings}");
    let variable = [("CLAVIGER_AWS_CONSISTENCY_WAIT_SECONDS", "7")];
    let mistakes = mistakes("[aws]\nsettle_seconds = 7\n", &variable);
    assert!(mistakes[0].contains("environment: CLAVIGER_AWS_CONSISTENCY_WAIT_SECONDS"), "{mistakes:?}");
}

#[test]
fn a_data_directory_must_have_room_for_the_name_of_its_socket() {
    let directory = TestDirectory::new();
    let long = directory.path(&"d".repeat(120));
    let problems = directory.problems(|config| config.storage.data_dir = long.clone());
    assert!(problems.iter().any(|problem| problem.contains("is too long")), "{problems:?}");
}

#[test]
fn a_certificate_must_belong_to_its_key() {
    let directory = TestDirectory::new();
    let with = |certificate: &str, key: &str| {
        directory.problems(|config| {
            config.tls.certificate = Some(directory.path(certificate));
            config.tls.private_key = Some(directory.path(key));
        })
    };
    directory.write("open.key", &fs::read_to_string(directory.path("one.key")).expect("read"), 0o644);
    directory.write("empty", "", 0o600);
    let most = usize::try_from(bounded_file::SETTINGS_MAX).expect("small");
    directory.write("long", &"#".repeat(most + 1), 0o600);
    let all = [
        with("one.crt", "two.key"),
        with("one.crt", "open.key"),
        with("one.crt", "one.crt"),
        with("one.crt", "empty"),
        with("empty", "one.key"),
        with("missing", "one.key"),
        with("long", "one.key"),
    ];
    insta::assert_snapshot!(all.concat().join("\n"), @r"
    tls: the certificate `/one.crt` was not made for the key `/two.key`: give the key that it was made with
    tls: `/open.key` is open to all (mode 0644): run `chmod o= /open.key`
    tls: `/one.crt` is open to all (mode 0644): run `chmod o= /one.crt`
    tls: `/empty` holds no private key: PEM with `BEGIN PRIVATE KEY`, not encrypted, is expected
    tls: `/empty` holds no certificate: PEM with `BEGIN CERTIFICATE` is expected
    tls: `/missing` cannot be read: No such file or directory (os error 2)
    tls: `/long` cannot be read: it is larger than 4194304 bytes
    ");
}

#[test]
fn the_master_key_is_looked_at() {
    let directory = TestDirectory::new();
    let with = |kind, path: Option<&str>, create| {
        directory.problems(|config| {
            let path = path.map(|name| directory.path(name));
            config.master_key = MasterKeySettings { source: kind, path, create, credential: "a/b".to_owned() };
        })
    };
    directory.write("open", "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=", 0o644);
    directory.write("blank", "\n", 0o600);
    let all = [
        with(MasterKeyKind::File, None, false),
        with(MasterKeyKind::File, Some("open"), true),
        with(MasterKeyKind::PassphraseFile, None, true),
        with(MasterKeyKind::PassphraseFile, Some("blank"), true),
        with(MasterKeyKind::Credential, None, true),
    ];
    insta::assert_snapshot!(all.concat().join("\n"), @r#"
    master_key: the master key `/data/master.key` does not exist: put it there, or name the right file
    master_key: `/open` is open to others (mode 0644): run `chmod 600 /open`
    master_key.path: is needed with source = "passphrase_file"
    master_key: the passphrase for the master key is empty
    master_key: credential `a/b`: a name without `/` is expected
    "#);
}

#[test]
fn a_level_is_a_level() {
    let directory = TestDirectory::new();
    let with = |level: &str| directory.problems(|config| config.log.level = level.to_owned()).is_empty();
    for good in ["info", "DEBUG", "off", "warn,claviger::aws=debug", "info,sled=error"] {
        assert!(with(good), "{good}");
    }
    for bad in ["loud", "info, sled=error", "info,claviger", "claviger=loud", "info,", "3", "a=b=c"] {
        assert!(!with(bad), "{bad}");
    }
}
