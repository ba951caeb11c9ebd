#include "sidecar/adapter/otp_service.h"

#include <spdlog/spdlog.h>

#include "sidecar/adapter/request_id.h"
#include "sidecar/http/form.h"

namespace visage::sidecar::adapter {
namespace {

using http::PartKind;
using http::PartRule;

constexpr size_t kMaxAnswer = 16 * 1024;
constexpr char kTotal[] = "visaged_adapter_total";
constexpr PartRule kAnswer[] = {{"request", PartKind::kText, true},
                                {"result", PartKind::kText, true},
                                {"assertion", PartKind::kSecret, false}};

std::string labels_of(std::string_view result) {
  return label("service", "otp") + "," + label("result", result);
}

// As JSON's, of UTF-8 that may have control characters: nobody has looked at a code yet.
void append_quoted(std::string_view text, WipedString& out) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      constexpr char kDigits[] = "0123456789abcdef";
      out.append("\\u00");
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

WipedString render(const OtpRequest& request, const std::string& id) {
  WipedString out;
  out.reserve(2048);
  out.append(R"({"protocol":"visage/otp/1","do":)").append(request.code.empty() ? R"("send")" : R"("check")");
  out.append(R"(,"request":")").append(id).append(R"(","nonce":)");
  append_quoted(request.nonce, out);
  out.append(R"(,"subject":)");
  append_quoted(request.subject, out);
  if (!request.code.empty()) {
    out.append(R"(,"code":)");
    append_quoted(as_text(request.code), out);
  }
  return out.append("}");
}

}  // namespace

Doubt read_otp_answer(const WipedBytes& body, std::string_view request_id, bool sends, OtpAnswer& out) {
  http::Form form;
  if (http::parse_form(http::BodyType::kJson, "", body, kAnswer, 1, form)) return Reason::kMalformedAnswer;
  if (form.text("request") != request_id) return Reason::kReplayedAnswer;
  const std::string result = form.text("result");
  out.done = result == (sends ? "sent" : "right");
  if (!out.done && result != (sends ? "refused" : "wrong")) return Reason::kMalformedAnswer;
  const Bytes assertion = form.bytes("assertion");
  // An assertion is there exactly where a code was right.
  if (assertion.empty() == (out.done && !sends)) return Reason::kMalformedAnswer;
  out.assertion.assign(as_text(assertion));
  return {};
}

OtpService::OtpService(Metrics& metrics) : metrics_(metrics) {
  metrics_.count(kTotal, labels_of("OK"), 0);
}

Status OtpService::prepare(const ServiceSettings& settings) {
  return client_.prepare(settings);
}

Doubt OtpService::exchange(const OtpRequest& request, OtpAnswer& out) const {
  std::string id;
  if (!make_request_id(id)) return Reason::kUnreachable;
  WipedBytes body;
  if (const Doubt doubt = client_.post(render(request, id), kMaxAnswer, body)) return doubt;
  return read_otp_answer(body, id, request.code.empty(), out);
}

Doubt OtpService::ask(const OtpRequest& request, OtpAnswer& out) const {
  const Doubt doubt = exchange(request, out);
  const std::string_view result = doubt ? adapter::name(*doubt) : out.done ? "OK" : "DENIED";
  metrics_.count(kTotal, labels_of(result));
  if (doubt) spdlog::warn("one-time code service: {}", result);
  return doubt;
}

}  // namespace visage::sidecar::adapter
