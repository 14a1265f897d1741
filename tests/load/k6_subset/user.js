// One virtual user: a thread that has a script of its own and runs the functions that it is told. Its requests are made
// by the main thread; it sleeps until the answer is there, as k6's JavaScript does.
const {parentPort, receiveMessageOnPort, workerData} = require('worker_threads');

const {modules} = require('./api.js');
const {load} = require('./script.js');

const {script, environment, answered, answers} = workerData;
const nobody = new Int32Array(new SharedArrayBuffer(4));
let current;

const world = {
  define() {},
  scenario: () => current,
  pause: (seconds) => Atomics.wait(nobody, 0, 0, 1000 * seconds),
  sample(name, type, value, tags = {}) {
    const all = current ? {scenario: current.name, ...tags} : tags;
    parentPort.postMessage({kind: 'sample', name, type, value, tags: all});
  },
  request(call) {
    Atomics.store(answered, 0, 0);
    parentPort.postMessage({kind: 'request', call});
    Atomics.wait(answered, 0, 0);
    return receiveMessageOnPort(answers).message;
  },
};

const exported = load(script, modules(world), environment);

// An error has lost its class on the other side.
function attempt(task) {
  try {
    return {value: exported[task.name] ? exported[task.name](task.data) : undefined};
  } catch (error) {
    return {error: {text: String(error.message), outside: Boolean(error.outside)}};
  }
}

parentPort.on('message', (task) => {
  current = task.scenario;
  const {value, error} = attempt(task);
  parentPort.postMessage({kind: 'done', value: value === undefined ? null : JSON.stringify(value), error});
});
