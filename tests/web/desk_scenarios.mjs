// What a person does in the page must reach the desktop, and what the desktop says must reach the page.

import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {eventually, freePort, sleep} from './desktop.mjs';
import {inControl, openPage, SIZE} from './page.mjs';

/** A window that writes down what happens to it. */
async function watchEvents(desktop, geometry) {
  const events = desktop.launch('xev', ['-geometry', geometry, '-event', 'keyboard', '-event', 'button']);
  await eventually(() => desktop.x('search', '--name', 'Event Tester').catch(() => ''), 'xev');
  await desktop.x('search', '--name', 'Event Tester', 'windowfocus', '--sync');
  return {
    /** "KeyPress a", "ButtonRelease 3", in the order in which they came. */
    seen: () => [...events.log.matchAll(/^(Key|Button)(Press|Release) event[^]*?(?:keysym 0x\w+, (\w+)|button (\d+))/gm)].map(
      ([, what, how, key, button]) => `${what}${how} ${key ?? button}`,
    ),
    end: () => events.kill(),
  };
}

/** Keys whose release the page must have seen to be well: none may stay down. */
async function sees(events, expected) {
  await eventually(() => expected.every((event) => events.seen().includes(event)), `${expected}`, 5).catch((error) => {
    throw new Error(`${error.message}; seen: ${events.seen()}`);
  });
}

const readText = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

