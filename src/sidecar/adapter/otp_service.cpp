#include "sidecar/adapter/otp_service.h"

#include <spdlog/spdlog.h>

#include "sidecar/adapter/request_id.h"

namespace visage::sidecar::adapter {
namespace {

constexpr size_t kMaxAnswer = 16 * 1024;
constexpr char kTotal[] = "visaged_adapter_total";

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
