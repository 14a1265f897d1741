// Samples, the figures made of them, and the thresholds that judge these.

const FIGURES = {
  counter: /^(count|rate)$/,
  rate: /^rate$/,
  trend: /^(avg|min|med|max|p\(\d+(\.\d+)?\))$/,
};
const BUILT_IN = {
  checks: 'rate',
  dropped_iterations: 'counter',
  http_req_duration: 'trend',
  http_reqs: 'counter',
  iterations: 'counter',
};
const HOLDS = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
};

class Sink {
  constructor(type, tags) {
    this.type = type;
    this.tags = tags;
    this.values = [];
    this.thresholds = [];
  }

  takes(tags) {
    return Object.entries(this.tags).every(([name, value]) => tags[name] === value);
  }

  sum() {
    return this.values.reduce((sum, value) => sum + value, 0);
  }

  // Between the two nearest samples, as k6 does.
  percentile(share) {
    const sorted = [...this.values].sort((a, b) => a - b);
    const place = share * (sorted.length - 1), below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted.length ? sorted[below] + (sorted[above] - sorted[below]) * (place - below) : 0;
  }

  figure(name, seconds) {
    const mean = this.values.length ? this.sum() / this.values.length : 0;
    const found = /^p\((.*)\)$/.exec(name);
    if (found) {
      return this.percentile(found[1] / 100);
    }
    return {
      count: () => this.sum(),
      rate: () => this.type === 'rate' ? mean : this.sum() / seconds,
      avg: () => mean,
      min: () => this.percentile(0),
      med: () => this.percentile(0.5),
      max: () => this.percentile(1),
    }[name]();
  }

  figures(seconds) {
    const names = {counter: ['count', 'rate'], rate: ['rate'], trend: ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)']};
    return Object.fromEntries(names[this.type].map((name) => [name, this.figure(name, seconds)]));
  }
}

function parseThreshold(metric, type, text) {
  const found = /^\s*([a-z]+(?:\([\d.]+\))?)\s*(<=|>=|==|!=|<|>)\s*(-?\d+(?:\.\d+)?)\s*$/.exec(text);
  if (!found || !FIGURES[type].test(found[1])) {
    throw new Error(`threshold "${text}" of ${metric}: not a bound of a ${type}`);
  }
  return {text, figure: found[1], holds: HOLDS[found[2]], bound: Number(found[3])};
}

function parseTags(text) {
  return Object.fromEntries((text ? text.split(',') : []).map((tag) => tag.split(':').map((part) => part.trim())));
}

class Metrics {
  constructor() {
    this.types = new Map(Object.entries(BUILT_IN));
    this.sinks = new Map();  // "name" or "name{tag:value}"
  }

  define(name, type) {
    this.types.set(name, type);
  }

  sink(key) {
    const [, name, tags] = /^([^{]+)(?:\{(.*)\})?$/.exec(key);
    if (!this.types.has(name)) {
      throw new Error(`a threshold for ${key}, but there is no metric ${name}`);
    }
    if (!this.sinks.has(key)) {
      this.sinks.set(key, new Sink(this.types.get(name), parseTags(tags)));
    }
    return this.sinks.get(key);
  }

  judge(thresholds) {
    for (const [key, texts] of Object.entries(thresholds)) {
      const sink = this.sink(key);
      sink.thresholds = texts.map((text) => parseThreshold(key, sink.type, text));
    }
  }

  add({name, value, tags}) {
    this.sink(name);
    for (const [key, sink] of this.sinks) {
      if (key.split('{')[0] === name && sink.takes(tags)) {
        sink.values.push(value);
      }
    }
  }

  // What k6 hands to handleSummary as data.metrics.
  summary(seconds) {
    const found = {};
    for (const [key, sink] of this.sinks) {
      const thresholds = sink.thresholds.map(
          ({text, figure, holds, bound}) => [text, {ok: holds(sink.figure(figure, seconds), bound)}]);
      found[key] = {type: sink.type, values: sink.figures(seconds), thresholds: Object.fromEntries(thresholds)};
    }
    return found;
  }
}

module.exports = {Metrics};
