// Which right a deletion demands depends on the key: that of a key which AWS does not know yet, of a CloudHSM key, and of others.
import { base, settled, signIn } from '../browser.mjs';
import { hsmStore } from '../seed-hsm.mjs';

export const title = 'a CloudHSM key and a key that AWS does not know yet are deleted with the rights of their kinds';

export async function run({ page, world }) {
  const { call, store } = world;
  const hsm = await hsmStore(call);
  const inHsm = await call('POST', `cckm/aws/custom-key-stores/${hsm.id}/create-aws-key`, { aws_param: { Alias: `hsm-${Date.now()}` } });
  const [source] = (await call('GET', 'vault/keys2?name=ledger-2026')).resources;
  const alias = `unlinked-${Date.now()}`;
  const held = await call('POST', 'cckm/aws/create-hyok-key', { local_hosted_params: { custom_key_store_id: store.id, source_key_id: source.id }, aws_param: { Alias: alias } });
  const permit = (value) => call('POST', `cckm/aws/kms/${world.payments.id}/update-acls`, { acls: [{ user_id: world.people.ids['operator-2'], actions: ['hyokkeydelete', 'cloudhsmkeydelete', 'keybulkoperation'], permit: value }] });
  await permit(true);
  await signIn(page, 'operator-2', 'Lab-user-2026-pass');
  const offered = async (key, text) => {
    await page.goto(`${base}/cckm/aws/keys/${key.id}`);
    await page.waitForSelector('.actions button:has-text("Rotate")');
    await settled(page);
    const act = page.locator(`.actions button:has-text("${text}")`);
    return (await act.getAttribute('aria-disabled')) !== 'true' ? true : (await act.getAttribute('data-tip'));
  };
  const native = await offered(world.keys.cards, 'Schedule deletion');
  if (!String(native).includes('keydelete on')) throw new Error(`a native key: ${native}`);
  if ((await offered(inHsm, 'Schedule deletion')) !== true) throw new Error('a CloudHSM key is gated by the right of others');
  await page.click('.actions button:has-text("Schedule deletion")');
  await page.click('dialog button:has-text("Dry run")');
  await page.waitForSelector('dialog:has-text("nothing was changed")');
  await page.click('dialog button:has-text("Keep the key")');

  if ((await offered(held, 'Delete…')) !== true) throw new Error('a key that AWS does not know cannot be deleted');
  if ((await page.locator('.actions button:has-text("Schedule deletion")').count()) > 0) throw new Error('what AWS does not know is scheduled for deletion');
  await page.click('.actions button:has-text("Delete…")');
  await page.fill('#ask-name', alias);
  await page.click('dialog button:has-text("Delete the key")');
  await page.waitForURL(/\/cckm\/aws\/keys$/);
  if ((await call('GET', `cckm/aws/keys?alias=alias/${alias}`)).total !== 0) throw new Error('the key is still there');

  // Selected rows: an act is offered if it is permitted on one of them at least.
  const bulk = async (which, text) => {
    await page.goto(`${base}/cckm/aws/keys?alias=alias/${which}`);
    await page.waitForSelector('tbody tr a');
    await settled(page);
    await page.click('thead .box');
    const act = page.locator(`.bulk button:has-text("${text}")`);
    return (await act.getAttribute('aria-disabled')) !== 'true';
  };
  if (await bulk('cards', 'Schedule deletion')) throw new Error('a bulk act is offered without its right');
  if (!(await bulk(inHsm.aws_param.Alias[0].slice(6), 'Schedule deletion'))) throw new Error('a permitted bulk act is not offered');
  if (await bulk(inHsm.aws_param.Alias[0].slice(6), 'Disable')) throw new Error('a bulk act is offered with the right of another');
  await permit(false);
}
