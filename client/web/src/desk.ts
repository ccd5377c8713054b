// What a person does with the desktop: whose input counts, and what goes where.

import type {ControlState, ToPage} from './channel';
import {SharedClipboard} from './clipboard';
import {Cursor} from './cursor';
import type {InputEvent} from './input_events';
import {Keyboard} from './keyboard';
import {byId, tell} from './page';
import {Pointer} from './pointer';
import {View} from './view';

const CONTROL_TEXT: Record<ControlState, [mode: string, button: string, help: string]> = {
  none: ['view only', '', 'Keyboard and pointer are not sent to the desktop'],
  free: ['free', 'Take control', 'Who types or clicks first has control'],
  yours: ['in control', 'Give control', 'Keyboard and pointer are sent to the desktop; Ctrl+Alt+Shift leads back to this bar'],
  taken: ['looking on', 'Take control', 'Another viewer has control'],
};

export class Desk {
  readonly view: View;
  private readonly keyboard: Keyboard;
  private readonly pointer: Pointer;
  private readonly cursor: Cursor;
  private readonly clipboard: SharedClipboard;
  private control: ControlState = 'none';
  private isOpen = false;
  private hasClipboard = false;

  /** `leave`: where the focus goes when the desktop is left by keyboard. */
  constructor(leave: () => void) {
    const send = (events: InputEvent[]): void => tell({type: 'input', events});
    const desktop = byId('desktop');
    this.view = new View(
      (width, height) => this.wishSize(width, height),
      () => this.cursor?.apply(),
    );
    this.cursor = new Cursor(desktop, this.view);
    this.clipboard = new SharedClipboard(
      (text) => tell({type: 'clipboard', text}),
      () => this.hasClipboard && this.isActive,
    );
    this.keyboard = new Keyboard(byId('keys'), {
      send,
      takesKeys: () => this.isActive,
      leave: () => {
        this.release();
        leave();
      },
      pasted: (text) => this.clipboard.offer(text),
    });
    this.pointer = new Pointer(desktop, this.view, {
      send,
      takesPointer: () => this.isActive,
      seen: (event) => this.isActive && this.keyboard.reconcile(event),
      pressed: () => this.keyboard.focus(),
    });
    this.listen();
  }

  take(message: ToPage): void {
    if (message.type === 'control') this.setControl(message.state);
    if (message.type === 'cursor') this.cursor.setShape(message.shape);
    if (message.type === 'pointer') this.cursor.setPlace([message.x, message.y]);
    if (message.type === 'clipboard') this.clipboard.received(message.text);
    if (message.type === 'size') this.view.setSize(message.width, message.height);
    if (message.type === 'state') this.setOpen(message.state === 'open' || message.state === 'silent');
    if (message.type === 'server') this.setServer(message.clipboard);
  }

  /** Input as if it had been done here. */
  type(events: InputEvent[]): void {
    if (this.isActive) tell({type: 'input', events});
    this.keyboard.focus();
  }

  toggleControl(): void {
    const take = this.control !== 'yours';
    if (!take) this.release();
    tell({type: 'control', take});
    if (take) this.keyboard.focus();
  }

  private get isActive(): boolean {
    return this.isOpen && (this.control === 'yours' || this.control === 'free');
  }

  private listen(): void {
    addEventListener('blur', () => this.release());
    byId('stage').addEventListener('click', () => this.keyboard.focus());
    byId('keys').addEventListener('blur', () => this.release());
    document.addEventListener('visibilitychange', () => document.hidden && this.release());
  }

  private release(): void {
    const events = this.keyboard.release();
    if (this.pointer.release() || events.length > 0) tell({type: 'input', events: [['release']]});
  }

  private setOpen(isOpen: boolean): void {
    if (this.isOpen === isOpen) return;
    this.isOpen = isOpen;
    this.keyboard.release();
    this.pointer.release();
    if (!isOpen) this.cursor.setPlace(null);
    this.changed();
  }

  private setServer(hasClipboard: boolean): void {
    this.hasClipboard = hasClipboard;
    this.setControl('none'); // until it tells
  }

  private setControl(state: ControlState): void {
    const gained = state === 'yours' && this.control !== 'yours';
    if (this.control === 'yours' && state !== 'yours') {
      this.keyboard.release();
      this.pointer.release();
    }
    this.control = state;
    this.changed();
    if (!gained) return;
    this.view.wishAgain();
    void this.clipboard.read(false);
  }

  private changed(): void {
    const [mode, button, help] = CONTROL_TEXT[this.control];
    document.documentElement.dataset.control = this.control;
    byId('mode').textContent = mode;
    byId('mode').title = help;
    byId('control').textContent = button;
    byId('control').hidden = button === '';
    byId<HTMLButtonElement>('attention').disabled = !this.isActive;
    byId<HTMLButtonElement>('clipboard').disabled = !this.hasClipboard || this.control === 'none';
    this.cursor.setOurs(this.isActive);
    if (this.isActive && document.activeElement === document.body) this.keyboard.focus();
  }

  /** Who has no control is not heard; when nobody has it, it is taken. */
  private wishSize(width: number, height: number): void {
    if (this.control === 'free') return tell({type: 'control', take: true}); // and asks again, having it
    if (this.control === 'yours') tell({type: 'size', width, height});
  }
}
