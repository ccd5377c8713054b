// zlib streams (RFC 1950) into buffers of known size, by pako's port of zlib. One stream serves all, so that a message leaves next to
// no garbage: of the browser's own, which is made anew for each message, much waits to be collected.

import {Z_FINISH, Z_OK, Z_STREAM_END, zlibInflate, zlibInflateInit2, zlibInflateReset, ZStream} from 'pako';
import {ProtocolError, sum, ZLIB_PARTS, type UpdateHeader} from './protocol';

const WINDOW_BITS = 15; // the most; and zlib's header alone, not gzip's
const NOTHING = new Uint8Array();
const kept = new Uint8Array(1 << 18); // for most updates' parts: less garbage

const stream = new ZStream();
if (zlibInflateInit2(stream, WINDOW_BITS) !== Z_OK) throw new Error('zlib does not start');

/** Inflates one stream to exactly `out`; throws ProtocolError where it is damaged, shorter, longer, or followed by more. */
export function inflate(packed: Uint8Array, out: Uint8Array): void {
  zlibInflateReset(stream);
  Object.assign(stream, {input: packed, next_in: 0, avail_in: packed.length, output: out, next_out: 0, avail_out: out.length});
  const status = zlibInflate(stream, Z_FINISH);
  const isWhole = status === Z_STREAM_END && stream.avail_in === 0 && stream.avail_out === 0;
  stream.input = stream.output = NOTHING; // keeps no message alive
  if (!isWhole) throw new ProtocolError('a zlib stream is damaged, or does not inflate to what its header says');
}

/**
 * The parts of an update, whose sizes must have been checked; valid until the next call. Residuals and latents stay as the range coder
 * left them.
 */
export function unpack(header: UpdateHeader, payload: Uint8Array): Uint8Array[] {
  let begin = 0;
  const streams = header.packed.map((size) => payload.subarray(begin, (begin += size)));
  const coded = header.sizes.slice(ZLIB_PARTS).map((size) => size > 0);
  const zlib = streams.length - coded.filter(Boolean).length;

  const sizes = header.sizes.slice(0, ZLIB_PARTS);
  const total = sum(sizes);
  const bytes = total <= kept.length ? kept.subarray(0, total) : new Uint8Array(total);
  begin = 0;
  const parts = sizes.map((size) => bytes.subarray(begin, (begin += size)));
  const targets = zlib === 1 ? [bytes] : parts.filter((part) => part.length > 0);
  targets.forEach((target, i) => inflate(streams[i], target));
  let next = zlib;
  return [...parts, ...coded.map((present) => (present ? streams[next++] : NOTHING))];
}
