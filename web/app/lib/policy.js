/** Pure functions about key policies: where a text is no JSON, who is named in it, what its statements permit in words. */
import { listOf } from './query.js';

/** AWS takes policies of at most so many bytes. */
export const MOST_BYTES = 32_768;

/** @typedef {{line: number, column: number, message: string}} Fault */

/** A string, a number or a word of JSON. */
const TOKEN = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Where a text stops being JSON: browsers do not all say it. @param {string} text */
function firstFault(text) {
  let at = 0;
  const skip = () => {
    while (at < text.length && ' \t\n\r'.includes(text[at])) at += 1;
  };
  const token = () => {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    at += found?.[0].length ?? 0;
    return found !== null;
  };
  const list = (/** @type {string} */ end, /** @type {() => boolean} */ one) => {
    at += 1;
    skip();
    for (let first = true; ; first = false) {
      if (first && text[at] === end) break;
      if (!one()) return false;
      skip();
      if (text[at] === end) break;
      if (text[at] !== ',') return false;
      at += 1;
    }
    at += 1;
    return true;
  };
  /** @type {(depth: number) => boolean} */
  const value = (depth) => {
    skip();
    // Deeper than any policy.
    if (depth > 100) return false;
    if (text[at] === '[') return list(']', () => value(depth + 1));
    if (text[at] !== '{') return token();
    return list('}', () => {
      skip();
      if (text[at] !== '"' || !token()) return false;
      skip();
      if (text[at] !== ':') return false;
      at += 1;
      return value(depth + 1);
    });
  };
  if (value(0)) skip();
  return at;
}

/**
 * Reads a policy as it is typed: the value, or where it is wrong.
 * @param {string} text @returns {{value: any, fault: null} | {value: null, fault: Fault}}
 */
export function readPolicy(text) {
  try {
    const value = JSON.parse(text);
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return { value: null, fault: { line: 1, column: 1, message: 'A policy is an object: { "Version": …, "Statement": … }.' } };
    return { value, fault: null };
  } catch (/** @type {any} */ error) {
    const lines = text.slice(0, firstFault(text)).split('\n');
    return { value: null, fault: { line: lines.length, column: lines[lines.length - 1].length + 1, message: plain(String(error.message)) } };
  }
}

