// zlib streams (RFC 1950) by the browser's own decompressor, with a limit on what comes out.

import {ProtocolError, sum, ZLIB_PARTS, type UpdateHeader} from './protocol';

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
