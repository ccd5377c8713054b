#include "server/access.h"

#include "server/guess_guard.h"
#include "server/http.h"
#include "server/log_budget.h"

#include <gtest/gtest.h>

#include <stdexcept>

// Who may look: the rules alone, without a network.

namespace latentdesk {
namespace {

using namespace std::chrono_literals;

constexpr AccessRules kWithTokens{.has_tokens = true};
constexpr AccessRules kWithoutTokens{};
constexpr PeerFacts kOwnUser{.own_user = true, .loopback = true};
constexpr PeerFacts kOtherUser{.loopback = true};
constexpr PeerFacts kRemote{.encrypted = true};
constexpr PeerFacts kRemoteInClear{};

PeerFacts with(PeerFacts peer, TokenClass token) {
  peer.token = token;
  return peer;
}

AccessRules insecure(AccessRules rules) {
  rules.insecure = true;
  return rules;
}

/// In a word.
std::string verdict(const AccessRules& rules, const PeerFacts& peer) {
  const Decision decision = decide(rules, peer);
  EXPECT_EQ(decision.reason.empty(), decision.access.has_value());
  if (decision.access) return decision.access->control ? "full" : "view";
  return std::to_string(http_status(decision.refusal));
}

TEST(Access, OwnUserOnThisMachineNeedsNoToken) {
  for (const AccessRules& rules : {kWithTokens, kWithoutTokens, insecure(kWithTokens)})
    EXPECT_EQ(verdict(rules, kOwnUser), "full");
}

TEST(Access, OtherUsersOfThisMachineNeedOne) {
  EXPECT_EQ(verdict(kWithTokens, kOtherUser), "401");
  EXPECT_EQ(verdict(kWithoutTokens, kOtherUser), "403");
  EXPECT_EQ(verdict(kWithTokens, with(kOtherUser, TokenClass::full)), "full");
}

TEST(Access, OtherMachinesNeedATokenAndEncryption) {
  EXPECT_EQ(verdict(kWithTokens, kRemote), "401");
  EXPECT_EQ(verdict(kWithoutTokens, kRemote), "403");
  EXPECT_EQ(verdict(kWithTokens, with(kRemote, TokenClass::full)), "full");
  EXPECT_EQ(verdict(kWithTokens, with(kRemoteInClear, TokenClass::full)), "403");
}

TEST(Access, InsecureDoesWithoutEncryptionAndWithoutTokenWhereNoneIsSet) {
  EXPECT_EQ(verdict(insecure(kWithoutTokens), kRemoteInClear), "full");
  EXPECT_EQ(verdict(insecure(kWithoutTokens), kOtherUser), "full");
  EXPECT_EQ(verdict(insecure(kWithTokens), kRemoteInClear), "401");
  EXPECT_EQ(verdict(insecure(kWithTokens), with(kRemoteInClear, TokenClass::full)), "full");
}

TEST(Access, ViewOnlyTokenGivesNoControlToAnybody) {
  for (const PeerFacts& peer : {kOwnUser, kOtherUser, kRemote})
    EXPECT_EQ(verdict(kWithTokens, with(peer, TokenClass::view_only)), "view");
}

TEST(Access, WrongTokenIsRefusedWhoeverGivesIt) {
  for (const PeerFacts& peer : {kOwnUser, kOtherUser, kRemote}) {
    const Decision decision = decide(kWithTokens, with(peer, TokenClass::wrong));
    EXPECT_EQ(decision.refusal, Refusal::wrong_token);
    EXPECT_EQ(close_code(decision.refusal), 4401);
  }
  EXPECT_EQ(verdict(kWithoutTokens, with(kOwnUser, TokenClass::wrong)), "full")
      << "there is none to compare with";
  EXPECT_EQ(verdict(kWithoutTokens, with(kOtherUser, TokenClass::wrong)), "403");
}

TEST(TokensTest, AreToldApart) {
  const Tokens tokens("secret-secret-1", "look-look-look-1");
  EXPECT_TRUE(tokens.any());
  EXPECT_EQ(tokens.classify(std::nullopt), TokenClass::none);
  EXPECT_EQ(tokens.classify("secret-secret-1"), TokenClass::full);
  EXPECT_EQ(tokens.classify("look-look-look-1"), TokenClass::view_only);
  for (const char* wrong : {"", "secret-secret-2", "secret-secret-1 ", "SECRET-SECRET-1"})
    EXPECT_EQ(tokens.classify(wrong), TokenClass::wrong) << wrong;
}

TEST(TokensTest, AnAbsentOneFitsNothing) {
  EXPECT_EQ(Tokens("", "look").classify(""), TokenClass::wrong);
  EXPECT_EQ(Tokens("", "look").classify("look"), TokenClass::view_only);
  EXPECT_EQ(Tokens("full", "").classify("look"), TokenClass::wrong);
  EXPECT_FALSE(Tokens().any());
  EXPECT_EQ(Tokens().classify(""), TokenClass::wrong);
}

TEST(TokensTest, MustDiffer) { EXPECT_THROW(Tokens("same", "same"), std::runtime_error); }

TEST(GuessGuardTest, EachWrongTokenDoublesTheWait) {
  GuessGuard guard;
  GuessGuard::Clock::time_point now{};
  EXPECT_LE(guard.wait_of("a", now), 0s);
  for (const auto expected : {1s, 2s, 4s, 8s, 16s, 32s, 64s, 128s, 256s, 512s, 600s, 600s}) {
    guard.add_failure("a", now);
    EXPECT_EQ(guard.wait_of("a", now), expected);
    EXPECT_LE(guard.wait_of("b", now), 0s);
    now += expected;
    EXPECT_LE(guard.wait_of("a", now), 0s);
  }
}

TEST(GuessGuardTest, ForgetsAfterAnHour) {
  GuessGuard guard;
  GuessGuard::Clock::time_point now{};
  for (int i = 0; i < 5; ++i) guard.add_failure("a", now);
  now += 2h;
  guard.add_failure("a", now);
  EXPECT_EQ(guard.wait_of("a", now), 1s);
}

TEST(GuessGuardTest, ManyAddressesTakeBoundedMemory) {
  GuessGuard guard;
  const GuessGuard::Clock::time_point now{};
  for (int i = 0; i < 5; ++i) guard.add_failure("worst", now);
  for (int i = 0; i < 10'000; ++i) guard.add_failure(std::to_string(i), now);
  EXPECT_EQ(guard.size(), GuessGuard::kMaxPeers);
  EXPECT_EQ(guard.wait_of("worst", now), 16s) << "who guessed most is forgotten last";
}

TEST(LogBudgetTest, ABurstThenOneASecond) {
  LogBudget budget;
  LogBudget::Clock::time_point now{1h};
  const auto lines = [&] {
    int count = 0;
    while (count < 100 && budget.spend(now)) ++count;
    return count;
  };
  EXPECT_EQ(lines(), 20);
  EXPECT_EQ(lines(), 0);
  now += 3s;
  EXPECT_EQ(lines(), 3);
  now += 1h;
  EXPECT_EQ(lines(), 20);
}

TEST(QueryToken, IsFoundAndDecoded) {
  EXPECT_FALSE(query_token("/"));
  EXPECT_FALSE(query_token("/?"));
  EXPECT_FALSE(query_token("/token=a"));
  EXPECT_FALSE(query_token("/?mytoken=a"));
  EXPECT_EQ(query_token("/?token="), "");
  EXPECT_EQ(query_token("/?token=abc"), "abc");
  EXPECT_EQ(query_token("/p?x=1&token=a%2Bb%20c&y=2"), "a+b c");
  EXPECT_EQ(query_token("/?token=first&token=second"), "first");
  EXPECT_EQ(query_token("/?token=a%zzb%4"), "a%zzb%4") << "what is no encoding stays";
}

HttpRequest page_request(const char* origin, const char* host) {
  HttpRequest request(boost::beast::http::verb::get, "/", 11);
  request.set(boost::beast::http::field::host, host);
  if (origin) request.set(boost::beast::http::field::origin, origin);
  return request;
}

TEST(Rebinding, OnlyNamesCanBeMadeToPointHere) {
  EXPECT_FALSE(may_be_rebound(page_request(nullptr, "evil.example:8765"), {})) << "no browser";
  EXPECT_FALSE(may_be_rebound(page_request("http://127.0.0.1:8765", "127.0.0.1:8765"), {}));
  EXPECT_FALSE(may_be_rebound(page_request("http://[::1]:8765", "[::1]:8765"), {}));
  EXPECT_FALSE(may_be_rebound(page_request("http://localhost:8765", "localhost:8765"), {}));
  EXPECT_TRUE(may_be_rebound(page_request("http://evil.example:8765", "evil.example:8765"), {}));
  EXPECT_TRUE(may_be_rebound(page_request("http://127.0.0.1.evil.example", "127.0.0.1.evil.example"), {}));
  const HttpRules rules{.allowed_origins = {"https://lab.example"}};
  EXPECT_FALSE(may_be_rebound(page_request("https://lab.example", "gpu:8765"), rules));
}

}  // namespace
}  // namespace latentdesk
