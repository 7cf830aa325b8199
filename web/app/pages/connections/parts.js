/** What several pages of connections show: the state, since when one fails, the test, the IAM policy. */
import { html } from '../../view.js';
import { api } from '../../api.js';
import { useGet } from '../../data.js';
import { segment } from '../../lib/query.js';
import { plural } from '../../lib/text.js';
import { ErrorNote, Note, State, Time } from '../../components/bits.js';

export const CONNECTIONS = '/connectionmgmt/services/aws/connections';

/** @type {Array<[string, string]>} */
export const PARTITIONS = [['aws', 'aws, Commercial'], ['aws-us-gov', 'aws-us-gov, GovCloud'], ['aws-cn', 'aws-cn, China']];

/** @param {{row: any}} props */
export function ConnectionState({ row }) {
  if (row.last_connection_ok === false) return html`<${State} state="failed" word="Fails" />`;
  if (row.last_connection_ok) return html`<${State} state="ok" word="Works" />`;
  return html`<${State} state="Disabled" word="Not tested" />`;
}

/** Since when a connection fails: the first of the failures in a row. @param {{row: any}} props */
export function FailsSince({ row }) {
  const read = useGet(row.last_connection_ok === false ? `${CONNECTIONS}/${segment(row.id)}/history` : null, { sort: '-seq', limit: 200 });
  const tests = (read.data?.resources ?? []).filter((/** @type {any} */ one) => one.event === 'Tested');
  const ok = tests.findIndex((/** @type {any} */ one) => worked(one.details));
  const first = tests[(ok < 0 ? tests.length : ok) - 1];
  return html`<${Time} at=${first?.time ?? row.last_connection_at} />`;
}

/** Whether a test worked, by its record. @param {any} details */
const worked = (details) => (details?.error ?? null) === null;

/** Tests a connection for what it is used for. @param {string} path @param {any} body @param {string[]} uses */
export const testConnection = (path, body, uses) => api.post(path, body, { query: { for: uses.join(',') } });

/** The IAM policy for what is chosen. @param {string[]} uses */
export function usePolicy(uses) {
  return useGet(uses.length > 0 ? '/connectionmgmt/services/aws/permissions' : null, { for: uses.join(',') });
}

/** What a test said. @param {{said: any, took?: number}} props */
export function TestNote({ said, took }) {
  if (!said) return null;
  if (said.error) return html`<${ErrorNote} error=${said.error} what="The test could not be made." />`;
  const answer = said.answer;
  if (!answer.connection_ok) return html`<${Note} tone="danger"><b>AWS refused.</b> ${answer.connection_error} <span class="t2">Nothing was kept.</span><//>`;
  const missing = answer.missing ?? [];
  const who = answer.caller?.split(':').pop();
  return html`<${Note} tone=${missing.length > 0 ? 'warn' : 'ok'} live acts=${took !== undefined && html`<span class="t2">in ${took} ms</span>`}>
    <b>It works${answer.account_id ? html`: account ${answer.account_id}` : ''}</b>${who && `, as ${who}`}. ${answer.regions && `${plural(answer.regions.length, 'region is', 'regions are')} enabled. `}${answer.regions_error && `The regions could not be read: ${answer.regions_error} `}
    ${missing.length > 0 ? html`<span><b>${plural(missing.length, 'permission is', 'permissions are')} missing:</b> ${missing.map((/** @type {any} */ one) => one.action ?? one).join(', ')}</span>` : answer.missing && html`<span class="t2">All permissions are there.</span>`}${answer.missing_error && html`<span class="t2">The permissions are not known: ${answer.missing_error}</span>`}<//>`;
}
