// What a run is told by its environment; a value that cannot be meant ends it before anything is sent.

const UNITS = {
  s: 1,
  m: 60,
  h: 3600
};

function refuse(name, allowed) {
  throw new Error(`${name}=${__ENV[name]}: must be ${allowed}`);
}

function text(name, fallback) {
  return __ENV[name] || fallback;
}

function number(name, fallback, least, most) {
  const value = Number(text(name, fallback));
  if (!(value >= least && value <= most)) {
    refuse(name, `a number from ${least} to ${most}`);
  }
  return value;
}

// k6 takes whole numbers of arrivals alone.
function rate(fallback, name = 'RATE') {
  const value = number(name, fallback, 1, 100000);
  if (!Number.isInteger(value)) {
    refuse(name, 'an integer, arrivals a second');
  }
  return value;
}

// → seconds
function time(name, fallback, least) {
  const found = /^(\d+(?:\.\d+)?)([smh])$/.exec(text(name, fallback));
  const seconds = found ? Number(found[1]) * UNITS[found[2]] : 0;
  if (seconds < least) {
    refuse(name, `a time such as 30s, 5m or 2h, and at least ${least}s`);
  }
  return seconds;
}

// → seconds, of a run in so many parts; k6 wants a second for each.
function duration(fallback, parts = 1) {
  return time('DURATION', fallback, parts);
}

// Seconds until a request without an answer is given up.
const TIMEOUT = time('TIMEOUT', '10s', 1);

const BASE_URL = text('BASE_URL', 'http://127.0.0.1:8080').replace(/\/+$/, '');
if (!/^https?:\/\/[^/]+$/.test(BASE_URL)) {
  refuse('BASE_URL', 'http://host:port');
}

// An access token of an operator, for an edge that asks for one.
const TOKEN = text('TOKEN', '');

module.exports = {
  BASE_URL,
  duration,
  number,
  rate,
  text,
  TIMEOUT,
  TOKEN
};
