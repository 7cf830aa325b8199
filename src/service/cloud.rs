//! How a connection, and the roles assumed over it, become access to AWS; and what AWS says of the account there.

use super::account_probes::AccountProbes;
use super::failure::Failure;
use super::recorder::Recorder;
use super::secrets::Secrets;
use crate::aws::failure::AwsFailure;
use crate::aws::kms::port::{AwsKms, KmsCall, PagedCall, Pages};
use crate::aws::port::{Access, AccessKeys, Aws, RoleToAssume, SessionName};
use crate::domain::connection::{Connection, ConnectionSettings};
use crate::domain::id::{ConnectionId, KmsId};
use crate::domain::kms::{AccountProbe, AssumedRole, Kms};
use crate::domain::place::{AccountId, Region};
use crate::domain::refusal::ConnectionRefusal;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::keyring::Owner;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// What the sealing of a connection's secret access key is bound to.
pub(super) const SECRET_ACCESS_KEY: &str = "secret_access_key";

/// The owner of a connection's secrets.
pub(super) fn owner(id: ConnectionId) -> Owner {
    Owner::new("connection", id.uuid())
}

/// The accounts at AWS that KMSs and connections lead to.
pub(in crate::service) struct Cloud {
    recorder: Recorder,
    secrets: Secrets,
    pub aws: Arc<dyn Aws>,
    aws_kms: Arc<dyn AwsKms>,
    /// The looks at accounts that are going on.
    account_probes: AccountProbes,
    /// The principals of the connections' credentials.
    accounts: Accounts,
}

/// A region of a KMS, and access to it.
pub(in crate::service) struct RegionAccess {
    pub kms: KmsId,
    pub region: Region,
    access: Access,
    aws: Arc<dyn AwsKms>,
}

impl RegionAccess {
    /// Asks AWS KMS in this region.
    pub(in crate::service) async fn call<C: KmsCall>(&self, call: C) -> Result<C::Answer, AwsFailure> {
        self.aws.call(&self.access, &self.region, call).await
    }

    /// Asks AWS KMS in another region of the same account.
    pub(in crate::service) async fn call_in<C: KmsCall>(
        &self,
        region: &Region,
        call: C,
    ) -> Result<C::Answer, AwsFailure> {
        self.aws.call(&self.access, region, call).await
    }

    /// All pages of a list of this region, from the one that `first` asks for.
    pub(in crate::service) fn pages<C: PagedCall>(&self, first: C) -> Pages<'_, C> {
        self.aws.pages(&self.access, &self.region, first)
    }
}

impl Cloud {
    pub(super) fn new(recorder: Recorder, secrets: Secrets, aws: Arc<dyn Aws>, aws_kms: Arc<dyn AwsKms>) -> Self {
        let (account_probes, accounts) = (AccountProbes::default(), Accounts::default());
        Self { recorder, secrets, aws, aws_kms, account_probes, accounts }
    }

    /// Access to a region of a KMS.
    pub(super) async fn region(&self, kms: KmsId, region: &Region) -> Result<RegionAccess, Failure> {
        let published = self.recorder.state();
        let kms = published.state.kms(kms)?;
        let access = self.access_to(&published.state, kms).await?;
        Ok(RegionAccess { kms: kms.id, region: region.clone(), access, aws: self.aws_kms.clone() })
    }

    /// Asks AWS who we are over this connection (and role), and which regions are enabled there.
    pub(super) async fn probe(
        &self,
        connection: &Connection,
        role: Option<&AssumedRole>,
    ) -> Result<AccountProbe, Failure> {
        self.probe_account(connection, role, |_| false).await
    }

    /// The same, unless AWS was asked a moment ago and what it said `suffices`.
    pub(super) async fn probe_account(
        &self,
        connection: &Connection,
        role: Option<&AssumedRole>,
        suffices: impl Fn(&AccountProbe) -> bool,
    ) -> Result<AccountProbe, Failure> {
        let access = self.access(connection, role)?;
        let look = async {
            let caller = self.aws.caller(&access).await?;
            let enabled = self.aws.enabled_regions(&access).await?;
            Ok(AccountProbe { account: caller.account, arn: caller.arn, enabled })
        };
        Ok(self.account_probes.share((connection.id, connection.updated, role.cloned()), suffices, look).await?)
    }

    /// Access to a KMS: over its connection, with its role, to its account and to no other. Whoever may change a
    /// connection could else have keys made, and material sent, in an account of their own.
    pub(super) async fn access_to(&self, state: &State, kms: &Kms) -> Result<Access, Failure> {
        let connection = state.connection(kms.connection)?;
        let access = self.access(connection, kms.role.as_ref())?;
        // A role that is assumed says itself whose it is.
        if let Some(role) = kms.role.as_ref().or(connection.settings.role.as_ref()) {
            refuse_other(connection, kms, role.arn.account())?;
        } else if self.accounts.of(connection) != Some(kms.account) {
            refuse_other(connection, kms, self.aws.caller(&access).await?.account)?;
            self.accounts.remember(connection, kms.account);
        }
        Ok(access)
    }

    /// Refuses credentials with which a connection would lead to another account than those of the KMSs over it. What
    /// does not touch credentials, or what no KMS rests on, AWS is not asked about.
    pub(super) async fn refuse_other_account(
        &self,
        state: &State,
        connection: &Connection,
        to: &ConnectionSettings,
        secret: Option<&str>,
    ) -> Result<(), Failure> {
        let now = &connection.settings;
        // With a role of its own a KMS stays in the role's account, whoever assumes it.
        let mut resting = state.kms.iter().filter(|kms| kms.connection == connection.id && kms.role.is_none());
        let Some(kms) = resting.next() else { return Ok(()) };
        if secret.is_none() && to.access_key_id == now.access_key_id && to.role == now.role {
            return Ok(());
        }
        let stored = self.secret(connection)?;
        let caller = self.aws.caller(&access(to, secret.unwrap_or(&stored), None)).await?;
        refuse_other(connection, kms, caller.account)
    }

    fn secret(&self, connection: &Connection) -> Result<Zeroizing<String>, Failure> {
        let secret = self.secrets.unseal(&owner(connection.id), SECRET_ACCESS_KEY, &connection.secret)?;
        let secret = std::str::from_utf8(&secret).map_err(|_| Failure::Internal("a sealed secret is not text"))?;
        Ok(Zeroizing::new(secret.to_owned()))
    }

    /// Access over a stored connection.
    pub(super) fn access(&self, connection: &Connection, role: Option<&AssumedRole>) -> Result<Access, Failure> {
        Ok(access(&connection.settings, &self.secret(connection)?, role))
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

/// The principals of the connections' credentials, as AWS said after each connection's last change: the account of
/// credentials never changes.
#[derive(Default)]
pub(super) struct Accounts(Mutex<HashMap<ConnectionId, (Time, AccountId)>>);

/// So many connections are remembered; then all are asked about anew.
const REMEMBERED_MAX: usize = 1024;

impl Accounts {
    fn of(&self, connection: &Connection) -> Option<AccountId> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&connection.id).filter(|(at, _)| *at == connection.updated).map(|(_, account)| *account)
    }

    fn remember(&self, connection: &Connection, account: AccountId) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(connection.id, (connection.updated, account));
    }
}

/// Access with settings and a secret that need not be stored.
pub(super) fn access(settings: &ConnectionSettings, secret: &str, role: Option<&AssumedRole>) -> Access {
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
        region: settings.region.clone(),
        sts: settings.sts_endpoints,
        roles: roles.collect(),
    }
}
