#pragma once

#include "common/codec/model.h"

#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <functional>
#include <memory>
#include <new>
#include <vector>

namespace latentdesk::cpu {

/// What a network's input is made of. Of floats, all of the network computes in float32; of bytes, in 8 bits:
/// convolutions of uint8 (int8 for latents) by int8, whose sums, biases and outputs stay float32.
enum class Element : uint8_t { float32, uint8, int8 };

/// Bytes on a cache line's boundary.
class AlignedBytes {
 public:
  explicit AlignedBytes(size_t count)
      : data_(static_cast<std::byte*>(::operator new(count, kAlignment))), count_(count) {}

  std::byte* get() const { return data_.get(); }
  size_t count() const { return count_; }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(std::byte* data) const { ::operator delete(data, kAlignment); }
  };
  std::unique_ptr<std::byte, Free> data_;
  size_t count_;
};

/// Runs consecutive layers of a network on oneDNN, for one size of picture. Activations are NHWC from end to
/// end: no reorder between layers, and space-to-depth is a plain copy of pixels. Primitives, weights and
/// buffers are made by the constructor; `run` makes nothing. One thread uses it; OpenMP's number of threads
/// when it is made is how many oneDNN computes on.
class Executor {
 public:
  /// Layers [begin, end) of `network`, which must read nothing before layer begin - 1 (the network's input
  /// when begin is 0). The output of layer begin - 1 is `batch` pictures of `height` x `width` positions, one
  /// after the other; the caller fills it in `input()`. Throws ModelError when the network reads further
  /// back.
  Executor(const Network& network, int begin, int end, Element element, int batch, int height, int width);

  /// Whether the network has all that computing in 8 bits takes.
  static bool has_steps(const Network& network, int begin, int end);

  /// What one unit of an input of bytes is worth: 1/255 of a picture's, the scale of latents. uint8 keeps
  /// 1/255.
  void set_input_step(float step) { *input_step_ = step; }

  template <typename T>
  T* input() {
    return reinterpret_cast<T*>(data(tensors_.front()));
  }
  const float* output() { return reinterpret_cast<const float*>(data(tensors_.back())); }
  void run() {
    for (const auto& step : steps_) step();
  }

 private:
  /// A layer's output. Several share a buffer when their lives do not overlap.
  struct Tensor {
    int channels = 0;
    int height = 0;
    int width = 0;
    Element element = Element::float32;
    float step = 1;       ///< of bytes: what one of them is worth, unless the caller says so at each run
    int last_reader = 0;  ///< layer after which the buffer is free
    size_t buffer = 0;    ///< index into buffers_
  };

  size_t elements(const Tensor& tensor) const {
    return static_cast<size_t>(batch_) * static_cast<size_t>(tensor.channels) *
           static_cast<size_t>(tensor.height) * static_cast<size_t>(tensor.width);
  }
  size_t bytes(const Tensor& tensor) const {
    return elements(tensor) * (tensor.element == Element::float32 ? sizeof(float) : 1);
  }

  Tensor& tensor(int layer) { return tensors_[static_cast<size_t>(layer - first_)]; }
  std::byte* data(const Tensor& tensor) { return buffers_[tensor.buffer].get(); }
  dnnl::memory activation(const Tensor& tensor);

  void plan(const Network& network, int begin, int end);
  void add_layer(const Layer& layer, int index);
  void add_convolution(const Layer& layer, int index);
  void add_depth_to_space(const Layer& layer, int index);
  /// Lets a convolution's output begin as its residual: in the residual's own buffer when nobody reads that
  /// any more, else as a copy.
  void place_residual(const Layer& layer, int index);
  void place(Tensor& tensor);
  void release_after(int index);

  dnnl::engine engine_;
  dnnl::stream stream_;
  int batch_;
  int first_;  ///< layer index of tensors_.front()
  std::unique_ptr<float> input_step_ =
      std::make_unique<float>(1.0f);  ///< read by the convolutions of latents
  std::vector<Tensor> tensors_;
  std::vector<AlignedBytes> buffers_;
  std::vector<size_t> free_;  ///< indices into buffers_
  std::vector<std::function<void()>> steps_;
};

}  // namespace latentdesk::cpu
