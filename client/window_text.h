#pragma once

#include "client/connection.h"
#include "common/image.h"
#include "common/stream/messages.h"

#include <string>
#include <vector>

namespace latentdesk {

// What the window says of its connection. `picture` is the size of the picture that is shown; 0x0 when there
// is none yet.

/// `role`: Desk::role.
std::string window_title(const std::string& server, const ConnectionStatus& status, Size picture,
                         const std::string& role);

/// What is happening while there is no picture, or no new one; empty when all is well.
std::vector<std::string> status_lines(const std::string& server, const ConnectionStatus& status,
                                      Size picture);

/// Whose keyboard and pointer the desktop follows, for the title, and for the user when that has changed.
const char* role_of(ControlState control);
const char* notice_of(ControlState control);

}  // namespace latentdesk
