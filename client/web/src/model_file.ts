// The decoder out of a model file (safetensors): u64 little-endian n | n bytes of JSON | tensors. Its layers are metadata.

export interface Layer {
  op: string;
  from?: number; // the layer that it reads, instead of the one before; -1: the latents
  add?: number; // the layer whose output is added
  relu?: boolean;
  block?: number;
  weight?: string;
  bias?: string;
  weight_steps?: string; // of 8-bit arithmetic, for each output
  output_step?: number;
}

export interface Tensor {
  shape: number[];
  values: Float32Array;
}

export interface ModelFile {
  version: string; // as in the server's hello
  channels: number; // of the latents
  layers: Layer[];
  tensor(name: string | undefined): Tensor;
}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** It comes from the server that the page comes from, and is believed; what is cut or of another kind throws all the same. */
export function parseModelFile(bytes: Uint8Array): ModelFile {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const data = 8 + length;
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, data))) as Record<string, Entry> & {
    __metadata__: Record<string, string>;
  };
  const {name, version, hash, latent_channels, decoder} = header.__metadata__;
  return {
    version: `${name}-${version}.${hash}`,
    channels: Number(latent_channels),
    layers: JSON.parse(decoder) as Layer[],
    tensor: (tensor = '') => {
      const entry = header[tensor];
      if (entry?.dtype !== 'F32') throw new Error(`the model file has no tensor ${tensor}`);
      const [begin, end] = entry.data_offsets;
      const values = new Float32Array(bytes.slice(data + begin, data + end).buffer);
      if (values.length !== entry.shape.reduce((a, b) => a * b, 1)) throw new Error('the model file is cut');
      return {shape: entry.shape, values};
    },
  };
}
