// A link or ticket of a capture page. First byte even: the rest is one as somebody made it up. Odd: the rest
// is what a ticket is made of, a line each, and a change to what was sealed of it: the place and what is
// added.
#include <unistd.h>

#include <cstring>

#include "sidecar/http/utf8.h"
#include "sidecar/page/ticket.h"
#include "target.h"

namespace {

using namespace visage;
using namespace visage::sidecar;
using page::Ticket;
using page::Use;

// A key of nobody's, in a file that is gone once it was read.
SourceKeyFile& key_file() {
  static SourceKeyFile* const file = [] {
    char path[] = "/tmp/pg_visage_fuzz_key.XXXXXX";
    const int out = mkstemp(path);
    fuzz::require(out >= 0);
    probe::SourceKey key{};
    key.suite = crypto::Suite::kAes256Gcm;
    key.key_version = key.institution = key.generation = 1;
    char text[probe::kMaxSourceKeyText];
    fuzz::require(probe::encode_source_key(key, text, sizeof text).ok());
    const auto size = static_cast<ssize_t>(std::strlen(text));
    fuzz::require(write(out, text, static_cast<size_t>(size)) == size && close(out) == 0);
    auto* const made = new SourceKeyFile(path);
    bool missing = false;
    fuzz::require(made->load(missing).ok() && unlink(path) == 0);
    return made;
  }();
  return *file;
}

std::string take_line(std::string_view& text) {
  const std::string line(text.substr(0, text.find('\n')));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

}  // namespace

VISAGE_FUZZ_TARGET(page_ticket) {
  if (input.empty()) return;
  const page::TicketSealer sealer(key_file());
  std::string_view text = as_text(input.subspan(1));
  Ticket opened;
  if (input[0] % 2 == 0) {
    fuzz::require(!sealer.open(text, Use::kLink, opened).ok() &&
                  !sealer.open(text, Use::kTicket, opened).ok());
    return;
  }
  if (text.size() < 5) return;
  const auto at = static_cast<size_t>(static_cast<uint8_t>(text[0])) << 8 | static_cast<uint8_t>(text[1]);
  const auto add = static_cast<char>(text[2]);
  Ticket ticket;
  ticket.crosses = text[3] % 2 == 1;
  ticket.agreed = text[4] % 2 == 1;
  ticket.document_required = text[3] < text[4];
  ticket.valid_until = text[4];
  text.remove_prefix(5);
  for (std::string* field : {&ticket.session, &ticket.subject, &ticket.purpose, &ticket.scenario,
                             &ticket.channel, &ticket.caller, &ticket.context, &ticket.notice, &ticket.nonce})
    *field = take_line(text);
  while (!text.empty() && ticket.factors.size() < 40) ticket.factors.push_back(take_line(text));
  const bool plain = http::is_plain_text(as_text(input.subspan(6)));

  std::string sealed;
  fuzz::require(sealer.seal(ticket, Use::kLink, sealed).ok());
  fuzz::require(sealed.find_first_not_of(
                    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos);
  fuzz::require(!sealer.open(sealed, Use::kTicket, opened).ok());  // a link is no ticket
  const bool opens = sealer.open(sealed, Use::kLink, opened).ok();
  fuzz::require(opens || sealed.size() > 48 * 1024);
  if (opens && plain) fuzz::require(opened == ticket);
  if (add == 0) return;
  sealed[at % sealed.size()] = static_cast<char>(sealed[at % sealed.size()] + add);
  fuzz::require(!sealer.open(sealed, Use::kLink, opened).ok());
}
