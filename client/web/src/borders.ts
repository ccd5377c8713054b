// Smooths the borders between decoded blocks; docs/protocol.md, "Borders of blocks", is the norm.

const SIDE = 8;
const REACH = 4;
const SHARES = [13, 6, 3, 1]; // of 32, from the border away
const GREY_LEVELS_PER_SCALE = 12;
const MOST_GREY_LEVELS = 255;

export class BlockBorders {
  private columns = 0;
  private rows = 0;
  private decoded = new Uint8Array(0);

  /** Of a picture of this size, no block of which is decoded yet. */
  begin(width: number, height: number): void {
    this.columns = Math.floor(width / SIDE);
    this.rows = Math.floor(height / SIDE);
    if (this.decoded.length === this.columns * this.rows) this.decoded.fill(0);
    else this.decoded = new Uint8Array(this.columns * this.rows);
  }

  /** The block at this place, in blocks, is a decoded one. Those that the picture cuts stay as they are. */
  mark(column: number, row: number): void {
    if (column < this.columns && row < this.rows) this.decoded[row * this.columns + column] = 1;
  }

  /** Between marked blocks, all of latents of one `scale`. `pixels`: of the size that was given, four bytes each, row by row. */
  smooth(pixels: Uint8ClampedArray, width: number, scale: number): void {
    const {columns, rows, decoded} = this;
    // As C++: rounded half away from zero, of a float.
    const limit = 2 * Math.floor(Math.min(Math.fround(GREY_LEVELS_PER_SCALE * Math.fround(scale)), MOST_GREY_LEVELS) + 0.5);
    const row = 4 * width;
    for (let block = 0; block < decoded.length; ++block) {
      const column = block % columns;
      if (column === 0 || !decoded[block] || !decoded[block - 1]) continue;
      const corner = Math.floor(block / columns) * SIDE * row + column * SIDE * 4;
      for (let y = 0; y < SIDE; ++y) smoothRun(pixels, corner + y * row, 1, 4, limit);
    }
    for (let block = columns; block < rows * columns; ++block) {
      if (!decoded[block] || !decoded[block - columns]) continue;
      const corner = Math.floor(block / columns) * SIDE * row + (block % columns) * SIDE * 4;
      smoothRun(pixels, corner, SIDE, row, limit);
    }
  }
}

/** `count` pixels beside each other on a border, from `at`; `across`: from a sample to the next one across the border. */
function smoothRun(pixels: Uint8ClampedArray, at: number, count: number, across: number, limit: number): void {
  for (const end = at + 4 * count; at < end; ++at) {
    if ((at & 3) === 3) continue;
    const p0 = pixels[at - across], q0 = pixels[at];
    const wrong = 3 * (q0 - p0) - (pixels[at + across] - pixels[at - 2 * across]);
    const size = wrong < 0 ? -wrong : wrong;
    if (size === 0 || size >= limit) continue;
    const ramp = Math.min(size, limit - size), excess = wrong < 0 ? -ramp : ramp;
    for (let distance = 0; distance < REACH; ++distance) {
      const by = (excess * SHARES[distance] + 32) >> 6;
      pixels[at - (distance + 1) * across] += by;
      pixels[at + distance * across] -= by;
    }
  }
}
