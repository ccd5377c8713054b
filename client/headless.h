#pragma once

#include "client/picture.h"
#include "client/reporter.h"
#include "client/stream.h"

namespace latentdesk {

/// Takes pictures until the stream ends, which counts as presenting them. Returns the last one; its number is
/// 0 if there was none. Main thread.
Picture run_headless(Stream& stream, Reporter& reporter);

}  // namespace latentdesk
