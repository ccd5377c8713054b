#include "server/virtual_display.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <stdexcept>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <X11/Xauth.h>

namespace latentdesk {

namespace {

constexpr int kStartTimeoutMs = 10'000;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// The number that Xvfb writes once it is ready; empty when it ends or says nothing for too long.
std::string read_display_number(int fd) {
  std::string number;
  pollfd readable{fd, POLLIN, 0};
  char c = 0;
  while (poll(&readable, 1, kStartTimeoutMs) > 0 && read(fd, &c, 1) == 1) {
    if (c == '\n') return number;
    number += c;
  }
  return {};
}

std::string screen(Size size) {
  return std::to_string(size.width) + "x" + std::to_string(size.height) + "x24";
}

}  // namespace

VirtualDisplay::VirtualDisplay(Size size) {
  std::string directory = std::filesystem::temp_directory_path() / "latentdesk-XXXXXX";
  if (!mkdtemp(directory.data())) throw std::runtime_error("cannot make a directory in " + directory);
  directory_ = directory;
  authority_file_ = directory + "/Xauthority";
  try {
    write_authority();
    start(size);
  } catch (...) {
    std::filesystem::remove_all(directory_);
    throw;
  }
}

VirtualDisplay::~VirtualDisplay() {
  process_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::vector<std::string> VirtualDisplay::environment() const {
  return {"DISPLAY=" + name_, "XAUTHORITY=" + authority_file_};
}

void VirtualDisplay::write_authority() {
  std::array<char, 16> cookie{};
  if (getrandom(cookie.data(), cookie.size(), 0) != static_cast<ssize_t>(cookie.size())) {
    throw std::runtime_error("no random numbers for the X authority");
  }
  char protocol[] = "MIT-MAGIC-COOKIE-1";
  Xauth entry{};
  entry.family = FamilyWild;  // the display's number is not known yet
  entry.name_length = sizeof protocol - 1;
  entry.name = protocol;
  entry.data_length = cookie.size();
  entry.data = cookie.data();
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(authority_file_.c_str(), "wb"));
  if (!file || !XauWriteAuth(file.get(), &entry)) throw std::runtime_error("cannot write " + authority_file_);
}

void VirtualDisplay::start(Size size) {
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe for Xvfb");
  try {
    process_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{"Xvfb", "-displayfd", std::to_string(ChildProcess::kPassedFd), "-screen",
                                 "0", screen(size), "-auth", authority_file_, "-nolisten", "tcp", "-noreset",
                                 "+extension", "RANDR"},
        std::vector<std::string>{}, ready[1]);
  } catch (const std::runtime_error& error) {
    close(ready[0]);
    close(ready[1]);
    throw std::runtime_error(std::string("--start-display: ") + error.what() +
                             " (Debian: apt-get install xvfb)");
  }
  close(ready[1]);
  const std::string number = read_display_number(ready[0]);
  close(ready[0]);
  if (number.empty()) throw std::runtime_error("--start-display: Xvfb did not start");
  name_ = ":" + number;
}

}  // namespace latentdesk
