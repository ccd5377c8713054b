#pragma once

#include "common/net/tls.h"
#include "server/options.h"

#include <boost/asio/ssl/context.hpp>

#include <memory>

namespace latentdesk {

struct ServerTls {
  std::shared_ptr<boost::asio::ssl::context> context;  ///< null: the options ask for none
  Sha256 fingerprint{};                                ///< of the certificate
};

/// TLS 1.2 or later, with the certificate that the options name or have made. Throws std::runtime_error that
/// names the file.
ServerTls open_tls(const ServerOptions& options);

}  // namespace latentdesk
