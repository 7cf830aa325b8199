// People, groups, rights on a KMS, a connection that fails, a wrong password: what the pages of AWS and of trust show.

/** @param {any} call @param {any} payments the KMS */
export async function seedPeople(call, payments) {
  const list = async (path) => (await call('GET', `${path}?limit=1000`)).resources;
  const ids = Object.fromEntries((await list('usermgmt/users')).map((one) => [one.username, one.user_id]));
  const groups = (await list('usermgmt/groups')).map((one) => one.name);
  const history = async () => (await call('GET', `cckm/aws/kms/${payments.id}/history?limit=1000`)).resources;
  if (!groups.includes('payments-keyops')) {
    for (const name of ['payments-keyops', 'auditors']) await call('POST', 'usermgmt/groups', { name, description: `People of ${name}` });
    for (const username of ['operator-2', 'operator-4', 'ci-terraform']) ids[username] = (await call('POST', 'usermgmt/users', { username, password: 'Lab-user-2026-pass' })).user_id;
    for (const [username, group] of [['operator-4', 'payments-keyops'], ['operator-2', 'auditors']]) await call('POST', `usermgmt/groups/${group}/users/${encodeURIComponent(ids[username])}`, {});
    const permit = (who, actions) => ({ ...who, actions, permit: true });
    await call('POST', `cckm/aws/kms/${payments.id}/update-acls`, {
      acls: [
        permit({ group: 'payments-keyops' }, ['viewnative', 'viewbyok', 'viewkeystore', 'keycreate', 'keyupdate', 'keyrotate', 'keycanceldelete', 'keysynchronize', 'keyupload', 'keymaterialimport', 'keystoreblock']),
        permit({ group: 'auditors' }, ['viewnative', 'viewbyok', 'viewkeystore', 'viewhyokkey', 'viewcloudhsmkey']),
        permit({ user_id: ids['ci-terraform'] }, ['viewnative', 'viewbyok', 'keycreate', 'keyupdate', 'keyupload', 'keymaterialimport']),
      ],
    });
    const connection = await call('POST', 'connectionmgmt/services/aws/connections', { name: 'dr-readonly', description: 'Read only, for the recovery site', access_key_id: 'AKIADOESNOTEXISTAB12', secret_access_key: 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY' });
    await call('POST', `connectionmgmt/services/aws/connections/${connection.id}/test`, {});
    await call('POST', 'audit/checkpoints', {});
    await call('POST', 'auth/tokens', { username: 'operator-2', password: 'not her password' }).catch(() => undefined);
    await call('DELETE', 'cckm/aws/kms/there-is-none').catch(() => undefined);
  }
  const records = await history();
  const acls = records.filter((one) => one.event === 'AclsChanged');
  const connected = (await call('GET', 'connectionmgmt/services/aws/connections/dr-readonly/history?limit=1&sort=-seq')).resources[0].time;
  return { ids, connected, before: records[0].time, record: acls[acls.length - 1].seq };
}
