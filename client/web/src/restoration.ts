// Hides in decoded pictures how they were coded; docs/protocol.md, "Restoration", is the norm, kernel/restoration.cpp does it.

import {sharedKernel} from './kernel';

const BLOCK = 8;
const STEP_PER_SCALE = 14, LARGEST_STEP = 255; // grey levels
const NATURAL_NOISE = 9, DRAWN_NOISE = 21, LARGEST_NOISE = 62; // per square root of the scale

/** What a block is, if it is decoded: drawn by programs, or not. */
export const enum BlockKind {
  natural = 1,
  drawn = 2,
}

/** Rounded as of floats of 32 bits, so that all viewers do the same. */
function levels(value: number, most: number): number {
  return Math.floor(Math.min(Math.fround(value), most) + 0.5);
}

/** Bytes: pixels, kinds of blocks, and a copy of the pixels with two more on each side. */
function memoryFor(width: number, height: number): number {
  const copied = (width + 4) * (height + 4) * 4;
  return width * height * 4 + Math.ceil(width / BLOCK) * Math.ceil(height / BLOCK) + copied;
}

export class Restoration {
  private width = 0;
  private columns = 0;
  private rows = 0;
  private kinds = new Uint8Array(0);
  private first = 0; // row of blocks with a decoded one
  private last = -1;

  /** Takes the memory for pictures of this size, so that the first does not wait for it and nothing grows later. */
  async prepare(width: number, height: number): Promise<void> {
    const bytes = memoryFor(width, height);
    const kernel = await sharedKernel(bytes);
    new Uint8Array(kernel.memory.buffer, kernel.heap(), bytes).fill(0);
  }

  /** Of a picture of this size, no block of which is decoded yet. */
  begin(width: number, height: number): void {
    this.width = width;
    this.columns = Math.ceil(width / BLOCK);
    this.rows = Math.ceil(height / BLOCK);
    const blocks = this.columns * this.rows;
    if (this.kinds.length === blocks) this.kinds.fill(0);
    else this.kinds = new Uint8Array(blocks);
    this.first = this.rows;
    this.last = -1;
  }

  /** The block at this place, in blocks, is a decoded one; nothing where the picture has none. */
  mark(column: number, row: number, kind: BlockKind): void {
    if (column >= this.columns || row >= this.rows) return;
    this.kinds[row * this.columns + column] = kind;
    this.first = Math.min(this.first, row);
    this.last = Math.max(this.last, row);
  }

  /** The marked blocks, all of latents of one `scale`. `pixels`: of the size that was given, four bytes each, row by row. */
  async restore(pixels: Uint8ClampedArray, scale: number): Promise<void> {
    if (this.last < 0) return;
    // The rows with such blocks, and one more on both sides, of which something is seen.
    const top = Math.max(this.first - 1, 0), end = Math.min(this.last + 2, this.rows);
    const part = pixels.subarray(top * BLOCK * this.width * 4, end * BLOCK * this.width * 4);
    const kinds = this.kinds.subarray(top * this.columns, end * this.columns);
    const {width} = this;
    const height = part.length / (4 * width);
    const kernel = await sharedKernel(memoryFor(width, height));
    const at = kernel.heap(), kindsAt = at + part.length, copyAt = kindsAt + kinds.length;
    const memory = new Uint8Array(kernel.memory.buffer);
    memory.set(part, at);
    memory.set(kinds, kindsAt);
    const factor = Math.fround(scale), root = Math.fround(Math.sqrt(factor));
    const noise = (perRoot: number): number => levels(perRoot * root, LARGEST_NOISE);
    const step = levels(STEP_PER_SCALE * factor, LARGEST_STEP);
    kernel.restore(at, width, height, kindsAt, step, noise(NATURAL_NOISE), noise(DRAWN_NOISE), copyAt);
    part.set(memory.subarray(at, kindsAt));
  }
}
