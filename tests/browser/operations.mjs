// The operators' view, and what it hides from customers.
import assert from 'node:assert/strict';
import {assertAccessible, assertWhole, becomes, env, open, order, register, signInOperator, view} from './browser.mjs';

export async function a_customer_has_no_operations(browser) {
  const page = await open(browser);
  await register(page);
  assert.equal(await page.getByRole('link', {name: 'Operations'}).count(), 0);
  await view(page, 'operations');
  await page.getByRole('heading', {name: 'Products'}).waitFor();
  assertWhole(page);
}

export async function operators_see_services_and_traffic(browser) {
  const page = await open(browser);
  await signInOperator(page);
  await page.getByRole('link', {name: 'Operations'}).click();
  const services = page.getByRole('region', {name: 'Services'});
  const names = env.PAGE_SERVICES.split(' ');
  for (const name of names)
    await services.getByRole('row', {name: new RegExp(`^${name} Ready`)}).waitFor();
  // Each says what it takes and holds; rates need two looks.
  await services.getByRole('row', {name: new RegExp(`^edge Ready .*${names.length - 1} closed`)}).waitFor();
  await services.getByRole('row', {name: /^order-svc Ready \d[\d.]* .* 0 /}).waitFor();
  await services.getByRole('row', {name: /^payment-svc Ready .*1 closed/}).waitFor();
  const queues = page.getByRole('region', {name: 'Queues', exact: true});
  await queues.getByText('counted').waitFor();
  for (const name of ['order-svc', 'order-svc.place', 'inventory-svc', 'payment-svc'])
    await queues.getByRole('row', {name: new RegExp(`^${name} \\d+ 1 0 0$`)}).waitFor();
  await queues.getByRole('row', {name: /^user-svc\.query \(queries\) \d+ 1 – –$/}).waitFor();
  await page.getByRole('region', {name: 'Alarms'}).getByText('None').waitFor();
  const edge = page.getByRole('region', {name: 'Edge and bus'});
  await edge.getByText('Connected').waitFor();
  await page.waitForFunction(() => document.querySelector('.tile .figure')?.textContent !== '0');
  await page.getByRole('region', {name: 'Stock, least first'}).getByText('Sold out').first().waitFor();
  assertWhole(page);
}

export async function operators_watch_orders_as_they_change(browser) {
  const page = await open(browser), customer = await open(browser);
  await signInOperator(page);
  await page.getByRole('link', {name: 'Operations'}).click();
  await page.getByRole('region', {name: 'Changes'}).getByText('Live').waitFor();
  await register(customer);
  const card = await order(customer, {pay: 'Pay later'});
  await becomes(card, 'Awaiting payment');
  const id = await card.locator('code').first().getAttribute('title');
  await page.locator(`.feed a[href="#/operations/${id}"]`).first().waitFor();
  await page.getByRole('button', {name: /^Awaiting payment [1-9]/}).click();
  await page.locator(`.rows a[href="#/operations/${id}"]`).first().waitFor();
  await page.getByLabel(/^Find orders/).fill(id);
  await page.keyboard.press('Enter');
  const story = page.getByRole('region', {name: /^Order/}).filter({hasText: id});
  await story.getByText('Stock reserved').waitFor();
  await story.getByText('It waits for the customer.').waitFor();
  await card.getByRole('button', {name: /^Pay/}).click();
  await becomes(story, 'Confirmed');
  await story.getByText('Refundable').waitFor();
  const lines = story.getByRole('list', {name: 'Story'});
  await lines.getByText(/^the customer: /).first().waitFor();
  await lines.getByText(/^payment-svc: /).first().waitFor();
  await lines.getByText('Paid and confirmed').waitFor();
  assertWhole(page);
  assertWhole(customer);
}

