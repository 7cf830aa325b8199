// What the paths of the console's calls can be: the constants, props and arguments that a path is built from are followed through
// the files; what is only known at run time is `*`.
import { readdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import ts from 'typescript';

export const app = new URL('../../web/app/', import.meta.url).pathname;
const files = readdirSync(app, { recursive: true }).filter((file) => file.endsWith('.js')).map((file) => resolve(app, file));
const program = ts.createProgram(files, { allowJs: true, noEmit: true, noLib: true, types: [], target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler });
const checker = program.getTypeChecker();
export const sources = program.getSourceFiles().filter((source) => files.includes(resolve(source.fileName)));

/** Where something is declared; imports lead to what they import. */
export function symbolOf(node) {
  const symbol = ts.isShorthandPropertyAssignment(node.parent) ? checker.getShorthandAssignmentValueSymbol(node.parent) : checker.getSymbolAtLocation(node);
  return symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** Visits every node under one. */
export function each(node, visit) {
  visit(node);
  ts.forEachChild(node, (child) => each(child, visit));
}

const add = (map, key, value) => map.set(key, [...(map.get(key) ?? []), value]);
/** The calls of each function, and the tags of each component with their props. */
const calls = new Map();
const tags = new Map();

/** The components of one template: what follows `<${`, with the props up to its `>`. */
function readTemplate(template) {
  const first = template.template;
  if (!ts.isTemplateExpression(first)) return;
  let props = null;
  const literal = (text) => {
    const end = text.indexOf('>');
    if (props) for (const [, name, value] of (end < 0 ? text : text.slice(0, end)).matchAll(/([\w-]+)="([^"]*)"/g)) props.set(name, value);
    if (end >= 0) props = null;
  };
  let before = first.head.text;
  literal(before);
  for (const { expression, literal: next } of first.templateSpans) {
    const name = /([\w-]+)=$/.exec(before)?.[1];
    if (before.endsWith('<')) {
      props = new Map();
      const symbol = symbolOf(expression);
      if (symbol) add(tags, symbol, props);
    } else if (props && name) {
      props.set(name, expression);
      const loaded = name === 'load' && loadedBy(expression);
      if (loaded) add(tags, loaded, props);
    }
    before = next.text;
    literal(before);
  }
}

/** The component of `() => import('./file.js').then((file) => file.Component)`. */
function loadedBy(expression) {
  let found = null;
  each(expression, (node) => {
    if (!ts.isCallExpression(node) || node.expression.kind !== ts.SyntaxKind.ImportKeyword) return;
    const source = program.getSourceFile(resolve(dirname(expression.getSourceFile().fileName), node.arguments[0].text));
    const name = /\.(\w+)\)?\s*$/.exec(expression.getText())?.[1];
    found = checker.getExportsOfModule(checker.getSymbolAtLocation(source)).find((one) => one.name === name) ?? null;
  });
  return found;
}

for (const source of sources) {
  each(source, (node) => {
    if (ts.isTaggedTemplateExpression(node) && node.tag.getText() === 'html') readTemplate(node);
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const symbol = symbolOf(node.expression);
      if (symbol) add(calls, symbol, node);
    }
  });
}

/** The function that a parameter is of, by its symbol; undefined if it has no name. */
function functionOf(parameter) {
  const { parent } = parameter;
  if (ts.isFunctionDeclaration(parent)) return symbolOf(parent.name);
  let holder = parent.parent;
  while (ts.isParenthesizedExpression(holder)) holder = holder.parent;
  return ts.isVariableDeclaration(holder) ? symbolOf(holder.name) : undefined;
}

/** The nodes that a parameter, or a member of one, may stand for. */
function given(declaration) {
  if (ts.isParameter(declaration)) {
    const index = declaration.parent.parameters.indexOf(declaration);
    const within = declaration.parent.parent;
    // A parameter of what runs over a list is each of its elements.
    if (index === 0 && ts.isCallExpression(within) && ts.isPropertyAccessExpression(within.expression)) return elements(within.expression.expression);
    return (calls.get(functionOf(declaration)) ?? []).map((call) => call.arguments[index]).filter(Boolean);
  }
  const holder = declaration.parent.parent;
  const name = (declaration.propertyName ?? declaration.name).text;
  if (ts.isParameter(holder)) return (tags.get(functionOf(holder)) ?? []).map((props) => props.get(name)).filter((one) => one !== undefined);
  return holder.initializer ? objects(holder.initializer).flatMap((object) => member(object, name)) : [];
}

/** The initial value of a name, or what a parameter may be. */
function behind(identifier) {
  const declaration = symbolOf(identifier)?.valueDeclaration;
  if (!declaration) return [];
  if (ts.isVariableDeclaration(declaration) && declaration.initializer) return [declaration.initializer];
  if (ts.isParameter(declaration) || (ts.isBindingElement(declaration) && ts.isObjectBindingPattern(declaration.parent))) return given(declaration);
  return [];
}

