// Latents to pictures by ONNX Runtime Web: on WebGPU where there is a real one, else on wasm with SIMD, and with threads where
// the page is cross-origin isolated.

import type {InferenceSession, Tensor} from 'onnxruntime-web';
import webgpuRuntime from '../node_modules/onnxruntime-web/dist/ort.webgpu.min.mjs?url';
import wasmRuntime from '../node_modules/onnxruntime-web/dist/ort.wasm.min.mjs?url';
import webgpuMjs from '../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.jsep.mjs?url';
import webgpuWasm from '../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.jsep.wasm?url';
import wasmMjs from '../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.mjs?url';
import wasmWasm from '../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm?url';
import {TILE_PIXELS} from './tiles';

const LATENT_SIDE = 8;
const LATENTS = LATENT_SIDE * LATENT_SIDE;
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

interface GpuAdapter {
  isFallbackAdapter?: boolean;
  info?: {isFallbackAdapter?: boolean};
}

/** Empty where WebGPU can be used, else why not. */
async function whyNoWebGpu(): Promise<string> {
  const {gpu} = navigator as unknown as {gpu?: {requestAdapter(): Promise<GpuAdapter | null>}};
  if (!gpu) return isSecureContext ? 'this browser has no WebGPU' : 'browsers give WebGPU to https pages only';
  const adapter = await gpu.requestAdapter().catch(() => null);
  if (!adapter) return 'no GPU for WebGPU';
  return adapter.isFallbackAdapter || adapter.info?.isFallbackAdapter ? 'WebGPU would run on the CPU' : '';
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

async function fetchBytes(url: string, what: string): Promise<Uint8Array> {
  const response = await fetch(url).catch(() => {
    throw new Error(`${what} cannot be fetched from the server`);
  });
  if (!response.ok) throw new Error((await response.text()).trim().slice(0, 300) || `${what}: HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Decodes tiles of 64x64 pixels, each as a picture of its own. */
export class LatentDecoder {
  readonly channels: number;
  private readonly takesBatches: boolean;

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

  static async load(modelUrl: string): Promise<LatentDecoder> {
    const [why, model] = await Promise.all([whyNoWebGpu(), fetchBytes(modelUrl, 'the decoder')]);
    if (why) return LatentDecoder.startWasm(why, model);
    try {
      return await LatentDecoder.start({name: 'webgpu', threads: 1, why: ''}, model);
    } catch (error) {
      return LatentDecoder.startWasm(`WebGPU failed: ${String(error).slice(0, 100)}`, model);
    }
  }

  /** Threads load a program of their own; one that cannot have it never reports, and the runtime waits for it. */
  private static async startWasm(why: string, model: Uint8Array): Promise<LatentDecoder> {
    const provider = wasmProvider(why);
    try {
      return await LatentDecoder.start(provider, model);
    } catch (error) {
      if (provider.threads === 1) throw error;
      return LatentDecoder.start({...provider, threads: 1, why: `${why}; threads do not start`}, model);
    }
  }

  private static async start(provider: Provider, model: Uint8Array): Promise<LatentDecoder> {
    const runtime = await loadRuntime(provider);
    const session = await runtime.InferenceSession.create(model, {executionProviders: [provider.name]});
    const decoder = new LatentDecoder(runtime, session, provider);
    await decoder.run(new Float32Array(decoder.channels * LATENTS), 1); // what cannot run fails here
    return decoder;
  }

  get description(): string {
    const {name, threads, why} = this.provider;
    const runs = name === 'webgpu' ? 'WebGPU' : `wasm, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
    return why ? `${runs} (${why})` : runs;
  }

  /** `latents`: int8 [channels, tiles, 8, 8]. Calls `show` with each tile's image, float32 [3, 64, 64] RGB 0 to 1, in order. */
  async decode(latents: Int8Array, tiles: number, scale: number, show: (tile: number, image: Float32Array) => void): Promise<void> {
    for (let first = 0; first < tiles; ) {
      const used = Math.min(tiles - first, this.takesBatches ? MAX_BATCH : 1);
      const images = await this.run(this.dequantise(latents, tiles, first, used, scale), this.batchFor(used));
      const size = 3 * TILE_PIXELS;
      for (let i = 0; i < used; ++i) show(first + i, images.subarray(i * size, (i + 1) * size));
      first += used;
    }
  }

  private batchFor(tiles: number): number {
    if (this.provider.name === 'wasm' || !this.takesBatches) return tiles;
    return WEBGPU_BATCHES.find((batch) => batch >= tiles) ?? tiles;
  }

  /** To float32 [batch, channels, 8, 8]; what a batch holds beyond is 0. */
  private dequantise(latents: Int8Array, tiles: number, first: number, used: number, scale: number): Float32Array {
    const {channels} = this;
    const values = new Float32Array(this.batchFor(used) * channels * LATENTS);
    for (let i = 0, to = 0; i < used; ++i) {
      for (let c = 0; c < channels; ++c) {
        let from = (c * tiles + first + i) * LATENTS;
        for (let k = 0; k < LATENTS; ++k) values[to++] = latents[from++] * scale;
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
