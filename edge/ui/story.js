/* The story of an order for operators, drawn down the page: a lane for each who takes part, a dot for each event of the
 * order's log, an arrow from where it came, between them the waits and who worked meanwhile; and the order's messages
 * that did not get on. */
import {badge, h, svg} from './dom.js';
import {clockTime, duration, isFinal, money, number, reason, time} from './format.js';

/* ---- what happened; pure ---- */

export const LANES = [['client', 'Client'], ['order', 'Order'], ['stock', 'Stock'], ['payment', 'Pay']];
const LANE_OF = {
  edge: 'client',
  'order-svc': 'order',
  'inventory-svc': 'stock',
  'payment-svc': 'payment'
};
const SERVICE_OF = {
  client: 'the customer',
  order: 'order-svc',
  stock: 'inventory-svc',
  payment: 'payment-svc'
};

/* Each event of an order's log: its words, where it came from, and whether it takes the order back. */
export const EVENTS = {
  'order.created': ['Order placed', 'client'],
  'order.reserved': ['Stock reserved', 'stock'],
  'payment.requested': ['Payment requested', 'client'],
  'order.confirmed': ['Paid and confirmed', 'payment'],
  'order.paid': ['Paid', 'payment'],
  'order.rejected': ['Rejected', 'stock', true],
  'order.compensating': ['Undoing the steps so far', 'order', true],
  'stock.returned': ['Stock is back on sale', 'stock', true],
  'payment.refused': ['No money moved', 'payment', true],
  'payment.captured': ['Payment captured', 'payment'],
  'payment.refunded': ['Refunded', 'payment', true],
  'stock.missing': ['Stock is missing', 'stock', true],
  'order.cancelled': ['Cancelled', 'order', true],
};

/* A cancel comes from the customer, a refusal from who refused. */
function cameFrom({type, data}) {
  const [, from] = EVENTS[type] || ['', 'order'];
  if (type !== 'order.compensating') return from;
  return data.reason?.startsWith('payment') ? 'payment' : data.reason?.startsWith('customer') ? 'client' : from;
}

const isPaidLater = (events, order) => order?.status === 'AWAITING_PAYMENT' ||
    events.some(({type, data}) => type === 'payment.requested' || data.reason?.startsWith('not_paid_in_time'));

/* The lanes that an order waits for behind the event; none: it is final, or goes on at once. */
function workers(event, events, order) {
  const has = (type) => events.some((one) => one.seq <= event.seq && one.type === type);
  if (has('order.confirmed') || has('order.rejected') || has('order.cancelled')) return [];
  if (has('order.compensating'))
    return [
      ...(has('stock.returned') ? [] : ['stock']),
      ...(has('payment.refused') || has('payment.refunded') ? [] : ['payment'])
    ];
  if (event.type === 'order.created') return ['stock'];
  if (event.type === 'order.reserved') return [isPaidLater(events, order) ? 'client' : 'payment'];
  return event.type === 'payment.requested' ? ['payment'] : [];
}

export function detailOf({type, data}, order) {
  if (data.reason) return reason(data.reason);
  if (type === 'order.reserved') return money(data.total, data.currency);
  return data.amount === undefined || data.amount === null ? '' : money(data.amount, order?.currency);
}

const ofEvents = (events, order) => events.map((event) => ({
                                                 at: event.at,
                                                 lane: 'order',
                                                 from: cameFrom(event),
                                                 mark: EVENTS[event.type]?.[2] ? 'back' : 'done',
                                                 text: EVENTS[event.type]?.[0] || event.type,
                                                 detail: detailOf(event, order),
                                                 works: workers(event, events, order)
                                               }));

const ofRefunds = (payments) =>
    payments.flatMap(({refunds}) => refunds.map((refund) => ({
                                                  at: refund.created_at,
                                                  lane: 'payment',
                                                  from: 'client',
                                                  mark: 'back',
                                                  text: 'Refund asked for',
                                                  detail: money(refund.amount, refund.currency)
                                                })));

const ofMessages = (trail) =>
    [...(trail?.outgoing || []).map((one) => ({
                                      at: one.created_at,
                                      lane: LANE_OF[one.service] || 'order',
                                      mark: one.unroutable ? 'bad' : 'wait',
                                      text: `${one.type} waits in the outbox`,
                                      detail: one.unroutable ? 'no queue takes it' :
                                                               `not confirmed; sent again ${number(one.attempts)} times`
                                    })),
     ...(trail?.dead || []).map((one) => ({
                                  at: one.at,
                                  lane: LANE_OF[one.service] || 'order',
                                  mark: 'bad',
                                  text: `${one.type} was dead-lettered`,
                                  detail: `${one.error}: ${one.cause}`
                                })),
];

/* → rows, oldest first, each with the wait before it: {at, lane, from, mark, text, detail, wait: {ms, lanes}}; the last
 * one is the present, if the order is not final. Waits are who worked, as order-svc's log shows it. */
