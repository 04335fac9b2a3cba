// A person at a real browser follows install links, signs in where that is asked for, presses the button, and waits for what the
// page says. axe-core looks at both pages. Prints one line of JSON for each link.
'use strict';
const assert = require('node:assert');
const { chromium } = require('playwright-core');
const axe = require('axe-core');
const told = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));

const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

async function faults(page) {
  await page.evaluate(axe.source);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map((node) => node.html).join(' ')}`);
}

async function install(page, link, number) {
  const asked = new URLSearchParams(link);
  await page.goto(`${told.url}/extensions/installedApplications/new?${link}`);
  if (new URL(page.url()).pathname === '/login') {
    await page.fill('#username', told.username);
    await page.fill('#password', told.password);
    await page.click('button.primary');
    await page.waitForURL((url) => url.pathname.endsWith('/new'));
  }
  assert.strictEqual(await page.inputValue('#name'), asked.get('name'));
  const text = await page.evaluate(() => document.body.innerText);
  assert(text.includes(asked.get('endpoint')), text);
  for (const uri of (asked.get('code-flow-redirect-uris') || '').split('\n')) assert(text.includes(uri), text);
  const wrong = await faults(page);
  await page.screenshot({ path: `${told.folder}/${number}-asked.png`, fullPage: true });
  await page.click('button.primary');
  // The page asks again by itself until the application has answered.
  await page.getByText('It is connected.').waitFor({ timeout: 60000 });
  await page.screenshot({ path: `${told.folder}/${number}-connected.png`, fullPage: true });
  wrong.push(...(await faults(page)));
  return { name: asked.get('name'), outcome: new URL(page.url()).pathname, faults: wrong };
}

(async () => {
  const browser = await chromium.launch({ executablePath: told.chromium, args: ARGUMENTS, headless: true });
  try {
    const page = await (await browser.newContext({ reducedMotion: 'reduce', serviceWorkers: 'block' })).newPage();
    for (const [number, link] of told.links.entries()) console.log(JSON.stringify(await install(page, link, number)));
  } finally {
    await browser.close();
  }
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
