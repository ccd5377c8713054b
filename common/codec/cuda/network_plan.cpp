#include "common/codec/cuda/network_plan.h"

#include <algorithm>
#include <cstdio>

namespace latentdesk::cuda {

namespace {

int downscale_of_source(const Layer& layer) {
  return layer.kind == Layer::Kind::depth_to_space ? layer.downscale * layer.block : layer.downscale;
}

/// A stream that records what is put into it instead of running it. Ends the recording also when that fails.
class Capture {
 public:
  explicit Capture(cudaStream_t stream) : stream_(stream) {
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "begin a graph");
  }
  ~Capture() {
    cudaGraph_t abandoned = nullptr;
    if (stream_ && cudaStreamEndCapture(stream_, &abandoned) == cudaSuccess) cudaGraphDestroy(abandoned);
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  Graph finish() {
    const cudaStream_t stream = std::exchange(stream_, nullptr);
    return created<Graph>([stream](auto* graph) { return cudaStreamEndCapture(stream, graph); },
                          "end a graph");
  }

 private:
  cudaStream_t stream_;
};

}  // namespace

NetworkWeights upload_weights(const Context& context, const Network& network) {
  NetworkWeights weights(network.size());
  for (size_t i = 0; i < network.size(); ++i) {
    if (network[i].kind == Layer::Kind::conv) weights[i] = upload_weights(context, network[i]);
  }
  return weights;
}

NetworkPlan::NetworkPlan(const Context& context, const Network& network, const NetworkWeights& weights,
                         int begin, int end, const Shape& input)
    : context_(context), first_(begin - 1) {
  tensors_.resize(static_cast<size_t>(end - first_));
  tensors_.front() = {network[static_cast<size_t>(begin)].in_channels, input, begin, 0};
  plan_tensors(network, begin, end);
  place(tensors_.front());
  for (int index = begin; index < end; ++index) {
    add_layer(network[static_cast<size_t>(index)], index, weights[static_cast<size_t>(index)]);
    release_after(index);
  }
  capture();
}

void NetworkPlan::plan_tensors(const Network& network, int begin, int end) {
  const int input_downscale = downscale_of_source(network[static_cast<size_t>(begin)]);
  const Shape input = tensors_.front().shape;
  for (int index = begin; index < end; ++index) {
    const Layer& layer = network[static_cast<size_t>(index)];
    const bool has_residual = layer.residual != Layer::kNothing;
    if (layer.kind == Layer::Kind::space_to_depth || layer.source < first_ ||
        (has_residual && layer.residual < first_)) {
      throw ModelError(
          "the CUDA backend cannot run this network: a layer within it reads the picture itself");
    }
    const Shape shape{input.batch, input.height * input_downscale / layer.downscale,
                      input.width * input_downscale / layer.downscale};
    tensor(index) = {layer.out_channels, shape, end, 0};
    tensor(layer.source).last_reader = index;
    if (has_residual) tensor(layer.residual).last_reader = index;
  }
  tensors_.front().last_reader = end;  // the caller's to fill at any time
}

void NetworkPlan::add_layer(const Layer& layer, int index, const ConvolutionWeights& weights) {
  place(tensor(index));
  if (layer.kind == Layer::Kind::conv) {
    add_convolution(layer, index, weights);
  } else {
    add_depth_to_space(layer, index);
  }
}

void NetworkPlan::add_convolution(const Layer& layer, int index, const ConvolutionWeights& weights) {
  const bool has_residual = layer.residual != Layer::kNothing;
  const Convolution::Tensors tensors{
      data(tensor(layer.source)), has_residual ? data(tensor(layer.residual)) : nullptr, data(tensor(index))};
  const auto convolution =
      std::make_shared<const Convolution>(context_, layer, weights, tensor(index).shape, tensors, workspace_);
  steps_.emplace_back([convolution] { convolution->enqueue(); });
  description_ += "layer " + std::to_string(index) + ": " + convolution->description() + "\n";
}

void NetworkPlan::add_depth_to_space(const Layer& layer, int index) {
  const Tensor& in = tensor(layer.source);
  steps_.emplace_back([this, from = data(in), to = data(tensor(index)),
                       rows = in.shape.batch * in.shape.height, width = in.shape.width, block = layer.block,
                       channels = layer.out_channels] {
    depth_to_space(from, rows, width, block, channels, to, context_.stream());
  });
  description_ +=
      "layer " + std::to_string(index) + ": depth to space by " + std::to_string(layer.block) + "\n";
}

void NetworkPlan::place(Tensor& tensor) {
  const size_t bytes = elements(tensor) * sizeof(__half);
  const auto fits = [&](size_t index) { return buffers_[index].bytes() >= bytes; };
  const auto found = std::find_if(free_.begin(), free_.end(), fits);
  if (found != free_.end()) {
    tensor.buffer = *found;
    free_.erase(found);
    return;
  }
  tensor.buffer = buffers_.size();
  const auto& buffer = buffers_.emplace_back(elements(tensor));
  // Nothing reads what was not written but the layers' timing, and padding of a batch that is not full.
  check(cudaMemsetAsync(buffer.get(), 0, buffer.bytes(), context_.stream()), "clear memory");
}

void NetworkPlan::release_after(int index) {
  for (const Tensor& candidate : tensors_) {
    if (candidate.last_reader == index) free_.push_back(candidate.buffer);
  }
}

void NetworkPlan::capture() {
  for (const auto& step : steps_) step();  // what libraries make at a first call, they make now
  check(cudaStreamSynchronize(context_.stream()), "run a network");
  Capture capture(context_.stream());
  for (const auto& step : steps_) step();
  const Graph graph = capture.finish();
  graph_ = created<GraphExec>([&](auto* exec) { return cudaGraphInstantiate(exec, graph.get(), 0); },
                              "prepare a graph");
}

void NetworkPlan::launch() { check(cudaGraphLaunch(graph_.get(), context_.stream()), "run a network"); }

std::string NetworkPlan::description() const { return description_; }

}  // namespace latentdesk::cuda
