// What the page tells the person of an outcome: pass, fail, or what to do. Why a face was refused stays in
// the ledger. Of an identification it does not tell whether anybody was found: that is the backend's alone.
#pragma once

#include <string_view>

#include "sidecar/db/outcome.h"

namespace visage::sidecar::page {

struct Verdict {
  std::string_view result;  // pass, fail; thanks: of an identification, either; retry: the session is as it
                            // was; ended: a new link is needed
  std::string_view advice;  // key of the page's words; may be empty
};

Verdict verdict_for_page(const db::Outcome& outcome, std::string_view purpose);

}  // namespace visage::sidecar::page
