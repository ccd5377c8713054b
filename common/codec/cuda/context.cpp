#include "common/codec/cuda/context.h"

#include <cstdio>

namespace latentdesk::cuda {

namespace {

constexpr int kLeastMajor = 8;  // what there is machine code and PTX for

int attribute(cudaDeviceAttr name) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, name, 0), "say what it is");
  return value;
}

std::string version(int number) {  // 13000 is 13.0
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

void check_driver() {
  int driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) {
    throw std::runtime_error("there is no NVIDIA driver (libcuda.so.1)");
  }
  if (driver / 1000 < CUDART_VERSION / 1000) {
    throw std::runtime_error("the NVIDIA driver is too old: it serves CUDA " + version(driver) +
                             ", and CUDA " + version(CUDART_VERSION) + " is needed");
  }
}

void check_device() {
  int devices = 0;
  const cudaError_t status = cudaGetDeviceCount(&devices);
  if (status == cudaErrorNoDevice || (status == cudaSuccess && devices == 0)) {
    throw std::runtime_error("there is no GPU that CUDA can use");
  }
  check(status, "be found");
  const int major = attribute(cudaDevAttrComputeCapabilityMajor);
  if (major < kLeastMajor) {
    throw std::runtime_error("the GPU is too old: compute capability " + std::to_string(major) + "." +
                             std::to_string(attribute(cudaDevAttrComputeCapabilityMinor)) +
                             ", and 8.0 is needed");
  }
}

/// Dense fp16 operations of a multiprocessor's tensor cores in one clock, by NVIDIA's data sheets; 0 where
/// unknown.
double matrix_operations_per_clock(int major, int minor) {
  if (major == 8) return minor == 0 ? 2048 : 512;
  if (major == 9) return 4096;
  return major == 10 ? 8192 : 0;
}

}  // namespace

void open_device() {
  check_driver();
  check_device();
  check(cudaSetDevice(0), "be opened");
  check(cudaFree(nullptr), "be opened");  // this makes the context
}

DeviceReport describe_device() {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, 0), "say what it is");
  int driver = 0;
  size_t free = 0, total = 0;
  check(cudaDriverGetVersion(&driver), "say what it is");
  check(cudaMemGetInfo(&free, &total), "say how much memory it has");
  const size_t dnn = cudnnGetVersion();
  constexpr size_t kMiB = 1024 * 1024;
  char text[512];
  std::snprintf(
      text, sizeof text,
      "%s, compute capability %d.%d, %d multiprocessors, %zu MiB (%zu MiB free), driver for CUDA %s, "
      "cuDNN %zu.%zu.%zu",
      properties.name, properties.major, properties.minor, properties.multiProcessorCount, total / kMiB,
      free / kMiB, version(driver).c_str(), dnn / 10000, dnn % 10000 / 100, dnn % 100);
  DeviceReport report;
  report.text = text;
  report.memory_used = device_bytes;
  // Two transfers a clock; clocks in kHz, the bus in bits.
  report.memory_rate =
      2e3 * attribute(cudaDevAttrMemoryClockRate) * attribute(cudaDevAttrGlobalMemoryBusWidth) / 8;
  report.matrix_rate = 1e3 * attribute(cudaDevAttrClockRate) * properties.multiProcessorCount *
                       matrix_operations_per_clock(properties.major, properties.minor);
  return report;
}

Context::Context() {
  open_device();
  int least = 0, greatest = 0;
  check(cudaDeviceGetStreamPriorityRange(&least, &greatest), "say its priorities");
  stream_ = created<Stream>(
      [least](auto* stream) { return cudaStreamCreateWithPriority(stream, cudaStreamNonBlocking, least); },
      "make a stream");
  dnn_ = created<DnnHandle>(cudnnCreate, "start");
  check(cudnnSetStream(dnn_.get(), stream_.get()), "use the stream");
  done_ = make_event();
}

void Context::wait() {
  check(cudaEventRecord(done_.get(), stream()), "end its work");
  check(cudaEventSynchronize(done_.get()), "end its work");
}

}  // namespace latentdesk::cuda