/** The message of the browser's parser without the place and the text around it. @param {string} said */
const plain = (said) => said.replace(/ in JSON at position.*$/s, '').replace(/, "?\.\.\..*$/s, '').replace(/^JSON\.parse: /, '').replace(/ at line .*$/s, '') + '.';

const USE = ['Encrypt', 'Decrypt', 'ReEncrypt', 'GenerateDataKey', 'Sign', 'Verify', 'GenerateMac', 'VerifyMac', 'DeriveSharedSecret'];

/** What actions are for, in words. @param {string[]} actions */
export function actionWords(actions) {
  const names = actions.map((action) => action.replace(/^kms:/i, ''));
  if (names.includes('*')) return 'everything';
  const words = new Set();
  for (const name of names) {
    if (/^Decrypt/.test(name)) words.add('decrypt');
    else if (/^Encrypt/.test(name)) words.add('encrypt');
    else if (/^GenerateDataKey/.test(name)) words.add('make data keys');
    else if (USE.some((use) => name.startsWith(use))) words.add('use it');
    else if (/Grant/.test(name)) words.add('give grants');
    else if (/^(Describe|Get|List)/.test(name)) words.add('read about it');
    else words.add('administer it');
  }
  const all = [...words];
  return all.length > 1 ? `${all.slice(0, -1).join(', ')} and ${all[all.length - 1]}` : all[0] ?? 'nothing';
}

/** The short name of a principal: "role payments-api", "account 345678901234", "everyone". @param {string} principal */
export function principalWords(principal) {
  if (principal === '*') return 'everyone';
  const arn = /^arn:[^:]*:(iam|sts)::(\d{12}):(root|(user|role|assumed-role|federated-user)\/(.+))$/.exec(principal);
  if (!arn) return /^\d{12}$/.test(principal) ? `account ${principal}` : principal;
  if (arn[3] === 'root') return `account ${arn[2]}`;
  return `${arn[4] === 'assumed-role' ? 'session' : arn[4]} ${arn[5].split('/').pop()}`;
}

/**
 * Who is named by a policy, a line for each statement and principal.
 * @param {any} policy @returns {Array<{principal: string, allow: boolean, actions: string[], conditions: boolean, sid: string, statement: number}>}
 */
export function people(policy) {
  return listOf(policy?.Statement).flatMap((statement, i) => {
    const named = statement?.Principal;
    const principals = named === '*' ? ['*'] : Object.values(named ?? {}).flatMap(listOf);
    return principals.map((principal) => ({
      principal: String(principal), allow: statement.Effect !== 'Deny', actions: listOf(statement.Action ?? statement.NotAction).map(String), conditions: Boolean(statement.Condition) || statement.NotAction !== undefined, sid: String(statement.Sid ?? ''), statement: i,
    }));
  });
}

/** A policy without one principal of one statement; a statement without principals goes too. @param {any} policy @param {number} statement @param {string} principal */
export function without(policy, statement, principal) {
  const statements = listOf(policy.Statement).flatMap((one, i) => {
    if (i !== statement) return [one];
    if (one.Principal === '*') return [];
    const kinds = Object.entries(one.Principal ?? {}).map(([kind, value]) => [kind, listOf(value).filter((/** @type {string} */ name) => name !== principal)]).filter(([, value]) => value.length > 0);
    return kinds.length === 0 ? [] : [{ ...one, Principal: Object.fromEntries(kinds.map(([kind, value]) => [kind, value.length === 1 ? value[0] : value])) }];
  });
  return { ...policy, Statement: statements };
}

/** Whether a principal of a policy stands for who used a key. @param {string} principal @param {{principal: string, account?: string}} who */
const standsFor = (principal, who) => principal === '*' || principal === who.principal || (who.account !== undefined && (principal === who.account || new RegExp(`^arn:[^:]*:iam::${who.account}:root$`).test(principal)));

/** @param {string[]} patterns @param {string} operation such as Decrypt */
const covers = (patterns, operation) => patterns.some((pattern) => new RegExp(`^${pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`, 'i').test(`kms:${operation}`));

/** Whether a policy may let somebody do an operation, as far as it alone tells. @param {any} policy @param {any} who @param {string} operation */
function lets(policy, who, operation) {
  const entries = people(policy).filter((entry) => standsFor(entry.principal, who) && covers(entry.actions, operation));
  return entries.some((entry) => entry.allow) && !entries.some((entry) => !entry.allow && !entry.conditions);
}

/**
 * Those who used a key lately, and whom a new policy lets do less of that than the present one.
 * @template {{principal: string, account?: string, operations?: Record<string, number>}} T
 * @param {any} before @param {any} after @param {T[]} used
 */
export const losing = (before, after, used) => used.filter((who) => Object.keys(who.operations ?? {}).some((operation) => lets(before, who, operation) && !lets(after, who, operation)));

export const USE_ACTIONS = ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'];
export const ADMIN_ACTIONS = ['kms:Create*', 'kms:Describe*', 'kms:Enable*', 'kms:List*', 'kms:Put*', 'kms:Update*', 'kms:Revoke*', 'kms:Disable*', 'kms:Get*', 'kms:Delete*', 'kms:TagResource', 'kms:UntagResource', 'kms:ScheduleKeyDeletion', 'kms:CancelKeyDeletion', 'kms:RotateKeyOnDemand'];

/** A policy in which principals may do more: they join the statement with these actions, or get a new one. @param {any} policy @param {string[]} principals @param {'use' | 'administer'} what */
export function permitting(policy, principals, what) {
  const actions = what === 'use' ? USE_ACTIONS : ADMIN_ACTIONS;
  const statements = [...listOf(policy.Statement)];
  const same = statements.findIndex((one) => one.Effect === 'Allow' && !one.Condition && one.Principal !== '*' && one.Principal?.AWS !== undefined && JSON.stringify(listOf(one.Action).slice().sort()) === JSON.stringify([...actions].sort()));
  if (same >= 0) statements[same] = { ...statements[same], Principal: { ...statements[same].Principal, AWS: [...new Set([...listOf(statements[same].Principal.AWS), ...principals])] } };
  else statements.push({ Sid: what === 'use' ? 'Use of the key' : 'Administration of the key', Effect: 'Allow', Principal: { AWS: principals }, Action: actions, Resource: '*' });
  return { ...policy, Statement: statements };
}

/**
 * What the check of a policy says of a lockout: AWS refuses it, the administrators of the account could not change it again, nobody is
 * locked out, or it is not known.
 * @param {any} checked @returns {'refused' | 'account' | 'none' | 'unknown'}
 */
export function lockoutOf(checked) {
  const lockout = checked?.lockout;
  if (!lockout || checked.problems?.length > 0) return 'unknown';
  if (lockout.refused_by_aws) return 'refused';
  if (lockout.account_decision !== 'allowed') return 'account';
  return lockout.caller ? 'none' : 'unknown';
}
