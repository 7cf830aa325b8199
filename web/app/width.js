/** How wide the window is: 1280 px and tablet have layouts of their own. The same limits are in the styles. */
import { signal } from './view.js';

/** @param {string} query */
function watch(query) {
  const media = matchMedia(query);
  const matches = signal(media.matches);
  media.addEventListener('change', () => {
    matches.value = media.matches;
  });
  return matches;
}

export const isNarrow = watch('(max-width: 1320px)');
export const isTablet = watch('(max-width: 1024px)');
