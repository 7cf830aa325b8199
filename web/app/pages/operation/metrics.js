/** The token with which Prometheus reads the metrics, and what its configuration needs. */
import { html, useState } from '../../view.js';
import { useGet } from '../../data.js';
import { usePage } from '../../page.js';
import { Card, Empty, ErrorNote, IdLine, Pairs, Skeleton } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { Head } from '../../components/head.js';
import { Json } from '../../components/json.js';
import { act } from '../../components/over.js';
import { Button } from '../../components/popup.js';
import { showSecret } from '../../components/secret.js';
import { api } from '../../api.js';
import { OperationTabs } from './tabs.js';

const PATH = '/system/metrics/prometheus';

/** @param {string} token */
const show = (token) => showSecret({ title: 'The token of Prometheus', text: 'Prometheus sends it with each reading. It does not expire; whoever administers Claviger can read it again here.', children: html`<${IdLine} text=${token} what="the token" />` });

/** The part of Prometheus's own configuration, with the token in a file beside it. @param {string} host */
const configuration = (host) => `scrape_configs:
  - job_name: claviger
    scheme: https
    metrics_path: /api/v1${PATH}
    authorization:
      credentials_file: /etc/prometheus/claviger-token
    static_configs:
      - targets: ["${host}"]`;

export function Metrics() {
  const read = useGet(`${PATH}/status`);
  const [busy, setBusy] = useState(false);
  usePage({ title: 'Metrics', crumbs: [{ label: 'Operation' }, { label: 'Metrics' }], call: { path: `${PATH}/status`, query: {} } });
  const enable = async () => {
    setBusy(true);
    await act(async () => {
      const made = await api.post(`${PATH}/enable`);
      read.set(made);
      show(made.token);
    }, 'Prometheus may read the metrics.');
    setBusy(false);
  };
  const renew = () => ask({
    title: 'Renew the token?', act: 'Renew the token', keep: 'Keep the present one', text: 'The present token ends at once: Prometheus reads nothing until it has the new one.',
    run: (_, api) => api.post(`${PATH}/renew-token`),
  }).then((made) => {
    if (!made) return;
    read.set(made);
    show(made.token);
  });
  const disable = () => ask({
    title: 'Take the token away?', act: 'Take it away', keep: 'Keep it', text: 'Prometheus reads nothing any more; alarms on its side that watch Claviger will tell.',
    run: (_, api) => api.post(`${PATH}/disable`),
  }).then((made) => made && read.set(made));
  const on = read.data?.enabled;
  return html`<div class="page"><${Head} title="Metrics" sub="How Prometheus reads the figures of this installation." actions=${on && html`<${Button} onClick=${() => show(read.data.token)}>Show the token<//><${Button} onClick=${renew}>Renew the token…<//><${Button} class="danger" onClick=${disable}>Take it away…<//>`} />
    <${OperationTabs} at="metrics" /><div class="body">${read.error ? html`<${ErrorNote} error=${read.error} again=${read.reload} />` : !read.data ? html`<${Skeleton} rows=${4} />`
      : !on ? html`<${Empty} icon="activity" title="No token yet">Prometheus of another machine needs one.<br /><${Button} class="ink" busy=${busy} onClick=${enable}>Make a token<//><//>`
      : html`<div class="column"><${Card} title="What it reads"><${Pairs} of=${[['Address', html`<${IdLine} text=${`${location.origin}/api/v1${PATH}`} what="the address" />`], ['Token', 'made; it does not expire']]} /><//>
        <${Card} title="For prometheus.yml" sub="with the token in a file beside it"><${Json} value=${configuration(location.host)} label="the configuration" /><//></div>`}</div></div>`;
}
