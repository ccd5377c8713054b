#include "server/server_tls.h"

#include "server/self_signed.h"

#include <openssl/ssl.h>
#include <stdexcept>

namespace latentdesk {

namespace ssl = boost::asio::ssl;

namespace {

std::shared_ptr<ssl::context> bare_context() {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  // Renegotiation lets a client make us work for nothing; sessions and tickets would be state for reconnects
  // that happen seldom; buffers are given back between records since most connections are idle.
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                  SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(native, 0);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  // Without this OpenSSL would ask for a pass phrase on the terminal.
  context->set_password_callback([](size_t, ssl::context::password_purpose) { return std::string(); });
  return context;
}

}  // namespace

ServerTls open_tls(const ServerOptions& options) {
  if (options.tls_cert.empty() && !options.tls_self_signed) return {};
  const std::string pair = options.tls_self_signed ? ensure_self_signed(state_folder()) : "";
  const std::string certificate = pair.empty() ? options.tls_cert : pair;
  const std::string key = pair.empty() ? options.tls_key : pair;
  auto context = bare_context();
  boost::system::error_code error;
  context->use_certificate_chain_file(certificate, error);
  if (error) throw std::runtime_error(certificate + ": no certificate in PEM form: " + error.message());
  context->use_private_key_file(key, ssl::context::pem, error);
  if (error) {
    throw std::runtime_error(key + ": no private key in PEM form, without pass phrase, that belongs to " +
                             certificate + ": " + error.message());
  }
  const X509* leaf = SSL_CTX_get0_certificate(context->native_handle());
  return {context, fingerprint(*leaf)};
}

}  // namespace latentdesk
