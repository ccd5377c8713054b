#include "common/codec/cpu/executor.h"

#include "common/codec/cpu/convolution.h"

#include <algorithm>
#include <cstring>

namespace latentdesk::cpu {

namespace {

using dnnl::memory;

int downscale_of_source(const Layer& layer) {
  return layer.kind == Layer::Kind::depth_to_space ? layer.downscale * layer.block : layer.downscale;
}

/// NHWC depth-to-space in DCR order, `run` bytes being those of block * C values: one run of the output row.
void depth_to_space(const std::byte* in, std::byte* out, int height, int width, int block, size_t run) {
  const auto columns = static_cast<size_t>(width);
  const auto rows = static_cast<size_t>(block);
  for (int y = 0; y < height; ++y) {
    const std::byte* from = in + static_cast<size_t>(y) * columns * run * rows;
    for (size_t dy = 0; dy < rows; ++dy) {
      std::byte* to = out + (static_cast<size_t>(y) * rows + dy) * columns * run;
      for (size_t x = 0; x < columns; ++x) std::memcpy(to + x * run, from + (x * rows + dy) * run, run);
    }
  }
}

memory::data_type type_of(Element element) {
  switch (element) {
    case Element::uint8:
      return memory::data_type::u8;
    case Element::int8:
      return memory::data_type::s8;
    case Element::float32:
      break;
  }
  return memory::data_type::f32;
}

constexpr float kPixelStep = 1.0f / 255;

}  // namespace

Executor::Executor(const Network& network, int begin, int end, Element element, int batch, int height,
                   int width)
    : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_), batch_(batch), first_(begin - 1) {
  const Layer& first = network[static_cast<size_t>(begin)];
  tensors_.resize(static_cast<size_t>(end - first_));
  tensors_.front() = {first.in_channels, height, width, element, kPixelStep, begin, 0};
  plan(network, begin, end);
  place(tensors_.front());
  for (int index = begin; index < end; ++index) {
    add_layer(network[static_cast<size_t>(index)], index);
    release_after(index);
  }
}

bool Executor::has_steps(const Network& network, int begin, int end) {
  const auto gives_bytes = [&](int index) {
    while (index >= begin && network[static_cast<size_t>(index)].kind != Layer::Kind::conv) {
      index = network[static_cast<size_t>(index)].source;
    }
    return index < begin || network[static_cast<size_t>(index)].output_step > 0;
  };
  for (int index = begin; index < end; ++index) {
    const Layer& layer = network[static_cast<size_t>(index)];
    if (layer.kind != Layer::Kind::conv) continue;
    const bool adds = layer.residual != Layer::kNothing;
    if (layer.weight_steps.empty() || !gives_bytes(layer.source)) return false;
    if (adds && (layer.output_step > 0 || gives_bytes(layer.residual))) return false;  // sums are of floats
  }
  return network[static_cast<size_t>(end) - 1].output_step == 0;
}

void Executor::plan(const Network& network, int begin, int end) {
  const int input_downscale = downscale_of_source(network[static_cast<size_t>(begin)]);
  const Tensor input = tensors_.front();
  for (int index = begin; index < end; ++index) {
    const Layer& layer = network[static_cast<size_t>(index)];
    const bool has_residual = layer.residual != Layer::kNothing;
    if (layer.source < first_ || (has_residual && layer.residual < first_)) {
      throw ModelError("the CPU backend cannot run this network: a layer within it reads the picture itself");
    }
    const Tensor& source = tensor(layer.source);
    const bool spread = layer.kind == Layer::Kind::depth_to_space;
    const bool bytes = source.element != Element::float32 && layer.output_step > 0;
    tensor(index) = {layer.out_channels,
                     input.height * input_downscale / layer.downscale,
                     input.width * input_downscale / layer.downscale,
                     spread  ? source.element
                     : bytes ? Element::uint8
                             : Element::float32,
                     spread ? source.step : layer.output_step,
                     end,
                     0};
    tensor(layer.source).last_reader = index;
    if (has_residual) tensor(layer.residual).last_reader = index;
  }
}

void Executor::add_layer(const Layer& layer, int index) {
  if (layer.kind == Layer::Kind::conv) {
    add_convolution(layer, index);
  } else {
    add_depth_to_space(layer, index);
  }
}

void Executor::add_convolution(const Layer& layer, int index) {
  place_residual(layer, index);
  const Tensor& source = tensor(layer.source);
  const float* step = source.element == Element::int8 ? nullptr : &source.step;
  const Convolution::Place place{activation(source), activation(tensor(index)), step, input_step_.get()};
  steps_.emplace_back(Convolution(layer, place, engine_, stream_));
}

void Executor::add_depth_to_space(const Layer& layer, int index) {
  place(tensor(index));
  const Tensor& in = tensor(layer.source);
  const size_t run =
      bytes(in) / (elements(in) / static_cast<size_t>(in.channels)) / static_cast<size_t>(layer.block);
  steps_.emplace_back([from = data(in), to = data(tensor(index)), height = batch_ * in.height,
                       width = in.width, block = layer.block,
                       run] { depth_to_space(from, to, height, width, block, run); });
}

void Executor::place_residual(const Layer& layer, int index) {
  Tensor& out = tensor(index);
  if (layer.residual == Layer::kNothing) return place(out);
  const Tensor& residual = tensor(layer.residual);
  // A convolution must not write what it reads.
  if (residual.last_reader == index && layer.residual != layer.source) {
    out.buffer = residual.buffer;
    return;
  }
  place(out);
  steps_.emplace_back(
      [from = data(residual), to = data(out), bytes = bytes(out)] { std::memcpy(to, from, bytes); });
}

void Executor::place(Tensor& tensor) {
  const auto fits = [&](size_t index) { return buffers_[index].count() >= bytes(tensor); };
  const auto found = std::find_if(free_.begin(), free_.end(), fits);
  if (found == free_.end()) {
    tensor.buffer = buffers_.size();
    buffers_.emplace_back(bytes(tensor));
  } else {
    tensor.buffer = *found;
    free_.erase(found);
  }
}

void Executor::release_after(int index) {
  for (const Tensor& candidate : tensors_) {
    const bool passed_on = &candidate != &tensor(index) && candidate.buffer == tensor(index).buffer;
    if (candidate.last_reader == index && !passed_on) free_.push_back(candidate.buffer);
  }
}

memory Executor::activation(const Tensor& tensor) {
  const memory::desc desc({batch_, tensor.channels, tensor.height, tensor.width}, type_of(tensor.element),
                          memory::format_tag::nhwc);
  return {desc, engine_, data(tensor)};
}

}  // namespace latentdesk::cpu
