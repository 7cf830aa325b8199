/** What the overview shows of an installation with KMSs; loaded when there is one. */
import { html } from '../../view.js';
import { Attention } from './attention.js';
import { Changes } from './changes.js';
import { Counts } from './counts.js';
import { Grid } from './grid.js';
import { WhoMayUse } from './who.js';

/** @param {{posture: any, kms: any[], drift: import('../../data.js').Read, since: string}} props */
export function Dashboard({ posture, kms, drift, since }) {
  return html`<div class="columns wide equal"><${Attention} posture=${posture} kms=${kms} drift=${drift} /><${Changes} since=${since} drift=${drift} /></div>
    <${Counts} posture=${posture} />
    <div class="columns wide equal"><${Grid} posture=${posture} kms=${kms} /><${WhoMayUse} /></div>`;
}
