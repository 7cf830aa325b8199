//! `claviger lab`: the appliance with an embedded AWS, for demonstrations, air-gapped labs and tests.

use super::appliance::{Appliance, StartError};
use super::config::{AdminPassword, Config};
use super::first_password::FIRST_PASSWORD;
use super::tls::{Certificate, TlsError};
use super::{logging, serve};
use crate::aws::settings::EndpointOverride;
use crate::domain::connection::{ConnectionSettings, StsEndpoints};
use crate::domain::name::ConnectionName;
use crate::domain::place::Partition;
use crate::lab::{LabCloud, LabError, LabKeys, LabPlan, XksListener};
use crate::service::connections::NewConnection;
use std::fs::DirBuilder;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use zeroize::Zeroizing;

#[derive(clap::Args, Debug)]
pub struct LabArguments {
    /// The directory of the lab's data [default: claviger-lab in the user's data directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The appliance's address
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// The lab cloud's address; loopback only
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:4566")]
    cloud_listen: SocketAddr,
    /// The XKS proxy's address; loopback only [default: 127.0.0.1:8444, or a free port where that one is in use]
    #[arg(long, value_name = "ADDR:PORT")]
    xks_listen: Option<SocketAddr>,
    /// The file of the lab cloud's accounts, users and roles; config/lab-cloud.toml documents it [default: built in]
    #[arg(long, value_name = "FILE")]
    cloud: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum LabStartError {
    #[error(transparent)]
    Cloud(#[from] LabError),
    #[error(transparent)]
    Appliance(#[from] StartError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("`{}` could not be created", path.display())]
    DataDir { path: PathBuf, source: std::io::Error },
    #[error("this user has no data directory; say where with --data DIR")]
    NoDataDir,
    #[error(transparent)]
    Config(#[from] super::config::ConfigError),
    /// The configuration can be read, but has problems, one per line.
    #[error("the configuration is not usable:\n{0}")]
    Unusable(String),
    #[error(transparent)]
    Logging(#[from] logging::LoggingError),
    #[error("the lab's connection could not be made")]
    Connection(#[from] crate::service::failure::Failure),
}

/// The name of the lab's connection, which the examples in the vendor's documentation use.
const CONNECTION: &str = "test_aws-connection";

/// The subdirectory of the lab's data with the lab cloud's keys. It has no data of the appliance.
const CLOUD_DIR: &str = "lab-cloud";

/// Runs the lab until a signal stops it.
///
/// # Errors
/// The reason why the lab does not start.
pub async fn run(arguments: LabArguments) -> Result<(), LabStartError> {
    let mut config = Config::load_here(None)?;
    let plan = arguments.cloud.as_deref().map_or_else(|| Ok(LabPlan::built_in()), LabPlan::read)?;
    let keys = plan.default_keys();
    config.storage.data_dir = match arguments.data {
        Some(data) => std::path::absolute(&data).unwrap_or(data),
        None => dirs::data_dir().ok_or(LabStartError::NoDataDir)?.join("claviger-lab"),
    };
    config.server.listen = arguments.listen;
    config.xks.listen = Some(arguments.xks_listen.unwrap_or_else(free_xks_address));
    config.login.require_first_password_change = false;
    config.is_lab = true;
    let problems = serve::problems(&config);
    if !problems.is_empty() {
        return Err(LabStartError::Unusable(problems.join("\n")));
    }
    logging::start(&config.log)?;
    config.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let data = &config.storage.data_dir;
    let cannot_create = |source| LabStartError::DataDir { path: data.clone(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(cannot_create)?;
    let certificate = Certificate::load(&config.tls, data)?;
    let tls = certificate.server_config()?;
    let cloud = LabCloud::start(plan, arguments.cloud_listen, Some(&data.join(CLOUD_DIR)), Some(tls)).await?;
    config.aws.endpoints = vec![EndpointOverride {
        partition: None,
        service: None,
        region: None,
        url: format!("http://{}", cloud.address()),
    }];
    let appliance = Appliance::start(config).await?;
    if let Some(address) = appliance.xks_address() {
        let certificates = appliance.xks_certificate().chain();
        cloud.set_xks_listener(&XksListener { address, certificates })?;
    }
    if is_unused(&appliance) {
        add_connection(&appliance, &keys).await?;
    }
    print_summary(&appliance, &cloud, &keys);
    appliance.run().await?;
    cloud.stop().await;
    Ok(())
}

/// The usual address of the proxy, or a free port if another lab has that one.
fn free_xks_address() -> SocketAddr {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, 8444));
    match TcpListener::bind(usual) {
        Ok(_) => usual,
        Err(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
    }
}

/// Returns whether nobody has used the lab yet. An interrupted first start may have left it without its connection.
fn is_unused(appliance: &Appliance) -> bool {
    let state = &appliance.services.state().state;
    state.connections.is_empty() && state.users.iter().all(|user| user.logins == 0)
}

async fn add_connection(appliance: &Appliance, keys: &LabKeys) -> Result<(), LabStartError> {
    let Ok(name) = ConnectionName::parse(CONNECTION) else { return Ok(()) };
    let settings = ConnectionSettings {
        description: "the lab cloud, ready to use".to_owned(),
        access_key_id: keys.access_key_id().to_owned(),
        cloud: Partition::Aws,
        role: None,
        region: None,
        sts_endpoints: StsEndpoints::Legacy,
        products: vec!["cckm".to_owned()],
        labels: None,
        meta: None,
    };
    let secret = Zeroizing::new(keys.secret_access_key().to_owned());
    appliance.services.connections.install(name, NewConnection { settings, secret, roles_anywhere: None }).await?;
    Ok(())
}

/// Prints addresses, credentials and example commands. The passwords and keys are valid in the lab only.
fn print_summary(appliance: &Appliance, cloud: &LabCloud, keys: &LabKeys) {
    let address = appliance.address;
    let given = appliance.config().admin_password.as_ref().map(AdminPassword::expose);
    let made = appliance.config().storage.data_dir.join(FIRST_PASSWORD);
    let password = match (&appliance.first_password, given) {
        (Some(_), Some(_)) => "(as CLAVIGER_ADMIN_PASSWORD says)".to_owned(),
        (Some(made), None) => made.to_string(),
        (None, _) if made.exists() => format!("(as at the first start; it was written to {})", made.display()),
        (None, _) => "(as at the first start)".to_owned(),
    };
    let (id, secret) = (keys.access_key_id(), keys.secret_access_key());
    let xks = appliance.xks_address().map(|address| address.to_string()).unwrap_or_default();
    let (data, cloud) = (appliance.config().storage.data_dir.display(), cloud.address());
    // The password in shell syntax: the one printed above, or the place where it is found.
    let typed = match (&appliance.first_password, given) {
        (_, Some(_)) => "'\"$CLAVIGER_ADMIN_PASSWORD\"'".to_owned(),
        (Some(made), None) => made.to_string(),
        (None, None) if made.exists() => format!("'\"$(cat {})\"'", made.display()),
        (None, None) => "…".to_owned(),
    };
    let text = format!(
        r#"Claviger lab
  console    https://{address}/
  API        https://{address}/api/v1
  login      admin
  password   {password}
  data       {data}
  XKS proxy  https://{xks}, which every endpoint of a key store leads to in the lab
  lab cloud  http://{cloud}
             https://{cloud} with the certificate of the API
             AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret}

Try:
  TOKEN=$(curl -sk https://{address}/api/v1/auth/tokens -d '{{"username": "admin", "password": "{typed}"}}' | sed 's/.*"jwt":"\([^"]*\)".*/\1/')
  curl -k https://{address}/api/v1/cckm/aws/accounts -H "Authorization: Bearer $TOKEN" -d '{{"connection": "{CONNECTION}"}}'
  curl -k https://{address}/api/v1/cckm/aws/kms -H "Authorization: Bearer $TOKEN"
"#
    );
    // If the output is closed, the same information is in the data directory and the settings.
    let _ = std::io::stdout().write_all(text.as_bytes());
}
