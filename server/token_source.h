#pragma once

#include <string>

namespace latentdesk {

/// The first line of a file, without spaces around it. Warns in the log when other users may read it. Throws
/// std::runtime_error when there is none.
std::string read_token_file(const std::string& path);

/// The value of a variable, which is removed so that the programs we start do not inherit it; empty when
/// there is none.
std::string take_token_variable(const char* name);

/// 128 random bits in hexadecimal. Throws std::runtime_error when the system has none.
std::string random_token();

}  // namespace latentdesk
