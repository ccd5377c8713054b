// Messages of latentdesk.2 other than what is inside an update: framing, headers, limits. docs/protocol.md is the norm.
//
//   offset  size  field
//   0       4     n: length of the header, unsigned, big-endian
//   4       n     header: one JSON object, UTF-8
//   4+n     ...   payload

import type {ControlState} from './channel';
import type {CursorHeader, ServerHello, ServerMessage} from './messages';
import {TILE_LATENTS, TILE_PIXELS, type TileGrid} from './tiles';

export class ProtocolError extends Error {}

export const SUBPROTOCOL = 'latentdesk.2';
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const MAX_HEADER_BYTES = 65536;
const MAX_SLOTS = 65536;
const MAX_DEPTH = 8;
export const MAX_SIDE = 16384; // of a screen
const MAX_PIXELS = 2 ** 25;
const MAX_TIME = 1e15;
const UTF8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});
const MAX_TEXT = 4096;
const MAX_CURSOR_SIDE = 256;
const MAX_SESSION_NAME = 64;
export const MAX_CLIPBOARD_BYTES = 1 << 20;
const MAX_DEFLATE_RATIO = 1032; // DEFLATE yields at most so many bytes for each of its own
export const MAX_LATENT_CHANNELS = 256;

export const enum Part {
  operations,
  colours,
  indices,
  residuals,
  latents,
}
const PARTS = 5;
export const ZLIB_PARTS = 3; // the first ones; the others are by range coders

export interface UpdateHeader {
  type: 'update';
  number: number;
  time: number;
  sizes: number[]; // PARTS of them
  packed: number[];
  scale: number; // 0 without latents
}

/** The same framing. */
export function joinMessage(header: object, payload: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const message = new Uint8Array(4 + text.length + payload.length);
  new DataView(message.buffer).setUint32(0, text.length);
  message.set(text, 4);
  message.set(payload, 4 + text.length);
  return message;
}

export function splitMessage(message: ArrayBuffer): {header: string; payload: Uint8Array} {
  if (message.byteLength > MAX_MESSAGE_BYTES) throw new ProtocolError('the message is too long');
  if (message.byteLength < 4) throw new ProtocolError('the message has no header');
  const length = new DataView(message).getUint32(0);
  if (length > MAX_HEADER_BYTES) throw new ProtocolError('the header is too long');
  if (4 + length > message.byteLength) throw new ProtocolError('the message is shorter than its header');
  try {
    const header = UTF8.decode(new Uint8Array(message, 4, length));
    return {header, payload: new Uint8Array(message, 4 + length)};
  } catch {
    throw new ProtocolError('the header is no UTF-8');
  }
}

type Fields = Record<string, unknown>;

function parseObject(text: string): Fields {
  let object: unknown;
  try {
    object = JSON.parse(text);
  } catch {
    throw new ProtocolError('the header is no JSON');
  }
  if (typeof object !== 'object' || object === null || Array.isArray(object)) throw new ProtocolError('the header is no object');
  checkDepth(object, MAX_DEPTH);
  return object as Fields;
}

function checkDepth(value: object, depth: number): void {
  if (depth === 0) throw new ProtocolError('the header is nested too deeply');
  for (const child of Object.values(value)) {
    if (typeof child === 'object' && child !== null) checkDepth(child, depth - 1);
  }
}

function number(fields: Fields, name: string, min: number, max: number): number {
  const value = fields[name];
  if (typeof value !== 'number' || !(value >= min && value <= max)) {
    throw new ProtocolError(`${name} is missing, no number or out of range`);
  }
  return value;
}

function integer(fields: Fields, name: string, min: number, max: number): number {
  const value = number(fields, name, min, max);
  if (!Number.isSafeInteger(value)) throw new ProtocolError(`${name} is no integer`);
  return value;
}

function text(fields: Fields, name: string, maxLength: number): string {
  const value = fields[name];
  if (typeof value !== 'string' || value.length > maxLength) throw new ProtocolError(`${name} is missing, no string or too long`);
  return value;
}

const time = (fields: Fields, name: string): number => number(fields, name, -MAX_TIME, MAX_TIME);

