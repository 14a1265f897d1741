// Runs one case: node run.mjs FILE NAME. A picture of each page is kept where it fails.
import path from 'node:path';

import {env, launch} from './browser.mjs';

const [file, name] = process.argv.slice(2);
const {[name]: one} = await import(`./${file}.mjs`);
const browser = await launch();
try {
  await one(browser);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
  const pages = browser.contexts().flatMap((context) => context.pages());
  await Promise.all(pages.map(
      (page, index) => page.screenshot({path: path.join(env.PAGE_FAILED, `${name}-${index}.png`)}).catch(() => {})));
  for (const page of pages) console.error(page.url(), page.faults);
} finally {
  await browser.close();
}