export function storyOf({order, events, payments, trail}, now = Date.now()) {
  const rows = [...ofEvents(events, order), ...ofRefunds(payments || []), ...ofMessages(trail)].sort(
      (one, other) => new Date(one.at) - new Date(other.at));
  const open = order && !isFinal(order.status) && rows.length > 0;
  if (open) rows.push({at: new Date(now).toISOString(), lane: 'order', mark: 'now', text: 'Now', detail: ''});
  let works = [];
  return rows.map((row, index) => {
    const ms = index === 0 ? 0 : new Date(row.at) - new Date(rows[index - 1].at);
    const wait = index === 0 ? null : {ms: Math.max(0, ms), lanes: works};
    works = row.works || works;
    return {...row, wait};
  });
}

/* → {text, todo}: what an order that is not final waits for; null: nothing stands out. */
export function verdictOf({order, events, trail, queues}) {
  if (!order || isFinal(order.status)) return null;
  const todo = `./dev order ${order.order_id}`;
  const dead = trail?.dead.at(-1), stuck = trail?.outgoing.find((one) => one.unroutable);
  if (stuck) return {text: `No queue takes ${stuck.type} of ${stuck.service}.`, todo: 'bus-topology diff'};
  if (dead) return {text: `${dead.type} was dead-lettered by ${dead.service}.`, todo};
  const lanes = events.length > 0 ? workers(events.at(-1), events, order) : ['order'];
  for (const lane of lanes.filter((one) => one !== 'client')) {
    const queue = queues?.items.find((one) => one.kind === 'work' && one.service === SERVICE_OF[lane]);
    if (queue && queue.consumers === 0)
      return {text: `No process reads ${queue.queue}: ${number(queue.ready)} wait.`, todo: `Start ${queue.service}.`};
  }
  const [lane] = lanes;
  return lane ? {text: `It waits for ${SERVICE_OF[lane]}.`, todo: lane === 'client' ? '' : todo} : null;
}

/* ---- the drawing ---- */

/* In tenths of a rem: a lane is 1.9rem wide. */
const WIDE = 19, TALL = 24;
const center = (lane) => LANES.findIndex(([name]) => name === lane) * WIDE + WIDE / 2;

function arrow(from, to) {
  const [begin, end] = [center(from), center(to)], toRight = end > begin ? 1 : -1, tip = end - toRight * 5;
  return svg('path', {
    class: 'arrow',
    d: `M ${begin} ${TALL / 2} H ${tip} M ${tip - toRight * 3} ${TALL / 2 - 3} L ${tip} ${TALL / 2} L ${
        tip - toRight * 3} ${TALL / 2 + 3}`
  });
}

const picture = (kind, height, ...parts) => svg(
    'svg',
    {class: kind, viewBox: `0 0 ${LANES.length * WIDE} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true'},
    parts);

function rowOf(row, first) {
  const x = center(row.lane), y = TALL / 2;
  const dot = row.mark === 'bad' ?
      svg('path', {class: 'mark bad', d: `M ${x - 4} ${y - 4} l 8 8 m 0 -8 l -8 8`}) :
      svg('circle', {class: `mark ${row.mark}`, cx: String(x), cy: String(y), r: row.mark === 'now' ? '3' : '4.5'});
  return h(
      'li', {class: 'moment'},
      picture('lanes', TALL, row.from && row.from !== row.lane ? arrow(row.from, row.lane) : null, dot),
      h('span', {class: 'grow'}, h('span', {class: `what ${row.mark}`}, row.text),
        row.detail ? h('span', {class: 'quiet'}, row.detail) : null),
      row.mark === 'now' ?
          null :
          h('time', {class: 'quiet num', datetime: row.at, title: time(row.at)},
            row.at === first ? clockTime(row.at) : `+${duration(new Date(row.at) - new Date(first))}`));
}

/* A longer wait is taller, by its logarithm: milliseconds and days fit one page. */
const stepOf = (ms) => Math.min(6, Math.floor(Math.log10(Math.max(1, ms))));

function waitOf({ms, lanes}) {
  const who = lanes.map((lane) => SERVICE_OF[lane]).join(' and ');
  return h(
      'li', {class: `wait tall-${stepOf(ms)}`},
      picture(
          'lanes', 10,
          lanes.map(
              (lane) => svg(
                  'rect', {class: 'work', x: String(center(lane) - 2.5), y: '0', width: '5', height: '10', rx: '2'}))),
      h('span', {class: 'quiet num'}, who ? `${who}: ${duration(ms)}` : duration(ms)));
}

export function storyList(story) {
  const rows = storyOf(story), verdict = verdictOf(story);
  const silent = story.trail?.silent.map((one) => one.service) || [];
  return h(
      'div', {class: 'story-part'}, h('h3', {}, 'Story'),
      verdict ?
          h('p', {class: 'verdict'}, badge('wait', verdict.text), verdict.todo ? h('code', {}, verdict.todo) : null) :
          null,
      h('div', {class: 'lane-names', 'aria-hidden': 'true'}, LANES.map(([, name]) => h('span', {}, name))),
      h('ol', {class: 'story', 'aria-label': 'Story'},
        rows.flatMap((row) => [row.wait && row.wait.ms >= 1 ? waitOf(row.wait) : null, rowOf(row, rows[0].at)])),
      silent.length > 0 ?
          h('p', {class: 'quiet'}, `No answer from ${silent.join(', ')}: messages there are missing here.`) :
          null);
}
