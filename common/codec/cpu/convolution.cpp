#include "common/codec/cpu/convolution.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace latentdesk::cpu {

namespace {

using dnnl::memory;
using type = dnnl::memory::data_type;
using tag = dnnl::memory::format_tag;

bool is_bytes(const memory& activation) { return activation.get_desc().data_type() != type::f32; }

memory filled(const dnnl::engine& engine, const memory::desc& desc, const std::vector<float>& values) {
  memory result(desc, engine);
  std::memcpy(result.get_data_handle(), values.data(), values.size() * sizeof(float));
  return result;
}

/// The weights as multiples of their steps.
memory int8_weights(const Layer& layer, const memory::dims& dims, const dnnl::engine& engine) {
  memory result({dims, type::s8, tag::oihw}, engine);
  auto* out = static_cast<int8_t*>(result.get_data_handle());
  const size_t per_output = layer.weights.size() / layer.weight_steps.size();
  for (size_t i = 0; i < layer.weights.size(); ++i) {
    const float steps = std::nearbyint(layer.weights[i] / layer.weight_steps[i / per_output]);
    out[i] = static_cast<int8_t>(std::clamp(steps, -127.0f, 127.0f));
  }
  return result;
}

/// What a sum of products is worth, for each output channel, in units of the destination.
std::vector<float> output_scales(const Layer& layer, float source_step, float destination_step) {
  std::vector<float> scales;
  for (const float step : layer.weight_steps) scales.push_back(step * source_step / destination_step);
  return scales;
}

/// The bias, to be multiplied by `scales` afterwards.
std::vector<float> scaled_bias(const Layer& layer, const std::vector<float>& scales, float destination_step) {
  std::vector<float> bias = layer.bias;
  for (size_t i = 0; i < bias.size(); ++i) bias[i] /= scales[i] * destination_step;
  return bias;
}

std::vector<float> divided(std::vector<float> values, float by) {
  for (float& value : values) value /= by;
  return values;
}

}  // namespace

Convolution::Convolution(const Layer& layer, const Place& place, const dnnl::engine& engine,
                         dnnl::stream& stream)
    : stream_(stream) {
  const bool in_bytes = is_bytes(place.source);
  const bool run_time_step = in_bytes && !place.source_step;
  const float destination_step = is_bytes(place.destination) ? layer.output_step : 1.0f;
  const memory::dims weight_dims = {layer.out_channels, layer.in_channels, layer.kernel, layer.kernel};
  const memory::desc bias_desc({layer.out_channels}, type::f32, tag::x);
  const memory::desc one({1, 1, 1, 1}, type::f32, tag::nchw);
  const memory::desc one_a_channel({1, layer.out_channels, 1, 1}, type::f32, tag::nchw);

  dnnl::primitive_attr attr;
  dnnl::post_ops post_ops;
  std::vector<float> bias = layer.bias;
  if (in_bytes) {
    const auto scales = output_scales(layer, run_time_step ? 1.0f : *place.source_step, destination_step);
    attr.set_output_scales(1 << 1, scales);
    bias = run_time_step ? divided(std::move(bias), destination_step)
                         : scaled_bias(layer, scales, destination_step);
  }
  // oneDNN's scales are fixed when a primitive is made, and it adds the bias before them. The scale of
  // latents comes with each picture, so it is multiplied by afterwards, and the bias added then.
  if (run_time_step) {
    post_ops.append_binary(dnnl::algorithm::binary_mul, one);
    post_ops.append_binary(dnnl::algorithm::binary_add, one_a_channel);
  }
  if (layer.residual != Layer::kNothing) post_ops.append_sum(1.0f);
  if (layer.relu) post_ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
  attr.set_post_ops(post_ops);
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);

  const memory::dim pad = layer.kernel / 2;
  const auto weight_type = in_bytes ? type::s8 : type::f32;
  const dnnl::convolution_forward::desc desc(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, place.source.get_desc(),
      {weight_dims, weight_type, tag::any}, run_time_step ? memory::desc() : bias_desc,
      place.destination.get_desc(), {1, 1}, {pad, pad}, {pad, pad});
  const dnnl::convolution_forward::primitive_desc primitive_desc(desc, attr, engine);

  memory plain = in_bytes ? int8_weights(layer, weight_dims, engine)
                          : filled(engine, {weight_dims, type::f32, tag::oihw}, layer.weights);
  memory weights(primitive_desc.weights_desc(), engine);
  dnnl::reorder(plain, weights).execute(stream_, plain, weights);
  stream_.wait();

  primitive_ = dnnl::convolution_forward(primitive_desc);
  bind(DNNL_ARG_SRC, place.source);
  bind(DNNL_ARG_WEIGHTS, weights);
  bind(DNNL_ARG_DST, place.destination);
  bind(DNNL_ARG_SCRATCHPAD, memory(primitive_desc.scratchpad_desc(), engine));
  if (run_time_step) {
    bind(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, memory(one, engine, place.run_time_step));
    bind(DNNL_ARG_ATTR_MULTIPLE_POST_OP(1) | DNNL_ARG_SRC_1, filled(engine, one_a_channel, bias));
  } else {
    bind(DNNL_ARG_BIAS, filled(engine, bias_desc, bias));
  }
}

void Convolution::bind(int name, const memory& argument) {
  keep_alive_.push_back(argument);
  arguments_.push_back({name, argument.get()});
}

void Convolution::operator()() const {
  const auto status = dnnl_primitive_execute(primitive_.get(), stream_.get(),
                                             static_cast<int>(arguments_.size()), arguments_.data());
  dnnl::error::wrap_c_api(status, "oneDNN could not run a convolution");
}

}  // namespace latentdesk::cpu
