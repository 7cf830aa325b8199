/** What the pages of users and groups share: the areas, the state of a user, what somebody may do on KMSs. */
import { html } from '../../view.js';
import { useGet } from '../../data.js';
import { path } from '../../router.js';
import { user } from '../../session.js';
import { segment } from '../../lib/query.js';
import { plural } from '../../lib/text.js';
import { Skeleton, State } from '../../components/bits.js';

export const USERS = '/usermgmt/users';
export const GROUPS = '/usermgmt/groups';
export const POLICIES = '/usermgmt/pwdpolicies';
/** Groups that the program made and knows. */
export const SYSTEM = ['admin', 'CCKM Admins', 'CCKM Users', 'Connection Admins', 'User Admins', 'Key Users', 'All Clients'];
/** Only members of `admin` change who is in these. */
export const PRIVILEGED = ['admin', 'CCKM Admins', 'Connection Admins'];

/** Users, groups, password policies: links as tabs. */
export function Areas() {
  const areas = [[USERS, 'Users'], [GROUPS, 'Groups'], ...(user.value?.groups?.includes('admin') ? [[POLICIES, 'Password policies']] : [])];
  return html`<nav class="tabs" aria-label="Users and groups">${areas.map(([href, label]) => html`<a href=${href} key=${href} aria-current=${path.value.startsWith(href) ? 'page' : undefined}>${label}</a>`)}</nav>`;
}

/** @param {{row: any}} props */
export function UserState({ row }) {
  if (row.account_lockout_at) return html`<${State} state="Blocked" word="Locked" />`;
  if (row.login_flags?.prevent_ui_login) return html`<${State} state="Disabled" word="No sign-in" />`;
  if (row.password_change_required) return html`<${State} state="PendingImport" word="New password due" />`;
  return html`<${State} state="active" />`;
}

/** The entries of somebody on KMSs. @param {{is: (acl: any) => boolean, all?: boolean}} props all: may do everything anyway */
export function MayOnKms({ is, all }) {
  const read = useGet(all ? null : '/cckm/aws/kms', { limit: 500, sort: 'name' });
  if (all) return html`<p class="t2">Everything on every KMS.</p>`;
  if (read.error) return html`<p class="t2 small">${read.error.message}</p>`;
  if (!read.data) return html`<${Skeleton} rows=${2} />`;
  const found = read.data.resources.map((/** @type {any} */ kms) => ({ kms, acl: (kms.acls ?? []).find(is) })).filter((/** @type {any} */ one) => one.acl);
  if (found.length === 0) return html`<p class="t2">Nothing by an entry of its own.</p>`;
  return html`<ul class="plain">${found.map((/** @type {any} */ { kms, acl }) => html`<li key=${kms.id} class="row"><a href=${`/cckm/aws/kms/${segment(kms.id)}?tab=rights`}><bdi>${kms.name}</bdi></a><span class="t2 cut" data-tip=${acl.actions.join(', ')}>${acl.actions.length > 3 ? plural(acl.actions.length, 'action') : acl.actions.join(', ')}</span></li>`)}</ul>`;
}

/** A password that fits every rule: 20 characters of four kinds, without those that look alike. */
export function makePassword() {
  const kinds = ['ABCDEFGHJKLMNPQRSTUVWXYZ', 'abcdefghijkmnopqrstuvwxyz', '23456789', '-_.!#%+='];
  const pick = (/** @type {string} */ from) => {
    // Numbers that would make some characters more frequent are drawn again.
    const most = 256 - (256 % from.length);
    for (;;) {
      const [byte] = crypto.getRandomValues(new Uint8Array(1));
      if (byte < most) return from[byte % from.length];
    }
  };
  const letters = [...kinds.map(pick), ...Array.from({ length: 16 }, () => pick(kinds.join('')))];
  for (let i = letters.length - 1; i > 0; i -= 1) {
    const j = Number(crypto.getRandomValues(new Uint32Array(1))[0] % (i + 1));
    [letters[i], letters[j]] = [letters[j], letters[i]];
  }
  return letters.join('');
}
