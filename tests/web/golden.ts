// Files of tests/golden.

import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

/** Pieces with 32 bits of length before each. */
export function pieces(name: string): Uint8Array[] {
  const file = readFileSync(fileURLToPath(new URL('../golden/' + name, import.meta.url)));
  const found: Uint8Array[] = [];
  for (let at = 0; at < file.length; ) {
    const length = file.readUInt32BE(at);
    found.push(Uint8Array.from(file.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return found;
}

/** The kernel, as `npm run kernel` leaves it. */
export function kernelBytes(): Uint8Array {
  return readFileSync(fileURLToPath(new URL('../../client/web/src/kernel.wasm', import.meta.url)));
}
