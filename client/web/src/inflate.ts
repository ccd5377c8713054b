// zlib streams (RFC 1950) by the browser's own decompressor, with a limit on what comes out.

import {PARTS, ProtocolError, sum, type UpdateHeader} from './protocol';

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

