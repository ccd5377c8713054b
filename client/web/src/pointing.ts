// Buttons and wheel as input events. docs/protocol.md, "Input".

import {MAX_SCROLL, type InputEvent} from './input_events';

// MouseEvent.buttons: bit to X11's number.
const BUTTONS = [1, 3, 2, 8, 9];

export class Buttons {
  private held = 0;

  get any(): boolean {
    return this.held !== 0;
  }

  /** `buttons`: MouseEvent.buttons. Pointer events tell a second button only so. */
  change(buttons: number): InputEvent[] {
    const changed = buttons ^ this.held;
    this.held = buttons;
    return BUTTONS.flatMap((button, bit): InputEvent[] =>
      (changed >> bit) & 1 ? [['button', button, ((buttons >> bit) & 1) as 0 | 1]] : [],
    );
  }
}

// What one notch of a wheel is in WheelEvent's units: pixels, lines, pages.
const NOTCH = [100, 3, 0.1];
const PAUSE_MS = 400;
// A wheel that moves the page by less than a notch's pixels still turned by a notch.
const AT_LEAST = 0.4;

export interface WheelTurn {
  deltaX: number;
  deltaY: number;
  deltaMode: number;
  timeStamp: number;
}

/** Fractions add up until they are a notch; they end with a pause and when the direction turns. */
export class Wheel {
  private readonly rest = [0, 0];
  private readonly direction = [0, 0];
  private last = -Infinity;

  turn({deltaX, deltaY, deltaMode, timeStamp}: WheelTurn): InputEvent[] {
    const isFirst = timeStamp - this.last > PAUSE_MS;
    this.last = timeStamp;
    const notches = [deltaX, deltaY].map((delta, axis) => this.add(axis, delta / (NOTCH[deltaMode] ?? NOTCH[0]), isFirst));
    return notches.some((count) => count !== 0) ? [['scroll', notches[0], notches[1]]] : [];
  }

  private add(axis: number, amount: number, isFirst: boolean): number {
    const {rest, direction} = this;
    if (isFirst || direction[axis] !== Math.sign(amount)) rest[axis] = 0;
    direction[axis] = Math.sign(amount);
    rest[axis] += amount;
    let whole = Math.trunc(rest[axis]);
    if (isFirst && whole === 0 && Math.abs(amount) >= AT_LEAST) whole = Math.sign(amount);
    whole = Math.max(-MAX_SCROLL, Math.min(MAX_SCROLL, whole));
    rest[axis] = (rest[axis] - whole) % 1;
    return whole + 0; // no -0
  }
}
