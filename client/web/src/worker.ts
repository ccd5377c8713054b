// Everything but the page's controls: connection, unpacking, decoding, drawing. Runs off the page's thread.

import type {ToPage, ToWorker} from './channel';
import {Connection} from './connection';
import {loadDecoder, type LatentDecoder} from './decoder';
import {InputSender} from './input_sender';
import {Presenter} from './presenter';
import {Session} from './session';
import {now, Statistics} from './statistics';

const FIGURES_PERIOD_MS = 500;

const tell = (message: ToPage): void => self.postMessage(message);

class Viewer {
  private readonly statistics = new Statistics();
  private readonly presenter: Presenter;
  private readonly connection: Connection;
  private readonly input: InputSender;
  private session: Session | null = null;
  private readonly decoders = new Map<string, Promise<LatentDecoder | null>>();
  private quality: number | undefined;

  constructor(canvas: OffscreenCanvas, private readonly page: string, private token: string | undefined, viewOnly: boolean) {
    this.presenter = new Presenter(canvas);
    this.connection = new Connection(page, {
      begin: () => {
        this.input.reset();
        this.session ??= this.newSession();
        const view_only = viewOnly ? (true as const) : undefined;
        return {receiver: this.session, hello: {...this.session.hello(), token: this.token, view_only}};
      },
      broken: () => (this.session = null),
      state: (state, text) => tell({type: 'state', state, text}),
    });
    const {connection} = this;
    this.input = new InputSender({
      get unsentBytes() {
        return connection.unsentBytes;
      },
      sendInput: (events) => connection.send({type: 'input', events}),
      sayAlive: () => connection.send({type: 'ping', time: now()}),
    });
    setInterval(() => tell({type: 'figures', figures: this.statistics.figures()}), FIGURES_PERIOD_MS);
    this.connection.connect();
  }

  take(message: Exclude<ToWorker, {type: 'start'}>): void {
    const {connection} = this;
    if (message.type === 'connect') this.connect(message.token);
    else if (message.type === 'input') this.input.push(message.events);
    else if (message.type === 'clipboard') connection.send({type: 'clipboard'}, new TextEncoder().encode(message.text));
    else connection.send(message);
    if (message.type === 'quality') this.quality = message.value;
  }

  private connect(token: string | undefined): void {
    this.token = token ?? this.token;
    this.connection.connect();
  }

  private newSession(): Session {
    return new Session({
      presenter: this.presenter,
      statistics: this.statistics,
      decoder: (version) => {
        // hello has come: what was wished of an earlier connection is told to this one.
        if (this.quality !== undefined) this.connection.send({type: 'quality', value: this.quality});
        return this.decoderFor(version);
      },
      send: (message) => this.connection.send(message),
      tell,
    });
  }

  /** The server offers the decoder under its model's version, so no other can be taken for it. */
  private decoderFor(version: string): Promise<LatentDecoder | null> {
    const loaded = this.decoders.get(version) ?? this.load(version);
    this.decoders.set(version, loaded);
    return loaded;
  }

  private async load(version: string): Promise<LatentDecoder | null> {
    tell({type: 'decoder', text: 'loading', failed: false});
    try {
      const decoder = await loadDecoder(new URL(`decoder/${encodeURIComponent(version)}`, this.page).href, version);
      tell({type: 'decoder', text: decoder.description, failed: false});
      return decoder;
    } catch (error) {
      this.decoders.delete(version);
      tell({type: 'decoder', text: error instanceof Error ? error.message : String(error), failed: true});
      return null;
    }
  }
}

let viewer: Viewer | undefined;
self.onmessage = ({data}: MessageEvent<ToWorker>) => {
  if (data.type === 'start') viewer = new Viewer(data.canvas, data.page, data.token, data.viewOnly);
  else viewer?.take(data);
};
