#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

// safetensors:
//
//   offset  size  field
//   0       8     n: length of the header, unsigned, little-endian
//   8       n     header: JSON object {"name": {"dtype", "shape", "data_offsets": [begin, end]},
//   "__metadata__": {string: string}} 8+n     ...   tensor data, little-endian, row-major; offsets count from
//   here; no holes

namespace latentdesk {

/// A model file that cannot be used; the message names the file and what is wrong.
class ModelError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class TensorType { f32, i8, u8 };

/// One tensor of a file; `bytes` points into the file's memory.
struct TensorView {
  TensorType type = TensorType::f32;
  std::vector<int64_t> shape;
  std::span<const uint8_t> bytes;

  /// Elements of the shape; 1 for a scalar.
  size_t elements() const;
};

/// A safetensors file, read whole and validated: types, shapes, offsets and size agree, and nothing is left
/// over.
class ModelFile {
 public:
  /// Throws ModelError when the file cannot be read or is not valid.
  static ModelFile read(const std::string& path);
  /// The same from memory; `name` stands for the path in messages.
  static ModelFile parse(std::vector<uint8_t> bytes, const std::string& name);

  /// Throws ModelError when there is none of that name.
  const TensorView& tensor(const std::string& name) const;
  /// Throws ModelError when there is none of that name or its type is not f32. Copies, since the file keeps
  /// no alignment.
  std::vector<float> floats(const std::string& name) const;
  const std::string& metadata(const std::string& key) const;

  /// All of the file after its header.
  std::span<const uint8_t> data() const { return std::span(bytes_).subspan(data_begin_); }
  const std::string& name() const { return name_; }

  ModelFile(ModelFile&&) = default;
  ModelFile& operator=(ModelFile&&) = default;
  ModelFile(const ModelFile&) = delete;
  ModelFile& operator=(const ModelFile&) = delete;

 private:
  ModelFile(std::vector<uint8_t> bytes, std::string name);

  std::vector<uint8_t> bytes_;
  std::string name_;
  size_t data_begin_ = 0;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace latentdesk
