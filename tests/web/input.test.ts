// Keyboard, buttons and wheel: what browsers say, and what the desktop is told.

import {describe, expect, it, vi} from 'vitest';
import {textEvents, type InputEvent} from '../../client/web/src/input_events';
import {InputSender} from '../../client/web/src/input_sender';
import {chord, Keys, systemOf, type KeyEvent} from '../../client/web/src/keys';
import {keysymOf} from '../../client/web/src/keysyms';
import {Buttons, Wheel} from '../../client/web/src/pointing';

const key = (name: string, fields: Partial<KeyEvent> = {}): KeyEvent => ({
  key: name, code: name.length === 1 ? 'Key' + name.toUpperCase() : name, location: 0, repeat: false, isComposing: false, timeStamp: 0,
  shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...fields,
});

describe('keysyms', () => {
  // By /usr/include/X11/keysymdef.h; characters beyond Latin-1 are 0x01000000 and their code point.
  it.each<[string, number, number | null]>([
    ['a', 0, 0x61], ['A', 0, 0x41], ['ü', 0, 0xfc], ['€', 0, 0x010020ac], ['안', 0, 0x0100c548], ['я', 0, 0x0100044f], ['😀', 0, 0x0101f600],
    ['Enter', 0, 0xff0d], ['Enter', 3, 0xff8d], ['Shift', 1, 0xffe1], ['Shift', 2, 0xffe2], ['AltGraph', 2, 0xfe03],
    ['5', 0, 0x35], ['5', 3, 0xffb5], ['+', 3, 0xffab], ['Home', 3, 0xff95], ['F1', 0, 0xffbe], ['F12', 0, 0xffc9], ['F35', 0, 0xffe0],
    ['F36', 0, null], ['Dead', 0, null], ['Process', 0, null], ['Unidentified', 0, null], ['constructor', 0, null], ['\u0007', 0, null],
  ])('%s at %i', (name, location, keysym) => expect(keysymOf({key: name, location})).toBe(keysym));
});

describe('keys', () => {
  it('go down once and up once, whatever repeats', () => {
    const keys = new Keys('other');
    expect(keys.down(key('a'))).toEqual([['key', 0x61, 1]]);
    expect(keys.down(key('a', {repeat: true}))).toEqual([]);
    expect(keys.up(key('a'))).toEqual([['key', 0x61, 0]]);
    expect(keys.up(key('a'))).toEqual([]);
  });

  it('go up as what they went down, whatever Shift did meanwhile', () => {
    const keys = new Keys('other');
    keys.down(key('A', {shiftKey: true}));
    expect(keys.up(key('a'))).toEqual([['key', 0x41, 0]]);
  });

  it('that became text are not typed', () => {
    const keys = new Keys('other');
    for (const event of [key('Dead'), key('Process'), key('e', {isComposing: true})]) {
      expect(keys.takes(event)).toBe(false);
      expect(keys.down(event)).toEqual([]);
    }
  });

  it('are let go by one word, if any is held', () => {
    const keys = new Keys('other');
    expect(keys.releaseAll()).toEqual([]);
    keys.down(key('Shift', {code: 'ShiftLeft', location: 1, shiftKey: true}));
    expect(keys.releaseAll()).toEqual([['release']]);
    expect(keys.up(key('Shift', {code: 'ShiftLeft', location: 1}))).toEqual([]);
  });

  it('that modify, and went up unseen, go up with the next event', () => {
    const keys = new Keys('other');
    keys.down(key('Control', {code: 'ControlLeft', location: 1, ctrlKey: true}));
    expect(keys.down(key('a'))).toEqual([['key', 0xffe3, 0], ['key', 0x61, 1]]);
  });

  it('Alt with Shift stays Alt, though X11 calls it Meta', () => {
    const keys = new Keys('other');
    keys.down(key('Shift', {code: 'ShiftLeft', location: 1, shiftKey: true}));
    expect(keys.down(key('Meta', {code: 'AltLeft', location: 1, shiftKey: true, altKey: true}))).toEqual([['key', 0xffe9, 1]]);
    expect(keys.down(key('a', {shiftKey: true, altKey: true}))).toEqual([['key', 0x61, 1]]);
  });

  it('of a keyboard on the screen go up at once', () => {
    expect(new Keys('other').down(key('q', {code: ''}))).toEqual([['key', 0x71, 1], ['key', 0x71, 0]]);
  });

  const control = (timeStamp: number): KeyEvent => key('Control', {code: 'ControlLeft', location: 1, ctrlKey: true, timeStamp});
  const altRight = (timeStamp: number): KeyEvent => key('AltGraph', {code: 'AltRight', location: 2, ctrlKey: true, altKey: true, timeStamp});

  it('AltGr of Windows is not Control and Alt', () => {
    const keys = new Keys('windows');
    expect(keys.down(control(10))).toEqual([]);
    expect(keys.isUnsettled).toBe(true);
    expect(keys.down(altRight(12))).toEqual([['key', 0xfe03, 1]]);
    expect(keys.down(key('@', {code: 'KeyQ', ctrlKey: true, altKey: true}))).toEqual([['key', 0x40, 1]]);
    expect(keys.up(control(30))).toEqual([]);
    expect(keys.up(altRight(31))).toEqual([['key', 0xfe03, 0]]);
  });

  it('Control of Windows comes before the next key, and late ones are no AltGr', () => {
    const keys = new Keys('windows');
    keys.down(control(10));
    expect(keys.down(key('c', {ctrlKey: true, timeStamp: 20}))).toEqual([['key', 0xffe3, 1], ['key', 0x63, 1]]);
    expect(keys.up(control(30))).toEqual([['key', 0xffe3, 0]]);
    keys.down(control(100));
    expect(keys.down(altRight(300))).toEqual([['key', 0xffe3, 1], ['key', 0xfe03, 1]]);
  });

  it('on a Mac Command is Alt, Option is AltGr, and what Command swallowed goes up with it', () => {
    const keys = new Keys('mac');
    expect(keys.down(key('Meta', {code: 'MetaLeft', location: 1, metaKey: true}))).toEqual([['key', 0xffe9, 1]]);
    keys.down(key('c', {metaKey: true}));
    expect(keys.up(key('Meta', {code: 'MetaLeft', location: 1}))).toEqual([['key', 0xffe9, 0], ['key', 0x63, 0]]);
    expect(keys.down(key('Alt', {code: 'AltLeft', location: 1, altKey: true}))).toEqual([['key', 0xfe03, 1]]);
    expect(keys.up(key('CapsLock', {altKey: true}))).toEqual([['key', 0xffe5, 1], ['key', 0xffe5, 0]]);
  });

  it('of a chord go up in turn', () => {
    expect(chord(1, 2)).toEqual([['key', 1, 1], ['key', 2, 1], ['key', 2, 0], ['key', 1, 0]]);
  });

  it('know the system', () => {
    expect(['MacIntel', 'Win32', 'Linux x86_64'].map(systemOf)).toEqual(['mac', 'windows', 'other']);
  });
});

