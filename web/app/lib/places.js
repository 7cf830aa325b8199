/** Where the resources of the API are, by their kinds in audit records and events. */

/** @type {Record<string, string>} the lists of what has a page of its own: `<list>/<id>` */
export const PLACES = {
  key: '/cckm/aws/keys',
  kms: '/cckm/aws/kms',
  connection: '/connectionmgmt/services/aws/connections',
  'source-key': '/vault/keys2',
  template: '/cckm/aws/templates',
  schedule: '/scheduler/job-configs',
  'key-store': '/cckm/aws/custom-key-stores',
  user: '/usermgmt/users',
  group: '/usermgmt/groups',
  report: '/cckm/aws/reports',
};

/** @type {Record<string, string>} all lists that an event may tell of */
export const LISTS = {
  ...PLACES,
  posture: '/cckm/aws/posture',
  drift: '/cckm/aws/drift-events',
  session: '/auth/tokens',
  alarm: '/alarms',
  webhook: '/alarms/webhooks',
  backup: '/backups',
};

/** The lists of long jobs. */
export const JOBS = { bulk: '/cckm/aws/bulkjob', sync: '/cckm/aws/synchronization-jobs', stores: '/cckm/aws/custom-key-stores/synchronization-jobs' };
