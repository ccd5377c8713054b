// zlib streams (RFC 1950), see kernel/inflate.cpp.

import {sharedKernel} from './kernel';
import {ProtocolError, sum, ZLIB_PARTS, type UpdateHeader} from './protocol';

const OUTCOMES = ['', 'is damaged', 'inflates to more than its header says', 'inflates to less than its header says'];

/** Inflates one stream to exactly `out`; throws ProtocolError where it is damaged, shorter, longer, or followed by more. */
export async function inflate(packed: Uint8Array, out: Uint8Array): Promise<void> {
  const {inflate: run, heap, memory} = await sharedKernel(packed.length + out.length);
  const from = heap(), to = from + packed.length;
  new Uint8Array(memory.buffer, from, packed.length).set(packed);
  const outcome = run(from, packed.length, to, out.length);
  if (outcome !== 0) throw new ProtocolError('a zlib stream ' + OUTCOMES[outcome]);
  out.set(new Uint8Array(memory.buffer, to, out.length));
}

/** The parts of an update, whose sizes must have been checked. Residuals and latents stay as the range coder left them. */
export async function unpack(header: UpdateHeader, payload: Uint8Array): Promise<Uint8Array[]> {
  let begin = 0;
  const streams = header.packed.map((size) => payload.subarray(begin, (begin += size)));
  const coded = header.sizes.slice(ZLIB_PARTS).map((size) => size > 0);
  const zlib = streams.length - coded.filter(Boolean).length;

  const sizes = header.sizes.slice(0, ZLIB_PARTS);
  const bytes = new Uint8Array(sum(sizes));
  begin = 0;
  const parts = sizes.map((size) => bytes.subarray(begin, (begin += size)));
  const targets = zlib === 1 ? [bytes] : parts.filter((part) => part.length > 0);
  await Promise.all(targets.map((target, i) => inflate(streams[i], target)));
  let next = zlib;
  return [...parts, ...coded.map((present) => (present ? streams[next++] : new Uint8Array()))];
}
