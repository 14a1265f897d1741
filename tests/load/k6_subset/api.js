// k6's modules as one virtual user sees them. world: {request(call) → answer, sample(name, type, value, tags),
// note(check), pause(seconds), scenario()}; in k6 every call returns only when it is done, and so it does here.
const crypto = require('crypto');

const {onlyKnown, strict} = require('./outside.js');

// As Go writes header names.
function canonical(name) {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

function response(answer) {
  return strict('Response', {
    status: answer.status,
    error: answer.error,
    body: answer.body,
    headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [canonical(name), value])),
    timings: strict('Response.timings', answer.timings),
    json: () => JSON.parse(answer.body),
  });
}

function seconds(text) {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (!found) {
    throw new Error(`"${text}" is no time such as 500ms, 10s, 5m or 2h`);
  }
  return found[1] * {ms: 0.001, s: 1, m: 60, h: 3600}[found[2]];
}

function httpModule(world) {
  function request(method, url, body = null, params = {}) {
    onlyKnown('http.request params', params, ['headers', 'tags', 'timeout']);
    const call = {method, url, body, headers: params.headers || {}, timeout: seconds(params.timeout || '60s')};
    const answer = world.request(call);
    world.sample('http_reqs', 'counter', 1, params.tags);
    world.sample('http_req_duration', 'trend', answer.timings.duration, params.tags);
    return response(answer);
  }

  return strict('k6/http', {
    request,
    get: (url, params) => request('GET', url, null, params),
    setResponseCallback(callback) {
      if (callback !== null) {
        throw new TypeError('http.setResponseCallback: the subset knows null alone');
      }
    },
  });
}

function metric(world, type, allowed) {
  return class {
    constructor(name, isTime = false) {
      this.name = name;
      world.define(name, type, isTime);
    }

    add(value, tags = {}) {
      if (!allowed(value)) {
        throw new TypeError(`${this.name}.add(${value}): not a value of a ${type}`);
      }
      world.sample(this.name, type, Number(value), tags);
    }
  };
}

function coreModule(world) {
  function check(value, conditions, tags = {}) {
    const outcomes = Object.entries(conditions).map(([name, holds]) => [name, Boolean(holds(value))]);
    for (const [name, passed] of outcomes) {
      world.sample('checks', 'rate', Number(passed), {...tags, check: name});
    }
    return outcomes.every(([, passed]) => passed);
  }

  function fail(text) {
    throw new Error(text);
  }

  return strict('k6', {check, fail, sleep: (time) => world.pause(time)});
}

function modules(world) {
  const bytes = (count) => new Uint8Array(crypto.randomBytes(count)).buffer;
  return {
    k6: coreModule(world),
    'k6/crypto': strict('k6/crypto', {randomBytes: bytes}),
    'k6/execution': strict('k6/execution', {
      get scenario() {
        return strict('exec.scenario', world.scenario());
      }
    }),
    'k6/http': httpModule(world),
    'k6/metrics': strict('k6/metrics', {
      Counter: metric(world, 'counter', Number.isFinite),
      Rate: metric(world, 'rate', (value) => typeof value === 'boolean' || Number.isFinite(value)),
      Trend: metric(world, 'trend', Number.isFinite),
    }),
  };
}

module.exports = {
  modules,
  seconds
};
