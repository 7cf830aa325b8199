/** Sessions: one's own, or those of a user; end one, or all others. */
import { html, useState } from '../../view.js';
import { api } from '../../api.js';
import { changed, useGet } from '../../data.js';
import { parse } from '../../lib/time.js';
import { Chip, ErrorNote, Skeleton, Time } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { act } from '../../components/over.js';
import { Button } from '../../components/popup.js';

const SESSIONS = '/auth/tokens';

/** @param {{userId: string, most?: number}} props most: how many are shown at first */
export function Sessions({ userId, most = 5 }) {
  const [limit, setLimit] = useState(most);
  const read = useGet(SESSIONS, { user_id: userId, sort: '-createdAt', limit: 100 });
  const data = read.data;
  if (read.error) return html`<${ErrorNote} error=${read.error} again=${read.reload} />`;
  if (!data) return html`<${Skeleton} rows=${3} />`;
  const rows = data.resources.slice().sort((/** @type {any} */ a, /** @type {any} */ b) => Number(b.current ?? false) - Number(a.current ?? false) || (parse(b.last_used_at) ?? 0) - (parse(a.last_used_at) ?? 0));
  const end = (/** @type {any} */ row) => act(async () => { await api.delete(`${SESSIONS}/${row.id}`); changed(SESSIONS); }, 'The session is ended.');
  const shown = rows.slice(0, limit);
  return html`${rows.length === 0 && html`<p class="t2">No session.</p>`}<ul class="plain sessions">${shown.map((/** @type {any} */ row) => html`<li key=${row.id} class="row"><span class="grow">Used <${Time} at=${row.last_used_at} />${row.current && html` <${Chip} tone="accent">this one<//>`}<br /><span class="small t2">begun <${Time} at=${row.createdAt} />${row.expires_at ? html`, ends <${Time} at=${row.expires_at} />` : ''}${(row.labels ?? []).length > 0 && `, ${row.labels.join(', ')}`}</span></span>
      ${!row.current && html`<${Button} class="small quiet" onClick=${() => end(row)}>End it<//>`}</li>`)}</ul>${rows.length > shown.length && html`<button type="button" class="link" onClick=${() => setLimit(rows.length)}>Show ${rows.length - shown.length} more</button>`}`;
}

/** Ends every other session of the caller. */
export const endOthers = () => ask({
  title: 'Sign out everywhere else?', text: 'Every other session of yours ends at once, also those of scripts that renew themselves. This one stays.', act: 'End the others', keep: 'Leave them',
  run: async () => {
    const answer = await api.post('/auth/self/revoke-others');
    changed(SESSIONS);
    return answer;
  },
});
