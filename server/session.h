#pragma once

#include "common/net/transport.h"
#include "server/admission.h"
#include "server/http.h"

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace latentdesk {

class Hub;

/// Answers a viewer's upgrade request and serves it until its WebSocket ends. Without access it is closed.
/// Throws system_error when the upgrade fails; later reasons of an end are in the log. Network thread.
boost::asio::awaitable<void> serve_viewer(Transport transport, HttpRequest request,
                                          std::unique_ptr<Admission> admission, Hub& hub);

}  // namespace latentdesk
