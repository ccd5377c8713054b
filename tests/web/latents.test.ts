// Latents are read as the native viewer reads them; streams that break a rule are refused.

import {describe, expect, it} from 'vitest';
import {decodeLatents} from '../../client/web/src/latents';
import {pieces} from './golden';

const CHANNELS = 24;
const TILES = 3;

describe('golden latents', () => {
  const [stream, latents] = pieces('latents.bin');

  it('are read', () => {
    expect(Buffer.from(decodeLatents(stream, CHANNELS, TILES).buffer).equals(Buffer.from(latents))).toBe(true);
  });

  it('are refused when they are cut or followed by more', () => {
    for (let length = 0; length < stream.length; ++length) {
      expect(() => decodeLatents(stream.subarray(0, length), CHANNELS, TILES), `${length} bytes`).toThrow();
    }
    expect(() => decodeLatents(Uint8Array.from([...stream, 0]), CHANNELS, TILES)).toThrow('followed');
    expect(() => decodeLatents(stream, CHANNELS - 1, TILES)).toThrow();
  });
});

it('bytes that nobody coded are refused', () => {
  expect(() => decodeLatents(new Uint8Array(300).fill(0xff), 160, 2)).toThrow();
  expect(() => decodeLatents(new Uint8Array(0), 160, 2)).toThrow('truncated');
});
