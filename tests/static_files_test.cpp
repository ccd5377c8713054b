#include "server/static_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace latentdesk {
namespace {

namespace fs = std::filesystem;
namespace http = boost::beast::http;

HttpRequest get(const char* target, const char* encodings = "gzip, deflate, br") {
  HttpRequest request(http::verb::get, target, 11);
  request.set(http::field::host, "127.0.0.1:8765");
  if (encodings) request.set(http::field::accept_encoding, encodings);
  return request;
}

/// A folder with a page, as the build leaves it.
class StaticPage : public testing::Test {
 protected:
  StaticPage() : folder_(fs::temp_directory_path() / ("latentdesk-page-" + std::to_string(getpid()))) {
    fs::create_directories(folder_ / "assets");
    write("index.html.gz", "the page");
    write("assets/main-AbC123.js.gz", "its script");
    write("icon.svg", "its icon");
  }
  ~StaticPage() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& body) {
    std::ofstream(folder_ / name, std::ios::binary) << body;
  }

  std::shared_ptr<StaticFiles> load() {
    auto files = std::make_shared<StaticFiles>();
    files->add_folder(folder_);
    return files;
  }

  fs::path folder_;
};

std::string body_of(const FileResponse& response) { return {response.body().data(), response.body().size()}; }

TEST_F(StaticPage, IsServedIsolatedAndCachedByHash) {
  const HttpRules rules{.files = load()};
  const StaticFile* page = requested_file(get("/?a=b"), rules, false);
  ASSERT_TRUE(page);
  const FileResponse response = answer_with_file(get("/"), *page);
  EXPECT_EQ(body_of(response), "the page");
  EXPECT_EQ(response[http::field::content_type], "text/html; charset=utf-8");
  EXPECT_EQ(response[http::field::content_encoding], "gzip");
  EXPECT_EQ(response[http::field::cache_control], "no-cache");
  EXPECT_EQ(response["Cross-Origin-Opener-Policy"], "same-origin");
  EXPECT_EQ(response["Cross-Origin-Embedder-Policy"], "require-corp");

  const auto policy = response["Content-Security-Policy"];
  EXPECT_NE(policy.find("connect-src 'self' ws://127.0.0.1:8765 wss://127.0.0.1:8765;"), policy.npos)
      << policy;
  HttpRequest hostile = get("/");
  hostile.set(http::field::host, "a; script-src *");
  EXPECT_EQ(answer_with_file(hostile, *page)["Content-Security-Policy"].find("script-src *"), policy.npos);

  HttpRequest again = get("/");
  again.set(http::field::if_none_match, response[http::field::etag]);
  EXPECT_EQ(answer_with_file(again, *page).result(), http::status::not_modified);
  EXPECT_EQ(body_of(answer_with_file(again, *page)), "");

  const StaticFile* script = requested_file(get("/assets/main-AbC123.js"), rules, false);
  ASSERT_TRUE(script);
  EXPECT_NE(std::string(answer_with_file(get("/"), *script)[http::field::cache_control]).find("immutable"),
            std::string::npos);
  EXPECT_EQ(script->content_type, "text/javascript; charset=utf-8");
}

TEST_F(StaticPage, HeadHasNoBodyAndSaysTheLength) {
  const HttpRules rules{.files = load()};
  HttpRequest head = get("/");
  head.method(http::verb::head);
  const FileResponse response = answer_with_file(head, *requested_file(head, rules, false));
  EXPECT_EQ(body_of(response), "");
  EXPECT_EQ(response[http::field::content_length], "8");
}

TEST_F(StaticPage, WhoTakesNoGzipIsToldAndGetsWhatIsNotCompressed) {
  const auto files = load();
  EXPECT_EQ(answer_with_file(get("/", "identity"), *files->find("/")).result(), http::status::not_acceptable);
  EXPECT_EQ(answer_with_file(get("/", nullptr), *files->find("/")).result(), http::status::ok);
  EXPECT_EQ(body_of(answer_with_file(get("/", "identity"), *files->find("/icon.svg"))), "its icon");
}

TEST_F(StaticPage, NothingElseIsServed) {
  const HttpRules rules{.files = load()};
  for (const char* target : {"/index.html.gz", "/assets", "/assets/", "/../etc/passwd", "//", "",
                             "/%2e%2e/etc/passwd", "/assets/..%2f..%2fetc/passwd", "http://127.0.0.1/"}) {
    EXPECT_FALSE(requested_file(get(target), rules, false)) << target;
  }
  HttpRequest post = get("/");
  post.method(http::verb::post);
  EXPECT_FALSE(requested_file(post, rules, false));
  HttpRequest upgrade = get("/");
  upgrade.set(http::field::connection, "Upgrade");
  upgrade.set(http::field::upgrade, "websocket");
  EXPECT_FALSE(requested_file(upgrade, rules, false));
}

TEST_F(StaticPage, InClearIsNotServedWhereEncryptionIsAsked) {
  const HttpRules rules{.tls_only = true, .files = load()};
  EXPECT_FALSE(requested_file(get("/"), rules, false));
  EXPECT_TRUE(requested_file(get("/"), rules, true));
}

TEST_F(StaticPage, AFolderWithoutAPageIsAnError) {
  fs::remove(folder_ / "index.html.gz");
  EXPECT_THROW(load(), std::runtime_error);
}

TEST_F(StaticPage, TheDecoderIsNamedByItsModel) {
  write("a.safetensors", "weights");
  StaticFiles files;
  const auto complaint = [&] { return add_decoder(files, folder_ / "a.safetensors", "my lite-1.0f"); };
  EXPECT_NE(complaint().find("there is no"), std::string::npos);
  write("a.decoder.onnx", "layers of my lite-1.0e");
  EXPECT_NE(complaint().find("a.decoder.onnx is not of the model my lite-1.0f"), std::string::npos);
  EXPECT_FALSE(files.find("/decoder/my%20lite-1.0f.onnx"));
  write("a.decoder.onnx", "layers of my lite-1.0f");
  EXPECT_EQ(complaint(), "");
  ASSERT_TRUE(files.find("/decoder/my%20lite-1.0f.onnx"));
  EXPECT_EQ(files.find("/decoder/my%20lite-1.0f.onnx")->body, "layers of my lite-1.0f");
  ASSERT_TRUE(files.find("/decoder/my%20lite-1.0f.safetensors"));
  EXPECT_EQ(files.find("/decoder/my%20lite-1.0f.safetensors")->body, "weights");
  EXPECT_FALSE(files.find("/decoder/my%20lite-1.0e.onnx"));
}

}  // namespace
}  // namespace latentdesk
