#include "server/peer.h"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sstream>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace latentdesk {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// An IPv4 address that came in through an IPv6 socket is that IPv4 address.
tcp::endpoint unmapped(const tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return endpoint;
  return {asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()), endpoint.port()};
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

/// Into four words, in network order.
void put_address(const asio::ip::address& address, uint32_t* words) {
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    std::memcpy(words, bytes.data(), bytes.size());
  } else {
    const auto bytes = address.to_v6().to_bytes();
    std::memcpy(words, bytes.data(), bytes.size());
  }
}

struct DiagRequest {
  nlmsghdr head{};
  inet_diag_req_v2 body{};
};

struct DiagAnswer {
  nlmsghdr head{};
  union {
    inet_diag_msg found{};
    nlmsgerr failed;
  };
  std::array<char, 512> attributes{};
};

DiagRequest diag_request(const tcp::endpoint& peer, const tcp::endpoint& local) {
  DiagRequest request;
  request.head.nlmsg_len = sizeof(request);
  request.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.head.nlmsg_flags = NLM_F_REQUEST;
  request.body.sdiag_family = peer.address().is_v4() ? AF_INET : AF_INET6;
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = ~0u;
  inet_diag_sockid& id = request.body.id;
  id.idiag_sport = htons(peer.port());
  id.idiag_dport = htons(local.port());
  put_address(peer.address(), id.idiag_src);
  put_address(local.address(), id.idiag_dst);
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  return request;
}

/// `0100007F:EC1E` as /proc/net/tcp writes an endpoint: each word of the address in the machine's byte order.
std::string proc_text(const tcp::endpoint& endpoint) {
  std::array<uint32_t, 4> words{};
  put_address(endpoint.address(), words.data());
  std::string text;
  std::array<char, 16> part{};
  for (size_t i = 0; i < (endpoint.address().is_v4() ? 1u : 4u); ++i) {
    std::snprintf(part.data(), part.size(), "%08X", words[i]);
    text += part.data();
  }
  std::snprintf(part.data(), part.size(), ":%04X", endpoint.port());
  return text + part.data();
}

/// An IPv6 /64 is what one subscriber has at least, so it counts as one.
std::string network_of(const asio::ip::address& address) {
  if (address.is_v4()) return address.to_string();
  auto bytes = address.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), uint8_t{0});
  return asio::ip::address_v6(bytes).to_string() + "/64";
}

}  // namespace

bool ask_netlink(const tcp::endpoint& peer, const tcp::endpoint& local, std::optional<uid_t>& owner) {
  const Descriptor netlink(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  const timeval patience{.tv_sec = 1, .tv_usec = 0};
  setsockopt(netlink.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  const DiagRequest request = diag_request(peer, local);
  if (send(netlink.get(), &request, sizeof(request), 0) != static_cast<ssize_t>(sizeof(request)))
    return false;
  DiagAnswer answer;
  const ssize_t size = recv(netlink.get(), &answer, sizeof(answer), 0);
  const auto has = [size](size_t bytes) { return size >= static_cast<ssize_t>(sizeof(nlmsghdr) + bytes); };
  owner.reset();
  if (has(sizeof(inet_diag_msg)) && answer.head.nlmsg_type == SOCK_DIAG_BY_FAMILY) {
    if (answer.found.idiag_inode != 0) owner = answer.found.idiag_uid;
    return true;
  }
  return has(sizeof(nlmsgerr)) && answer.head.nlmsg_type == NLMSG_ERROR && answer.failed.error == -ENOENT;
}

std::optional<uid_t> read_proc(const tcp::endpoint& peer, const tcp::endpoint& local) {
  std::ifstream table(peer.address().is_v4() ? "/proc/net/tcp" : "/proc/net/tcp6");
  const std::string wanted_local = proc_text(peer), wanted_remote = proc_text(local);
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::string number, own, remote, state, queues, timer, retransmits, timeout;
    uid_t owner = 0;
    unsigned long inode = 0;
    fields >> number >> own >> remote;
    if (own != wanted_local || remote != wanted_remote) continue;
    fields >> state >> queues >> timer >> retransmits >> owner >> timeout >> inode;
    if (!fields || inode == 0) return std::nullopt;
    return owner;
  }
  return std::nullopt;
}

std::optional<uid_t> socket_owner(const tcp::endpoint& peer, const tcp::endpoint& local) {
  const tcp::endpoint from = unmapped(peer), to = unmapped(local);
  if (from.address().is_v4() != to.address().is_v4()) return std::nullopt;
  std::optional<uid_t> owner;
  return ask_netlink(from, to, owner) ? owner : read_proc(from, to);
}

Peer identify(const tcp::socket& socket) {
  boost::system::error_code no_peer, no_local;
  const tcp::endpoint remote = unmapped(socket.remote_endpoint(no_peer));
  const tcp::endpoint local = socket.local_endpoint(no_local);
  Peer peer;
  if (no_peer || no_local) return peer;
  peer.name = remote.address().to_string() + ":" + std::to_string(remote.port());
  peer.group = network_of(remote.address());
  peer.loopback = remote.address().is_loopback();
  if (!peer.loopback) return peer;
  if (const auto owner = socket_owner(remote, local)) {
    peer.own_user = *owner == geteuid() || *owner == 0;
    peer.group = "user " + std::to_string(*owner);
  }
  return peer;
}

}  // namespace latentdesk
