//! The use cases: validate against the state, ask AWS if needed, hand a command to the ledger. The only place that
//! joins the two. Used by `http`; knows nothing of requests and answers.

pub mod access;
mod account_probes;
mod attempts;
mod authority;
pub mod bulk_jobs;
pub mod caller;
pub mod cloud;
pub mod connections;
pub mod failure;
pub mod groups;
pub mod history;
pub mod iam;
mod jwt;
mod keyring_check;
pub mod keys;
pub mod kms;
pub mod list;
pub mod lockout;
pub mod material;
pub mod passwords;
pub mod schedules;
pub mod source_keys;
pub mod sync_jobs;
pub mod templates;
pub mod tokens;
pub mod users;
#[cfg(test)]
mod world;

use crate::aws::kms::port::AwsKms;
use crate::aws::port::Aws;
use crate::domain::event::{Actor, Event, Sealed};
use crate::domain::id::InstallationId;
use crate::domain::name::UserName;
use crate::domain::refusal::Refusal;
use crate::domain::state::{Command, State};
use crate::domain::time::Time;
use crate::keyring::{Keyring, Owner};
use crate::ledger::{Committed, Context, Ledger, Published};
use caller::Change;
use failure::Failure;
use std::sync::Arc;
use tokio::runtime::Handle;
use uuid::Uuid;
use zeroize::Zeroizing;

/// All use cases, as `http` gets them.
#[derive(Clone)]
pub struct Services {
    pub kms: kms::KmsAccounts,
    pub keys: keys::Keys,
    pub sync_jobs: sync_jobs::SyncJobs,
    /// Jobs that do the same to many keys.
    pub bulk_jobs: bulk_jobs::BulkJobs,
    pub connections: connections::Connections,
    pub source_keys: source_keys::SourceKeys,
    pub templates: templates::Templates,
    pub schedules: schedules::Schedules,
    /// Users and the password policy.
    pub users: users::Users,
    pub groups: groups::Groups,
    pub tokens: tokens::Tokens,
    core: Arc<Core>,
}

/// What every use case stands on.
pub struct Core {
    ledger: Ledger,
    keyring: Keyring,
    aws: Arc<dyn Aws>,
    aws_kms: Arc<dyn AwsKms>,
    clock: Clock,
    /// Where work goes on whose caller may go away.
    runtime: Handle,
    running_syncs: Arc<sync_jobs::Running>,
    /// The looks at accounts that are going on.
    account_probes: account_probes::AccountProbes,
    /// Whose the credentials of connections are.
    accounts: cloud::Accounts,
    /// The operations on keys that somebody is at.
    at_work: keys::AtWork,
    /// After how long what AWS does not show was not made.
    consistency_wait_seconds: i64,
}

/// Tells the time; a test gives its own.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// What services are built from.
pub struct Parts {
    pub ledger: Ledger,
    pub keyring: Keyring,
    pub aws: Arc<dyn Aws>,
    /// The way to AWS KMS.
    pub aws_kms: Arc<dyn AwsKms>,
    pub clock: Clock,
    /// How passwords are hashed.
    pub hashing: passwords::Hashing,
    /// How long refresh tokens live.
    pub refresh: tokens::RefreshDefaults,
    /// After how many seconds what AWS does not show was not made.
    pub consistency_wait_seconds: i64,
}

/// Who may do everything at the very first.
pub struct FirstAdmin {
    /// What that user signs in with.
    pub name: UserName,
    pub password: Zeroizing<String>,
    /// Must it be changed before anything else?
    pub must_change: bool,
}

impl Services {
    /// Puts them together. If the log is empty it begins here, with the first administrator that `first` tells; and
    /// data keys whose owners are gone are deleted.
    ///
    /// # Errors
    /// When the log or the keyring fails, or the two do not belong together.
    pub async fn start<E: From<Failure>>(
        parts: Parts,
        first: impl FnOnce() -> Result<FirstAdmin, E>,
    ) -> Result<Self, E> {
        let hasher = passwords::Hasher::new(parts.hashing)?;
        let core = Arc::new(Core {
            ledger: parts.ledger,
            keyring: parts.keyring,
            aws: parts.aws,
            aws_kms: parts.aws_kms,
            clock: parts.clock,
            runtime: Handle::current(),
            running_syncs: Arc::default(),
            account_probes: account_probes::AccountProbes::default(),
            accounts: cloud::Accounts::default(),
            at_work: keys::AtWork::default(),
            consistency_wait_seconds: parts.consistency_wait_seconds,
        });
        core.refuse_strays()?;
        let proof = users::Proof::new(core.clone(), hasher);
        let users = users::Users::new(core.clone(), proof.clone());
        if core.state().state.installation.is_none() {
            let id = InstallationId::new(Uuid::new_v4());
            let FirstAdmin { name, password, must_change } = first()?;
            users.install(tokens::new_token_key(&core, id)?, id, name, password, must_change).await?;
        }
        core.mark_begun()?;
        core.shred_orphans()?;
        core.reconcile_for_ever();
        let sync_jobs = sync_jobs::SyncJobs::new(core.clone());
        let bulk_jobs = bulk_jobs::BulkJobs::new(core.clone());
        sync_jobs.resume();
        bulk_jobs.resume();
        core.run_schedules_for_ever();
        Ok(Self {
            sync_jobs,
            bulk_jobs,
            kms: kms::KmsAccounts::new(core.clone()),
            keys: keys::Keys::new(core.clone()),
            templates: templates::Templates::new(core.clone()),
            schedules: schedules::Schedules::new(core.clone()),
            connections: connections::Connections::new(core.clone()),
            source_keys: source_keys::SourceKeys::new(core.clone()),
            users,
            groups: groups::Groups::new(core.clone()),
            tokens: tokens::Tokens::new(core.clone(), proof, parts.refresh)?,
            core,
        })
    }

