// The shop in a browser: an order from the basket to its end.
import assert from 'node:assert/strict';
import {assertWhole, becomes, env, fillBasket, open, order, register, signIn, URL_, view} from './browser.mjs';

const trackerOf = (page) => page.getByRole('region', {name: 'Your order'});
const idOf = (card) => card.locator('code').first().getAttribute('title');

export async function an_order_is_confirmed_before_ones_eyes(browser) {
  const page = await open(browser);
  await register(page);
  await fillBasket(page, 'Sample product 1', 'Sample product 2');
  await page.getByRole('button', {name: 'One Sample product 2 more'}).click();
  assert.match(await page.locator('.total').innerText(), /€30\.97/);
  const before = await page.evaluate(() => performance.timeOrigin);
  await page.getByRole('button', {name: 'Place order'}).click();
  await becomes(trackerOf(page), 'Confirmed');
  assert.equal(await page.evaluate(() => performance.timeOrigin), before);  // without a reload
  for (const text of ['Order placed', 'Stock reserved', 'Paid and confirmed'])
    await trackerOf(page).getByText(text, {exact: true}).waitFor();
  assert.equal(await trackerOf(page).locator('.step.done').count(), 4);
  assert.match(await page.locator('#announcer').innerText(), /Paid and confirmed/);
  const id = await idOf(trackerOf(page));
  await page.getByRole('link', {name: 'Orders'}).click();
  await page.locator(`a[href="#/orders/${id}"]`).click();
  await page.getByRole('region', {name: 'Order', exact: false}).getByText('Paid and confirmed').waitFor();
  assertWhole(page);
}

export async function a_declined_order_is_undone(browser) {
  const page = await open(browser);
  await register(page);
  const card = await order(page, {pay: 'Test card, is declined'});
  await becomes(card, 'Cancelled');
  await card.getByText(/The card was declined/).first().waitFor();
  await card.getByText('Stock is back on sale').waitFor();
  assert.equal(await card.locator('.step.failed').innerText(), 'Payment\n: undone');
  assertWhole(page);
}

export async function an_order_is_cancelled(browser) {
  const page = await open(browser);
  await register(page);
  const card = await order(page, {pay: 'Pay later'});
  await becomes(card, 'Awaiting payment');
  await card.getByRole('button', {name: 'Cancel order'}).click();
  await becomes(card, 'Cancelled');
  assert.equal(await card.getByRole('button').count(), 0);
  assertWhole(page);
}

export async function an_order_is_paid_later(browser) {
  const page = await open(browser);
  await register(page);
  const card = await order(page, {pay: 'Pay later'});
  await card.getByLabel('Card').selectOption({label: 'Test card, is declined'});
  await card.getByRole('button', {name: /^Pay/}).click();
  await card.getByText('No money moved').waitFor();
  await card.getByLabel('Card').selectOption({label: 'Test card, is accepted'});
  await card.getByRole('button', {name: /^Pay/}).click();
  await becomes(card, 'Confirmed');
  assertWhole(page);
}

// The broker's answer is lost on its way twice: the third try has the same key, and there is one order.
export async function a_lost_answer_makes_no_second_order(browser) {
  const page = await open(browser);
  await register(page);
  const keys = [];
  await page.route('**/api/orders', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    keys.push(route.request().headers()['idempotency-key']);
    if (keys.length > 2) return route.continue();
    await route.fetch();
    return route.abort();
  });
  const card = await order(page);
  await becomes(card, 'Confirmed');
  assert.equal(keys.length, 3);
  assert.equal(new Set(keys).size, 1);
  await page.getByRole('link', {name: 'Orders'}).click();
  await page.locator('.rows a').first().waitFor();
  assert.equal(await page.locator('.rows a').count(), 1);
  assertWhole(page);
}

export async function a_stream_that_breaks_begins_again_behind_its_last_event(browser) {
  const page = await open(browser);
  await register(page);
  const positions = [];
  await page.route('**/api/orders/*/stream', async (route) => {
    positions.push(route.request().headers()['last-event-id']);
    if (positions.length > 1) return route.continue();
    return route.fulfill({
      status: 200,
      contentType: 'text/event-stream',
      body: `id: 1\nevent: order.created\ndata: ${
          JSON.stringify({seq: 1, type: 'order.created', at: new Date().toISOString(), data: {}})}\n\n`
    });
  });
  const card = await order(page);
  await card.getByText('Paid and confirmed').waitFor();
  assert.equal(positions[0], undefined);
  assert.equal(positions[1], '1');
  assert.equal(await card.locator('.timeline li').count(), 3);
  assertWhole(page);
}

export async function texts_of_others_are_no_html(browser) {
  const page = await open(browser);
  await register(page);
  await page.getByLabel('Search products').fill('alert');
  await page.getByText(env.PAGE_HOSTILE_NAME, {exact: true}).waitFor();
  await fillBasket(page, env.PAGE_HOSTILE_NAME);
  await page.locator('.lines').getByText(env.PAGE_HOSTILE_NAME).waitFor();
  assert.equal(await page.locator('main script, main img').count(), 0);
  assertWhole(page);
}

