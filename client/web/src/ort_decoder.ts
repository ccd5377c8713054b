// Latents to pixels by ONNX Runtime Web: on WebGPU, or on wasm with SIMD, and with threads where the page is cross-origin isolated.

import type {InferenceSession, Tensor} from 'onnxruntime-web';
import webgpuRuntime from '../node_modules/onnxruntime-web/dist/ort.webgpu.min.mjs?url';
import wasmRuntime from '../node_modules/onnxruntime-web/dist/ort.wasm.min.mjs?url';
import webgpuMjs from '../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.jsep.mjs?url';
import webgpuWasm from '../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.jsep.wasm?url';
import wasmMjs from '../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.mjs?url';
import wasmWasm from '../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm?url';
import type {LatentDecoder, ShowTile} from './decoder';
import {fetchBytes} from './download';
import {LATENT_SIDE, TILE_LATENTS, TILE_PIXELS} from './tiles';

const MAX_THREADS = 4;
const MAX_BATCH = 32;
const START_TIMEOUT_MS = 10000;
// A new shape costs WebGPU new shaders, so there are few; wasm takes any.
const WEBGPU_BATCHES = [1, 4, 16, MAX_BATCH];

type Runtime = typeof import('onnxruntime-web/wasm');

/** What the decoder runs on, and why not on something faster. */
interface Provider {
  name: 'webgpu' | 'wasm';
  threads: number;
  why: string;
}

function wasmProvider(why: string): Provider {
  if (!crossOriginIsolated) {
    const reason = isSecureContext ? 'the page is not cross-origin isolated' : 'browsers give threads to https pages only';
    return {name: 'wasm', threads: 1, why: `${why}; one thread: ${reason}`};
  }
  return {name: 'wasm', threads: Math.min(navigator.hardwareConcurrency || 1, MAX_THREADS), why};
}

/** A runtime that failed once cannot be started again, so each provider gets a copy of its own, told apart by its address. */
async function loadRuntime(provider: Provider): Promise<Runtime> {
  const webgpu = provider.name === 'webgpu';
  const absolute = (url: string): string => new URL(url, import.meta.url).href;
  const wasm = absolute(webgpu ? webgpuWasm : wasmWasm);
  await fetchBytes(wasm, 'its runtime'); // into the browser's cache: how long a download takes is no sign of failure
  const address = `${absolute(webgpu ? webgpuRuntime : wasmRuntime)}?threads=${provider.threads}`;
  const runtime = (await import(/* @vite-ignore */ address)) as Runtime;
  runtime.env.wasm.wasmPaths = {mjs: absolute(webgpu ? webgpuMjs : wasmMjs), wasm};
  runtime.env.wasm.numThreads = provider.threads;
  runtime.env.wasm.initTimeout = START_TIMEOUT_MS;
  runtime.env.logLevel = 'error';
  return runtime;
}

export class OrtDecoder implements LatentDecoder {
  readonly channels: number;
  private readonly takesBatches: boolean;
  private readonly bytes = new Uint8ClampedArray(4 * TILE_PIXELS).fill(255);
  private readonly pixels = new Uint32Array(this.bytes.buffer);

  private constructor(
    private readonly runtime: Runtime,
    private readonly session: InferenceSession,
    private readonly provider: Provider,
  ) {
    const input = session.inputMetadata[0];
    const [batch, channels] = input.isTensor ? input.shape : [];
    if (input.name !== 'latent' || typeof channels !== 'number') throw new Error('the decoder takes no latents of known channels');
    this.channels = channels;
    this.takesBatches = typeof batch === 'string';
  }

  static onWebGpu(model: Uint8Array): Promise<OrtDecoder> {
    return OrtDecoder.start({name: 'webgpu', threads: 1, why: ''}, model);
  }

  /** `why` not on something faster. Threads load a program of their own; one that cannot have it never reports, and the runtime waits. */
  static async onWasm(model: Uint8Array, why: string): Promise<OrtDecoder> {
    const provider = wasmProvider(why);
    try {
      return await OrtDecoder.start(provider, model);
    } catch (error) {
      if (provider.threads === 1) throw error;
      return OrtDecoder.start({...provider, threads: 1, why: `${why}; threads do not start`}, model);
    }
  }

  private static async start(provider: Provider, model: Uint8Array): Promise<OrtDecoder> {
    const runtime = await loadRuntime(provider);
    const session = await runtime.InferenceSession.create(model, {executionProviders: [provider.name]});
    const decoder = new OrtDecoder(runtime, session, provider);
    await decoder.run(new Float32Array(decoder.channels * TILE_LATENTS), 1); // what cannot run fails here
    return decoder;
  }

  get description(): string {
    const {name, threads, why} = this.provider;
    const runs = name === 'webgpu' ? 'WebGPU' : `wasm, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
    return why ? `${runs} (${why})` : runs;
  }

  async decode(latents: Int8Array, tiles: number, scale: number, show: ShowTile): Promise<void> {
    for (let first = 0; first < tiles; ) {
      const used = Math.min(tiles - first, this.takesBatches ? MAX_BATCH : 1);
      const images = await this.run(this.dequantise(latents, tiles, first, used, scale), this.batchFor(used));
      for (let i = 0; i < used; ++i) show(first + i, this.toPixels(images.subarray(i * 3 * TILE_PIXELS, (i + 1) * 3 * TILE_PIXELS)));
      first += used;
    }
  }

  /** float32 [3, 64, 64], RGB 0 to 1; stored as Uint8ClampedArray: rounded and clamped. */
  private toPixels(image: Float32Array): Uint32Array {
    const {bytes} = this;
    for (let from = 0, to = 0; from < TILE_PIXELS; ++from, to += 4) {
      bytes[to] = image[from] * 255;
      bytes[to + 1] = image[from + TILE_PIXELS] * 255;
      bytes[to + 2] = image[from + 2 * TILE_PIXELS] * 255;
    }
    return this.pixels;
  }

  private batchFor(tiles: number): number {
    if (this.provider.name === 'wasm' || !this.takesBatches) return tiles;
    return WEBGPU_BATCHES.find((batch) => batch >= tiles) ?? tiles;
  }

  /** To float32 [batch, channels, 8, 8]; what a batch holds beyond is 0. */
  private dequantise(latents: Int8Array, tiles: number, first: number, used: number, scale: number): Float32Array {
    const {channels} = this;
    const values = new Float32Array(this.batchFor(used) * channels * TILE_LATENTS);
    for (let i = 0, to = 0; i < used; ++i) {
      for (let c = 0; c < channels; ++c) {
        let from = (c * tiles + first + i) * TILE_LATENTS;
        for (let k = 0; k < TILE_LATENTS; ++k) values[to++] = latents[from++] * scale;
      }
    }
    return values;
  }

  private async run(values: Float32Array, batch: number): Promise<Float32Array> {
    const latent: Tensor = new this.runtime.Tensor('float32', values, [batch, this.channels, LATENT_SIDE, LATENT_SIDE]);
    const {image} = await this.session.run({latent});
    const pixels = (await image.getData()) as Float32Array;
    image.dispose();
    return pixels;
  }
}