function sizes(fields: Fields, name: string): number[] {
  const values = fields[name];
  if (!Array.isArray(values) || values.length > PARTS) throw new ProtocolError(`${name} is missing or no short array`);
  for (const value of values) {
    if (!Number.isSafeInteger(value) || value < 0 || value > 4 * MAX_MESSAGE_BYTES) {
      throw new ProtocolError(`${name} holds what is no size`);
    }
  }
  return values as number[];
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const notEmpty = (values: readonly number[]): number => values.filter((size) => size > 0).length;

function parseUpdate(fields: Fields): UpdateHeader {
  const named = sizes(fields, 'sizes');
  const packed = sizes(fields, 'packed');
  const all = [...named, ...new Array<number>(PARTS - named.length).fill(0)];
  const zlib = notEmpty(all.slice(0, ZLIB_PARTS)), coded = notEmpty(all.slice(ZLIB_PARTS));
  if (packed.length !== coded + zlib && packed.length !== coded + Math.min(zlib, 1)) {
    throw new ProtocolError('packed does not belong to sizes');
  }
  const scale = all[Part.latents] > 0 ? number(fields, 'scale', Number.MIN_VALUE, 1e6) : 0;
  const state = integer(fields, 'number', 0, Number.MAX_SAFE_INTEGER);
  return {type: 'update', number: state, time: time(fields, 'time'), sizes: all, packed, scale};
}

function parseResize(fields: Fields): ServerMessage {
  const width = integer(fields, 'width', 1, MAX_SIDE), height = integer(fields, 'height', 1, MAX_SIDE);
  if (width * height > MAX_PIXELS) throw new ProtocolError('the screen has too many pixels');
  return {type: 'resize', width, height};
}

const flag = (fields: Fields, name: string): boolean => {
  const value = fields[name] ?? false;
  if (typeof value !== 'boolean') throw new ProtocolError(`${name} is neither true nor false`);
  return value;
};

function parseHello(fields: Fields): ServerHello {
  return {
    type: 'hello',
    modelVersion: text(fields, 'model_ver', 128),
    device: text(fields, 'device', MAX_TEXT),
    time: time(fields, 'time'),
    slots: integer(fields, 'slots', 0, MAX_SLOTS),
    session: fields.session === undefined ? '' : text(fields, 'session', MAX_SESSION_NAME),
    resumed: flag(fields, 'resumed'),
    clipboard: flag(fields, 'clipboard'),
    resizable: flag(fields, 'resizable'),
  };
}

function controlState(fields: Fields): ControlState {
  const state = text(fields, 'state', MAX_TEXT);
  if (state === 'none' || state === 'free' || state === 'yours' || state === 'taken') return state;
  throw new ProtocolError('unknown state of control');
}

function parseCursor(fields: Fields): CursorHeader {
  const width = integer(fields, 'width', 0, MAX_CURSOR_SIDE), height = integer(fields, 'height', 0, MAX_CURSOR_SIDE);
  if ((width === 0) !== (height === 0)) throw new ProtocolError('the pointer has a width or a height alone');
  const x = integer(fields, 'x', 0, Math.max(width - 1, 0)), y = integer(fields, 'y', 0, Math.max(height - 1, 0));
  return {type: 'cursor', width, height, x, y};
}

/** Of a `clipboard`. */
export function clipboardText(payload: Uint8Array): string {
  if (payload.length > MAX_CLIPBOARD_BYTES) throw new ProtocolError('the clipboard is too long');
  try {
    return UTF8.decode(payload);
  } catch {
    throw new ProtocolError('the clipboard is no UTF-8');
  }
}

/** Throws ProtocolError for an unknown type, and for a field that is missing, of another type or out of range. */
export function parseServerMessage(header: string): ServerMessage {
  const fields = parseObject(header);
  const type = text(fields, 'type', MAX_HEADER_BYTES);
  switch (type) {
    case 'update':
      return parseUpdate(fields);
    case 'ping':
      return {type, time: time(fields, 'time')};
    case 'pong':
      return {type, time: time(fields, 'time'), received: time(fields, 'received'), sent: time(fields, 'sent')};
    case 'resize':
      return parseResize(fields);
    case 'notice':
      return {type, text: text(fields, 'text', MAX_TEXT)};
    case 'bye':
      return {type, reason: text(fields, 'reason', MAX_TEXT)};
    case 'hello':
      return parseHello(fields);
    case 'control':
      return {type, state: controlState(fields)};
    case 'cursor':
      return parseCursor(fields);
    case 'pointer':
      return {type, x: integer(fields, 'x', 0, MAX_SIDE), y: integer(fields, 'y', 0, MAX_SIDE)};
    case 'clipboard':
      return {type};
    default:
      throw new ProtocolError('unknown message type ' + type.slice(0, 20));
  }
}

/** Throws ProtocolError when a part is larger than such a screen can need, before memory is taken for it. */
export function checkPartSizes(header: UpdateHeader, grid: TileGrid, latentChannels: number, payload: number): void {
  const pixels = grid.tiles * TILE_PIXELS;
  const limits = [grid.tiles * 256 + 65536, pixels * 3, pixels, pixels * 3, grid.tiles * TILE_LATENTS * latentChannels];
  if (header.sizes.some((size, part) => size > limits[part])) {
    throw new ProtocolError('a part is larger than the screen can need');
  }
  if (header.sizes[Part.residuals] % 3 !== 0) throw new ProtocolError('planes are not of one length');
  if (sum(header.packed) !== payload) throw new ProtocolError('packed does not belong to the payload');
  const inflated = sum(header.sizes.slice(0, ZLIB_PARTS));
  if (Math.floor(inflated / MAX_DEFLATE_RATIO) > payload) throw new ProtocolError('the payload is too short for its header');
}
