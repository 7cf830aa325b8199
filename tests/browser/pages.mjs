// The pages that are photographed and looked at by axe. A new page gets a line here.
import { drift, grants } from './answers.mjs';

/**
 * @typedef {object} Page
 * @property {string} name
 * @property {string} path
 * @property {string} [ready] what is waited for
 * @property {(page: any) => Promise<void>} [act]
 * @property {() => Promise<any>} [prepare] what it needs first; it may answer how that is undone
 * @property {Array<[string, any]>} [answers] answers of the API, by path, of what a lab cannot have: what others did in AWS
 */

const CONNECTIONS = '/connectionmgmt/services/aws/connections';

/** Those of an installation with nothing in it. @returns {Page[]} */
export function emptyPages() {
  const at = (name, path) => ({ name: `empty-${name}`, path });
  return [
    at('overview', '/'), at('keys', '/cckm/aws/keys'), at('key-create', '/cckm/aws/keys?new=native'), at('key-stores', '/cckm/aws/custom-key-stores'), at('key-store-add', '/cckm/aws/custom-key-stores?new=1'),
    at('source-keys', '/vault/keys2'), at('virtual-keys', '/cckm/virtual/keys'), at('templates', '/cckm/aws/templates'), at('kms-list', '/cckm/aws/kms'), at('connections', CONNECTIONS), at('schedules', '/scheduler/job-configs'), at('jobs', '/jobs'),
    at('jobs-sync', '/jobs?tab=sync'), at('jobs-runs', '/jobs?tab=runs'), at('reports', '/cckm/aws/reports'), at('posture', '/cckm/aws/posture'), at('alarms', '/alarms'), at('audit', '/audit/records?success=false'), at('checkpoints', '/audit/checkpoints'),
    at('backups', '/backups'), at('syslogs', '/configs/syslogs'), at('metrics', '/system/metrics/prometheus/status'),
  ];
}

/** Those before a sign-in. @param {Awaited<ReturnType<typeof import('./seed.mjs').seed>>} world @returns {Page[]} */
export function signedOutPages(world) {
  const typed = async (page, name, password) => {
    await page.fill('#sign-in-name', name);
    await page.fill('#sign-in-password', password);
    await page.click('button[type=submit]');
  };
  const due = { username: 'password-due', password: 'Lab-first-2026-pass' };
  return [
    { name: 'sign-in', path: '/', ready: '#sign-in-name' },
    { name: 'sign-in-wrong', path: '/', ready: '#sign-in-name', act: async (page) => { await typed(page, 'operator-9', 'not the password'); await page.waitForSelector('.note.danger'); } },
    {
      name: 'sign-in-locked', path: '/', ready: '#sign-in-name',
      act: async (page) => {
        for (let i = 0; i < 20 && (await page.locator('.note.warn').count()) === 0; i += 1) {
          await typed(page, 'operator-8', `not the password ${i}`);
          await page.waitForFunction(() => !document.querySelector('button[type=submit]')?.textContent?.includes('Signing'));
        }
        await page.waitForSelector('.note.warn:has-text("Locked until")');
      },
    },
    {
      name: 'sign-in-due', path: '/', ready: '#sign-in-name', act: async (page) => { await typed(page, due.username, due.password); await page.waitForSelector('#sign-in-next'); },
      prepare: async () => {
        const made = await world.call('POST', 'usermgmt/users', { ...due, password_change_required: true });
        return () => world.call('DELETE', `usermgmt/users/${made.user_id}`);
      },
    },
  ];
}

