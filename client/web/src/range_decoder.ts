// An adaptive binary range coder's bytes to bits; docs/protocol.md, "Range coder", is the norm.

import {ProtocolError} from './protocol';

const PROBABILITY_BITS = 15;
const ONE = 1 << PROBABILITY_BITS;
const MOST_SEEN = 60;
const RATES = Uint32Array.from({length: MOST_SEEN + 1}, (_, n) => Math.floor((5 * 65536) / (5 * n + 8)));

/** How many bits a number has. */
export const width = (value: number): number => 32 - Math.clz32(value);

/** 0, 1, 2, 3, 4-5, 6-7, 8-11, 12-15, 16-23 and so on are 0, 1, 2, ... */
export function halfOctave(value: number): number {
  const bits = width(value);
  return bits < 2 ? bits : 2 * bits - 2 + ((value >> (bits - 2)) & 1);
}

/** What is known of some bits: of each the probability that it is 0, and how often it was seen. */
export class Models {
  readonly zero: Uint16Array;
  readonly seen: Uint8Array;

  constructor(count: number) {
    this.zero = new Uint16Array(count);
    this.seen = new Uint8Array(count);
    this.reset();
  }

  /** Nothing is known. */
  reset(): void {
    this.zero.fill(ONE / 2);
    this.seen.fill(0);
  }
}

/** Reads what a range encoder made; of anything else it makes something, too. */
export class RangeDecoder {
  private read = 0;
  private code = 0;
  private range = 0xffffffff;

  constructor(private readonly bytes: Uint8Array) {
    for (let i = 0; i < 4; ++i) this.shift();
  }

  bit(models: Models, at: number): number {
    const zero = models.zero[at], seen = models.seen[at], rate = RATES[seen];
    const bound = (this.range >>> PROBABILITY_BITS) * zero;
    const bit = this.code >= bound ? 1 : 0;
    if (bit) {
      this.code -= bound;
      this.range -= bound;
      models.zero[at] = zero - ((zero * rate) >>> 16);
    } else {
      this.range = bound;
      models.zero[at] = zero + (((ONE - zero) * rate) >>> 16);
    }
    if (seen < MOST_SEEN) models.seen[at] = seen + 1;
    if (this.range < 0x1000000) this.normalise();
    return bit;
  }

  /** Bits of which nothing is known, highest first. */
  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; ++i) {
      this.range >>>= 1;
      const bit = this.code >= this.range ? 1 : 0;
      if (bit) this.code -= this.range;
      value = (value << 1) | bit;
      if (this.range < 0x1000000) this.normalise();
    }
    return value;
  }

  /** Throws ProtocolError when more was read than there is. */
  check(): void {
    if (this.read > this.bytes.length) throw new ProtocolError('a coded stream is truncated');
  }

  finish(): void {
    this.check();
    if (this.read < this.bytes.length) throw new ProtocolError('a coded stream is followed by further bytes');
  }

  private normalise(): void {
    do {
      this.range = (this.range << 8) >>> 0;
      this.shift();
    } while (this.range < 0x1000000);
  }

  private shift(): void {
    this.code = ((this.code << 8) | (this.read < this.bytes.length ? this.bytes[this.read] : 0)) >>> 0;
    ++this.read;
  }
}
