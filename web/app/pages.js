/**
 * Which page belongs to which address. A page is a module that is loaded when it is first shown; it gets the members of its path.
 * `new` in the query leads to the form of a resource.
 */
import { match } from './lib/query.js';

/**
 * @typedef {object} Page
 * @property {string} name
 * @property {string} path
 * @property {boolean} [create] only if the query has `new`
 * @property {() => Promise<any>} load
 */

/** @type {Page[]} */
const PAGES = [
  { name: 'overview', path: '/', load: async () => (await import('./pages/overview/overview.js')).Overview },
  { name: 'create-key', path: '/cckm/aws/keys', create: true, load: async () => (await import('./pages/keys/create.js')).CreateKey },
  { name: 'upload-key', path: '/cckm/aws/upload-key', load: async () => (await import('./pages/keys/create.js')).CreateKey },
  { name: 'create-hyok-key', path: '/cckm/aws/create-hyok-key', load: async () => (await import('./pages/keys/create.js')).CreateKey },
  { name: 'posture', path: '/cckm/aws/posture', load: async () => (await import('./pages/posture/posture.js')).Posture },
  { name: 'schedule-form', path: '/scheduler/job-configs', create: true, load: async () => (await import('./pages/schedules/form.js')).ScheduleForm },
  { name: 'schedules', path: '/scheduler/job-configs', load: async () => (await import('./pages/schedules/schedules.js')).Schedules },
  { name: 'schedule', path: '/scheduler/job-configs/{id}', load: async () => (await import('./pages/schedules/schedules.js')).OpenSchedule },
  { name: 'key-store-form', path: '/cckm/aws/custom-key-stores', create: true, load: async () => (await import('./pages/key-stores/form.js')).KeyStoreForm },
  { name: 'key-stores', path: '/cckm/aws/custom-key-stores', load: async () => (await import('./pages/key-stores/list.js')).KeyStoreList },
  { name: 'key-store', path: '/cckm/aws/custom-key-stores/{id}', load: async () => (await import('./pages/key-stores/detail.js')).KeyStoreDetail },
  { name: 'jobs', path: '/jobs', load: async () => (await import('./pages/jobs/jobs.js')).Jobs },
  { name: 'report-form', path: '/cckm/aws/reports', create: true, load: async () => (await import('./pages/reports/reports.js')).ReportForm },
  { name: 'reports', path: '/cckm/aws/reports', load: async () => (await import('./pages/reports/reports.js')).ReportList },
  { name: 'report', path: '/cckm/aws/reports/{id}', load: async () => (await import('./pages/reports/reports.js')).ReportDetail },
  { name: 'source-key-form', path: '/vault/keys2', create: true, load: async () => (await import('./pages/source-keys/form.js')).SourceKeyForm },
  { name: 'source-keys', path: '/vault/keys2', load: async () => (await import('./pages/source-keys/list.js')).SourceKeyList },
  { name: 'source-key', path: '/vault/keys2/{id}', load: async () => (await import('./pages/source-keys/detail.js')).SourceKeyDetail },
  { name: 'virtual-keys', path: '/cckm/virtual/keys', load: async () => (await import('./pages/source-keys/virtual.js')).VirtualKeys },
  { name: 'virtual-key', path: '/cckm/virtual/keys/{id}', load: async () => (await import('./pages/source-keys/virtual.js')).OpenVirtualKey },
  { name: 'template-form', path: '/cckm/aws/templates', create: true, load: async () => (await import('./pages/templates/templates.js')).TemplateForm },
  { name: 'templates', path: '/cckm/aws/templates', load: async () => (await import('./pages/templates/templates.js')).TemplateList },
  { name: 'template', path: '/cckm/aws/templates/{id}', load: async () => (await import('./pages/templates/templates.js')).TemplateDetail },
  { name: 'drift-events', path: '/cckm/aws/drift-events', load: async () => (await import('./pages/drift/drift.js')).DriftEvents },
  { name: 'alarms', path: '/alarms', load: async () => (await import('./pages/alarms/alarms.js')).Alarms },
  { name: 'backups', path: '/backups', load: async () => (await import('./pages/operation/backups.js')).Backups },
  { name: 'syslogs', path: '/configs/syslogs', load: async () => (await import('./pages/operation/syslogs.js')).Syslogs },
  { name: 'metrics', path: '/system/metrics/prometheus/status', load: async () => (await import('./pages/operation/metrics.js')).Metrics },
  { name: 'keys', path: '/cckm/aws/keys', load: async () => (await import('./pages/keys/list.js')).KeyList },
  { name: 'key', path: '/cckm/aws/keys/{id}', load: async () => (await import('./pages/keys/detail.js')).KeyDetail },
  { name: 'kms-list', path: '/cckm/aws/kms', load: async () => (await import('./pages/kms/list.js')).KmsList },
  { name: 'kms-add', path: '/cckm/aws/kms', create: true, load: async () => (await import('./pages/kms/add.js')).AddKms },
  { name: 'kms', path: '/cckm/aws/kms/{id}', load: async () => (await import('./pages/kms/detail.js')).KmsDetail },
  { name: 'audit', path: '/audit/records', load: async () => (await import('./pages/audit/list.js')).AuditLog },
  { name: 'audit-record', path: '/audit/records/{id}', load: async () => (await import('./pages/audit/record.js')).OpenRecord },
  { name: 'checkpoints', path: '/audit/checkpoints', load: async () => (await import('./pages/audit/checkpoints.js')).Checkpoints },
  { name: 'connections', path: '/connectionmgmt/services/aws/connections', load: async () => (await import('./pages/connections/list.js')).ConnectionList },
  { name: 'connection-add', path: '/connectionmgmt/services/aws/connections', create: true, load: async () => (await import('./pages/connections/add.js')).AddConnection },
  { name: 'connection', path: '/connectionmgmt/services/aws/connections/{id}', load: async () => (await import('./pages/connections/detail.js')).ConnectionDetail },
  { name: 'users', path: '/usermgmt/users', load: async () => (await import('./pages/users/list.js')).UserList },
  { name: 'user-add', path: '/usermgmt/users', create: true, load: async () => (await import('./pages/users/add.js')).AddUser },
  { name: 'user', path: '/usermgmt/users/{id}', load: async () => (await import('./pages/users/list.js')).OpenUser },
  { name: 'groups', path: '/usermgmt/groups', load: async () => (await import('./pages/users/groups.js')).GroupList },
  { name: 'group', path: '/usermgmt/groups/{name}', load: async () => (await import('./pages/users/groups.js')).OpenGroup },
  { name: 'password-policies', path: '/usermgmt/pwdpolicies', load: async () => (await import('./pages/users/policies.js')).PolicyList },
  { name: 'account', path: '/auth/self/user', load: async () => (await import('./pages/account/account.js')).Account },
];

const NOT_FOUND = { name: 'not-found', path: '', load: async () => (await import('./pages/not-found.js')).NotFound };

/** @param {string} path @param {Record<string, any>} query @returns {{page: Page, members: Record<string, string>}} */
export function find(path, query) {
  for (const wantsNew of [true, false]) {
    for (const page of PAGES) {
      if (Boolean(page.create) !== wantsNew || (wantsNew && query.new === undefined)) continue;
      const members = match(page.path, path);
      if (members) return { page, members };
    }
  }
  return { page: NOT_FOUND, members: {} };
}
