#include "common/codec/cpu/executor.h"

#include <algorithm>
#include <cstring>

namespace latentdesk::cpu {

namespace {

using dnnl::memory;
using tag = dnnl::memory::format_tag;

memory filled(const dnnl::engine& engine, const memory::desc& desc, const std::vector<float>& values) {
  memory result(desc, engine);
  std::memcpy(result.get_data_handle(), values.data(), values.size() * sizeof(float));
  return result;
}

dnnl::primitive_attr attributes(const Layer& layer) {
  dnnl::post_ops post_ops;
  if (layer.residual != Layer::kNothing) post_ops.append_sum(1.0f);
  if (layer.relu) post_ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
  dnnl::primitive_attr attr;
  attr.set_post_ops(post_ops);
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

/// Primitive with its arguments bound. Executes through the C interface, since the C++ one copies its
/// arguments into a new container at each call.
struct BoundPrimitive {
  dnnl::primitive primitive;
  dnnl::stream stream;
  std::vector<memory> keep_alive;
  std::vector<dnnl_exec_arg_t> arguments;

  void bind(int name, const memory& argument) {
    keep_alive.push_back(argument);
    arguments.push_back({name, argument.get()});
  }

  void operator()() const {
    const auto status = dnnl_primitive_execute(primitive.get(), stream.get(),
                                               static_cast<int>(arguments.size()), arguments.data());
    dnnl::error::wrap_c_api(status, "oneDNN could not run a convolution");
  }
};

int downscale_of_source(const Layer& layer) {
  return layer.kind == Layer::Kind::depth_to_space ? layer.downscale * layer.block : layer.downscale;
}

/// NHWC depth-to-space in DCR order: each position's row of block * C values is one run of the output row.
void depth_to_space(const float* in, float* out, int height, int width, int block, int out_channels) {
  const size_t run = static_cast<size_t>(block) * static_cast<size_t>(out_channels);
#pragma omp parallel for schedule(static)
  for (int y = 0; y < height; ++y) {
    const float* from =
        in + static_cast<size_t>(y) * static_cast<size_t>(width) * run * static_cast<size_t>(block);
    for (int dy = 0; dy < block; ++dy) {
      float* to = out + (static_cast<size_t>(y) * static_cast<size_t>(block) + static_cast<size_t>(dy)) *
                            static_cast<size_t>(width) * run;
      for (int x = 0; x < width; ++x) {
        std::memcpy(
            to + static_cast<size_t>(x) * run,
            from + (static_cast<size_t>(x) * static_cast<size_t>(block) + static_cast<size_t>(dy)) * run,
            run * sizeof(float));
      }
    }
  }
}

}  // namespace

Executor::Executor(const Network& network, int begin, int end, int batch, int height, int width)
    : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_), batch_(batch), first_(begin - 1) {
  const Layer& first = network[static_cast<size_t>(begin)];
  tensors_.resize(static_cast<size_t>(end - first_));
  tensors_.front() = {first.in_channels, height, width, begin, 0};
  plan(network, begin, end);
  place(tensors_.front());
  for (int index = begin; index < end; ++index) {
    add_layer(network[static_cast<size_t>(index)], index);
    release_after(index);
  }
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
    tensor(index) = {layer.out_channels, input.height * input_downscale / layer.downscale,
                     input.width * input_downscale / layer.downscale, end, 0};
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
  const memory in = activation(tensor(layer.source));
  const memory out = activation(tensor(index));
  const memory::dim pad = layer.kernel / 2;
  const memory::dims weight_dims = {layer.out_channels, layer.in_channels, layer.kernel, layer.kernel};
  const memory::desc bias_desc({layer.out_channels}, memory::data_type::f32, tag::x);
  const dnnl::convolution_forward::desc desc(dnnl::prop_kind::forward_inference,
                                             dnnl::algorithm::convolution_direct, in.get_desc(),
                                             {weight_dims, memory::data_type::f32, tag::any}, bias_desc,
                                             out.get_desc(), {1, 1}, {pad, pad}, {pad, pad});
  const dnnl::convolution_forward::primitive_desc primitive_desc(desc, attributes(layer), engine_);

  memory weights(primitive_desc.weights_desc(), engine_);
  memory plain = filled(engine_, {weight_dims, memory::data_type::f32, tag::oihw}, layer.weights);
  dnnl::reorder(plain, weights).execute(stream_, plain, weights);
  stream_.wait();

  BoundPrimitive step{dnnl::convolution_forward(primitive_desc), stream_, {}, {}};
  step.bind(DNNL_ARG_SRC, in);
  step.bind(DNNL_ARG_WEIGHTS, weights);
  step.bind(DNNL_ARG_BIAS, filled(engine_, bias_desc, layer.bias));
  step.bind(DNNL_ARG_DST, out);
  step.bind(DNNL_ARG_SCRATCHPAD, memory(primitive_desc.scratchpad_desc(), engine_));
  steps_.emplace_back(std::move(step));
}

void Executor::add_depth_to_space(const Layer& layer, int index) {
  place(tensor(index));
  const Tensor& in = tensor(layer.source);
  steps_.emplace_back([from = data(in), to = data(tensor(index)), height = batch_ * in.height,
                       width = in.width, block = layer.block, channels = layer.out_channels] {
    depth_to_space(from, to, height, width, block, channels);
  });
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
  steps_.emplace_back([from = data(residual), to = data(out), bytes = elements(out) * sizeof(float)] {
    std::memcpy(to, from, bytes);
  });
}

void Executor::place(Tensor& tensor) {
  const auto fits = [&](size_t index) { return buffers_[index].count() >= elements(tensor); };
  const auto found = std::find_if(free_.begin(), free_.end(), fits);
  if (found == free_.end()) {
    tensor.buffer = buffers_.size();
    buffers_.emplace_back(elements(tensor));
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
  const memory::desc desc({batch_, tensor.channels, tensor.height, tensor.width}, memory::data_type::f32,
                          tag::nhwc);
  return {desc, engine_, data(tensor)};
}

}  // namespace latentdesk::cpu
