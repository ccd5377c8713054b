// The viewer's state: a picture, and tiles stored for recall. Applies updates; docs/protocol.md, "update", is the norm.
// Pixels are R, G, B, X bytes in memory, so that the picture is what ImageData takes.

import {Kind, parseOperations, type Operation} from './operations';
import {Part, ProtocolError, type UpdateHeader} from './protocol';
import {ResidualReader, restorePixels} from './residuals';
import {BlockKind, Restoration} from './restoration';
import {BLOCKS_PER_SIDE, forEachRun, pixelsIn, TILE_PIXELS, TILE_SIDE, TileGrid, type BlockMask, type Rect} from './tiles';

const OPAQUE = 0xff000000;

/** Bits that an index into so many colours takes: 0, 1, 2, 4 or 8. */
function indexBits(colours: number): number {
  if (colours <= 1) return 0;
  if (colours <= 2) return 1;
  if (colours <= 4) return 2;
  return colours <= 16 ? 4 : 8;
}

/** Colours, indices and residuals of an update, eaten from the front. `parts` are as unpack gives them. */
class Content {
  private colour = 0;
  private index = 0;
  private readonly reader: ResidualReader | null;

  /** `residualPixels`: how many pixels have residuals. */
  constructor(private readonly parts: Uint8Array[], private residualPixels: number) {
    this.reader = residualPixels > 0 ? new ResidualReader(parts[Part.residuals]) : null;
  }

  /** As a pixel. */
  nextColour(): number {
    const at = this.colour, bytes = this.parts[Part.colours];
    if (at + 3 > bytes.length) throw new ProtocolError('the update has fewer colours than its operations need');
    this.colour += 3;
    return (OPAQUE | (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2]) >>> 0;
  }

  get indices(): Uint8Array {
    return this.parts[Part.indices];
  }

  /** Where so many bytes of indices begin. */
  takeIndices(bytes: number): number {
    const begin = this.index;
    this.index += bytes;
    if (this.index > this.indices.length) throw new ProtocolError('the update has fewer indices than its operations need');
    return begin;
  }

  residuals(width: number, height: number, mask: BlockMask): Uint8Array[] {
    this.residualPixels -= pixelsIn(width, height, mask);
    if (!this.reader || this.residualPixels < 0) throw new ProtocolError('the update has fewer residuals than its operations need');
    return this.reader.read(width, height, mask);
  }

  expectEnd(): void {
    const {parts} = this;
    if (this.colour !== parts[Part.colours].length || this.index !== this.indices.length || this.residualPixels !== 0) {
      throw new ProtocolError('the update has more content than its operations need');
    }
    this.reader?.finish();
  }
}

export class Canvas {
  grid = new TileGrid(1, 1);
  pixels = new Uint8ClampedArray(4);
  private words = new Uint32Array(2); // the same memory, and as much behind it for what is put by
  private readonly stored: Uint32Array; // tiles, slot by slot
  private readonly isStored: Uint8Array; // by slot
  private readonly palette = new Uint32Array(256);
  private number = 0;
  private readonly restoration = new Restoration();

  /** `slots`: how many tiles may be stored, of 16 KiB each. They are written to at once, so that nothing grows later. */
  constructor(private readonly slots: number) {
    this.stored = new Uint32Array(slots * TILE_PIXELS).fill(OPAQUE);
    this.isStored = new Uint8Array(slots);
  }

  reset(width: number, height: number): void {
    this.grid = new TileGrid(width, height);
    this.words = new Uint32Array(2 * width * height).fill(OPAQUE);
    this.pixels = new Uint8ClampedArray(this.words.buffer, 0, width * height * 4);
    this.isStored.fill(0);
    this.number = 0;
    this.restoration.prepare(width, height).catch(() => undefined); // what fails is said when it is needed
  }

  /**
   * Applies all but latents, whose sizes have been checked, and returns the operations, valid until the next call; latents are for
   * applyLatents, before that. Throws ProtocolError; the picture is then in between, and only reset() helps.
   */
  apply(header: UpdateHeader, parts: Uint8Array[]): Operation[] {
    if (header.number < this.number) throw new ProtocolError('the update is older than the picture');
    this.number = header.number;
    const operations = parseOperations(parts[Part.operations], this.grid, this.slots);
    for (const operation of operations) if (operation.kind === Kind.store) this.store(operation);
    this.copyAll(operations.filter((operation) => operation.kind === Kind.copy));
    const content = new Content(parts, header.sizes[Part.residuals] / 3);
    for (const operation of operations) this.draw(operation, content);
    content.expectEnd();
    return operations;
  }

  /** Shows a decoded tile, 64x64 pixels, within the operation's mask. */
  applyLatents({tile, mask}: Operation, image: Uint32Array): void {
    this.show(tile, mask, image);
  }

