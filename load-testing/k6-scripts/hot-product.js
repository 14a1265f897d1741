// Everybody buys one product (PRODUCT SKU-00001) at RATE (100/s) for DURATION (1m).
const {nothingDropped, prompt, steady} = require('./lib/arrivals.js');
const {allConfirmed, balanced, TEARDOWN} = require('./lib/books.js');
const {newRun, nextOrder, place, sku} = require('./lib/orders.js');
const settings = require('./lib/settings.js');
const summary = require('./lib/summary.js');

const rate = settings.rate(100);
const seconds = settings.duration('1m');
const product = settings.text('PRODUCT', sku(1));

const options = {
  scenarios: {orders: steady('order', rate, seconds)},
  thresholds: {...prompt('kind:order'), ...balanced('order'), ...nothingDropped(rate * seconds)},
  teardownTimeout: TEARDOWN,
};

function order(run) {
  place('order', nextOrder(run, 'order', [{product_id: product, quantity: 1}]));
}

Object.assign(exports, summary, {options, setup: newRun, order, teardown: allConfirmed});
