#include "common/model_file.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstring>

namespace latentdesk {
namespace {

using nlohmann::json;

std::vector<uint8_t> file_of(const std::string& header, size_t data_bytes) {
  std::vector<uint8_t> file;
  for (size_t i = 0; i < 8; ++i) file.push_back(static_cast<uint8_t>(uint64_t{header.size()} >> (8 * i)));
  file.insert(file.end(), header.begin(), header.end());
  file.resize(file.size() + data_bytes);
  return file;
}

json tensor(const char* type, json shape, uint64_t begin, uint64_t end) {
  return {{"dtype", type}, {"shape", std::move(shape)}, {"data_offsets", {begin, end}}};
}

json valid_header() {
  return {{"__metadata__", {{"name", "test"}}},
          {"a", tensor("F32", {2, 3}, 0, 24)},
          {"b", tensor("I8", {4}, 24, 28)}};
}

ModelFile parse(const json& header, size_t data_bytes = 28) {
  return ModelFile::parse(file_of(header.dump(), data_bytes), "test.safetensors");
}

TEST(ModelFile, GivesTensorsAndMetadata) {
  auto bytes = file_of(valid_header().dump(), 28);
  const float value = 1.5f;
  std::memcpy(bytes.data() + bytes.size() - 28, &value, sizeof value);
  const ModelFile file = ModelFile::parse(std::move(bytes), "test");
  EXPECT_EQ(file.metadata("name"), "test");
  EXPECT_EQ(file.tensor("a").shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(file.floats("a").front(), 1.5f);
  EXPECT_EQ(file.tensor("b").type, TensorType::i8);
  EXPECT_EQ(file.data().size(), 28u);
}

TEST(ModelFile, WhatIsMissingIsAnErrorThatNamesIt) {
  const ModelFile file = parse(valid_header());
  EXPECT_THROW(file.tensor("c"), ModelError);
  EXPECT_THROW(file.metadata("version"), ModelError);
  EXPECT_THROW(file.floats("b"), ModelError);
  try {
    ModelFile::read("/nowhere/model.safetensors");
    FAIL();
  } catch (const ModelError& error) {
    EXPECT_NE(std::string(error.what()).find("/nowhere/model.safetensors"), std::string::npos);
  }
}

TEST(ModelFile, TruncationAnywhereIsAnError) {
  const auto whole = file_of(valid_header().dump(), 28);
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THROW(ModelFile::parse({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)}, "t"),
                 ModelError);
  }
}

TEST(ModelFile, ExcessIsAnError) { EXPECT_THROW(parse(valid_header(), 29), ModelError); }

TEST(ModelFile, HugeHeaderLengthIsAnError) {
  for (const int high_byte : {0x01, 0x7f, 0x80, 0xff}) {
    auto file = file_of(valid_header().dump(), 28);
    file[7] = static_cast<uint8_t>(high_byte);
    EXPECT_THROW(ModelFile::parse(file, "t"), ModelError);
  }
}

class BadTensor : public testing::TestWithParam<json> {};

TEST_P(BadTensor, IsRefused) {
  json header = valid_header();
  header["a"] = GetParam();
  EXPECT_THROW(parse(header), ModelError) << header.dump();
}

INSTANTIATE_TEST_SUITE_P(
    Wrong, BadTensor,
    testing::Values(tensor("F16", {2, 3}, 0, 24), tensor("F32", {2, 4}, 0, 24),
                    tensor("F32", {-2, -3}, 0, 24), tensor("F32", {0, 3}, 0, 24),
                    tensor("F32", json::array({4294967296, 4294967296, 6}), 0, 24),
                    tensor("F32", {2, 3}, 24, 0), tensor("F32", {2, 3}, 4, 28),
                    tensor("F32", {2, 3}, 0, 1u << 30), tensor("F32", {2, 3}, UINT64_MAX - 23, 0),
                    tensor("F32", "2x3", 0, 24), json{{"dtype", "F32"}, {"shape", {2, 3}}},
                    json{{"shape", {2, 3}}, {"data_offsets", {0, 24}}}, json(1), json(nullptr)));

TEST(ModelFile, MetadataMustBeText) {
  json header = valid_header();
  header["__metadata__"] = {{"name", {1, 2}}};
  EXPECT_THROW(parse(header), ModelError);
}

}  // namespace
}  // namespace latentdesk
