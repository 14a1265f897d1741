// Orders at a rate that climbs to RATE (400/s) within DURATION (2m): where do the bounds break?
const {climbing, nothingDropped, prompt} = require('./lib/arrivals.js');
const {allConfirmed, balanced, TEARDOWN} = require('./lib/books.js');
const {newRun, placeOne} = require('./lib/orders.js');
const settings = require('./lib/settings.js');
const summary = require('./lib/summary.js');

const rate = settings.rate(400);
const seconds = settings.duration('2m');

const options = {
  scenarios: {orders: climbing('order', rate, seconds)},
  thresholds: {...prompt('kind:order'), ...balanced('order'), ...nothingDropped(rate * seconds / 2)},
  teardownTimeout: TEARDOWN,
};

Object.assign(exports, summary, {options, setup: newRun, order: placeOne, teardown: allConfirmed});
