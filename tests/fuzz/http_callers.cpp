// The callers file: an answer to any text, and nothing that is not in the file gets in.
#include "sidecar/app/wiped.h"
#include "sidecar/http/callers.h"
#include "target.h"

VISAGE_FUZZ_TARGET(http_callers) {
  using namespace visage;
  using namespace visage::sidecar;
  http::Callers callers;
  const std::string_view text = as_text(input);
  if (!callers.parse(text).ok()) return;
  fuzz::require(callers.by_token("a token whose digest is not in the file") == nullptr);
  if (text.find('*') == std::string_view::npos)
    fuzz::require(callers.by_certificate("a name that is not in the file") == nullptr);
}
