// Which decoder the page takes, and what it says where that is not the model's, or not the quick one.

import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {eventually, freePort, sleep} from './desktop.mjs';
import {addDecoder, writeOtherModel} from './other_model.mjs';
import {figuresOf, inState, openPage, SIZE, stateOf} from './page.mjs';
import {expectSamePicture} from './pictures.mjs';

const decoderOf = async (page) => (await figuresOf(page)).match(/Decoder (.*?) Screen/)[1];
const isReady = async (page) => (await stateOf(page)).decoder === 'ready';

/** How much of the place of the video is white. */
const whiteShare = (page) =>
  page.evaluate(() => {
    const context = new OffscreenCanvas(500, 360).getContext('2d', {alpha: false});
    context.drawImage(document.getElementById('desktop'), 720, 300, 500, 360, 0, 0, 500, 360);
    const {data} = context.getImageData(0, 0, 500, 360);
    return data.filter((value, i) => i % 4 === 1 && value > 250).length / (data.length / 4);
  });

export const modelScenarios = {
  async 'another model'(browser, desktop) {
    const file = join(desktop.folder, 'other'), model = file + '.safetensors';
    const versions = writeOtherModel(file), {shipped, other} = versions;
    addDecoder(file, versions);
    const port = await freePort();
    const first = await desktop.serve(port);
    const page = await openPage(browser, port);
    await page.locator('#statistics').press('Enter');
    desktop.playVideo(3);
    await eventually(() => isReady(page), 'a decoder');
    await sleep(1000);
    assert.ok((await whiteShare(page)) < 0.1, 'the video has colours');
    assert.ok((await figuresOf(page)).includes(shipped));
    await first.stop();
    const second = await desktop.serve(port, '--model', model);
    await inState(page, 'open', 30);
    desktop.playVideo(5);
    await eventually(async () => (await whiteShare(page)) > 0.5, 'a video as the other decoder makes it');
    assert.ok((await figuresOf(page)).includes(other));
    await sleep(3000);
    await expectSamePicture(page, desktop, port, 'a video by another model', model);
    await page.close();
    await second.stop();
  },

  async 'a file of another model'(browser, desktop) {
    const file = join(desktop.folder, 'wrong');
    const {other} = writeOtherModel(file);
    const port = await freePort();
    const server = await desktop.serve(port);
    const page = await browser.newPage({viewport: SIZE});
    await page.route('**/*.safetensors', (route) => route.fulfill({body: readFileSync(file + '.safetensors')}));
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.locator('#statistics').press('Enter');
    desktop.playVideo(3);
    await eventually(() => isReady(page), 'the decoder that is left');
    const description = await decoderOf(page);
    assert.ok(description.includes('not in 8 bits: what came is of the model ' + other), description);
    console.log('ok   ' + description);
    await page.close();
    await server.stop();
  },

  async 'no decoder that can be had'(browser, desktop) {
    const file = join(desktop.folder, 'alone');
    writeOtherModel(file);
    const port = await freePort();
    const server = await desktop.serve(port, '--model', file + '.safetensors');
    const page = await browser.newPage({viewport: SIZE});
    await page.route('**/decoder/*', (route) => route.fulfill({status: 404, body: 'no decoder'}));
    await page.goto(`http://127.0.0.1:${port}/`);
    await inState(page, 'open', 30);
    desktop.playVideo(3);
    await eventually(async () => (await stateOf(page)).decoder === 'failed', 'a decoder that is missed');
    const text = await page.locator('#notice-text').textContent();
    assert.match(text, /only text.*no decoder/);
    await sleep(3000);
    await expectSamePicture(page, desktop, port, 'a video that could not be decoded, once it rests', file + '.safetensors');
    console.log('ok   had said: ' + text);
    await page.close();
    await server.stop();
  },

  async 'a network that is not known in 8 bits'(browser, desktop) {
    const port = await freePort();
    const server = await desktop.serveWithToken(port, 'open sesame');
    for (const [host, threads] of [['127.0.0.1', /threads/], ['desktop.test', /1 thread /]]) {
      const page = await browser.newPage({viewport: SIZE});
      await page.route('**/*.safetensors', (route) => route.fulfill({status: 404, body: 'no such file'}));
      await page.goto(`http://${host}:${port}/#token=open%20sesame`);
      await page.locator('#statistics').press('Enter');
      await eventually(async () => /Decoder wasm/.test(await figuresOf(page)), 'a decoder');
      const description = await decoderOf(page);
      assert.match(description, /not in 8 bits: no such file/);
      assert.match(description, threads);
      console.log(`ok   ${host}: ${description}`);
      await page.close();
    }
    await server.stop();
  },
};
