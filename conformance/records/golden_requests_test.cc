// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/golden_requests.h"

#include <gtest/gtest.h>

#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

constexpr const char* kEach =
    R"([{"tokenize": "a\u00e9"}, {"decode": [3, 4]}, )"
    R"({"render": {"messages": [{"role": "user", "content": "x"}], "n": 1.50}, "variant": "large"}, )"
    R"({"parse": [5], "in_thought": true, "tools": [{"name": "f"}]}, {"parse": []}, {"stop": [1]}])";

TEST(GoldenRequests, EachKindIsRead) {
  const auto requests = parse_requests(kEach, "here");
  ASSERT_EQ(requests.size(), 6);
  EXPECT_EQ(std::get<TokenizeRequest>(requests[0]).text, "a\xc3\xa9");
  EXPECT_EQ(std::get<DecodeRequest>(requests[1]).ids, (std::vector<std::int32_t>{3, 4}));
  const auto& render = std::get<RenderRequest>(requests[2]);
  EXPECT_EQ(render.chat, R"({"messages": [{"role": "user", "content": "x"}], "n": 1.5})");
  EXPECT_TRUE(render.large);
  const auto& parse = std::get<ParseRequest>(requests[3]);
  EXPECT_TRUE(parse.in_thought);
  EXPECT_EQ(parse.tools, R"([{"name": "f"}])");
  EXPECT_FALSE(std::get<ParseRequest>(requests[4]).in_thought);
  EXPECT_EQ(std::get<ParseRequest>(requests[4]).tools, "");
  EXPECT_EQ(std::get<StopRequest>(requests[5]).ids, (std::vector<std::int32_t>{1}));
}

TEST(GoldenRequests, WrittenAndReadTheyAreTheSame) {
  const std::string text = requests_json(parse_requests(kEach, "here"));
  EXPECT_EQ(requests_json(parse_requests(text, "there")), text);
  EXPECT_EQ(requests_json(parse_requests(R"([{"parse": [1, 2]}])", "")), R"([{"parse": [1, 2]}])");
}

struct Refusal {
  const char* json;
  const char* message;
};

class GoldenRequestsRefuse : public testing::TestWithParam<Refusal> {};

TEST_P(GoldenRequestsRefuse, WithOneLine) {
  try {
    parse_requests(GetParam().json, "r");
    ADD_FAILURE() << GetParam().json;
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), GetParam().message);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Json, GoldenRequestsRefuse,
    testing::Values(
        Refusal{"{}", "r: got another type, expected a list"},
        Refusal{"[]", "r: got an empty list, expected at least one request"},
        Refusal{R"([{"sing": "a"}])",
                "r: request 0: got none of tokenize, decode, render, parse and stop"},
        Refusal{R"([{"stop": []}, {"tokenize": 3}])",
                "r: request 1: got another type, expected a string"},
        Refusal{R"([{"decode": "a"}])",
                "r: request 0: got another type, expected a list of token ids"},
        Refusal{R"([{"decode": [1, -2]}])", "r: request 0[1]: got no token id, expected one"},
        Refusal{R"([{"render": {}}])", "r: request 0: variant: got '', expected small or large"},
        Refusal{R"([{"render": {}, "variant": "huge"}])",
                "r: request 0: variant: got 'huge', expected small or large"}));

}  // namespace
}  // namespace assay::conformance
