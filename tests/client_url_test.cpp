#include "client/url.h"

#include <gtest/gtest.h>

namespace latentdesk {
namespace {

TEST(ServerUrl, TakesDefaultsForWhatIsLeftOut) {
  EXPECT_EQ(parse_server_url("gpu-box"), (ServerUrl{"gpu-box", 8765, "/", true}));
  EXPECT_EQ(parse_server_url("gpu-box:9000"), (ServerUrl{"gpu-box", 9000, "/", true}));
  EXPECT_EQ(parse_server_url("ws://gpu-box"), (ServerUrl{"gpu-box", 8765, "/"}));
  EXPECT_EQ(parse_server_url("WS://127.0.0.1:80/"), (ServerUrl{"127.0.0.1", 80, "/"}));
}

TEST(ServerUrl, KeepsPathAndQuery) {
  EXPECT_EQ(parse_server_url("ws://h:1/a/b?c=d&e=%20").target, "/a/b?c=d&e=%20");
  EXPECT_EQ(parse_server_url("h?x=1").target, "/?x=1");
  EXPECT_EQ(parse_server_url("h/a:b@c").host, "h");
}

TEST(ServerUrl, TakesIpv6InBrackets) {
  const ServerUrl url = parse_server_url("ws://[2001:db8::7]:9000/x");
  EXPECT_EQ(url, (ServerUrl{"2001:db8::7", 9000, "/x"}));
  EXPECT_EQ(url.authority(), "[2001:db8::7]:9000");
  EXPECT_EQ(parse_server_url("[::1]"), (ServerUrl{"::1", 8765, "/"}));
  EXPECT_EQ(parse_server_url("[fe80::1%eth0]").host, "fe80::1%eth0");
}

TEST(ServerUrl, TakesTheSchemesOfPagesAndOfTls) {
  EXPECT_TRUE(parse_server_url("wss://gpu-box").tls);
  EXPECT_TRUE(parse_server_url("HTTPS://gpu-box:9000/").tls);
  EXPECT_FALSE(parse_server_url("http://gpu-box:9000/").tls);
  EXPECT_EQ(parse_server_url("https://gpu-box:9000/").authority(), "gpu-box:9000");
}

TEST(ServerUrl, WithoutASchemeOnlyThisMachineIsAskedInClear) {
  for (const char* here : {"localhost", "127.0.0.1:9000", "127.1.2.3", "[::1]"})
    EXPECT_FALSE(parse_server_url(here).tls) << here;
  for (const char* elsewhere : {"gpu-box", "127.example.com", "10.0.0.1", "[fd00::1]", "localhost.example"})
    EXPECT_TRUE(parse_server_url(elsewhere).tls) << elsewhere;
}

TEST(ServerUrl, TakesATokenFromTheFragment) {
  const ServerUrl url = parse_server_url("https://gpu-box:8765/#token=a%2Fb%20c");
  EXPECT_EQ(url.token, "a/b c");
  EXPECT_EQ(url.target, "/");
  EXPECT_EQ(target_with_token(url, "other"), "/?token=a%2Fb%20c");
  EXPECT_EQ(parse_server_url("h#token=abc").token, "abc");
}

class BadUrl : public testing::TestWithParam<const char*> {};

TEST_P(BadUrl, IsRefused) { EXPECT_THROW(parse_server_url(GetParam()), UrlError); }

INSTANTIATE_TEST_SUITE_P(ServerUrl, BadUrl,
                         testing::Values("", "ws://", ":8765", "ftp://h", "://h", "ws:///path", "user@h",
                                         "ws://user:password@h:1", "h:", "h:0", "h:65536", "h:-1", "h:+1",
                                         "h:12x", "h: 1", "::1", "1:2:3", "[::1", "[]", "[h]", "[::1]x",
                                         "[::1]8765", "h/#fragment", "h/#token=", "h/#token=%", "h/#token=%4",
                                         "h/#token=%zz", "h/#token=a b", "h/a b", "h/a\r\nHost: x", "h\n",
                                         "h/\x80", "a b", "h\"", "h/<>"));

TEST(ServerUrl, RefusesAnEndlessAddress) { EXPECT_THROW(parse_server_url(std::string(5000, 'a')), UrlError); }

TEST(ServerUrl, AddsTheTokenToTheQuery) {
  EXPECT_EQ(target_with_token({"h", 1, "/"}, ""), "/");
  EXPECT_EQ(target_with_token({"h", 1, "/"}, "abc"), "/?token=abc");
  EXPECT_EQ(target_with_token({"h", 1, "/p?x=1"}, "a+b/c=&d e"), "/p?x=1&token=a%2Bb%2Fc%3D%26d%20e");
}

TEST(ServerUrl, LetsATokenInTheAddressWin) {
  EXPECT_EQ(target_with_token({"h", 1, "/?token=mine"}, "other"), "/?token=mine");
  EXPECT_EQ(target_with_token({"h", 1, "/?mytoken=1"}, "other"), "/?mytoken=1&token=other");
}

}  // namespace
}  // namespace latentdesk
