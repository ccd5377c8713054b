// A screen cut into tiles of 64x64 pixels, and tiles into blocks of 8x8.

export const TILE_SIDE = 64;
export const TILE_PIXELS = TILE_SIDE * TILE_SIDE;
export const BLOCKS_PER_SIDE = 8;
export const LATENT_SIDE = BLOCKS_PER_SIDE; // a channel has one latent for each block
export const TILE_LATENTS = LATENT_SIDE * LATENT_SIDE;

/** A set of a tile's blocks: eight rows, block x of a row at bit x. */
export type BlockMask = Uint8Array;

export const WHOLE_TILE: BlockMask = new Uint8Array(BLOCKS_PER_SIDE).fill(0xff);

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export function blockRect(x: number, y: number, width: number, height: number): BlockMask {
  const mask = new Uint8Array(BLOCKS_PER_SIDE);
  mask.fill(((1 << width) - 1) << x, y, y + height);
  return mask;
}

export class TileGrid {
  readonly columns: number;
  readonly rows: number;

  constructor(readonly width: number, readonly height: number) {
    this.columns = Math.ceil(width / TILE_SIDE);
    this.rows = Math.ceil(height / TILE_SIDE);
  }

  get tiles(): number {
    return this.columns * this.rows;
  }

  rect(tile: number): Rect {
    const x = (tile % this.columns) * TILE_SIDE;
    const y = Math.floor(tile / this.columns) * TILE_SIDE;
    return {x, y, width: Math.min(TILE_SIDE, this.width - x), height: Math.min(TILE_SIDE, this.height - y)};
  }

  contains(rect: Rect): boolean {
    return rect.x >= 0 && rect.y >= 0 && rect.x + rect.width <= this.width && rect.y + rect.height <= this.height;
  }
}

/** Calls `visit(x, y, count)` for each run of a tile's pixels in `mask`, row by row: the order in which they travel. */
export function forEachRun(
  width: number,
  height: number,
  mask: BlockMask,
  visit: (x: number, y: number, count: number) => void,
): void {
  for (let y = 0; y < height; ++y) {
    const row = mask[y >> 3];
    let begin = 0;
    while (row >> begin !== 0) {
      while (((row >> begin) & 1) === 0) ++begin;
      let end = begin;
      while (((row >> end) & 1) !== 0) ++end;
      const count = Math.min(end * 8, width) - begin * 8;
      if (count > 0) visit(begin * 8, y, count);
      begin = end;
    }
  }
}

export function pixelsIn(width: number, height: number, mask: BlockMask): number {
  let pixels = 0;
  forEachRun(width, height, mask, (_x, _y, count) => (pixels += count));
  return pixels;
}
