#!/usr/bin/env node
// Runs a load script as k6 would, with the part of k6's API that the project's scripts use: open-loop arrivals,
// requests that are really sent, checks, thresholds, setup, teardown and handleSummary.
//     k6.js run|inspect [--env NAME=VALUE]… SCRIPT
// Exit status as k6's: 99 when a threshold is broken, 107 when the script fails.
const fs = require('fs');

const {modules, seconds} = require('./api.js');
const {check, Scenario} = require('./arrivals.js');
const {Metrics} = require('./metrics.js');
const {onlyKnown} = require('./outside.js');
const {load} = require('./script.js');
const {User} = require('./users.js');

const BROKEN = 99, SCRIPT_FAILED = 107;

function parse(words) {
  const [verb, ...rest] = words;
  const environment = {...process.env};
  const files = [];
  while (rest.length > 0) {
    const word = rest.shift();
    if (word === '--env') {
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(rest.shift());
      environment[name] = value;
    } else {
      files.push(word);
    }
  }
  if (!['run', 'inspect'].includes(verb) || files.length !== 1) {
    throw new Error('usage: k6.js run|inspect [--env NAME=VALUE]… SCRIPT');
  }
  return {verb, environment, script: files[0]};
}

// The script as it is before any user runs it: its options, and the metrics that it defines.
function initialise(script, environment) {
  const metrics = new Metrics();
  const world = {define: (name, type) => metrics.define(name, type)};
  const exported = load(script, modules(world), environment);
  const options = onlyKnown('options', exported.options, ['scenarios', 'thresholds', 'teardownTimeout']);
  for (const [name, scenario] of Object.entries(options.scenarios)) {
    check(name, scenario);
    if (typeof exported[scenario.exec || 'default'] !== 'function') {
      throw new Error(`scenarios.${name}: the script exports no function ${scenario.exec || 'default'}`);
    }
  }
  metrics.judge(options.thresholds);
  return {exported, options, metrics};
}

async function must(promise) {
  const {value, error} = await promise;
  if (error) {
    throw new Error(error.text);
  }
  return value;
}

function timeLimit(promise, length, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${length} s`)), 1000 * length);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function writeSummary(written) {
  for (const [place, text] of Object.entries(written || {})) {
    place === 'stdout' ? process.stdout.write(text) : fs.writeFileSync(place, text);
  }
}

function broken(summary) {
  return Object.entries(summary).flatMap(
      ([metric, {thresholds}]) => Object.entries(thresholds)
                                      .filter(([, {ok}]) => !ok)
                                      .map(([bound]) => `threshold broken: ${metric} ${bound}`));
}

async function runScenarios(options, crew) {
  const failed = new Promise((_, reject) => crew.onError = (error) => {
    console.error(`iteration failed: ${error.text}`);
    if (error.outside) {
      reject(new Error(error.text));
    }
  });
  const all = Object.entries(options.scenarios).map(([name, one]) => new Scenario(name, one, crew).run());
  await Promise.race([Promise.all(all), failed]);
}

async function run(script, environment) {
  const {exported, options, metrics} = initialise(script, environment);
  const newUser = () => new User(script, environment, (sample) => metrics.add(sample));
  const first = newUser();
  const crew = {newUser, metrics, data: await must(first.run('setup'))};
  const begin = performance.now();
  await runScenarios(options, crew);
  await must(timeLimit(first.run('teardown', crew.data), seconds(options.teardownTimeout || '60s'), 'teardown'));
  const summary = metrics.summary((performance.now() - begin) / 1000);
  if (exported.handleSummary) {
    writeSummary(await must(first.run('handleSummary', {metrics: summary})));
  }
  broken(summary).forEach((text) => console.error(text));
  return broken(summary).length > 0 ? BROKEN : 0;
}

async function main(words) {
  const {verb, environment, script} = parse(words);
  if (verb === 'inspect') {
    const {options} = initialise(script, environment);
    process.stdout.write(JSON.stringify(options, null, 2) + '\n');
    return 0;
  }
  return run(script, environment);
}

main(process.argv.slice(2))
    .catch((error) => {
      console.error(error.outside ? error.message : `the script failed: ${error.message}`);
      return SCRIPT_FAILED;
    })
    .then((status) => process.exit(status));
