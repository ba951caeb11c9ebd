#include "sidecar/adapter/authority.h"

#include <spdlog/spdlog.h>

#include <ctime>
#include <memory>

#include "core/crypto/engine.h"
#include "sidecar/adapter/public_file.h"
#include "sidecar/adapter/request_id.h"

namespace visage::sidecar::adapter {
namespace {

constexpr size_t kOtherBytes = 16 * 1024;  // of an answer, beside the photo
constexpr char kTotal[] = "visaged_adapter_total";

std::string labels_of(std::string_view result) {
  return label("service", "authority") + "," + label("result", result);
}

}  // namespace

Authority::Authority(Metrics& metrics) : metrics_(metrics) {
  // There from the start: a rate needs a sample before the first failure.
  metrics_.count(kTotal, labels_of("OK"), 0);
}

Status Authority::prepare(const AuthoritySettings& settings, size_t max_photo) {
  name_ = settings.name;
  max_photo_ = max_photo;
  trust_.max_age_s = settings.max_age_s;
  if (!statement::is_name(name_, 63))
    return Status::error(Code::kInvalidArgument, "--authority-name is missing");
  VISAGE_TRY(read_public_file(settings.public_key_file, trust_.public_key));
  VISAGE_TRY(statement::check_public_key(trust_.public_key));
  return client_.prepare(settings.service);
}

Doubt Authority::exchange(const Fields& fields, IdentityAnswer& out) const {
  IdentityRequest request{name_, {}, {}, &fields};
  if (!make_request_id(request.id, request.nonce)) return Reason::kUnreachable;
  const WipedString text = render_request(request);
  WipedBytes body;
  const size_t most = max_photo_ / 3 * 4 + kOtherBytes;
  if (const Doubt doubt = client_.post(text, most, body)) return doubt;
  return read_answer(body, request, trust_, std::time(nullptr), max_photo_, out);
}

Doubt Authority::ask(const Fields& fields, IdentityAnswer& out) const {
  const Doubt doubt = exchange(fields, out);
  const std::string_view result = doubt ? adapter::name(*doubt) : out.vouched ? "OK" : "DENIED";
  metrics_.count(kTotal, labels_of(result));
  if (doubt) spdlog::warn("authority: {}", result);
  return doubt;
}

}  // namespace visage::sidecar::adapter
