// Pages: from frames to the flow's one call.
#include "sidecar/http/body.h"
#include "sidecar/page/advice.h"
#include "sidecar/page/answers.h"
#include "sidecar/page/pages.h"
#include "sidecar/page/verdict.h"

namespace visage::sidecar::page {
namespace {

using db::Flow;
using db::Question;

constexpr PartRule kFrame[] = {{"image", PartKind::kPicture, true}, {"movements", PartKind::kText, false}};
constexpr PartRule kImage[] = {{"image", PartKind::kPicture, true}};
constexpr PartRule kSealedFrame[] = {{"frame", PartKind::kPicture, true},
                                     {"page_key", PartKind::kText, true}};
constexpr PartRule kFrames[] = {{"end", PartKind::kPicture, true},
                                {"page_key", PartKind::kText, true},
                                {"device", PartKind::kText, false}};
constexpr std::string_view kFace = "face";
constexpr std::string_view kSealed = "page_sealed_frame";

// A face that is shown before the flow is called shows a factor.
Flow flow_of(const Ticket& ticket) {
  if (ticket.purpose == "register") return Flow::kRegister;
  if (ticket.purpose == "add_reference") return Flow::kAddReference;
  if (ticket.purpose == "replace_reference") return Flow::kReplaceReferences;
  if (ticket.purpose == "cancel") return Flow::kPresentFace;
  if (ticket.purpose == "compare") return Flow::kCompare;
  if (ticket.purpose == "identify") return Flow::kIdentify;
  return Flow::kVerify;
}

std::vector<uint8_t> decode_hex(std::string_view text) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  return bytes;
}

std::string encode_hex(Bytes bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

// What is wrong with the people in a picture is advice, not an error. [6.1.1d]
bool is_advice(const Problem& problem) {
  return problem.code == ProblemCode::kNoFace || problem.code == ProblemCode::kSeveralFaces;
}

Json advice_of(const Problem& problem) {
  return Json::array({problem.code == ProblemCode::kNoFace ? "no-face" : "one-person"});
}

// Two digits say enough to a page that follows a movement.
Json extents_of(const capture::Inspection& seen) {
  Json extents;
  for (size_t i = 0; i < challenge::kMovements; ++i)
    extents[challenge::kWords[i]] = std::round(100 * static_cast<double>(seen.extents[i])) / 100;
  return extents;
}

// No picture is taken in before the person has agreed, nor before the factors that come first.
// [8.2.2b, 8.2.2c]
Failure may_capture(const Ticket& ticket) {
  const bool agreed = !ticket.crosses && (ticket.notice.empty() || ticket.agreed);
  const bool turn = ticket.purpose == "cancel" ? !ticket.factors.empty() && ticket.factors.front() == kFace
                                               : ticket.factors.empty();
  if (agreed && turn) return {};
  return Problem{ProblemCode::kForbidden, agreed ? "This page asks for something else first."
                                                 : "The person has not agreed to a capture on this page."};
}

}  // namespace

Failure Pages::admit_capture(Exchange& exchange, Ticket& ticket) const {
  VISAGE_HTTP_TRY(admit(exchange, Use::kTicket, ticket));
  VISAGE_HTTP_TRY(may_capture(ticket));
  std::string photographed;
  return find_photographed(ticket, photographed);
}

// Frames are sealed and sent while others are looked at, so a page has two turns.
Failure Pages::admit_picture(Exchange& exchange, Ticket& ticket, Turns::Turn& turn) const {
  VISAGE_HTTP_TRY(admit_capture(exchange, ticket));
  turn = turns_->take(ticket.session + (exchange.route == kSealed ? "/sealed" : ""));
  if (turn) return {};
  return Problem{ProblemCode::kRateLimited, "A picture of this page is being looked at. Wait for its answer.",
                 1};
}

Failure Pages::frame(Exchange& exchange) const {
  Ticket ticket;
  Turns::Turn turn;
  VISAGE_HTTP_TRY(admit_picture(exchange, ticket, turn));
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take(exchange, kFrame, 1, body, form));
  const bool movements = form.text("movements") == "true";
  capture::Inspection seen;
  capture::InspectRequest request;
  request.image = form.bytes("image");
  request.measure = !movements;
  const Failure failure = service_.inspect(request, seen);
  if (failure && !is_advice(*failure)) return failure;
  Json advice = Json::array();
  if (failure)
    advice = advice_of(*failure);
  else if (!movements)
    advice = advise(seen, db::stores_face(flow_of(ticket)));
  Json document = {{"good", advice.empty()}, {"advice", advice}};
  if (!failure) document["extents"] = extents_of(seen);
  answer(exchange, document);
  return {};
}

