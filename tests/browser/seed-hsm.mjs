// A key store in the CloudHSM cluster of the lab, which AWS is connected to.
import { readFile } from 'node:fs/promises';

const CLUSTER = 'cluster-lab2only3abc';
export const PASSWORD = 'lab-only-kmsuser';

/** What the lab has of the cluster: its certificate. */
export async function certificate() {
  const lab = await readFile(new URL('../../config/lab-cloud.toml', import.meta.url), 'utf8');
  return /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/.exec(lab.slice(lab.indexOf(CLUSTER)))[0];
}

/** @param {(method: string, path: string, body?: any) => Promise<any>} call */
export async function hsmStore(call) {
  const found = (await call('GET', 'cckm/aws/custom-key-stores?custom_key_store_type=AWS_CLOUDHSM')).resources[0];
  const store = found ?? (await call('POST', 'cckm/aws/custom-key-stores', { name: 'hsm-virginia', kms: 'payments', region: 'us-east-1', aws_param: { custom_key_store_type: 'AWS_CLOUDHSM', cloud_hsm_cluster_id: CLUSTER, key_store_password: PASSWORD, trust_anchor_certificate: await certificate() } }));
  const path = `cckm/aws/custom-key-stores/${store.id}`;
  if (store.aws_param.connection_state !== 'CONNECTED') await call('POST', `${path}/connect`, { key_store_password: PASSWORD });
  for (let i = 0; i < 60; i += 1) {
    const now = await call('GET', path);
    if (now.aws_param.connection_state === 'CONNECTED') return now;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error('AWS is not connected to the cluster');
}
