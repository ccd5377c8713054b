#include "common/codec/cuda/convolution.h"

#include <array>
#include <cstdio>
#include <vector>

namespace latentdesk::cuda {

namespace {

constexpr size_t kMaxWorkspace = size_t{32} << 20;
constexpr int kWarmUps = 2;
constexpr int kRuns = 10;

struct NamedAlgorithm {
  cudnnConvolutionFwdAlgo_t algorithm;
  const char* name;
};

// Winograd and Fourier transforms are left out: in fp16 they lose the accuracy that latents need.
constexpr std::array kAlgorithms = {
    NamedAlgorithm{CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, "implicit precomputed GEMM"},
    NamedAlgorithm{CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, "implicit GEMM"},
    NamedAlgorithm{CUDNN_CONVOLUTION_FWD_ALGO_GEMM, "GEMM"}};

const char* name_of(cudnnConvolutionFwdAlgo_t algorithm) {
  for (const NamedAlgorithm& named : kAlgorithms) {
    if (named.algorithm == algorithm) return named.name;
  }
  return "unknown";
}

DeviceBuffer<__half> upload(const Context& context, const std::vector<__half>& values) {
  DeviceBuffer<__half> result(values.size());
  check(
      cudaMemcpyAsync(result.get(), values.data(), result.bytes(), cudaMemcpyHostToDevice, context.stream()),
      "take the weights");
  check(cudaStreamSynchronize(context.stream()), "take the weights");  // before `values` goes
  return result;
}

TensorDescriptor make_tensor(int batch, int channels, int height, int width) {
  auto tensor = created<TensorDescriptor>(cudnnCreateTensorDescriptor, "describe a tensor");
  check(cudnnSetTensor4dDescriptor(tensor.get(), CUDNN_TENSOR_NHWC, CUDNN_DATA_HALF, batch, channels, height,
                                   width),
        "describe a tensor");
  return tensor;
}

}  // namespace

ConvolutionWeights upload_weights(const Context& context, const Layer& layer) {
  const auto in = static_cast<size_t>(layer.in_channels), out = static_cast<size_t>(layer.out_channels);
  const auto padded_in = static_cast<size_t>(padded_channels(layer.in_channels));
  const auto padded_out = static_cast<size_t>(padded_channels(layer.out_channels));
  const auto area = static_cast<size_t>(layer.kernel) * static_cast<size_t>(layer.kernel);
  std::vector<__half> filter(padded_out * area * padded_in, __float2half(0.0f));
  for (size_t k = 0; k < out; ++k) {
    for (size_t c = 0; c < in; ++c) {
      for (size_t tap = 0; tap < area; ++tap) {
        filter[(k * area + tap) * padded_in + c] = __float2half(layer.weights[(k * in + c) * area + tap]);
      }
    }
  }
  std::vector<__half> bias(padded_out, __float2half(0.0f));
  for (size_t k = 0; k < out; ++k) bias[k] = __float2half(layer.bias[k]);
  return {upload(context, filter), upload(context, bias)};
}

Convolution::Convolution(const Context& context, const Layer& layer, const ConvolutionWeights& weights,
                         const Shape& shape, const Tensors& tensors, Workspace& workspace)
    : context_(context),
      weights_(weights),
      workspace_(workspace),
      shape_(shape),
      tensors_(tensors),
      in_channels_(padded_channels(layer.in_channels)),
      out_channels_(padded_channels(layer.out_channels)),
      kernel_(layer.kernel),
      relu_(layer.relu) {
  describe();
  choose(workspace);
}

void Convolution::describe() {
  in_ = make_tensor(shape_.batch, in_channels_, shape_.height, shape_.width);
  out_ = make_tensor(shape_.batch, out_channels_, shape_.height, shape_.width);
  bias_ = make_tensor(1, out_channels_, 1, 1);
  filter_ = created<FilterDescriptor>(cudnnCreateFilterDescriptor, "describe a filter");
  check(cudnnSetFilter4dDescriptor(filter_.get(), CUDNN_DATA_HALF, CUDNN_TENSOR_NHWC, out_channels_,
                                   in_channels_, kernel_, kernel_),
        "describe a filter");
  convolution_ = created<ConvolutionDescriptor>(cudnnCreateConvolutionDescriptor, "describe a convolution");
  const int pad = kernel_ / 2;
  check(cudnnSetConvolution2dDescriptor(convolution_.get(), pad, pad, 1, 1, 1, 1, CUDNN_CROSS_CORRELATION,
                                        CUDNN_DATA_FLOAT),
        "describe a convolution");
  check(cudnnSetConvolutionMathType(convolution_.get(), CUDNN_TENSOR_OP_MATH), "use tensor cores");
  activation_ = created<ActivationDescriptor>(cudnnCreateActivationDescriptor, "describe an activation");
  check(cudnnSetActivationDescriptor(activation_.get(),
                                     relu_ ? CUDNN_ACTIVATION_RELU : CUDNN_ACTIVATION_IDENTITY,
                                     CUDNN_NOT_PROPAGATE_NAN, 0.0),
        "describe an activation");
}

void Convolution::choose(Workspace& workspace) {
  std::optional<Plan> best;
  for (const NamedAlgorithm& named : kAlgorithms) {
    for (const bool fused : {true, false}) {
      // cuDNN fuses without an activation in this algorithm alone.
      if (fused && !relu_ && named.algorithm != CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM) continue;
      const auto plan = measured(named.algorithm, fused, workspace);
      if (plan && (!best || plan->ms < best->ms)) best = plan;
    }
  }
  if (!best) throw std::runtime_error("cuDNN has no way to run a convolution: " + description());
  plan_ = *best;
}

std::optional<Convolution::Plan> Convolution::measured(cudnnConvolutionFwdAlgo_t algorithm, bool fused,
                                                       Workspace& workspace) {
  Plan plan{algorithm, fused, 0, 0};
  const cudnnStatus_t status = cudnnGetConvolutionForwardWorkspaceSize(
      context_.dnn(), in_.get(), filter_.get(), convolution_.get(), out_.get(), algorithm, &plan.workspace);
  if (status != CUDNN_STATUS_SUCCESS || plan.workspace > kMaxWorkspace) return std::nullopt;
  workspace.reserve(plan.workspace);
  for (int i = 0; i < kWarmUps; ++i) {
    if (run(plan) == CUDNN_STATUS_SUCCESS) continue;
    cudaGetLastError();  // a refusal must not be taken for a failure of the next call
    return std::nullopt;
  }
  const Event begin = make_event(), end = make_event();
  check(cudaEventRecord(begin.get(), context_.stream()), "take the time");
  for (int i = 0; i < kRuns; ++i) check(run(plan), "run a convolution");
  check(cudaEventRecord(end.get(), context_.stream()), "take the time");
  check(cudaEventSynchronize(end.get()), "run a convolution");
  check(cudaEventElapsedTime(&plan.ms, begin.get(), end.get()), "take the time");
  plan.ms /= kRuns;
  return plan;
}

void Convolution::enqueue() const { check(run(plan_), "run a convolution"); }

cudnnStatus_t Convolution::run(const Plan& plan) const {
  return plan.fused ? run_fused(plan) : run_plain(plan);
}

cudnnStatus_t Convolution::run_fused(const Plan& plan) const {
  const float one = 1, residual_factor = tensors_.residual ? 1.0f : 0.0f;
  // Without a residual cuDNN still wants a tensor there, which it does not read.
  const void* residual = tensors_.residual ? tensors_.residual : tensors_.out;
  return cudnnConvolutionBiasActivationForward(
      context_.dnn(), &one, in_.get(), tensors_.in, filter_.get(), weights_.filter.get(), convolution_.get(),
      plan.algorithm, workspace_.get(), plan.workspace, &residual_factor, out_.get(), residual, bias_.get(),
      weights_.bias.get(), activation_.get(), out_.get(), tensors_.out);
}

cudnnStatus_t Convolution::run_plain(const Plan& plan) const {
  const float one = 1, zero = 0;
  const cudnnStatus_t status = cudnnConvolutionForward(
      context_.dnn(), &one, in_.get(), tensors_.in, filter_.get(), weights_.filter.get(), convolution_.get(),
      plan.algorithm, workspace_.get(), plan.workspace, &zero, out_.get(), tensors_.out);
  if (status == CUDNN_STATUS_SUCCESS) {
    add_bias(tensors_.out, weights_.bias.get(), tensors_.residual, relu_, shape_.positions(), out_channels_,
             context_.stream());
  }
  return status;
}

std::string Convolution::description() const {
  char text[256];
  std::snprintf(text, sizeof text, "%dx%d %d > %d at %dx%dx%d%s%s: %s%s, %.1f us, %zu KiB of workspace",
                kernel_, kernel_, in_channels_, out_channels_, shape_.batch, shape_.height, shape_.width,
                tensors_.residual ? " + residual" : "", relu_ ? ", ReLU" : "", name_of(plan_.algorithm),
                plan_.fused ? ", fused" : ", then bias", 1e3 * static_cast<double>(plan_.ms),
                plan_.workspace / 1024);
  return text;
}

}  // namespace latentdesk::cuda
