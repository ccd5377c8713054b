#pragma once

#include <string>

namespace latentdesk {

/// Where the server keeps what it makes for itself: $XDG_STATE_HOME/latentdesk or
/// ~/.local/state/latentdesk. Throws std::runtime_error when neither variable is set.
std::string state_folder();

/// The PEM file `self-signed.pem` in `folder`, with a private key and its certificate, readable by our user
/// alone. Made when there is none: ECDSA P-256, for this host's name, `localhost` and the loopback addresses,
/// valid for ten years. Throws std::runtime_error when it cannot be made, or when others may read it.
std::string ensure_self_signed(const std::string& folder);

}  // namespace latentdesk
