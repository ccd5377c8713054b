// Smoothing as the other implementations do it: tests/deblocking_test.cpp has the same picture and the same sum.

import {expect, test} from 'vitest';
import {BlockBorders} from '../../client/web/src/borders';

const WIDTH = 72, HEIGHT = 40;

function blocky(): Uint8ClampedArray {
  let state = 1;
  return Uint8ClampedArray.from({length: WIDTH * HEIGHT * 4}, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const x = ((i >> 2) % WIDTH) >> 3, y = Math.floor(i / (4 * WIDTH)) >> 3;
    return i % 4 === 3 ? 255 : ((x * 37 + y * 11) % 64) * 3 + ((state >>> 24) % 12);
  });
}

function sum(bytes: Uint8ClampedArray): number {
  return bytes.reduce((total, byte) => Math.imul(total ^ byte, 16777619) >>> 0, 2166136261);
}

test('borders are smoothed as by the native viewer', () => {
  const pixels = blocky();
  const borders = new BlockBorders();
  borders.begin(WIDTH, HEIGHT);
  for (let i = 0; i < 45; ++i) borders.mark(i % 9, Math.floor(i / 9));
  borders.smooth(pixels, WIDTH, 2.5);
  expect(sum(pixels)).toBe(4242032587);
});

test('blocks that are not marked stay', () => {
  const pixels = blocky();
  const borders = new BlockBorders();
  borders.begin(WIDTH, HEIGHT);
  borders.mark(3, 3);
  borders.mark(5, 3);
  borders.mark(9, 0); // beyond the right border
  borders.mark(0, 5); // beyond the lower one
  borders.smooth(pixels, WIDTH, 2.5);
  expect(pixels).toEqual(blocky());
});
