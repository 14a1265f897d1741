/* Money, times and words for people. */

const NO_MINOR = new Set('JPY KRW CLP VND XAF XOF XPF BIF DJF GNF KMF MGA PYG RWF VUV'.split(' '));
const THREE_DIGITS = new Set('BHD JOD KWD OMR TND'.split(' '));

/* As docs/api.md says: ISK and UGX are counted in hundredths, too. */
export function digitsOf(currency) {
  return NO_MINOR.has(currency) ? 0 : THREE_DIGITS.has(currency) ? 3 : 2;
}

export function money(amount, currency) {
  if (amount === null || amount === undefined || !currency) return '–';
  const digits = digitsOf(currency);
  return new Intl
      .NumberFormat(
          undefined, {style: 'currency', currency, minimumFractionDigits: digits, maximumFractionDigits: digits})
      .format(amount / 10 ** digits);
}

/* "12.5" or "12,50" in minor units; null: it is no amount of the currency above nothing. */
export function minorOf(text, currency) {
  const digits = digitsOf(currency);
  const match = /^(\d{1,12})(?:[.,](\d{1,3}))?$/.exec(text);
  if (!match || (match[2] || '').length > digits) return null;
  const amount = Number(match[1] + (match[2] || '').padEnd(digits, '0'));
  return amount > 0 && Number.isSafeInteger(amount) ? amount : null;
}

const plain = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, {notation: 'compact', maximumFractionDigits: 1});
export const number = (value) => plain.format(value);
export const compact = (value) => value < 10000 ? plain.format(value) : short.format(value);

const day = new Intl.DateTimeFormat(undefined, {dateStyle: 'medium', timeStyle: 'short'});
const clock = new Intl.DateTimeFormat(undefined, {timeStyle: 'medium'});
export const time = (text) => text ? day.format(new Date(text)) : '–';
export const clockTime = (text) => text ? clock.format(new Date(text)) : '–';

const relative = new Intl.RelativeTimeFormat(undefined, {numeric: 'auto', style: 'short'});
const STEPS = [[60, 'second', 1], [3600, 'minute', 60], [86400, 'hour', 3600], [Infinity, 'day', 86400]];
export function ago(text, now = Date.now()) {
  const seconds = Math.round((new Date(text).getTime() - now) / 1000);
  const [, unit, size] = STEPS.find(([limit]) => Math.abs(seconds) < limit);
  return relative.format(Math.trunc(seconds / size), unit);
}

/* 38 ms, 4.2 s, 3 min */
export function duration(ms) {
  if (ms === null || !Number.isFinite(ms)) return '–';
  if (ms < 1000) return `${plain.format(Math.round(ms))} ms`;
  if (ms < 60000) return `${plain.format(Math.round(ms / 100) / 10)} s`;
  return `${plain.format(Math.round(ms / 60000))} min`;
}

export const shortId = (id) => id.slice(0, 8);

const STATUS = {
  ACCEPTED: ['busy', 'Accepted'],
  PENDING: ['busy', 'Reserving'],
  RESERVED: ['busy', 'Paying'],
  PAID: ['busy', 'Paid'],
  AWAITING_PAYMENT: ['wait', 'Awaiting payment'],
  COMPENSATING: ['wait', 'Undoing'],
  CONFIRMED: ['good', 'Confirmed'],
  REJECTED: ['bad', 'Rejected'],
  CANCELLED: ['off', 'Cancelled'],
};
export const STATUSES = Object.keys(STATUS).filter((name) => name !== 'ACCEPTED' && name !== 'PAID');
export const statusOf = (status) => STATUS[status] || ['off', status || 'Unknown'];
export const isFinal = (status) => ['CONFIRMED', 'REJECTED', 'CANCELLED'].includes(status);
export const mayCancel = (status) => ['ACCEPTED', 'PENDING', 'RESERVED', 'AWAITING_PAYMENT'].includes(status);

const REASONS = {
  out_of_stock: 'Not enough in stock',
  unknown_product: 'Unknown product',
  withdrawn: 'No longer sold',
  total_mismatch: 'The total has changed',
  mixed_currencies: 'Products of different currencies',
  total_too_large: 'The total is too large',
  payment_declined: 'The card was declined',
  payment_failed: 'The payment failed',
  stock_lost: 'The reservation was lost',
  product_twice: 'A product stands twice',
  too_many_unpaid_orders: 'Too many unpaid orders',
  timeout: 'It took too long',
  not_paid_in_time: 'Not paid in time',
  customer: 'Cancelled by the customer',
};

/* "payment_declined: card_declined" as a sentence; words of a customer stay as they are. */
export function reason(text) {
  if (!text) return '';
  const [code, ...rest] = text.split(': ');
  const words = REASONS[code];
  return words ? [words, rest.join(': ')].filter(Boolean).join(': ') : text;
}
