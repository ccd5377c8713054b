#include "common/net/tls.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdexcept>

namespace latentdesk {

namespace {

/// 0 to 15, or nothing.
std::optional<uint8_t> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

}  // namespace

void X509Free::operator()(x509_st* certificate) const { X509_free(certificate); }
void KeyFree::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

Sha256 sha256(std::string_view bytes) {
  Sha256 digest;
  unsigned length = digest.size();
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256: " + tls_error());
  return digest;
}

bool equal_in_constant_time(const Sha256& a, const Sha256& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Sha256 fingerprint(const x509_st& certificate) {
  Sha256 digest;
  unsigned length = digest.size();
  if (X509_digest(&certificate, EVP_sha256(), digest.data(), &length) != 1)
    throw std::runtime_error("fingerprint: " + tls_error());
  return digest;
}

std::string to_string(const Sha256& fingerprint) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (const uint8_t byte : fingerprint) {
    if (!text.empty()) text += ':';
    text += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return text;
}

std::optional<Sha256> parse_fingerprint(std::string_view text) {
  for (const std::string_view prefix : {"SHA256:", "sha256:"}) {
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  }
  Sha256 digest;
  for (size_t i = 0; i < digest.size(); ++i) {
    if (i > 0 && text.starts_with(':')) text.remove_prefix(1);
    if (text.size() < 2) return std::nullopt;
    const auto high = hex_digit(text[0]), low = hex_digit(text[1]);
    if (!high || !low) return std::nullopt;
    digest[i] = static_cast<uint8_t>(*high << 4 | *low);
    text.remove_prefix(2);
  }
  if (!text.empty()) return std::nullopt;
  return digest;
}

std::string tls_error() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason ? reason : "unknown error of OpenSSL";
}

}  // namespace latentdesk
