#pragma once

#include "common/codec/cpu/executor.h"

namespace latentdesk::cpu {

/// A oneDNN convolution with its arguments bound. Executes through the C interface, since the C++ one copies
/// its arguments into a new container at each call.
class Convolution {
 public:
  /// Source and destination as oneDNN sees them. `source_step`: what one unit of a source of bytes is worth;
  /// null when it is that of `*run_time_step`, read at each call.
  struct Place {
    dnnl::memory source;
    dnnl::memory destination;
    const float* source_step;
    float* run_time_step;
  };

  Convolution(const Layer& layer, const Place& place, const dnnl::engine& engine, dnnl::stream& stream);

  void operator()() const;

 private:
  void bind(int name, const dnnl::memory& argument);

  dnnl::primitive primitive_;
  dnnl::stream stream_;
  std::vector<dnnl::memory> keep_alive_;
  std::vector<dnnl_exec_arg_t> arguments_;
};

}  // namespace latentdesk::cpu
