#pragma once

#include "common/codec/cuda/convolution.h"

#include <functional>
#include <string>
#include <vector>

namespace latentdesk::cuda {

/// Of each layer of a network; empty for those that are no convolutions.
using NetworkWeights = std::vector<ConvolutionWeights>;

NetworkWeights upload_weights(const Context& context, const Network& network);

/// Consecutive layers of a network for one shape, as one CUDA graph. Plans, buffers and graph are made by the
/// constructor; `launch` makes nothing. Buffers are shared by activations whose lives do not overlap. One
/// thread uses it. `context` and `weights` must outlive it.
class NetworkPlan {
 public:
  /// Layers [begin, end) of `network`, which must read nothing before layer begin - 1 (the network's input
  /// when begin is 0), whose output has shape `input`. Throws ModelError when they do, std::runtime_error
  /// when the device cannot run them.
  NetworkPlan(const Context& context, const Network& network, const NetworkWeights& weights, int begin,
              int end, const Shape& input);
  NetworkPlan(const NetworkPlan&) = delete;
  NetworkPlan& operator=(const NetworkPlan&) = delete;

  /// fp16 NHWC, padded channels; the caller fills it in the context's stream.
  __half* input() { return data(tensors_.front()); }
  const __half* output() const { return data(tensors_.back()); }
  int output_pitch() const { return padded_channels(tensors_.back().channels); }

  void launch();

  /// A line for each layer.
  std::string description() const;

 private:
  /// A layer's output.
  struct Tensor {
    int channels = 0;
    Shape shape;
    int last_reader = 0;  ///< layer after which the buffer is free
    size_t buffer = 0;    ///< index into buffers_
  };

  static size_t elements(const Tensor& tensor) {
    return tensor.shape.positions() * static_cast<size_t>(padded_channels(tensor.channels));
  }
  Tensor& tensor(int layer) { return tensors_[static_cast<size_t>(layer - first_)]; }
  __half* data(const Tensor& tensor) const { return buffers_[tensor.buffer].get(); }

  void plan_tensors(const Network& network, int begin, int end);
  void add_layer(const Layer& layer, int index, const ConvolutionWeights& weights);
  void add_convolution(const Layer& layer, int index, const ConvolutionWeights& weights);
  void add_depth_to_space(const Layer& layer, int index);
  void place(Tensor& tensor);
  void release_after(int index);
  void capture();

  const Context& context_;
  int first_;  ///< layer index of tensors_.front()
  std::vector<Tensor> tensors_;
  std::vector<DeviceBuffer<__half>> buffers_;
  std::vector<size_t> free_;  ///< indices into buffers_
  Workspace workspace_;
  std::vector<std::function<void()>> steps_;
  std::string description_;
  GraphExec graph_;
};

}  // namespace latentdesk::cuda
