// Measures the page in Chromium against a real server, all on this machine:
//   node tests/web/measure.mjs [--binaries build/release/bin] [--only first|keys|video|demo|memory] [--minutes 10]

import {createRequire} from 'node:module';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {Desktop, eventually, freePort, sleep} from './desktop.mjs';
import {figuresOf, inControl, openPage, SIZE} from './page.mjs';
import {heldBytes, MEASURABLE, processorTime, residentBytes} from './processes.mjs';

const require = createRequire(fileURLToPath(new URL('../../client/web/package.json', import.meta.url)));
const {chromium} = require('playwright-core');
const MIB = 1024 * 1024;
const MEMORY_PERIOD_MS = 10000;
const WARM_UP_MS = 30000;
const {values: options} = parseArgs({
  options: {
    binaries: {type: 'string', default: 'build/release/bin'},
    minutes: {type: 'string', default: '10'},
    only: {type: 'string', default: ''},
  },
});

function quantile(values, part) {
  return [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))];
}

async function open(browser, port) {
  const page = await openPage(browser, port);
  await page.locator('#statistics').press('Enter');
  return page;
}

const updatesOf = async (page) => Number(/in (\d+) updates/.exec(await figuresOf(page))?.[1] ?? 0);

/** Installs `states` in the page: what the connection's state has become since. */
const watchState = () => {
  globalThis.states = [];
  const observer = new MutationObserver(() => globalThis.states.push(document.documentElement.dataset.state));
  observer.observe(document.documentElement, {attributeFilter: ['data-state']});
};

