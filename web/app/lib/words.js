/** The words of what the log records: without who, and before what it was done to. */

/** @type {Record<string, Record<string, string>>} by kind; of jobs with the step; `any` is of all kinds, and of attempts that were refused */
export const EVENTS = {
  any: {
    OperationDone: 'AWS has done it for', OperationFailed: 'AWS refused it for', OperationReconciled: 'found done',
    LoginRefused: 'was refused at sign-in', AccessDenied: 'was denied', ChangeRefused: 'was refused a change',
  },
  installation: {
    Created: 'began the installation', PasswordPolicyChanged: 'changed the password policy', PasswordPolicySet: 'set a password policy', PasswordPolicyDeleted: 'deleted a password policy', MetricsEnabled: 'switched the metrics on', MetricsDisabled: 'switched the metrics off',
    TokenKeyReplaced: 'replaced the key of tokens', MasterKeyReplaced: 'replaced the master key', Unsealed: 'unsealed the installation',
  },
  user: {
    Created: 'created the user', LoggedIn: 'signed in', LoginFailed: 'typed a wrong password', PasswordChanged: 'changed the password of', PasswordRehashed: 'hashed anew the password of', Removed: 'deleted the user', ProfileChanged: 'changed the profile of', Renamed: 'renamed the user',
    PasswordChangeRequired: 'asked for a new password of', LockoutCleared: 'ended the lockout of', PasswordPolicyAssigned: 'set the password policy of', PreferencesSet: 'set the preferences of',
  },
  group: { Created: 'created the group', MemberAdded: 'added a member to', MemberRemoved: 'took a member from', Removed: 'deleted the group', Described: 'described the group', Renamed: 'renamed the group' },
  session: { Opened: 'opened a session', Closed: 'closed a session', RefreshReused: 'used a refresh token twice', Refreshed: 'renewed a session', RefreshReplaced: 'renewed a session' },
  connection: {
    Created: 'added the connection', SettingsChanged: 'changed the connection', Renamed: 'renamed the connection', SecretReplaced: 'replaced the secret of', Tested: 'tested the connection', Deleted: 'deleted the connection',
    RolesAnywhereSet: 'set Roles Anywhere of', RolesAnywhereRemoved: 'took Roles Anywhere off',
  },
  kms: {
    Added: 'added the KMS', RegionsReplaced: 'changed the regions of', RegionsReplacedKeepingKeys: 'changed the regions of', ConnectionReplaced: 'changed the connection of', ConnectionReferenced: 'changed the reference to the connection of', RoleReplaced: 'changed the role of', AclsChanged: 'changed the rights on', Archived: 'archived', Recovered: 'recovered', Deleted: 'deleted the KMS',
  },
  key: {
    Found: 'found the key', Observed: 'read again', Vanished: 'found gone from AWS', RotationJobSet: 'set the schedule of', Forgotten: 'removed the entry of', Unmanaged: 'no longer manages', Replaced: 'replaced the key', AliasMoved: 'moved an alias of', MaterialNotRotated: 'could not rotate the material of',
    HyokCreated: 'created the HYOK key', HyokBlocked: 'blocked', HyokUnblocked: 'unblocked', HyokRotated: 'rotated', HyokLinked: 'linked to AWS', CallerRulesSet: 'set the caller rules of', EncryptionsCounted: 'counted the encryptions of',
    VirtualKeyMade: 'made the virtual key', VirtualKeyDeletable: 'changed whether one may delete', VirtualKeyDeleted: 'deleted the virtual key',
  },
  'source-key': {
    VersionCreated: 'made the source key', Created: 'made the source key', Described: 'described', MadeUnexportable: 'made unexportable', Exported: 'exported', ExportedWrapped: 'exported wrapped', UsageSet: 'set the usage of', UndeletableSet: 'changed whether one may delete', AttributesSet: 'set the attributes of', LifecycleSet: 'set the dates of',
    Revoked: 'revoked', Reactivated: 'reactivated', Archived: 'archived', Recovered: 'recovered', Destroyed: 'destroyed the material of', Deleted: 'deleted the source key',
  },
  template: { Created: 'created the template', PolicyReplaced: 'changed the template', Pushed: 'applied the template', Deleted: 'deleted the template', Verified: 'verified the template' },
  schedule: {
    Created: 'created the schedule', Updated: 'changed the schedule', Deleted: 'deleted the schedule', RunStarted: 'began a run of', RunFinished: 'ended a run of', KeyTreated: 'rotated a key by', StoreTreated: 'changed a key store by', RunOnChanged: 'changed the node of',
  },
  'key-store': {
    Created: 'created the key store', CloudHsmCreated: 'created the key store', Blocked: 'blocked', Unblocked: 'unblocked', Deleted: 'deleted the key store', CredentialAdded: 'added a credential to', CredentialRemoved: 'removed a credential of', Linked: 'linked', SettingsChanged: 'changed the key store', Renamed: 'renamed the key store', RotationScheduleSet: 'set the schedule of',
    Found: 'found the key store', Observed: 'read again', Vanished: 'found gone from AWS', CallsReported: 'counted the calls of', PasswordTold: 'told AWS the password of', Warned: 'warned of the key store',
  },
  job: {
    'Synchronisation.Started': 'began a synchronisation', 'Synchronisation.RegionFinished': 'synchronised a region', 'Synchronisation.RegionFailed': 'could not synchronise a region', 'Synchronisation.RegionLeft': 'left a region out', 'Synchronisation.CancelRequested': 'cancelled a synchronisation', 'Synchronisation.Finished': 'ended a synchronisation',
    'Synchronisation.KeyStoresStarted': 'began a synchronisation of key stores', 'Synchronisation.RegionLinked': 'linked the key stores of a region',
    'Bulk.Started': 'began a bulk job', 'Bulk.KeyDone': 'changed a key by a bulk job', 'Bulk.KeyFailed': 'could not change a key by a bulk job', 'Bulk.CancelRequested': 'cancelled a bulk job', 'Bulk.Finished': 'ended a bulk job',
    Synchronisation: 'synchronised', Bulk: 'ran a bulk job',
  },
  posture: { Counted: 'counted the findings of the day' },
  report: { Created: 'began the report', Completed: 'completed the report', Deleted: 'deleted the report', Failed: 'could not make the report' },
  webhook: { Created: 'created the webhook', Deleted: 'deleted the webhook', SettingsChanged: 'changed the webhook', Renamed: 'renamed the webhook', SecretReplaced: 'replaced the secret of', DeliveryFailed: 'could not deliver to' },
  alarm: { Raised: 'raised an alarm', Acknowledged: 'took note of an alarm', Cleared: 'cleared an alarm', Delivered: 'delivered an alarm', GivenUp: 'gave up delivering an alarm' },
  drift: { Found: 'found a change in AWS on', Read: 'read the changes in AWS of' },
  backup: { Requested: 'began a backup', Made: 'made a backup', Failed: 'could not make a backup', Deleted: 'deleted a backup' },
  forwarder: { Created: 'created the forwarder', Updated: 'changed the forwarder', Deleted: 'deleted the forwarder' },
};

/** @type {Record<string, Record<string, string>>} operations at AWS, by kind */
export const OPERATIONS = {
  key: {
    Create: 'created', CreateInStore: 'created', Upload: 'uploaded', Enable: 'enabled', Disable: 'disabled', ScheduleDeletion: 'scheduled the deletion of', CancelDeletion: 'cancelled the deletion of', PutPolicy: 'set the policy of', Describe: 'described', Tag: 'tagged', Untag: 'took tags off', AddAlias: 'gave an alias to', DeleteAlias: 'took an alias off',
    EnableRotation: 'had AWS rotate', DisableRotation: 'stopped the rotation of', RotateMaterial: 'rotated the material of', Rotate: 'rotated', ImportMaterial: 'imported material into', DeleteMaterial: 'deleted material of', Replicate: 'replicated', MovePrimary: 'moved the primary of', Link: 'made at AWS',
  },
  'key-store': {
    Link: 'made at AWS', CreateCloudHsm: 'made at AWS', Connect: 'connected', ConnectWith: 'connected', Disconnect: 'disconnected', Update: 'changed the key store', Amend: 'changed the key store', RotateCredential: 'told AWS the credential of', Delete: 'deleted the key store',
  },
};
