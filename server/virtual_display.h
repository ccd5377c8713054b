#pragma once

#include "common/image.h"
#include "server/child_process.h"

#include <memory>
#include <string>
#include <vector>

namespace latentdesk {

/// An X server without a screen (Xvfb), on a free display number, with an authority file that only this user
/// can read. Ended, and the file removed, with this object.
class VirtualDisplay {
 public:
  /// Returns once the display accepts connections. Throws std::runtime_error when Xvfb cannot be started.
  explicit VirtualDisplay(Size size);
  ~VirtualDisplay();
  VirtualDisplay(const VirtualDisplay&) = delete;
  VirtualDisplay& operator=(const VirtualDisplay&) = delete;

  const std::string& name() const { return name_; }
  const std::string& authority_file() const { return authority_file_; }
  /// What a program needs to show its windows there.
  std::vector<std::string> environment() const;
  ChildProcess& process() { return *process_; }

 private:
  void write_authority();
  void start(Size size);

  std::string directory_;
  std::string authority_file_;
  std::string name_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace latentdesk
