/** What the server says about itself before a sign-in: the name of the installation, a notice, whether it is a lab. */
import { signal } from './view.js';

/** @type {import('../vendor/signals.js').Signal<{title: string, notice: string, lab: boolean}>} */
export const info = signal({ title: 'Claviger', notice: '', lab: false });

export async function readInfo() {
  try {
    const answer = await fetch('/api/v1/console', { cache: 'no-store' });
    if (!answer.ok) return;
    const said = await answer.json();
    info.value = { title: said.title || said.name || 'Claviger', notice: said.notice ?? '', lab: Boolean(said.lab) };
  } catch {
    // Without it the page has the program's own name.
  }
}
