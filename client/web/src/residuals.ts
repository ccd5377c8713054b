// Pixels within a bound of the original, or without loss: docs/protocol.md, "Residuals" and "The stream of residuals", is the norm.

import {halfOctave, Models, RangeDecoder, width as widthOf} from './range_decoder';
import {forEachRun, TILE_PIXELS, TILE_SIDE, type BlockMask} from './tiles';

// Magnitudes of a tile have a border of zeros: a row above, a column at the left and one at the right.
const STRIDE = TILE_SIDE + 2;
const PLANE = STRIDE * (TILE_SIDE + 1);

// Of the tile that is being read, and of the update; an update's own would be 31 KB of garbage.
const magnitudes = new Uint8Array(3 * PLANE);
const planes = [0, 1, 2].map(() => new Uint8Array(TILE_PIXELS));
const widths = new Models(3 * 16 * 5 * 8);
const seconds = new Models(3 * 9);

/** An update's residuals, from the bytes of a range coder. One at a time. */
export class ResidualReader {
  private readonly decoder: RangeDecoder;

  constructor(stream: Uint8Array) {
    this.decoder = new RangeDecoder(stream);
    widths.reset();
    seconds.reset();
  }

  /** Those of a tile's pixels in `mask`, one of each plane a pixel, valid until the next call. */
  read(width: number, height: number, mask: BlockMask): Uint8Array[] {
    this.decoder.check();
    magnitudes.fill(0);
    planes.forEach((residuals, plane) => {
      let i = 0;
      forEachRun(width, height, mask, (x, y, count) => {
        let at = plane * PLANE + (y + 1) * STRIDE + x + 1;
        for (const end = at + count; at < end; ++at) {
          const residual = this.residual(plane, at);
          magnitudes[at] = Math.abs(residual);
          residuals[i++] = residual;
        }
      });
    });
    return planes;
  }

  finish(): void {
    this.decoder.finish();
  }

  private residual(plane: number, at: number): number {
    const {decoder} = this;
    const above = at - STRIDE;
    const around = 2 * magnitudes[at - 1] + 2 * magnitudes[above] + magnitudes[above - 1] + magnitudes[above + 1];
    let others = 0;
    for (let before = 1; before <= plane; ++before) others += magnitudes[at - before * PLANE];
    const models = ((plane * 16 + Math.min(halfOctave(around), 15)) * 5 + Math.min(widthOf(others), 4)) * 8;
    let bits = 0;
    while (bits < 8 && decoder.bit(widths, models + bits)) ++bits;
    if (bits === 0) return 0;
    let magnitude = 1;
    if (bits > 1) {
      const second = decoder.bit(seconds, plane * 9 + bits);
      magnitude = ((2 + second) << (bits - 2)) | decoder.bits(bits - 2);
    }
    return decoder.bits(1) ? -magnitude : magnitude;
  }
}

/** A tile's pixels in a picture of R, G, B, X bytes; `base` and `stride` in pixels. */
interface TilePixels {
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
