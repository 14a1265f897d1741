// One request to the edge, and what its answer must be like.
const {check} = require('k6');
const http = require('k6/http');
const {Rate, Trend} = require('k6/metrics');

const {BASE_URL, TIMEOUT, TOKEN} = require('./settings.js');

const HEADERS = {
  'Content-Type': 'application/json',
  ...(TOKEN ? {Authorization: `Bearer ${TOKEN}`} : {})
};

const latency = new Trend('latency', true);
const errors = new Rate('errors');

// What went wrong is said by `errors`, which knows which answers are right; k6 takes every 4xx for a failure.
http.setResponseCallback(null);

function decoded(answer) {
  try {
    return answer.json() || {};
  } catch (_) {
    return {};
  }
}

// Sends it; → {status, header(name), body}. The latency has all that a client waits for, connecting too.
function send(kind, method, path, body, headers = {}) {
  const answer = http.request(method, BASE_URL + path, body === undefined ? null : JSON.stringify(body), {
    headers: {...HEADERS, ...headers},
    tags: {kind, name: kind},
    timeout: `${TIMEOUT}s`,
  });
  latency.add(answer.timings.blocked + answer.timings.duration, {kind});
  return {
    status: answer.status,
    body: decoded(answer),
    header: (name) => answer.headers[name],
  };
}

// A condition that cannot even be looked at does not hold.
function safely(condition) {
  return (answer) => {
    try {
      return condition(answer);
    } catch (_) {
      return false;
    }
  };
}

// wanted: {what the answer must be: function of it}; → whether all of it is. An answer counts once, as right or wrong.
function judge(kind, answer, wanted) {
  const safe = Object.fromEntries(Object.entries(wanted).map(([name, condition]) => [name, safely(condition)]));
  const good = check(answer, safe, {kind});
  errors.add(!good, {kind});
  return good;
}

function get(kind, path, wanted) {
  const answer = send(kind, 'GET', path);
  judge(kind, answer, {[`${kind}: 200`]: (its) => its.status === 200, ...wanted});
  return answer;
}

// For setup: nothing is asked of a stack that is not there.
function requireReady() {
  const answer = http.get(`${BASE_URL}/health/ready`, {tags: {kind: 'setup', name: 'setup'}});
  if (answer.status !== 200) {
    throw new Error(`${BASE_URL}/health/ready answers ${answer.status || answer.error}: is the stack up?`);
  }
}

module.exports = {
  get,
  judge,
  requireReady,
  send
};
