// The keyboard. It types into a text area that nobody sees, so that dead keys, input methods and keyboards on the screen work: what
// is no key of its own becomes text there, and is sent as such.

import {textEvents, type InputEvent} from './input_events';
import {Keys, systemOf} from './keys';

// A paste event comes right after the key that asks for it.
const PASTE_MS = 50;
const ALT_GR_MS = 100;

export interface KeyboardEvents {
  send(events: InputEvent[]): void;
  /** Whether what is typed is for the desktop. */
  takesKeys(): boolean;
  /** The keys that give the keyboard back to the page were pressed. */
  leave(): void;
  pasted(text: string): void;
}

/** Keys upon which browsers paste. */
function isPaste(event: KeyboardEvent): boolean {
  const isV = event.key.toLowerCase() === 'v' && (event.ctrlKey || event.metaKey) && !event.altKey;
  return isV || (event.key === 'Insert' && event.shiftKey) || event.key === 'Paste';
}

export class Keyboard {
  private readonly keys = new Keys(systemOf(navigator.platform));
  private composing = false;
  private leaving = false; // Control, Alt and Shift are down, and nothing else was pressed
  private held: InputEvent[] = []; // until what is to be pasted is known
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly area: HTMLTextAreaElement, private readonly events: KeyboardEvents) {
    area.addEventListener('keydown', (event) => this.down(event));
    area.addEventListener('keyup', (event) => this.up(event));
    area.addEventListener('paste', (event) => this.paste(event));
    area.addEventListener('compositionstart', () => (this.composing = true));
    area.addEventListener('compositionend', () => {
      this.composing = false;
      this.takeText();
    });
    area.addEventListener('input', () => this.takeText());
  }

  focus(): void {
    this.area.focus({preventScroll: true});
  }

  /** All goes up, as nothing more will be heard of it. */
  release(): InputEvent[] {
    this.settle();
    this.area.value = '';
    return this.keys.releaseAll();
  }

  /** Modifiers that an event of the pointer shows to be up. */
  reconcile(event: PointerEvent): void {
    this.send(this.keys.lost(event));
  }

  private down(event: KeyboardEvent): void {
    if (!this.events.takesKeys()) return;
    this.settle();
    const isModifier = ['Control', 'Alt', 'Shift', 'Meta'].includes(event.key);
    this.leaving = isModifier && event.ctrlKey && event.altKey && event.shiftKey;
    if (!this.keys.takes(event)) return; // may become text
    const events = this.keys.down(event);
    if (isPaste(event)) this.held = events;
    else {
      event.preventDefault();
      this.send(events);
    }
    if (this.held.length > 0 || this.keys.isUnsettled) {
      this.timer = setTimeout(() => this.settle(true), this.held.length > 0 ? PASTE_MS : ALT_GR_MS);
    }
  }

  private up(event: KeyboardEvent): void {
    this.settle();
    this.send(this.keys.up(event));
    if (this.leaving) this.events.leave();
    this.leaving = false;
  }

  private paste(event: ClipboardEvent): void {
    event.preventDefault();
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (text) this.events.pasted(text);
    this.settle();
  }

  /** What waited is sent before anything else. */
  private settle(late = false): void {
    clearTimeout(this.timer);
    const {held} = this;
    this.held = [];
    this.send(late ? [...held, ...this.keys.settle()] : held);
  }

  private takeText(): void {
    if (this.composing) return;
    const text = this.area.value;
    this.area.value = '';
    if (this.events.takesKeys()) this.send(textEvents(text));
  }

  private send(events: InputEvent[]): void {
    if (events.length > 0) this.events.send(events);
  }
}