/** Of [{minutes, mib}]; the slope by least squares. */
function describeSeries(samples) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const sizes = samples.map(({mib}) => mib), middle = mean(samples.map(({minutes}) => minutes));
  const covariance = mean(samples.map(({minutes, mib}) => (minutes - middle) * (mib - mean(sizes))));
  const slope = covariance / mean(samples.map(({minutes}) => (minutes - middle) ** 2));
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const figures = {begin: sizes[0], end: sizes.at(-1), least, most, 'most - least': most - least};
  const list = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(1)}`);
  return `${list.join(', ')} MiB, slope ${slope.toFixed(2)} MiB a minute`;
}

async function afterCollection(browser, page) {
  const held = (await heldBytes(page)) / MIB;
  return `held by page and worker ${held.toFixed(1)}, resident ${((await residentBytes(browser)) / MIB).toFixed(1)} MiB`;
}

/** Prints the figures of some seconds, four times, and what an update took of a processor. */
async function report(browser, page, what) {
  for (let i = 0; i < 4; ++i) {
    const [time, updates] = [await processorTime(browser), await updatesOf(page)];
    await sleep(4000);
    const each = ((await processorTime(browser)) - time) / ((await updatesOf(page)) - updates);
    console.log(`${what}: ${each.toFixed(1)} ms of a processor for an update; ${await figuresOf(page)}`);
  }
}

/** Installs `waitForChange(x, y, width, height)` in the page: the time at which that part of the canvas is another one. */
const watchCanvas = () => {
  globalThis.waitForChange = (x, y, width, height) => {
    const context = new OffscreenCanvas(width, height).getContext('2d', {willReadFrequently: true});
    const look = () => {
      context.drawImage(document.getElementById('desktop'), x, y, width, height, 0, 0, width, height);
      return context.getImageData(0, 0, width, height).data.join();
    };
    const before = look();
    return new Promise((done) => {
      const check = () => (look() === before ? requestAnimationFrame(check) : done(Date.now()));
      requestAnimationFrame(check);
    });
  };
};

const measurements = {
  async first(browser, desktop, port) {
    const times = [];
    for (let i = 0; i < 5; ++i) {
      const context = await browser.newContext({viewport: SIZE}); // nothing cached
      const page = await context.newPage();
      const start = Date.now();
      await page.goto(`http://127.0.0.1:${port}/`, {waitUntil: 'commit'});
      const isThere = () => {
        const canvas = document.getElementById('desktop');
        if (!canvas || canvas.width < 100) return false;
        const context = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
        context.drawImage(canvas, 0, 0);
        return context.getImageData(0, 0, canvas.width, canvas.height).data.some((value, i) => i % 4 === 0 && value > 128);
      };
      while (!(await page.evaluate(isThere))) await sleep(5);
      times.push(Date.now() - start);
      await context.close();
    }
    console.log(`first picture, nothing cached: ${times.join(', ')} ms`);
  },

  async keys(browser, desktop, port) {
    await desktop.type('clear');
    const page = await open(browser, port);
    await inControl(page, 'free');
    await desktop.x('search', '--class', 'xterm', 'windowfocus', '--sync');
    await page.locator('#keys').focus();
    await page.evaluate(watchCanvas);
    await page.evaluate(() => addEventListener('keydown', () => (globalThis.pressed = Date.now()), {capture: true}));
    const times = [];
    for (let i = 0; i < 60; ++i) {
      await sleep(150);
      const shown = page.evaluate(() => waitForChange(20, 20, 900, 24));
      await sleep(60);
      await page.keyboard.press('x');
      times.push((await shown) - (await page.evaluate(() => globalThis.pressed)));
    }
    const [middle, slow] = [quantile(times, 0.5), quantile(times, 0.95)];
    console.log(`key pressed in the page to glyph on its canvas: p50 ${middle} ms, p95 ${slow} ms`);
    await page.close();
  },

  async video(browser, desktop, port) {
    const page = await open(browser, port);
    desktop.playVideo(20, {size: '1280x720'});
    await report(browser, page, 'whole screen is a video of 15 fps');
    await page.close();
  },

  /** The desktop of scripts/demo_desktop.sh, of a server of its own. */
  async demo(browser, desktop) {
    const port = await freePort();
    const ready = join(desktop.folder, 'ready');
    await desktop.serve(port, '--start-display', '1280x720', '--', 'scripts/demo_desktop.sh', ready);
    await eventually(() => existsSync(ready), 'the demo desktop', 60);
    const page = await open(browser, port);
    await report(browser, page, 'the demo desktop');
    await page.close();
  },

  /** A terminal scrolls. Garbage is collected by force well before and after the minutes alone: their figures are what a person sees. */
  async memory(browser, desktop, port) {
    const page = await open(browser, port);
    await page.evaluate(watchState);
    await desktop.type('while true; do ls --color=always -l /usr/bin | while read -r line; do echo "$line"; sleep 0.03; done; done');
    await sleep(WARM_UP_MS);
    const collected = [await afterCollection(browser, page)];
    await sleep(WARM_UP_MS); // as much garbage waits as usual
    const samples = [];
    const begin = Date.now();
    do {
      const minutes = (Date.now() - begin) / 60000;
      samples.push({minutes, mib: (await residentBytes(browser)) / MIB});
      console.log(`${minutes.toFixed(1)} min: ${samples.at(-1).mib.toFixed(1)} MiB, ${(await figuresOf(page)).match(/FPS [\d.]+/)[0]}`);
      await sleep(MEMORY_PERIOD_MS);
    } while (Date.now() - begin < Number(options.minutes) * 60000);
    collected.push(await afterCollection(browser, page));
    console.log(`resident: ${describeSeries(samples)}`);
    console.log(`after a collection, before and after these minutes: ${collected.join('; ')}`);
    console.log(`the connection: ${(await page.evaluate(() => globalThis.states)).join(', ') || 'open all the time'}`);
    await page.close();
  },
};

async function run(measure) {
  const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: ['--no-sandbox', ...MEASURABLE]});
  const desktop = new Desktop(options.binaries, `${SIZE.width}x${SIZE.height}`);
  try {
    await desktop.start();
    const port = await freePort();
    await desktop.serve(port);
    await measure(browser, desktop, port);
  } finally {
    await browser.close();
    await desktop.end();
  }
}

for (const [name, measure] of Object.entries(measurements)) if (name.includes(options.only)) await run(measure);
