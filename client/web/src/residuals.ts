// Pixels within a bound of the original, or without loss: docs/protocol.md, "Residuals", is the norm.

import {forEachRun, type BlockMask} from './tiles';

/** A tile's pixels in a picture of R, G, B, X bytes; `base` and `stride` in pixels. */
export interface TilePixels {
  pixels: Uint8ClampedArray;
  base: number;
  stride: number;
}

function median(left: number, above: number, aboveLeft: number): number {
  const low = left < above ? left : above, high = left < above ? above : left;
  const gradient = left + above - aboveLeft;
  return gradient < low ? low : gradient > high ? high : gradient;
}

const clamp = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

/** Without an error arithmetic is modulo 256; with one it must not wrap. */
function restore(expected: number, residual: number, step: number): number {
  if (step === 1) return (expected + residual) & 255;
  return clamp(clamp(expected) + ((residual << 24) >> 24) * step);
}

/** Sets the tile's pixels in `mask` from one residual a pixel of each plane: green, red - green, blue - green. */
export function restorePixels(planes: Uint8Array[], width: number, height: number, mask: BlockMask, error: number, tile: TilePixels): void {
  const {pixels, base, stride} = tile;
  const [greens, reds, blues] = planes;
  const step = 2 * error + 1;
  const inMask = (x: number, y: number): boolean => ((mask[y >> 3] >> (x >> 3)) & 1) !== 0;
  let i = 0;
  forEachRun(width, height, mask, (begin, y, count) => {
    for (let x = begin; x < begin + count; ++x, ++i) {
      const at = (base + y * stride + x) * 4, left = at - 4, up = at - stride * 4;
      const hasLeft = x > begin;
      const hasUp = y > 0 && inMask(x, y - 1);
      let green = 0, red = 0, blue = 0; // as predicted, the latter two as differences to green
      if (hasUp && hasLeft && inMask(x - 1, y - 1)) {
        const corner = up - 4;
        const g = pixels[left + 1], gUp = pixels[up + 1], gCorner = pixels[corner + 1];
        green = median(g, gUp, gCorner);
        red = median(pixels[left] - g, pixels[up] - gUp, pixels[corner] - gCorner);
        blue = median(pixels[left + 2] - g, pixels[up + 2] - gUp, pixels[corner + 2] - gCorner);
      } else if (hasUp || hasLeft) {
        const from = hasUp ? up : left;
        green = pixels[from + 1];
        red = pixels[from] - green;
        blue = pixels[from + 2] - green;
      }
      const restored = restore(green, greens[i], step);
      pixels[at + 1] = restored;
      pixels[at] = restore(red + restored, reds[i], step);
      pixels[at + 2] = restore(blue + restored, blues[i], step);
      pixels[at + 3] = 255;
    }
  });
}
