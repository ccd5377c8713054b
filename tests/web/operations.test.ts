// The parser of operations against bytes written by hand from docs/protocol.md.

import {describe, expect, it} from 'vitest';
import {Kind, parseOperations} from '../../client/web/src/operations';
import {TileGrid} from '../../client/web/src/tiles';

const GRID = new TileGrid(150, 100); // 3 x 2 tiles
const SLOTS = 4;
const parse = (...bytes: number[]) => parseOperations(Uint8Array.from(bytes), GRID, SLOTS);

describe('operations', () => {
  it('reads every kind', () => {
    const operations = parse(
      0x00, 0x04, 0x03, // store: tile +2, slot 3
      0x01, 0x0a, 0x14, 0x64, 0x1e, 0x01, 0x06, // copy: x 10, y 20, 100 x 30, from (-1, +3)
      0x12, 0x03, 1, 2, 3, 4, 5, 6, 7, 8, 0x00, // recall: tile -2, full mask, slot 0
      0x03, 0x00, // solid: the same tile, whole
      0x0c, 0x02, 0x51, 0x04, 0x0c, // palette: tile +1, rectangle x 1, y 2, 2 x 3, 13 colours
      0x05, 0x08, 0x3f, // pixels: tile +4, error 63
      0x06, 0x09, // latents: tile -5
    );
    expect(operations.map(({kind}) => kind)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(operations.filter(({kind}) => kind !== Kind.copy).map(({tile}) => tile)).toEqual([2, 0, 0, 1, 5, 0]);
    expect(operations[0].slot).toBe(3);
    expect(operations[1]).toMatchObject({x: 10, y: 20, width: 100, height: 30, dx: -1, dy: 3});
    expect([...operations[2].mask]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...operations[3].mask]).toEqual(Array(8).fill(0xff));
    expect([...operations[4].mask]).toEqual([0, 0, 6, 6, 6, 0, 0, 0]);
    expect(operations[4].colours).toBe(13);
    expect(operations[5].error).toBe(63);
    expect(operations[6].kind).toBe(Kind.latents);
  });

  it.each<[string, number[]]>([
    ['an unknown kind', [0x07, 0x00]],
    ['an unknown form', [0x1b, 0x00]],
    ['bits that must be 0', [0x23, 0x00]],
    ['a mask where none belongs', [0x08, 0x00, 0, 0, 0]],
    ['a tile beyond the last', [0x03, 0x0c]],
    ['a tile before the first', [0x03, 0x01]],
    ['a slot that was not offered', [0x00, 0x00, 0x04]],
    ['an error above 63', [0x05, 0x00, 0x40]],
    ['a mask that leaves its tile', [0x0b, 0x00, 0xc7, 0x01]],
    ['a mask with more than 12 bits', [0x0b, 0x00, 0x00, 0x10]],
    ['a copy of nothing', [0x01, 0, 0, 0, 1, 0, 0]],
    ['a copy to beyond the screen', [0x01, 0xff, 0x01, 0x00, 0x01, 0x01, 0x00, 0x00]],
    ['a copy from beyond the screen', [0x01, 0, 0, 1, 1, 0x01, 0]],
    ['a number of six bytes', [0x03, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]],
    ['a copy after a recall', [0x02, 0x00, 0x00, 0x01, 0, 0, 1, 1, 0, 0]],
    ['a recall after content', [0x03, 0x00, 0x02, 0x00, 0x00]],
    ['an end in the middle', [0x04, 0x00]],
  ])('refuses %s', (_what, bytes) => {
    expect(() => parse(...bytes)).toThrow();
  });

  it('keeps nothing of an earlier update', () => {
    parse(0x12, 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 0x03, 0x26, 0x02); // recall; latents, drawn
    const [palette, latents] = parse(0x0c, 0x04, 0x51, 0x04, 0x0c, 0x06, 0x00);
    expect(palette).toMatchObject({kind: Kind.palette, tile: 2, colours: 13, drawn: false});
    expect([...palette.mask]).toEqual([0, 0, 6, 6, 6, 0, 0, 0]);
    expect(latents).toMatchObject({kind: Kind.latents, tile: 2, drawn: false});
    expect([...latents.mask]).toEqual(Array(8).fill(0xff));
  });

  it('takes content in any order', () => {
    expect(parse(0x06, 0x00, 0x03, 0x00, 0x05, 0x00, 0x00).length).toBe(3);
  });
});
