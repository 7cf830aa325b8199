//! Every refusal of the domain: what is the case, and what the message needs. `http::error` gives each its status.

use super::group::SystemGroup;
use super::id::{JobId, KeyId, UserId};
use super::key::name::AliasName;
use super::name::{ConnectionName, GroupName, KmsName, ScheduleName, SourceKeyName, TemplateName, UserName};
use super::password::{PasswordProblem, PolicyProblem};
use super::place::{AccountId, Partition, Region, RoleArn};

/// Why something is not done. Messages name the member, the value and the remedy.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Refusal {
    /// A member of the request does not hold what it should.
    #[error("{member}: {problem}")]
    Invalid {
        /// Which member.
        member: &'static str,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// No such KMS, or none that the caller may see.
    #[error("AWS KMS {0} does not exist")]
    KmsUnknown(String),
    /// The name is in use.
    #[error("name: there is a KMS named `{0}` already; choose another name")]
    KmsNameTaken(KmsName),
    /// A region is managed under another name.
    #[error("regions: `{region}` of account {account} is managed by the KMS `{by}` already")]
    RegionTaken {
        /// Which region.
        region: Region,
        /// Of which account.
        account: AccountId,
        /// By which KMS.
        by: KmsName,
    },
    /// A region is there twice.
    #[error("regions: `{0}` is given twice")]
    RegionDuplicated(Region),
    /// No regions.
    #[error("regions: at least one region is needed")]
    RegionsEmpty,
    /// A region of another partition.
    #[error("regions: `{region}` is not a region of partition `{partition}`")]
    RegionElsewhere {
        /// Which region.
        region: Region,
        /// Which partition it would have to be in.
        partition: Partition,
    },
    /// AWS does not list the region as enabled.
    #[error("regions: `{region}` is not enabled in account {account}; enabled are {}", listed(.enabled))]
    RegionNotEnabled {
        /// Which region.
        region: Region,
        /// In which account.
        account: AccountId,
        /// Which are.
        enabled: Vec<Region>,
    },
    /// The credentials belong to another account.
    #[error("account_id: the credentials belong to account {actual}, not to {claimed}")]
    AccountMismatch {
        /// Which account it was said to be.
        claimed: AccountId,
        /// Which it is.
        actual: AccountId,
    },
    /// The key has a replica there.
    #[error("replica_region: there is a replica of this key in `{0}` already (AlreadyExistsException)")]
    ReplicaThere(Region),
    /// A key is to be replaced by one with the same policy, and nobody here may read that.
    #[error("the policy of AWS key {0} may not be read (kms:GetKeyPolicy), and the key that replaces it is to have it")]
    PolicyUnreadable(KeyId),
    /// What a KMS is to be changed to leads to another account.
    #[error("{member}: leads to account {actual}, and the KMS is of account {account}")]
    KmsLedElsewhere {
        /// The member of the request.
        member: &'static str,
        /// The account of the KMS.
        account: AccountId,
        /// Where it would lead.
        actual: AccountId,
    },
    /// Somebody else changed the role in the meantime.
    #[error("the role of KMS `{0}` was changed by somebody else meanwhile; look at it and try again")]
    KmsChanged(KmsName),
    /// An external id, and no role to assume with it.
    #[error("assume_role_external_id: can be given only together with assume_role_arn")]
    ExternalIdAlone,
    /// Credentials of another account than that of a KMS over the same connection.
    #[error("connection `{connection}` leads to account {actual}, but the KMS `{kms}` over it is of account {account}")]
    ConnectionLeadsElsewhere {
        /// Which connection.
        connection: ConnectionName,
        /// Which KMS.
        kms: KmsName,
        /// Of which account that is.
        account: AccountId,
        /// To which account the connection leads.
        actual: AccountId,
    },
    /// A role of another partition.
    #[error("assume_role_arn: `{}` is not in partition `{partition}`", .role.as_arn())]
    RoleElsewhere {
        /// Which role.
        role: RoleArn,
        /// Which partition it would have to be in.
        partition: Partition,
    },
    /// A connection of another partition.
    #[error("connection: `{connection}` is not a connection to partition `{partition}`")]
    ConnectionElsewhere {
        /// Which connection.
        connection: ConnectionName,
        /// Which partition it would have to be in.
        partition: Partition,
    },
    /// More than one thing would change.
    #[error("only one of connection, regions and assume_role_arn can be changed at a time")]
    SeveralChanges,
    /// A KMS that is put away.
    #[error("AWS KMS `{0}` is archived: it can be viewed, recovered or deleted")]
    KmsArchived(KmsName),
    /// A KMS that is not.
    #[error("AWS KMS `{0}` is not archived")]
    KmsNotArchived(KmsName),
    /// No such key, or none that the caller may see.
    #[error("AWS key {0} does not exist")]
    KeyUnknown(String),
    /// The id is in use.
    #[error("there is a key {0} already")]
    KeyExists(KeyId),
    /// AWS does not have the key any more.
    #[error("AWS does not have key {0} any more: its entry can be viewed and deleted")]
    KeyGone(KeyId),
    /// AWS still has the key.
    #[error("AWS still has key {0}: schedule its deletion; the entry can be deleted once the key is gone")]
    KeyNotGone(KeyId),
    /// Another key has the alias, and keeps it for now.
    #[error("alias: `{alias}` belongs to key {by}, which is pending deletion and keeps it until then")]
    AliasHeld {
        /// Which alias.
        alias: AliasName,
        /// Which key has it.
        by: KeyId,
    },
    /// A key that the caller may not see has the alias.
    #[error("alias: `{0}` is taken in this region; choose another one")]
    AliasTaken(AliasName),
    /// The key does not have the alias.
    #[error("alias: key {key} does not have the alias `{alias}`")]
    AliasUnknown {
        /// Which alias.
        alias: AliasName,
        /// Which key.
        key: KeyId,
    },
    /// Only asymmetric keys have a public half.
    #[error("key {0} is not asymmetric: it has no public key")]
    NotAsymmetric(KeyId),
    /// A schedule can rotate only keys of one's own whose material AWS or we make.
    #[error(
        "key {0} cannot be rotated by a schedule: only keys that AWS does not manage itself, of origin AWS_KMS or EXTERNAL, can"
    )]
    NotRotatable(KeyId),
    /// Only multi-region primaries can be replicated.
    #[error("key {0} is not the primary key of a multi-region family: only such a key can be replicated")]
    NotPrimary(KeyId),
    /// It was replaced already.
    #[error("key {id} was rotated already: key {to} has taken its place")]
    KeyRotated {
        /// Which.
        id: KeyId,
        /// What replaced it.
        to: KeyId,
    },
    /// An operation on the key is under way.
    #[error("another operation on key {0} is under way; try again in a moment")]
    KeyBusy(KeyId),
    /// No such job, or none that the caller may see.
    #[error("job {0} does not exist")]
    JobUnknown(String),
    /// It cannot be cancelled any more.
    #[error("job {0} has ended: only a job in progress can be cancelled")]
    JobEnded(JobId),
    /// Another job goes through the region.
    #[error("region `{region}` is being synchronised by job {job}: wait for its end, or cancel it")]
    RegionBeingSynchronised {
        /// Which region.
        region: Region,
        /// Which job.
        job: JobId,
    },
    /// The KMS does not manage the region.
    #[error("region: `{region}` is not managed by AWS KMS `{kms}`; managed are {}", listed(.managed))]
    RegionNotManaged {
        /// Which region.
        region: Region,
        /// By which KMS.
        kms: KmsName,
        /// Which are.
        managed: Vec<Region>,
    },
    /// AWS is being asked something there.
    #[error("operations on keys of AWS KMS `{0}` are under way; try again in a moment")]
    KmsBusy(KmsName),
    /// The KMS still knows keys there.
    #[error("regions: {count} keys in `{region}` are managed; repeat with \"force\": true to forget them")]
    RegionHasKeys {
        /// In which region.
        region: Region,
        /// How many.
        count: usize,
    },
    /// No such connection.
    #[error("connection `{0}` does not exist")]
    ConnectionUnknown(String),
    /// The name is in use.
    #[error("name: there is a connection named `{0}` already; choose another name")]
    ConnectionNameTaken(ConnectionName),
    /// KMSs need it.
    #[error("connection `{connection}` is used by {}", listed(.by))]
    ConnectionInUse {
        /// Which connection.
        connection: ConnectionName,
        /// By which KMSs (the first few).
        by: Vec<KmsName>,
    },
    /// KMSs need it to stay in its partition.
    #[error("cloud_name: connection `{connection}` is used by {} and stays in its cloud", listed(.by))]
    ConnectionCloudFixed {
        /// Which connection.
        connection: ConnectionName,
        /// By which KMSs (the first few).
        by: Vec<KmsName>,
    },
    /// No such source key.
    #[error("source key `{0}` does not exist")]
    SourceKeyUnknown(String),
    /// The name is in use.
    #[error("name: there is a source key named `{0}` already; choose another name")]
    SourceKeyNameTaken(SourceKeyName),
    /// Its material must stay here.
    #[error("source key `{0}` is unexportable, and stays so: its material leaves only into AWS keys")]
    SourceKeyUnexportable(SourceKeyName),
    /// It is never to be deleted.
    #[error("source key `{0}` is undeletable")]
    SourceKeyUndeletable(SourceKeyName),
    /// Its material is being imported.
    #[error("an import of source key `{0}` into an AWS key is under way; try again in a moment")]
    SourceKeyBusy(SourceKeyName),
    /// No such user.
    #[error("user `{0}` does not exist")]
    UserUnknown(String),
    /// The name is in use.
    #[error("username: there is a user named `{0}` already; choose another name")]
    UserNameTaken(UserName),
    /// A password that the policy does not allow.
    #[error("password: {0}")]
    PasswordRejected(#[from] PasswordProblem),
    /// The same where the present password is given as well.
    #[error("new_password: {0}")]
    NewPasswordRejected(PasswordProblem),
    /// A policy that cannot be lived with.
    #[error("{0}")]
    PolicyRejected(#[from] PolicyProblem),
    /// Wrong user name or password: never said which.
    #[error("the user name or the password is wrong")]
    BadCredentials,
    /// Too many failures.
    #[error("too many failed logins for this user name from this address; try again in {seconds} s")]
    LoginLocked {
        /// Until it may be tried again.
        seconds: i64,
    },
    /// The right was there when the request began, and is not any more.
    #[error("your session was closed, or your right to do this withdrawn, before it was done; nothing was changed")]
    RightWithdrawn,
    /// The password must be changed first.
    #[error("the password must be changed first: PATCH /api/v1/auth/changepw with username, password and new_password")]
    PasswordChangeDue,
    /// A refresh token that is unknown, revoked or past its end: never said which.
    #[error("refresh_token: it is not, or no longer, valid; sign in again")]
    RefreshTokenInvalid,
    /// No such token, or not the caller's.
    #[error("token `{0}` does not exist")]
    TokenUnknown(String),
    /// No such group.
    #[error("group `{0}` does not exist")]
    GroupUnknown(String),
    /// The name is in use.
    #[error("name: there is a group named `{0}` already; choose another name")]
    GroupNameTaken(GroupName),
    /// A group that always exists.
    #[error("group `{0}` is a system group and cannot be removed")]
    GroupIsSystem(GroupName),
    /// Not in the group.
    #[error("user `{}` is not in group `{group}`", .user.subject())]
    NotAMember {
        /// Who.
        user: UserId,
        /// Which group.
        group: GroupName,
    },
    /// Somebody must be left who may do everything.
    #[error("the last member of group `{}` cannot be removed", SystemGroup::Admin.name())]
    LastAdmin,
    /// The log has its first events already.
    #[error("this installation exists already")]
    AlreadyInstalled,
    /// No such policy template, or none that the caller may see.
    #[error("policy template `{0}` does not exist")]
    TemplateUnknown(String),
    /// The name is in use.
    #[error("name: there is a policy template named `{0}` already; choose another name")]
    TemplateNameTaken(TemplateName),
    /// Keys have its policy, and would be left with another.
    #[error(
        "auto_push: must be true: AWS has accepted the policy of `{0}` on a key, and the change is pushed to every key that has it"
    )]
    TemplateNeedsPush(TemplateName),
    /// Keys have its policy; how many is not for everybody. Clients look for `has one or more key associated`.
    #[error("policy template `{0}` has one or more key associated with it: they carry its tag")]
    TemplateInUse(TemplateName),
    /// No such template for keys of the account; whether another account has one is not said.
    #[error("policytemplate: there is no policy template `{template}` for keys of account {account}")]
    TemplateElsewhere {
        /// Its name or id.
        template: String,
        /// Whose key it was wanted for.
        account: AccountId,
    },
    /// No such schedule.
    #[error("schedule {0} does not exist")]
    ScheduleUnknown(String),
    /// The name is in use.
    #[error("name: there is a schedule named `{0}` already; choose another name")]
    ScheduleNameTaken(ScheduleName),
    /// The schedule does other work.
    #[error("job_config_id: schedule `{0}` does not rotate keys: its operation is not cckm_key_rotation")]
    ScheduleNotRotating(ScheduleName),
    /// Keys are under it.
    #[error("schedule `{schedule}` rotates {keys} keys: take them off it first, or repeat with ?force=true")]
    ScheduleHasKeys {
        /// Which schedule.
        schedule: ScheduleName,
        /// How many keys.
        keys: usize,
    },
    /// It runs at the moment.
    #[error("schedule `{schedule}` runs at the moment: job {run}")]
    ScheduleRunning {
        /// Which schedule.
        schedule: ScheduleName,
        /// Its run.
        run: JobId,
    },
    /// No such run of a schedule.
    #[error("job {0} does not exist")]
    RunUnknown(String),
}

fn listed<T: std::fmt::Display>(things: &[T]) -> String {
    things.iter().map(|thing| format!("`{thing}`")).collect::<Vec<_>>().join(", ")
}
