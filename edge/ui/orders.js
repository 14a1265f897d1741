/* Orders: the list, and one order with its saga as it goes on. */
import {callOnce, get, newKey, stream} from './api.js';
import {announce, badge, empty, failure, field, h, more, repeat, show, skeleton} from './dom.js';
import {clockTime, duration, isFinal, mayCancel, money, number, reason, shortId, statusOf, time} from './format.js';
import {refundParts} from './refunds.js';
import {isOperator} from './session.js';
import {detailOf, EVENTS, storyList} from './story.js';

const POLL_MS = 6000;

/* Tokens of the payment provider's test cards: no card number ever comes here. */
export const CARDS = [
  ['pm_card_visa', 'Test card, is accepted'],
  ['pm_card_chargeDeclined', 'Test card, is declined'],
  ['pm_card_chargeDeclinedInsufficientFunds', 'Test card, without funds'],
];

export const statusBadge = (status) => badge(...statusOf(status));

/* ---- the saga's steps ---- */

/* done | now | failed | open for each of the four steps of an order. */
export function stepsOf(status, events) {
  const has = (type) => events.some((event) => event.type === type);
  const reserved = has('order.reserved'), confirmed = status === 'CONFIRMED' || has('order.confirmed');
  const fails = ['REJECTED', 'COMPENSATING', 'CANCELLED'].includes(status) || has('order.compensating');
  const steps = [['Placed', 'done'], ['Stock', reserved ? 'done' : fails ? 'failed' : 'now']];
  steps.push(['Payment', confirmed ? 'done' : !reserved ? 'open' : fails ? 'failed' : 'now']);
  steps.push(['Confirmed', confirmed ? 'done' : 'open']);
  return steps;
}

const STEP_WORDS = {
  done: 'done',
  now: 'under way',
  failed: 'undone',
  open: 'to come'
};

function stepList(status, events) {
  return h(
      'ol', {class: 'steps', 'aria-label': 'Progress'},
      stepsOf(status, events)
          .map(
              ([name, state]) =>
                  h('li', {class: `step ${state}`, 'aria-current': state === 'now' ? 'step' : null},
                    h('span', {class: 'dot', 'aria-hidden': 'true'}), h('span', {}, name),
                    h('span', {class: 'hidden-text'}, `: ${STEP_WORDS[state]}`))));
}

function timeline(events, order) {
  const first = events.length > 0 ? new Date(events[0].at).getTime() : 0;
  return h(
      'ol', {class: 'timeline', 'aria-label': 'History'},
      events.map(
          (event) =>
              h('li', {class: EVENTS[event.type]?.[2] ? 'back' : ''},
                h('span', {class: 'grow'}, h('span', {class: 'what'}, EVENTS[event.type]?.[0] || event.type),
                  h('span', {class: 'quiet'}, detailOf(event, order))),
                h('time', {class: 'quiet num', datetime: event.at, title: time(event.at)},
                  event.seq === 1 ? clockTime(event.at) : `+${duration(new Date(event.at) - first)}`))));
}

function paymentFacts(payment) {
  const facts = [
    ['State', payment.status], ['Amount', money(payment.amount, payment.currency)],
    ['Refunded', money(payment.refunded, payment.currency)], ['Refundable', money(payment.refundable, payment.currency)]
  ];
  return h('dl', {class: 'facts'}, facts.map(([name, shown]) => [h('dt', {}, name), h('dd', {class: 'num'}, shown)]));
}

/* ---- one order ---- */

class Tracker {
  constructor(orderId, signal, options) {
    Object.assign(this, {
      orderId,
      signal,
      options,
      order: null,
      events: [],
      line: 'away',
      error: null,
      busy: '',
      actionError: null,
      payKey: newKey(),
      card: CARDS[0][0]
    });
    this.place = h('section', {class: 'card tracker', 'aria-labelledby': `order-${orderId}`});
    this.refunds = refundParts(() => this.read());
    show(this.place, skeleton(4));
    this.read();
    stream(
        `/api/orders/${orderId}/stream`,
        {signal, on: (event) => this.take(event), state: (line) => this.setLine(line)});
  }

  setLine(line) {
    this.line = line;
    this.draw();
  }

