#include "server/static_files.h"

#include "common/net/tls.h"

#include <boost/beast/http/field.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace latentdesk {

namespace {

namespace fs = std::filesystem;
namespace http = boost::beast::http;

// The page runs its own scripts and the runtime's wasm, and connects to nothing but its server.
constexpr const char* kContentPolicy =
    "; default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; img-src 'self' "
    "data:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

constexpr std::pair<const char*, const char*> kTypes[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".wasm", "application/wasm"},
    {".json", "application/json"},
};

std::string content_type(const std::string& path) {
  const std::string extension = fs::path(path).extension();
  for (const auto& [known, type] : kTypes) {
    if (extension == known) return type;
  }
  return "application/octet-stream";
}

std::string etag_of(const std::string& body) {
  constexpr size_t kBytes = 12;
  constexpr const char* kDigits = "0123456789abcdef";
  const Sha256 digest = sha256(body);
  std::string tag = "\"";
  for (size_t i = 0; i < kBytes; ++i) {
    tag += kDigits[digest[i] >> 4];
    tag += kDigits[digest[i] & 15];
  }
  return tag + "\"";
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string body{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return body;
}

/// No Accept-Encoding says that anything will do (RFC 9110, section 12.5.3).
bool takes_gzip(const HttpRequest& request) {
  const auto accepted = request.find(http::field::accept_encoding);
  if (accepted == request.end()) return true;
  const auto value = accepted->value();
  return value.find("gzip") != value.npos || value.find('*') != value.npos;
}

/// Not every browser takes 'self' for the WebSocket of the same host.
std::string content_policy(const HttpRequest& request) {
  const std::string host = sane_host(request);
  const std::string sockets = host.empty() ? "" : " ws://" + host + " wss://" + host;
  return "connect-src 'self'" + sockets + kContentPolicy;
}

void set_headers(FileResponse& response, const HttpRequest& request, const StaticFile& file) {
  response.set(http::field::etag, file.etag);
  response.set(http::field::cache_control,
               file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  response.set(http::field::content_type, file.content_type);
  if (file.gzip) response.set(http::field::content_encoding, "gzip");
  response.set(http::field::vary, "Accept-Encoding");
  // Both together isolate the page from others, and only then do browsers give it threads.
  response.set("Cross-Origin-Opener-Policy", "same-origin");
  response.set("Cross-Origin-Embedder-Policy", "require-corp");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
  response.set("Content-Security-Policy", content_policy(request));
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Referrer-Policy", "no-referrer");
}

}  // namespace

void StaticFiles::add_folder(const std::string& folder) {
  const std::string prefix = "assets/";  // where the build puts what it names by its hash
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    fs::path name = fs::relative(entry.path(), folder);
    const bool gzip = name.extension() == ".gz";
    if (gzip) name.replace_extension();
    const std::string path = name.generic_string();
    add(path == "index.html" ? "/" : "/" + path, read_file(entry.path()), gzip, path.starts_with(prefix));
  }
  if (!has_page()) throw std::runtime_error(folder + " holds no web page (index.html)");
}

void StaticFiles::add(const std::string& path, std::string body, bool gzip, bool immutable) {
  std::string etag = etag_of(body);
  files_[path] = {std::move(body), content_type(path == "/" ? "index.html" : path), std::move(etag), gzip,
                  immutable};
}

const StaticFile* StaticFiles::find(std::string_view target) const {
  const auto found = files_.find(percent_decoded(target.substr(0, target.find('?'))));
  return found == files_.end() ? nullptr : &found->second;
}

FileResponse answer_with_file(const HttpRequest& request, const StaticFile& file) {
  const auto known = request[http::field::if_none_match];
  const bool is_known = known.find(file.etag) != known.npos;
  const bool is_readable = !file.gzip || takes_gzip(request);
  FileResponse response(is_known      ? http::status::not_modified
                        : is_readable ? http::status::ok
                                      : http::status::not_acceptable,
                        request.version());
  set_headers(response, request, file);
  response.keep_alive(false);
  const bool has_body = response.result() == http::status::ok;
  if (has_body && request.method() != http::verb::head)
    response.body() = {file.body.data(), file.body.size()};
  if (!is_known) response.content_length(has_body ? file.body.size() : 0);
  return response;
}

std::string web_folder(const std::string& named) {
  if (!named.empty()) return named;
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path();
  for (const fs::path& folder : {program / "web", program / "../share/latentdesk/web"}) {
    if (fs::exists(folder / "index.html.gz") || fs::exists(folder / "index.html"))
      return folder.lexically_normal();
  }
  return {};
}

std::string add_decoder(StaticFiles& files, const std::string& model_path, const std::string& version) {
  files.add("/decoder/" + version + ".safetensors", read_file(model_path), false, false);
  const fs::path path = fs::path(model_path).replace_extension(".decoder.onnx");
  if (!fs::exists(path)) return "there is no " + path.string();
  std::string decoder = read_file(path);
  if (decoder.find(version) == decoder.npos) return path.string() + " is not of the model " + version;
  files.add("/decoder/" + version + ".onnx", std::move(decoder), false, false);
  return {};
}

}  // namespace latentdesk
