// The caller rules of one HYOK key are set in its detail; those of its key store stay as they are.
import { base, settled, signIn } from '../browser.mjs';

export const title = 'one HYOK key serves only the callers of its own rules';

export async function run({ page, world }) {
  const path = `cckm/aws/keys/${world.held.id}`;
  const before = (await world.call('GET', `cckm/aws/custom-key-stores/${world.store.id}`)).caller_rules;
  await signIn(page);
  await page.goto(`${base}/${path}?tab=held`);
  const card = page.locator('.card:has-text("Who may call for this key")');
  await card.locator('text=the key has no rule of its own').waitFor();
  await card.locator('button:has-text("Edit")').click();
  await page.fill('#rule-principals', 'arn:aws:iam::123456789012:role/ledger-*');
  await page.fill('#rule-operations', 'Encrypt\nDecrypt');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('dialog', { state: 'detached' });
  await card.locator('text=role/ledger-*').waitFor();
  const rules = (await world.call('GET', path)).caller_rules;
  if (rules.principals.join() !== 'arn:aws:iam::123456789012:role/ledger-*' || rules.operations.join() !== 'Encrypt,Decrypt') throw new Error(`the rules are ${JSON.stringify(rules)}`);
  const after = (await world.call('GET', `cckm/aws/custom-key-stores/${world.store.id}`)).caller_rules;
  if (JSON.stringify(before) !== JSON.stringify(after)) throw new Error('the rules of the key store are others now');

  // Somebody else sets rules while the dialog is open: said, not overwritten.
  await settled(page);
  await card.locator('button:has-text("Edit")').click();
  await page.waitForSelector('#rule-principals');
  await world.call('POST', `${path}/caller-rules`, { caller_rules: { operations: ['Decrypt'] } });
  await page.fill('#rule-via_services', 's3.eu-central-1.amazonaws.com');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('dialog:has-text("Somebody else changed this meanwhile")');
  if ((await world.call('GET', path)).caller_rules.operations.join() !== 'Decrypt') throw new Error('the rules of somebody else were overwritten');
  await world.call('POST', `${path}/caller-rules`, { caller_rules: { operations: [] } });
}
