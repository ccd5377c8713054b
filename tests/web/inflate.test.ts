// Streams by zlib come back to the byte, whatever way it packed them; what is no such stream is refused, and leaves nothing behind.

import {constants, deflateRawSync, deflateSync, gzipSync, inflateSync} from 'node:zlib';
import {describe, expect, it} from 'vitest';
import {inflate} from '../../client/web/src/inflate';

const packed = new Uint8Array(deflateSync(Buffer.alloc(1000, 7)));
const HEADER = [0x78, 0x01];

/** Not random twice. */
function noise(length: number, values: number): Buffer {
  let state = length + values;
  return Buffer.from(Array.from({length}, () => ((state = (state * 1103515245 + 12345) % 2 ** 31) >> 8) % values));
}

function isTaken(bytes: Uint8Array, length: number): boolean {
  try {
    inflate(bytes, new Uint8Array(length));
    return true;
  } catch {
    return false;
  }
}

const contents: [string, Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from([7])],
  ['runs', Buffer.alloc(100_000, 7)],
  ['noise', noise(70_000, 256)],
  ['few values', noise(300_000, 5)],
  ['text', Buffer.from('the quick brown fox '.repeat(5000))],
];
const ways: [string, object][] = [
  ['stored', {level: 0}],
  ['quick', {level: 1}],
  ['thorough', {level: 9}],
  ['fixed codes', {strategy: constants.Z_FIXED}],
  ['Huffman alone', {strategy: constants.Z_HUFFMAN_ONLY}],
  ['runs alone', {strategy: constants.Z_RLE}],
  ['a small window', {windowBits: 9}],
];

it.each(contents.flatMap(([what, bytes]) => ways.map(([way, options]) => [what, way, bytes, options] as const)))(
  'gives %s back, packed as %s',
  (_what, _way, bytes, options) => {
    const out = new Uint8Array(bytes.length);
    inflate(new Uint8Array(deflateSync(bytes, options)), out);
    expect(Buffer.from(out).equals(bytes)).toBe(true);
  },
);

describe('refuses', () => {
  it.each<[string, Uint8Array, number]>([
    ['a longer stream', packed, 999],
    ['a longer stream of nothing', packed, 0],
    ['a shorter stream', packed, 1001],
    ['a stream with a byte after it', Uint8Array.from([...packed, 0]), 1000],
    ['a stream after another', Uint8Array.from([...packed, ...packed]), 1000],
    ['a wrong check sum', Uint8Array.from([...packed.subarray(0, packed.length - 1), 1]), 1000],
    ['what is no stream', Uint8Array.of(1, 2, 3, 4), 1000],
    ['nothing', new Uint8Array(), 0],
    ['a stream of gzip', new Uint8Array(gzipSync(Buffer.alloc(1000, 7))), 1000],
    ['a stream without its header', new Uint8Array(deflateRawSync(Buffer.alloc(1000, 7))), 1000],
    ['a stream with a dictionary', new Uint8Array(deflateSync(Buffer.alloc(1000, 7), {dictionary: Buffer.alloc(9, 7)})), 1000],
  ])('%s', (_what, bytes, length) => expect(() => inflate(bytes, new Uint8Array(length))).toThrow(/zlib/));

  it('a stream that is cut anywhere', () => {
    const whole = new Uint8Array(deflateSync(noise(400, 9)));
    for (let length = 0; length < whole.length; ++length) expect(isTaken(whole.subarray(0, length), 400), `${length} bytes`).toBe(false);
  });

  it('a stream with a bit turned where zlib does, and takes the next one', () => {
    const bytes = noise(400, 9), whole = new Uint8Array(deflateSync(bytes)), out = new Uint8Array(400);
    for (let bit = 0; bit < whole.length * 8; ++bit) {
      const turned = Uint8Array.from(whole);
      turned[bit >> 3] ^= 1 << (bit & 7);
      let native = false;
      try {
        native = inflateSync(turned).length === 400;
      } catch {}
      expect(isTaken(turned, 400), `bit ${bit}`).toBe(native);
      inflate(whole, out.fill(0));
      expect(Buffer.from(out).equals(bytes), `after bit ${bit}`).toBe(true);
    }
  });

  it('a stream that reads what an earlier one left', () => {
    const secret = noise(1000, 256), known = new Uint8Array(deflateSync(secret));
    const copy = deflateRawSync(secret, {dictionary: secret}); // of what lies before the stream
    const stream = Uint8Array.from([...HEADER, ...copy, ...known.subarray(-4)]);
    expect(copy.length).toBeLessThan(known.length / 4);
    expect(isTaken(known, 1000)).toBe(true);
    expect(isTaken(stream, 1000)).toBe(false);
    expect(isTaken(known.subarray(0, -9), 1000)).toBe(false); // of one that is cut zlib keeps what it made
    expect(isTaken(stream, 1000)).toBe(false);
  });
});

it('writes nowhere else', () => {
  const all = new Uint8Array(3000).fill(1);
  expect(() => inflate(packed, all.subarray(1000, 1500))).toThrow(/zlib/);
  inflate(packed, all.subarray(2000));
  expect([...new Set(all.subarray(0, 1000)), ...new Set(all.subarray(1500, 2000))]).toEqual([1, 1]);
  expect([...new Set(all.subarray(2000))]).toEqual([7]);
});