export const deskScenarios = {
  async 'typing in the page'(browser, desktop) {
    const port = await freePort();
    const server = await desktop.serve(port);
    const page = await openPage(browser, port);
    await inControl(page, 'free');
    await desktop.x('search', '--class', 'xterm', 'windowfocus', '--sync');
    const path = join(desktop.folder, 'typed');
    await page.keyboard.type(`cat > ${path}`, {delay: 5});
    await page.keyboard.press('Enter');
    await inControl(page, 'yours');
    await page.keyboard.type('Grüße, ¿qué? 42', {delay: 5});
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Input.imeSetComposition', {text: '아', selectionStart: 1, selectionEnd: 1});
    await devtools.send('Input.insertText', {text: '안녕'});
    await page.keyboard.press('Enter');
    await page.keyboard.press('Control+d');
    const text = await eventually(() => readText(path), 'the file', 10);
    assert.equal(text, 'Grüße, ¿qué? 42안녕\n');
    console.log(`ok   typed in the page, saved on the desktop: ${JSON.stringify(text)}`);
    await page.close();
    await server.stop();
  },

  async 'keys and buttons'(browser, desktop) {
    const port = await freePort();
    const server = await desktop.serve(port);
    const page = await openPage(browser, port, {viewport: {width: 640, height: 360}});
    await inControl(page, 'free');
    const events = await watchEvents(desktop, '400x300+700+100');
    await page.mouse.move(400, 150); // half of the desktop's size
    await page.mouse.click(400, 150, {button: 'right'});
    await inControl(page, 'yours');
    assert.match(await desktop.x('getmouselocation'), /x:800 y:300 /);
    await page.mouse.wheel(0, 240);
    await page.mouse.wheel(0, -100);
    await sees(events, ['ButtonPress 3', 'ButtonRelease 3', 'ButtonPress 5', 'ButtonPress 4']);
    assert.deepEqual(events.seen().filter((event) => event === 'ButtonPress 5').length, 2);
    await page.keyboard.down('Shift');
    await page.keyboard.press('A');
    await page.mouse.down();
    await sees(events, ['KeyPress Shift_L', 'KeyPress A', 'ButtonPress 1']);
    await page.evaluate(() => dispatchEvent(new Event('blur')));
    await sees(events, ['KeyRelease Shift_L', 'ButtonRelease 1']);
    await page.mouse.up();
    await page.locator('#attention').press('Enter');
    await sees(events, ['KeyPress Control_L', 'KeyPress Alt_L', 'KeyPress Delete', 'KeyRelease Control_L', 'KeyRelease Alt_L']);
    await page.keyboard.down('Control');
    await page.keyboard.down('Alt');
    await page.keyboard.press('Shift');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'control', 'the keyboard has left the desktop');
    const pressed = events.seen().filter((event) => event.includes('Press')).length;
    await eventually(() => events.seen().filter((event) => event.includes('Release')).length === pressed, 'all is up', 5);
    console.log('ok   pointer, buttons, wheel, keys; released when the focus goes; Ctrl+Alt+Shift leaves');
    await page.close();
    events.end();
    await server.stop();
  },

  async 'pointer and size'(browser, desktop) {
    const port = await freePort();
    const server = await desktop.serve(port);
    const page = await openPage(browser, port);
    await inControl(page, 'free');
    const cursor = () => page.locator('#desktop').evaluate((canvas) => getComputedStyle(canvas).cursor);
    await page.locator('#control').press('Enter');
    await inControl(page, 'yours');
    await sleep(300);
    const pointerAt = async (x, y, before) => {
      await page.mouse.move(x, y);
      return eventually(async () => (await cursor()) !== before && (await cursor()), `a pointer at ${x}, ${y}`, 5);
    };
    const overText = await pointerAt(200, 200);
    assert.match(overText, /^url\("data:image\/png/);
    assert.notEqual(await pointerAt(1200, 700, overText), overText);
    await page.locator('#fit').selectOption('resize');
    const size = async () => (await desktop.x('getdisplaygeometry').catch(() => '')).trim();
    const shown = () => page.locator('#desktop').evaluate(({width, height}) => `${width} ${height}`);
    for (const viewport of [{width: 1000, height: 600}, SIZE]) {
      await page.setViewportSize(viewport);
      const wanted = `${viewport.width} ${viewport.height}`;
      await eventually(async () => (await size()) === wanted && (await shown()) === wanted, `a desktop of ${wanted}`, 10);
    }
    console.log('ok   the pointer changes over text; the desktop takes the size of the window');
    await page.close();
    await server.stop();
  },

  async 'clipboard'(browser, desktop) {
    const port = await freePort();
    const server = await desktop.serve(port);
    const permissions = ['clipboard-read', 'clipboard-write'];
    const context = await browser.newContext({viewport: SIZE, permissions});
    const page = await openPage(context, port);
    await page.locator('#control').press('Enter');
    await inControl(page, 'yours');
    const local = () => page.evaluate(() => navigator.clipboard.readText());
    const remote = () => desktop.run('timeout', '2', 'xclip', '-out', '-selection', 'clipboard').catch(() => '');
    const copied = desktop.launch('sh', ['-c', 'printf "Grüße\\n안녕" | xclip -in -selection clipboard -quiet']);
    await eventually(async () => (await local()) === 'Grüße\n안녕', 'what was copied on the desktop');
    await page.evaluate(() => navigator.clipboard.writeText('¿qué? 42'));
    await page.locator('#keys').focus();
    await page.keyboard.press('Control+v');
    await eventually(async () => (await remote()) === '¿qué? 42', 'what was copied here');
    await sleep(300);
    assert.equal(await local(), '¿qué? 42', 'nothing comes back');
    await page.locator('#clipboard').press('Enter');
    await page.locator('#clipboard-text').fill('by hand');
    await page.locator('#clipboard-send').press('Enter');
    await eventually(async () => (await remote()) === 'by hand', 'what was written into the panel');
    console.log('ok   copied text goes both ways, by keys and by hand');
    copied.kill();
    await context.close();
    await server.stop();
  },

  async 'control'(browser, desktop) {
    const port = await freePort();
    const server = await desktop.serve(port);
    const first = await openPage(browser, port);
    const second = await openPage(browser, port);
    const looker = await openPage(browser, port, {path: '/?view_only'});
    await first.locator('#control').press('Enter');
    await inControl(first, 'yours');
    await inControl(second, 'taken');
    await inControl(looker, 'none');
    assert.equal(await looker.locator('#control').isVisible(), false);
    await second.locator('#control').press('Enter');
    await inControl(second, 'yours');
    await inControl(first, 'taken');
    await second.locator('#control').press('Enter');
    await inControl(first, 'free');
    console.log('ok   control is taken, given, and not offered to who only looks');
    for (const page of [first, second, looker]) await page.close();
    await server.stop();
  },
};
