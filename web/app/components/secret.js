/** A new secret: the server shows it in one answer alone, and so does the console. */
import { html } from '../view.js';
import { Dialog, over } from './over.js';

/** Shows a secret, a new one once. @param {{title?: string, text: string, children: any, beside?: any}} props text: what it is for; beside: a button beside the one that closes */
export const showSecret = ({ title = 'The secret is shown once', text, children, beside }) => over((done) => html`<${Dialog} label=${title} close=${() => done(null)}><div class="inside"><h2>${title}</h2><p class="t2">${text}</p>${children}</div>
  <div class="buttons">${beside}<span class="grow"></span><button type="button" class="button ink" data-first onClick=${() => done(null)}>I have it</button></div><//>`);
