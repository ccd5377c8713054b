// Latents of tiles from the bytes of a range coder, see kernel/latents.cpp.

import {sharedKernel} from './kernel';
import {ProtocolError} from './protocol';

const POSITIONS = 64; // of a tile
const OUTCOMES = ['', 'is not what latents are made of', 'is truncated', 'is followed by further bytes'];

/** int8 [channel][tile][y][x]. Throws ProtocolError unless all of `stream` is what they are made of. */
export async function decodeLatents(stream: Uint8Array, channels: number, tiles: number): Promise<Int8Array> {
  const size = channels * tiles * POSITIONS;
  const {latents, heap, memory} = await sharedKernel(stream.length + size);
  const from = heap(), to = from + stream.length;
  new Uint8Array(memory.buffer, from, stream.length).set(stream);
  const outcome = latents(from, stream.length, to, channels, tiles);
  if (outcome !== 0) throw new ProtocolError('a coded stream ' + OUTCOMES[outcome]);
  return new Int8Array(memory.buffer, to, size).slice();
}
