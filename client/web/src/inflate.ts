// zlib streams (RFC 1950), see kernel/inflate.cpp.

import {newKernel, reserve, type Kernel} from './kernel';
import {PARTS, ProtocolError, sum, type UpdateHeader} from './protocol';

const OUTCOMES = ['', 'is damaged', 'inflates to more than its header says', 'inflates to less than its header says'];

let kernel: Promise<Kernel> | undefined;

/** Inflates one stream to exactly `out`; throws ProtocolError where it is damaged, shorter, longer, or followed by more. */
export async function inflate(packed: Uint8Array, out: Uint8Array): Promise<void> {
  const {inflate: run, heap, memory} = await loaded(packed.length + out.length);
  const from = heap(), to = from + packed.length;
  new Uint8Array(memory.buffer, from, packed.length).set(packed);
  const outcome = run(from, packed.length, to, out.length);
  if (outcome !== 0) throw new ProtocolError('a zlib stream ' + OUTCOMES[outcome]);
  out.set(new Uint8Array(memory.buffer, to, out.length));
}

async function loaded(bytes: number): Promise<Kernel> {
  const ready = await (kernel ??= newKernel());
  reserve(ready, ready.heap() + bytes);
  return ready;
}

/** The parts of an update, whose sizes must have been checked. */
export async function unpack(header: UpdateHeader, payload: Uint8Array): Promise<Uint8Array[]> {
  const bytes = new Uint8Array(sum(header.sizes));
  const parts: Uint8Array[] = [];
  for (let part = 0, begin = 0; part < PARTS; begin += header.sizes[part++]) {
    parts.push(bytes.subarray(begin, begin + header.sizes[part]));
  }
  if (header.packed.length === 1) {
    await inflate(payload, bytes);
    return parts;
  }
  const streams: Promise<void>[] = [];
  let begin = 0;
  for (const part of parts.filter((candidate) => candidate.length > 0)) {
    const packed = header.packed[streams.length];
    streams.push(inflate(payload.subarray(begin, begin + packed), part));
    begin += packed;
  }
  await Promise.all(streams);
  return parts;
}

