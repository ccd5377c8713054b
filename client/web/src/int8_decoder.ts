// Latents to pixels by our own kernel, see kernel/network.cpp.

import type {LatentDecoder, ShowTile} from './decoder';
import {Int8Network} from './int8_network';
import type {ModelFile} from './model_file';

// Input waits no longer than for so many tiles, about 5 ms.
const TILES_AT_ONCE = 24;

const breaths = new MessageChannel();

/** Lets other messages of this thread be handled. */
function breathe(): Promise<void> {
  return new Promise((done) => {
    breaths.port1.onmessage = () => done();
    breaths.port2.postMessage(null);
  });
}

export class Int8Decoder implements LatentDecoder {
  private constructor(private readonly network: Int8Network, private readonly why: string) {}

  /** `why` not on something faster. Throws where the network is not known to the kernel. */
  static async load(model: ModelFile, why: string): Promise<Int8Decoder> {
    return new Int8Decoder(await Int8Network.load(model), why);
  }

  get channels(): number {
    return this.network.channels;
  }

  get description(): string {
    return `wasm, 8 bits (${this.why})`;
  }

  async decode(latents: Int8Array, tiles: number, scale: number, show: ShowTile): Promise<void> {
    this.network.begin(latents, scale);
    for (let tile = 0; tile < tiles; ++tile) {
      if (tile % TILES_AT_ONCE === TILES_AT_ONCE - 1) await breathe();
      show(tile, this.network.tile(tile, tiles));
    }
  }
}
