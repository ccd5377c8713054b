// Everything but the page's controls: connection, unpacking, decoding, drawing. Runs off the page's thread.

import type {ToPage, ToWorker} from './channel';
import {Connection} from './connection';
import {LatentDecoder} from './decoder';
import {Presenter} from './presenter';
import {CACHE_BYTES, Session} from './session';
import {Statistics} from './statistics';

const FIGURES_PERIOD_MS = 500;

const tell = (message: ToPage): void => self.postMessage(message);

class Viewer {
  private readonly statistics = new Statistics();
  private readonly presenter: Presenter;
  private readonly connection: Connection;
  private readonly decoders = new Map<string, Promise<LatentDecoder | null>>();
  private quality: number | undefined;

  constructor(canvas: OffscreenCanvas, private readonly page: string, private token: string | undefined) {
    this.presenter = new Presenter(canvas);
    this.connection = new Connection(page, {
      begin: () => ({receiver: this.newSession(), hello: {type: 'hello', token: this.token, cache: CACHE_BYTES}}),
      state: (state, text) => tell({type: 'state', state, text}),
    });
    setInterval(() => tell({type: 'figures', figures: this.statistics.figures()}), FIGURES_PERIOD_MS);
    this.connection.connect();
  }

  connect(token: string | undefined): void {
    this.token = token ?? this.token;
    this.connection.connect();
  }

  setQuality(value: number): void {
    this.quality = value;
    this.connection.send({type: 'quality', value});
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
      const decoder = await LatentDecoder.load(new URL(`decoder/${encodeURIComponent(version)}.onnx`, this.page).href);
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
  if (data.type === 'start') viewer = new Viewer(data.canvas, data.page, data.token);
  if (data.type === 'connect') viewer?.connect(data.token);
  if (data.type === 'quality') viewer?.setQuality(data.value);
};