/** @param {Awaited<ReturnType<typeof import('./seed.mjs').seed>>} world @returns {Page[]} */
export function pages(world) {
  const key = `/cckm/aws/keys/${world.keys.cards.id}`;
  const kms = `/cckm/aws/kms/${world.payments.id}`;
  const connections = CONNECTIONS;
  return [
    { name: 'overview', path: '/' },
    { name: 'overview-principal', path: '/', ready: '.attention', act: async (page) => { await page.fill('[aria-label^="A key, or"]', `arn:aws:iam::${world.keys.cards.account_id}:role/statements-reader`); await page.keyboard.press('Enter'); await page.waitForSelector('.answers'); } },
    { name: 'keys', path: '/cckm/aws/keys?keymanager=CUSTOMER&gone=false', ready: 'tbody tr a' },
    { name: 'keys-selected', path: '/cckm/aws/keys?keymanager=CUSTOMER', ready: 'tbody tr a', act: async (page) => { for (const i of [2, 3, 5]) await page.click(`tbody tr:nth-child(${i}) .box`); } },
    { name: 'keys-by-link', path: '/cckm/aws/keys?rotated_by=schedule', ready: 'tbody tr a' },
    { name: 'keys-none-match', path: '/cckm/aws/keys?keystate=Unavailable&origin=EXTERNAL', ready: '.empty' },
    { name: 'key-summary', path: key },
    { name: 'key-aliases', path: `${key}?tab=aliases` },
    { name: 'key-history', path: `${key}?tab=history` },
    { name: 'key-delete', path: key, act: async (page) => { await page.click('text=Schedule deletion…'); } },
    { name: 'key-delete-call', path: key, act: async (page) => { await page.click('text=Schedule deletion…'); await page.click('dialog [aria-label="This as a call of the API"]'); } },
    { name: 'key-policy', path: `${key}?tab=policy`, act: async (page) => { await page.click('text=Difference'); } },
    { name: 'key-policy-people', path: `${key}?tab=policy` },
    { name: 'key-access', path: `${key}?tab=access` },
    { name: 'key-materials', path: `/cckm/aws/keys/${world.keys['card-vault'].id}?tab=materials`, ready: '.time-line' },
    { name: 'key-replicas', path: `/cckm/aws/keys/${world.keys['mfa-secrets'].id}?tab=replicas`, ready: '.spot-name' },
    { name: 'key-grants', path: `${key}?tab=grants`, ready: '.empty' },
    { name: 'key-grants-rows', path: `${key}?tab=grants`, ready: 'table[aria-label="Grants"]', answers: [[`${key}/grants`, grants(world.keys.cards)]] },
    { name: 'key-past', path: `${key}?at=${world.begun}`, ready: '.timebar' },
    { name: 'key-past-policy', path: `${key}?tab=policy&at=${world.begun}`, ready: '.timebar' },
    { name: 'key-held', path: `/cckm/aws/keys/${world.held.id}?tab=held`, ready: 'tbody tr a' },
    { name: 'key-rotate', path: key, act: async (page) => { await page.click('.actions button:has-text("Rotate")'); } },
    { name: 'key-create', path: '/cckm/aws/keys?new=native', ready: '.wizard' },
    { name: 'key-upload', path: '/cckm/aws/upload-key?step=2', ready: '.source-pick' },
    { name: 'key-hyok', path: '/cckm/aws/create-hyok-key?step=2', ready: '.source-pick' },
    { name: 'posture', path: '/cckm/aws/posture?open=no_rotation', ready: '.broken li' },
    { name: 'key-stores', path: '/cckm/aws/custom-key-stores', ready: 'tbody tr a' },
    { name: 'key-store', path: `/cckm/aws/custom-key-stores/${world.store.id}`, ready: '.store-switch' },
    { name: 'key-store-rules', path: `/cckm/aws/custom-key-stores/${world.store.id}?tab=rules` },
    { name: 'key-store-settings', path: `/cckm/aws/custom-key-stores/${world.store.id}?tab=settings`, ready: 'form .form' },
    { name: 'key-store-add', path: '/cckm/aws/custom-key-stores?new=1', ready: 'form' },
    { name: 'key-store-add-hsm', path: '/cckm/aws/custom-key-stores?new=cloudhsm', ready: 'form .form' },
    { name: 'source-keys', path: '/vault/keys2', ready: 'tbody tr a' },
    { name: 'source-key', path: '/vault/keys2/cards-2026-q4' },
    { name: 'source-key-add', path: '/vault/keys2?new=1', ready: 'form' },
    { name: 'source-key-export', path: '/vault/keys2/cards-2026-q4', ready: '[aria-label="More acts"]', act: async (page) => { await page.click('[aria-label="More acts"]'); await page.click('text=Export wrapped…'); } },
    { name: 'virtual-keys', path: '/cckm/virtual/keys', ready: 'tbody tr' },
    { name: 'virtual-key', path: `/cckm/virtual/keys?open=${world.held.id}`, ready: '.panel h3' },
    { name: 'templates', path: '/cckm/aws/templates', ready: 'tbody tr a' },
    { name: 'template', path: `/cckm/aws/templates/${world.template.id}` },
    { name: 'template-add', path: '/cckm/aws/templates?new=1', ready: '.editor' },
    { name: 'schedules', path: '/scheduler/job-configs', ready: 'tbody tr', act: async (page) => { await page.click('tbody tr:first-child td:nth-child(3)'); } },
    { name: 'schedule-add', path: '/scheduler/job-configs?new=1', ready: 'form' },
    { name: 'jobs', path: '/jobs', ready: '[role=tablist]' },
    { name: 'jobs-sync', path: '/jobs?tab=sync', ready: '[role=tablist]' },
    {
      name: 'job', path: '/jobs?tab=sync', ready: 'tbody tr', act: async (page) => { await page.click('tbody tr:first-child td:nth-child(2)'); await page.waitForSelector('.panel .runs'); },
      prepare: () => world.call('POST', 'cckm/aws/synchronization-jobs', { kms: ['payments'] }).then(() => undefined),
    },
    { name: 'reports', path: '/cckm/aws/reports', ready: 'tbody tr a' },
    { name: 'report', path: `/cckm/aws/reports/${world.report.id}` },
    { name: 'report-add', path: '/cckm/aws/reports?new=1', ready: 'form' },
    { name: 'alarms', path: '/alarms', ready: '.state' },
    { name: 'webhooks', path: '/alarms?tab=webhooks', ready: '.empty' },
    {
      name: 'webhooks-rows', path: '/alarms?tab=webhooks', ready: 'tbody tr',
      prepare: async () => {
        const made = [];
        for (const [name, url, more] of [['on-call', 'https://alerts.example.org/claviger', {}], ['security-mailbox', 'https://hooks.example.org/mail', { enabled: false, kms: ['payments'] }]]) made.push(await world.call('POST', 'alarms/webhooks', { name, url, ...more }));
        return async () => { for (const one of made) await world.call('DELETE', `alarms/webhooks/${one.id}`); };
      },
    },
    { name: 'drift-rows', path: '/cckm/aws/drift-events', ready: 'tbody tr', answers: drift(world.keys.cards) },
    { name: 'drift-event', path: '/cckm/aws/drift-events?open=2', ready: '.panel h4', answers: drift(world.keys.cards) },
    { name: 'drift', path: '/cckm/aws/drift-events', ready: '.empty' },
    { name: 'backups', path: '/backups' },
    { name: 'syslogs', path: '/configs/syslogs' },
    { name: 'metrics', path: '/system/metrics/prometheus/status', answers: [['/system/metrics/prometheus/status', { enabled: true, token: 'of-the-picture' }]] },
    { name: 'kms-list', path: '/cckm/aws/kms', ready: 'tbody tr a' },
    { name: 'kms', path: kms },
    { name: 'kms-terraform', path: kms, act: async (page) => { await page.click('[aria-label="This page as a call of the API"]'); await page.click('button:has-text("Terraform")'); } },
    { name: 'kms-rights', path: `${kms}?tab=rights`, ready: '.matrix', act: async (page) => { await page.click('[data-cell="2 1"]'); await page.click('[data-cell="8 2"]'); } },
    { name: 'kms-rights-by-person', path: `${kms}?tab=rights`, ready: '.matrix', act: async (page) => { await page.click('text=By person'); } },
    { name: 'kms-iam-policy', path: `${kms}?tab=policy`, ready: '.json' },
    { name: 'kms-past', path: `${kms}?at=${world.people.before}`, ready: '.timebar' },
    { name: 'kms-delete', path: kms, act: async (page) => { await page.click('[aria-label="More acts"]'); await page.click('text=Delete…'); } },
    { name: 'kms-add', path: '/cckm/aws/kms?new=1', ready: '.wizard' },
    { name: 'audit', path: '/audit/records', ready: 'tbody tr' },
    { name: 'audit-record', path: `/audit/records?open=${world.people.record}`, ready: '.record' },
    { name: 'audit-refused', path: '/audit/records?success=false', ready: 'tbody tr' },
    { name: 'checkpoints', path: '/audit/checkpoints', ready: 'tbody tr' },
    { name: 'connections', path: connections, ready: 'tbody tr a' },
    { name: 'connection', path: `${connections}/dr-readonly` },
    { name: 'connection-settings', path: `${connections}/dr-readonly?tab=settings`, ready: 'form' },
    { name: 'connection-past', path: `${connections}/dr-readonly?at=${world.people.connected}`, ready: '.timebar' },
    { name: 'connection-add', path: `${connections}?new=1`, ready: 'form' },
    { name: 'users', path: '/usermgmt/users', ready: 'tbody tr' },
    { name: 'user', path: `/usermgmt/users?open=${world.people.ids['operator-1']}`, ready: '.panel h3' },
    { name: 'user-add', path: '/usermgmt/users?new=1', ready: 'form' },
    { name: 'groups', path: '/usermgmt/groups', ready: 'tbody tr' },
    { name: 'group', path: '/usermgmt/groups?open=payments-keyops', ready: '.panel h3' },
    { name: 'password-policy', path: '/usermgmt/pwdpolicies?open=global', ready: '.panel form' },
    { name: 'account', path: '/auth/self/user', ready: '.sessions' },
    { name: 'palette', path: '/cckm/aws/keys', act: async (page) => { await page.keyboard.press('Control+k'); await page.keyboard.type('card'); await page.waitForTimeout(600); } },
    { name: 'not-found', path: '/nothing/here' },
  ];
}

/** Those that are looked at with 100 000 keys. @returns {Page[]} */
export function manyPages() {
  return [
    { name: 'many-overview', path: '/', ready: '.attention a' },
    { name: 'many-keys', path: '/cckm/aws/keys', ready: 'tbody tr a' },
    { name: 'many-keys-searched', path: '/cckm/aws/keys?search=key-4', ready: 'tbody tr a' },
    { name: 'many-keys-last', path: '/cckm/aws/keys?skip=99990&limit=50', ready: 'tbody tr a' },
    { name: 'many-keys-selected', path: '/cckm/aws/keys?region=eu-west-1', ready: 'tbody tr a', act: async (page) => { await page.click('thead .box'); await page.click('text=/Select all .* that match/'); } },
    { name: 'many-posture', path: '/cckm/aws/posture', ready: 'main h1' },
    { name: 'many-kms', path: '/cckm/aws/kms', ready: 'tbody tr a' },
  ];
}
