// The operators' view, and what it hides from customers.
import assert from 'node:assert/strict';
import {assertWhole, becomes, env, open, order, register, signInOperator, view} from './browser.mjs';

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
  for (const name of ['edge', 'inventory-svc', 'order-svc', 'payment-svc', 'user-svc'])
    await services.getByRole('row', {name: new RegExp(`^${name} Ready`)}).waitFor();
  const edge = page.getByRole('region', {name: 'Edge and bus'});
  await edge.getByText('Connected').waitFor();
  await edge.getByText('Breaker of order-svc').waitFor();
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
  await card.getByRole('button', {name: /^Pay/}).click();
  await becomes(story, 'Confirmed');
  await story.getByText('Refundable').waitFor();
  assertWhole(page);
  assertWhole(customer);
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
