/* What operators watch: figures of the edge's metrics, and the services behind it. */
import {get, getText} from './api.js';
import {badge, empty, failure, h, repeat, show, skeleton, svg} from './dom.js';
import {ago, compact, duration, number, time} from './format.js';

const EVERY_MS = 2000, KEPT = 60, SERVICES_MS = 5000;

/* ---- Prometheus's text format ---- */

/* → [{name, labels, value}] */
export function parseMetrics(text) {
  const found = [];
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!match) continue;
    const labels =
        Object.fromEntries([...(match[2] || '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map((one) => [one[1], one[2]]));
    found.push({name: match[1], labels, value: match[3] === '+Inf' ? Infinity : Number(match[3])});
  }
  return found;
}

const sum = (samples, name, pick = () => true) =>
    samples.reduce((all, one) => one.name === name && pick(one.labels) ? all + one.value : all, 0);

/* Streams last as long as their clients want, and the page's own reads are no traffic. */
const counts = (labels) =>
    !/\/stream$|\/events$|^\/ui|^\/health|^\/api\/(admin|services)|metrics/.test(labels.route || '');

function bucketsOf(samples) {
  const found = new Map();
  for (const one of samples)
    if (one.name === 'http_request_duration_seconds_bucket' && counts(one.labels)) {
      const bound = one.labels.le === '+Inf' ? Infinity : Number(one.labels.le);
      found.set(bound, (found.get(bound) || 0) + one.value);
    }
  return found;
}

/* The quantile between two scrapes in milliseconds, as histogram_quantile finds it; null: there were no requests. */
export function quantile(share, before, after) {
  const bounds = [...after.keys()].sort((one, other) => one - other);
  const counts_ = bounds.map((bound) => after.get(bound) - (before.get(bound) || 0));
  const rank = share * counts_.at(-1);
  if (!(rank > 0)) return null;
  const at = counts_.findIndex((count) => count >= rank);
  const low = at > 0 ? bounds[at - 1] : 0, below = at > 0 ? counts_[at - 1] : 0;
  if (bounds[at] === Infinity) return low * 1000;
  return 1000 * (low + (bounds[at] - low) * (rank - below) / (counts_[at] - below));
}

function snapshot(samples) {
  const failed = (labels) => counts(labels) && labels.status >= '500';
  return {
    at: performance.now(),
    requests: sum(samples, 'http_requests_total', counts),
    failed: sum(samples, 'http_requests_total', failed),
    orders: sum(samples, 'edge_orders_accepted_total'),
    refused: sum(samples, 'edge_refused_total'),
    buckets: bucketsOf(samples),
  };
}

/* ---- figures ---- */

function sparkline(values) {
  const width = 120, height = 28, most = Math.max(...values, 1e-9);
  const points = values.map(
      (value, index) =>
          `${(index * width / (KEPT - 1)).toFixed(1)},${(height - 2 - (height - 4) * value / most).toFixed(1)}`);
  return svg(
      'svg', {class: 'spark', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true'},
      points.length > 1 ? svg('polyline', {points: points.join(' ')}) : null);
}

function tile(name, value, unit, values) {
  return h(
      'div', {class: 'tile'}, h('dt', {}, name),
      h('dd', {}, h('span', {class: 'figure num'}, value), unit ? h('span', {class: 'unit'}, unit) : null,
        sparkline(values)));
}

const rate = (value) => value < 10 ? (Math.round(value * 10) / 10).toLocaleString() : compact(Math.round(value));

function tiles(history) {
  const last = history.at(-1) || {};
  const of = (name) => history.map((one) => one[name] ?? 0);
  const [p50, p50Unit] = duration(last.p50 ?? null).split(' ');
  const [p99, p99Unit] = duration(last.p99 ?? null).split(' ');
  return [
    tile('Requests', rate(last.requests ?? 0), '/ s', of('requests')),
    tile('Orders accepted', rate(last.orders ?? 0), '/ s', of('orders')),
    tile('Latency, median', p50, p50Unit, of('p50')),
    tile('Latency, p99', p99, p99Unit, of('p99')),
    tile('Errors', rate((last.errors ?? 0) * 100), '%', of('errors')),
    tile('Refused', rate(last.refused ?? 0), '/ s', of('refused')),
  ];
}

const STATES = [['good', 'Closed'], ['wait', 'Half-open'], ['bad', 'Open']];

function dependencies(samples) {
  const value = (name) => samples.find((one) => one.name === name)?.value;
  const breakers = samples.filter((one) => one.name === 'circuit_breaker_state');
  const backlog = value('edge_backlog_age_seconds') ?? 0, unroutable = sum(samples, 'edge_unroutable');
  const rows = [
    ['Broker', value('edge_broker_up') ? badge('good', 'Connected') : badge('bad', 'Away')],
    ['Order intake', value('edge_intake_closed') ? badge('bad', 'Closed') : badge('good', 'Open')],
    ['Oldest outbox message', backlog > 0 ? duration(backlog * 1000) : 'none'],
    ['Commands without a queue', unroutable ? badge('bad', number(unroutable)) : 'none'],
    ['Requests on the bus', number(sum(samples, 'edge_waiting_requests', (labels) => labels.kind === 'any'))],
    ...breakers.map(
        (one) => [`Breaker of ${one.labels.dependency.replace('_service', '-svc')}`, badge(...STATES[one.value])]),
  ];
  return h('dl', {class: 'facts wide'}, rows.map(([name, shown]) => [h('dt', {}, name), h('dd', {}, shown)]));
}

/* The edge that answers, as it sees itself: rates and latencies of the last seconds. */
export function trafficPanel() {
  const figures = h('dl', {class: 'tiles'});
  const facts = h('div', {class: 'body'});
  const note = h('div', {});
  const history = [];
  let before = null;
  const load = async () => {
    try {
      const samples = parseMetrics(await getText('/api/admin/metrics'));
      const now = snapshot(samples);
      if (before && now.requests >= before.requests) {
        const seconds = (now.at - before.at) / 1000, requests = now.requests - before.requests;
        history.push({
          requests: requests / seconds,
          orders: (now.orders - before.orders) / seconds,
          refused: (now.refused - before.refused) / seconds,
          errors: requests > 0 ? (now.failed - before.failed) / requests : 0,
          p50: quantile(0.5, before.buckets, now.buckets),
          p99: quantile(0.99, before.buckets, now.buckets),
        });
        history.splice(0, history.length - KEPT);
      }
      before = now;
      show(figures, tiles(history));
      show(facts, dependencies(samples));
      show(note);
    } catch (error) {
      show(note, failure(error));
    }
  };
  show(figures, tiles(history));
  show(facts, skeleton(4));
  const traffic =
      h('section', {class: 'card flush span', 'aria-labelledby': 'traffic-title'},
        h('div', {class: 'head'}, h('h2', {id: 'traffic-title'}, 'Traffic'),
          h('span', {class: 'quiet'}, 'of this edge, last two minutes')),
        note, figures);
  const edge =
      h('section', {class: 'card flush', 'aria-labelledby': 'edge-title'},
        h('div', {class: 'head'}, h('h2', {id: 'edge-title'}, 'Edge and bus')), facts);
  repeat(traffic, EVERY_MS, load);
  return [traffic, edge];
}

/* ---- services ---- */

const PROCESS = {
  ready: ['good', 'Ready'],
  not_ready: ['bad', 'Not ready'],
  draining: ['wait', 'Draining']
};

function processRows(items, health) {
  const names = [...new Set(items.map((one) => one.service))];
  const silent = Object.keys(health.services || {})
                     .filter((name) => name.endsWith('_service'))
                     .map((name) => name.replace('_service', '-svc'))
                     .filter((name) => !names.includes(name));
  const rows = items.map(
      (one) =>
          h('tr', {}, h('th', {scope: 'row'}, one.service), h('td', {}, badge(...PROCESS[one.state])),
            h('td', {class: 'mono'}, one.version), h('td', {class: 'mono'}, one.instance.slice(0, 8)),
            h('td', {class: 'num'},
              h('time', {datetime: one.started_at, title: time(one.started_at)}, ago(one.started_at)))));
  return [
    ...rows,
    ...silent.map(
        (name) =>
            h('tr', {}, h('th', {scope: 'row'}, name), h('td', {}, badge('bad', 'Silent')),
              h('td', {colspan: '3', class: 'quiet'}, 'no process has spoken for 20 s')))
  ];
}

function causesOf(health) {
  const causes = Object.entries(health.causes || {});
  return causes.length > 0 ?
      h('div', {class: 'notice bad', role: 'alert'},
        causes.map(([name, why]) => h('p', {}, `${name}: ${typeof why === 'string' ? why : JSON.stringify(why)}`))) :
      null;
}

/* /health says 503 with the same body when a part is down. */
const readHealth = () => get('/health').catch((error) => error.body || {services: {}, causes: {health: error.message}});

export function servicesPanel() {
  const body = h('div', {});
  const load = async () => {
    try {
      const [{items}, health] = await Promise.all([get('/api/services'), readHealth()]);
      const table =
          h('table', {},
            h('thead', {},
              h('tr', {},
                ['Service', 'State', 'Version', 'Process', 'Started'].map((name) => h('th', {scope: 'col'}, name)))),
            h('tbody', {}, processRows(items, health)));
      show(
          body, causesOf(health),
          items.length > 0 ?
              h('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Processes'}, table) :
              empty('No process has spoken', 'Each says every five seconds that it is there.'));
    } catch (error) {
      show(body, failure(error, load));
    }
  };
  show(body, skeleton(4));
  const made =
      h('section', {class: 'card flush', 'aria-labelledby': 'services-title'},
        h('div', {class: 'head'}, h('h2', {id: 'services-title'}, 'Services')), body);
  repeat(made, SERVICES_MS, load);
  return made;
}
