#pragma once

#include <string>

namespace latentdesk {

/// The model to use when none is named: $LATENTDESK_MODEL, else the first that exists beside the installed
/// program, in the install prefix, and in the source tree it was built from. Throws ModelError that says
/// where it looked.
std::string default_model_path();

}  // namespace latentdesk
