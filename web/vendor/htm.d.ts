import type { h } from 'preact';
declare const htm: { bind(view: typeof h): (strings: TemplateStringsArray, ...values: any[]) => any };
export default htm;
