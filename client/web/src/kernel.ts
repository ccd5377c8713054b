// kernel/, compiled: what JavaScript is too slow for.

import {fetchBytes} from './download';
import kernelUrl from './kernel.wasm?url';

const PAGE = 65536;

export interface Kernel {
  memory: WebAssembly.Memory;
  heap(): number;
  latents(stream: number, size: number, out: number, channels: number, tiles: number): number;
  load(latents: number, stride: number, channels: number, map: number): void;
  quantised(...layer: number[]): void;
  plain(...layer: number[]): void;
  pixels(map: number, out: number): void;
  restore(pixels: number, width: number, height: number, kinds: number, step: number, natural: number, drawn: number, copy: number): void;
}

let shared: Promise<Kernel> | undefined;
let compiled: Promise<WebAssembly.Module> | undefined;

async function compileFetched(): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(await fetchBytes(new URL(kernelUrl, import.meta.url).href, 'the kernel'));
  } catch (error) {
    compiled = undefined; // tried again
    throw error;
  }
}

/** Instead of the file that was built beside this one; for those who read files otherwise. */
export function useKernel(bytes: BufferSource): void {
  compiled = WebAssembly.compile(bytes);
}

/** With a memory of its own. */
export async function newKernel(): Promise<Kernel> {
  const instance = await WebAssembly.instantiate(await (compiled ??= compileFetched()));
  return instance.exports as unknown as Kernel;
}

/** Memory up to `bytes`. Views of it are then to be made anew. */
export function reserve(kernel: Kernel, bytes: number): void {
  const missing = bytes - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / PAGE));
}

/** One for all that is done with it at once, before anything else is awaited; with `bytes` that are free. */
export async function sharedKernel(bytes: number): Promise<Kernel> {
  const ready = await (shared ??= newKernel());
  reserve(ready, ready.heap() + bytes);
  return ready;
}
