// kernel/network.cpp, compiled: what JavaScript is too slow for.

import {fetchBytes} from './download';
import kernelUrl from './kernel.wasm?url';

const PAGE = 65536;

export interface Kernel {
  memory: WebAssembly.Memory;
  heap(): number;
  load(latents: number, stride: number, channels: number, map: number): void;
  quantised(...layer: number[]): void;
  plain(...layer: number[]): void;
  pixels(map: number, out: number): void;
  copyBytes(width: number, height: number): number;
  restore(pixels: number, width: number, height: number, kinds: number, step: number, natural: number, drawn: number, copy: number): void;
}

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
