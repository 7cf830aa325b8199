/** A drawing of the world with regions of AWS: where a key and its replicas are. The regions are in the text beside it too. */
import { html, useEffect, useRef, useState } from '../view.js';
import { HEIGHT, WIDTH, labels, land, line, placeOf } from '../lib/world.js';
import { Shape, shapeOf } from './bits.js';

const LAND = land();
/** Pixels of a letter of a label, at most. */
const LETTER = 6.8;

/**
 * @typedef {object} Spot
 * @property {string} region
 * @property {string} state as State has it: its shape marks the region
 * @property {string} [says] after the name of the region
 */

/** @param {{spots: Spot[], label: string}} props spots: lines lead from the first one to the others */
export function WorldMap({ spots, label }) {
  const box = useRef(/** @type {any} */ (null));
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(entry.contentRect.width));
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  const known = spots.map((spot) => ({ ...spot, text: [spot.region, spot.says].filter(Boolean).join(', '), at: placeOf(spot.region) }));
  const shown = known.filter((spot) => spot.at !== null);
  const elsewhere = known.filter((spot) => spot.at === null);
  const first = shown[0] === known[0] ? shown[0] : undefined;
  const scale = width / WIDTH;
  const placed = labels(shown.map((spot) => ({ x: /** @type {any} */ (spot.at).x * scale, y: /** @type {any} */ (spot.at).y * scale, wide: spot.text.length * LETTER })), width);
  return html`<div class="world" role="img" aria-label=${label} ref=${box}><svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true"><path class="land" d=${LAND} />
      ${first && shown.slice(1).map((spot) => html`<path key=${spot.region} class="way" d=${line(/** @type {any} */ (first.at), /** @type {any} */ (spot.at))} />`)}</svg>
    ${width > 0 && shown.map((spot, i) => {
      const [shape, tone] = shapeOf(spot.state);
      return html`<span key=${spot.region} class="spot" style=${{ left: `${/** @type {any} */ (spot.at).x * scale}px`, top: `${/** @type {any} */ (spot.at).y * scale}px` }}><${Shape} shape=${shape} tone=${tone} /></span><span class="spot-name" style=${{ left: `${placed[i].left}px`, top: `${placed[i].top}px` }}>${spot.text}</span>`;
    })}
    ${elsewhere.length > 0 && html`<span class="spot-elsewhere small t2">Not on the map: ${elsewhere.map((spot) => spot.text).join('; ')}</span>`}</div>`;
}
