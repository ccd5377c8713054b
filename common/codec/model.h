#pragma once

#include "common/model_file.h"

#include <string>
#include <vector>

namespace latentdesk {

/// One step of a network. Tensors are NHWC in the backends; the order of channels in space-to-depth and
/// depth-to-space is that of ONNX's DCR mode: channel = (dy * block + dx) * C + c.
struct Layer {
  enum class Kind { conv, space_to_depth, depth_to_space };
  static constexpr int kInput = -1;    ///< the network's input, as a source
  static constexpr int kNothing = -2;  ///< no residual

  Kind kind = Kind::conv;
  int source = kInput;  ///< index of the layer whose output it reads, or kInput
  int in_channels = 0;
  int out_channels = 0;
  int downscale = 1;  ///< side of one of its output positions, in pixels

  int block = 1;  ///< of space_to_depth and depth_to_space

  int kernel = 1;           ///< of conv: odd; stride 1, zero padding kernel/2
  int residual = kNothing;  ///< of conv: layer whose output is added after the bias and before the ReLU
  bool relu = false;
  std::vector<float> weights;  ///< [out][in][kernel][kernel]
  std::vector<float> bias;     ///< [out]

  /// For backends that compute in 8 bits; both may be absent. A weight is then a multiple of its output
  /// channel's step, up to 127 of them, and what the ReLU gives a multiple of output_step, up to 255.
  std::vector<float> weight_steps;  ///< of conv: [out], or empty
  float output_step = 0;            ///< of conv with ReLU, or 0
};

using Network = std::vector<Layer>;

/// Encoder and decoder of one latent space. Encoder: first layer space_to_depth of RGB 0..1 by the stride;
/// output: latents. Decoder: last layer depth_to_space to RGB 0..1.
struct Model {
  std::string name;
  std::string version;
  std::string hash;
  int latent_channels = 0;
  float scale_min = 0;  ///< finest quantisation the weights were trained for
  float scale_max = 0;  ///< coarsest
  Network encoder;
  Network decoder;

  /// What the wire carries: `name-version.hash`.
  std::string wire_version() const { return name + "-" + version + "." + hash; }

  /// Quantisation step of a quality from 1 to 100: geometric from scale_max to scale_min, so each point of
  /// quality changes the step by the same ratio. Strictly decreasing.
  float scale_for_quality(int quality) const;
};

/// Throws ModelError when the networks do not fit together.
Model parse_model(const ModelFile& file);
/// Throws ModelError also when the file cannot be read or its checksum is wrong.
Model load_model(const std::string& path);

}  // namespace latentdesk