const inside = (node) => (ts.isParenthesizedExpression(node) || ts.isAsExpression(node) ? inside(node.expression) : node);
const seen = new Set();
/** Follows a node once at a time: what leads back to itself is not known. */
function once(node, find) {
  if (seen.has(node)) return [];
  seen.add(node);
  try {
    return find();
  } finally {
    seen.delete(node);
  }
}

/** The elements of a list, as far as they are written down. */
function elements(given) {
  const node = inside(given);
  return once(node, () => {
    if (ts.isArrayLiteralExpression(node)) return node.elements.filter((one) => !ts.isSpreadElement(one));
    if (ts.isIdentifier(node)) return behind(node).filter((one) => typeof one !== 'string').flatMap(elements);
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && ['filter', 'sort', 'slice'].includes(node.expression.name.text)) return elements(node.expression.expression);
    if (ts.isPropertyAccessExpression(node)) return objects(node.expression).flatMap((object) => member(object, node.name.text)).flatMap(elements);
    return [];
  });
}

/** The object literals that a node may be. */
export function objects(given) {
  if (typeof given === 'string') return [];
  const node = inside(given);
  return once(node, () => {
    if (ts.isObjectLiteralExpression(node)) return [node];
    if (ts.isIdentifier(node)) return behind(node).flatMap(objects);
    if (ts.isConditionalExpression(node)) return [node.whenTrue, node.whenFalse].flatMap(objects);
    if (ts.isBinaryExpression(node)) return [node.left, node.right].flatMap(objects);
    if (ts.isPropertyAccessExpression(node)) return objects(node.expression).flatMap((object) => member(object, node.name.text)).flatMap(objects);
    if (ts.isElementAccessExpression(node)) return objects(node.expression).flatMap((object) => member(object, null)).flatMap(objects);
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) return behind(node.expression).filter((one) => ts.isArrowFunction(one) && !ts.isBlock(one.body)).flatMap((one) => objects(one.body));
    return [];
  });
}

/** The values of a member of an object literal; of every member if the name is not known. */
export function member(object, name) {
  return object.properties.filter((one) => one.name && (name === null || one.name.text === name)).map((one) => (ts.isShorthandPropertyAssignment(one) ? one.name : one.initializer)).filter(Boolean);
}

/**
 * What a node may be as text. `assumed` has the conditions that hold where the call is, such as `present`.
 * @param {any} given @param {Map<string, boolean>} assumed @returns {string[]}
 */
export function texts(given, assumed = new Map()) {
  if (typeof given === 'string') return [given];
  const node = inside(given);
  const found = once(node, () => {
    const every = (nodes) => nodes.flatMap((one) => texts(one, assumed));
    const joined = (parts) => parts.reduce((all, part) => all.flatMap((one) => part.map((next) => one + next)), ['']);
    const orUnknown = (all) => (all.length > 0 ? all : ['*']);
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return [node.text];
    if (ts.isTemplateExpression(node)) return joined([[node.head.text], ...node.templateSpans.flatMap((span) => [orUnknown(texts(span.expression, assumed)), [span.literal.text]])]);
    if (ts.isConditionalExpression(node)) {
      const holds = assumed.get(node.condition.getText());
      return every(holds === undefined ? [node.whenTrue, node.whenFalse] : [holds ? node.whenTrue : node.whenFalse]);
    }
    if (ts.isBinaryExpression(node)) {
      if (node.operatorToken.kind === ts.SyntaxKind.PlusToken) return joined([orUnknown(texts(node.left, assumed)), orUnknown(texts(node.right, assumed))]);
      if (node.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken) return texts(node.right, assumed);
      return every([node.left, node.right]);
    }
    if (node.kind === ts.SyntaxKind.NullKeyword || (ts.isIdentifier(node) && node.text === 'undefined')) return [];
    if (ts.isIdentifier(node)) return orUnknown(every(behind(node)));
    if (ts.isPropertyAccessExpression(node)) return orUnknown(every(objects(node.expression).flatMap((object) => member(object, node.name.text))));
    if (ts.isElementAccessExpression(node)) return orUnknown(every(objects(node.expression).flatMap((object) => member(object, null))));
    return ['*'];
  });
  return [...new Set(found)];
}

/** The conditions that hold where a node is. */
export function conditionsAt(node) {
  const assumed = new Map();
  for (let at = node; at.parent; at = at.parent) {
    if (!ts.isConditionalExpression(at.parent) || at === at.parent.condition) continue;
    assumed.set(at.parent.condition.getText(), at === at.parent.whenTrue);
  }
  return assumed;
}
