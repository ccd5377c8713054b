#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <string>
#include <sys/types.h>

namespace latentdesk {

/// The other end of a connection.
struct Peer {
  std::string name = "unknown peer";  ///< address and port, for the log
  std::string group = "unknown";      ///< who shares limits: a user of this machine, an address, an IPv6 /64
  bool loopback = false;
  bool own_user = false;  ///< on loopback, and its socket belongs to our user or to root
};

/// Who is at the other end, as far as the system knows. Never throws.
Peer identify(const boost::asio::ip::tcp::socket& socket);

/// The user whose process holds the socket at `peer`, the other end of a connection with `local` on this
/// machine. Nothing when the process has closed it: the system names root as the owner of such a socket.
/// About 4 microseconds through netlink; without that, /proc/net is read.
std::optional<uid_t> socket_owner(const boost::asio::ip::tcp::endpoint& peer,
                                  const boost::asio::ip::tcp::endpoint& local);

// The two ways of asking; both take addresses of one family, not mapped ones.

/// False when the system does not answer such questions; `owner` is nothing when there is no such socket.
bool ask_netlink(const boost::asio::ip::tcp::endpoint& peer, const boost::asio::ip::tcp::endpoint& local,
                 std::optional<uid_t>& owner);
std::optional<uid_t> read_proc(const boost::asio::ip::tcp::endpoint& peer,
                               const boost::asio::ip::tcp::endpoint& local);

}  // namespace latentdesk
