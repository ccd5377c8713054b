// The page in Debian's Chromium against a real server on a real X display:
//   node tests/web/browser_test.mjs --binaries build/release/bin [--screenshot docs/web.png]
// Its canvas must equal what the native viewer shows, what is done in it must reach the desktop, and what is wrong must be said.

import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import {writeFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {deskScenarios} from './desk_scenarios.mjs';
import {badNetwork, Desktop, eventually, freePort, serveRepository, sleep} from './desktop.mjs';
import {modelScenarios} from './model_scenarios.mjs';
import {figuresOf, inControl, inState, messageOf, openPage, SIZE, stateOf} from './page.mjs';
import {expectSamePicture, psnrOf} from './pictures.mjs';

const require = createRequire(fileURLToPath(new URL('../../client/web/package.json', import.meta.url)));
const {chromium} = require('playwright-core');

const VIDEO_SECONDS = 5;
const {values: options} = parseArgs({
  options: {
    binaries: {type: 'string', default: 'build/release/bin'},
    screenshot: {type: 'string'},
    only: {type: 'string', default: ''}, // scenarios whose name holds this
  },
});

const scenarios = {
  ...deskScenarios,
  ...modelScenarios,

  async 'picture, typing, scrolling'(browser, desktop) {
    const port = await freePort();
    const server = await desktop.serve(port);
    const page = await browser.newPage({viewport: SIZE});
    const problems = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (line) => line.type() === 'error' && problems.push(line.text()));
    const begun = Date.now();
    await page.goto(`http://127.0.0.1:${port}/`);
    await inState(page, 'open');
    console.log(`     first state after ${Date.now() - begun} ms`);
    await expectSamePicture(page, desktop, port, 'opening');
    await desktop.type('ls --color=always -l /usr/bin | head -300');
    await sleep(500);
    await desktop.type('for i in $(seq 150); do echo "line $i of a scrolling terminal"; sleep 0.02; done');
    await page.locator('#statistics').press('Enter');
    await sleep(2500);
    console.log('     while scrolling: ' + (await figuresOf(page)));
    await sleep(1500);
    await expectSamePicture(page, desktop, port, 'typing and scrolling');
    desktop.playVideo(VIDEO_SECONDS, {pretty: options.screenshot !== undefined});
    await sleep(4000);
    console.log('     while a video plays: ' + (await figuresOf(page)));
    if (options.screenshot) writeFileSync(options.screenshot, await page.screenshot());
    await sleep((VIDEO_SECONDS - 3) * 1000);
    await expectSamePicture(page, desktop, port, 'a video');
    assert.equal((await stateOf(page)).decoder, 'ready', 'the decoder of the video');
    assert.equal(await page.evaluate(() => crossOriginIsolated), true);
    assert.deepEqual(problems, []);
    await page.close();
    await server.stop();
  },

  async 'lost connection'(browser, desktop) {
    const port = await freePort();
    const first = await desktop.serve(port);
    const page = await browser.newPage({viewport: SIZE});
    await page.goto(`http://127.0.0.1:${port}/`);
    await inState(page, 'open');
    await first.stop();
    const reason = () => {
      const text = document.getElementById('message-text').textContent;
      return document.documentElement.dataset.state === 'waiting' && text;
    };
    const text = await eventually(() => page.evaluate(reason), 'a reason');
    assert.match(text, /server.*Trying again/s);
    const second = await desktop.serve(port);
    await inState(page, 'open', 30);
    console.log(`ok   reconnects; had said: ${text}`);
    await page.close();
    await second.stop();
  },

  async 'a cut'(browser, desktop) {
    const port = await freePort();
    const server = await desktop.serve(port);
    const network = await badNetwork(port);
    const page = await openPage(browser, network.port);
    await desktop.type('clear; ls --color=always -l /usr/bin | tail -300');
    await expectSamePicture(page, desktop, port, 'opening through a network');
    const before = network.bytes;
    network.cut();
    await inState(page, 'connecting');
    await inState(page, 'open');
    await desktop.type('echo again');
    await expectSamePicture(page, desktop, port, 'a cut');
    assert.equal(await page.locator('#notice').isVisible(), false, 'the session was resumed');
    const bytes = network.bytes - before;
    assert.ok(bytes < 20000, `${bytes} bytes came after the cut`);
    network.freeze(true);
    await inState(page, 'silent');
    const text = await messageOf(page);
    network.freeze(false);
    await inState(page, 'open');
    console.log(`ok   resumed with ${bytes} bytes; of a silent network it had said: ${text}`);
    await page.close();
    network.stop();
    await server.stop();
  },

  async 'token'(browser, desktop) {
    const port = await freePort();
    // Tokens are for others than our own user; a page by a name that anybody may own counts as one.
    const server = await desktop.serveWithToken(port, 'open sesame');
    const page = await browser.newPage({viewport: SIZE});
    await page.goto(`http://desktop.test:${port}/#token=wrong`);
    await inState(page, 'token');
    const text = await messageOf(page);
    assert.match(text, /token/);
    assert.equal(await page.evaluate(() => location.hash), '');
    await sleep(1200); // one wrong token costs a second
    await page.getByLabel('Token').fill('open sesame');
    await page.keyboard.press('Enter');
    await inState(page, 'open');
    assert.match(await page.locator('#notice-text').textContent(), /unencrypted.*https:/);
    await page.locator('#statistics').press('Enter');
    await eventually(async () => /Decoder (wasm|loading)/.test(await figuresOf(page)), 'a decoder without WebGPU and isolation');
    console.log(`ok   had said: ${text}; in clear from another name: ${(await figuresOf(page)).match(/Decoder.*?Screen/)[0]}`);
    await page.close();
    await server.stop();
  },

  async 'controls'(browser, desktop) {
    const port = await freePort();
    const server = await desktop.serve(port);
    const page = await browser.newPage({viewport: {width: 1000, height: 600}});
    await page.goto(`http://127.0.0.1:${port}/`);
    await inState(page, 'open');
    const barTop = async () => (await page.locator('#bar').boundingBox()).y;
    await eventually(async () => (await barTop()) < 0, 'a bar that hides');
    await inControl(page, 'free');
    for (const key of ['Control', 'Alt']) await page.keyboard.down(key);
    await page.keyboard.press('Shift'); // gives the keyboard back to the page
    for (const key of ['Control', 'Alt']) await page.keyboard.up(key);
    const focused = () => page.evaluate(() => document.activeElement.id);
    const reached = [await focused()];
    while (reached.at(-1) !== 'keys' && reached.length < 10) {
      await page.keyboard.press('Tab');
      reached.push(await focused());
    }
    assert.deepEqual(reached, ['control', 'fullscreen', 'fit', 'quality', 'clipboard', 'attention', 'statistics', 'keys']);
    await page.locator('#fit').focus();
    await eventually(async () => (await barTop()) >= 0, 'a bar that comes when it has the focus');
    const shownWidth = async () => (await page.locator('#desktop').boundingBox()).width;
    assert.equal(await shownWidth(), 1000);
    await page.locator('#fit').selectOption('1:1');
    assert.equal(await shownWidth(), SIZE.width);
    await page.locator('#quality').fill('30');
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.emulateMedia({colorScheme: 'light'});
    const light = await ground();
    await page.emulateMedia({colorScheme: 'dark'});
    assert.notEqual(await ground(), light);
    await inState(page, 'open'); // the server has taken the wish for less quality
    console.log('ok   the bar hides and comes, by keyboard too; fit and 1:1; light and dark');
    await page.close();
    await server.stop();
  },

  async 'encrypted'(browser, desktop) {
    const port = await freePort();
    const server = await desktop.serve(port, '--tls-self-signed');
    const page = await browser.newPage({viewport: SIZE});
    await page.goto(`http://127.0.0.1:${port}/`); // in clear: sent on to https
    await inState(page, 'open');
    assert.equal(new URL(page.url()).protocol, 'https:');
    desktop.playVideo(3);
    await eventually(async () => (await stateOf(page)).decoder === 'ready', 'a decoder');
    console.log('ok   in clear is sent to https; the decoder runs');
    await page.close();
    await server.stop();
  },

  async 'baseline.html'(browser, desktop) {
    const files = await serveRepository();
    const port = await freePort();
    const server = await desktop.serve(port, '--allow-origin', files.origin);
    const page = await browser.newPage({viewport: SIZE});
    await page.goto(`${files.origin}/client/web/baseline.html?server=ws://127.0.0.1:${port}`);
    await eventually(async () => /decoded in/.test(await page.locator('#status').textContent()), 'a decoded picture');
    let quality; // what another scenario has left on the screen may still move
    const isRight = async () => (quality = await psnrOf(page, 'picture', await desktop.nativeScreenshot(port))) > 25;
    await eventually(isRight, 'a picture that is read rightly: what is not decodes to noise');
    console.log(`ok   ${quality.toFixed(1)} dB to the exact picture: ${await page.locator('#status').textContent()}`);
    await page.close();
    await server.stop();
    files.stop();
  },

  async 'no page without its rules'(_browser, desktop) {
    const port = await freePort();
    const server = await desktop.serve(port);
    const get = (path, headers = {}) => fetch(`http://127.0.0.1:${port}${path}`, {headers});
    const page = await get('/');
    assert.equal(page.status, 200);
    assert.equal(page.headers.get('cross-origin-opener-policy'), 'same-origin');
    assert.equal(page.headers.get('cross-origin-embedder-policy'), 'require-corp');
    assert.equal((await get('/', {'If-None-Match': page.headers.get('etag')})).status, 304);
    const script = /assets\/index-[^"]*\.js/.exec(await page.text())[0];
    assert.match((await get('/' + script)).headers.get('cache-control'), /immutable/);
    assert.equal((await get('/healthz')).status, 200);
    assert.equal((await get('/../../etc/passwd')).status, 404);
    assert.equal((await get('/decoder/lite-0.ffff.onnx')).status, 404);
    console.log('ok   headers, revalidation, immutable assets, nothing else');
    await server.stop();
  },
};

async function main() {
  const args = ['--no-sandbox', '--host-resolver-rules=MAP desktop.test 127.0.0.1'];
  // Of the whole browser: the same by DevTools, as in ignoreHTTPSErrors, comes too late for the decoder's threads now and then.
  args.push('--ignore-certificate-errors');
  const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args});
  const desktop = new Desktop(options.binaries, `${SIZE.width}x${SIZE.height}`);
  try {
    await desktop.start();
    for (const [name, scenario] of Object.entries(scenarios)) {
      if (!name.includes(options.only)) continue;
      console.log(`--- ${name}`);
      await scenario(browser, desktop);
    }
    console.log('all passed');
  } finally {
    await browser.close();
    await desktop.end();
  }
}

await main();
