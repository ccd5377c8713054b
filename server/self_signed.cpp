#include "server/self_signed.h"

#include "common/net/tls.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace latentdesk {

namespace {

constexpr long kValidSeconds = 10L * 365 * 24 * 3600;
// Clocks differ, and a certificate from the future is refused.
constexpr long kClockToleranceSeconds = 24L * 3600;

struct BioFree {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};

void require(bool done) {
  if (!done) throw std::runtime_error("cannot make a self-signed certificate: " + tls_error());
}

[[noreturn]] void fail(const std::string& path, const char* what) {
  throw std::runtime_error(path + ": cannot be " + what + ": " + std::strerror(errno));
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == 0) return "localhost";
  // It goes into a list whose separators it must not hold.
  const std::string text = name.data();
  const bool plain =
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == text.npos;
  return plain && text.size() <= 64 ? text : "localhost";
}

void add_extension(X509& certificate, int id, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  require(extension != nullptr);
  const int added = X509_add_ext(&certificate, extension, -1);
  X509_EXTENSION_free(extension);
  require(added == 1);
}

CertificatePtr make_certificate(EVP_PKEY& key) {
  const std::string host = host_name();
  CertificatePtr certificate(X509_new());
  require(certificate != nullptr);
  uint64_t serial = 0;
  require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial)) == 1);
  X509& c = *certificate;
  require(X509_set_version(&c, X509_VERSION_3) == 1);
  require(ASN1_INTEGER_set_uint64(X509_get_serialNumber(&c), serial >> 1) == 1);
  require(X509_gmtime_adj(X509_getm_notBefore(&c), -kClockToleranceSeconds) != nullptr);
  require(X509_gmtime_adj(X509_getm_notAfter(&c), kValidSeconds) != nullptr);
  X509_NAME* name = X509_get_subject_name(&c);
  require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                     reinterpret_cast<const unsigned char*>(host.c_str()), -1, -1, 0) == 1);
  require(X509_set_issuer_name(&c, name) == 1);
  require(X509_set_pubkey(&c, &key) == 1);
  add_extension(c, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(c, NID_key_usage, "critical,digitalSignature");
  add_extension(c, NID_ext_key_usage, "serverAuth");
  add_extension(c, NID_subject_alt_name, "DNS:" + host + ",DNS:localhost,IP:127.0.0.1,IP:::1");
  require(X509_sign(&c, &key, EVP_sha256()) > 0);
  return certificate;
}

std::string make_pair_as_pem() {
  const KeyPtr key(EVP_EC_gen("P-256"));
  require(key != nullptr);
  const CertificatePtr certificate = make_certificate(*key);
  const std::unique_ptr<BIO, BioFree> memory(BIO_new(BIO_s_mem()));
  require(memory != nullptr);
  require(PEM_write_bio_PrivateKey(memory.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  require(PEM_write_bio_X509(memory.get(), certificate.get()) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<size_t>(size)};
}

void write_private_file(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) fail(path, "created");
  const bool written =
      write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  close(fd);
  if (written) return;
  unlink(path.c_str());
  fail(path, "written");
}

void make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(folder).parent_path(), error);
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) fail(folder, "created");
}

}  // namespace

std::string state_folder() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state && *state)
    return std::string(state) + "/latentdesk";
  if (const char* home = std::getenv("HOME"); home && *home)
    return std::string(home) + "/.local/state/latentdesk";
  throw std::runtime_error("--tls-self-signed needs $HOME or $XDG_STATE_HOME, to keep the certificate");
}

std::string ensure_self_signed(const std::string& folder) {
  const std::string path = folder + "/self-signed.pem";
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    make_folder(folder);
    const std::string draft = path + "." + std::to_string(getpid());
    write_private_file(draft, make_pair_as_pem());
    // Whole or not at all; and when another server was first, its pair is ours too.
    const bool linked = link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST;
    unlink(draft.c_str());
    if (!linked || stat(path.c_str(), &status) != 0) fail(path, "created");
  }
  if (status.st_mode & (S_IRWXG | S_IRWXO)) {
    throw std::runtime_error(path +
                             ": others may read the private key in it; remove it to have another one made");
  }
  return path;
}

}  // namespace latentdesk
