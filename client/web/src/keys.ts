// Which keys are down, and what is said of them: keyboard events in, input events out. Knows what browsers and systems get wrong.

import type {InputEvent} from './input_events';
import {KEYSYM, keysymOf} from './keysyms';

/** What of a KeyboardEvent is looked at. */
export interface KeyEvent {
  key: string;
  code: string;
  location: number;
  repeat: boolean;
  isComposing: boolean;
  timeStamp: number;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

export type Modifiers = Pick<KeyEvent, 'shiftKey' | 'ctrlKey' | 'altKey' | 'metaKey'>;
export type System = 'mac' | 'windows' | 'other';

interface Held {
  keysym: number;
  key: string;
}

// Windows says Control and then AltGr for AltGr, both within this time.
const ALT_GR_MS = 50;
const MODIFIER_FLAGS: Record<string, keyof Modifiers> = {Shift: 'shiftKey', Control: 'ctrlKey', Alt: 'altKey', Meta: 'metaKey'};

export function systemOf(platform: string): System {
  if (/mac|iphone|ipad/i.test(platform)) return 'mac';
  return /win/i.test(platform) ? 'windows' : 'other';
}

export class Keys {
  private readonly held = new Map<string, Held>(); // by KeyboardEvent.code
  private control: KeyEvent | null = null; // that may turn out to be AltGr

  constructor(private readonly system: System) {}

  /** Whether it is one that `down` will turn into input; else it may become text, which the browser then says. */
  takes(event: KeyEvent): boolean {
    return !event.isComposing && keysymOf(event) !== null;
  }

  down(event: KeyEvent): InputEvent[] {
    if (!this.takes(event)) return [];
    const isAltGr = this.isAltGr(event);
    const before = isAltGr ? [] : this.settle();
    if (isAltGr) this.control = null;
    if (event.repeat && this.held.has(event.code)) return before;
    if (this.system === 'windows' && event.code === 'ControlLeft' && !this.held.has(event.code)) {
      this.control = event;
      return before;
    }
    return [...before, ...this.lost(event), ...this.press(event, isAltGr ? KEYSYM.levelThreeShift : this.translated(event))];
  }

  up(event: KeyEvent): InputEvent[] {
    const before = this.settle();
    // macOS says "down" when the lock goes on, and "up" when it goes off.
    if (this.system === 'mac' && event.key === 'CapsLock') return [...before, ...this.tap(keysymOf(event)!)];
    const events = [...before, ...this.lift(event.code)];
    // Windows does not say that one Shift went up while the other was down.
    if (this.system === 'windows' && event.key === 'Shift') events.push(...this.lift('ShiftLeft'), ...this.lift('ShiftRight'));
    // macOS does not say that a key went up while Command was down.
    if (this.system === 'mac' && event.key === 'Meta') for (const code of [...this.held.keys()]) events.push(...this.lift(code));
    return events;
  }

  /** Control has waited long enough for AltGr. */
  settle(): InputEvent[] {
    const {control} = this;
    this.control = null;
    return control ? this.press(control, keysymOf(control)!) : [];
  }

  get isUnsettled(): boolean {
    return this.control !== null;
  }

  /** Modifiers that went up without a word, as told by an event of any kind. */
  lost(modifiers: Modifiers): InputEvent[] {
    const gone = [...this.held].filter(([, {key}]) => key in MODIFIER_FLAGS && !modifiers[MODIFIER_FLAGS[key]]);
    return gone.flatMap(([code]) => this.lift(code));
  }

  releaseAll(): InputEvent[] {
    this.control = null;
    const any = this.held.size > 0;
    this.held.clear();
    return any ? [['release']] : [];
  }

  private isAltGr(event: KeyEvent): boolean {
    return this.control !== null && event.code === 'AltRight' && event.timeStamp - this.control.timeStamp < ALT_GR_MS;
  }

  /** On a Mac Option chooses characters, as AltGr does, and Command is what Alt is elsewhere. */
  private translated(event: KeyEvent): number {
    const keysym = keysymOf(event)!;
    if (isAlt(event)) return keysymOf({...event, key: 'Alt'})!;
    if (this.system !== 'mac') return keysym;
    if (event.key === 'Alt') return KEYSYM.levelThreeShift;
    return event.code === 'MetaLeft' ? KEYSYM.altLeft : keysym;
  }

  private press(event: KeyEvent, keysym: number): InputEvent[] {
    const {code} = event;
    const key = isAlt(event) ? 'Alt' : event.key;
    if (this.system === 'mac' && key === 'CapsLock') return this.tap(keysym);
    if (!code) return this.tap(keysym); // a keyboard on the screen, which may not say when it goes up
    const before = this.lift(code);
    this.held.set(code, {keysym, key});
    return [...before, ['key', keysym, 1]];
  }

  private lift(code: string): InputEvent[] {
    const held = this.held.get(code);
    if (!held) return [];
    this.held.delete(code);
    return [['key', held.keysym, 0]];
  }

  private tap(keysym: number): InputEvent[] {
    return [['key', keysym, 1], ['key', keysym, 0]];
  }
}

/** With Shift, Alt is another key on X11, though not another modifier. */
const isAlt = ({key, code}: KeyEvent): boolean => key === 'Meta' && code.startsWith('Alt');

/** Presses and releases, the last first up. */
export function chord(...keysyms: number[]): InputEvent[] {
  const down = keysyms.map((keysym): InputEvent => ['key', keysym, 1]);
  return [...down, ...keysyms.reverse().map((keysym): InputEvent => ['key', keysym, 0])];
}
