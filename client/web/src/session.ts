// What a server tells: messages of latentdesk.2, applied to a canvas in the order in which they come. A session outlives its
// connection: the next one goes on with canvas and slots where the server still knows them.

import {Canvas} from './canvas';
import type {ToPage} from './channel';
import type {LatentDecoder} from './decoder';
import {inflate, unpack} from './inflate';
import {decodeLatents} from './latents';
import type {CursorHeader, ServerHello, ServerMessage, ViewerMessage} from './messages';
import {Kind, type Operation} from './operations';
import type {Presenter} from './presenter';
import {
  checkPartSizes,
  clipboardText,
  MAX_LATENT_CHANNELS,
  Part,
  parseServerMessage,
  ProtocolError,
  splitMessage,
  type UpdateHeader,
} from './protocol';
import {now, PeerClock, type Statistics} from './statistics';
import {TILE_LATENTS, TILE_PIXELS} from './tiles';

const SLOTS = 1024; // of 16 KiB each
const CACHE_BYTES = SLOTS * 4 * TILE_PIXELS;

export interface SessionEnvironment {
  presenter: Presenter;
  statistics: Statistics;
  /** Of the server's model; null where it cannot be had, which the user has then been told. */
  decoder(modelVersion: string): Promise<LatentDecoder | null>;
  send(message: ViewerMessage): void;
  tell(message: ToPage): void;
}

export class Session {
  private readonly canvas = new Canvas(SLOTS);
  private readonly clock = new PeerClock();
  private decoder: Promise<LatentDecoder | null> | null = null;
  private channels = MAX_LATENT_CHANNELS; // until the decoder tells
  private name = ''; // by which the server knows it; empty: not at all
  private hasSize = false;
  private isGreeted = false;
  private updates = 0; // since the server's hello

  constructor(private readonly environment: SessionEnvironment) {}

  /** What to say first on a new connection, when all that the old one brought has been handled. */
  hello(): ViewerMessage & {type: 'hello'} {
    this.isGreeted = false;
    const hello = {type: 'hello' as const, cache: CACHE_BYTES};
    return this.name && this.hasSize ? {...hello, resume: {session: this.name, updates: this.updates}} : hello;
  }

  get greeted(): boolean {
    return this.isGreeted;
  }

  /** An update has been shown. */
  get works(): boolean {
    return this.updates > 0;
  }

  /** One at a time. Throws ProtocolError; the connection must then end. `received`: when it came, by now(). */
  async handle(bytes: ArrayBuffer, received: number): Promise<void> {
    const {header, payload} = splitMessage(bytes);
    const message = parseServerMessage(header);
    if (message.type === 'hello') return this.begin(message);
    if (!this.decoder) throw new ProtocolError('no hello came first');
    if (message.type === 'update') return this.update(message, payload, bytes.byteLength);
    if (message.type === 'cursor') return this.tellCursor(message, payload);
    if (message.type === 'clipboard') return this.environment.tell({type: 'clipboard', text: clipboardText(payload)});
    this.answer(message, received);
  }

  private begin(hello: ServerHello): void {
    if (hello.slots > SLOTS) throw new ProtocolError('the server wants to store more than was offered');
    if (hello.resumed && !(this.name && this.hasSize)) throw new ProtocolError('the server resumes what was not there');
    if (this.hasSize && !hello.resumed) this.environment.tell({type: 'anew'});
    this.name = hello.session;
    this.updates = 0;
    this.hasSize = this.isGreeted = hello.resumed;
    const {device, modelVersion: model, clipboard, resizable} = hello;
    this.environment.tell({type: 'server', device, model, clipboard, resizable});
    this.decoder = this.environment.decoder(model);
    this.environment.send({type: 'ping', time: now()});
  }

  private answer(message: ServerMessage, received: number): void {
    const {environment} = this;
    if (message.type === 'resize') {
      this.canvas.reset(message.width, message.height);
      this.hasSize = this.isGreeted = true;
      environment.presenter.reset(this.canvas);
      environment.tell({type: 'size', width: message.width, height: message.height});
    } else if (message.type === 'ping') {
      environment.send({type: 'pong', time: message.time, received, sent: now()});
    } else if (message.type === 'pong') {
      this.clock.add(message.time, message.received, message.sent, received);
    } else if (message.type === 'notice' || message.type === 'control' || message.type === 'pointer') {
      environment.tell(message);
    }
  }

  private tellCursor({width, height, x, y}: CursorHeader, payload: Uint8Array): void {
    const bytes = new Uint8Array(width * height * 4);
    if (bytes.length > 0) inflate(payload, bytes);
    for (let i = 0; i < bytes.length; i += 4) [bytes[i], bytes[i + 2]] = [bytes[i + 2], bytes[i]]; // blue comes first
    this.environment.tell({type: 'cursor', shape: {width, height, x, y, pixels: new Uint8ClampedArray(bytes.buffer)}});
  }

  private async update(header: UpdateHeader, payload: Uint8Array, bytes: number): Promise<void> {
    if (!this.hasSize) throw new ProtocolError("an update came before the screen's size");
    checkPartSizes(header, this.canvas.grid, this.channels, payload.length);
    const start = performance.now();
    const parts = unpack(header, payload);
    const unpacked = performance.now();
    const operations = this.canvas.apply(header, parts);
    // What is exact is seen at once: the decoder may take a while, and at first is still to be loaded.
    this.environment.presenter.show(operations, false);
    await this.decodeLatents(header, parts[Part.latents], operations);
    this.environment.send({type: 'ack', updates: ++this.updates});
    const {offset} = this.clock;
    this.environment.statistics.add({
      latency: offset === null ? null : now() - (header.time - offset),
      bytes,
      unpack: unpacked - start,
      decode: performance.now() - unpacked,
    });
  }

  private async decodeLatents(header: UpdateHeader, packed: Uint8Array, operations: Operation[]): Promise<void> {
    const tiles = operations.filter(({kind}) => kind === Kind.latents);
    const size = header.sizes[Part.latents];
    if (tiles.length === 0) {
      if (size > 0) throw new ProtocolError('latents do not belong to the operations');
      return;
    }
    const decoder = await this.decoder;
    if (!decoder) return; // these tiles stay as they are until they are sent without loss
    this.channels = decoder.channels;
    if (size !== tiles.length * TILE_LATENTS * this.channels) throw new ProtocolError('latents do not belong to the operations');
    const latents = await decodeLatents(packed, this.channels, tiles.length);
    await decoder.decode(latents, tiles.length, header.scale, (tile, image) => this.canvas.applyLatents(tiles[tile], image));
    await this.canvas.restoreLatents(tiles, header.scale);
    this.environment.presenter.show(tiles, true);
  }
}
