#include "client/window_text.h"

#include <spdlog/fmt/fmt.h>

namespace latentdesk {

using State = ConnectionStatus::State;

std::string window_title(const std::string& server, const ConnectionStatus& status, Size picture,
                         const std::string& role) {
  if (status.state != State::connected) {
    const char* state = status.connects > 0 ? "connection lost, connecting again" : "not connected";
    return fmt::format("{} ({}) - latentdesk", server, state);
  }
  if (picture == Size{}) return fmt::format("{} (connected) - latentdesk", server);
  return fmt::format("{} ({}x{}{}{}) - latentdesk", server, picture.width, picture.height,
                     role.empty() ? "" : ", ", role);
}

std::vector<std::string> status_lines(const std::string& server, const ConnectionStatus& status,
                                      Size picture) {
  const std::string connecting = "Connecting to " + server + " ...";
  if (status.state == State::connected) {
    if (picture != Size{}) return {};
    return {"Connected to " + server + ". Waiting for the first picture."};
  }
  if (status.reason.empty()) return {connecting};
  const char* what = status.connects > 0 ? "Connection lost" : "No connection";
  const double seconds = static_cast<double>(status.retry_in.count()) / 1000;
  const bool waits = status.state == State::waiting;
  return {fmt::format("{}: {}.", what, status.reason),
          waits ? fmt::format("Trying again in {:.1f} s", seconds) : connecting};
}

const char* role_of(ControlState control) {
  switch (control) {
    case ControlState::yours:
      return "in control";
    case ControlState::taken:
      return "another viewer in control";
    case ControlState::free:
      return "nobody in control";
    case ControlState::none:
      break;
  }
  return "view only";
}

const char* notice_of(ControlState control) {
  switch (control) {
    case ControlState::yours:
      return "You have control";
    case ControlState::taken:
      return "Another viewer has control (Ctrl+Alt+Shift+C takes it)";
    case ControlState::free:
      return "Nobody has control: type or click to take it";
    case ControlState::none:
      break;
  }
  return "You can only look";
}

}  // namespace latentdesk
