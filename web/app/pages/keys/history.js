/** The events of a key, newest first. */
import { html } from '../../view.js';
import { History } from '../../components/history.js';

/** @param {{path: string}} props */
export const KeyHistory = ({ path }) => html`<${History} path=${path} />`;
