// What is put onto the page's canvas: the tiles that are marked, in few rectangles.

import {describe, expect, it} from 'vitest';
import {forEachMarkedArea, TileGrid} from '../../client/web/src/tiles';

const GRID = new TileGrid(230, 150); // 4 x 3 tiles

/** `marks`: row by row, x for a marked tile. */
function areas(marks: string): number[][] {
  const bytes = Uint8Array.from(marks.replaceAll(' ', ''), (mark) => Number(mark === 'x'));
  const rects: number[][] = [];
  forEachMarkedArea(GRID, bytes, (...rect) => rects.push(rect));
  expect([...bytes]).toEqual(Array(12).fill(0));
  return rects;
}

describe('marked tiles', () => {
  it('are one rectangle where they are one', () => {
    expect(areas('xxxx xxxx xxxx')).toEqual([[0, 0, 230, 150]]);
    expect(areas('.... .xx. .xx.')).toEqual([[64, 64, 128, 86]]);
    expect(areas('...x .... ....')).toEqual([[192, 0, 38, 64]]);
  });

  it('are several otherwise, without a tile between', () => {
    expect(areas('x..x x..x ....')).toEqual([[0, 0, 64, 128], [192, 0, 38, 128]]);
    expect(areas('xx.. xxx. ..x.')).toEqual([[0, 0, 128, 128], [128, 64, 64, 86]]);
    expect(areas('...x x... ....')).toEqual([[192, 0, 38, 64], [0, 64, 64, 64]]);
  });

  it('are none where there are none', () => {
    expect(areas('.... .... ....')).toEqual([]);
  });
});