describe('text', () => {
  it('is cut between characters, at most 1,024 bytes each', () => {
    const events = textEvents('안'.repeat(400));
    expect(events.map(([, text]) => Buffer.byteLength(String(text)))).toEqual([1023, 177]);
    expect(textEvents('')).toEqual([]);
  });
});

describe('buttons', () => {
  it('are told by their changes, in X11\'s numbers', () => {
    const buttons = new Buttons();
    expect(buttons.change(1)).toEqual([['button', 1, 1]]);
    expect(buttons.change(1 | 2 | 4)).toEqual([['button', 3, 1], ['button', 2, 1]]);
    expect(buttons.change(16)).toEqual([['button', 1, 0], ['button', 3, 0], ['button', 2, 0], ['button', 9, 1]]);
    expect(buttons.change(0)).toEqual([['button', 9, 0]]);
  });
});

describe('the wheel', () => {
  const turn = (wheel: Wheel, deltaY: number, deltaMode = 0, timeStamp = 0, deltaX = 0): InputEvent[] =>
    wheel.turn({deltaX, deltaY, deltaMode, timeStamp});

  it.each<[string, number, number]>([['Windows', 100, 0], ['Linux', 120, 0], ['Firefox', 3, 1], ['a slow one', 48, 0]])(
    'of %s turns by one notch',
    (_where, delta, mode) => expect(turn(new Wheel(), delta, mode)).toEqual([['scroll', 0, 1]]),
  );

  it('adds up fractions until there is a pause', () => {
    const wheel = new Wheel();
    const steps = [1, 2, 3, 4, 5, 6, 7, 8].map((i) => turn(wheel, 30, 0, i * 16));
    expect(steps.flat()).toEqual([['scroll', 0, 1], ['scroll', 0, 1]]);
    expect(turn(wheel, 30, 0, 5000)).toEqual([]);
  });

  it('turns both ways, sideways, by pages, and no more than the protocol takes', () => {
    const wheel = new Wheel();
    expect(turn(wheel, -100)).toEqual([['scroll', 0, -1]]);
    expect(turn(wheel, 100, 0, 1)).toEqual([['scroll', 0, 1]]);
    expect(turn(new Wheel(), 0, 0, 0, -200)).toEqual([['scroll', -2, 0]]);
    expect(turn(new Wheel(), 1, 2)).toEqual([['scroll', 0, 10]]);
    expect(turn(new Wheel(), 1e9)).toEqual([['scroll', 0, 100]]);
  });
});

describe('the sender', () => {
  function sender() {
    const channel = {unsentBytes: 0, sent: [] as InputEvent[][], alive: 0, sendInput: (events: InputEvent[]) => channel.sent.push(events), sayAlive: () => ++channel.alive};
    return {channel, input: new InputSender(channel)};
  }

  it('merges consecutive moves where the network does not keep up, and nothing else', () => {
    vi.useFakeTimers();
    const {channel, input} = sender();
    channel.unsentBytes = 1e6;
    input.push([['move', 1, 1], ['move', 2, 2], ['button', 1, 1]]);
    input.push([['move', 3, 3]]);
    input.push([['move', 4, 4], ['button', 1, 0]]);
    expect(channel.sent).toEqual([]);
    channel.unsentBytes = 0;
    vi.advanceTimersByTime(20);
    expect(channel.sent).toEqual([[['move', 2, 2], ['button', 1, 1], ['move', 4, 4], ['button', 1, 0]]]);
    vi.useRealTimers();
  });

  it('says that it lives while something is held', () => {
    vi.useFakeTimers();
    const {channel, input} = sender();
    input.push([['key', 0x61, 1]]);
    vi.advanceTimersByTime(1600);
    expect(channel.alive).toBe(3);
    input.push([['key', 0x61, 0]]);
    vi.advanceTimersByTime(1600);
    expect(channel.alive).toBe(3);
    input.push([['button', 1, 1], ['release']]);
    vi.advanceTimersByTime(1600);
    expect(channel.alive).toBe(3);
    vi.useRealTimers();
  });

  it('sends at most 256 events at once', () => {
    const {channel, input} = sender();
    input.push(Array.from({length: 300}, (): InputEvent => ['key', 0x61, 1]));
    expect(channel.sent.map((events) => events.length)).toEqual([256, 44]);
    input.reset();
  });
});
