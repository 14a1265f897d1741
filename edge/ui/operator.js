/* The operators' view: traffic, services, orders as they change, search, and stock. */
import {get, stream} from './api.js';
import {deadPanel} from './dead.js';
import {badge, empty, failure, h, repeat, scroller, show, skeleton} from './dom.js';
import {clockTime, money, number, shortId, STATUSES, statusOf} from './format.js';
import {orderRow, statusBadge, tracker} from './orders.js';
import {openRefundsPanel} from './owed.js';
import {trafficPanel} from './panels.js';
import {servicePanels} from './services.js';

const COUNT_MS = 5000, STOCK_MS = 10000, COUNTED = 100, FEED = 12, LOW = 10;
const OPEN = STATUSES.filter((name) => !['CONFIRMED', 'REJECTED', 'CANCELLED'].includes(name));
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
/* The namespace of order ids: an id is the UUIDv5 of customer and key (docs/security.md, Z5). */
const NAMESPACE = '6f726465-7262-4575-8e10-6f7264657273';

/* ---- order ids ---- */

export async function orderIdOf(customer, key) {
  const name = new TextEncoder().encode(`${customer}\0${key}`);
  const space = Uint8Array.from(NAMESPACE.replaceAll('-', '').match(/../g), (hex) => parseInt(hex, 16));
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-1', new Uint8Array([...space, ...name]))).slice(0, 16);
  hash[6] = (hash[6] & 0x0f) | 0x50;
  hash[8] = (hash[8] & 0x3f) | 0x80;
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0'))
      .join('')
      .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/* ---- orders ---- */

const isOrder = (id) => get(`/api/orders/${id}`).then(() => true, (error) => error.status !== 404);

/* An id opens its order; customer and key, with a blank in between, too; all else is a customer, whose id may look like
 * that of an order. */
async function find(words) {
  if (UUID.test(words) && await isOrder(words.toLowerCase())) return {id: words.toLowerCase()};
  const [customer, key] = words.split(/\s+/);
  return key ? {id: await orderIdOf(customer, key)} : {customer};
}

function ordersPanel(signal, chosen) {
  const list = h('ul', {class: 'rows', 'aria-label': 'Orders'});
  const chips = h('div', {class: 'chips', role: 'group', 'aria-label': 'Orders by state'});
  const title = h('p', {class: 'quiet pad-x', role: 'status'});
  const search = h('input', {
    id: 'find',
    type: 'search',
    autocomplete: 'off',
    placeholder: 'Order id, customer, or customer and key',
    'aria-label': 'Find orders by id, by customer, or by customer and key'
  });
  const state = {status: '', customer: '', counts: {}, items: null, shown: ''};

  const drawChips = () => show(
      chips,
      [['', 'All'], ...STATUSES.map((name) => [name, statusOf(name)[1]])].map(
          ([name, text]) =>
              h('button', {
                id: `chip-${name || 'all'}`,
                class: 'chip',
                type: 'button',
                'aria-pressed': String(state.status === name),
                onclick: () => choose({status: name})
              },
                text,
                state.counts[name] !== undefined ?
                    h('span', {class: 'count num'},
                      state.counts[name] >= COUNTED ? `${COUNTED - 1}+` : number(state.counts[name])) :
                                                      null)));
  const load = async () => {
    const asked = JSON.stringify([state.status, state.customer]);
    const parameters = new URLSearchParams({
      limit: '15',
      ...(state.status && {status: state.status}),
      ...(state.customer && {customer_id: state.customer})
    });
    try {
      const {items} = await get(`/api/orders?${parameters}`);
      if (asked !== JSON.stringify([state.status, state.customer]) || JSON.stringify(items) === state.shown) return;
      state.shown = JSON.stringify(items);
      show(
          list,
          items.length > 0 ?
              items.map((order) => orderRow(order, `#/operations/${order.order_id}`, order.order_id === chosen)) :
              h('li', {class: 'plain'}, empty('No such orders', 'None is in this state now.')));
    } catch (error) {
      show(list, h('li', {class: 'plain'}, failure(error, load)));
    }
  };
  const count = async () => {
    const pages =
        await Promise.all(OPEN.map((status) => get(`/api/orders?status=${status}&limit=${COUNTED}`).catch(() => null)));
    OPEN.forEach((status, index) => {
      if (pages[index]) state.counts[status] = pages[index].items.length;
    });
    drawChips();
  };
  const choose = (what) => {
    Object.assign(state, {status: '', customer: ''}, what, {shown: ''});
    show(title, state.customer ? `Orders of ${state.customer}` : null);
    drawChips();
    load();
  };
  const submit = async (event) => {
    event.preventDefault();
    const words = search.value.trim();
    const found = words ? await find(words) : {customer: ''};
    if (found.id)
      location.hash = `#/operations/${found.id}`;
    else
      choose({customer: found.customer});
  };
  drawChips();
  show(list, h('li', {class: 'plain'}, skeleton(6)));
  const made =
      h('section', {class: 'card flush', 'aria-labelledby': 'all-title'},
        h('div', {class: 'head'}, h('h2', {id: 'all-title'}, 'Orders'),
          h('form', {class: 'grow', role: 'search', onsubmit: submit}, search)),
        chips, title, list);
  repeat(made, COUNT_MS, count);
  repeat(made, COUNT_MS, load);
  return {made, load};
}

/* Changes of all orders as this edge hears of them. */
function feedPanel(signal, onChange) {
  const list = h('ol', {class: 'rows feed', 'aria-label': 'Changes, newest first'});
  const line = h('span', {class: 'quiet'}, 'Connecting…');
  const entries = [];
  let due = 0;
  const draw = () => show(
      list,
      entries.length > 0 ? entries.map(
                               ({order_id: id, status, at}) => h(
                                   'li', {},
                                   h('a', {class: 'row', href: `#/operations/${id}`}, h('code', {}, shortId(id)),
                                     statusBadge(status), h('time', {class: 'quiet num grow right'}, clockTime(at))))) :
                           h('li', {class: 'plain'}, empty('Quiet', 'Each change of an order appears here at once.')));
  const on = ({type, data}) => {
    if (type === 'order') entries.unshift({...data, at: new Date().toISOString()});
    entries.splice(FEED);
    clearTimeout(due);
    due = setTimeout(() => {
      draw();
      onChange();
    }, 150);
  };
  draw();
  stream('/api/events', {
    signal,
    on,
    state: (now) => show(
        line,
        now === 'live'     ? h('span', {class: 'live'}, 'Live') :
            now === 'away' ? 'Reconnecting…' :
                             'Not available')
  });
  return h(
      'section', {class: 'card flush', 'aria-labelledby': 'feed-title'},
      h('div', {class: 'head'}, h('h2', {id: 'feed-title'}, 'Changes'), line), list);
}

/* ---- stock ---- */

function stockRow(product) {
  const mark = product.on_hand === 0 ? badge('bad', 'Sold out') : product.on_hand <= LOW ? badge('wait', 'Low') : null;
  return h(
      'tr', {}, h('th', {scope: 'row'}, product.name, ' ', h('span', {class: 'quiet mono'}, product.product_id)),
      h('td', {}, mark), h('td', {class: 'num right'}, number(product.on_hand)),
      h('td', {class: 'num right'}, number(product.reserved)),
      h('td', {class: 'num right'}, money(product.price, product.currency)));
}

async function allProducts() {
  const items = [];
  let cursor = null;
  do {
    const page = await get(`/api/products?limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor && items.length < 1000);
  return items;
}

function stockPanel() {
  const body = h('div', {});
  const note = h('span', {class: 'quiet'});
  const load = async () => {
    try {
      const items =
          (await allProducts())
              .sort((one, other) => one.on_hand - other.on_hand || one.product_id.localeCompare(other.product_id));
      const low = items.filter((one) => one.on_hand <= LOW).length;
      show(
          note,
          low > 0 ? `${number(low)} of ${number(items.length)} low or sold out` : `${number(items.length)} products`);
      const head = [['Product', ''], ['', ''], ['On hand', 'right'], ['Reserved', 'right'], ['Price', 'right']].map(
          ([name, side]) => name ? h('th', {scope: 'col', class: side}, name) : h('td', {}));
      show(
          body,
          items.length > 0 ?
              scroller(
                  'stock', 'Stock',
                  h('table', {}, h('thead', {}, h('tr', {}, head)), h('tbody', {}, items.slice(0, 50).map(stockRow)))) :
              empty('No products', 'The catalogue is empty.'));
    } catch (error) {
      show(body, failure(error, load));
    }
  };
  show(body, skeleton(4));
  const made =
      h('section', {class: 'card flush', 'aria-labelledby': 'stock-title'},
        h('div', {class: 'head'}, h('h2', {id: 'stock-title'}, 'Stock, least first'), note), body);
  repeat(made, STOCK_MS, load);
  return made;
}

export function operatorView(signal, chosen) {
  const orders = ordersPanel(signal, chosen);
  const detail = chosen ? tracker(chosen, signal, {payments: true, onSettled: () => orders.load()}) :
                          feedPanel(signal, () => orders.load());
  const [traffic, edge] = trafficPanel();
  const {alarms, services, queues} = servicePanels();
  return h(
      'div', {class: 'page'}, h('h1', {class: 'hidden-text'}, 'Operations'),
      h('div', {class: 'board'}, alarms, traffic, orders.made,
        h('div', {class: 'side'}, chosen ? h('a', {class: 'back-link', href: '#/operations'}, '← All changes') : null,
          detail),
        services, queues, edge, openRefundsPanel(), deadPanel(), stockPanel()));
}
