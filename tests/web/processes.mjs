// What Chromium's processes take. Launch it with MEASURABLE.

import {readFileSync} from 'node:fs';

/** Collection on demand, and an answer of measureUserAgentSpecificMemory that does not wait for the next one. */
export const MEASURABLE = ['--js-flags=--expose-gc', '--enable-blink-features=ForceEagerMeasureMemory'];
const COLLECTED_MS = 1000; // buffers are freed by another thread, after the collection

/** The process of the page that works. Chromium keeps others, as spare ones, that come and go. */
async function pageProcess(browser) {
  const session = await browser.newBrowserCDPSession();
  const {processInfo} = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.filter(({type}) => type === 'renderer').reduce((most, process) => (process.cpuTime > most.cpuTime ? process : most));
}

/** Processor time that the page and its worker have taken, in ms: what other work on the machine changes little. */
export const processorTime = async (browser) => (await pageProcess(browser)).cpuTime * 1000;

/** What the page's process has in memory (RSS), in bytes: page and worker, wasm, buffers, what waits for collection, and Chromium itself. */
export async function residentBytes(browser) {
  const {id} = await pageProcess(browser);
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))[1]) * 1024;
}

/** Collects all garbage; then what page and worker still hold, in bytes, by the browser's own account. */
export async function heldBytes(page) {
  for (const scope of [page, ...page.workers()]) await scope.evaluate(() => gc());
  await new Promise((done) => setTimeout(done, COLLECTED_MS));
  return page.evaluate(async () => (await performance.measureUserAgentSpecificMemory()).bytes);
}
