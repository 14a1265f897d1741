// Orders: their bodies, and how they are placed.
const {sleep} = require('k6');
const {randomBytes} = require('k6/crypto');
const exec = require('k6/execution');

const {noteSent, noteSettled} = require('./books.js');
const {judge, requireReady, send} = require('./edge.js');

// Of the sample catalogue.
const FIRST_PRODUCTS = 50;
// How often an order without a definite answer is sent again; a second or so lies between two of them.
const REPEATS = 60;
// A UUID of version 5.
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

// For setup: a name that no other run has.
function newRun() {
  requireReady();
  const bytes = new Uint8Array(randomBytes(8));
  return {name: 'k6-' + Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')};
}

function sku(number) {
  return `SKU-${String(number).padStart(5, '0')}`;
}

// Two products, each in turn.
function someItems(number) {
  return [0, 1].map((k) => ({product_id: sku(1 + (number + k) % FIRST_PRODUCTS), quantity: 1 + number % 3}));
}

// With a key that no other order has; number: the how manieth of its part.
function newOrder(run, kind, part, number, items = someItems(number)) {
  return {idempotency_key: `${run.name}-${part}-${number}`, customer_id: `${run.name}-${kind}`, items};
}

// Of the iteration that runs.
function nextOrder(run, kind, items) {
  return newOrder(run, kind, exec.scenario.name, exec.scenario.iterationInTest, items);
}

function isReplayed(answer) {
  return answer.status === 200 && answer.header('Idempotent-Replayed') === 'true';
}

function isRefused(answer) {
  return answer.status === 503 && Number(answer.header('Retry-After')) > 0;
}

// With the header, Go's client may repeat a request whose idle connection the edge had closed.
function post(kind, order) {
  return send(kind, 'POST', '/api/orders', order, {'Idempotency-Key': order.idempotency_key});
}

// No answer, too many requests, or the server's fault: the order may be there or not.
function isUnknown(answer) {
  return answer.status === 0 || answer.status === 429 || answer.status >= 500;
}

// Sends an order again, as any client should, until it is accepted or refused for good. → the last answer
function settle(order, answer) {
  for (let repeats = 0; isUnknown(answer) && repeats < REPEATS; repeats++) {
    sleep(Number(answer.header('Retry-After')) || 1);
    answer = post('settle', order);
  }
  return answer;
}

function judgePlaced(kind, order, answer) {
  judge(kind, answer, {
    [`${kind}: accepted`]: (its) => its.status === 202 || isReplayed(its),
    [`${kind}: order_id is a UUID`]: (its) => ID.test(its.body.order_id),
    [`${kind}: Location`]: (its) => its.header('Location') === `/api/orders/${its.body.order_id}`,
    [`${kind}: its items`]: (its) => its.body.status === 'ACCEPTED' || its.body.items.length === order.items.length,
  });
}

// → the answer, of which only the first one is judged. With mayRefuse a 503 is right, too.
function place(kind, order, {mayRefuse = false} = {}) {
  noteSent(kind);
  const first = post(kind, order);
  if (mayRefuse && isRefused(first)) {
    judge(kind, first, {[`${kind}: refused, with Retry-After`]: () => true});
  } else {
    judgePlaced(kind, order, first);
  }
  const answer = settle(order, first);
  if (!isUnknown(answer)) {
    noteSettled(kind, answer.status >= 200 && answer.status < 300);
  }
  return answer;
}

// What most scenarios do over and over.
function placeOne(run) {
  place('order', nextOrder(run, 'order'));
}

module.exports = {
  isRefused,
  isReplayed,
  newOrder,
  newRun,
  nextOrder,
  place,
  placeOne,
  post,
  sku,
  someItems
};
