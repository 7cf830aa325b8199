//! Access to AWS over connections and assumed roles, and probes of the accounts that they lead to.

use super::account_probes::AccountProbes;
use super::failure::Failure;
use super::recorder::Recorder;
use super::roles_anywhere::{self, Wanted};
use super::secrets::Secrets;
use crate::aws::failure::AwsFailure;
use crate::aws::kms::port::{AwsKms, KmsCall, PagedCall, Pages};
use crate::aws::logs::{LogWindow, RawLogPage};
use crate::aws::port::{Access, AccessKeys, Aws, Caller, HsmCluster, RoleToAssume, SessionName};
use crate::aws::roles_anywhere::RolesAnywhere;
use crate::domain::connection::{Connection, ConnectionSettings};
use crate::domain::id::{ConnectionId, KmsId};
use crate::domain::key::decide::check_region;
use crate::domain::kms::{AccountProbe, AssumedRole, Kms};
use crate::domain::place::{AccountId, Region};
use crate::domain::refusal::ConnectionRefusal;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::keyring::Owner;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// The purpose under which a connection's secret access key is sealed.
pub(super) const SECRET_ACCESS_KEY: &str = "secret_access_key";
/// The purpose under which the private key of its certificate is sealed.
pub(super) const PRIVATE_KEY: &str = "private_key";

/// The owner of a connection's secrets.
pub(super) fn owner(id: ConnectionId) -> Owner {
    Owner::new("connection", id.uuid())
}

/// Access to the AWS accounts of KMSs and connections.
pub(in crate::service) struct Cloud {
    recorder: Recorder,
    secrets: Secrets,
    pub aws: Arc<dyn Aws>,
    aws_kms: Arc<dyn AwsKms>,
    account_probes: AccountProbes,
    accounts: ConnectionAccounts,
}

/// A region of a KMS, and access to it.
pub(in crate::service) struct RegionAccess {
    pub kms: KmsId,
    pub region: Region,
    access: Access,
    aws: Arc<dyn AwsKms>,
    others: Arc<dyn Aws>,
}

impl RegionAccess {
    /// Calls AWS KMS in this region.
    pub(in crate::service) async fn call<C: KmsCall>(&self, call: C) -> Result<C::Answer, AwsFailure> {
        self.aws.call(&self.access, &self.region, call).await
    }

    /// Calls AWS KMS in another region of the same account.
    pub(in crate::service) async fn call_in<C: KmsCall>(
        &self,
        region: &Region,
        call: C,
    ) -> Result<C::Answer, AwsFailure> {
        self.aws.call(&self.access, region, call).await
    }

    /// The user or session that calls AWS here.
    pub(in crate::service) async fn caller(&self) -> Result<Caller, AwsFailure> {
        self.others.caller(&self.access).await
    }

    /// The role whose session calls AWS here, if it is one; the ARN of the session lacks the role's path.
    pub(in crate::service) fn role(&self) -> Option<String> {
        self.access.last_role().map(|role| role.as_arn().to_string())
    }

    /// All CloudHSM clusters of the account in this region.
    pub(in crate::service) async fn hsm_clusters(&self) -> Result<Vec<HsmCluster>, AwsFailure> {
        self.others.hsm_clusters(&self.access, &self.region).await
    }

    /// The pages of a list in this region, starting with the call `first`.
    pub(in crate::service) fn pages<C: PagedCall>(&self, first: C) -> Pages<'_, C> {
        self.aws.pages(&self.access, &self.region, first)
    }
}

impl Cloud {
    pub(super) fn new(recorder: Recorder, secrets: Secrets, aws: Arc<dyn Aws>, aws_kms: Arc<dyn AwsKms>) -> Self {
        let (account_probes, accounts) = (AccountProbes::default(), ConnectionAccounts::default());
        Self { recorder, secrets, aws, aws_kms, account_probes, accounts }
    }

