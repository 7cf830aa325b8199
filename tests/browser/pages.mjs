// The pages that are photographed and looked at by axe. A new page gets a line here.

/** @param {Awaited<ReturnType<typeof import('./seed.mjs').seed>>} world */
export function pages(world) {
  const key = `/cckm/aws/keys/${world.keys.cards.id}`;
  return [
    { name: 'overview', path: '/' },
    { name: 'keys', path: '/cckm/aws/keys?keymanager=CUSTOMER&gone=false', ready: 'tbody tr a' },
    { name: 'keys-selected', path: '/cckm/aws/keys?keymanager=CUSTOMER', ready: 'tbody tr a', act: async (page) => { for (const i of [2, 3, 5]) await page.click(`tbody tr:nth-child(${i}) .box`); } },
    { name: 'keys-none-match', path: '/cckm/aws/keys?keystate=Unavailable&origin=EXTERNAL', ready: '.empty' },
    { name: 'key-summary', path: key },
    { name: 'key-aliases', path: `${key}?tab=aliases` },
    { name: 'key-history', path: `${key}?tab=history` },
    { name: 'key-delete', path: key, act: async (page) => { await page.click('text=Schedule deletion…'); } },
    { name: 'palette', path: '/cckm/aws/keys', act: async (page) => { await page.keyboard.press('Control+k'); await page.keyboard.type('card'); await page.waitForTimeout(600); } },
    { name: 'not-found', path: '/nothing/here' },
  ];
}
