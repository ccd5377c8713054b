#include "server/admission.h"

#include <spdlog/spdlog.h>

#include <chrono>

namespace latentdesk {

Admission::Admission(std::shared_ptr<Entrance> entrance, Peer peer,
                     const boost::asio::any_io_executor& executor, Handshakes::Abort abort)
    : entrance_(std::move(entrance)),
      peer_(std::move(peer)),
      facts_{.own_user = peer_.own_user, .loopback = peer_.loopback},
      handshake_(entrance_->handshakes.begin(executor, peer_.group, std::move(abort))) {}

Admission::~Admission() {
  if (has_place_) --entrance_->viewers;
}

Decision Admission::enter(std::optional<std::string_view> token) {
  if (!token && access_) return {access_};
  Decision decision = judge(token);
  if (decision.access) take_place(decision);
  access_ = decision.access;
  if (access_) handshake_.reset();
  log(decision);
  return decision;
}

Decision Admission::judge(std::optional<std::string_view> token) {
  const auto now = GuessGuard::Clock::now();
  // Our own user needs no token, so has nothing to guess, and others cannot lock it out.
  const bool may_guess = token && !facts_.own_user && entrance_->tokens.any();
  if (may_guess) {
    const auto wait = entrance_->guesses.wait_of(peer_.group, now);
    if (wait > wait.zero()) {
      const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
      return {{}, Refusal::wait, "too many wrong tokens: try again in " + std::to_string(seconds) + " s"};
    }
  }
  facts_.token = entrance_->tokens.classify(token);
  Decision decision = decide(entrance_->rules, facts_);
  if (may_guess && decision.refusal == Refusal::wrong_token) entrance_->guesses.add_failure(peer_.group, now);
  return decision;
}

void Admission::take_place(Decision& decision) {
  if (has_place_) return;
  if (entrance_->viewers >= entrance_->max_viewers) {
    decision = {
        {}, Refusal::full, std::to_string(entrance_->viewers) + " viewers are connected, no more may"};
    return;
  }
  ++entrance_->viewers;
  has_place_ = true;
}

void Admission::log(const Decision& decision) const {
  if (decision.access) return;
  const bool may_log = entrance_->log_budget.spend(LogBudget::Clock::now());
  spdlog::log(may_log ? spdlog::level::warn : spdlog::level::debug, "{}: refused: {}", peer_.name,
              decision.reason);
}

}  // namespace latentdesk
