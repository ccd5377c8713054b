// What an update does to the canvas, as bytes; docs/protocol.md, "update", is the norm.

import {MAX_SIDE, ProtocolError} from './protocol';
import {BLOCKS_PER_SIDE, type BlockMask, type Rect, type TileGrid} from './tiles';

export const enum Kind {
  store,
  copy,
  recall,
  solid,
  palette,
  pixels,
  latents,
}

const MAX_PIXEL_ERROR = 63;
const DRAWN = 1 << 5; // of an operation's first byte

/** A copy goes to its rectangle. */
export interface Operation extends Rect {
  kind: Kind;
  tile: number; // of all but copy
  mask: BlockMask; // of all but copy and store
  slot: number; // of store and recall
  error: number; // of pixels
  colours: number; // of palette: 1 to 256
  drawn: boolean; // of latents: by programs, with flat areas and edges
  dx: number; // of copy: from where its source is
  dy: number;
}

// For the next update, which is much like this one: as many as a full screen's copies, and not what a hostile server may send.
const MOST_KEPT = 4096;
const kept: Operation[] = [];

function operationAt(index: number): Operation {
  if (index < kept.length) return kept[index];
  const mask = new Uint8Array(BLOCKS_PER_SIDE);
  const operation = {kind: Kind.store, tile: 0, mask, slot: 0, error: 0, colours: 0, drawn: false, x: 0, y: 0, width: 0, height: 0, dx: 0, dy: 0};
  if (index < MOST_KEPT) kept.push(operation);
  return operation;
}

class Reader {
  private next = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get done(): boolean {
    return this.next === this.bytes.length;
  }

  byte(): number {
    if (this.done) throw new ProtocolError('operations are truncated');
    return this.bytes[this.next++];
  }

  /** Up to 35 bits, so no bit operators: they would cut it to 32. */
  varint(): number {
    let value = 0;
    for (let weight = 1; weight < 2 ** 35; weight *= 128) {
      const part = this.byte();
      value += (part & 0x7f) * weight;
      if ((part & 0x80) === 0) return value;
    }
    throw new ProtocolError('a number in the operations is too long');
  }

  signedVarint(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

function readMask(reader: Reader, form: number, mask: BlockMask): void {
  if (form === 0) {
    mask.fill(0xff);
  } else if (form === 2) {
    for (let y = 0; y < BLOCKS_PER_SIDE; ++y) mask[y] = reader.byte();
  } else {
    const bits = reader.byte() | (reader.byte() << 8);
    const x = bits & 7, y = (bits >> 3) & 7, width = ((bits >> 6) & 7) + 1, height = ((bits >> 9) & 7) + 1;
    if (bits >> 12 !== 0 || x + width > BLOCKS_PER_SIDE || y + height > BLOCKS_PER_SIDE) {
      throw new ProtocolError('a mask leaves its tile');
    }
    mask.fill(0).fill(((1 << width) - 1) << x, y, y + height);
  }
}

function coordinate(value: number): number {
  if (Math.abs(value) > MAX_SIDE) throw new ProtocolError('a copy leaves the screen');
  return value;
}

function readCopy(reader: Reader, grid: TileGrid, copy: Operation): void {
  copy.x = coordinate(reader.varint());
  copy.y = coordinate(reader.varint());
  copy.width = coordinate(reader.varint());
  copy.height = coordinate(reader.varint());
  copy.dx = coordinate(reader.signedVarint());
  copy.dy = coordinate(reader.signedVarint());
  if (copy.width === 0 || copy.height === 0 || !grid.contains(copy) || !grid.contains(copy, copy.dx, copy.dy)) {
    throw new ProtocolError('a copy leaves the screen');
  }
}

function readTile(reader: Reader, before: number, grid: TileGrid): number {
  const tile = before + reader.signedVarint();
  if (tile < 0 || tile >= grid.tiles) throw new ProtocolError('there is no such tile');
  return tile;
}

function readSlot(reader: Reader, slots: number): number {
  const slot = reader.varint();
  if (slot >= slots) throw new ProtocolError('there is no such slot');
  return slot;
}

function readError(reader: Reader): number {
  const error = reader.byte();
  if (error > MAX_PIXEL_ERROR) throw new ProtocolError('pixels have too large an error');
  return error;
}

/** Kinds 0, 1, 2 come in this order and before all others, which may come in any. */
const phaseOf = (kind: Kind): number => Math.min(kind, Kind.solid);

/**
 * Parses all of `bytes`; throws ProtocolError unless every operation lies within the screen and slots below `slots`. The operations are
 * valid until the next call.
 */
export function parseOperations(bytes: Uint8Array, grid: TileGrid, slots: number): Operation[] {
  const reader = new Reader(bytes);
  const operations: Operation[] = [];
  let tile = 0;
  let phase = 0;
  while (!reader.done) {
    const head = reader.byte();
    const kind: Kind = head & 7;
    const form = (head & ~DRAWN) >> 3;
    const drawn = (head & DRAWN) !== 0;
    const hasMask = kind !== Kind.copy && kind !== Kind.store;
    if (kind > Kind.latents) throw new ProtocolError('unknown operation');
    if (drawn && kind !== Kind.latents) throw new ProtocolError('only latents can be of something drawn');
    if (form > (hasMask ? 2 : 0)) throw new ProtocolError('unknown mask form');
    if (phaseOf(kind) < phase) throw new ProtocolError('operations are out of order');
    phase = phaseOf(kind);
    const operation = operationAt(operations.length);
    operations.push(operation);
    operation.kind = kind;
    operation.drawn = drawn;
    if (kind === Kind.copy) {
      readCopy(reader, grid, operation);
      continue;
    }
    operation.tile = tile = readTile(reader, tile, grid);
    readMask(reader, form, operation.mask);
    if (kind === Kind.store || kind === Kind.recall) operation.slot = readSlot(reader, slots);
    if (kind === Kind.palette) operation.colours = reader.byte() + 1;
    if (kind === Kind.pixels) operation.error = readError(reader);
  }
  return operations;
}
