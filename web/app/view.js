/**
 * The view library in one place: Preact, its hooks, signals, and `html`, a tag for templates in place of JSX.
 * Everything else in the console imports it from here.
 */
import { h } from '../vendor/preact.js';
import { useState } from '../vendor/preact-hooks.js';
import htm from '../vendor/htm.js';

export { render } from '../vendor/preact.js';
export { useState, useEffect, useLayoutEffect, useMemo, useRef } from '../vendor/preact-hooks.js';
export { signal, computed, effect } from '../vendor/signals.js';

export const html = htm.bind(h);

let ids = 0;
/** An id for a component. Preact's own are unique within one root, and each question over the page is a root. */
export const useId = () => useState(() => `id-${(ids += 1)}`)[0];

/** The place of the console's files: `/assets/<hash of the build>`. */
export const assets = new URL('..', import.meta.url).pathname.replace(/\/$/, '');
