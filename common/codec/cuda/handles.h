#pragma once

#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

// Owners of what CUDA and cuDNN hand out. Nothing here is made or freed while a stream runs.

namespace latentdesk::cuda {

/// Throws std::runtime_error: what could not be done, and why in CUDA's words.
inline void check(cudaError_t status, const char* action) {
  if (status == cudaSuccess) return;
  throw std::runtime_error(std::string("the GPU could not ") + action + ": " + cudaGetErrorString(status) +
                           " (" + cudaGetErrorName(status) + ")");
}

inline void check(cudnnStatus_t status, const char* action) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  throw std::runtime_error(std::string("cuDNN could not ") + action + ": " + cudnnGetErrorString(status));
}

template <auto destroy>
struct Destroy {
  template <typename T>
  void operator()(T* handle) const {
    destroy(handle);
  }
};

template <typename Pointer, auto destroy>
using Handle = std::unique_ptr<std::remove_pointer_t<Pointer>, Destroy<destroy>>;

using Stream = Handle<cudaStream_t, cudaStreamDestroy>;
using Event = Handle<cudaEvent_t, cudaEventDestroy>;
using Graph = Handle<cudaGraph_t, cudaGraphDestroy>;
using GraphExec = Handle<cudaGraphExec_t, cudaGraphExecDestroy>;
using DnnHandle = Handle<cudnnHandle_t, cudnnDestroy>;
using TensorDescriptor = Handle<cudnnTensorDescriptor_t, cudnnDestroyTensorDescriptor>;
using FilterDescriptor = Handle<cudnnFilterDescriptor_t, cudnnDestroyFilterDescriptor>;
using ConvolutionDescriptor = Handle<cudnnConvolutionDescriptor_t, cudnnDestroyConvolutionDescriptor>;
using ActivationDescriptor = Handle<cudnnActivationDescriptor_t, cudnnDestroyActivationDescriptor>;

/// A handle by the function that creates it, as in `created<DnnHandle>(cudnnCreate, "start")`.
template <typename Owner, typename Create>
Owner created(const Create& create, const char* action) {
  typename Owner::pointer handle = nullptr;
  check(create(&handle), action);
  return Owner(handle);
}

/// With times; a thread that waits for it sleeps.
inline Event make_event() {
  return created<Event>([](auto* event) { return cudaEventCreateWithFlags(event, cudaEventBlockingSync); },
                        "make an event");
}

/// Memory that DeviceBuffers of this process hold now.
inline std::atomic<size_t> device_bytes{0};

struct DeviceMemory {
  static cudaError_t take(void** memory, size_t bytes) {
    const cudaError_t status = cudaMalloc(memory, bytes);
    if (status == cudaSuccess) device_bytes += bytes;
    return status;
  }
  static void give(void* memory, size_t bytes) {
    cudaFree(memory);
    device_bytes -= bytes;
  }
  static constexpr const char* kAction = "take device memory";
};

/// Of the host, page-locked: the device reads and writes it by itself.
struct PinnedMemory {
  static cudaError_t take(void** memory, size_t bytes) {
    return cudaHostAlloc(memory, bytes, cudaHostAllocDefault);
  }
  static void give(void* memory, size_t) { cudaFreeHost(memory); }
  static constexpr const char* kAction = "take page-locked memory";
};

/// An array of trivial values, uninitialised.
template <typename T, typename Memory>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t count) { take(count); }
  ~Buffer() { give(); }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }

  /// At least `count`; content is lost when it grows, and everything under way on the device is waited for.
  void reserve(size_t count) {
    if (count <= count_) return;
    check(cudaDeviceSynchronize(), "finish its work");
    give();
    take(count);
  }

  T* get() const { return data_; }
  size_t bytes() const { return count_ * sizeof(T); }

 private:
  void take(size_t count) {
    void* memory = nullptr;
    check(Memory::take(&memory, count * sizeof(T)), Memory::kAction);
    data_ = static_cast<T*>(memory);
    count_ = count;
  }
  void give() {
    if (data_) Memory::give(data_, bytes());
    data_ = nullptr;
    count_ = 0;
  }
  void swap(Buffer& other) {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
  }

  T* data_ = nullptr;
  size_t count_ = 0;
};

template <typename T>
using DeviceBuffer = Buffer<T, DeviceMemory>;
template <typename T>
using PinnedBuffer = Buffer<T, PinnedMemory>;

}  // namespace latentdesk::cuda
