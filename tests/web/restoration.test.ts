// Restoration as the other implementations do it: tests/restoration_test.cpp has the same pictures and the same sums.

import {expect, test} from 'vitest';
import {useKernel} from '../../client/web/src/kernel';
import {BlockKind, Restoration} from '../../client/web/src/restoration';
import {kernelBytes} from './golden';

const WIDTH = 70, HEIGHT = 44;

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

useKernel(kernelBytes());
const restoration = new Restoration();

test('pictures are restored as by the native viewer', async () => {
  const pixels = blocky();
  restoration.begin(WIDTH, HEIGHT);
  for (let i = 0; i < 54; ++i) restoration.mark(i % 9, Math.floor(i / 9), i % 5 < 2 ? BlockKind.drawn : BlockKind.natural);
  await restoration.restore(pixels, 2.5);
  expect(sum(pixels)).toBe(2439776630);
});

test('some rows are restored as if the others were there', async () => {
  const pixels = blocky();
  restoration.begin(WIDTH, HEIGHT);
  restoration.mark(3, 2, BlockKind.drawn);
  restoration.mark(3, 3, BlockKind.drawn);
  restoration.mark(9, 0, BlockKind.drawn); // beyond the right border
  restoration.mark(0, 6, BlockKind.drawn); // beyond the lower one
  await restoration.restore(pixels, 2.5);
  expect(sum(pixels)).toBe(2442949);
});

test('without decoded blocks all stays', async () => {
  const pixels = blocky();
  restoration.begin(WIDTH, HEIGHT);
  await restoration.restore(pixels, 2.5);
  expect(pixels).toEqual(blocky());
});
