// Orders at a constant rate (RATE 50/s) for long (DURATION 30m): the last third must keep the bounds that the first one
// keeps. What the programs hold meanwhile is measured by ./dev load soak.
const {nothingDropped, prompt, steady} = require('./lib/arrivals.js');
const {allConfirmed, balanced, TEARDOWN} = require('./lib/books.js');
const {newRun, placeOne} = require('./lib/orders.js');
const settings = require('./lib/settings.js');
const summary = require('./lib/summary.js');

const rate = settings.rate(50);
const third = settings.duration('30m', 3) / 3;

const options = {
  scenarios: {
    first: steady('order', rate, third),
    middle: steady('order', rate, third, {start: third}),
    last: steady('order', rate, third, {start: 2 * third}),
  },
  thresholds: {
    ...prompt('scenario:first', 'scenario:middle', 'scenario:last'),
    ...balanced('order'),
    ...nothingDropped(3 * rate * third),
  },
  teardownTimeout: TEARDOWN,
};

Object.assign(exports, summary, {options, setup: newRun, order: placeOne, teardown: allConfirmed});
