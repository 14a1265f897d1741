// The books of a run, closed at its end. Every kind of order has a customer of its own, so that its orders can be found
// again: the accepted orders must be there, no more and no fewer, in a final state that their kind may have.
const {fail, sleep} = require('k6');
const {Counter} = require('k6/metrics');

const {send} = require('./edge.js');

const OPEN = ['PENDING', 'RESERVED', 'COMPENSATING'];
const REST_SECONDS = 60;
const TEARDOWN = '10m';

const lost = new Counter('orders_lost');            // accepted, less those found at the end
const wrong = new Counter('orders_wrong');          // found, but not in a state that they may end in
const unsettled = new Counter('orders_unsettled');  // sent, and never accepted or refused for good

function noteSent(kind) {
  unsettled.add(1, {kind});
}

function noteSettled(kind, accepted) {
  unsettled.add(-1, {kind});
  lost.add(accepted ? 1 : 0, {kind});
}

// The thresholds. orders_lost is exact because every order is sent again until its answer is definite.
function balanced(...kinds) {
  const thresholds = {};
  for (const kind of kinds) {
    for (const counter of ['orders_lost', 'orders_wrong', 'orders_unsettled']) {
      thresholds[`${counter}{kind:${kind}}`] = ['count==0'];
    }
  }
  return thresholds;
}

// One page of a kind's orders; asked again where the edge cannot tell just now.
function page(run, kind, query) {
  for (let tries = 0; tries < 5; tries++) {
    const answer = send('books', 'GET', `/api/orders?customer_id=${run.name}-${kind}&${query}`);
    if (answer.status === 200) {
      return answer.body;
    }
    sleep(1);
  }
  fail(`the orders of ${run.name}-${kind} cannot be read`);
}

function isAtRest(run, kind) {
  return OPEN.every((status) => page(run, kind, `status=${status}&limit=1`).items.length === 0);
}

// Those that were accepted on the broker's confirm alone may still be in its queue: so twice.
function waitForRest(run, kinds) {
  const until = Date.now() + 1000 * REST_SECONDS;
  for (let seen = 0; seen < 2 && Date.now() < until;) {
    seen = kinds.every((kind) => isAtRest(run, kind)) ? seen + 1 : 0;
    sleep(0.3);
  }
}

// For teardown: finds every order of the run. finals: {kind: [states that its orders may end in]}
function closeBooks(run, finals) {
  waitForRest(run, Object.keys(finals));
  for (const [kind, states] of Object.entries(finals)) {
    let cursor = '';
    do {
      const found = page(run, kind, `limit=100${cursor}`);
      lost.add(-found.items.length, {kind});
      wrong.add(found.items.filter((order) => !states.includes(order.status)).length, {kind});
      cursor = found.next_cursor ? `&cursor=${encodeURIComponent(found.next_cursor)}` : null;
    } while (cursor);
  }
}

function allConfirmed(run) {
  closeBooks(run, {order: ['CONFIRMED']});
}

module.exports = {
  allConfirmed,
  balanced,
  closeBooks,
  noteSent,
  noteSettled,
  TEARDOWN,
  waitForRest
};
