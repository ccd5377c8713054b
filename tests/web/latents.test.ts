// Latents are read as the native viewer reads them; streams that break a rule are refused.

import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import {useKernel} from '../../client/web/src/kernel';
import {decodeLatents} from '../../client/web/src/latents';
import {pieces} from './golden';

useKernel(readFileSync(fileURLToPath(new URL('../../client/web/src/kernel.wasm', import.meta.url))));

const CHANNELS = 72;
const TILES = 4;

describe('golden latents', () => {
  const [stream, latents] = pieces('latents.bin');

  it('are read', async () => {
    for (let i = 0; i < 2; ++i) { // memory of the first time does no harm
      expect(Buffer.from((await decodeLatents(stream, CHANNELS, TILES)).buffer).equals(Buffer.from(latents))).toBe(true);
    }
  });

  it('are refused when they are cut or followed by more', async () => {
    for (let length = 0; length < stream.length; ++length) {
      await expect(decodeLatents(stream.subarray(0, length), CHANNELS, TILES), `${length} bytes`).rejects.toThrow();
    }
    await expect(decodeLatents(Uint8Array.from([...stream, 0]), CHANNELS, TILES)).rejects.toThrow('followed');
    await expect(decodeLatents(stream, CHANNELS - 1, TILES)).rejects.toThrow();
  });
});

it('bytes that nobody coded are refused', async () => {
  await expect(decodeLatents(new Uint8Array(300).fill(0xff), 160, 2)).rejects.toThrow();
  await expect(decodeLatents(new Uint8Array(0), 160, 2)).rejects.toThrow('truncated');
});
