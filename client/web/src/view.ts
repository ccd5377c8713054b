// Where the desktop stands on the page, and how large.

import {byId} from './page';
import {MAX_SIDE} from './protocol';

/** `resize`: as `fit`, and the desktop is asked to have the window's size. */
export type Fit = 'fit' | '1:1' | 'resize';

const SIZE_SETTLES_MS = 250;
const SMALLEST = 64;

export class View {
  private readonly stage = byId('stage');
  private readonly canvas = byId<HTMLCanvasElement>('desktop');
  private width = 1;
  private height = 1;
  private fit: Fit = 'fit';
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wished = '';

  /** `wish` is told the pixels of the screen that there are for the desktop; `moved`, that places have changed. */
  constructor(private readonly wish: (width: number, height: number) => void, private readonly moved: () => void) {
    new ResizeObserver(() => this.windowChanged()).observe(this.stage);
    addEventListener('resize', () => this.windowChanged()); // another zoom, or another screen
    this.stage.addEventListener('scroll', moved);
  }

  setSize(width: number, height: number): void {
    Object.assign(this, {width, height});
    this.apply();
  }

  setFit(fit: Fit): void {
    this.fit = fit;
    this.wished = '';
    document.body.dataset.fit = fit;
    this.windowChanged();
  }

  /** Asks again, of a server that did not hear it or did not heed it. */
  wishAgain(): void {
    this.wished = '';
    this.windowChanged();
  }

  /** CSS pixels that a pixel of the desktop takes. */
  get scale(): number {
    return this.canvas.getBoundingClientRect().width / this.width;
  }

  /** The desktop's pixel at a place of the window, the nearest one where that is beyond. */
  toDesktop(clientX: number, clientY: number): [number, number] {
    const {left, top, width, height} = this.canvas.getBoundingClientRect();
    const within = (value: number, size: number): number => Math.max(0, Math.min(size - 1, Math.floor(value)));
    return [within(((clientX - left) / width) * this.width, this.width), within(((clientY - top) / height) * this.height, this.height)];
  }

  /** The place in the window of the desktop's pixel. */
  toWindow(x: number, y: number): [number, number] {
    const {left, top} = this.canvas.getBoundingClientRect();
    return [left + x * this.scale, top + y * this.scale];
  }

  private windowChanged(): void {
    this.apply();
    clearTimeout(this.timer);
    if (this.fit === 'resize') this.timer = setTimeout(() => this.ask(), SIZE_SETTLES_MS);
  }

  private ask(): void {
    const pixels = (css: number): number => Math.max(SMALLEST, Math.min(MAX_SIDE, Math.round(css * devicePixelRatio)));
    const width = pixels(this.stage.clientWidth), height = pixels(this.stage.clientHeight);
    if (this.wished === `${width} ${height}`) return;
    this.wished = `${width} ${height}`;
    this.wish(width, height);
  }

  /** At 1:1 a pixel of the desktop is a pixel of the screen, whatever the page's zoom. */
  private apply(): void {
    const {stage, canvas, width, height} = this;
    const room = Math.min(stage.clientWidth / width, stage.clientHeight / height);
    const exact = 1 / devicePixelRatio;
    // Within a pixel of being exact it is: a window of 1001 pixels shows 1000 better sharp than stretched.
    const nearly = Math.abs(width * room - width * exact) <= exact && Math.abs(height * room - height * exact) <= exact;
    const scale = this.fit === '1:1' || nearly ? exact : room;
    canvas.style.width = `${width * scale}px`;
    canvas.style.height = `${height * scale}px`;
    canvas.style.imageRendering = scale === exact ? 'pixelated' : '';
    this.moved();
  }
}
