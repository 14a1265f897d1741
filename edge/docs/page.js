/* Shows the OpenAPI document of this server. All text of the document becomes text nodes. */
'use strict';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
/* Words of JSON Schema that bound a value. */
const BOUNDS = ['format', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'pattern', 'default'];

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

function resolve(whole, part) {
  if (!part || !part.$ref) return part;
  const found = part.$ref.slice(2).split('/').reduce((place, name) => place[name], whole);
  return {...found, ...part};
}

function table(heads, rows) {
  const head = element('tr', {}, ...heads.map((text) => element('th', {scope: 'col'}, text)));
  return element(
      'div', {class: 'scroll', tabindex: '0'},
      element('table', {}, element('thead', {}, head), element('tbody', {}, ...rows)));
}

function kindOf(schema) {
  const kinds = [schema.type || 'any'].flat().filter((kind) => kind !== 'null');
  return kinds.join(' or ') + ([schema.type].flat().includes('null') ? ', or null' : '');
}

function boundsOf(schema) {
  const found = BOUNDS.filter((word) => word in schema).map((word) => `${word} ${schema[word]}`);
  if (schema.enum) found.push(schema.enum.filter((one) => one !== null).join(' | '));
  return found.join(', ');
}

function fieldRow(name, schema, required, depth, place) {
  const label = element('span', {class: `deep-${Math.min(depth, 3)}`}, element('code', {}, name));
  return element(
      'tr', {}, element('td', {}, label, required ? ' ' : null, required ? element('small', {}, 'required') : null),
      place === null ? null : element('td', {}, place), element('td', {}, kindOf(schema)),
      element('td', {}, schema.description || '', element('div', {class: 'bounds'}, boundsOf(schema))));
}

/* Every member of an object, those of its objects and lists below it. */
function fieldRows(schema, depth) {
  return Object.entries(schema.properties || {}).flatMap(([name, inner]) => {
    const row = fieldRow(name, inner, (schema.required || []).includes(name), depth, null);
    return [row, ...fieldRows(inner.items || inner, depth + 1)];
  });
}

function fieldTable(schema) {
  const rows = fieldRows(schema, 0);
  return rows.length > 0 ? table(['field', 'type', 'meaning'], rows) : element('p', {}, kindOf(schema));
}

function parametersOf(operation) {
  const given = operation.parameters || [];
  if (given.length === 0) return null;
  const rows = given.map((one) => fieldRow(one.name, one.schema, one.required, 0, one.in));
  return element('div', {}, element('h3', {}, 'Parameters'), table(['name', 'in', 'type', 'meaning'], rows));
}

function bodyOf(operation) {
  if (!operation.requestBody) return null;
  const [type, content] = Object.entries(operation.requestBody.content)[0];
  const shown = element('div', {}, element('h3', {}, `Body (${type})`), fieldTable(content.schema));
  if (content.example) shown.append(element('pre', {}, JSON.stringify(content.example, null, 2)));
  return shown;
}

function responseOf(whole, status, part) {
  const response = resolve(whole, part);
  const content = Object.entries(response.content || {})[0];
  const line = [element('code', {}, status), ` ${response.description}`];
  if (!content || part.$ref)
    return element('p', {}, ...line, part.$ref ? element('span', {class: 'mark'}, ' (a problem)') : null);
  return element(
      'details', {}, element('summary', {}, ...line, element('span', {class: 'mark'}, ` (${content[0]})`)),
      fieldTable(resolve(whole, content[1].schema)));
}

function sectionOf(whole, method, path, operation) {
  const responses = Object.entries(operation.responses).map(([status, part]) => responseOf(whole, status, part));
  return element(
      'section', {id: operation.operationId},
      element(
          'h2', {}, element('span', {class: `method ${method}`}, method.toUpperCase()), ' ', element('code', {}, path)),
      element('p', {}, operation.summary), parametersOf(operation), bodyOf(operation), element('h3', {}, 'Responses'),
      ...responses);
}

function problemSection(whole) {
  return element(
      'section', {id: 'problem'}, element('h2', {}, 'A problem'),
      element('p', {}, 'Every error has this body (RFC 9457, application/problem+json).'),
      fieldTable(whole.components.schemas.problem));
}

function linkTo(id, method, text) {
  return element(
      'li', {},
      element(
          'a', {href: `#${id}`}, method ? element('span', {class: `method ${method}`}, method.toUpperCase()) : null,
          text));
}

function show(whole) {
  const links = [], sections = [];
  for (const [path, methods] of Object.entries(whole.paths)) {
    for (const method of METHODS.filter((name) => name in methods)) {
      links.push(linkTo(methods[method].operationId, method, path));
      sections.push(sectionOf(whole, method, path, methods[method]));
    }
  }
  document.title = `${whole.info.title} API`;
  document.getElementById('title').textContent = `${whole.info.title} ${whole.info.version}`;
  document.getElementById('description').textContent = whole.info.description;
  document.getElementById('routes').replaceChildren(element('ul', {}, ...links, linkTo('problem', null, 'A problem')));
  document.getElementById('operations').replaceChildren(...sections, problemSection(whole));
  const chosen = location.hash && document.getElementById(location.hash.slice(1));
  if (chosen) chosen.scrollIntoView();
}

async function start() {
  try {
    const response = await fetch('api/openapi.json');
    if (!response.ok) throw new Error(`status ${response.status}`);
    show(await response.json());
  } catch (error) {
    document.getElementById('state').textContent = `The document cannot be shown: ${error.message}`;
  }
}

start();
