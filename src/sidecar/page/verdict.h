// What the page tells the person of an outcome: pass, fail, or what to do. Why a face was refused stays in
// the ledger.
#pragma once

#include <string_view>

#include "sidecar/db/outcome.h"

namespace visage::sidecar::page {

struct Verdict {
  std::string_view result;  // pass, fail, retry: the session is as it was; ended: a new link is needed
  std::string_view advice;  // key of the page's words; may be empty
};

Verdict verdict_for_page(const db::Outcome& outcome);

}  // namespace visage::sidecar::page
