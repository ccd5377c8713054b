// The page's canvas makes of the golden updates what the native one does, to the bit; and takes nothing that breaks a rule.

import {describe, expect, it} from 'vitest';
import {Canvas} from '../../client/web/src/canvas';
import {unpack} from '../../client/web/src/inflate';
import {checkPartSizes, parseServerMessage, splitMessage, type UpdateHeader} from '../../client/web/src/protocol';
import {pieces} from './golden';

const SLOTS = 4;

function parse(message: Uint8Array): {header: UpdateHeader; payload: Uint8Array} {
  const {header, payload} = splitMessage(message.buffer as ArrayBuffer);
  return {header: parseServerMessage(header) as UpdateHeader, payload};
}

/** R, G, B of a picture of four bytes a pixel, whose blue comes first or last. */
function rgb(pixels: Uint8Array | Uint8ClampedArray, blueFirst: boolean): Buffer {
  const colours = Buffer.alloc((pixels.length / 4) * 3);
  for (let i = 0; i < pixels.length / 4; ++i) {
    for (let c = 0; c < 3; ++c) colours[i * 3 + c] = pixels[i * 4 + (blueFirst ? 2 - c : c)];
  }
  return colours;
}

describe('golden updates', () => {
  it('make the golden pictures', () => {
    const canvas = new Canvas(SLOTS);
    canvas.reset(150, 100);
    const pictures = pieces('pictures.bin');
    for (const [i, message] of pieces('updates.bin').entries()) {
      const {header, payload} = parse(message);
      checkPartSizes(header, canvas.grid, 1, payload.length);
      canvas.apply(header, unpack(header, payload));
      expect(rgb(canvas.pixels, false).equals(rgb(pictures[i], true)), `picture ${i}`).toBe(true);
    }
    expect(pictures.length).toBe(3);
  });

  it('are refused when their content is cut or left over', () => {
    const {header, payload} = parse(pieces('updates.bin')[0]);
    for (let part = 1; part <= 3; ++part) {
      for (const change of [-3, 3]) {
        const canvas = new Canvas(SLOTS);
        canvas.reset(150, 100);
        const parts = unpack(header, payload);
        const changed = new Uint8Array(parts[part].length + change);
        changed.set(parts[part].subarray(0, changed.length));
        parts[part] = changed;
        expect(() => canvas.apply(header, parts), `part ${part} ${change}`).toThrow();
      }
    }
  });

  it('are refused when they are older than the picture, or recall what was not stored', () => {
    const canvas = new Canvas(SLOTS);
    canvas.reset(150, 100);
    const [first, second] = pieces('updates.bin').map(parse);
    canvas.apply(second.header, unpack(second.header, second.payload));
    const parts = unpack(first.header, first.payload);
    expect(() => canvas.apply(first.header, parts)).toThrow(/older/);
    const nothing = [Uint8Array.of(0x02, 0x00, 0x01), new Uint8Array(), new Uint8Array(), new Uint8Array(), new Uint8Array()];
    expect(() => canvas.apply(second.header, nothing)).toThrow(/stored/);
  });
});

describe('sizes', () => {
  const header = (fields: object): string => JSON.stringify({type: 'update', number: 1, time: 0, sizes: [1], packed: [9], ...fields});

  it.each<[string, object]>([
    ['a negative number', {number: -1}],
    ['no number', {number: undefined}],
    ['a time that is text', {time: '0'}],
    ['six sizes', {sizes: [1, 1, 1, 1, 1, 1]}],
    ['a size with a fraction', {sizes: [1.5]}],
    ['more streams than parts', {packed: [1, 2]}],
    ['fewer streams than parts', {sizes: [1, 1, 1], packed: [1, 2]}],
    ['latents without a scale', {sizes: [1, 0, 0, 0, 64]}],
    ['a scale of 0', {sizes: [1, 0, 0, 0, 64], scale: 0}],
  ])('refuses %s', (_what, fields) => {
    expect(() => parseServerMessage(header(fields))).toThrow();
  });

  it('refuses parts that the screen cannot need, before taking memory', () => {
    const {grid} = new Canvas(0);
    const parsed = parseServerMessage(header({sizes: [1, 100_000_000], packed: [9]})) as UpdateHeader;
    expect(() => checkPartSizes(parsed, grid, 1, 9)).toThrow(/larger/);
    const bomb = parseServerMessage(header({sizes: [60_000], packed: [9]})) as UpdateHeader;
    expect(() => checkPartSizes(bomb, grid, 1, 9)).toThrow(/too short/);
  });

  it('refuses messages that are cut, and headers that are too long or too deep', () => {
    expect(() => splitMessage(new ArrayBuffer(3))).toThrow();
    expect(() => splitMessage(Uint8Array.of(0, 0, 0, 9, 0x7b, 0x7d).buffer)).toThrow();
    expect(() => splitMessage(Uint8Array.of(0, 1, 0, 1, 0x7b, 0x7d).buffer)).toThrow();
    expect(() => parseServerMessage('{"type":"notice","text":"a","deep":[[[[[[[[[]]]]]]]]]}')).toThrow(/deep/);
    expect(() => parseServerMessage('{"type":"weather"}')).toThrow(/unknown/);
  });
});
