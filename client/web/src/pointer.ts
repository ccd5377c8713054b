// Mouse, pen and touch.

import type {InputEvent} from './input_events';
import {Buttons, Wheel} from './pointing';
import type {View} from './view';

export interface PointerEvents {
  send(events: InputEvent[]): void;
  /** Whether what is done is for the desktop. */
  takesPointer(): boolean;
  /** Of any kind, before what it does is sent. */
  seen(event: PointerEvent): void;
  pressed(): void;
}

export class Pointer {
  private readonly buttons = new Buttons();
  private readonly wheel = new Wheel();
  private last = '';

  constructor(private readonly target: HTMLElement, private readonly view: View, private readonly events: PointerEvents) {
    for (const name of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel'] as const) {
      target.addEventListener(name, (event) => this.point(event));
    }
    target.addEventListener('wheel', (event) => this.turn(event), {passive: false});
    // No menu, no history, no scrolling by the middle button.
    for (const name of ['contextmenu', 'mousedown', 'mouseup', 'auxclick', 'dragstart']) {
      target.addEventListener(name, (event) => this.events.takesPointer() && event.preventDefault());
    }
  }

  /** All buttons are up; whether any was down. */
  release(): boolean {
    const {any} = this.buttons;
    this.buttons.change(0);
    this.last = '';
    return any;
  }

  private point(event: PointerEvent): void {
    this.events.seen(event);
    if (event.type === 'pointerdown') {
      this.events.pressed();
      event.preventDefault(); // the focus stays with the keyboard
    }
    // A second finger does nothing.
    if (!event.isPrimary || !this.events.takesPointer()) return;
    if (event.type === 'pointerdown') this.target.setPointerCapture(event.pointerId);
    const [x, y] = this.view.toDesktop(event.clientX, event.clientY);
    const place = `${x} ${y}`;
    // A press says where it is: moves do not count before this viewer has control.
    const moves: InputEvent[] = place === this.last && event.type !== 'pointerdown' ? [] : [['move', x, y]];
    this.last = place;
    const changes = this.buttons.change(event.type === 'pointercancel' ? 0 : event.buttons);
    if (moves.length + changes.length > 0) this.events.send([...moves, ...changes]);
  }

  private turn(event: WheelEvent): void {
    if (!this.events.takesPointer()) return;
    event.preventDefault();
    const events = this.wheel.turn(event);
    if (events.length > 0) this.events.send(events);
  }
}
