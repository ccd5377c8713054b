#pragma once

#include "common/net/transport.h"

#include <boost/beast/websocket/stream.hpp>

#include <memory>
#include <string>

namespace latentdesk {

// What the sessions of both formats do with their WebSocket. Network thread only.

using SessionSocket = boost::beast::websocket::stream<Transport>;

/// Our limits and timeouts, before the handshake.
void configure(SessionSocket& socket);

/// Why reading ended, in a few words.
std::string describe_end(const boost::system::error_code& error);

/// Whether the connection was lost: neither side has ended it.
bool is_loss(const boost::system::error_code& error);

/// Sends a close frame and waits for its answer; `owner` lives until then.
void start_closing(std::shared_ptr<void> owner, SessionSocket& socket,
                   const boost::beast::websocket::close_reason& reason);

}  // namespace latentdesk
