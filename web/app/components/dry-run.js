/** The dry run beside a save: "This would…" in the same place. */
import { html, useState } from '../view.js';
import { ErrorNote, Note } from './bits.js';
import { Button } from './popup.js';

/** @param {() => Promise<any>} ask the call with `dry_run`  @param {(answer: any) => any} says what it answers, in words */
export function useDryRun(ask, says) {
  const [state, setState] = useState(/** @type {{busy: boolean, said: any, error: any}} */ ({ busy: false, said: null, error: null }));
  return {
    ...state,
    clear: () => setState({ busy: false, said: null, error: null }),
    run: async () => {
      setState({ busy: true, said: null, error: null });
      try {
        setState({ busy: false, said: says(await ask()), error: null });
      } catch (error) {
        setState({ busy: false, said: null, error });
      }
    },
  };
}

/** @param {{dry: ReturnType<typeof useDryRun>}} props */
export function DryRunBox({ dry }) {
  if (dry.error) return html`<${ErrorNote} error=${dry.error} what="The dry run was refused." />`;
  return dry.said && html`<${Note} icon="eye" live><b>Dry run.</b> ${dry.said} <span class="t2">Nothing was changed.</span><//>`;
}

/** @param {{dry: ReturnType<typeof useDryRun>, disabled?: boolean}} props */
export const DryRunButton = ({ dry, disabled }) => html`<span data-dry><${Button} icon="eye" busy=${dry.busy} disabled=${disabled} onClick=${dry.run}>Dry run<//></span>`;
