#include "client/headless.h"

#include <utility>

namespace latentdesk {

Picture run_headless(Stream& stream, Reporter& reporter) {
  Picture last;
  while (std::optional<Picture> picture = stream.pictures().take()) {
    stream.stats().add_presented(picture->info, SteadyClock::now(), epoch_seconds());
    last = std::move(*picture);
    reporter.report();
    if (stream.is_last(last.info)) break;
  }
  return last;
}

}  // namespace latentdesk
