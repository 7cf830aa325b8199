/** Whether the chain of the log is whole, its last checkpoint, and the check of all of it. */
import { html, signal, useState } from '../../view.js';
import { api, saveFile } from '../../api.js';
import { useGet } from '../../data.js';
import { number } from '../../lib/text.js';
import { parse } from '../../lib/time.js';
import { ErrorNote, Time } from '../../components/bits.js';
import { Bitting } from '../../components/charts.js';
import { showError } from '../../components/over.js';
import { Icon } from '../../components/icon.js';
import { Button } from '../../components/popup.js';

/** Counts up when a check was asked for, so that the state is read again. */
const asked = signal(0);

/** Saves a checkpoint as the file that `claviger verify --checkpoint` takes. @param {any} checkpoint */
export const saveCheckpoint = (checkpoint) => saveFile(new Blob([`${JSON.stringify(checkpoint)}\n`], { type: 'application/json' }), `checkpoint-${checkpoint.number}.json`);

export function VerifyButton() {
  const [busy, setBusy] = useState(false);
  const verify = async () => {
    setBusy(true);
    try {
      await api.post('/audit/chain/verify');
      asked.value += 1;
    } catch (error) {
      await showError(error);
    }
    setBusy(false);
  };
  return html`<${Button} icon="circle-check" busy=${busy} onClick=${verify}>Verify the chain<//>`;
}

export function Chain() {
  const [every, setEvery] = useState(30_000);
  const read = useGet('/audit/chain', { }, { every });
  const turn = asked.value;
  const [seen, setSeen] = useState(turn);
  if (turn !== seen) {
    setSeen(turn);
    read.reload();
  }
  const chain = read.data;
  if (read.error && !chain) return html`<div class="chain-box"><${ErrorNote} error=${read.error} again=${read.reload} /></div>`;
  if (!chain) return html`<div class="chain-box"><span class="skeleton" style=${{ width: '40%' }}></span></div>`;
  const check = chain.verification;
  const running = check?.status === 'in_progress';
  const pace = running ? 1500 : 30_000;
  if (pace !== every) setEvery(pace);
  const broken = check?.status === 'broken';
  const whole = check?.status === 'whole';
  const took = whole ? ((parse(check.ended_at) ?? 0) - (parse(check.started_at) ?? 0)) / 1000 : 0;
  const tone = broken ? 'danger' : whole ? 'ok' : '';
  const checkpoint = chain.checkpoint;
  return html`<div class="chain-box"><div class=${`chain-note ${tone}`} role=${broken ? 'alert' : 'status'}><${Icon} name=${broken ? 'triangle-alert' : running ? 'refresh-cw' : whole ? 'circle-check' : 'link'} class=${running ? 'spinning' : tone} />
    <span class="grow">${broken ? html`<b>The chain is broken.</b> ${check.error}`
      : running ? html`<b>The chain is walked.</b> <span class="t2">Begun <${Time} at=${check.started_at} /> by ${check.username}.</span>`
      : whole ? html`<b>The chain is whole</b>, <span class="t2">from #1 to #${number(check.records ?? 0)}. Walked <${Time} at=${check.ended_at} />, in ${took < 0.1 ? 'under 0.1' : took.toFixed(1)} s.</span>`
      : html`<b>${chain.sealed === false ? 'The chain is not sealed.' : chain.sealed ? 'The log is sealed' : 'Each record holds the hash of the one before'}</b>${chain.number ? html`<span class="t2">, up to #${number(chain.number)}.</span>` : '.'} <span class="t2">Not walked since the start of the program.</span>`}</span>
    ${checkpoint ? html`<span class="t2 hide-small">Last checkpoint <b class="strong">#${number(checkpoint.number)}</b>, signed <${Time} at=${checkpoint.time} /></span><span class="hide-small"><${Bitting} hash=${checkpoint.hash} teeth=${32} width=${128} height=${18} /></span><button type="button" class="link" onClick=${() => saveCheckpoint(checkpoint)}>Save it</button>` : html`<span class="t2">No checkpoint yet.</span>`}</div></div>`;
}
