/* Calls the API: requests with a bearer token, and streams of server-sent events that come back by themselves. */

const BASE = new URL('../', location.href).pathname.replace(/\/$/, '');
const TRIES = 4;

/* What the server says is wrong (RFC 9457), or that it cannot be reached (status 0). */
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    const wrong = (body.errors || []).map((one) => `${one.field} ${one.message}`).join('; ');
    super(wrong || body.detail || body.title || 'The server cannot be reached');
    this.status = status;
    this.body = body;
    this.traceId = body.trace_id || '';
    this.retryAfter = retryAfter;
  }
  /* Repeating the same request is safe and may help. */
  get passes() {
    return this.status === 0 || this.status === 429 || this.status === 503;
  }
}

let bearer = () => null;
let renew = async () => false;
/* bearer(): the access token, or null; renew(): gets another one, and says whether there is one. */
export function useTokens(from) {
  ({bearer, renew} = from);
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
/* Doubles from half a second to 15, with a random part so that clients do not come back together. */
export const backoff = (tries) => Math.min(15000, 500 * 2 ** tries) * (0.7 + 0.6 * Math.random());

export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const takesToken = (path) => !path.startsWith('/api/auth/');

async function send(method, path, {body, headers, signal}) {
  const given = {...headers};
  const token = takesToken(path) ? bearer() : null;
  if (token) given.Authorization = `Bearer ${token}`;
  if (body !== undefined) given['Content-Type'] = 'application/json';
  try {
    return await fetch(BASE + path, {
      method,
      signal,
      headers: given,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, {}, 0);
  }
}

async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  return new Problem(response.status, body, Number(response.headers.get('Retry-After')) || 0);
}

/* Once more with another token if this one has expired. What gives tokens takes none. */
async function sendWithToken(method, path, options) {
  const had = takesToken(path) ? bearer() : null;
  const response = await send(method, path, options);
  return response.status === 401 && had && await renew() ? send(method, path, options) : response;
}

/* → the response's JSON. Throws a Problem. */
export async function call(method, path, options = {}) {
  const response = await sendWithToken(method, path, options);
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? null : response.json();
}

export const get = (path, options) => call('GET', path, options);

export async function getText(path) {
  const response = await sendWithToken('GET', path, {});
  if (!response.ok) throw await problemOf(response);
  return response.text();
}

/* Is every route open to anyone (AUTH=off)? Only an edge that checks tokens counts requests of an address. */
export async function isOpen() {
  const response = await send('GET', '/api/products?limit=1', {});
  if (response.headers.get('RateLimit')) return false;
  return (await send('GET', '/api/services', {})).ok;
}

/* Sends a request under one key until it is answered; only what is safe to repeat is repeated. */
export async function callOnce(method, path, body, key, onRetry) {
  for (let tries = 0;; tries++) {
    try {
      return await call(method, path, {body, headers: {'Idempotency-Key': key}});
    } catch (error) {
      if (!error.passes || tries + 1 >= TRIES) throw error;
      onRetry?.(tries + 1);
      await sleep(Math.max(error.retryAfter * 1000, backoff(tries)));
    }
  }
}

/* ---- server-sent events ---- */

function parse(block) {
  const event = {type: 'message', data: '', id: null};
  for (const line of block.split('\n')) {
    const [, name, value] = /^([^:]*): ?(.*)$/.exec(line) || [];
    if (name === 'data') event.data += value;
    if (name === 'event') event.type = value;
    if (name === 'id') event.id = value;
  }
  return event.data || event.id ? event : null;
}

async function* eventsOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop();
    yield* blocks.map(parse).filter(Boolean);
  }
}

/* Calls on({type, data}) for each event, and state('live' | 'away' | 'ended'), until signal aborts, the server says
 * that no more will come, or it refuses for good. A stream that breaks begins again behind the last event. */
export async function stream(path, {signal, on, state}) {
  let last = null;
  for (let tries = 0; !signal.aborted; tries++) {
    let wait = 0;
    try {
      const headers = {Accept: 'text/event-stream', ...(last === null ? {} : {'Last-Event-ID': last})};
      const response = await sendWithToken('GET', path, {headers, signal});
      if (response.status === 204) return state('ended');
      if (!response.ok) throw await problemOf(response);
      state('live');
      for await (const event of eventsOf(response)) {
        tries = 0;
        if (event.id !== null) last = event.id;
        if (event.type === 'end') return state('ended');
        on({type: event.type, data: event.data ? JSON.parse(event.data) : {}});
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && !error.passes && error.status !== 404) return state('ended');
      wait = (error.retryAfter || 0) * 1000;
    }
    if (signal.aborted) return;
    state('away');
    await sleep(Math.max(wait, backoff(tries)));
  }
}