    /// Returns access to a region of a KMS.
    ///
    /// # Errors
    /// When the KMS is archived, or does not manage the region, or AWS fails.
    pub(super) async fn region(&self, kms: KmsId, region: &Region) -> Result<RegionAccess, Failure> {
        self.recorder.state().state.kms(kms)?.refuse_archived()?;
        self.region_to_conclude(kms, region).await
    }

    /// Returns access to a region of a KMS, which may be archived by now, for an operation that was requested before: it
    /// must come to an end.
    ///
    /// # Errors
    /// When the KMS does not manage the region, or AWS fails.
    pub(super) async fn region_to_conclude(&self, kms: KmsId, region: &Region) -> Result<RegionAccess, Failure> {
        let published = self.recorder.state();
        // The keys of a region that was taken away stay in the state.
        let kms = published.state.kms(kms)?;
        check_region(kms, region)?;
        let access = self.access_to(&published.state, kms).await?;
        let (aws, others) = (self.aws_kms.clone(), self.aws.clone());
        Ok(RegionAccess { kms: kms.id, region: region.clone(), access, aws, others })
    }

    /// A page of the events of a log group. The region of the log group need not be one that the KMS manages.
    ///
    /// # Errors
    /// When the KMS is gone, or AWS fails.
    pub(super) async fn log_events(
        &self,
        kms: KmsId,
        region: &Region,
        window: &LogWindow,
    ) -> Result<RawLogPage, Failure> {
        let published = self.recorder.state();
        let access = self.access_to(&published.state, published.state.kms(kms)?).await?;
        Ok(self.aws.log_events(&access, region, window).await?)
    }

    /// Asks AWS for the account of this connection (and role), and for the regions enabled there.
    pub(super) async fn probe(
        &self,
        connection: &Connection,
        role: Option<&AssumedRole>,
    ) -> Result<AccountProbe, Failure> {
        self.probe_account(connection, role, |_| false).await
    }

    /// Returns a recent probe that `suffices`, or probes the account.
    pub(super) async fn probe_account(
        &self,
        connection: &Connection,
        role: Option<&AssumedRole>,
        suffices: impl Fn(&AccountProbe) -> bool,
    ) -> Result<AccountProbe, Failure> {
        let access = self.access(connection, role)?;
        let probe = async {
            let caller = self.aws.caller(&access).await?;
            let enabled = self.aws.enabled_regions(&access).await?;
            Ok(AccountProbe { account: caller.account, arn: caller.arn, enabled })
        };
        Ok(self.account_probes.share((connection.id, connection.updated, role.cloned()), suffices, probe).await?)
    }

    /// Returns access to a KMS over its connection and role, and refuses any account but that of the KMS. Otherwise a
    /// user who may change a connection could redirect new keys and key material to another account.
    pub(super) async fn access_to(&self, state: &State, kms: &Kms) -> Result<Access, Failure> {
        let connection = state.connection(kms.connection)?;
        let access = self.access(connection, kms.role.as_ref())?;
        // The ARN of an assumed role names the account.
        if let Some(role) = access.last_role() {
            refuse_other(connection, kms, role.account())?;
        } else if self.accounts.of(connection) != Some(kms.account) {
            refuse_other(connection, kms, self.aws.caller(&access).await?.account)?;
            self.accounts.insert(connection, kms.account);
        }
        Ok(access)
    }

