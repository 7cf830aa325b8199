/** The summary of a key: state, next dates, last use, what it is. */
import { html } from '../../view.js';
import { Card, IdLine, Pairs, Time } from '../../components/bits.js';
import { Bitting } from '../../components/charts.js';
import { KeyState, Rotation } from './columns.js';

/** @param {{row: any, path: string}} props */
export function KeySummary({ row: key }) {
  const aws = key.aws_param ?? {};
  return html`<div class="body"><div class="columns even">
    <${Card} title="Next and last"><${Pairs} of=${[
      ['State', html`<${KeyState} row=${key} />`],
      aws.DeletionDate && ['Deleted by AWS', html`<span class="danger"><${Time} at=${aws.DeletionDate} /></span>`],
      ['Rotated by', html`<${Rotation} row=${key} />`],
      ['Next rotation', html`<${Time} at=${key.next_rotation_at ?? aws.NextRotationDate} none="none is planned" />`],
      aws.ValidTo && ['Material expires', html`<${Time} at=${aws.ValidTo} />`],
      ['Last used', key.last_used_at ? html`<${Time} at=${key.last_used_at} />, ${key.last_used_operation}` : key.usage_tracked_since ? html`<span class="t3">not since <${Time} at=${key.usage_tracked_since} /></span>` : html`<span class="t3">AWS has not said</span>`],
      ['Created', html`<${Time} at=${aws.CreationDate} />`],
      ['Read from AWS', html`<${Time} at=${key.synced_at} />`],
    ]} /><//>
    <${Card} title="What it is"><${Pairs} of=${[
      ['Description', aws.Description ? html`<bdi>${aws.Description}</bdi>` : null],
      ['Usage', html`<span class="mono">${aws.KeyUsage}</span>`],
      ['Spec', html`<span class="mono">${aws.CustomerMasterKeySpec ?? aws.KeySpec}</span>`],
      ['Managed by', aws.KeyManager === 'AWS' ? 'AWS' : 'the account'],
      ['Multi-region', aws.MultiRegion ? aws.MultiRegionConfiguration?.MultiRegionKeyType ?? 'yes' : 'no'],
      aws.CurrentKeyMaterialId && ['Material', html`<span class="row"><${Bitting} hash=${aws.CurrentKeyMaterialId} /><${IdLine} text=${aws.CurrentKeyMaterialId} short what="the id of the material" /></span>`],
      aws.CustomKeyStoreId && ['Key store', html`<${IdLine} text=${aws.CustomKeyStoreId} />`],
      ['Key id', html`<${IdLine} text=${aws.KeyID ?? ''} what="the key id" />`],
      ['Id here', html`<${IdLine} text=${key.id} what="the id" />`],
    ]} /><//></div></div>`;
}