  /** After all of an update's latents, `tiles`, have been shown. */
  async restoreLatents(tiles: Operation[], scale: number): Promise<void> {
    const {grid, restoration} = this;
    restoration.begin(grid.width, grid.height);
    for (const {tile, mask, drawn} of tiles) {
      const column = (tile % grid.columns) * BLOCKS_PER_SIDE, row = Math.floor(tile / grid.columns) * BLOCKS_PER_SIDE;
      const kind = drawn ? BlockKind.drawn : BlockKind.natural;
      for (let i = 0; i < BLOCKS_PER_SIDE * BLOCKS_PER_SIDE; ++i) {
        if ((mask[i >> 3] >> (i & 7)) & 1) restoration.mark(column + (i & 7), row + (i >> 3), kind);
      }
    }
    await restoration.restore(this.pixels, scale);
  }

  private place(tile: number): {rect: Rect; base: number} {
    const rect = this.grid.rect(tile);
    return {rect, base: rect.y * this.grid.width + rect.x};
  }

  private store({tile, slot}: Operation): void {
    const {rect, base} = this.place(tile);
    const {words, stored, grid} = this;
    for (let y = 0; y < rect.height; ++y) {
      const from = base + y * grid.width, to = slot * TILE_PIXELS + y * TILE_SIDE;
      for (let x = 0; x < rect.width; ++x) stored[to + x] = words[from + x];
    }
    this.isStored[slot] = 1;
  }

  private recall({tile, slot, mask}: Operation): void {
    if (!this.isStored[slot]) throw new ProtocolError('nothing is stored in that slot');
    this.show(tile, mask, this.stored, slot * TILE_PIXELS);
  }

  /** `pixels`: from `first` on of a whole tile, 64 a row. */
  private show(tile: number, mask: BlockMask, pixels: Uint32Array, first = 0): void {
    const {rect, base} = this.place(tile);
    const {words, grid} = this;
    // No views: 64 for each tile would be much to collect.
    forEachRun(rect.width, rect.height, mask, (x, y, count) => {
      const from = first + y * TILE_SIDE + x, to = base + y * grid.width + x;
      for (let i = 0; i < count; ++i) words[to + i] = pixels[from + i];
    });
  }

  /** Every copy reads the picture as it was before, so all sources are put by first. */
  private copyAll(copies: Operation[]): void {
    const {words} = this, {width, height} = this.grid;
    const area = copies.reduce((total, copy) => total + copy.width * copy.height, 0);
    if (area > width * height) throw new ProtocolError('copies are larger than the screen');
    if (copies.length === 1) return this.copyOne(copies[0]);
    const forEachRow = (visit: (from: number, to: number, by: number, count: number) => void): void => {
      let by = width * height;
      for (const copy of copies) {
        for (let y = copy.y; y < copy.y + copy.height; ++y, by += copy.width) {
          visit((y + copy.dy) * width + copy.x + copy.dx, y * width + copy.x, by, copy.width);
        }
      }
    };
    // No views: one for each row would be megabytes of garbage an update.
    forEachRow((from, _to, by, count) => words.copyWithin(by, from, from + count));
    forEachRow((_from, to, by, count) => words.copyWithin(to, by, by + count));
  }

  /** In place: rows in the order in which none is overwritten before it is read. */
  private copyOne(copy: Operation): void {
    const {width} = this.grid;
    for (let i = 0; i < copy.height; ++i) {
      const y = copy.y + (copy.dy < 0 ? copy.height - 1 - i : i);
      const from = (y + copy.dy) * width + copy.x + copy.dx;
      this.words.copyWithin(y * width + copy.x, from, from + copy.width);
    }
  }

  private draw(operation: Operation, content: Content): void {
    if (operation.kind === Kind.recall) this.recall(operation);
    if (operation.kind === Kind.solid) this.drawPalette(operation, 1, content);
    if (operation.kind === Kind.palette) this.drawPalette(operation, operation.colours, content);
    if (operation.kind === Kind.pixels) {
      const {rect, base} = this.place(operation.tile);
      const planes = content.residuals(rect.width, rect.height, operation.mask);
      restorePixels(planes, rect.width, rect.height, operation.mask, operation.error, {
        pixels: this.pixels,
        base,
        stride: this.grid.width,
      });
    }
  }

  private drawPalette({tile, mask}: Operation, colours: number, content: Content): void {
    const {palette} = this;
    for (let i = 0; i < colours; ++i) palette[i] = content.nextColour();
    const {rect, base} = this.place(tile);
    const bits = indexBits(colours);
    if (bits === 0) return this.fill(rect, base, mask, palette[0]);
    const {indices} = content;
    const ones = (1 << bits) - 1;
    let bit = 8 * content.takeIndices(Math.ceil((pixelsIn(rect.width, rect.height, mask) * bits) / 8));
    forEachRun(rect.width, rect.height, mask, (x, y, count) => {
      const begin = base + y * this.grid.width + x;
      for (let i = 0; i < count; ++i, bit += bits) {
        const index = (indices[bit >> 3] >> (bit & 7)) & ones;
        if (index >= colours) throw new ProtocolError('an index is beyond its palette');
        this.words[begin + i] = palette[index];
      }
    });
  }

  private fill(rect: Rect, base: number, mask: BlockMask, pixel: number): void {
    forEachRun(rect.width, rect.height, mask, (x, y, count) => {
      const begin = base + y * this.grid.width + x;
      this.words.fill(pixel, begin, begin + count);
    });
  }
}
