/** What the browser keeps. Storage can be full or switched off: then nothing is kept, and nothing fails. Never secrets. */

/** @param {string} name @returns {string | null} */
export function stored(name) {
  try {
    return localStorage.getItem(`claviger.${name}`);
  } catch {
    return null;
  }
}

/** @param {string} name @param {string | null} value */
export function store(name, value) {
  try {
    if (value === null) localStorage.removeItem(`claviger.${name}`);
    else localStorage.setItem(`claviger.${name}`, value);
  } catch {
    // Not kept.
  }
}

/** A draft of a form, for this tab. @param {string} name @returns {any} */
export function draft(name) {
  try {
    return JSON.parse(sessionStorage.getItem(`claviger.draft.${name}`) ?? 'null');
  } catch {
    return null;
  }
}

/** @param {string} name @param {any} value null forgets it */
export function keepDraft(name, value) {
  try {
    if (value === null) sessionStorage.removeItem(`claviger.draft.${name}`);
    else sessionStorage.setItem(`claviger.draft.${name}`, JSON.stringify(value));
  } catch {
    // Not kept.
  }
}

/** The drafts of this tab are of this user from now on; those of another one are forgotten. @param {string} whose */
export function keepDraftsOf(whose) {
  try {
    if (sessionStorage.getItem('claviger.whose') !== whose) forgetDrafts();
    sessionStorage.setItem('claviger.whose', whose);
  } catch {
    // None are kept.
  }
}

/** Forgets all drafts of this tab. */
export function forgetDrafts() {
  try {
    for (const name of Object.keys(sessionStorage)) if (name.startsWith('claviger.draft.')) sessionStorage.removeItem(name);
  } catch {
    // None were kept.
  }
}
