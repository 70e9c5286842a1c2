// Describes the elements for editors and documentation: reads the doc comments of each element.ts, which are the one source, and
// makes custom-elements.json (schema 2.1.0) and the tables of docs/component.md of them.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const check = { name: 'LivenessCheck', file: 'element.ts', module: 'lib/index.js', defined: 'lib/auto.js' };
const status = { name: 'LivenessStatus', file: 'status/element.ts', module: 'lib/status.js', defined: 'lib/liveness-status.js' };

/** The class of an element as a declaration of custom-elements.json. */
function declaration(element) {
  const source = fileURLToPath(new URL(`../src/liveness/${element.file}`, import.meta.url));
  const file = ts.createSourceFile(source, readFileSync(source, 'utf8'), ts.ScriptTarget.ES2022, true);
  const found = file.statements.find((s) => ts.isClassDeclaration(s) && s.name?.text === element.name);
  if (!found) throw new Error(`no class ${element.name} in ${source}`);
  const members = found.members.flatMap((m) => member(m));
  const attributes = tagged(found, 'attr').map(({ name, ...rest }) => {
    const fieldName = name.replace(/-(.)/g, (_, c) => c.toUpperCase());
    return members.some((m) => m.name === fieldName) ? { name, ...rest, fieldName } : { name, ...rest };
  });
  return {
    kind: 'class',
    customElement: true,
    name: element.name,
    tagName: tagged(found, 'tag')[0].name,
    description: described(found),
    superclass: { name: 'HTMLElement' },
    attributes,
    members,
    events: tagged(found, 'fires').map(({ type, ...rest }) => ({ ...rest, type: { text: `CustomEvent<${type.text}>` } })),
    slots: tagged(found, 'slot'),
    cssParts: tagged(found, 'csspart'),
    cssProperties: tagged(found, 'cssprop'),
  };
}

/** The whole of custom-elements.json. */
export function manifest() {
  return { schemaVersion: '2.1.0', readme: 'README.md', modules: [...modulesOf(check), ...modulesOf(status)] };
}

// The module that exports the class, and the one that registers the element.
function modulesOf(element) {
  const { name, module } = element;
  const declared = declaration(element);
  return [
    { kind: 'javascript-module', path: module, declarations: [declared], exports: [{ kind: 'js', name, declaration: { name, module } }] },
    {
      kind: 'javascript-module',
      path: element.defined,
      exports: [{ kind: 'custom-element-definition', name: declared.tagName, declaration: { name, module } }],
    },
  ];
}

// One tag: "{type} [name=default] - description", of which type and default are optional.
const form = /^(?:\{(?<type>.+?)\}\s+)?\[?(?<name>[\w-]+)(?:=(?<value>[^\]]+))?\]?(?:\s+-\s+(?<description>.+))?$/s;

function tagged(node, tag) {
  const all = ts.getJSDocTags(node).filter((t) => t.tagName.text === tag);
  return all.map((t) => {
    const text = ts.getTextOfJSDocComment(t.comment)?.trim() ?? '';
    const parts = form.exec(text)?.groups;
    if (!parts) throw new Error(`element.ts: @${tag} ${text}: write {type} [name=default] - description`);
    const { type, name, value, description } = parts;
    return { name, ...(type && { type: { text: type } }), ...(value && { default: value }), ...(description && { description }) };
  });
}

function described(node) {
  return ts
    .getJSDocCommentsAndTags(node)
    .filter(ts.isJSDoc)
    .map((d) => ts.getTextOfJSDocComment(d.comment))
    .join('\n');
}

// What the browser calls is no member for a page.
const called = /^(connected|disconnected|connectedMove|attributeChanged)/;

function member(m) {
  const name = m.name && ts.isIdentifier(m.name) ? m.name.text : '';
  if (!name || called.test(name) || ts.getModifiers(m)?.some((k) => k.kind === ts.SyntaxKind.StaticKeyword)) return [];
  const description = described(m);
  if (ts.isGetAccessor(m)) {
    const readonly = !m.parent.members.some((other) => ts.isSetAccessor(other) && other.name.getText() === name);
    return [{ kind: 'field', name, type: { text: m.type.getText() }, ...(readonly && { readonly }), description }];
  }
  if (!ts.isMethodDeclaration(m)) return [];
  const parameters = m.parameters.map((p) => ({
    name: p.name.getText(),
    type: { text: p.type.getText() },
    ...(p.questionToken && { optional: true }),
  }));
  return [{ kind: 'method', name, ...(parameters.length && { parameters }), return: { type: { text: m.type.getText() } }, description }];
}

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const code = (text) => (text ? `\`${cell(text)}\`` : '');
const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** The tables of docs/component.md, each under the name that its marks carry. */
export function tables() {
  const of = Object.entries(tablesOf(status)).filter(([name]) => !['methods', 'slots'].includes(name)); // it has none
  return { ...tablesOf(check), ...Object.fromEntries(of.map(([name, made]) => [`status ${name}`, made])) };
}

function tablesOf(element) {
  const e = declaration(element);
  const signature = (m) => `${m.name}(${(m.parameters ?? []).map((p) => `${p.name}${p.optional ? '?' : ''}: ${p.type.text}`).join(', ')})`;
  return {
    attributes: table(
      ['attribute', 'values', 'else', 'meaning'],
      e.attributes.map((a) => [code(a.name), code(a.type.text), code(a.default), cell(a.description)]),
    ),
    properties: table(
      ['property', 'type', 'meaning'],
      e.members
        .filter((m) => m.kind === 'field')
        .map((m) => [code(m.name), code(m.type.text), cell((m.readonly ? 'Read only. ' : '') + m.description)]),
    ),
    methods: table(
      ['method', 'meaning'],
      e.members.filter((m) => m.kind === 'method').map((m) => [code(signature(m)), cell(m.description)]),
    ),
    events: table(
      ['event', 'detail', 'when'],
      e.events.map((v) => [code(v.name), code(v.type.text.slice(12, -1)), cell(v.description)]),
    ),
    slots: table(
      ['slot', 'meaning'],
      e.slots.map((s) => [code(s.name), cell(s.description)]),
    ),
    parts: table(
      ['part', 'meaning'],
      e.cssParts.map((p) => [code(p.name), cell(p.description)]),
    ),
    variables: table(
      ['variable', 'else (light)', 'meaning'],
      e.cssProperties.map((p) => [code(p.name), code(p.default), cell(p.description)]),
    ),
  };
}

/** The page with its tables made again. */
export function withTables(page) {
  return Object.entries(tables()).reduce((text, [name, made]) => {
    const [begin, end] = [`<!-- ${name} -->\n`, `\n<!-- end of ${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`docs/component.md lacks the marks of the table ${name}`);
    return text.slice(0, from + begin.length) + made + text.slice(to);
  }, page);
}
