// What operators see when something is wrong.
import assert from 'node:assert/strict';
import {assertAccessible, assertWhole, open, signInOperator, view} from './browser.mjs';

// A message that payment-svc could not read lies in its dead queue (test_page.py).
export async function dead_letters_are_shown_by_cause(browser) {
  const page = await open(browser);
  await signInOperator(page);
  await view(page, 'operations');
  const alarms = page.getByRole('list', {name: 'Alarms'});
  await alarms.getByText('DeadQueueNotEmpty').waitFor();
  await alarms.getByText('1 dead-lettered message of payment-svc').waitFor();
  await page.getByRole('region', {name: 'Queues', exact: true}).getByRole('row', {name: /^payment-svc \d+ 1 0 1$/}).waitFor();
  const dead = page.getByRole('region', {name: 'Dead letters', exact: true});
  await dead.getByText('1 × BUS_E_DECODE').waitFor();
  await dead.getByText('orderctl --error BUS_E_DECODE --type payment.charge.v1 --dry-run dead retry payment-svc').waitFor();
  assert.equal(await dead.getByRole('button', {name: 'Copy'}).count(), 2);
  await assertAccessible(page, 'dead letters');
  assertWhole(page);
}

// Alarms are found in one look at services, health and queues.
export async function alarms_are_found_in_a_look(browser) {
  const page = await open(browser);
  await view(page, 'shop');
  const found = (seen) => page.evaluate(
      async (given) => (await import('./alarms.js')).alarmsOf(given).map(({name, text}) => `${name}: ${text}`), seen);
  const figures = {stalled_workers: 0, held_messages: 0, outbox_age_ms: 0, outbox_unroutable: 0};
  const process = {service: 'order-svc', instance: '0123456789', figures, breakers: []};
  const queue = {queue: 'order-svc', service: 'order-svc', kind: 'work', ready: 0, consumers: 1, retrying: 0, dead: 0};
  assert.deepEqual(await found({services: [process], health: {}, queues: {items: [queue], blocked: false}}), []);
  assert.deepEqual(await found({services: undefined, health: undefined, queues: undefined}), []);
  const wrong = {
    services: [
      {...process, figures: {...figures, stalled_workers: 1, held_messages: 2, outbox_age_ms: 31000, outbox_unroutable: 3}},
      {...process, instance: 'second', figures: {...figures, outbox_age_ms: 31000}, breakers: [{dependency: 'bank', state: 'open'}]}
    ],
    health: {causes: {order_intake: 'too many are open'}},
    queues: {
      items: [{...queue, consumers: 0, ready: 1}, {...queue, queue: 'payment-svc', ready: 10001, dead: 2}],
      blocked: true,
      reason: 'low on disk'
    }
  };
  assert.deepEqual(await found(wrong), [
    'BrokerAlarm: The broker takes no messages: low on disk',
    'IntakeClosed: order_intake: too many are open',
    'WorkersStalled: order-svc 01234567: no transaction commits',
    'MessagesHeld: order-svc 01234567 cannot put 2 messages aside',
    'BreakerOpen: order-svc second holds calls of bank back',
    'OutboxOld: The oldest message in the outbox of order-svc is 31 s old',
    'OutboxUnroutable: No queue takes 3 messages of order-svc',
    'ServiceDown: No process reads order-svc: 1 message waits',
    'QueueBacklog: 10,001 messages wait in payment-svc',
    'DeadQueueNotEmpty: 2 dead-lettered messages of payment-svc',
  ]);
}

// The story of an order that was undone and of one that stands still.
export async function stories_say_who_worked_and_what_is_missing(browser) {
  const page = await open(browser);
  await view(page, 'shop');
  const at = (ms) => new Date(Date.UTC(2026, 10, 30, 9) + ms).toISOString();
  const event = (seq, type, ms, data = {}) => ({seq, type, at: at(ms), data});
  const told = (story, now) => page.evaluate(async ([given, time]) => {
    const {storyOf, verdictOf} = await import('./story.js');
    const rows = storyOf(given, time).map(
        ({text, from, mark, wait}) => [text, from ?? '', mark, wait ? `${wait.ms} ${wait.lanes.join('+')}`.trim() : '']);
    return [rows, verdictOf(given)?.text ?? ''];
  }, [story, now]);
  const declined = {
    order: {order_id: 'x', status: 'CANCELLED', currency: 'EUR'},
    events: [
      event(1, 'order.created', 0), event(2, 'order.reserved', 16, {total: 1, currency: 'EUR'}),
      event(3, 'order.compensating', 116, {reason: 'payment_declined: card'}), event(4, 'payment.refused', 120),
      event(5, 'stock.returned', 150), event(6, 'order.cancelled', 150)
    ]
  };
  assert.deepEqual(await told(declined), [
    [
      ['Order placed', 'client', 'done', ''], ['Stock reserved', 'stock', 'done', '16 stock'],
      ['Undoing the steps so far', 'payment', 'back', '100 payment'],
      ['No money moved', 'payment', 'back', '4 stock+payment'], ['Stock is back on sale', 'stock', 'back', '30 stock'],
      ['Cancelled', 'order', 'back', '0']
    ],
    ''
  ]);
  const waits = {order: {order_id: 'y', status: 'PENDING'}, events: [event(1, 'order.created', 0)]};
  const [rows, verdict] = await told(waits, Date.UTC(2026, 10, 30, 9) + 5000);
  assert.deepEqual(rows.at(-1), ['Now', '', 'now', '5000 stock']);
  assert.equal(verdict, 'It waits for inventory-svc.');
  const later = [event(1, 'order.created', 0), event(2, 'order.reserved', 16), event(3, 'payment.requested', 7000)];
  const [paid] = await told({order: {order_id: 'z', status: 'CONFIRMED'}, events: later});
  assert.equal(paid[2][3], '6984 client');
  const queues = {items: [{kind: 'work', service: 'inventory-svc', queue: 'inventory-svc', consumers: 0, ready: 1}]};
  assert.equal((await told({...waits, queues}))[1], 'No process reads inventory-svc: 1 wait.');
  const dead = [{service: 'inventory-svc', type: 'inventory.reserve.v1', error: 'BUS_E_DB_DATA', cause: 'lame', at: at(9)}];
  assert.equal((await told({...waits, trail: {outgoing: [], dead, silent: []}}))[1],
               'inventory.reserve.v1 was dead-lettered by inventory-svc.');
}