export async function an_operator_refunds_a_part_and_the_rest(browser) {
  const page = await open(browser), customer = await open(browser);
  await register(customer);
  const card = await order(customer);
  await becomes(card, 'Confirmed');
  const id = await card.locator('code').first().getAttribute('title');
  await signInOperator(page);
  await view(page, `operations/${id}`);
  const story = page.getByRole('region', {name: /^Order/}).filter({hasText: id});
  await story.getByText('Refund', {exact: true}).click();
  const amount = story.getByLabel('Amount');
  for (const wrong of ['0', '1.234', '9999999', 'x']) {
    await amount.fill(wrong);
    await story.getByText(/^An amount up to /).waitFor();
    assert.ok(await story.getByRole('button', {name: /^Refund /}).isDisabled(), wrong);
  }
  await amount.fill('1.5');
  await story.getByLabel('Reason (optional)').fill('damaged <b>');
  await story.getByRole('button', {name: 'Refund €1.50'}).click();
  await story.getByRole('button', {name: 'No'}).click();
  await story.getByRole('button', {name: 'Refund €1.50'}).click();
  // The first answer is lost; the same key is sent again, and no second refund is made.
  let sent = 0;
  const keys = new Set();
  await page.route('**/api/payments/refund', async (route) => {
    keys.add(route.request().headers()['idempotency-key']);
    if (++sent > 1) return route.continue();
    await route.fetch();
    return route.abort();
  });
  await story.getByRole('button', {name: 'Yes, refund €1.50'}).click();
  const refunds = story.getByRole('list', {name: 'Refunds'});
  await refunds.getByText('damaged <b>').waitFor();
  await refunds.getByText('Carried out').waitFor();
  assert.equal(await refunds.getByRole('listitem').count(), 1);
  assert.equal(keys.size, 1);
  await page.unroute('**/api/payments/refund');
  await story.getByLabel('Put all that the order bought back into stock').check();
  await story.getByRole('button', {name: /^Refund €/}).click();
  await story.getByRole('button', {name: /^Yes, refund €/}).click();
  await refunds.getByText(', stock put back').waitFor();
  await story.getByRole('list', {name: 'Story'}).getByText('Refund asked for').nth(1).waitFor();
  await story.getByText('Refund', {exact: true}).waitFor({state: 'detached'});
  assertWhole(page);
}

// The id of an order is made of its customer and key, as the edge does it.
export async function an_order_is_found_by_customer_and_key(browser) {
  const page = await open(browser), customer = await open(browser);
  await register(customer);
  const sent =
      customer.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/api/orders'));
  const card = await order(customer);
  const key = (await sent).headers()['idempotency-key'];
  const id = await card.locator('code').first().getAttribute('title');
  await signInOperator(page);
  await page.getByRole('link', {name: 'Operations'}).click();
  await page.getByLabel(/^Find orders/).fill(id);
  await page.keyboard.press('Enter');
  const story = page.getByRole('region', {name: /^Order/}).filter({hasText: id});
  await story.getByText('Paid and confirmed').waitFor();
  const subject = await story.locator('dd').nth(1).innerText();
  await view(page, 'operations');
  await page.getByLabel(/^Find orders/).fill(`${subject} ${key}`);
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/#/operations/${id}`);
  await view(page, 'operations');
  await page.getByLabel(/^Find orders/).fill(subject);
  await page.keyboard.press('Enter');
  await page.getByText(`Orders of ${subject}`).waitFor();
  await page.locator(`.rows a[href="#/operations/${id}"]`).first().waitFor();
  assertWhole(page);
}

export async function refunds_that_are_not_carried_out_are_listed(browser) {
  const page = await open(browser), customer = await open(browser);
  await register(customer);
  // The provider takes its time for refunds of a card that the page does not offer.
  await customer.route('**/api/orders', (route) => {
    const body = route.request().postDataJSON();
    const slow = JSON.stringify({...body, payment: {token: 'pm_sandbox_refund_pending'}});
    return route.continue(body ? {postData: slow} : {});
  });
  const card = await order(customer);
  await becomes(card, 'Confirmed');
  const id = await card.locator('code').first().getAttribute('title');
  await signInOperator(page);
  await view(page, `operations/${id}`);
  const story = page.getByRole('region', {name: /^Order/}).filter({hasText: id});
  await story.getByText('Refund', {exact: true}).click();
  await story.getByLabel('Amount').fill('1.5');
  await story.getByRole('button', {name: 'Refund €1.50'}).click();
  await story.getByRole('button', {name: 'Yes, refund €1.50'}).click();
  const refund = page.getByRole('region', {name: 'Open refunds', exact: true}).getByRole('listitem').filter({
    has: page.locator(`a[href="#/operations/${id}"]`)
  });
  await refund.getByText('At the provider').waitFor();
  await refund.getByText('€1.50').waitFor();
  await refund.getByText('asked for by an operator').waitFor();
  await assertAccessible(page, 'open refunds');
  await refund.waitFor({state: 'detached', timeout: 60000});
  assertWhole(page);
}