    /// Refuses a change of a connection that would lead to another account than that of the KMSs that use it. It calls
    /// AWS only if the credentials change and a KMS depends on them.
    pub(super) async fn refuse_other_account(
        &self,
        state: &State,
        connection: &Connection,
        to: &ConnectionSettings,
        secret: Option<&str>,
        wanted: &Wanted,
    ) -> Result<(), Failure> {
        let now = &connection.settings;
        // A KMS with a role of its own stays in the account of that role.
        let mut dependent = state.kms.iter().filter(|kms| kms.connection == connection.id && kms.role.is_none());
        let Some(kms) = dependent.next() else { return Ok(()) };
        let same_keys = secret.is_none() && to.access_key_id == now.access_key_id;
        if same_keys && to.role == now.role && matches!(wanted, Wanted::Unchanged) {
            return Ok(());
        }
        let stored = self.secret(connection)?;
        let roles_anywhere = match wanted {
            Wanted::Unchanged => self.roles_anywhere(connection)?,
            Wanted::AccessKey => None,
            Wanted::Certificate(access) => Some(RolesAnywhere::clone(access)),
        };
        let access = access(to, secret.unwrap_or(&stored), roles_anywhere, None);
        let caller = self.aws.caller(&access).await?;
        refuse_other(connection, kms, caller.account)
    }

    fn secret(&self, connection: &Connection) -> Result<Zeroizing<String>, Failure> {
        let secret = self.secrets.unseal(&owner(connection.id), SECRET_ACCESS_KEY, &connection.secret)?;
        let secret = std::str::from_utf8(&secret).map_err(|_| Failure::Internal("a sealed secret is not text"))?;
        Ok(Zeroizing::new(secret.to_owned()))
    }

    /// Returns access over a stored connection.
    pub(super) fn access(&self, connection: &Connection, role: Option<&AssumedRole>) -> Result<Access, Failure> {
        let roles_anywhere = self.roles_anywhere(connection)?;
        Ok(access(&connection.settings, &self.secret(connection)?, roles_anywhere, role))
    }

    /// Whether an access key is stored with a connection.
    pub(super) fn has_secret(&self, connection: &Connection) -> Result<bool, Failure> {
        Ok(!self.secret(connection)?.is_empty())
    }

    fn roles_anywhere(&self, connection: &Connection) -> Result<Option<RolesAnywhere>, Failure> {
        let access = connection.roles_anywhere.as_deref();
        access.map(|access| roles_anywhere::stored(connection, access, &self.secrets)).transpose()
    }
}

fn refuse_other(connection: &Connection, kms: &Kms, actual: AccountId) -> Result<(), Failure> {
    match actual == kms.account {
        true => Ok(()),
        false => Err(ConnectionRefusal::LeadsElsewhere {
            connection: connection.name.clone(),
            kms: kms.name.clone(),
            account: kms.account,
            actual,
        }
        .into()),
    }
}

/// The accounts of the connections' credentials, each with the time of the connection's last change. The account of
/// credentials never changes, so AWS is asked once after each change.
#[derive(Default)]
pub(super) struct ConnectionAccounts(Mutex<HashMap<ConnectionId, (Time, AccountId)>>);

/// The maximum number of entries; when it is reached, all are dropped.
const ACCOUNTS_MAX: usize = 1024;

impl ConnectionAccounts {
    fn of(&self, connection: &Connection) -> Option<AccountId> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&connection.id).filter(|(at, _)| *at == connection.updated).map(|(_, account)| *account)
    }

    fn insert(&self, connection: &Connection, account: AccountId) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ACCOUNTS_MAX {
            known.clear();
        }
        known.insert(connection.id, (connection.updated, account));
    }
}

/// Returns access with settings and secrets that need not be stored.
pub(super) fn access(
    settings: &ConnectionSettings,
    secret: &str,
    roles_anywhere: Option<RolesAnywhere>,
    role: Option<&AssumedRole>,
) -> Access {
    let roles = settings.role.iter().chain(role).map(|role| RoleToAssume {
        arn: role.arn.clone(),
        external_id: role.external_id.clone(),
        session_name: SessionName::shaped_from("claviger"),
    });
    Access {
        partition: settings.cloud,
        keys: AccessKeys {
            id: settings.access_key_id.clone(),
            secret: Zeroizing::new(secret.to_owned()),
            session_token: None,
        },
        roles_anywhere,
        region: settings.region_or_default(),
        sts: settings.sts_endpoints,
        roles: roles.collect(),
    }
}