// What the channel has a floor for is what the page does; the database has the last word all the same.
Failure Pages::frame_key(Exchange& exchange) const {
  Ticket ticket;
  VISAGE_HTTP_TRY(admit_capture(exchange, ticket));
  std::string json;
  VISAGE_HTTP_TRY(service_.ask(Question::kCaptureDemands, {ticket.session}, json));
  Json document = Json::parse(json, nullptr, false);
  liveness::PublicPoint point;
  VISAGE_HTTP_TRY(service_.frame_point(point));
  document["key"] = encode_hex(point);
  document["nonce"] = ticket.nonce;
  answer(exchange, document);
  return {};
}

Failure Pages::picture(Exchange& exchange) const {
  Ticket ticket;
  Turns::Turn turn;
  VISAGE_HTTP_TRY(admit_picture(exchange, ticket, turn));
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take(exchange, kImage, 1, body, form));
  {
    // Looked at first, so that a poor picture costs nobody an attempt and gets its reason. [6.1.3b]
    capture::Inspection seen;
    capture::InspectRequest request;
    request.image = form.bytes("image");
    const Failure failure = service_.inspect(request, seen);
    if (failure && !is_advice(*failure)) return failure;
    const Json advice = failure ? advice_of(*failure) : Json(advise(seen, db::stores_face(flow_of(ticket))));
    if (!advice.empty()) {
      answer(exchange, Json::object({{"result", "retry"}, {"advice", advice}}));
      return {};
    }
  }
  FlowRequest request;
  request.image = form.bytes("image");
  request.drop_pictures = [&] {
    form = Form();
    body = WipedBytes();
  };
  return conclude(exchange, ticket, request);
}

// Says nothing of the frame: whether it was liked would teach who makes frames up.
Failure Pages::sealed_frame(Exchange& exchange) const {
  Ticket ticket;
  Turns::Turn turn;
  VISAGE_HTTP_TRY(admit_picture(exchange, ticket, turn));
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take(exchange, kSealedFrame, 1, body, form));
  const std::vector<uint8_t> nonce = decode_hex(ticket.nonce);
  VISAGE_HTTP_TRY(service_.add_frame({ticket.session, nonce, form.bytes("page_key"), form.bytes("frame")}));
  answer(exchange, Json::object());
  return {};
}

Failure Pages::frames(Exchange& exchange) const {
  Ticket ticket;
  Turns::Turn turn;
  VISAGE_HTTP_TRY(admit_picture(exchange, ticket, turn));
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take(exchange, kFrames, 1, body, form));
  FlowRequest request;
  request.end = form.bytes("end");
  request.page_key = form.bytes("page_key");
  request.device = form.text("device");
  return conclude(exchange, ticket, request);
}

Failure Pages::conclude(Exchange& exchange, Ticket& ticket, FlowRequest& request) const {
  const std::vector<uint8_t> nonce = decode_hex(ticket.nonce);
  if (nonce.size() != probe::kSessionNonceSize) return no_entry();
  request.flow = flow_of(ticket);
  const bool shows = request.flow == Flow::kPresentFace;
  request.nonce = nonce;
  request.arguments.subject = ticket.subject;
  request.arguments.session = ticket.session;
  request.arguments.channel = ticket.channel;
  request.arguments.scenario = ticket.scenario;
  request.arguments.max_candidates = ticket.max_candidates;
  request.arguments.context = build_context(exchange, ticket, shows ? Naming::kNothing : Naming::kSession);
  db::Outcome outcome;
  const Failure failure = service_.run(request, outcome);
  if (failure && !is_advice(*failure)) return failure;
  if (failure) {
    answer(exchange, Json::object({{"result", "retry"}, {"advice", advice_of(*failure)}}));
    return {};
  }
  return tell(exchange, ticket, outcome, shows);
}

}  // namespace visage::sidecar::page
