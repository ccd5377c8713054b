// The decoder in 8 bits against the golden tensors of every backend.

import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {expect, it} from 'vitest';
import {Int8Network} from '../../client/web/src/int8_network';
import {useKernel} from '../../client/web/src/kernel';
import {parseModelFile} from '../../client/web/src/model_file';

const read = (name: string): Uint8Array => Uint8Array.from(readFileSync(fileURLToPath(new URL('../../' + name, import.meta.url))));

interface Golden {
  shape: number[];
  data: ArrayBuffer;
}

function goldenTensors(): Record<string, Golden> {
  const bytes = read('models/golden/lite.safetensors');
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString());
  const tensors: Record<string, Golden> = {};
  for (const [name, {shape, data_offsets: [begin, end]}] of Object.entries<any>(header).filter(([key]) => key !== '__metadata__')) {
    tensors[name] = {shape, data: bytes.slice(8 + length + begin, 8 + length + end).buffer};
  }
  return tensors;
}

it('decodes a tile as the others do, and each of several alike', async () => {
  useKernel(read('client/web/src/kernel.wasm'));
  const network = await Int8Network.load(parseModelFile(read('models/latentdesk-lite.safetensors')));
  const tensors = goldenTensors();
  const index = Object.keys(tensors).find((name) => /image$/.test(name) && tensors[name].shape[0] === 64 && tensors[name].shape[1] === 64)!.split('.')[0];
  const quantised = new Int8Array(tensors[`${index}.quantised`].data);
  const decoded = new Float32Array(tensors[`${index}.decoded`].data);
  const [scale] = new Float32Array(tensors[`${index}.scale`].data);
  const tiles = 3; // [c, tiles, 8, 8]; the one in the middle is empty
  const latents = new Int8Array(quantised.length * tiles);
  for (let c = 0; c < network.channels; ++c) {
    const plane = quantised.subarray(c * 64, (c + 1) * 64);
    for (const tile of [0, 2]) latents.set(plane, (c * tiles + tile) * 64);
  }
  network.begin(latents, scale);
  const pictures = [0, 1, 2].map((tile) => new Uint8Array(network.tile(tile, tiles).slice().buffer));
  expect(pictures[2]).toEqual(pictures[0]);
  expect(pictures[1]).not.toEqual(pictures[0]);
  let sum = 0;
  for (let p = 0; p < 4096; ++p) {
    for (let c = 0; c < 3; ++c) sum += (pictures[0][p * 4 + c] - Math.min(Math.max(decoded[c * 4096 + p], 0), 1) * 255) ** 2;
  }
  const psnr = 10 * Math.log10(255 ** 2 / (sum / (3 * 4096)));
  console.log(`${psnr.toFixed(1)} dB to the golden tensor`);
  expect(psnr).toBeGreaterThan(44);
});
