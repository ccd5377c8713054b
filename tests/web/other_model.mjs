// A model file that differs from the one that ships: what its decoder makes is white.

import {createHash} from 'node:crypto';
import {readFileSync, writeFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

const LITE = fileURLToPath(new URL('../../models/latentdesk-lite', import.meta.url));

function crc32(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; ++bit) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ((sum ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0');
}

/** Writes FILE.safetensors, by itself: `file` has no ending. Returns the versions of the model that ships and of this one. */
export function writeOtherModel(file) {
  const bytes = readFileSync(LITE + '.safetensors');
  const data = 8 + Number(bytes.readBigUInt64LE(0));
  const text = bytes.toString('utf8', 8, data);
  const header = JSON.parse(text), {name, version, hash, crc32: sum, encoder, decoder} = header.__metadata__;
  const last = JSON.parse(decoder).findLast(({op}) => op === 'conv');
  const [begin, end] = header[last.bias].data_offsets;
  for (let at = data + begin; at < data + end; at += 4) bytes.writeFloatLE(bytes.readFloatLE(at) + 1, at);
  const otherHash = createHash('sha256').update(encoder + decoder).update(bytes.subarray(data)).digest('hex').slice(0, 16);
  bytes.write(text.replace(hash, otherHash).replace(sum, crc32(bytes.subarray(data))), 8);
  writeFileSync(file + '.safetensors', bytes);
  return {shipped: `${name}-${version}.${hash}`, other: `${name}-${version}.${otherHash}`};
}

/** Puts the decoder (ONNX) that ships beside the model `file`, as a server wants it: it names the version, as long as its own. */
export function addDecoder(file, {shipped, other}) {
  const bytes = readFileSync(LITE + '.decoder.onnx');
  bytes.write(other, bytes.indexOf(shipped));
  writeFileSync(file + '.decoder.onnx', bytes);
}
