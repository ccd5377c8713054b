// The choice of what turns latents into pixels: WebGPU where there is a real one, by ONNX Runtime Web; else our own kernel in integers
// of 8 bits, on one thread, which takes a third of the time that ONNX Runtime's wasm takes; and that for networks unknown to the kernel.

import {fetchBytes} from './download';
import {Int8Decoder} from './int8_decoder';
import {parseModelFile} from './model_file';
import {OrtDecoder} from './ort_decoder';

/** Is given a tile's pixels, 64x64 as R, G, B, 255 in memory, good until it returns. */
export type ShowTile = (tile: number, pixels: Uint32Array) => void;

/** Decodes tiles of 64x64 pixels, each as a picture of its own. */
export interface LatentDecoder {
  readonly channels: number;
  /** What it runs on, and why not on something faster. */
  readonly description: string;
  /** `latents`: int8 [channels, tiles, 8, 8]; multiplied by `scale`. Calls `show` for each tile, in order. */
  decode(latents: Int8Array, tiles: number, scale: number, show: ShowTile): Promise<void>;
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

async function loadInt8(address: string, version: string, why: string): Promise<LatentDecoder> {
  const model = parseModelFile(await fetchBytes(address + '.safetensors', 'the model'));
  if (model.version !== version) throw new Error(`what came is of the model ${model.version}`);
  return Int8Decoder.load(model, why);
}

/** Of the model `version`, whose files are at `address` but for their endings. */
export async function loadDecoder(address: string, version: string): Promise<LatentDecoder> {
  let why = await whyNoWebGpu();
  const onnx = (): Promise<Uint8Array> => fetchBytes(address + '.onnx', 'the decoder');
  if (!why) {
    try {
      return await OrtDecoder.onWebGpu(await onnx());
    } catch (error) {
      why = `WebGPU failed: ${String(error).slice(0, 100)}`;
    }
  }
  try {
    return await loadInt8(address, version, why);
  } catch (error) {
    why += `; not in 8 bits: ${error instanceof Error ? error.message : String(error)}`;
  }
  return OrtDecoder.onWasm(await onnx(), why);
}
