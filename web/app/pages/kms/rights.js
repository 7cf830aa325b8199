/**
 * The rights on a KMS as a table of actions and of who may them. Changes are collected, then saved as one `update-acls`; the foot says
 * them in words. What is not saved yet is kept in this tab.
 */
import { html, useLayoutEffect, useMemo, useState } from '../../view.js';
import { api, versionIn } from '../../api.js';
import { changed as changedPath, useGet } from '../../data.js';
import { draft, keepDraft } from '../../storage.js';
import { lacksRight } from '../../rights.js';
import { actionGroups, asUpdate, difference, given, keyOf, open, split } from '../../lib/acl.js';
import { plural } from '../../lib/text.js';
import { Empty, ErrorNote, Note, Skeleton } from '../../components/bits.js';
import { DryRunBox, DryRunButton, useDryRun } from '../../components/dry-run.js';
import { Segments } from '../../components/segments.js';
import { Icon } from '../../components/icon.js';
import { Button } from '../../components/popup.js';
import { toast } from '../../components/toast.js';
import { AddWho } from './add-who.js';
import { ByPerson } from './by-person.js';
import { Matrix } from './matrix.js';
import { usePeople } from './people.js';

/** @param {{row: any, path: string, changed: (answer: any) => void, readOnly?: boolean}} props */
export function Rights({ row: kms, path, changed, readOnly }) {
  const apis = useGet('/cckm/aws/actions');
  const people = usePeople();
  const name = `rights:${kms.id}`;
  const [kept] = useState(() => (readOnly ? null : draft(name)));
  const [wishes, setWishes] = useState(/** @type {Record<string, boolean>} */ (kept?.wishes ?? {}));
  const [base, setBase] = useState(/** @type {string | null} */ (kept?.base ?? null));
  const [added, setAdded] = useState(/** @type {string[]} */ (kept?.added ?? []));
  const [search, setSearch] = useState('');
  const [shape, setShape] = useState('matrix');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {any} */ (null));
  const acls = kms.acls ?? [];
  const asText = JSON.stringify(acls);
  const here = useMemo(() => given(acls), [asText]);
  const pending = open(here, wishes);
  const count = Object.keys(pending).length;
  const update = asUpdate(pending);
  const dry = useDryRun(() => api.post(`${path}/update-acls`, { acls: update }, { query: { dry_run: true } }), (answer) => words(difference(acls, answer?.acls ?? []), people));

  // Kept before it is seen: the page may be left at once.
  useLayoutEffect(() => {
    if (readOnly) return;
    keepDraft(name, count === 0 && added.length === 0 ? null : { wishes: pending, base, added });
  }, [JSON.stringify(wishes), added, asText]);

  const wish = (/** @type {Array<[string, boolean]>} */ cells) => {
    if (count === 0) setBase(asText);
    dry.clear();
    setError(null);
    setWishes(open(here, { ...wishes, ...Object.fromEntries(cells) }));
  };
  const discard = () => {
    setWishes({});
    setAdded([]);
    setError(null);
    dry.clear();
  };
  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      const answer = await api.post(`${path}/update-acls`, { acls: update }, { version: versionIn(kms) });
      discard();
      changed(answer);
      changedPath(path);
      toast(html`${plural(count, 'change')} of the rights on ${kms.name} ${count === 1 ? 'is' : 'are'} saved.`);
    } catch (failed) {
      setError(failed);
    }
    setBusy(false);
  };
  if (apis.error) return html`<div class="body"><${ErrorNote} error=${apis.error} again=${apis.reload} /></div>`;
  if (!apis.data) return html`<div class="body"><${Skeleton} rows=${10} /></div>`;

  const columns = whoIsShown(acls, added, people);
  const wanted = search.trim().toLowerCase();
  const shownColumns = columns.filter((column) => column.name.toLowerCase().includes(wanted));
  const groups = actionGroups(apis.data.resources, acls);
  const shownGroups = groups.map((group) => ({ ...group, actions: group.actions.filter((action) => `${action.id} ${action.says}`.toLowerCase().includes(wanted)) })).filter((group) => group.actions.length > 0);
  const byWho = wanted !== '' && shownColumns.length > 0;
  const all = people.users.filter((one) => one.groups?.some((group) => ['admin', 'CCKM Admins'].includes(group)));
  const missing = readOnly ? 'past' : lacksRight('KMS');
  const stale = count > 0 && base !== null && base !== asText;
  const cells = { here, pending, people, groupsOf: (/** @type {string} */ key) => (key.startsWith('u:') ? people.users.find((one) => one.id === key.slice(2))?.groups ?? [] : []) };
  return html`<div class="toolbar rights-tools"><div class="input search"><${Icon} name="search" /><input type="search" data-search aria-label="Search" placeholder="Person, group, action" value=${search} onInput=${(/** @type {any} */ event) => setSearch(event.target.value)} autocomplete="off" /></div>
      <${Segments} label="Shape" value=${shape} onChange=${setShape} options=${[['matrix', 'Matrix'], ['person', 'By person']]} />
      <ul class="legend-cells small t2 hide-small"><li><i class="cell here" />permitted here</li><li><i class="cell group" />through a group</li>${!readOnly && html`<li><i class="cell more">+</i><i class="cell less">−</i>not saved yet</li>`}</ul>
      <div class="after"><span class="small t2 hide-small">${all.length > 0 ? `${plural(all.length, 'member')} of admin and CCKM Admins may do everything` : 'Members of admin and CCKM Admins may do everything'}</span>
        ${!readOnly && html`<${AddWho} people=${people} shown=${columns.map((column) => column.key)} add=${(/** @type {string} */ key) => setAdded([...added, key])} missing=${missing} />`}</div></div>
    ${stale && html`<div class="body tight"><${Note} tone="info" live><b>Somebody changed these rights meanwhile.</b> What is shown is the newest; your ${plural(count, 'change')} ${count === 1 ? 'is' : 'are'} kept.<//></div>`}
    ${columns.length === 0 ? html`<${Empty} icon="users" title="Nobody but CCKM Admins has rights on this KMS.">${!missing && 'Add a group or a person, then choose what they may do.'}<//>`
      : shape === 'person' ? html`<${ByPerson} columns=${byWho ? shownColumns : columns} cells=${cells} />`
      : html`<${Matrix} columns=${byWho ? shownColumns : columns} groups=${byWho || shownGroups.length === 0 ? groups : shownGroups} cells=${cells} wish=${missing ? null : wish} />`}
    ${(count > 0 || error || dry.error) && html`<div class="foot rights-foot"><div class="grow column">
        ${error ? html`<${ErrorNote} error=${error} />` : dry.said || dry.error ? html`<${DryRunBox} dry=${dry} />` : html`<div class="row"><span class="chip accent">${plural(count, 'change')}</span><span class="small said" aria-live="polite">${words(difference(acls, wished(acls, pending)), people, cells)}</span></div>`}</div>
      <button type="button" class="button quiet" onClick=${discard}>Discard</button><${DryRunButton} dry=${dry} />
      <span data-save><${Button} class="ink" busy=${busy} missing=${missing} onClick=${save} kbd="Ctrl S">${count === 1 ? 'Save it' : count === 2 ? 'Save both' : `Save all ${count}`}<//></span></div>`}`;
}

/** The entries as they would be. @param {any[]} acls @param {Record<string, boolean>} pending */
function wished(acls, pending) {
  const entries = new Map(acls.map((acl) => [keyOf(acl), { ...acl, actions: [...acl.actions] }]));
  for (const [cell, permit] of Object.entries(pending)) {
    const [key, action] = split(cell);
    const entry = entries.get(key) ?? (key.startsWith('g:') ? { group: key.slice(2), actions: [] } : { user_id: key.slice(2), actions: [] });
    entry.actions = permit ? [...entry.actions, action] : entry.actions.filter((/** @type {string} */ one) => one !== action);
    entries.set(key, entry);
  }
  return [...entries.values()];
}

/** Groups, then people: those with entries, those added, and the members of the groups as far as there is room. @param {any[]} acls @param {string[]} added @param {import('./people.js').People} people */
function whoIsShown(acls, added, people) {
  const keys = [...new Set([...acls.map(keyOf), ...added])];
  const inGroups = people.users.filter((one) => one.groups?.some((group) => keys.includes(`g:${group}`) && group !== 'CCKM Users')).map((one) => `u:${one.id}`).filter((key) => !keys.includes(key));
  const shown = [...keys, ...inGroups.slice(0, Math.max(0, 12 - keys.length))];
  const columns = shown.map((key) => ({ key, name: people.nameOf(key), group: key.startsWith('g:') }));
  return [...columns.filter((one) => one.group), ...columns.filter((one) => !one.group).sort((a, b) => a.name.localeCompare(b.name))];
}

/** What changes in words: "payments-keyops gains keystoreunblock: operator-1 and operator-4 could too." @param {ReturnType<typeof difference>} changes @param {import('./people.js').People} people @param {any} [cells] */
function words(changes, people, cells) {
  if (changes.length === 0) return 'Nothing would change.';
  const list = (/** @type {string[]} */ of) => (of.length > 3 ? `${of.slice(0, 2).join(', ')} and ${of.length - 2} more` : of.join(of.length === 2 ? ' and ' : ', '));
  return changes.map((one) => {
    const members = one.key.startsWith('g:') ? people.users.filter((who) => who.groups?.includes(one.key.slice(2))).map((who) => who.name) : [];
    return html`<bdi class="strong">${people.nameOf(one.key)}</bdi> ${one.gains.length > 0 && `gains ${list(one.gains)}`}${one.gains.length > 0 && one.loses.length > 0 && ', '}${one.loses.length > 0 && `loses ${list(one.loses)}`}${cells && members.length > 0 ? html`<span class="t2">: ${list(members)} through it</span>` : ''}. `;
  });
}
