// The pointer as the desktop would show it: the browser's own where it takes the picture, else a canvas that follows. Where somebody
// else moves it, it is shown as such a canvas too.

import type {CursorShape} from './channel';
import {byId} from './page';
import type {View} from './view';

// Browsers show the arrow instead of larger ones.
const LARGEST = 128;

export class Cursor {
  private readonly overlay = byId<HTMLCanvasElement>('cursor');
  private shape: CursorShape | null = null;
  private isOurs = false; // we move it
  private follows = false; // the overlay follows our pointer
  private place: [number, number] | null = null; // on the desktop, of a pointer that is not ours

  constructor(private readonly target: HTMLElement, private readonly view: View) {
    target.addEventListener('pointermove', (event) => this.moved(event));
    target.addEventListener('pointerleave', () => this.follows && (this.overlay.hidden = true));
  }

  setShape(shape: CursorShape): void {
    this.shape = shape;
    const {overlay} = this;
    overlay.width = shape.width || 1;
    overlay.height = shape.height || 1;
    if (shape.width > 0) {
      const image = new ImageData(new Uint8ClampedArray(shape.pixels), shape.width, shape.height);
      overlay.getContext('2d')!.putImageData(image, 0, 0);
    }
    this.apply();
  }

  /** Whether it is this viewer's pointer that moves the desktop's. */
  setOurs(isOurs: boolean): void {
    if (this.isOurs === isOurs) return;
    this.isOurs = isOurs;
    this.apply();
  }

  /** Moved by somebody else; null: no longer. */
  setPlace(place: [number, number] | null): void {
    this.place = place;
    this.showPlace();
  }

  /** The view has changed. */
  apply(): void {
    const {shape, target} = this;
    this.follows = false;
    if (!this.isOurs || !shape) target.style.cursor = '';
    else if (shape.width === 0) target.style.cursor = 'none';
    else target.style.cursor = this.cssCursor(shape);
    this.showPlace();
  }

  private cssCursor({width, height, x, y}: CursorShape): string {
    const ratio = devicePixelRatio;
    this.follows = Math.max(width, height) / ratio > LARGEST;
    if (this.follows) return 'none';
    const picture = `url(${this.overlay.toDataURL()})`;
    const sharp = `image-set(${picture} ${ratio}x)`;
    const takesSets = ratio !== 1 && CSS.supports('cursor', `${sharp} 0 0, default`);
    const [spotX, spotY] = takesSets ? [Math.round(x / ratio), Math.round(y / ratio)] : [x, y];
    return `${takesSets ? sharp : picture} ${spotX} ${spotY}, default`;
  }

  private moved({clientX, clientY}: PointerEvent): void {
    if (!this.isOurs) return;
    this.place = null;
    if (this.follows) this.put(clientX, clientY, 1 / devicePixelRatio);
    else this.overlay.hidden = true;
  }

  private showPlace(): void {
    const isShown = this.place !== null && (this.shape?.width ?? 0) > 0;
    if (isShown) this.put(...this.view.toWindow(...this.place!), this.view.scale);
    else if (!this.follows) this.overlay.hidden = true;
  }

  private put(left: number, top: number, scale: number): void {
    const {overlay, shape} = this;
    if (!shape) return;
    overlay.hidden = false;
    overlay.style.width = `${shape.width * scale}px`;
    overlay.style.transform = `translate(${left - shape.x * scale}px, ${top - shape.y * scale}px)`;
  }
}
