#pragma once

#include "common/codec/backend.h"
#include "common/codec/cuda/handles.h"

#include <string>

namespace latentdesk::cuda {

/// Opens the first GPU for this process. Throws std::runtime_error that says
/// what is missing: driver, device, a device of compute capability 8.0 or above, memory. Any thread.
void open_device();

/// Name, capability, memory, driver and cuDNN of the open device, and its peak rates.
DeviceReport describe_device();

/// What one encoder or decoder needs of the device: a stream of low priority, so that the tenant's own work
/// goes first, and cuDNN on that stream. One thread at a time.
class Context {
 public:
  /// Throws as open_device.
  Context();

  cudaStream_t stream() const { return stream_.get(); }
  cudnnHandle_t dnn() const { return dnn_.get(); }

  /// Sleeps until the stream is empty. Throws std::runtime_error when the device has failed.
  void wait();

 private:
  Stream stream_;
  DnnHandle dnn_;
  Event done_;
};

}  // namespace latentdesk::cuda
