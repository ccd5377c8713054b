// What the page shows beside what the native viewer shows.

import assert from 'node:assert/strict';
import {eventually, sleep} from './desktop.mjs';
import {SIZE} from './page.mjs';

/** Compares the page's canvas with a PNG: largest difference of a channel, and how many pixels differ. */
function difference(page, png) {
  return page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], {type: 'image/png'}), {colorSpaceConversion: 'none'});
    const pixelsOf = (source) => {
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const context = canvas.getContext('2d', {alpha: false, willReadFrequently: true});
      context.drawImage(source, 0, 0);
      return context.getImageData(0, 0, bitmap.width, bitmap.height).data;
    };
    const desktop = document.getElementById('desktop');
    const ours = pixelsOf(desktop), theirs = pixelsOf(bitmap);
    let largest = 0, differing = 0, light = 0;
    for (let i = 0; i < ours.length; i += 4) {
      let worst = 0;
      for (let c = 0; c < 3; ++c) worst = Math.max(worst, Math.abs(ours[i + c] - theirs[i + c]));
      largest = Math.max(largest, worst);
      if (worst > 0) ++differing;
      if (theirs[i] > 128) ++light;
    }
    return {largest, differing, light, width: desktop.width, height: desktop.height};
  }, png.toString('base64'));
}

/** Of the canvas `id` to a PNG, in dB. */
export function psnrOf(page, id, png) {
  return page.evaluate(async ([element, base64]) => {
    const bitmap = await createImageBitmap(await (await fetch('data:image/png;base64,' + base64)).blob());
    const pixelsOf = (source) => {
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d', {alpha: false});
      context.drawImage(source, 0, 0);
      return context.getImageData(0, 0, bitmap.width, bitmap.height).data;
    };
    const ours = pixelsOf(document.getElementById(element)), theirs = pixelsOf(bitmap);
    let sum = 0;
    for (let i = 0; i < ours.length; ++i) if (i % 4 !== 3) sum += (ours[i] - theirs[i]) ** 2;
    return 10 * Math.log10(255 ** 2 / (sum / (ours.length * 0.75)));
  }, [id, png.toString('base64')]);
}

/** Once what came as latents has been sharpened. `model`: the server's, where it is not the one that ships. */
export async function expectSamePicture(page, desktop, port, what, model) {
  await sleep(500);
  const result = await eventually(
    async () => {
      const native = await desktop.nativeScreenshot(port, {model});
      const found = await difference(page, native);
      return found.largest === 0 ? found : (console.log('  not yet', what, found), null);
    },
    `the same picture after ${what}`,
    60, // on a busy machine a video takes longer than its time
  );
  assert.deepEqual([result.width, result.height], [SIZE.width, SIZE.height]);
  assert.ok(result.light > 20, 'the picture shows something');
  console.log(`ok   canvas equals the native viewer's picture after ${what}: ${JSON.stringify(result)}`);
}
