/** An empty installation: four steps to the first key; each can be left and taken up again. */
import { html } from '../../view.js';
import { useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { setQuery } from '../../router.js';
import { info } from '../../info.js';
import { user } from '../../session.js';
import { Head } from '../../components/head.js';
import { Card, Time } from '../../components/bits.js';
import { Json } from '../../components/json.js';
import { Icon } from '../../components/icon.js';

export function FirstSteps() {
  usePage({ title: 'Overview' });
  const connections = useGet('/connectionmgmt/services/aws/connections', { limit: 5 });
  const permissions = useGet('/cckm/aws/permissions', { for: 'keys,byok' });
  const first = connections.data?.resources?.[0];
  const connected = Boolean(first);
  const steps = [
    { title: 'A password of your own', done: true, text: html`Changed <${Time} at=${user.value?.password_changed_at} />. The first one does not work any more.` },
    { title: 'Connect an AWS account', done: connected, text: connected ? html`The connection <bdi class="strong">${first.name}</bdi> is there.` : 'Claviger signs in with an access key, and over a role if you wish. It is tested before it is kept; the secret is sealed and never shown again.', act: html`<a class="button ink" href="/connectionmgmt/services/aws/connections?new=1">Add a connection</a>` },
    { title: 'Choose regions', done: false, text: 'A KMS is one account with the regions that Claviger looks after. It reads them; it changes nothing.', act: html`<a class="button ink" href=${`/cckm/aws/kms?new=1${connected ? `&connection=${encodeURIComponent(first.name)}` : ''}`}>Add a KMS</a>` },
    { title: 'Make a key, or bring one', done: false, text: 'Created by AWS, uploaded from here, or held here for good.', act: html`<a class="button" href="/cckm/aws/keys?new=native">Create a key</a>` },
  ];
  const at = steps.findIndex((step) => !step.done);
  return html`<div class="page"><${Head} title="Four steps to your first key" sub="Nothing is in AWS until step 4. Every step can be left and taken up again." actions=${html`<button type="button" class="button quiet" onClick=${() => setQuery({ new: 'skip' })}>Skip, show the empty console</button>`} />
    <div class="body"><div class="columns wide"><ol class="steps tall">${steps.map((step, i) => html`<li class=${step.done ? 'done' : ''} aria-current=${i === at ? 'step' : undefined} key=${step.title}><span class="number">${step.done ? html`<${Icon} name="check" size="small" label="done" />` : i + 1}</span><div class="column"><div><h2>${step.title}</h2><p class="t2">${step.text}</p></div>${i === at && html`<div>${step.act}</div>`}</div></li>`)}</ol>
      <div class="column">${permissions.data && html`<${Card} title="IAM policy to paste" sub="for native and own keys"><${Json} value=${permissions.data.policy ?? permissions.data} label="the policy" /><//>`}
        ${info.value.lab && html`<${Card}><div class="row top"><${Icon} name="terminal" class="mark" /><div><b>No AWS account at hand?</b><p class="t2">This is a lab: it brings an AWS of its own, with accounts and keys to play with.</p><a href="/cckm/aws/kms?new=1&connection=test_aws-connection">Use the lab’s account</a></div></div><//>`}</div></div></div></div>`;
}
