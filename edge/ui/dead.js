/* Dead letters for operators: why messages were given up, and the commands that look at them and send them again. */
import {get} from './api.js';
import {announce, badge, empty, failure, h, repeat, scroller, show, skeleton} from './dom.js';
import {ago, number, time} from './format.js';

const EVERY_MS = 15000;

/* Words of a message's sender are among the values, so each is quoted for the shell. */
const quoted = (text) => /^[\w.@:/-]+$/.test(text) ? text : `'${text.replaceAll('\'', '\'\\\'\'')}'`;

/* A message that could not be decoded may have no type: then its error alone chooses. */
export function commandOf({queue, type, error}, verb, ...options) {
  const by =
      [['--error', error], ['--type', type]].filter(([, value]) => value).flatMap(([name,
                                                                                    value]) => [name, quoted(value)]);
  return ['orderctl', ...by, ...options, 'dead', verb, quoted(queue)].join(' ');
}

function copyButton(id, text) {
  const button =
      h('button', {
        id,
        class: 'small',
        type: 'button',
        onclick: async () => {
          try {
            await navigator.clipboard.writeText(text);
            announce('Copied.');
            button.textContent = 'Copied';
          } catch { /* without a clipboard the command can be selected */
            getSelection().selectAllChildren(button.previousElementSibling);
          }
        }
      },
        'Copy');
  return button;
}

const command = (id, text) => h('div', {class: 'command'}, h('code', {}, text), copyButton(id, text));

function causeItem(cause, index) {
  return h(
      'li', {class: 'cause'},
      h('div', {class: 'head'}, badge('bad', `${number(cause.count)} × ${cause.error}`),
        h('span', {class: 'grow'}, h('strong', {}, cause.type || 'no type'), ` in ${cause.queue}`),
        h('time', {class: 'quiet num', datetime: cause.last_at, title: time(cause.last_at)}, ago(cause.last_at))),
      h('p', {class: 'quiet'}, cause.cause), command(`copy-look-${index}`, commandOf(cause, 'show')),
      command(`copy-retry-${index}`, commandOf(cause, 'retry', '--dry-run')));
}

/* The words that stand below the list, because the page itself sends nothing again. */
const HINT = 'Causes of seven days, as each service recorded them, also of messages that were sent again or dropped ' +
    'since; the table of queues has those that still lie there. Mend the cause first. orderctl sends a few again, ' +
    'looks whether they are taken, then the rest, and keeps a record; without --dry-run it begins.';

export function deadPanel() {
  const body = h('div', {}), note = h('span', {class: 'quiet'});
  let shown = null;
  const load = async () => {
    try {
      const {items, silent} = await get('/api/dead-letters');
      const text = JSON.stringify([items, silent]);
      if (text === shown) return;
      shown = text;
      const total = items.reduce((all, one) => all + one.count, 0);
      show(note, total > 0 ? `${number(total)} in seven days` : null);
      show(
          body,
          silent.length > 0 ? h('p', {class: 'notice bad', role: 'alert'},
                                `No answer from ${silent.map((one) => one.service).join(', ')}`) :
                              null,
          items.length > 0 ?
              [
                scroller('causes', 'Causes of dead letters', h('ul', {class: 'rows'}, items.map(causeItem))),
                h('p', {class: 'quiet pad-line'}, HINT)
              ] :
              empty('No dead letters', 'No message was given up in the last seven days.'));
    } catch (error) {
      shown = null;
      show(body, failure(error, load));
    }
  };
  show(body, skeleton(3));
  const made =
      h('section', {class: 'card flush span', 'aria-labelledby': 'dead-title'},
        h('div', {class: 'head'}, h('h2', {id: 'dead-title'}, 'Dead letters'), note), body);
  repeat(made, EVERY_MS, load);
  return made;
}