    /// Does the log still take changes?
    pub fn is_accepting(&self) -> bool {
        self.core.ledger.is_accepting()
    }

    pub fn now(&self) -> Time {
        self.core.now()
    }

    /// The log itself, for those who read it whole.
    pub fn ledger(&self) -> &Ledger {
        &self.core.ledger
    }

    /// The state as of now.
    pub fn state(&self) -> Arc<Published> {
        self.core.ledger.state()
    }
}

impl Core {
    fn state(&self) -> Arc<Published> {
        self.ledger.state()
    }

    /// What time it is, as the log counts it: never before the last record, even if the clock was set back since.
    fn now(&self) -> Time {
        (self.clock)().max(self.state().time)
    }

    /// Judges a command, and once more the right to it, in the writer, and records what comes of it; or, for a dry run,
    /// only judges.
    async fn carry_out(
        &self,
        change: &Change,
        command: impl Fn(&State, Time) -> Result<Command, Refusal> + Send + 'static,
    ) -> Result<Committed, Failure> {
        let context = Context { actor: change.actor.clone(), request_id: change.request_id.to_string() };
        let authority = change.authority.clone();
        let decide = move |state: &State, at: Time| -> Result<Vec<Event>, Refusal> {
            authority.iter().try_for_each(|authority| authority.authorize(state, at))?;
            state.decide(command(state, at)?)
        };
        if change.dry_run {
            return Ok(self.ledger.consider(decide)?);
        }
        Ok(self.ledger.execute(context, decide).await?)
    }

    /// The same for a command that does not depend on what the writer finds.
    async fn record(&self, change: &Change, command: Command) -> Result<Committed, Failure> {
        self.carry_out(change, move |_, _| Ok(command.clone())).await
    }

    /// Seals a secret; in a dry run nothing is written, so nothing is sealed either. A new owner's data key is synced
    /// to the disk, for which no other request waits.
    async fn seal(
        &self,
        change: &Change,
        owner: &Owner,
        purpose: &'static str,
        secret: &[u8],
    ) -> Result<Sealed, Failure> {
        if change.dry_run {
            return Ok(Sealed(Vec::new()));
        }
        let (keyring, owner, secret) = (self.keyring.clone(), owner.clone(), Zeroizing::new(secret.to_vec()));
        let sealing = self.runtime.spawn_blocking(move || keyring.seal(&owner, purpose, &secret));
        Ok(Sealed(sealing.await.map_err(|_| Failure::Internal("the program is stopping"))??))
    }

    /// Records a new owner whose secret was sealed a moment ago. One who is refused leaves no data key behind.
    async fn record_sealed(&self, change: &Change, owner: &Owner, command: Command) -> Result<Committed, Failure> {
        let made = self.record(change, command).await;
        // Only a refusal is sure to have recorded nothing; any other doubt is settled at the next start.
        if let Err(Failure::Refused(_)) = made {
            self.shred(change, owner).await;
        }
        made
    }

    fn unseal(&self, owner: &Owner, purpose: &'static str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Failure> {
        Ok(self.keyring.open_sealed(owner, purpose, &sealed.0)?)
    }

    /// Deletes the data key of an owner who is gone. The removal itself is recorded already, so a failure here is
    /// logged and made good at the next start.
    async fn shred(&self, change: &Change, owner: &Owner) {
        if change.dry_run {
            return;
        }
        let (keyring, owner) = (self.keyring.clone(), owner.clone());
        let shredding = self.runtime.spawn_blocking(move || {
            if let Err(failure) = keyring.shred(&owner) {
                tracing::error!(%failure, %owner, "the data key of a removed owner could not be deleted");
            }
        });
        // Cut off by the end of the program: made good at the next start, too.
        let _ = shredding.await;
    }
}

fn system_change(request_id: &str) -> Change {
    Change::of(Actor::System, request_id.into())
}
