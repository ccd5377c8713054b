#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct x509_st;
struct evp_pkey_st;

namespace latentdesk {

// OpenSSL's types with owners.
struct X509Free {
  void operator()(x509_st* certificate) const;
};
struct KeyFree {
  void operator()(evp_pkey_st* key) const;
};
using CertificatePtr = std::unique_ptr<x509_st, X509Free>;
using KeyPtr = std::unique_ptr<evp_pkey_st, KeyFree>;

using Sha256 = std::array<uint8_t, 32>;

/// Throws std::runtime_error when OpenSSL cannot, as all that follows.
Sha256 sha256(std::string_view bytes);

/// Takes the same time wherever the two differ.
bool equal_in_constant_time(const Sha256& a, const Sha256& b);

/// SHA-256 of a certificate's DER form.
Sha256 fingerprint(const x509_st& certificate);

/// As people compare it and `openssl x509 -fingerprint -sha256` prints it: `AB:CD:...`, 32 bytes.
std::string to_string(const Sha256& fingerprint);

/// The reverse: with or without colons, any case, with or without `SHA256:` before it. Nothing for any other
/// text.
std::optional<Sha256> parse_fingerprint(std::string_view text);

/// The last error of OpenSSL on this thread in words, and clears them all.
std::string tls_error();

}  // namespace latentdesk
