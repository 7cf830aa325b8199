// The pages that are photographed and looked at by axe. A new page gets a line here.

/** @param {Awaited<ReturnType<typeof import('./seed.mjs').seed>>} world */
export function pages(world) {
  const key = `/cckm/aws/keys/${world.keys.cards.id}`;
  const kms = `/cckm/aws/kms/${world.payments.id}`;
  const connections = '/connectionmgmt/services/aws/connections';
  return [
    { name: 'overview', path: '/' },
    { name: 'keys', path: '/cckm/aws/keys?keymanager=CUSTOMER&gone=false', ready: 'tbody tr a' },
    { name: 'keys-selected', path: '/cckm/aws/keys?keymanager=CUSTOMER', ready: 'tbody tr a', act: async (page) => { for (const i of [2, 3, 5]) await page.click(`tbody tr:nth-child(${i}) .box`); } },
    { name: 'keys-none-match', path: '/cckm/aws/keys?keystate=Unavailable&origin=EXTERNAL', ready: '.empty' },
    { name: 'key-summary', path: key },
    { name: 'key-aliases', path: `${key}?tab=aliases` },
    { name: 'key-history', path: `${key}?tab=history` },
    { name: 'key-delete', path: key, act: async (page) => { await page.click('text=Schedule deletion…'); } },
    { name: 'kms-list', path: '/cckm/aws/kms', ready: 'tbody tr a' },
    { name: 'kms', path: kms },
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
    { name: 'connection-add', path: `${connections}?new=1`, ready: 'form' },
    { name: 'users', path: '/usermgmt/users', ready: 'tbody tr' },
    { name: 'user', path: `/usermgmt/users?open=${world.people.ids['operator-1']}`, ready: '.panel h3' },
    { name: 'user-add', path: '/usermgmt/users?new=1', ready: 'form' },
    { name: 'group', path: '/usermgmt/groups?open=payments-keyops', ready: '.panel h3' },
    { name: 'password-policy', path: '/usermgmt/pwdpolicies?open=global', ready: '.panel form' },
    { name: 'account', path: '/auth/self/user', ready: '.sessions' },
    { name: 'palette', path: '/cckm/aws/keys', act: async (page) => { await page.keyboard.press('Control+k'); await page.keyboard.type('card'); await page.waitForTimeout(600); } },
    { name: 'not-found', path: '/nothing/here' },
  ];
}
