// Puts what has changed of the picture onto the page's canvas.

import type {Canvas} from './canvas';
import {Kind, type Operation} from './operations';
import {forEachMarkedArea, TILE_SIDE, type Rect} from './tiles';

export class Presenter {
  private readonly context: OffscreenCanvasRenderingContext2D;
  private canvas: Canvas | null = null;
  private image: ImageData | null = null;
  private changed = new Uint8Array(0); // tiles that are to be put: 1

  constructor(private readonly surface: OffscreenCanvas) {
    const context = surface.getContext('2d', {alpha: false});
    if (!context) throw new Error('this browser draws nothing off the page');
    this.context = context;
  }

  /** From now on shows this canvas, which has been reset. */
  reset(canvas: Canvas): void {
    const {width, height} = canvas.grid;
    this.canvas = canvas;
    this.changed = new Uint8Array(canvas.grid.tiles);
    this.image = new ImageData(canvas.pixels, width, height); // shares the pixels
    if (this.surface.width !== width || this.surface.height !== height) {
      this.surface.width = width;
      this.surface.height = height;
    }
    // Black only where nothing comes: after a reconnect the old picture stays until the new one is there.
  }

  /** What the operations have changed, in whole tiles: those of latents, or all others. */
  show(operations: Operation[], ofLatents: boolean): void {
    const {canvas, changed} = this;
    if (!canvas) return;
    for (const operation of operations) {
      if (operation.kind === Kind.store || (operation.kind === Kind.latents) !== ofLatents) continue;
      if (operation.kind === Kind.copy) this.markTiles(operation);
      else changed[operation.tile] = 1;
    }
    // A scrolling terminal is a hundred copies: each putImageData leaves garbage outside of JavaScript's heap, which is collected late.
    forEachMarkedArea(canvas.grid, changed, (x, y, width, height) => this.context.putImageData(this.image!, 0, 0, x, y, width, height));
  }

  private markTiles({x, y, width, height}: Rect): void {
    const {columns} = this.canvas!.grid;
    const tileAt = (pixel: number): number => Math.floor(pixel / TILE_SIDE);
    for (let row = tileAt(y); row <= tileAt(y + height - 1); ++row) {
      this.changed.fill(1, row * columns + tileAt(x), row * columns + tileAt(x + width - 1) + 1);
    }
  }
}
