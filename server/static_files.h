#pragma once

#include "server/http.h"

#include <boost/beast/http/span_body.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace latentdesk {

/// A file that browsers get, in memory as it travels.
struct StaticFile {
  std::string body;
  std::string content_type;
  std::string etag;        ///< quoted hash of the body
  bool gzip = false;       ///< the body is compressed, and there is no other
  bool immutable = false;  ///< its name has its hash in it
};

/// The web page: all files of a folder, and the decoder. Filled at the start and only read from then on, so
/// the network never waits for a disk, and a request can name nothing but what is there.
class StaticFiles {
 public:
  /// Adds every file below `folder`; one named `x.gz` is `x`, compressed. Throws std::runtime_error when it
  /// cannot be read or there is no index.html.
  void add_folder(const std::string& folder);
  /// `path` is what browsers ask for, from the slash on.
  void add(const std::string& path, std::string body, bool gzip, bool immutable);

  /// The file that a request's target names, whose query does not count; null when there is none.
  const StaticFile* find(std::string_view target) const;
  bool has_page() const { return files_.contains("/"); }

 private:
  std::map<std::string, StaticFile, std::less<>> files_;
};

using FileResponse = boost::beast::http::response<boost::beast::http::span_body<const char>>;

/// The answer of 200, of 304 when the browser has the file, or of 406 when it takes no gzip. The body of 200
/// points into the file.
FileResponse answer_with_file(const HttpRequest& request, const StaticFile& file);

/// The folder of the page: `named` unless that is empty, else the first with a page of: `web` beside the
/// program,
/// `../share/latentdesk/web`. Empty when the page has not been built.
std::string web_folder(const std::string& named);

/// Adds the model file as /decoder/VERSION.safetensors, and the decoder for GPUs that lies beside it
/// (x.safetensors: x.decoder.onnx) as /decoder/VERSION.onnx: under such names no other model's can be taken
/// for it. A decoder names its model's version as its producer's. Returns why there is none; empty when there
/// is.
std::string add_decoder(StaticFiles& files, const std::string& model_path, const std::string& version);

}  // namespace latentdesk
