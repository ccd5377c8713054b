#include "client/trust.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace latentdesk {
namespace {

class TrustTest : public testing::Test {
 protected:
  ~TrustTest() override { std::filesystem::remove_all(folder_); }

  void check(const std::string& authority, const Sha256& fingerprint,
             const std::string& error = "self-signed") const {
    check_identity(config_, {authority, fingerprint, error});
  }

  const std::string folder_ = testing::TempDir() + "trust-test-" + std::to_string(getpid());
  TrustConfig config_{.known_servers = folder_ + "/deeper/known_servers"};
  const Sha256 one_ = sha256("one"), two_ = sha256("two");
};

TEST_F(TrustTest, ServerIsRememberedAtItsFirstUse) {
  check("gpu:1", one_);
  check("gpu:1", one_);
  check("GPU:1", one_);
  check("gpu:2", two_);
  struct stat status {};
  ASSERT_EQ(stat(config_.known_servers.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  std::ifstream file(config_.known_servers);
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(line, "gpu:1 SHA256:" + to_string(one_));
}

TEST_F(TrustTest, AnotherCertificateIsRefusedWithAdvice) {
  check("gpu:1", one_);
  try {
    check("gpu:1", two_);
    FAIL();
  } catch (const Distrust& distrust) {
    const std::string text = distrust.what();
    for (const std::string& part : {to_string(one_), to_string(two_), config_.known_servers})
      EXPECT_NE(text.find(part), std::string::npos) << text;
  }
  EXPECT_THROW(check("gpu:1", two_), Distrust) << "nor has it been remembered";
  check("gpu:1", one_);
}

TEST_F(TrustTest, AnAuthoritysWordIsEnoughAndIsNotPinned) {
  check("gpu:1", one_, "");
  check("gpu:1", two_, "");
  EXPECT_FALSE(std::filesystem::exists(config_.known_servers));
}

TEST_F(TrustTest, ADemandedFingerprintIsTheOnlyOne) {
  config_.fingerprint = one_;
  check("gpu:1", one_);
  EXPECT_FALSE(std::filesystem::exists(config_.known_servers));
  EXPECT_THROW(check("gpu:1", two_), Distrust);
  EXPECT_THROW(check("gpu:1", two_, ""), Distrust) << "not even with an authority";
}

TEST_F(TrustTest, WhatCannotBeRememberedIsRefused) {
  config_.known_servers = "/proc/nowhere/known_servers";
  EXPECT_THROW(check("gpu:1", one_), Distrust);
  config_.known_servers = "";
  EXPECT_THROW(check("gpu:1", one_), Distrust);
}

TEST_F(TrustTest, ADamagedLineIsNotAFirstUse) {
  std::filesystem::create_directories(folder_ + "/deeper");
  std::ofstream(config_.known_servers) << "# comment\n\ngpu:1 SHA256:00\n";
  EXPECT_THROW(check("gpu:1", one_), Distrust);
  check("gpu:2", one_);
}

}  // namespace
}  // namespace latentdesk
