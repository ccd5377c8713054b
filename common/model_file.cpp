#include "common/model_file.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <utility>

namespace latentdesk {

namespace {

using nlohmann::json;

constexpr size_t kPrefixBytes = 8;
constexpr size_t kMaxHeaderBytes = size_t{1} << 20;
constexpr size_t kMaxFileBytes = size_t{1} << 28;
constexpr size_t kMaxDimensions = 8;
constexpr int kMaxJsonDepth = 4;

TensorType tensor_type(const std::string& name) {
  if (name == "F32") return TensorType::f32;
  if (name == "I8") return TensorType::i8;
  if (name == "U8") return TensorType::u8;
  throw ModelError("tensor type " + name + " is not supported");
}

size_t element_bytes(TensorType type) { return type == TensorType::f32 ? 4 : 1; }

size_t header_length(std::span<const uint8_t> file) {
  if (file.size() < kPrefixBytes) throw ModelError("file is too short");
  uint64_t length = 0;
  for (size_t i = kPrefixBytes; i-- > 0;) length = length << 8 | file[i];
  if (length > kMaxHeaderBytes) throw ModelError("not a safetensors file, or its header is too long");
  if (length > file.size() - kPrefixBytes) throw ModelError("file is truncated in its header");
  return static_cast<size_t>(length);
}

json parse_header(std::span<const uint8_t> text) {
  const auto limit_depth = [](int depth, json::parse_event_t, json&) {
    if (depth > kMaxJsonDepth) throw ModelError("header is nested too deeply");
    return true;
  };
  json header = json::parse(text.begin(), text.end(), limit_depth, /*allow_exceptions=*/false);
  if (!header.is_object()) throw ModelError("header is not a JSON object");
  return header;
}

/// Product of the dimensions and the element size, which must be the size of the tensor's data.
void check_shape(const TensorView& tensor) {
  if (tensor.shape.size() > kMaxDimensions) throw ModelError("tensor has too many dimensions");
  size_t bytes = element_bytes(tensor.type);
  for (const int64_t dimension : tensor.shape) {
    if (dimension < 1 || static_cast<uint64_t>(dimension) > kMaxFileBytes / bytes) {
      throw ModelError("tensor has a dimension out of range");
    }
    bytes *= static_cast<size_t>(dimension);
  }
  if (bytes != tensor.bytes.size()) throw ModelError("tensor's shape and size disagree");
}

TensorView parse_tensor(const json& entry, std::span<const uint8_t> data) {
  TensorView tensor;
  tensor.type = tensor_type(entry.at("dtype").get<std::string>());
  tensor.shape = entry.at("shape").get<std::vector<int64_t>>();
  const auto [begin, end] = entry.at("data_offsets").get<std::pair<uint64_t, uint64_t>>();
  if (begin > end || end > data.size()) throw ModelError("tensor lies outside the file: is it truncated?");
  tensor.bytes = data.subspan(begin, end - begin);
  check_shape(tensor);
  return tensor;
}

/// The tensors, in the order of their data, must cover it without hole or overlap.
void check_coverage(const std::map<std::string, TensorView>& tensors, std::span<const uint8_t> data) {
  std::vector<std::span<const uint8_t>> parts;
  parts.reserve(tensors.size());
  for (const auto& [name, tensor] : tensors) parts.push_back(tensor.bytes);
  std::sort(parts.begin(), parts.end(), [](auto a, auto b) { return a.data() < b.data(); });
  const uint8_t* expected = data.data();
  for (const auto part : parts) {
    if (part.data() != expected) throw ModelError("tensors overlap or leave a hole");
    expected += part.size();
  }
  if (expected != data.data() + data.size()) throw ModelError("file is longer than its tensors");
}

}  // namespace

size_t TensorView::elements() const { return bytes.size() / element_bytes(type); }

ModelFile ModelFile::read(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw ModelError(path + ": cannot be opened");
  const auto size = static_cast<std::streamoff>(file.tellg());
  if (size < 0 || static_cast<uint64_t>(size) > kMaxFileBytes)
    throw ModelError(path + ": is too large for a model");
  std::vector<uint8_t> bytes(static_cast<size_t>(size));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), size);
  if (!file) throw ModelError(path + ": cannot be read");
  return parse(std::move(bytes), path);
}

ModelFile ModelFile::parse(std::vector<uint8_t> bytes, const std::string& name) {
  try {
    return ModelFile(std::move(bytes), name);
  } catch (const ModelError& error) {
    throw ModelError(name + ": " + error.what());
  } catch (const json::exception&) {
    throw ModelError(name + ": header has a field that is missing or of a wrong type");
  }
}

ModelFile::ModelFile(std::vector<uint8_t> bytes, std::string name)
    : bytes_(std::move(bytes)), name_(std::move(name)) {
  const size_t length = header_length(bytes_);
  data_begin_ = kPrefixBytes + length;
  const json header = parse_header(std::span(bytes_).subspan(kPrefixBytes, length));
  for (const auto& [key, entry] : header.items()) {
    if (key == "__metadata__") {
      metadata_ = entry.get<std::map<std::string, std::string>>();
    } else {
      tensors_.emplace(key, parse_tensor(entry, data()));
    }
  }
  check_coverage(tensors_, data());
}

const TensorView& ModelFile::tensor(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw ModelError(name_ + ": lacks tensor " + name);
  return found->second;
}

std::vector<float> ModelFile::floats(const std::string& name) const {
  const TensorView& view = tensor(name);
  if (view.type != TensorType::f32) throw ModelError(name_ + ": tensor " + name + " is not float32");
  std::vector<float> values(view.elements());
  std::memcpy(values.data(), view.bytes.data(), view.bytes.size());
  return values;
}

const std::string& ModelFile::metadata(const std::string& key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) throw ModelError(name_ + ": lacks metadata " + key);
  return found->second;
}

}  // namespace latentdesk
