/* Makes elements. Every text becomes a text node: nothing is parsed as HTML. */

const SVG = 'http://www.w3.org/2000/svg';

function fill(made, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on'))
      made.addEventListener(name.slice(2), value);
    else if (name === 'value')
      made.value = value;
    else
      made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/* h('button', {class: 'small', onclick: go}, 'Go') */
export function h(name, props, ...children) {
  return fill(document.createElement(name), props, children);
}

export function svg(name, props, ...children) {
  return fill(document.createElementNS(SVG, name), props, children);
}

/* Says a text to screen readers. */
export function announce(text) {
  document.getElementById('announcer').textContent = text;
}

/* Shows the children in place of those that are there; the focus and what was scrolled stay where they were. */
export function show(place, ...children) {
  const focused = place.contains(document.activeElement) ? document.activeElement.id : '';
  const scrolled = [...place.querySelectorAll('.scroll[id]')].map((one) => [one.id, one.scrollLeft, one.scrollTop]);
  place.replaceChildren(...children.flat(2).filter(Boolean));
  if (focused) document.getElementById(focused)?.focus({preventScroll: true});
  for (const [id, left, top] of scrolled) document.getElementById(id)?.scrollTo(left, top);
}

/* A part that scrolls by itself, also by keys. */
export function scroller(id, label, ...children) {
  return h('div', {id, class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label}, ...children);
}

export function field(label, input, hint) {
  return h('div', {class: 'field'}, h('label', {for: input.id
           }, label), input, hint ? h('p', {class: 'hint'}, hint) : null);
}

export function empty(title, text, ...more) {
  return h('div', {class: 'empty'}, h('p', {class: 'empty-title'}, title), h('p', {class: 'quiet'}, text), ...more);
}

/* An error with the id by which the logs are searched. */
export function failure(error, again) {
  return h(
      'div', {class: 'notice bad', role: 'alert'},
      h('p', {}, error.message, error.traceId ? h('span', {class: 'trace'}, `Trace ${error.traceId}`) : null),
      again ? h('button', {class: 'small', type: 'button', onclick: again}, 'Try again') : null);
}

/* The button below a list that goes on. */
export function more(text, onclick) {
  return h('button', {id: 'more', class: 'quiet-button', type: 'button', onclick}, text);
}

export function skeleton(rows) {
  return h(
      'div', {class: 'skeleton', 'aria-hidden': 'true'}, Array.from({length: rows}, () => h('div', {class: 'bone'})));
}

export function badge(kind, text) {
  return h('span', {class: `badge ${kind}`}, text);
}

/* Runs work now and then every so many milliseconds while the element is shown and the page is visible. */
export function repeat(element, ms, work) {
  let runs = false;
  const turn = async () => {
    if (!element.isConnected) {
      clearInterval(timer);
      return;
    }
    if (runs || document.hidden) return;
    runs = true;
    try {
      await work();
    } finally {
      runs = false;
    }
  };
  const timer = setInterval(turn, ms);
  queueMicrotask(turn);
}
