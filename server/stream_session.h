#pragma once

#include "common/net/transport.h"
#include "server/admission.h"
#include "server/http.h"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace latentdesk {

class Hub;
class Seats;

/// What all sessions of latentdesk.2 say and keep to.
struct StreamConfig {
  std::string model_ver;
  std::string device;           ///< what the server encodes on
  int quality = 55;             ///< ceiling, 1 to 100
  double bytes_per_second = 0;  ///< to each viewer, at most; 0: no limit
  Seats* seats = nullptr;       ///< never null once a session begins
};

/// Answers the upgrade request of a viewer of latentdesk.2 and serves it until its WebSocket ends. Its hello
/// may still have to bring it access. Throws system_error when the upgrade fails; later reasons of an end are
/// in the log. Network thread.
boost::asio::awaitable<void> serve_stream_viewer(Transport transport, HttpRequest request,
                                                 std::unique_ptr<Admission> admission, Hub& hub,
                                                 const StreamConfig& config);

}  // namespace latentdesk
