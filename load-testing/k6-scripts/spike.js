// Orders at RATE (50/s), for a third of DURATION (90s) ten times as many, then as before: a spike may be refused, loses
// nothing, and is over when it is over.
const {nothingDropped, prompt, reliable, steady} = require('./lib/arrivals.js');
const {allConfirmed, balanced, TEARDOWN} = require('./lib/books.js');
const {newRun, nextOrder, place, placeOne} = require('./lib/orders.js');
const settings = require('./lib/settings.js');
const summary = require('./lib/summary.js');

const rate = settings.rate(50);
const peak = settings.rate(10 * rate, 'PEAK');
const third = settings.duration('90s', 3) / 3;

const options = {
  scenarios: {
    before: steady('order', rate, third),
    spike: steady('orderOrRefusal', peak, third, {start: third}),
    after: steady('order', rate, third, {start: 2 * third}),
  },
  thresholds: {
    ...prompt('scenario:before', 'scenario:after'),
    ...reliable('scenario:spike'),
    ...balanced('order'),
    ...nothingDropped((2 * rate + peak) * third),
  },
  teardownTimeout: TEARDOWN,
};

function orderOrRefusal(run) {
  place('order', nextOrder(run, 'order'), {mayRefuse: true});
}

Object.assign(exports, summary, {options, setup: newRun, order: placeOne, orderOrRefusal, teardown: allConfirmed});
