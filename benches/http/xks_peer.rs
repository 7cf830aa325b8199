//! AWS's sample XKS proxy (aws-samples/aws-kms-xks-proxy) on SoftHSM, as the peer of ours. `HTTP_BENCH_XKS_PEER` names
//! its program; `softhsm2-util` and `pkcs11-tool` must be installed (Debian's `softhsm2` and `opensc`). Its keys, its
//! settings and its token are in the directory of the benchmark.

use crate::Outcome;
use crate::program::Program;
use crate::xks::{ACCESS_KEY_ID, Caller, REGION, SECRET, encrypt_call};
use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PREFIX: &str = "/example/uri/path/prefix";
const KEY: &str = "foo";
const PIN: &str = "1234";

/// The program of the peer, if there is one.
pub(crate) fn wanted() -> Option<PathBuf> {
    std::env::var_os("HTTP_BENCH_XKS_PEER").map(PathBuf::from)
}

/// Starts the peer with the certificate in the data directory.
pub(crate) fn start(program: &Path, directory: &Path) -> Outcome<Program> {
    let tokens = directory.join("tokens");
    std::fs::create_dir_all(&tokens)?;
    let conf = directory.join("softhsm2.conf");
    std::fs::write(&conf, format!("directories.tokendir = {}\nobjectstore.backend = file\n", tokens.display()))?;
    let hsm = |command: &str, arguments: &[&str]| -> Outcome<()> {
        let status =
            Command::new(command).args(arguments).env("SOFTHSM2_CONF", &conf).stdout(Stdio::null()).status()?;
        if status.success() { Ok(()) } else { Err(format!("{command}: {status}").into()) }
    };
    hsm("softhsm2-util", &["--init-token", "--slot", "0", "--label", "xks-proxy", "--so-pin", PIN, "--pin", PIN])?;
    let make = ["--module", MODULE, "--token-label", "xks-proxy", "--login", "--login-type", "user", "--pin", PIN];
    hsm("pkcs11-tool", &[&make[..], &["--keygen", "--id", "F0", "--label", KEY, "--key-type", "aes:32"]].concat())?;
    let (address, ping) = (free()?, free()?);
    let settings = directory.join("peer.toml");
    std::fs::write(&settings, settings_of(address, ping, &directory.join("data")))?;
    let mut command = Command::new(program);
    command.env("SOFTHSM2_CONF", &conf).env("XKS_PROXY_SETTINGS_TOML", &settings).current_dir(directory);
    command.stdout(Stdio::null()).stderr(File::create(directory.join("peer-log"))?);
    let peer = Program::listening(command.spawn()?, directory.join("data"), address);
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(address).is_err() {
        if Instant::now() > deadline {
            return Err("the peer does not listen; its log is in target/bench-http".into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(peer)
}

/// The bytes of a signed call to the peer.
pub(crate) fn call() -> Outcome<Vec<u8>> {
    let path = format!("{PREFIX}/kms/xks/v1/keys/{KEY}/encrypt");
    encrypt_call(&path, &Caller { access_key_id: ACCESS_KEY_ID, secret: SECRET, region: REGION })
}

/// An address that is free once this function returns.
fn free() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn settings_of(address: SocketAddr, ping: SocketAddr, data: &Path) -> String {
    format!(
        r#"[server]
ip = "127.0.0.1"
port = {port}
port_http_ping = {ping}
region = "{REGION}"
service = "kms-xks-proxy"

[server.tcp_keepalive]
tcp_keepalive_secs = 60
tcp_keepalive_retries = 3
tcp_keepalive_interval_secs = 1

[tracing]
is_stdout_writer_enabled = false
is_file_writer_enabled = false
level = "ERROR"

[security]
is_sigv4_auth_enabled = true
is_tls_enabled = true
is_mtls_enabled = false

[tls]
tls_cert_pem = "{data}/tls.crt"
tls_key_pem = "{data}/tls.key"
mtls_client_ca_pem = ""
mtls_client_dns_name = ""

[[external_key_stores]]
uri_path_prefix = "{PREFIX}"
sigv4_access_key_id = "{ACCESS_KEY_ID}"
sigv4_secret_access_key = "{SECRET}"
xks_key_id_set = ["{KEY}"]

[pkcs11]
session_pool_max_size = 30
session_pool_timeout_milli = 0
session_eager_close = false
user_pin = "{PIN}"
PKCS11_HSM_MODULE = "{MODULE}"
context_read_timeout_milli = 10

[limits]
max_plaintext_in_base64 = 8192
max_aad_in_base64 = 16384

[hsm_capabilities]
can_generate_iv = false
is_zero_iv_required = false
"#,
        port = address.port(),
        ping = ping.port(),
        data = data.display(),
    )
}
