#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <string>

namespace latentdesk {

class Gate;

/// `HOST:PORT`, `[IPV6]:PORT`; a name is resolved. Throws std::runtime_error that says what is wrong.
boost::asio::ip::tcp::endpoint parse_endpoint(boost::asio::io_context& context, const std::string& text);

/// Throws std::runtime_error when the address cannot be listened on.
boost::asio::ip::tcp::acceptor listen(boost::asio::io_context& context,
                                      const boost::asio::ip::tcp::endpoint& endpoint);

/// Accepts connections until the acceptor is closed; each is served by its own coroutine. The gate bounds how
/// many there are at once.
boost::asio::awaitable<void> accept_connections(boost::asio::ip::tcp::acceptor& acceptor, Gate& gate);

}  // namespace latentdesk
