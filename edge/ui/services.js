/* The services for operators: alarms, processes with what they say of themselves, and the queues between them. */
import {alarmsOf} from './alarms.js';
import {get} from './api.js';
import {badge, empty, failure, h, repeat, scroller, show, skeleton} from './dom.js';
import {ago, clockTime, compact, duration, number, time} from './format.js';
import {rate} from './panels.js';

const EVERY_MS = 4000;

/* ---- one look, which several panels show ---- */

/* /health says 503 with the same body when a part is down. */
const readHealth = () => get('/health').catch((error) => error.body || {services: {}, causes: {health: error.message}});

async function look() {
  const [services, health, queues] = await Promise.allSettled([get('/api/services'), readHealth(), get('/api/queues')]);
  return {
    services: services.value?.items,
    health: health.value,
    queues: queues.value,
    errors: {services: services.reason, queues: queues.reason}
  };
}

/* What the process said before, so that rates can be told. */
const said = new Map();

/* → {rate: messages a second, batch: milliseconds}, or nulls: it has spoken once only. */
export function paceOf(before, now) {
  const seconds = before ? (new Date(now.seen_at) - new Date(before.seen_at)) / 1000 : 0;
  if (!(seconds > 0) || now.figures.messages === null) return {rate: null, batch: null};
  const batches = now.figures.batches - before.figures.batches;
  return {
    rate: (now.figures.messages - before.figures.messages) / seconds,
    batch: batches > 0 ? (now.figures.batch_us - before.figures.batch_us) / batches / 1000 : null
  };
}

function note(process) {
  const known = said.get(process.instance);
  if (known?.now.seen_at === process.seen_at) return known.pace;
  const pace = paceOf(known?.now, process);
  said.set(process.instance, {now: process, pace});
  return pace;
}

/* The figures lie flat in the answer. */
function withFigures(item) {
  const {service, instance, version, state, started_at, seen_at, breakers, ...figures} = item;
  return {service, instance, version, state, started_at, seen_at, breakers, figures};
}

/* ---- alarms ---- */

function alarmList(alarms) {
  return h(
      'ul', {class: 'alarms', 'aria-label': 'Alarms'},
      alarms.map(
          ({name, text, todo}) =>
              h('li', {}, badge('bad', name), h('span', {class: 'grow'}, text),
                todo ? h('span', {class: 'quiet todo'}, todo) : null)));
}

function alarmsCard() {
  const body = h('div', {'aria-live': 'polite'}), state = h('span', {class: 'quiet'}, 'Looking…');
  let shown = null;
  const made =
      h('section', {class: 'card flush span', 'aria-labelledby': 'alarms-title'},
        h('div', {class: 'head'}, h('h2', {id: 'alarms-title'}, 'Alarms'), state), body);
  const draw = (seen) => {
    const alarms = alarmsOf(seen), text = JSON.stringify([alarms, Boolean(seen.queues)]);
    if (text === shown) return;
    shown = text;
    show(
        state, seen.queues ? null : 'The queues could not be counted. ',
        alarms.length > 0 ? badge('bad', number(alarms.length)) : badge('good', 'None'));
    show(body, alarms.length > 0 ? alarmList(alarms) : null);
  };
  return {made, draw};
}

/* ---- processes ---- */

const PROCESS = {
  ready: ['good', 'Ready'],
  not_ready: ['bad', 'Not ready'],
  draining: ['wait', 'Draining']
};
const BREAKER = {
  closed: ['good', 'closed'],
  half_open: ['wait', 'half-open'],
  open: ['bad', 'open']
};

const count = (value) => value === null || value === undefined ? '–' : compact(value);
const marked = (value, mark) => value > 0 ? badge(mark, compact(value)) : count(value);

function breakersOf(breakers) {
  if (breakers.length === 0) return '–';
  const closed = breakers.filter((one) => one.state === 'closed');
  const others = breakers.filter((one) => one.state !== 'closed');
  return [
    ...others.map(
        ({dependency, state}) =>
            badge(BREAKER[state][0], `${dependency.replace('_service', '-svc')} ${BREAKER[state][1]}`)),
    closed.length > 0 ? h('span', {title: closed.map((one) => one.dependency.replace('_service', '-svc')).join(', ')},
                          `${closed.length} closed`) :
                        null
  ];
}

function outboxOf({outbox_messages: messages, outbox_age_ms: age}) {
  if (messages === null) return '–';
  return messages === 0 ? '0' : `${compact(messages)}, ${duration(age)} old`;
}

