// Looks whether each call of the console is in the description of the API, by its path and its method: calls.mjs OPENAPI. The calls
// that pages show in the API menu are looked at too.
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import ts from 'typescript';
import { app, conditionsAt, each, member, objects, sources, texts } from './paths.mjs';

const description = JSON.parse(await readFile(process.argv[2], 'utf8'));
const known = Object.entries(description.paths).map(([path, methods]) => ({ parts: path.replace(/^(\/api)?\/v1/, '').split('/'), methods: Object.keys(methods).map((one) => one.toUpperCase()) }));
const METHODS = /** @type {Record<string, string>} */ ({ get: 'GET', post: 'POST', patch: 'PATCH', put: 'PUT', delete: 'DELETE', download: 'GET' });
/** The two files that all calls go through: what their callers ask for is looked at there. */
const MACHINERY = ['api.js', 'data.js'];

const escaped = (text) => text.replace(/[.+?^$()|[\]\\]/g, '\\$&');
/** Whether a part of a path may be this part of the description: what is not known, `*`, is an id or a name, never a whole word of a path. */
const fits = (part, wanted) => (wanted.startsWith('{') ? part !== '' : part !== '*' && new RegExp(`^${escaped(part).replaceAll('*', '[^/]+')}$`).test(wanted));
function isKnown(method, path) {
  const parts = path.split('/');
  return known.some((one) => one.methods.includes(method) && one.parts.length === parts.length && one.parts.every((wanted, i) => fits(parts[i], wanted)));
}

let looked = 0;
const wrong = new Set();
function look(node, method, paths) {
  const source = node.getSourceFile();
  const where = `${relative(app, source.fileName)}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
  for (const path of paths) {
    looked += 1;
    if (!path.startsWith('/')) wrong.add(`${where}: it cannot be told which path is called: ${path}`);
    else if (!isKnown(method, path)) wrong.add(`${where}: the API has no ${method} ${path}`);
  }
}

/** Whether a node is `api.get` or another of them. */
const isMethod = (node) => ts.isPropertyAccessExpression(node) && node.expression.getText() === 'api' && METHODS[node.name.text] !== undefined;
const understood = new Set();

/** The methods and the path of a call, or null if a node is none. */
function callOf(node) {
  const callee = node.expression;
  const [first, second] = node.arguments;
  if (ts.isIdentifier(callee)) {
    if (callee.text === 'useGet' || callee.text === 'shared') return { methods: ['GET'], path: first };
    return callee.text === 'call' ? { methods: [first.text], path: second } : null;
  }
  const used = [];
  if (isMethod(callee) || ts.isParenthesizedExpression(callee)) each(callee, (one) => isMethod(one) && used.push(one));
  for (const one of used) understood.add(one);
  return used.length > 0 ? { methods: used.map((one) => METHODS[one.name.text]), path: first } : null;
}

for (const source of sources) {
  if (MACHINERY.includes(relative(app, source.fileName))) continue;
  each(source, (node) => {
    if (isMethod(node) && !understood.has(node)) look(node, '', ['what is called']);
    if (!ts.isCallExpression(node)) return;
    const call = callOf(node);
    for (const method of call?.methods ?? []) look(node, method, texts(call.path, conditionsAt(node)));
    const name = ts.isIdentifier(node.expression) ? node.expression.text : '';
    if (name === 'fetch') {
      const method = node.arguments[1] ? objects(node.arguments[1]).flatMap((one) => member(one, 'method')).flatMap((one) => texts(one))[0] : undefined;
      look(node, method ?? 'GET', texts(node.arguments[0]).map((path) => path.replace(/^\/api\/v1/, '')));
    }
    if (name === 'usePage') objects(node.arguments[0]).flatMap((page) => member(page, 'call')).flatMap(objects).forEach((shown) => lookAtShown(node, shown));
  });
}

/** A call of the API menu: its method may depend on a condition, and its path on the same one. */
function lookAtShown(node, shown) {
  const [method] = member(shown, 'method');
  const [path] = member(shown, 'path');
  if (!path) return;
  const condition = method && ts.isConditionalExpression(method) ? method.condition.getText() : null;
  for (const holds of condition ? [true, false] : [undefined]) {
    const assumed = new Map(condition ? [[condition, holds]] : []);
    look(node, method ? texts(method, assumed)[0] : 'GET', texts(path, assumed));
  }
}

/** What another filter of keys says as well, and what a list has beside filters. */
const BESIDE = ['CustomerMasterKeySpec', 'kms_id', 'custom_key_store_id', 'skip', 'limit', 'sort', 'fields', 'search'];
const filters = sources.find((source) => relative(app, source.fileName) === 'pages/keys/filters.js');
const offered = [];
each(filters, (node) => ts.isPropertyAssignment(node) && node.name.text === 'name' && offered.push(node.initializer.text));
const ofApi = description.paths['/api/v1/cckm/aws/keys'].get.parameters.map((one) => one.name).filter((name) => !BESIDE.includes(name));
for (const name of ofApi) if (!offered.includes(name)) wrong.add(`pages/keys/filters.js: lacks the filter ${name}`);
for (const name of offered) if (!ofApi.includes(name)) wrong.add(`pages/keys/filters.js: the API has no filter ${name}`);

for (const line of wrong) console.log(line);
console.log(`${looked} calls looked up`);
if (wrong.size > 0) process.exit(1);
