#include "server/token_source.h"

#include <spdlog/spdlog.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <openssl/rand.h>
#include <stdexcept>
#include <sys/stat.h>

namespace latentdesk {

std::string read_token_file(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  constexpr const char* kSpace = " \t\r\n";
  const size_t first = line.find_first_not_of(kSpace);
  if (first == line.npos) throw std::runtime_error(path + ": no token in its first line");
  struct stat status {};
  if (stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)))
    spdlog::warn("{}: other users may read this token (chmod 600)", path);
  return line.substr(first, line.find_last_not_of(kSpace) - first + 1);
}

std::string take_token_variable(const char* name) {
  const char* value = std::getenv(name);
  const std::string token = value ? value : "";
  unsetenv(name);
  return token;
}

std::string random_token() {
  std::array<uint8_t, 16> bytes{};
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) throw std::runtime_error("no random numbers for a token");
  std::string token;
  for (const uint8_t byte : bytes) {
    for (const int digit : {byte >> 4, byte & 15}) token += "0123456789abcdef"[digit];
  }
  return token;
}

}  // namespace latentdesk
