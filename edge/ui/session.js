/* Who is signed in. The access token is in memory alone; the refresh token is a cookie that no script can read. */
import {call, callOnce, get, isOpen, newKey, Problem, useTokens} from './api.js';

/* Says that this browser may have a session, so that a stranger's first visit asks for none. It is no secret. */
const MARK = 'orderbus-session';
const EARLY_MS = 60000;

const ROLES = ['customer', 'operator', 'admin'];
export const session = {
  token: null,
  open: false,
  user: null,
  role: null,
  email: ''
};
const listeners = new Set();
let renewing = null, timer = 0;

export const onChange = (listener) => listeners.add(listener);
const tell = () => listeners.forEach((listener) => listener());
export const isSignedIn = () => session.open || session.token !== null;
export const isOperator = () => session.open || ROLES.indexOf(session.role) >= 1;

function mark(has) {
  try {
    if (has)
      localStorage.setItem(MARK, '1');
    else
      localStorage.removeItem(MARK);
  } catch { /* a browser without storage signs in after each reload */
  }
}

function hasMark() {
  try {
    return localStorage.getItem(MARK) === '1';
  } catch {
    return false;
  }
}

/* For show only: the server checks the token. */
function claimsOf(token) {
  const text = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
  return JSON.parse(atob(text));
}

function take(tokens) {
  const claims = claimsOf(tokens.access_token);
  Object.assign(session, {token: tokens.access_token, user: claims.sub, role: claims.role || 'customer'});
  mark(true);
  clearTimeout(timer);
  timer = setTimeout(renew, Math.max(5000, tokens.expires_in * 1000 - EARLY_MS));
}

function forget() {
  clearTimeout(timer);
  Object.assign(session, {token: null, user: null, role: null, email: ''});
  mark(false);
}

async function renewOnce() {
  try {
    take(await callOnce('POST', '/api/auth/refresh', {cookie: true}, newKey()));
    return true;
  } catch (error) {
    if (!(error instanceof Problem) || error.passes) return session.token !== null;
    forget();
    tell();
    return false;
  }
}

/* Many requests may find their token expired; one renews it for all. */
function renew() {
  renewing ||= renewOnce().finally(() => renewing = null);
  return renewing;
}

useTokens({bearer: () => session.token, renew});

async function readName() {
  const user = await get(`/api/users/${session.user}`).catch(() => null);
  session.email = user?.email || '';
}

/* At the start: the session of the cookie, if there is one. */
export async function resume() {
  if (hasMark()) {
    if (await renew()) await readName();
  } else {
    session.open = await isOpen().catch(() => false);
  }
  tell();
}

export async function signIn(email, password) {
  take(await callOnce('POST', '/api/auth/login', {email, password, cookie: true}, newKey()));
  await readName();
  tell();
}

/* The answer is the same for an address that is registered; then the password decides. */
export async function register(email, password, name) {
  await callOnce('POST', '/api/auth/register', {email, password, ...(name ? {name} : {})}, newKey());
  await signIn(email, password);
}

export async function signOut() {
  await call('POST', '/api/auth/logout', {body: {cookie: true}}).catch(() => null);
  forget();
  tell();
}
