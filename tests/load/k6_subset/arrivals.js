// When iterations are due, and the virtual users that carry them out.
const {seconds} = require('./api.js');
const {onlyKnown, Outside} = require('./outside.js');

const COMMON = ['executor', 'exec', 'timeUnit', 'startTime', 'gracefulStop', 'preAllocatedVUs', 'maxVUs'];
const OWN = {
  'constant-arrival-rate': ['rate', 'duration'],
  'ramping-arrival-rate': ['startRate', 'stages'],
};

function check(name, scenario) {
  const own = OWN[scenario.executor];
  if (!own) {
    throw new Outside(`executor ${scenario.executor}`);
  }
  return onlyKnown(`scenarios.${name}`, scenario, [...COMMON, ...own]);
}

function stagesOf(scenario) {
  if (scenario.executor === 'constant-arrival-rate') {
    return [{from: scenario.rate, to: scenario.rate, length: seconds(scenario.duration)}];
  }
  let from = scenario.startRate;
  return scenario.stages.map(({target, duration}) => {
    const stage = {from, to: target, length: seconds(duration)};
    from = target;
    return stage;
  });
}

// Yields the second of each arrival: when the area below the line of the rate passes a whole number.
function* arrivals(scenario) {
  const per = seconds(scenario.timeUnit || '1s');
  let begin = 0, area = 0, due = 0;
  for (const {from, to, length} of stagesOf(scenario)) {
    const slope = (to - from) / per / length, start = from / per;
    const whole = length * (start + to / per) / 2;
    for (; due <= area + whole - 1e-9; due++) {
      const rest = due - area;
      const time = slope === 0 ? rest / start : (Math.sqrt(start * start + 2 * slope * rest) - start) / slope;
      yield begin + time;
    }
    area += whole;
    begin += length;
  }
}

const after = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

class Scenario {
  // crew: {newUser(), data, metrics, onError(error)}
  constructor(name, description, crew) {
    this.name = name;
    this.description = description;
    this.crew = crew;
    this.idle = [];
    this.users = [];
    this.busy = new Set();
    this.count = 0;
  }

  sample(name, value) {
    this.crew.metrics.add({name, value, tags: {scenario: this.name}});
  }

  // k6 drops an iteration that finds no user, even if it may make one more; here that user carries it out.
  takeUser() {
    if (this.idle.length === 0 && this.users.length < this.description.maxVUs) {
      this.users.push(this.crew.newUser());
      return this.users[this.users.length - 1];
    }
    return this.idle.pop();
  }

  async iterate(user) {
    const scenario = {name: this.name, iterationInTest: this.count++};
    const {error} = await user.run(this.description.exec || 'default', this.crew.data, scenario);
    this.sample('iterations', 1);
    this.idle.push(user);
    if (error) {
      this.crew.onError(error);
    }
  }

  arrive() {
    const user = this.takeUser();
    if (!user) {
      this.sample('dropped_iterations', 1);
      return;
    }
    const iteration = this.iterate(user).then(() => this.busy.delete(iteration));
    this.busy.add(iteration);
  }

  async run() {
    const begin = performance.now() + 1000 * seconds(this.description.startTime || '0s');
    for (const due of arrivals(this.description)) {
      // Also if it is late: answers must be read meanwhile.
      await after(Math.max(0, begin + 1000 * due - performance.now()));
      this.arrive();
    }
    const grace = 1000 * seconds(this.description.gracefulStop || '30s');
    let timer;
    await Promise.race([Promise.all(this.busy), new Promise((resolve) => timer = setTimeout(resolve, grace))]);
    clearTimeout(timer);
    await Promise.all(this.users.map((user) => user.end()));
  }
}

module.exports = {
  check,
  Scenario
};
