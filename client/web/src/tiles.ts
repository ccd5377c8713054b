// A screen cut into tiles of 64x64 pixels, and tiles into blocks of 8x8.

export const TILE_SIDE = 64;
export const TILE_PIXELS = TILE_SIDE * TILE_SIDE;
export const BLOCKS_PER_SIDE = 8;
export const LATENT_SIDE = BLOCKS_PER_SIDE; // a channel has one latent for each block
export const TILE_LATENTS = LATENT_SIDE * LATENT_SIDE;

/** A set of a tile's blocks: eight rows, block x of a row at bit x. */
export type BlockMask = Uint8Array;

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
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

  /** Moved by (dx, dy). */
  contains({x, y, width, height}: Rect, dx = 0, dy = 0): boolean {
    return x + dx >= 0 && y + dy >= 0 && x + dx + width <= this.width && y + dy + height <= this.height;
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

/**
 * Calls `visit(x, y, width, height)` for rectangles of pixels that cover the tiles marked in `marks`, and no others; few, not the
 * fewest. Takes the marks away.
 */
export function forEachMarkedArea(
  grid: TileGrid,
  marks: Uint8Array,
  visit: (x: number, y: number, width: number, height: number) => void,
): void {
  const {columns, rows} = grid;
  for (let first = marks.indexOf(1); first >= 0; first = marks.indexOf(1, first)) {
    const column = first % columns, row = Math.floor(first / columns);
    const markedFrom = (at: number): number => {
      const gap = marks.indexOf(0, at);
      return gap < 0 ? marks.length - at : gap - at;
    };
    const count = Math.min(markedFrom(first), columns - column);
    let end = row; // of the rows in which all of this run is marked
    for (let at = first; end < rows && markedFrom(at) >= count; at += columns, ++end) marks.fill(0, at, at + count);
    const x = column * TILE_SIDE, y = row * TILE_SIDE;
    visit(x, y, Math.min(count * TILE_SIDE, grid.width - x), Math.min(end * TILE_SIDE, grid.height) - y);
  }
}
