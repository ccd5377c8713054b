// zlib streams (RFC 1950) by the browser's own decompressor, with a limit on what comes out.

import {Part, ProtocolError, sum, type UpdateHeader} from './protocol';

/** Inflates one stream to exactly `out`; throws ProtocolError where it is damaged, shorter, longer, or followed by more. */
export async function inflate(packed: Uint8Array, out: Uint8Array): Promise<void> {
  const stream = new DecompressionStream('deflate');
  const writer = stream.writable.getWriter();
  // What goes wrong here goes wrong for the reader too, which reports it.
  writer.write(packed as BufferSource).catch(() => undefined);
  writer.close().catch(() => undefined);
  const reader = stream.readable.getReader();
  let filled = 0;
  try {
    for (;;) {
      const {done, value} = await reader.read();
      if (done) break;
      if (filled + value.length > out.length) throw new ProtocolError('a stream inflates to more than its header says');
      out.set(value, filled);
      filled += value.length;
    }
  } catch (error) {
    await reader.cancel().catch(() => undefined);
    throw error instanceof ProtocolError ? error : new ProtocolError('a zlib stream is damaged');
  }
  if (filled !== out.length) throw new ProtocolError('a stream inflates to less than its header says');
}

/** The parts of an update, whose sizes must have been checked. That of latents stays packed. */
export async function unpack(header: UpdateHeader, payload: Uint8Array): Promise<Uint8Array[]> {
  const sizes = header.sizes.slice(0, Part.latents);
  const packed = header.sizes[Part.latents] > 0 ? header.packed.slice(0, -1) : header.packed;
  const bytes = new Uint8Array(sum(sizes));
  const parts: Uint8Array[] = [];
  let begin = 0;
  for (const size of sizes) parts.push(bytes.subarray(begin, (begin += size)));
  begin = 0;
  const streams = packed.map((size) => payload.subarray(begin, (begin += size)));
  const targets = packed.length === 1 ? [bytes] : parts.filter((part) => part.length > 0);
  await Promise.all(targets.map((target, i) => inflate(streams[i], target)));
  return [...parts, payload.subarray(begin)];
}