function processRow(process) {
  const {figures} = process, pace = note(process);
  return h(
      'tr', {}, h('th', {scope: 'row'}, process.service), h('td', {}, badge(...PROCESS[process.state])),
      h('td', {class: 'num right'}, pace.rate === null ? '–' : rate(pace.rate)),
      h('td', {class: 'num right'}, duration(pace.batch)), h('td', {class: 'num right'}, outboxOf(figures)),
      h('td', {class: 'num right'}, count(figures.retried)),
      h('td', {class: 'num right'}, marked(figures.dead_lettered, 'wait')), h('td', {}, breakersOf(process.breakers)),
      h('td', {class: 'mono'}, process.version),
      h('td', {class: 'mono', title: process.instance}, process.instance.slice(0, 8)),
      h('td', {class: 'num'},
        h('time', {datetime: process.started_at, title: time(process.started_at)}, ago(process.started_at))));
}

const PROCESS_HEAD = [
  ['Service'], ['State'], ['Messages / s', 'right'], ['Transaction', 'right'], ['Outbox', 'right'],
  ['Tried again', 'right'], ['Dead-lettered', 'right'], ['Breakers'], ['Version'], ['Process'], ['Started']
];

const headOf = (names) =>
    h('thead', {}, h('tr', {}, names.map(([name, side]) => h('th', {scope: 'col', class: side}, name))));

function silentRows(items, health) {
  const names = new Set(items.map((one) => one.service));
  return Object.keys(health?.services || {})
      .filter((name) => name.endsWith('_service'))
      .map((name) => name.replace('_service', '-svc'))
      .filter((name) => !names.has(name))
      .map(
          (name) =>
              h('tr', {}, h('th', {scope: 'row'}, name), h('td', {}, badge('bad', 'Silent')),
                h('td', {colspan: String(PROCESS_HEAD.length - 2), class: 'quiet'}, 'no process has spoken for 20 s')));
}

function servicesCard(again) {
  const body = h('div', {});
  show(body, skeleton(4));
  const made =
      h('section', {class: 'card flush span', 'aria-labelledby': 'services-title'},
        h('div', {class: 'head'}, h('h2', {id: 'services-title'}, 'Services'),
          h('span', {class: 'quiet'}, 'each process, as it says every five seconds')),
        body);
  const draw = ({services, health, errors}) => {
    if (!services) return show(body, failure(errors.services, again));
    const rows = [...services.map(processRow), ...silentRows(services, health)];
    show(
        body,
        rows.length > 0 ?
            scroller('processes', 'Processes', h('table', {}, headOf(PROCESS_HEAD), h('tbody', {}, rows))) :
            empty('No process has spoken', 'Each says every five seconds that it is there.'));
  };
  return {made, draw};
}

/* ---- queues ---- */

const QUEUE_HEAD =
    [['Queue'], ['Waiting', 'right'], ['Consumers', 'right'], ['Between tries', 'right'], ['Dead', 'right']];

function queueRow({queue, kind, ready, consumers, retrying, dead}) {
  return h(
      'tr', {}, h('th', {scope: 'row'}, queue, kind === 'work' ? null : h('span', {class: 'quiet'}, ' (queries)')),
      h('td', {class: 'num right'}, count(ready)),
      h('td', {class: 'num right'}, consumers === 0 ? badge('bad', 'none') : count(consumers)),
      h('td', {class: 'num right'}, marked(retrying, 'wait')), h('td', {class: 'num right'}, marked(dead, 'bad')));
}

function queuesCard(again) {
  const body = h('div', {}), read = h('span', {class: 'quiet num'});
  show(body, skeleton(4));
  const made =
      h('section', {class: 'card flush', 'aria-labelledby': 'queues-title'},
        h('div', {class: 'head'}, h('h2', {id: 'queues-title'}, 'Queues'), read), body);
  const draw = ({queues, errors}) => {
    if (!queues) return show(body, failure(errors.queues, again));
    show(read, `counted ${clockTime(queues.read_at)}`);
    show(
        body,
        scroller(
            'broker-queues', 'Queues of the broker',
            h('table', {}, headOf(QUEUE_HEAD),
              h('tbody', {}, [...queues.items].sort((one, other) => one.kind < other.kind ? 1 : -1).map(queueRow)))));
  };
  return {made, draw};
}

/* → {alarms, services, queues}: cards that show the same looks. */
export function servicePanels() {
  const turn = async () => {
    const seen = await look();
    if (seen.services) seen.services = seen.services.map(withFigures);
    for (const card of cards) card.draw(seen);
  };
  const cards = [alarmsCard(), servicesCard(turn), queuesCard(turn)];
  const [alarms, services, queues] = cards.map((card) => card.made);
  repeat(alarms, EVERY_MS, turn);
  return {alarms, services, queues};
}
