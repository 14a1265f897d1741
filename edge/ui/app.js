/* The frame: which view is shown, the navigation, the account, and signing in. */
import {failure, field, h, show} from './dom.js';
import {operatorView} from './operator.js';
import {ordersView} from './orders.js';
import {isOperator, isSignedIn, onChange, register, resume, session, signIn, signOut} from './session.js';
import {emptyBasket, shopView} from './shop.js';

const main = document.getElementById('main');
let shown = new AbortController();

/* ---- signing in ---- */

function signInView(_signal, _part) {
  const state = {isNew: false, busy: false, error: null};
  const place = h('div', {class: 'narrow'});
  const email = h('input', {id: 'email', type: 'email', autocomplete: 'username', required: true, maxlength: '254'});
  const password = h('input', {id: 'password', type: 'password', required: true});
  const name = h('input', {id: 'name', type: 'text', autocomplete: 'name', maxlength: '100'});
  const submit = async (event) => {
    event.preventDefault();
    if (state.busy) return;
    Object.assign(state, {busy: true, error: null});
    draw();
    try {
      await (
          state.isNew ? register(email.value, password.value, name.value.trim()) : signIn(email.value, password.value));
      location.hash = '#/shop';
      return;
    } catch (error) {
      Object.assign(state, {busy: false, error});
    }
    draw();
  };
  const draw = () => {
    password.autocomplete = state.isNew ? 'new-password' : 'current-password';
    password.minLength = state.isNew ? 8 : 1;
    const verb = state.isNew ? 'Register' : 'Sign in';
    show(
        place,
        h('section', {class: 'card sign-in', 'aria-labelledby': 'sign-in-title'},
          h('h1', {id: 'sign-in-title'}, state.isNew ? 'Create an account' : 'Sign in'),
          h('form', {onsubmit: submit}, state.isNew ? field('Name (optional)', name) : null, field('E-mail', email),
            field('Password', password, state.isNew ? 'At least 8 characters.' : null),
            state.error ? failure(state.error) : null,
            h('button', {id: 'submit', class: 'primary wide', type: 'submit', disabled: state.busy},
              state.busy ? 'One moment…' : verb)),
          h('p', {class: 'quiet switch'}, state.isNew ? 'You have an account? ' : 'New here? ',
            h('button', {
              id: 'other',
              class: 'link',
              type: 'button',
              onclick: () => {
                Object.assign(state, {isNew: !state.isNew, error: null});
                draw();
              }
            },
              state.isNew ? 'Sign in' : 'Create an account'))));
  };
  draw();
  return place;
}

/* ---- views ---- */

const VIEWS = {
  shop: {title: 'Shop', may: () => true, make: shopView},
  orders: {title: 'Orders', may: isSignedIn, make: ordersView},
  operations: {title: 'Operations', may: isOperator, make: operatorView},
  'sign-in': {title: 'Sign in', may: () => !isSignedIn(), make: signInView},
};

function wanted() {
  const [, name, part] = location.hash.split('/');
  const known = VIEWS[name] ? name : 'shop';
  if (VIEWS[known].may()) return [known, part];
  return [isSignedIn() ? 'shop' : 'sign-in', undefined];
}

function drawFrame(current) {
  const links = ['shop', 'orders', 'operations'].filter((name) => VIEWS[name].may());
  show(
      document.getElementById('nav'),
      links.map(
          (name) =>
              h('a', {id: `nav-${name}`, href: `#/${name}`, 'aria-current': name === current ? 'page' : null},
                VIEWS[name].title)));
  const account = document.getElementById('account');
  if (session.open)
    show(account, h('span', {class: 'quiet'}, 'Open access'));
  else if (isSignedIn())
    show(
        account, h('span', {class: 'who', title: session.email}, session.email),
        session.role !== 'customer' ? h('span', {class: 'role'}, session.role) : null,
        h('button', {id: 'sign-out', class: 'small', type: 'button', onclick: leave}, 'Sign out'));
  else
    show(account, h('a', {id: 'sign-in', class: 'button small', href: '#/sign-in'}, 'Sign in'));
}

async function leave() {
  await signOut();
  emptyBasket();
  location.hash = '#/sign-in';
}

function draw(moved) {
  const [name, part] = wanted();
  shown.abort();
  shown = new AbortController();
  document.title = `${VIEWS[name].title} – orderbus`;
  drawFrame(name);
  show(main, VIEWS[name].make(shown.signal, part));
  if (moved) main.focus({preventScroll: true});
}

addEventListener('hashchange', () => draw(true));
await resume();
draw(false);
onChange(() => draw(false));
