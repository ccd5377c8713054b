// Runs a decoder in integers of 8 bits, as the native CPU backend does: kernel/network.cpp computes a layer, this says which.

import {newKernel, reserve, type Kernel} from './kernel';
import type {Layer, ModelFile} from './model_file';
import {LATENT_SIDE, TILE_LATENTS, TILE_PIXELS} from './tiles';

const OUTPUTS = 8; // computed at once

/** What a layer leaves: pixels with a border of one around them. */
interface FeatureMap {
  at: number;
  side: number;
  channels: number;
  step: number; // what 1 stands for; 0: of latents, their scale; NaN: floats
}

interface Step {
  run: (...layer: number[]) => void;
  values: number[];
  rescale(scale: number): void; // where latents are read
}

function unsupported(what: string): never {
  throw new Error(`the network has ${what}, which is not computed in 8 bits here`);
}

/** [out, in, size, size] to [out / 8][size * size][in / 2][8][2], in steps. */
function arranged(values: Float32Array, steps: Float32Array, outputs: number, inputs: number, size: number): Int16Array {
  const taps = size * size;
  const arrangement = new Int16Array(values.length);
  for (let o = 0, from = 0; o < outputs; ++o) {
    for (let i = 0; i < inputs; ++i) {
      for (let tap = 0; tap < taps; ++tap, ++from) {
        const pair = ((Math.floor(o / OUTPUTS) * taps + tap) * inputs) / 2 + (i >> 1);
        arrangement[(pair * OUTPUTS + (o % OUTPUTS)) * 2 + (i & 1)] = Math.round(values[from] / steps[o]);
      }
    }
  }
  return arrangement;
}

export class Int8Network {
  readonly channels: number;
  private readonly steps: Step[] = [];
  private readonly input: FeatureMap;
  private readonly outputs = new Map<number, FeatureMap>(); // of layers
  private readonly picture: number;
  private readonly latents: number; // the end of what is fixed
  private end: number;

  /** Throws where the network has a layer that this does not know; it is then for ONNX Runtime. */
  constructor(private readonly kernel: Kernel, model: ModelFile) {
    this.channels = model.channels;
    this.end = Math.ceil(kernel.heap() / 16) * 16;
    this.input = this.newMap(LATENT_SIDE, model.channels, 0);
    this.outputs.set(-1, this.input);
    model.layers.forEach((layer, i) => layer.op === 'conv' && this.addConvolution(model, layer, i));
    const last = this.outputs.get(model.layers.length - 2);
    const spread = model.layers.at(-1);
    if (spread?.op !== 'depth_to_space' || spread.block !== 4 || !last || last.side !== 16 || last.channels !== 48 || !isNaN(last.step)) {
      unsupported('another end');
    }
    this.picture = this.take(4 * TILE_PIXELS);
    this.latents = this.end;
  }

  static async load(model: ModelFile): Promise<Int8Network> {
    return new Int8Network(await newKernel(), model);
  }

  /** All latents, int8 [channels, tiles, 8, 8]; then `tile` for each. */
  begin(latents: Int8Array, scale: number): void {
    reserve(this.kernel, this.latents + latents.length);
    new Int8Array(this.kernel.memory.buffer, this.latents, latents.length).set(latents);
    for (const step of this.steps) step.rescale(scale);
  }

  /** Its pixels, R, G, B, 255 in memory; good until the next call. */
  tile(index: number, tiles: number): Uint32Array {
    const {kernel} = this;
    kernel.load(this.latents + index * TILE_LATENTS, tiles * TILE_LATENTS, this.channels, this.input.at);
    for (const {run, values} of this.steps) run(...values);
    kernel.pixels(this.steps.at(-1)!.values[8], this.picture);
    return new Uint32Array(kernel.memory.buffer, this.picture, TILE_PIXELS);
  }

  private addConvolution(model: ModelFile, layer: Layer, i: number): void {
    const input = this.outputs.get(layer.from ?? i - 1) ?? unsupported('an order of layers');
    const {shape, values} = model.tensor(layer.weight);
    const [outputs, inputs, size] = shape;
    const isPlain = !layer.relu;
    if (isNaN(input.step) || inputs !== input.channels || inputs % 2 || outputs % OUTPUTS || size > 3) unsupported('a convolution');
    if (layer.relu && (layer.add !== undefined || !layer.output_step)) unsupported('a ReLU');
    const after = model.layers[i + 1];
    const isLast = i + 2 === model.layers.length;
    const block = after?.op === 'depth_to_space' && !isLast ? after.block! : 1;
    if ((outputs / (block * block)) % OUTPUTS) unsupported('a spreading');
    const step = isPlain ? NaN : layer.output_step!;
    const target = layer.add === undefined ? this.newMap(input.side * block, outputs / (block * block), step) : this.addend(layer.add, input, outputs);
    this.outputs.set(block === 1 ? i : i + 1, target);
    const steps = model.tensor(layer.weight_steps).values, biases = model.tensor(layer.bias).values;
    const weights = this.put(arranged(values, steps, outputs, inputs, size));
    const unit = isPlain ? 1 : step;
    const factors = this.take(4 * outputs);
    const common = [input.at, input.side, input.side, inputs, size, weights, factors, this.put(biases.map((bias) => bias / unit)), target.at];
    const sparse = Number(input === this.input);
    const rescale = (inputStep: number): void =>
      new Float32Array(this.kernel.memory.buffer, factors, outputs).set(steps.map((weightStep) => (weightStep * inputStep) / unit));
    rescale(input.step);
    this.steps.push({
      run: isPlain ? this.kernel.plain : this.kernel.quantised,
      values: isPlain ? [...common, outputs, block, sparse, Number(layer.add !== undefined)] : [...common, outputs, block, sparse],
      rescale: input === this.input ? rescale : () => undefined,
    });
  }

  /** What is added to is overwritten: nothing else may read it afterwards, which floats are not. */
  private addend(layer: number, input: FeatureMap, outputs: number): FeatureMap {
    const map = this.outputs.get(layer);
    return map && isNaN(map.step) && map.side === input.side && map.channels === outputs ? map : unsupported('a sum');
  }

  private newMap(side: number, channels: number, step: number): FeatureMap {
    return {at: this.take((side + 2) ** 2 * channels * (isNaN(step) ? 4 : 2)), side, channels, step};
  }

  /** New memory is 0. */
  private take(bytes: number): number {
    const at = this.end;
    this.end = Math.ceil((at + bytes) / 16) * 16;
    reserve(this.kernel, this.end);
    return at;
  }

  private put(values: Int16Array | Float32Array): number {
    const at = this.take(values.byteLength);
    new Uint8Array(this.kernel.memory.buffer, at, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return at;
  }
}
