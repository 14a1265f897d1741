/* Figures of the edge's metrics: traffic and latencies, and what it knows of the bus. */
import {getText} from './api.js';
import {badge, failure, h, repeat, show, skeleton, svg} from './dom.js';
import {compact, duration, number} from './format.js';

const EVERY_MS = 2000, KEPT = 60;

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

export const rate = (value) => value < 10 ? (Math.round(value * 10) / 10).toLocaleString() : compact(Math.round(value));

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

function dependencies(samples) {
  const value = (name) => samples.find((one) => one.name === name)?.value;
  const backlog = value('edge_backlog_age_seconds') ?? 0, unroutable = sum(samples, 'edge_unroutable');
  const rows = [
    ['Broker', value('edge_broker_up') ? badge('good', 'Connected') : badge('bad', 'Away')],
    ['Order intake', value('edge_intake_closed') ? badge('bad', 'Closed') : badge('good', 'Open')],
    ['Oldest outbox message', backlog > 0 ? duration(backlog * 1000) : 'none'],
    ['Commands without a queue', unroutable ? badge('bad', number(unroutable)) : 'none'],
    ['Requests on the bus', number(sum(samples, 'edge_waiting_requests', (labels) => labels.kind === 'any'))],
    ['Orders answered on the confirm alone', value('edge_confirm_is_enough') ? badge('wait', 'Yes') : 'no'],
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
