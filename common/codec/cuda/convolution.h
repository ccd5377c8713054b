#pragma once

#include "common/codec/cuda/context.h"
#include "common/codec/cuda/kernels.h"
#include "common/codec/model.h"

#include <optional>
#include <string>

namespace latentdesk::cuda {

/// A batch of equal pictures, in positions of some layer.
struct Shape {
  int batch = 1;
  int height = 0;
  int width = 0;

  bool operator==(const Shape&) const = default;
  size_t positions() const {
    return static_cast<size_t>(batch) * static_cast<size_t>(height) * static_cast<size_t>(width);
  }
};

/// Of one convolution, fp16: filter [out][kernel][kernel][in] and bias [out], channels padded with zeros.
struct ConvolutionWeights {
  DeviceBuffer<__half> filter;
  DeviceBuffer<__half> bias;
};

/// Copies to the device.
ConvolutionWeights upload_weights(const Context& context, const Layer& layer);

using Workspace = DeviceBuffer<uint8_t>;

/// out = convolution(in) + bias [+ residual] [then ReLU] for one shape, fp16 NHWC on tensor cores, summed in
/// fp32. One thread uses it. `context`, `weights` and `workspace` must outlive it.
class Convolution {
 public:
  /// Of the device. `residual` may be null; `out` must be neither of the others.
  struct Tensors {
    const __half* in = nullptr;
    const __half* residual = nullptr;
    __half* out = nullptr;
  };

  /// Tries what cuDNN offers and keeps the fastest; `workspace` grows to what that needs. Throws
  /// std::runtime_error when nothing works.
  Convolution(const Context& context, const Layer& layer, const ConvolutionWeights& weights,
              const Shape& shape, const Tensors& tensors, Workspace& workspace);

  /// Puts it into the context's stream; takes no memory and waits for nothing, so it can be captured.
  void enqueue() const;

  /// Channels, kernel, algorithm and its time when it was chosen.
  std::string description() const;

 private:
  struct Plan {
    cudnnConvolutionFwdAlgo_t algorithm = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
    bool fused = true;  ///< bias, residual and ReLU by cuDNN, or else by a kernel of ours
    size_t workspace = 0;
    float ms = 0;
  };

  void describe();
  void choose(Workspace& workspace);
  std::optional<Plan> measured(cudnnConvolutionFwdAlgo_t algorithm, bool fused, Workspace& workspace);
  cudnnStatus_t run(const Plan& plan) const;
  cudnnStatus_t run_fused(const Plan& plan) const;
  cudnnStatus_t run_plain(const Plan& plan) const;

  const Context& context_;
  const ConvolutionWeights& weights_;
  const Workspace& workspace_;
  Shape shape_;
  Tensors tensors_;
  int in_channels_;
  int out_channels_;
  int kernel_;
  bool relu_;
  TensorDescriptor in_;
  TensorDescriptor out_;
  TensorDescriptor bias_;
  FilterDescriptor filter_;
  ConvolutionDescriptor convolution_;
  ActivationDescriptor activation_;
  Plan plan_;
};

}  // namespace latentdesk::cuda
