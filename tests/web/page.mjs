// What tests ask of the page.

import {eventually} from './desktop.mjs';

export const SIZE = {width: 1280, height: 720};

export const stateOf = (page) => page.evaluate(() => ({...document.documentElement.dataset}));
export const messageOf = (page) => page.locator('#message-text').textContent();
export const figuresOf = async (page) => (await page.locator('#figures').innerText()).replaceAll(/\n(?!\n)/g, ' ');

export async function inState(page, state, seconds) {
  let last;
  await eventually(async () => (last = (await stateOf(page)).state) === state, `state ${state}`, seconds).catch(async (error) => {
    throw new Error(`${error.message}; it is ${last}: ${await messageOf(page)}`);
  });
}

export async function inControl(page, control) {
  let last;
  await eventually(async () => (last = (await stateOf(page)).control) === control, `control ${control}`).catch((error) => {
    throw new Error(`${error.message}; it is ${last}`);
  });
}

export async function openPage(browser, port, {viewport = SIZE, path = '/', ...options} = {}) {
  const page = await browser.newPage({viewport, ...options});
  await page.goto(`http://127.0.0.1:${port}${path}`);
  await inState(page, 'open');
  return page;
}
