/* Refunds that are not carried out, for operators: those under way, those that fail, and those that a person settles.
 */
import {get} from './api.js';
import {badge, empty, failure, h, repeat, scroller, show, skeleton} from './dom.js';
import {ago, money, number, shortId, time} from './format.js';

const EVERY_MS = 10000, PAGE = 20;
const STATES = {
  called: ['wait', 'Under way'],
  failing: ['bad', 'Failing'],
  at_provider: ['wait', 'At the provider'],
  unknown: ['bad', 'To be settled']
};

const times = (count) => count === 1 ? 'one call' : `${number(count)} calls`;

function refundItem(refund) {
  const who = refund.refund_id ? 'asked for by an operator' : 'of an order that is undone';
  return h(
      'li', {class: 'cause'},
      h('div', {class: 'head'}, badge(...STATES[refund.status]),
        h('span', {class: 'grow'},
          h('a', {href: `#/operations/${refund.order_id}`, title: refund.order_id}, shortId(refund.order_id)),
          h('span', {class: 'quiet'}, ` ${who}, ${times(refund.attempts)}`)),
        h('span', {class: 'num'}, money(refund.amount, refund.currency)),
        refund.since ?
            h('time', {class: 'quiet num', datetime: refund.since, title: time(refund.since)}, ago(refund.since)) :
            null),
      refund.reason ? h('p', {class: 'quiet'}, `Unknown: ${refund.reason}. The provider has it as ${refund.psp_id}.`) :
                      null);
}

/* → the refunds of so many pages, and whether there are further ones */
async function read(pages) {
  const found = [];
  let cursor = '';
  for (let page = 0; page < pages && cursor !== null; page++) {
    const {items, next_cursor: next} = await get(`/api/refunds?limit=${PAGE}${cursor && `&cursor=${cursor}`}`);
    found.push(...items);
    cursor = next;
  }
  return {found, goesOn: cursor !== null};
}

export function openRefundsPanel() {
  const body = h('div', {}), note = h('span', {class: 'quiet'});
  let shown = null, pages = 1;
  const load = async () => {
    try {
      const {found, goesOn} = await read(pages);
      const text = JSON.stringify([found, goesOn]);
      if (text === shown) return;
      shown = text;
      show(note, found.length > 0 ? `${number(found.length)}${goesOn ? ' and more' : ''}` : null);
      const further = () => {
        pages++;
        load();
      };
      show(
          body,
          found.length > 0 ?
              scroller(
                  'open-refunds', 'Refunds that are not carried out', h('ul', {class: 'rows'}, found.map(refundItem))) :
              empty('No open refunds', 'All refunds have been carried out.'),
          goesOn ? h('button', {id: 'more-refunds', class: 'quiet-button', type: 'button', onclick: further}, 'More') :
                   null);
    } catch (error) {
      shown = null;
      show(body, failure(error, load));
    }
  };
  show(body, skeleton(2));
  const made =
      h('section', {class: 'card flush span', 'aria-labelledby': 'refunds-title'},
        h('div', {class: 'head'}, h('h2', {id: 'refunds-title'}, 'Open refunds'), note), body);
  repeat(made, EVERY_MS, load);
  return made;
}
