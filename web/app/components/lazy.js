/** A component whose file is loaded when it is first shown. */
import { html, useEffect, useState } from '../view.js';
import { useReload } from '../reach.js';
import { ErrorNote, Skeleton } from './bits.js';

/** @param {{load: () => Promise<any>, [name: string]: any}} props the other members are those of the component */
export function Lazy({ load, ...props }) {
  const [loaded, setLoaded] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  useEffect(() => {
    let here = true;
    load().then((component) => here && setLoaded(() => component), (failed) => here && setError(failed));
    return () => {
      here = false;
    };
  }, []);
  useReload(error !== null);
  if (error) return html`<div class="body"><${ErrorNote} error=${{ message: 'This part could not be loaded. Claviger may have been updated: load the page again.' }} again=${() => location.reload()} /></div>`;
  return loaded ? html`<${loaded} ...${props} />` : html`<div class="body"><${Skeleton} rows=${5} /></div>`;
}
