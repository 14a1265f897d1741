// Reads at RATE (500/s) for DURATION (1m): of ten, seven of an order, and one each of a history, a page and a product.
const exec = require('k6/execution');

const {nothingDropped, prompt, steady} = require('./lib/arrivals.js');
const {allConfirmed, balanced, TEARDOWN, waitForRest} = require('./lib/books.js');
const {get} = require('./lib/edge.js');
const {newOrder, newRun, place, sku} = require('./lib/orders.js');
const settings = require('./lib/settings.js');
const summary = require('./lib/summary.js');

const rate = settings.rate(500);
const seconds = settings.duration('1m');
const ORDERS = 20;
const READS = [order, order, order, order, order, order, order, history, page, product];

const options = {
  scenarios: {reads: steady('read', rate, seconds)},
  thresholds: {
    ...prompt('kind:get-order', 'kind:get-history', 'kind:get-page', 'kind:get-product'),
    ...balanced('order'),
    ...nothingDropped(rate * seconds),
  },
  teardownTimeout: TEARDOWN,
};

// A run has some orders of its own to read.
function setup() {
  const run = newRun();
  run.orders = [];
  for (let number = 0; number < ORDERS; number++) {
    run.orders.push(place('order', newOrder(run, 'order', 'setup', number)).body.order_id);
  }
  waitForRest(run, ['order']);
  return run;
}

function read(run) {
  const number = exec.scenario.iterationInTest;
  READS[number % READS.length](run.orders[number % ORDERS], number);
}

function order(id) {
  get('get-order', `/api/orders/${id}`, {
    'get-order: it, confirmed': (its) => its.body.order_id === id && its.body.status === 'CONFIRMED',
  });
}

function history(id) {
  get('get-history', `/api/orders/${id}/events`, {
    'get-history: from its beginning': (its) => its.body.items.length > 1 && its.body.items[0].seq === 1,
  });
}

function page() {
  get('get-page', `/api/orders?limit=${ORDERS}`, {
    'get-page: full': (its) => its.body.items.length === ORDERS,
  });
}

function product(_, number) {
  const id = sku(1 + number % 100);
  get('get-product', `/api/products/${id}`, {
    'get-product: it': (its) => its.body.product_id === id && its.body.price > 0,
  });
}

Object.assign(exports, summary, {options, setup, read, teardown: allConfirmed});
