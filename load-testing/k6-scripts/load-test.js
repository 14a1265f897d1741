// Orders at a constant rate (RATE 100/s, DURATION 1m), within the bounds that the system promises.
const {nothingDropped, prompt, steady} = require('./lib/arrivals.js');
const {allConfirmed, balanced, TEARDOWN} = require('./lib/books.js');
const {newRun, placeOne} = require('./lib/orders.js');
const settings = require('./lib/settings.js');
const summary = require('./lib/summary.js');

const rate = settings.rate(100);
const seconds = settings.duration('1m');

const options = {
  scenarios: {orders: steady('order', rate, seconds)},
  thresholds: {...prompt('kind:order'), ...balanced('order'), ...nothingDropped(rate * seconds)},
  teardownTimeout: TEARDOWN,
};

Object.assign(exports, summary, {options, setup: newRun, order: placeOne, teardown: allConfirmed});
