/* What an operator should look at, found in one look at services, health and queues. Pure. Alarms have the names of the
 * alerts in docs/runbooks/alerts.md. */
import {duration, number} from './format.js';

const OLD_MS = 30000, LONG = 10000;

function processAlarms({service, instance, figures, breakers}) {
  const who = `${service} ${instance.slice(0, 8)}`, found = [];
  const add = (name, text, todo) => found.push({name, text, todo});
  if (figures.stalled_workers > 0)
    add('WorkersStalled', `${who}: no transaction commits`, 'Look for the cause in its log: the database refuses.');
  if (figures.held_messages > 0)
    add('MessagesHeld', `${who} cannot put ${number(figures.held_messages)} messages aside`,
        'A retry tier or dead queue is full or missing: ./dev topology, bus-topology diff.');
  for (const {dependency, state} of breakers)
    if (state === 'open')
      add('BreakerOpen', `${who} holds calls of ${dependency} back`, 'Look whether it answers: it failed lately.');
  return found;
}

/* Of the database, so once a service. */
function outboxAlarms({service, figures}) {
  const found = [];
  if (figures.outbox_age_ms > OLD_MS)
    found.push({
      name: 'OutboxOld',
      text: `The oldest message in the outbox of ${service} is ${duration(figures.outbox_age_ms)} old`,
      todo: 'Look at the broker: it does not confirm what is published.'
    });
  if (figures.outbox_unroutable > 0)
    found.push({
      name: 'OutboxUnroutable',
      text: `No queue takes ${number(figures.outbox_unroutable)} messages of ${service}`,
      todo: 'Add what is missing: bus-topology diff, bus-topology apply.'
    });
  return found;
}

function queueAlarms({queue, service, kind, ready, consumers, dead}) {
  const found = [];
  if (consumers === 0)
    found.push({
      name: 'ServiceDown',
      text: `No process reads ${queue}: ${number(ready)} ${ready === 1 ? 'message waits' : 'messages wait'}`,
      todo: `Start ${service}.`
    });
  if (kind === 'work' && ready > LONG)
    found.push({
      name: 'QueueBacklog',
      text: `${number(ready)} messages wait in ${queue}`,
      todo: `Start more processes of ${service}, or look for what slows it.`
    });
  if (dead > 0)
    found.push({
      name: 'DeadQueueNotEmpty',
      text: `${number(dead)} dead-lettered ${dead === 1 ? 'message' : 'messages'} of ${queue}`,
      todo: `Look at the causes: orderctl dead list ${queue}`
    });
  return found;
}

const words = (cause) => typeof cause === 'string' ? cause : JSON.stringify(cause);

/* → [{name, text, todo}], the worst first. Parts of the look may be missing. */
export function alarmsOf({services = [], health = {}, queues = null}) {
  const once = services.filter(({service}, index) => services.findIndex((one) => one.service === service) === index);
  const causes = Object.entries(health.causes || {});
  return [
    ...(queues?.blocked ? [{
      name: 'BrokerAlarm',
      text: `The broker takes no messages: ${queues.reason || 'it gave no reason'}`,
      todo: 'Free its memory or disk; it goes on by itself.'
    }] :
                          []),
    ...causes.map(([name, cause]) => ({
                    name: name === 'order_intake' ? 'IntakeClosed' : 'Health',
                    text: `${name.replace('_service', '-svc')}: ${words(cause)}`,
                    todo: ''
                  })),
    ...services.flatMap(processAlarms),
    ...once.flatMap(outboxAlarms),
    ...(queues?.items || []).flatMap(queueAlarms),
  ];
}
