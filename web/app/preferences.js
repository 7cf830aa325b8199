/** What the user has chosen: views, whether letters are keys. Kept by the server, so that it is there in every browser. */
import { signal } from './view.js';
import { api } from './api.js';
import { stored, store } from './storage.js';

/** @type {import('../vendor/signals.js').Signal<Record<string, any>>} */
export const preferences = signal({});

export async function readPreferences() {
  try {
    const answer = await api.get('/auth/self/preferences');
    preferences.value = answer?.preferences ?? answer ?? {};
  } catch {
    // A server without them: this browser keeps them.
    try {
      preferences.value = JSON.parse(stored('preferences') ?? '{}');
    } catch {
      preferences.value = {};
    }
  }
}

/** @param {string} name @param {any} value */
export async function setPreference(name, value) {
  preferences.value = { ...preferences.value, [name]: value };
  store('preferences', JSON.stringify(preferences.value));
  try {
    await api.put('/auth/self/preferences', preferences.value);
  } catch {
    // This browser has them.
  }
}
