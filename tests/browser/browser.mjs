// Chromium, its pages, and the steps that cases share.
import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import path from 'node:path';
import {pathToFileURL} from 'node:url';

export const env = process.env;
export const require = createRequire(path.join(env.PAGE_MODULES, 'index.js'));
const {chromium} = require('playwright-core');

export const URL_ = `${env.PAGE_URL}/ui/`;
export const PASSWORD = 'canary-correct-horse-battery';
// A process of root cannot have Chromium's sandbox. The proxy of the environment must not see the tests.
const FLAGS = ['--no-proxy-server', '--disable-dev-shm-usage', ...(process.getuid() === 0 ? ['--no-sandbox'] : [])];
const ARGON_MS = 60000;  // builds with sanitizers on a busy machine

export function launch(more = []) {
  return chromium.launch({executablePath: env.PAGE_CHROMIUM, args: [...FLAGS, ...more]});
}

export const importModule = (name) => import(pathToFileURL(require.resolve(name)).href);

// A page whose faults are collected: errors of scripts, violations of the policy, requests to elsewhere.
export async function open(browser, options = {}) {
  const context =
      await browser.newContext({locale: 'en-GB', timezoneId: 'UTC', viewport: {width: 1280, height: 860}, ...options});
  const page = await context.newPage();
  page.setDefaultTimeout(30000);
  const faults = [];
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('console', (line) => {
    if (line.type() === 'error' && !line.text().startsWith('Failed to load resource')) faults.push(line.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(`${env.PAGE_URL}/`) && !request.url().startsWith('data:'))
      faults.push(`outside: ${request.url()}`);
  });
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  return Object.assign(page, {faults});
}

export function assertWhole(page) {
  assert.deepEqual(page.faults, []);
}

export async function assertAccessible(page, where) {
  await page.evaluate(await readFile(require.resolve('axe-core/axe.min.js'), 'utf8'));
  const {violations} = await page.evaluate(() => globalThis.axe.run(document, {resultTypes: ['violations']}));
  const found =
      violations.map((one) => `${where}: ${one.impact} ${one.id}: ${one.nodes.map((node) => node.html).join(' | ')}`);
  assert.deepEqual(found, []);
}

export const view = (page, name) => page.goto(`${URL_}#/${name}`);
export const newAddress = () => `user-${crypto.randomUUID()}@example.org`;

export async function register(page, email = newAddress()) {
  await view(page, 'sign-in');
  await page.getByRole('button', {name: 'Create an account'}).click();
  await page.getByLabel('Name (optional)').fill('Ann');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', {name: 'Register'}).click();
  await page.getByRole('button', {name: 'Sign out'}).waitFor({timeout: ARGON_MS});
  return email;
}

export async function signIn(page, email, password = PASSWORD) {
  await view(page, 'sign-in');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.locator('#submit').click();
  await page.getByRole('button', {name: 'Sign out'}).waitFor({timeout: ARGON_MS});
}

export const signInOperator = (page) => signIn(page, env.PAGE_OPERATOR, PASSWORD);

export async function fillBasket(page, ...names) {
  for (const name of names) await page.getByRole('button', {name: `Add ${name}`, exact: true}).click();
}

// Places an order of one product; → the card that follows it.
export async function order(page, {pay = null, name = 'Sample product 1'} = {}) {
  await page.getByRole('link', {name: 'Shop'}).click();
  await fillBasket(page, name);
  if (pay) await page.getByLabel('Payment').selectOption({label: pay});
  await page.getByRole('button', {name: 'Place order'}).click();
  const card = page.getByRole('region', {name: 'Your order'});
  await card.waitFor();
  return card;
}

export const becomes = (card, status) => card.locator('.badge', {hasText: status}).waitFor();
