// Scenarios in which requests come when they are due, whether or not earlier ones were answered; and the bounds of what
// they ask. A due request without a free client is not sent ("dropped") and counts as an error: so a server that
// stalls cannot slow its clients down and look better for it.
const {number} = require('./settings.js');

const P95_MS = number('P95_MS', 500, 0, 600000);
const P99_MS = number('P99_MS', 1000, 0, 600000);
const ERRORS = number('ERRORS', 0.001, 0, 1);

// Requests that can be under way: at once as many as a second brings, twice as long as the edge waits for an answer
// before the broker's confirm is enough; and more are made up to three seconds' worth, longer than it waits at all.
function clients(rate) {
  return {preAllocatedVUs: Math.max(30, rate), maxVUs: Math.max(60, 3 * rate)};
}

// An iteration that is cut leaves an order unsettled.
const GRACEFUL_STOP = '90s';

function seconds(value) {
  return `${Math.round(value * 1000)}ms`;
}

// rate arrivals every `per` seconds, for so many seconds, from `start` on.
function steady(exec, rate, length, {start = 0, per = 1} = {}) {
  return {
    ...clients(Math.ceil(rate / per)),
    executor: 'constant-arrival-rate',
    exec,
    rate,
    timeUnit: seconds(per),
    duration: seconds(length),
    startTime: seconds(start),
    gracefulStop: GRACEFUL_STOP,
  };
}

// From a tenth of the rate to all of it in three quarters of the time, and then on at that rate.
function climbing(exec, rate, length) {
  return {
    ...clients(rate),
    executor: 'ramping-arrival-rate',
    exec,
    startRate: Math.ceil(rate / 10),
    timeUnit: '1s',
    stages: [{target: rate, duration: seconds(0.75 * length)}, {target: rate, duration: seconds(0.25 * length)}],
    gracefulStop: GRACEFUL_STOP,
  };
}

function atMost(tag) {
  return {[`errors{${tag}}`]: [`rate<${ERRORS}`]};
}

// Thresholds for what bears one of these tags (a kind of request, or a scenario): how few may go wrong …
function reliable(...tags) {
  return Object.assign({}, ...tags.map(atMost));
}

// … and how soon, besides, they are answered.
function prompt(...tags) {
  const bounds = [`p(95)<${P95_MS}`, `p(99)<${P99_MS}`];
  return Object.assign(reliable(...tags), ...tags.map((tag) => ({[`latency{${tag}}`]: bounds})));
}

function nothingDropped(arrivals) {
  return {dropped_iterations: [`count<${Math.max(1, Math.floor(arrivals * ERRORS))}`]};
}

module.exports = {
  climbing,
  nothingDropped,
  prompt,
  reliable,
  steady
};
