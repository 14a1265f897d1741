/* Refunds of a payment, for operators: those there are, and the form for another, whole or in part. */
import {callOnce, newKey} from './api.js';
import {announce, badge, failure, field, h, show} from './dom.js';
import {digitsOf, minorOf, money, time} from './format.js';

const STATES = {
  pending: ['wait', 'Under way'],
  succeeded: ['good', 'Carried out']
};

function refundRow(refund) {
  return h(
      'li', {}, badge(...STATES[refund.status]),
      h('span', {class: 'grow'}, refund.reason || h('span', {class: 'quiet'}, 'no reason'),
        refund.restock ? h('span', {class: 'quiet'}, ', stock put back') : null),
      h('span', {class: 'num'}, money(refund.amount, refund.currency)),
      h('time', {class: 'quiet num', datetime: refund.created_at}, time(refund.created_at)));
}

/* The form asks twice, because money that went back does not return. One key belongs to one wish: it changes with the
 * wish and once the wish is answered, so that a lost answer makes no second refund. */
class RefundForm {
  constructor(id, onDone) {
    Object.assign(this, {id, onDone, payment: null, key: newKey(), asks: false, busy: false, error: null});
    const changed = () => {
      Object.assign(this, {key: newKey(), asks: false, error: null});
      this.draw();
    };
    this.amount = h('input', {id: `amount-${id}`, inputmode: 'decimal', autocomplete: 'off', oninput: changed});
    this.reason = h('input', {id: `reason-${id}`, autocomplete: 'off', maxlength: '200', oninput: changed});
    this.restock = h('input', {id: `restock-${id}`, type: 'checkbox', onchange: changed});
    this.foot = h('div', {class: 'actions'});
    const form =
        h('form', {class: 'refund', onsubmit: (event) => this.submit(event)}, field('Amount', this.amount),
          field('Reason (optional)', this.reason), h('div', {class: 'check'}, this.restock, h('label', {for: this.restock.id
                                                     }, 'Put all that the order bought back into stock')), this.foot);
    this.place = h('details', {class: 'more'}, h('summary', {id: `more-${id}`}, 'Refund'), form);
  }

  update(payment) {
    this.payment = payment;
    this.amount.placeholder =
        `All: ${(payment.refundable / 10 ** digitsOf(payment.currency)).toFixed(digitsOf(payment.currency))}`;
    this.draw();
    return this.place;
  }

  /* → minor units; null: all; undefined: not an amount of this currency. */
  wanted() {
    const text = this.amount.value.trim();
    return text === '' ? null : minorOf(text, this.payment.currency) ?? undefined;
  }

  draw() {
    const wanted = this.wanted(), {currency, refundable} = this.payment;
    const what = money(wanted ?? refundable, currency);
    const wrong = wanted === undefined || wanted > refundable ? `An amount up to ${money(refundable, currency)}` : '';
    this.amount.setAttribute('aria-invalid', String(Boolean(wrong)));
    show(
        this.foot, wrong ? h('p', {class: 'why'}, wrong) : null, this.error ? failure(this.error) : null,
        h('div', {class: 'buttons'},
          h('button', {
            id: `refund-${this.id}`,
            class: this.asks ? 'primary' : '',
            type: 'submit',
            disabled: Boolean(wrong) || this.busy
          },
            this.busy     ? 'One moment…' :
                this.asks ? `Yes, refund ${what}` :
                            `Refund ${what}`),
          this.asks && !this.busy ?
              h('button', {id: `keep-${this.id}`, type: 'button', onclick: () => this.ask(false)}, 'No') :
              null));
  }

  ask(asks) {
    this.asks = asks;
    this.draw();
  }

  async submit(event) {
    event.preventDefault();
    if (this.busy) return;
    if (!this.asks) return this.ask(true);
    const wanted = this.wanted(), reason = this.reason.value.trim();
    const body = {
      payment_id: this.payment.payment_id,
      ...(wanted !== null && {amount: wanted}),
      ...(reason && {reason}),
      ...(this.restock.checked && {restock: true})
    };
    Object.assign(this, {busy: true, error: null});
    this.draw();
    try {
      const refund = await callOnce('POST', '/api/payments/refund', body, this.key);
      announce(`Refund of ${money(refund.amount, refund.currency)} is accepted.`);
      this.amount.value = this.reason.value = '';
      this.restock.checked = false;
      this.key = newKey();
    } catch (error) {
      this.error = error;
      if (!error.passes) this.key = newKey();
    }
    Object.assign(this, {busy: false, asks: false});
    await this.onDone();
    this.draw();
  }
}

/* → a function of payments that makes their part of an order's card; what is typed in stays over redrawing. */
export function refundParts(onDone) {
  const forms = new Map();
  const formOf = (payment) => {
    if (!forms.has(payment.payment_id)) forms.set(payment.payment_id, new RefundForm(payment.payment_id, onDone));
    return forms.get(payment.payment_id).update(payment);
  };
  return (payment) =>
             [payment.refunds.length > 0 ?
                  h('ul', {class: 'refunds', 'aria-label': 'Refunds'}, payment.refunds.map(refundRow)) :
                  null,
              payment.refundable > 0 ? formOf(payment) : null];
}