// The refresh token is in a cookie that no script reads, the access token in memory; a reload goes on with the session.
export async function no_token_is_where_a_script_finds_it(browser) {
  const page = await open(browser);
  const urls = [];
  page.on('request', (request) => urls.push(request.url()));
  const email = await register(page);
  const [cookie] = await page.context().cookies();
  assert.equal(cookie.name, '__Host-refresh');
  assert.deepEqual([cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.path], [true, true, 'Strict', '/']);
  const readable = await page.evaluate(
      () => JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}, location.href]));
  assert.equal(readable, JSON.stringify(['', {'orderbus-session': '1'}, {}, `${URL_}#/shop`]));
  await page.reload();
  await page.getByText(email).waitFor();
  const [next] = await page.context().cookies();
  assert.notEqual(next.value, cookie.value);
  assert.ok(!urls.some((url) => url.includes('eyJ') || url.includes(cookie.value) || url.includes(next.value)));
  await page.getByRole('button', {name: 'Sign out'}).click();
  await page.getByRole('heading', {name: 'Sign in'}).waitFor();
  assert.deepEqual(await page.context().cookies(), []);
  const again = await page.request.post(`${env.PAGE_URL}/api/auth/refresh`, {data: {refresh_token: next.value}});
  assert.equal(again.status(), 401);
  console.log(JSON.stringify({secrets: [cookie.value, next.value]}));
  assertWhole(page);
}

export async function a_wrong_password_is_said(browser) {
  const page = await open(browser);
  await view(page, 'sign-in');
  await page.getByLabel('E-mail').fill('nobody@example.org');
  await page.getByLabel('Password').fill('wrong wrong wrong');
  await page.locator('#submit').click();
  await page.getByRole('alert').getByText('the e-mail address or the password is wrong').waitFor({timeout: 60000});
  assert.equal(await page.getByLabel('E-mail').inputValue(), 'nobody@example.org');
  assertWhole(page);
}

// An access token of another time: the page renews it and goes on.
export async function an_expired_token_is_renewed(browser) {
  const page = await open(browser);
  await register(page);
  let refused = 0, renewed = 0;
  await page.route(
      '**/api/orders?*',
      (route) => refused++ === 0 ? route.fulfill({status: 401, contentType: 'application/problem+json', body: '{}'}) :
                                   route.continue());
  page.on('response', (response) => renewed += response.url().endsWith('/api/auth/refresh') && response.ok());
  await page.getByRole('link', {name: 'Orders'}).click();
  await page.getByText('No orders yet').waitFor();
  assert.equal(renewed, 1);
  assertWhole(page);
}

export async function errors_say_what_to_do(browser) {
  const page = await open(browser);
  let away = true;
  await page.route('**/api/products?limit=12*', (route) => away ? route.abort() : route.continue());
  await view(page, 'shop');
  await page.getByRole('alert').getByText('The server cannot be reached').waitFor();
  away = false;
  await page.getByRole('button', {name: 'Try again'}).click();
  await page.getByText('Sample product 1', {exact: true}).waitFor();
  assertWhole(page);
}

export async function an_order_by_keyboard_alone(browser) {
  const page = await open(browser);
  const email = await register(page);
  await page.getByRole('button', {name: 'Sign out'}).click();
  await page.getByRole('heading', {name: 'Sign in'}).waitFor();
  const go = async (id) => {
    for (let tries = 0; tries < 60; tries++) {
      if (await page.evaluate(() => document.activeElement.id) === id) return;
      await page.keyboard.press('Tab');
      const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      const at = await page.evaluate(() => document.activeElement.tagName);
      assert.ok(at === 'BODY' || ring !== 'none', `the focus on ${at} is not to be seen`);
    }
    throw new Error(`Tab does not lead to ${id}`);
  };
  await page.reload();
  await go('email');
  await page.keyboard.type(email);
  await go('password');
  await page.keyboard.type('canary-correct-horse-battery');
  await page.keyboard.press('Enter');
  await page.getByRole('button', {name: 'Sign out'}).waitFor({timeout: 60000});
  await go('add-SKU-00001');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await page.locator('.stepper output').getByText('2').waitFor();
  await go('place');
  await page.keyboard.press('Enter');
  await becomes(trackerOf(page), 'Confirmed');
  assertWhole(page);
}

export async function a_session_of_two_pages(browser) {
  const page = await open(browser);
  const email = await register(page);
  const other = await page.context().newPage();
  await other.goto(URL_);
  await other.getByText(email).waitFor();
  const elsewhere = await open(browser);
  await signIn(elsewhere, email);
  assertWhole(elsewhere);
  assertWhole(page);
}