  async read() {
    try {
      const [order, rest] = await Promise.all([get(`/api/orders/${this.orderId}`), this.readMore()]);
      Object.assign(this, {order, ...rest, error: null});
    } catch (error) {
      if (!this.order) this.error = error;
    }
    this.draw();
  }

  /* The parts for operators. One that cannot be read stays as it was. */
  async readMore() {
    if (!this.options.payments) return {};
    const parts = {payments: `/api/orders/${this.orderId}/payments`, trail: `/api/orders/${this.orderId}/trail`};
    if (this.order && !isFinal(this.order.status)) parts.queues = '/api/queues';
    const read = await Promise.all(
        Object.entries(parts).map(([name, path]) => get(path).then((body) => [[name, body]], () => [])));
    const {payments, ...rest} = Object.fromEntries(read.flat());
    return payments ? {...rest, payments: payments.items} : rest;
  }

  async take({type, data}) {
    if (type === 'resync' || this.events.some((event) => event.seq === data.seq)) return;
    this.events.push(data);
    announce(`Order ${shortId(this.orderId)}: ${EVENTS[data.type]?.[0] || data.type}. ${detailOf(data, this.order)}`);
    this.draw();
    await this.read();
    if (this.order && isFinal(this.order.status)) this.options.onSettled?.(this.order);
  }

  async act(name, work) {
    Object.assign(this, {busy: name, actionError: null});
    this.draw();
    try {
      await work();
    } catch (error) {
      this.actionError = error;
    }
    this.busy = '';
    await this.read();
  }

  cancel() {
    return this.act('cancel', () => callOnce('POST', `/api/orders/${this.orderId}/cancel`, {}, newKey()));
  }

  pay() {
    const body = {order_id: this.orderId, payment: {token: this.card}};
    return this.act('pay', async () => {
      try {
        await callOnce('POST', '/api/payments', body, this.payKey);
        this.payKey = newKey();
      } catch (error) {
        if (!error.passes) this.payKey = newKey();
        throw error;
      }
    });
  }

  actions() {
    const {status} = this.order;
    const made = [];
    if (status === 'AWAITING_PAYMENT') {
      const select =
          h('select', {
            id: `card-${this.orderId}`,
            onchange: () => {
              this.card = select.value;
              this.payKey = newKey();
            }
          },
            CARDS.map(([token, text]) => h('option', {value: token}, text)));
      select.value = this.card;
      made.push(
          h('div', {class: 'pay'},
            field('Card', select, this.order.pay_by ? `To be paid by ${time(this.order.pay_by)}.` : null),
            h('button', {
              id: `pay-${this.orderId}`,
              class: 'primary',
              type: 'button',
              disabled: Boolean(this.busy),
              onclick: () => this.pay()
            },
              this.busy === 'pay' ? 'Paying…' : `Pay ${money(this.order.total, this.order.currency)}`)));
    }
    if (mayCancel(status))
      made.push(
          h('button',
            {id: `cancel-${this.orderId}`, type: 'button', disabled: Boolean(this.busy), onclick: () => this.cancel()},
            this.busy === 'cancel' ? 'Cancelling…' : 'Cancel order'));
    return made.length > 0 ? h('div', {class: 'actions'}, made) : null;
  }

  lines() {
    const items = this.order.items || [];
    return h(
        'ul', {class: 'lines'},
        items.map(
            (item) =>
                h('li', {},
                  h('span', {class: 'grow'}, h('span', {class: 'num'}, `${number(item.quantity)} × `), item.product_id),
                  h('span', {class: 'num'},
                    item.unit_price ? money(item.unit_price * item.quantity, this.order.currency) : ''))),
        this.order.total !== null ? h('li', {class: 'total'}, h('span', {class: 'grow'}, 'Total'),
                                      h('strong', {class: 'num'}, money(this.order.total, this.order.currency))) :
                                    null);
  }

  paymentParts() {
    if (!this.payments?.length) return null;
    return h(
        'div', {}, h('h3', {}, 'Payment'), this.payments.flatMap((one) => [paymentFacts(one), ...this.refunds(one)]));
  }

