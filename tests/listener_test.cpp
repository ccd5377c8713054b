#include "server/listener.h"

#include <gtest/gtest.h>

namespace latentdesk {
namespace {

std::string parsed(const std::string& text) {
  boost::asio::io_context context;
  const auto endpoint = parse_endpoint(context, text);
  return endpoint.address().to_string() + " " + std::to_string(endpoint.port());
}

TEST(ParseEndpoint, TakesAddressesOfBothFamilies) {
  EXPECT_EQ(parsed("127.0.0.1:8765"), "127.0.0.1 8765");
  EXPECT_EQ(parsed("[::1]:80"), "::1 80");
  EXPECT_EQ(parsed("0.0.0.0:0"), "0.0.0.0 0");
}

TEST(ParseEndpoint, RefusesTheRest) {
  for (const char* text : {"", ":", "8765", ":8765", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                           "127.0.0.1:-1", "127.0.0.1:80x", "::1:80", "[]:80", "[::1]80"}) {
    EXPECT_THROW(parsed(text), std::runtime_error) << text;
  }
}

TEST(Listen, TakenPortIsAClearError) {
  boost::asio::io_context context;
  const auto first = listen(context, {boost::asio::ip::address_v4::loopback(), 0});
  try {
    listen(context, first.local_endpoint());
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("Address already in use"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace latentdesk
