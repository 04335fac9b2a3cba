// A person at a real browser: signs in, is asked, refuses, agrees, looks at what he allowed. Every page is kept as a
// picture and looked through by axe-core. Prints one line of JSON for each page: its name and what is wrong with it.
'use strict';
const assert = require('node:assert');
const http = require('node:http');
const { chromium } = require('playwright-core');
const axe = require('axe-core');
const told = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));

const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
const LITERAL = 'http://[::1]';
// A busy machine is slow, not broken.
const PATIENCE = 180_000;
const LOOKS = [
  { name: 'desktop-light', colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  { name: 'phone-dark', colorScheme: 'dark', viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
];

async function visit(browser, look, { back, onward }) {
  const context = await browser.newContext({ ...look, reducedMotion: 'reduce', serviceWorkers: 'block' });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const url = request.url();
    if (![told.url, back, onward, LITERAL, 'http://localhost:'].some((known) => url.startsWith(known))) complaints.push(`a request went to ${url}`);
  });
  const look_at = async (name) => {
    await page.screenshot({ path: `${told.folder}/${look.name}-${name}.png`, fullPage: true });
    await page.evaluate(axe.source);
    const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    const faults = found.violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map((node) => node.html).join(' ')}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    if (wide) faults.push('serious: one has to scroll sideways');
    const said = complaints.splice(0).filter((text) => /Content Security Policy|Refused to|went to|Error/.test(text));
    const status = await page.evaluate(() => document.body.innerText);
    assert(status.length > 20, `${name} is empty`);
    console.log(JSON.stringify({ page: `${look.name} ${name}`, faults, said }));
  };
  const ask = (more = {}) => {
    const query = new URLSearchParams({
      response_type: 'code', client_id: told.client, redirect_uri: back, state: 's&t=1', scope: told.scope, ...more,
    });
    return page.goto(`${told.url}/oauth/auth?${query}`);
  };
  const landed = async () => {
    await page.waitForURL((url) => url.href.startsWith(back));
    return new URL(page.url()).searchParams;
  };

  await ask();
  await look_at('login');
  // By the keyboard alone: name, password, Enter.
  await page.focus('#username');
  await page.keyboard.type(told.username);
  await page.keyboard.press('Tab');
  await page.keyboard.type('not the password');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[role=alert]');
  await look_at('login-failed');
  await page.fill('#password', told.password);
  await page.click('button.primary');
  await page.waitForSelector('button[value=allow]');
  await look_at('consent');
  await page.click('button[value=refuse]');
  const refused = await landed();
  assert.deepStrictEqual([refused.get('error'), refused.get('state')], ['access_denied', 's&t=1']);
  console.log(JSON.stringify({ page: `${look.name} refused`, faults: [], said: complaints.splice(0).filter((text) => /Policy/.test(text)) }));

  await ask();
  await page.click('button[value=allow]');
  const allowed = await landed();
  assert(allowed.get('code') && allowed.get('state') === 's&t=1', page.url());
  console.log(JSON.stringify({ page: `${look.name} allowed`, faults: [], said: complaints.splice(0).filter((text) => /Policy/.test(text)) }));
  await ask();
  assert((await landed()).get('code'), 'what was agreed to is not asked again');
  // The application leads on to a page of another origin, after the question and after the sign-in.
  for (const uri of [onward, `${LITERAL}:${new URL(back).port}/onward`]) {
    await ask({ redirect_uri: uri });
    await page.waitForURL((url) => url.pathname === '/home' && url.hostname === 'localhost');
  }
  await ask({ redirect_uri: onward, scope: '**' });
  await look_at('consent-more');
  await page.click('button[value=refuse]');
  await page.waitForURL((url) => url.pathname === '/home' && url.hostname === 'localhost');

  for (const [name, path] of [['account', '/account'], ['applications', '/account/applications'], ['error', '/oauth/auth?client_id=x']]) {
    await page.goto(told.url + path);
    await look_at(name);
  }
  await page.goto(`${told.url}/account/applications`);
  await page.click('button.danger');
  await page.waitForSelector('[role=status]');
  await look_at('withdrawn');
  await page.goto(`${told.url}/account`);
  await page.click('form[action="/account/sign-out"] button');
  await page.waitForURL((url) => url.pathname === '/login');
  assert(!(await context.cookies()).some((cookie) => cookie.name.endsWith('spaceport-session')), 'the cookie is gone');
  await context.close();
}

(async () => {
  const application = http.createServer((request, answer) => {
    const path = request.url.split('?')[0];
    if (path === '/onward') answer.writeHead(302, { location: `http://localhost:${application.address().port}/home` });
    answer.end('<!doctype html><link rel="icon" href="data:,"><title>Back</title>Back at the application');
  });
  // Every address of this machine, so that the name and both literals lead here.
  await new Promise((resolve) => application.listen(0, '::', resolve));
  const { port } = application.address();
  const back = { back: `http://127.0.0.1:${port}/back`, onward: `http://127.0.0.1:${port}/onward` };
  const browser = await chromium.launch({ executablePath: told.chromium, args: ARGUMENTS, headless: true, timeout: PATIENCE });
  try {
    for (const look of LOOKS) await visit(browser, look, back);
  } finally {
    await browser.close();
    application.closeAllConnections();
    application.close();
  }
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