  head() {
    const live = this.line === 'live' ? h('span', {class: 'live'}, 'Live') :
        this.line === 'away' && this.order && !isFinal(this.order.status) ?
                                        h('span', {class: 'quiet'}, 'Reconnecting…') :
                                        null;
    return h(
        'div', {class: 'head'},
        h('h2', {id: `order-${this.orderId}`}, this.options.title || 'Order', ' ',
          h('code', {title: this.orderId}, shortId(this.orderId))),
        live, this.order ? statusBadge(this.order.status) : null);
  }

  body() {
    const {order} = this;
    const who = this.options.payments ?
        h('dl', {class: 'facts'}, h('dt', {}, 'Order'), h('dd', {class: 'mono'}, this.orderId), h('dt', {}, 'Customer'),
          h('dd', {class: 'mono'}, order.customer_id || '–'), h('dt', {}, 'Placed'),
          h('dd', {}, time(order.created_at)), h('dt', {}, 'Version'),
          h('dd', {class: 'num'}, String(order.version ?? '–'))) :
        null;
    const why = order.reason ? h('p', {class: 'why'}, reason(order.reason)) : null;
    return [
      stepList(order.status, this.events), why, this.actionError ? failure(this.actionError) : null, who, this.lines(),
      this.actions(), this.paymentParts(), this.options.payments ? storyList(this) : timeline(this.events, order)
    ];
  }

  draw() {
    if (this.signal.aborted) return;
    const content = this.order ? this.body() : this.error ? [failure(this.error, () => this.read())] : [skeleton(4)];
    show(this.place, this.head(), content);
  }
}

/* A card that follows an order until signal aborts. options: title; payments: show what operators may see; onSettled.
 */
export function tracker(orderId, signal, options = {}) {
  return new Tracker(orderId, signal, options).place;
}

/* ---- lists ---- */

export function orderRow(order, href, isChosen) {
  return h(
      'li', {},
      h('a', {class: 'row', href, 'aria-current': isChosen ? 'true' : null}, h('code', {}, shortId(order.order_id)),
        statusBadge(order.status), h('span', {class: 'num grow right'}, money(order.total, order.currency)),
        h('time', {class: 'quiet num', datetime: order.created_at}, time(order.created_at))));
}

export function ordersView(signal, chosen) {
  const list = h('ul', {class: 'rows', 'aria-label': 'Orders, newest first'});
  const foot = h('div', {class: 'foot'});
  const state = {items: null, cursor: null, pages: 1, shown: ''};
  const draw = () => {
    if (state.items.length === 0)
      show(
          list,
          h('li', {class: 'plain'},
            empty(
                'No orders yet', 'An order that you place in the shop is here from then on.',
                h('a', {class: 'button', href: '#/shop'}, 'To the shop'))));
    else
      show(list, state.items.map((order) => orderRow(order, `#/orders/${order.order_id}`, order.order_id === chosen)));
    show(foot, state.cursor ? more('Older orders', () => {
           state.pages++;
           load();
         }) : null);
  };
  const load = async () => {
    try {
      const items = [];
      let cursor = null;
      for (let page = 0; page < state.pages; page++) {
        const found = await get(`/api/orders?limit=20${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
        items.push(...found.items);
        cursor = found.next_cursor;
        if (!cursor) break;
      }
      const text = JSON.stringify([items, cursor]);
      Object.assign(state, {items, cursor});
      if (text !== state.shown) draw();
      state.shown = text;
    } catch (error) {
      if (!state.items) show(list, h('li', {class: 'plain'}, failure(error, load)));
    }
  };
  show(list, h('li', {class: 'plain'}, skeleton(5)));
  const card = h(
      'section', {class: 'card flush', 'aria-labelledby': 'orders-title'},
      h('div', {class: 'head'}, h('h2', {id: 'orders-title'}, isOperator() ? 'Orders of all customers' : 'My orders')),
      list, foot);
  repeat(card, POLL_MS, load);
  const detail = chosen ? tracker(chosen, signal, {onSettled: load, payments: isOperator()}) :
                          h('section', {class: 'card'},
                            empty('No order chosen', 'Choose an order to see where it is, and how it came there.'));
  return h(
      'div', {class: 'page'}, h('h1', {class: 'hidden-text'}, 'Orders'),
      h('div', {class: `split even ${chosen ? 'has-detail' : ''}`}, card, h('div', {class: 'side'}, detail)));
}
