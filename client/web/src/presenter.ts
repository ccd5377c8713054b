// Puts what has changed of the picture onto the page's canvas.

import type {Canvas} from './canvas';
import {Kind, type Operation} from './operations';
import type {Rect} from './tiles';

export class Presenter {
  private readonly context: OffscreenCanvasRenderingContext2D;
  private canvas: Canvas | null = null;
  private image: ImageData | null = null;

  constructor(private readonly surface: OffscreenCanvas) {
    const context = surface.getContext('2d', {alpha: false});
    if (!context) throw new Error('this browser draws nothing off the page');
    this.context = context;
  }

  /** From now on shows this canvas, which has been reset. */
  reset(canvas: Canvas): void {
    const {width, height} = canvas.grid;
    this.canvas = canvas;
    this.image = new ImageData(canvas.pixels, width, height); // shares the pixels
    if (this.surface.width !== width || this.surface.height !== height) {
      this.surface.width = width;
      this.surface.height = height;
    }
    // Black only where nothing comes: after a reconnect the old picture stays until the new one is there.
  }

  /** Tiles of all operations but copies, and the rectangles of these. */
  show(operations: Operation[]): void {
    const {canvas} = this;
    if (!canvas || operations.length === 0) return;
    const tiles = new Set<number>();
    for (const operation of operations) {
      if (operation.kind === Kind.copy) this.put(operation.to);
      else tiles.add(operation.tile);
    }
    let run: Rect | null = null; // neighbours in a row are put at once
    for (const tile of [...tiles].sort((a, b) => a - b)) {
      const rect = canvas.grid.rect(tile);
      if (run && run.y === rect.y && run.x + run.width === rect.x) {
        run.width += rect.width;
        continue;
      }
      if (run) this.put(run);
      run = rect;
    }
    if (run) this.put(run);
  }

  private put({x, y, width, height}: Rect): void {
    this.context.putImageData(this.image!, 0, 0, x, y, width, height);
  }
}
