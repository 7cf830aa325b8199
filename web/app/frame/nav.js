/** The sidebar's entries: where each leads, who may use it, and where its count comes from. */

/**
 * @typedef {object} Entry
 * @property {string} href
 * @property {string} label
 * @property {string} icon
 * @property {string} [count] the list whose total is shown; changes of it are read again
 * @property {Record<string, any>} [query]
 * @property {string} [key] after G, as in "G then K"
 * @property {string[]} [groups] only members see it; members of `admin` see everything
 */

/** @type {Array<{title: string, entries: Entry[]}>} */
export const NAV = [
  { title: '', entries: [{ href: '/', label: 'Overview', icon: 'layout-dashboard', key: 'o' }] },
  {
    title: 'Keys',
    entries: [
      { href: '/cckm/aws/keys', label: 'Keys', icon: 'key-round', count: '/cckm/aws/keys', query: { gone: false }, key: 'k' },
      { href: '/cckm/aws/custom-key-stores', label: 'Key stores', icon: 'vault', count: '/cckm/aws/custom-key-stores', key: 's' },
      { href: '/vault/keys2', label: 'Source keys', icon: 'folder-key', count: '/vault/keys2' },
      { href: '/cckm/aws/templates', label: 'Policy templates', icon: 'file-braces', count: '/cckm/aws/templates' },
    ],
  },
  {
    title: 'AWS',
    entries: [
      { href: '/cckm/aws/kms', label: 'KMSs', icon: 'cloud', count: '/cckm/aws/kms', key: 'm' },
      { href: '/connectionmgmt/services/aws/connections', label: 'Connections', icon: 'plug', count: '/connectionmgmt/services/aws/connections', groups: ['Connection Admins', 'CCKM Admins'] },
    ],
  },
  {
    title: 'Work',
    entries: [
      { href: '/scheduler/job-configs', label: 'Schedules', icon: 'calendar-clock', count: '/scheduler/job-configs' },
      { href: '/jobs', label: 'Jobs', icon: 'list-checks' },
      { href: '/cckm/aws/reports', label: 'Reports', icon: 'file-chart-column' },
    ],
  },
  {
    title: 'Trust',
    entries: [
      { href: '/cckm/aws/posture', label: 'Posture', icon: 'shield-check', key: 'p' },
      { href: '/alarms', label: 'Alarms', icon: 'bell', count: '/alarms', query: { state: 'on' } },
      { href: '/audit/records', label: 'Audit log', icon: 'scroll-text', key: 'a', groups: [] },
      { href: '/usermgmt/users', label: 'Users and groups', icon: 'users', count: '/usermgmt/users', key: 'u', groups: ['User Admins'] },
      { href: '/backups', label: 'Operation', icon: 'server', groups: [] },
    ],
  },
];

/** Whether a user may ever use an entry. @param {Entry} entry @param {string[]} groups those of the user */
export const mayUse = (entry, groups) => entry.groups === undefined || groups.includes('admin') || entry.groups.some((group) => groups.includes(group));

/** Whether an entry is the one of a path. @param {Entry} entry @param {string} path */
export function isAt(entry, path) {
  if (entry.href === '/') return path === '/';
  if (entry.href === '/backups' && (path.startsWith('/configs/') || path.startsWith('/system/'))) return true;
  if (entry.href === '/cckm/aws/posture' && path === '/cckm/aws/drift-events') return true;
  if (entry.href === '/jobs' && ['/cckm/aws/synchronization-jobs', '/cckm/aws/bulkjob', '/scheduler/jobs'].some((start) => path.startsWith(start))) return true;
  if (entry.href === '/usermgmt/users' && path.startsWith('/usermgmt/')) return true;
  if (entry.href === '/vault/keys2' && path.startsWith('/cckm/virtual/')) return true;
  if (entry.href === '/audit/records' && path.startsWith('/audit/')) return true;
  if (entry.href === '/cckm/aws/keys' && /^\/cckm\/aws\/(upload-key|create-\w+-key)/.test(path)) return true;
  return path === entry.href || path.startsWith(`${entry.href}/`);
}
