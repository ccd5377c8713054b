#include "server/http.h"

#include <gtest/gtest.h>

namespace latentdesk {
namespace {

namespace http = boost::beast::http;

HttpRequest get(const char* target) {
  HttpRequest request(http::verb::get, target, 11);
  request.set(http::field::host, "127.0.0.1:8765");
  return request;
}

HttpRequest upgrade(const char* origin) {
  HttpRequest request = get("/");
  request.set(http::field::connection, "Upgrade");
  request.set(http::field::upgrade, "websocket");
  request.set(http::field::sec_websocket_key, "AAAAAAAAAAAAAAAAAAAAAA==");
  request.set(http::field::sec_websocket_version, "13");
  if (origin) request.set(http::field::origin, origin);
  return request;
}

TEST(Http, HealthAndHelpAndNothingElse) {
  EXPECT_EQ(answer_without_upgrade(get("/healthz"))->result(), http::status::ok);
  const auto help = answer_without_upgrade(get("/"));
  EXPECT_EQ(help->result(), http::status::upgrade_required);
  EXPECT_NE(help->body().find("latentdesk-viewer ws://127.0.0.1:8765"), std::string::npos);
  EXPECT_NE(help->body().find("has not been built"), std::string::npos);
  EXPECT_EQ(answer_without_upgrade(get("/../etc/passwd"))->result(), http::status::not_found);
}

TEST(Http, ProgramsAndOurOwnPageMayUpgrade) {
  EXPECT_FALSE(answer_without_upgrade(upgrade(nullptr)));
  EXPECT_FALSE(answer_without_upgrade(upgrade("http://127.0.0.1:8765")));
}

TEST(Http, ForeignPagesMayNot) {
  for (const char* origin :
       {"http://example.com", "http://127.0.0.1:8080", "null", "file://", "127.0.0.1:8765"}) {
    const auto answer = answer_without_upgrade(upgrade(origin));
    ASSERT_TRUE(answer) << origin;
    EXPECT_EQ(answer->result(), http::status::forbidden) << origin;
  }
}

}  // namespace
}  // namespace latentdesk
