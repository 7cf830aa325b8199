/** What the user has chosen: views, whether letters are keys. Kept by the server, so that it is there in every browser. */
import { signal } from './view.js';
import { api } from './api.js';
import { stored, store } from './storage.js';

/** @type {import('../vendor/signals.js').Signal<Record<string, any>>} */
export const preferences = signal({});

export async function readPreferences() {
  try {
    preferences.value = (await api.get('/auth/self/preferences')) ?? {};
  } catch {
    // A server without them: this browser keeps them.
    try {
      preferences.value = JSON.parse(stored('preferences') ?? '{}');
    } catch {
      preferences.value = {};
    }
  }
}

/** Changes come one after the other, those of other tabs too: each is read and written whole. @param {() => Promise<void>} change */
const alone = (change) => navigator.locks.request('claviger.preferences', change);

/**
 * Changes one preference; what another tab or browser has chosen meanwhile stays.
 * @param {string} name @param {(old: any) => any} change the new value, from the present one
 */
export function setPreference(name, change) {
  preferences.value = { ...preferences.value, [name]: change(preferences.value[name]) };
  store('preferences', JSON.stringify(preferences.value));
  return alone(async () => {
    try {
      const present = (await api.get('/auth/self/preferences')) ?? {};
      preferences.value = await api.put('/auth/self/preferences', { ...present, [name]: change(present[name]) });
      store('preferences', JSON.stringify(preferences.value));
    } catch {
      // This browser has them.
    }
  });
}
