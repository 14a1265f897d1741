// The main thread's side of virtual users: starts them, makes their requests, and takes their samples.
const http = require('http');
const path = require('path');
const {MessageChannel, Worker} = require('worker_threads');

function unanswered(begin, error) {
  const text = String(error.code || error.message);
  return {status: 0, error: text, body: null, headers: {}, timings: {blocked: 0, duration: performance.now() - begin}};
}

// One request over the user's own connection, which is kept. → a promise of the answer, which never fails
function send(agent, call) {
  const begin = performance.now();
  let connected = begin;
  return new Promise((resolve) => {
    const fail = (error) => {
      console.error(`request failed: ${call.method} ${call.url}: ${error.code || error.message}`);
      resolve(unanswered(begin, error));
    };
    const request = http.request(call.url, {method: call.method, headers: call.headers, agent}, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('error', fail);
      answer.on('end', () => resolve({
                         status: answer.statusCode,
                         error: '',
                         body: Buffer.concat(parts).toString(),
                         headers: answer.headers,
                         timings: {blocked: connected - begin, duration: performance.now() - connected},
                       }));
    });
    request.on('socket', (socket) => {
      const ready = () => (connected = performance.now());
      socket.connecting ? socket.once('connect', ready) : ready();
    });
    request.on('error', fail);
    request.setTimeout(1000 * call.timeout, () => request.destroy(new Error('timeout')));
    request.end(call.body === null ? undefined : call.body);
  });
}

class User {
  // onSample(sample)
  constructor(script, environment, onSample) {
    // TCP probes after 30 s of silence, as k6's; Node's begin after one.
    this.agent = new http.Agent({keepAlive: true, keepAliveMsecs: 30000, maxSockets: 1});
    this.answered = new Int32Array(new SharedArrayBuffer(4));
    const {port1, port2} = new MessageChannel();
    this.answers = port1;
    this.onSample = onSample;
    const workerData = {script, environment, answered: this.answered, answers: port2};
    this.worker = new Worker(path.join(__dirname, 'user.js'), {workerData, transferList: [port2]});
    this.worker.on('message', (message) => this.take(message));
    this.worker.on('error', (error) => this.finish({error: {text: error.message, outside: true}}));
  }

  // Runs one function of the script. → a promise of {value, error}
  run(name, data, scenario) {
    return new Promise((resolve) => {
      this.resolve = resolve;
      this.worker.postMessage({name, data, scenario});
    });
  }

  take(message) {
    if (message.kind === 'sample') {
      this.onSample(message);
    } else if (message.kind === 'request') {
      send(this.agent, message.call).then((answer) => this.wake(answer));
    } else {
      this.finish({value: message.value === null ? undefined : JSON.parse(message.value), error: message.error});
    }
  }

  wake(answer) {
    this.answers.postMessage(answer);
    Atomics.store(this.answered, 0, 1);
    Atomics.notify(this.answered, 0);
  }

  finish(outcome) {
    const resolve = this.resolve;
    this.resolve = null;
    if (resolve) {
      resolve(outcome);
    }
  }

  async end() {
    this.agent.destroy();
    this.answers.close();
    await this.worker.terminate();
  }
}

module.exports = {User};
