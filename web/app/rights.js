/** What the user may do: read once at the sign-in, and again when an event says that it changed. The server decides; this only shows. */
import { signal } from './view.js';
import { api } from './api.js';

/** @type {import('../vendor/signals.js').Signal<{rights: string[], kms: Map<string, {actions: string[], may_update: boolean}>} | null>} */
export const rights = signal(null);
let reading = false;

export async function readRights() {
  if (reading) return;
  reading = true;
  try {
    const answer = await api.get('/auth/self/rights');
    rights.value = { rights: answer.rights ?? [], kms: new Map((answer.kms ?? []).map((/** @type {any} */ one) => [one.id, one])) };
  } catch {
    // Those that were read last stay. Without any every act is offered, and the server refuses what is not permitted.
  }
  reading = false;
}

/**
 * The right that is missing for an action on a KMS, in words, or undefined: what `missing` of Button and Menu takes.
 * @param {{kms?: string, kms_id?: string}} of an object of a KMS @param {string} action such as keyrotate
 */
export function lacks(of, action) {
  const has = of.kms_id === undefined ? undefined : rights.value?.kms.get(of.kms_id);
  if (rights.value === null || has === undefined || has.actions.includes(action) || has.actions.includes('all')) return undefined;
  return `${action} on ${of.kms ?? 'its KMS'}`;
}

/** The right that is missing for what does not depend on a KMS, such as "schedules". @param {string} right */
export function lacksRight(right) {
  return rights.value === null || rights.value.rights.includes(right) || rights.value.rights.includes('admin') ? undefined : `the right ${right}`;
}

/** The right that is missing for an action on every KMS; undefined if the user has it on any. @param {string} action */
export function lacksAnywhere(action) {
  if (rights.value === null) return undefined;
  for (const one of rights.value.kms.values()) if (one.actions.includes(action) || one.actions.includes('all')) return undefined;
  return rights.value.kms.size === 0 ? undefined : `${action} on any KMS`;
}
