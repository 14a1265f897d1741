/* The shop: products with their stock, the basket, and the order that is placed of it. */
import {callOnce, get, newKey} from './api.js';
import {announce, badge, empty, failure, field, h, more, repeat, show, skeleton} from './dom.js';
import {money, number} from './format.js';
import {CARDS, tracker} from './orders.js';
import {isSignedIn} from './session.js';

const PAGE = 12, LOW = 10, MOST = 1000, REFRESH_MS = 8000, TYPING_MS = 250;

/* It outlives a look at another tab, not a reload. */
const basket = {
  lines: new Map(),
  key: newKey(),
  pay: CARDS[0][0],
  placed: null
};

function change(product, quantity) {
  const bounded = Math.max(0, Math.min(MOST, quantity));
  if (bounded === 0)
    basket.lines.delete(product.product_id);
  else
    basket.lines.set(product.product_id, {product, quantity: bounded});
  basket.key = newKey(); /* another basket is another order */
}

function stockOf(product) {
  if (product.on_hand === 0) return badge('bad', 'Sold out');
  if (product.on_hand <= LOW) return badge('wait', `${number(product.on_hand)} left`);
  return badge('plain', 'In stock');
}

function productRow(product, onChange) {
  const quantity = basket.lines.get(product.product_id)?.quantity || 0;
  const set = (value, id) => {
    change(product, value);
    announce(value > 0 ? `${value} of ${product.name} in the basket` : `${product.name} is out of the basket`);
    onChange();
    document.getElementById(id)?.focus({preventScroll: true});
  };
  const add = `add-${product.product_id}`, less = `less-${product.product_id}`;
  const buy = quantity === 0 ?
      h('button', {
        class: 'small',
        type: 'button',
        id: add,
        disabled: product.on_hand === 0,
        'aria-label': `Add ${product.name}`,
        onclick: () => set(1, add)
      },
        'Add') :
      h('div', {class: 'stepper', role: 'group', 'aria-label': `Quantity of ${product.name}`},
        h('button', {
          type: 'button',
          id: less,
          'aria-label': `One ${product.name} less`,
          onclick: () => set(quantity - 1, quantity > 1 ? less : add)
        },
          '−'),
        h('output', {}, number(quantity)),
        h('button',
          {type: 'button', id: add, 'aria-label': `One ${product.name} more`, onclick: () => set(quantity + 1, add)},
          '+'));
  return h(
      'li', {class: 'product'},
      h('div', {class: 'grow'}, h('div', {class: 'name'}, product.name),
        h('div', {class: 'quiet mono'}, product.product_id)),
      h('div', {class: 'stock'}, stockOf(product)),
      h('div', {class: 'price num'}, money(product.price, product.currency)), h('div', {class: 'buy'}, buy));
}

/* ---- the catalogue ---- */

function catalogue(onChange) {
  const list = h('ul', {class: 'products', 'aria-label': 'Products'});
  const foot = h('div', {class: 'foot'});
  const status = h('p', {class: 'quiet', role: 'status'});
  const state = {words: '', items: [], cursor: null, pages: 1};
  const search = h('input', {
    id: 'search',
    type: 'search',
    autocomplete: 'off',
    placeholder: 'Search products',
    'aria-label': 'Search products'
  });

  const draw = () => {
    if (state.items.length === 0)
      show(
          list,
          h('li', {class: 'plain'},
            state.words ? empty('Nothing found', 'No product has these words in its name.') :
                          empty('No products yet', 'An admin puts products with PUT /api/products/{product}.')));
    else
      show(list, state.items.map((product) => productRow(product, () => {
                                   draw();
                                   onChange();
                                 })));
    show(foot, state.cursor ? more('More products', () => {
           state.pages++;
           load();
         }) : null);
  };
  const query = (cursor) => {
    const parameters = new URLSearchParams({limit: String(PAGE)});
    if (state.words) parameters.set('q', state.words);
    if (cursor) parameters.set('cursor', cursor);
    return get(`/api/products?${parameters}`);
  };
  const load = async () => {
    const words = state.words, items = [];
    let cursor = null;
    try {
      for (let page = 0; page < state.pages; page++) {
        const found = await query(cursor);
        items.push(...found.items);
        cursor = found.next_cursor;
        if (!cursor) break;
      }
      if (words !== state.words) return;
      const same =
          JSON.stringify([items, cursor]) === JSON.stringify([state.items, state.cursor]) && list.children.length > 0;
      Object.assign(state, {items, cursor});
      for (const product of items)
        if (basket.lines.has(product.product_id)) basket.lines.get(product.product_id).product = product;
      show(status);
      if (!same) draw();
    } catch (error) {
      if (state.items.length === 0)
        show(list, h('li', {class: 'plain'}, failure(error, load)));
      else
        show(status, `Stock is as of a moment ago: ${error.message}`);
    }
  };
  let typing = 0;
  search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      Object.assign(state, {words: search.value.trim(), pages: 1});
      load();
    }, TYPING_MS);
  });
  show(list, h('li', {class: 'plain'}, skeleton(6)));
  const made =
      h('section', {class: 'card flush', 'aria-labelledby': 'products-title'},
        h('div', {class: 'head'}, h('h2', {id: 'products-title'}, 'Products'), search), status, list, foot);
  repeat(made, REFRESH_MS, load);
  return {made, draw, load};
}

