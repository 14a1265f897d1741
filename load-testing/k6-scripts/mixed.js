// Everything at once for DURATION (1m): orders at RATE (50/s) and as many reads; and for every twenty orders one that
// is declined, one that is sold out, one that is cancelled, and one that is said again.
const {sleep} = require('k6');

const {nothingDropped, prompt, steady} = require('./lib/arrivals.js');
const {balanced, closeBooks, TEARDOWN} = require('./lib/books.js');
const {get, judge, send} = require('./lib/edge.js');
const {isRefused, isReplayed, newRun, nextOrder, place, placeOne, post, sku} = require('./lib/orders.js');
const settings = require('./lib/settings.js');
const summary = require('./lib/summary.js');

const rate = settings.rate(50);
const seconds = settings.duration('1m');
const seldom = {
  per: 20
};
const SOLD_OUT = sku(100);  // of the sample catalogue
const FINALS = {
  order: ['CONFIRMED'],
  declined: ['CANCELLED'],
  'sold-out': ['REJECTED'],
  cancelled: ['CANCELLED', 'CONFIRMED'],  // some were CONFIRMED before the cancel came
  repeated: ['CONFIRMED'],
};
const READS = ['get-page', 'get-order'];
const ANSWERS = ['cancel', 'repeat', 'reuse'];

const options = {
  scenarios: {
    orders: steady('order', rate, seconds),
    reads: steady('read', rate, seconds),
    declined: steady('declined', rate, seconds, seldom),
    soldOut: steady('soldOut', rate, seconds, seldom),
    cancelled: steady('cancelled', rate, seconds, seldom),
    repeated: steady('repeated', rate, seconds, seldom),
  },
  thresholds: {
    ...prompt(...[...Object.keys(FINALS), ...READS, ...ANSWERS].map((kind) => `kind:${kind}`)),
    ...balanced(...Object.keys(FINALS)),
    ...nothingDropped(2.2 * rate * seconds),
  },
  teardownTimeout: TEARDOWN,
};

function teardown(run) {
  closeBooks(run, FINALS);
}

// The newest orders, and the newest of them.
function read() {
  const {body} = get('get-page', '/api/orders?limit=20', {'get-page: a page': (its) => Array.isArray(its.body.items)});
  if (body.items && body.items.length > 0) {
    const id = body.items[0].order_id;
    get('get-order', `/api/orders/${id}`, {'get-order: it': (its) => its.body.order_id === id});
  }
}

function declined(run) {
  const order = nextOrder(run, 'declined');
  order.payment = {token: 'pm_card_visa_chargeDeclined'};
  place('declined', order);
}

function soldOut(run) {
  place('sold-out', nextOrder(run, 'sold-out', [{product_id: SOLD_OUT, quantity: 1}]));
}

// A cancel that order-svc does not answer in time is refused, and is to be repeated.
function cancelled(run) {
  const id = place('cancelled', nextOrder(run, 'cancelled')).body.order_id;
  let answer;
  for (let tries = 0; tries < 5; tries++) {
    answer = send('cancel', 'POST', `/api/orders/${id}/cancel`, {});
    if (!isRefused(answer)) {
      break;
    }
    sleep(1);
  }
  judge('cancel', answer, {
    'cancel: taken, or too late': (its) => [200, 202, 409].includes(its.status),
    'cancel: names the order': (its) => its.status === 409 || its.body.order_id === id,
  });
}

// The same again is the same order; anything else under its key is refused.
function repeated(run) {
  const order = nextOrder(run, 'repeated');
  const id = place('repeated', order).body.order_id;
  judge('repeat', post('repeat', order), {
    'repeat: the same order': (its) => its.body.order_id === id,
    'repeat: said to be replayed': (its) => isReplayed(its) || its.body.status === 'ACCEPTED',
  });
  judge('reuse', post('reuse', {...order, items: [{product_id: sku(1), quantity: 99}]}), {
    'reuse: 422': (its) => its.status === 422,
  });
}

Object.assign(
    exports, summary,
    {options, setup: newRun, order: placeOne, read, declined, soldOut, cancelled, repeated, teardown});
