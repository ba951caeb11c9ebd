// What another service answers to our HTTP request. The first byte says in how many pieces it arrives.
#include <algorithm>

#include "sidecar/adapter/http_answer.h"
#include "target.h"

VISAGE_FUZZ_TARGET(adapter_answer) {
  using namespace visage;
  using namespace visage::sidecar::adapter;
  if (input.empty()) return;
  const size_t piece = std::max<size_t>(1, input[0]);
  const Bytes sent = input.subspan(1);
  HttpAnswer answer;
  // Whoever waits for more of it comes to an end, and takes nothing for whole that the next byte would
  // unmake.
  AnswerState state = AnswerState::kIncomplete;
  size_t got = 0;
  while (state == AnswerState::kIncomplete && got < sent.size()) {
    got = std::min(sent.size(), got + piece);
    state = look_at_answer(sent.first(got), false, answer);
  }
  const bool ended = state == AnswerState::kIncomplete;
  if (ended) state = look_at_answer(sent, true, answer);
  fuzz::require(state != AnswerState::kIncomplete);
  if (state == AnswerState::kMalformed) return;
  fuzz::require(answer.status >= 100 && answer.status <= 599);
  fuzz::require(answer.body.data() >= sent.data() &&
                answer.body.data() + answer.body.size() == sent.data() + got);
  // Cut short, it is not whole; unless nothing but its end tells its length.
  if (!ended && got > 1) {
    HttpAnswer shorter;
    fuzz::require(look_at_answer(sent.first(got - 1), true, shorter) == AnswerState::kMalformed);
  }
}