/* ---- the basket ---- */

function totals() {
  const sums = new Map();
  for (const {product, quantity} of basket.lines.values())
    sums.set(product.currency, (sums.get(product.currency) || 0) + product.price * quantity);
  return [...sums].map(([currency, sum]) => money(sum, currency)).join(' + ') || '–';
}

function orderBody() {
  const items = [...basket.lines.values()].map(({product, quantity}) => ({product_id: product.product_id, quantity}));
  return {items, payment: basket.pay === 'later' ? {when: 'later'} : {token: basket.pay}};
}

function paySelect() {
  const made =
      h('select', {
        id: 'pay',
        onchange: () => {
          basket.pay = made.value;
          basket.key = newKey();
        }
      },
        CARDS.map(([token, text]) => h('option', {value: token}, text)), h('option', {value: 'later'}, 'Pay later'));
  made.value = basket.pay;
  return made;
}

function basketCard(onPlaced, onEmptied) {
  const place = h('section', {class: 'card', 'aria-labelledby': 'basket-title'});
  const state = {busy: '', error: null};
  const draw = () => {
    const lines = [...basket.lines.values()];
    const rows = lines.map(
        ({product, quantity}) =>
            h('li', {}, h('span', {class: 'grow'}, h('span', {class: 'num'}, `${number(quantity)} × `), product.name),
              h('span', {class: 'num'}, money(product.price * quantity, product.currency))));
    const button = isSignedIn() ?
        h('button', {class: 'primary wide', id: 'place', type: 'submit', disabled: Boolean(state.busy)},
          state.busy || 'Place order') :
        h('a', {class: 'button primary wide', href: '#/sign-in'}, 'Sign in to order');
    show(
        place, h('h2', {id: 'basket-title'}, 'Basket'),
        lines.length === 0 ?
            empty('Nothing in it yet', 'Add products to place an order.') :
            h('form', {onsubmit: submit}, h('ul', {class: 'lines'}, rows),
              h('p', {class: 'total'}, h('span', {class: 'grow'}, 'Total'), h('strong', {class: 'num'}, totals())),
              field('Payment', paySelect()), state.error ? failure(state.error) : null, button));
  };
  const submit = async (event) => {
    event.preventDefault();
    if (state.busy) return;
    Object.assign(state, {busy: 'Placing…', error: null});
    draw();
    try {
      const order = await callOnce('POST', '/api/orders', orderBody(), basket.key, () => {
        state.busy = 'Trying again…';
        draw();
      });
      basket.lines.clear();
      basket.key = newKey();
      state.busy = '';
      onPlaced(order);
      onEmptied();
    } catch (error) {
      Object.assign(state, {busy: '', error});
      if (!error.passes) basket.key = newKey(); /* it was refused; else the next try is the same request */
    }
    draw();
  };
  draw();
  return {made: place, draw};
}

/* ---- the view ---- */

export function shopView(signal) {
  const side = h('div', {class: 'side'}), placed = h('div', {});
  const follow = (order) => {
    basket.placed = order.order_id;
    const made = tracker(order.order_id, signal, {title: 'Your order', onSettled: () => products.load()});
    show(placed, made);
    made.scrollIntoView({block: 'nearest'});
  };
  const card = basketCard(follow, () => products.draw());
  const products = catalogue(() => card.draw());
  side.append(card.made, placed);
  if (basket.placed && isSignedIn()) placed.append(tracker(basket.placed, signal, {title: 'Your order'}));
  return h(
      'div', {class: 'page'}, h('h1', {class: 'hidden-text'}, 'Shop'), h('div', {class: 'split'}, products.made, side));
}

export function emptyBasket() {
  basket.lines.clear();
  Object.assign(basket, {key: newKey(), placed: null});
}
