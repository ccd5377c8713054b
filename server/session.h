#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace latentdesk {

class Hub;

/// Serves one connection until it ends: a plain HTTP request, or a viewer's WebSocket. Never throws; the
/// reason of the end is in the log. Network thread.
boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket, Hub& hub);

}  // namespace latentdesk
