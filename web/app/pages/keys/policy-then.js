/** Beside the policy that a key had: it becomes a draft for the key as it is now, which is compared, checked and saved as any other. */
import { html, useState } from '../../view.js';
import { api } from '../../api.js';
import { draft, keepDraft } from '../../storage.js';
import { go } from '../../router.js';
import { lacks } from '../../rights.js';
import { keyName } from '../../lib/key.js';
import { jsonText } from '../../lib/text.js';
import { Card, ErrorNote } from '../../components/bits.js';
import { ask } from '../../components/dialog.js';
import { Button } from '../../components/popup.js';
import { toast } from '../../components/toast.js';

/** @param {{row: any, path: string}} props row: the key as it was */
export function PolicyThen({ row: key, path }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {any} */ (null));
  const then = jsonText(key.aws_param?.Policy);
  const name = `policy.${key.id}`;
  const begin = async () => {
    setBusy(true);
    setError(null);
    try {
      const now = jsonText((await api.get(path)).aws_param?.Policy);
      if (now === then) toast(html`${keyName(key)} has this policy now: there is nothing to put back.`);
      // A draft that was typed is not lost without a word.
      else if (draft(name) === null || (await ask({ title: `Replace your draft for ${keyName(key)}?`, act: 'Replace the draft', keep: 'Keep the draft', text: 'A draft of its policy is kept in this tab. In AWS nothing changes.', run: async () => true }))) {
        keepDraft(name, { text: then, began: now });
        go(`${path}?tab=policy`);
      }
    } catch (failed) {
      setError(failed);
    }
    setBusy(false);
  };
  return html`<${Card} title="Put it back"><div class="column"><p class="t2">It becomes a draft for the key as it is now. You see the difference before anything is sent to AWS.</p><${ErrorNote} error=${error} />
    <div><${Button} icon="undo-2" busy=${busy} missing=${lacks(key, 'keyupdate')} disabled=${then === ''} onClick=${begin}>Begin a draft from this policy<//></div></div><//>`;
}
