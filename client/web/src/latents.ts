// Latents of tiles from the bytes of a range coder; docs/protocol.md, "Latents", is the norm.

import {MAX_LATENT_CHANNELS, ProtocolError} from './protocol';
import {halfOctave, Models, RangeDecoder, width} from './range_decoder';

const SIDE = 8;
const POSITIONS = SIDE * SIDE;
const PREDICTED = 8; // channels that may be predicted from their neighbours
// Magnitudes of a tile have a border of zeros: a row above, a column at the left and one at the right.
const STRIDE = SIDE + 2;
const MOST_UNARY = 15;
const MOST_EXCESS_BITS = 6;
const MAX_MAGNITUDE = 128;

const BANDS = Uint8Array.from({length: MAX_LATENT_CHANNELS}, (_, c) => halfOctave(c));

/** One update's latents, int8 [channel][tile][y][x]. */
class LatentReader {
  private readonly decoder: RangeDecoder;
  private readonly zero = new Models(16 * 8 * 8);
  private readonly magnitude = new Models(16 * 8 * 8);
  private readonly countWidth = new Models(10 * 9);
  private readonly countBits = new Models(10 * 10 * 4);
  private readonly predicted: number;
  private readonly values: Int8Array; // of a tile, [position][channel]
  private readonly magnitudes: Uint8Array;
  private readonly counts = new Int32Array(POSITIONS);
  private lastCount = 0;

  constructor(stream: Uint8Array, private readonly channels: number) {
    this.decoder = new RangeDecoder(stream);
    this.values = new Int8Array(POSITIONS * channels);
    this.magnitudes = new Uint8Array(STRIDE * (SIDE + 1) * channels);
    this.predicted = this.decoder.bits(PREDICTED);
  }

  read(latents: Int8Array, tiles: number): void {
    for (let tile = 0; tile < tiles; ++tile) {
      this.readTile();
      this.decoder.check();
      this.scatter(latents, tile, tiles);
    }
    this.decoder.finish();
  }

  private readTile(): void {
    const {channels} = this;
    for (let position = 0; position < POSITIONS; ++position) {
      const values = position * channels;
      const row = ((position >> 3) * STRIDE + STRIDE + (position & 7) + 1) * channels;
      const count = this.readCount(position);
      this.counts[position] = count;
      for (let c = 0; c < count; ++c) {
        const value = this.readValue(c, count - 1 - c, row + c);
        this.values[values + c] = value;
        this.magnitudes[row + c] = Math.abs(value);
      }
      this.values.fill(0, values + count, values + channels);
      this.magnitudes.fill(0, row + count, row + channels);
    }
    this.lastCount = this.counts[SIDE - 1];
  }

  private expectedCount(position: number): number {
    const {counts} = this, x = position & 7;
    if (position < SIDE) return x === 0 ? this.lastCount : counts[position - 1];
    if (x === 0) return counts[position - SIDE];
    return (counts[position - 1] + counts[position - SIDE]) >> 1;
  }

  private readCount(position: number): number {
    const {decoder} = this, near = width(this.expectedCount(position));
    let bits = 0;
    while (bits < 9 && decoder.bit(this.countWidth, near * 9 + bits)) ++bits;
    if (bits < 2) return bits;
    const models = (bits * 10 + near) * 4;
    let value = 1, rest = bits - 1;
    for (; rest > 0 && value < 4; --rest) value = (value << 1) | decoder.bit(this.countBits, models + value);
    value = (value << rest) | decoder.bits(rest);
    if (value > this.channels) throw new ProtocolError('a position has more channels than there are');
    return value;
  }

  /** `left`: how many channels follow; `here`: where the magnitude goes. */
  private readValue(channel: number, left: number, here: number): number {
    const {decoder, magnitudes, channels} = this;
    const above = here - STRIDE * channels;
    const around =
      2 * magnitudes[here - channels] + 2 * magnitudes[above] + magnitudes[above - channels] + magnitudes[above + channels];
    const band = BANDS[channel] * 8;
    const near = (band + Math.min(width(around), 7)) * 8;
    if (left > 0 && !decoder.bit(this.zero, near + Math.min(width(left), 7))) return 0;
    const before = channel > 0 ? magnitudes[here - 1] : 0;
    const models = (band + Math.min(width(around + before), 7)) * 8;
    let magnitude = 1;
    while (magnitude < MOST_UNARY && decoder.bit(this.magnitude, models + Math.min(magnitude, 8) - 1)) ++magnitude;
    if (magnitude === MOST_UNARY) magnitude += this.readExcess();
    if (magnitude > MAX_MAGNITUDE) throw new ProtocolError('a latent is out of range');
    return decoder.bits(1) ? -magnitude : magnitude;
  }

  private readExcess(): number {
    let bits = 0;
    while (bits < MOST_EXCESS_BITS && this.decoder.bits(1)) ++bits;
    return ((1 << bits) | this.decoder.bits(bits)) - 1;
  }

  private scatter(latents: Int8Array, tile: number, tiles: number): void {
    const {channels, values} = this;
    for (let c = 0; c < channels; ++c) {
      const to = (c * tiles + tile) * POSITIONS;
      if (c < PREDICTED && (this.predicted >> c) & 1) {
        for (let i = 0; i < POSITIONS; ++i) latents[to + i] = values[i * channels + c] + predict(latents, to, i, tile > 0);
      } else {
        for (let i = 0; i < POSITIONS; ++i) latents[to + i] = values[i * channels + c];
      }
    }
  }
}

/** What a channel's value is expected to be, from those before it. */
function predict(latents: Int8Array, tile: number, position: number, hasBefore: boolean): number {
  const here = tile + position, x = position & 7;
  if (position === 0) return hasBefore ? latents[tile + SIDE - 1 - POSITIONS] : 0;
  if (position < SIDE) return latents[here - 1];
  if (x === 0) return latents[here - SIDE];
  const left = latents[here - 1], above = latents[here - SIDE];
  return Math.max(Math.min(left, above), Math.min(Math.max(left, above), left + above - latents[here - SIDE - 1]));
}

/** int8 [channel][tile][y][x]. Throws ProtocolError unless all of `stream` is what they are made of. */
export function decodeLatents(stream: Uint8Array, channels: number, tiles: number): Int8Array {
  const latents = new Int8Array(channels * tiles * POSITIONS);
  new LatentReader(stream, channels).read(latents, tiles);
  return latents;
}
