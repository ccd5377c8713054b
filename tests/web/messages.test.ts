// Headers of messages that are not updates: fields, limits, framing. docs/protocol.md is the norm.

import {describe, expect, it} from 'vitest';
import {clipboardText, joinMessage, parseServerMessage, splitMessage} from '../../client/web/src/protocol';

const parse = (fields: object) => parseServerMessage(JSON.stringify(fields));
const HELLO = {type: 'hello', model_ver: 'm-1.0', device: 'cpu', time: 1, slots: 2};

describe('messages of the server', () => {
  it('hello of a server that knows less, and of one that knows more', () => {
    const known = {type: 'hello', modelVersion: 'm-1.0', device: 'cpu', time: 1, slots: 2};
    expect(parse(HELLO)).toEqual({...known, session: '', resumed: false, clipboard: false, resizable: false});
    const more = {session: 's', resumed: true, clipboard: true, resizable: true};
    expect(parse({...HELLO, ...more})).toEqual({...known, ...more});
  });

  it('control, cursor, pointer, clipboard', () => {
    expect(parse({type: 'control', state: 'yours'})).toEqual({type: 'control', state: 'yours'});
    const cursor = {type: 'cursor', width: 24, height: 32, x: 23, y: 31};
    expect(parse(cursor)).toEqual(cursor);
    const hidden = {type: 'cursor', width: 0, height: 0, x: 0, y: 0};
    expect(parse(hidden)).toEqual(hidden);
    expect(parse({type: 'pointer', x: 5, y: 6})).toEqual({type: 'pointer', x: 5, y: 6});
    expect(parse({type: 'clipboard'})).toEqual({type: 'clipboard'});
  });

  it.each<[string, object]>([
    ['a session of no text', {...HELLO, session: 1}],
    ['a session of 65 letters', {...HELLO, session: 'x'.repeat(65)}],
    ['a flag that is none', {...HELLO, resumed: 'yes'}],
    ['a state that is none', {type: 'control', state: 'mine'}],
    ['a cursor with one side', {type: 'cursor', width: 5, height: 0, x: 0, y: 0}],
    ['a cursor that is too large', {type: 'cursor', width: 257, height: 5, x: 0, y: 0}],
    ['a cursor that points beyond itself', {type: 'cursor', width: 5, height: 5, x: 5, y: 0}],
    ['a pointer beyond any screen', {type: 'pointer', x: 16385, y: 0}],
    ['a pointer between pixels', {type: 'pointer', x: 1.5, y: 0}],
  ])('refuses %s', (_what, fields) => expect(() => parse(fields)).toThrow());
});

describe('the clipboard', () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

  it('is framed as any message, and is what was copied, to the byte', () => {
    const text = '\ufeffGrüße, 안녕, ¿qué? 42\n';
    const message = joinMessage({type: 'clipboard'}, bytes(text));
    const {header, payload} = splitMessage(message.buffer as ArrayBuffer);
    expect(JSON.parse(header)).toEqual({type: 'clipboard'});
    expect(clipboardText(payload)).toBe(text);
  });

  it('is refused where it is no UTF-8, or too long', () => {
    expect(() => clipboardText(Uint8Array.of(0xc3))).toThrow(/UTF-8/);
    expect(() => clipboardText(new Uint8Array((1 << 20) + 1))).toThrow(/long/);
  });
});
