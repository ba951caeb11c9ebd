#include "pg/document.h"

#include "core/match/match.h"
#include "pg/flow.h"

namespace visage::pg {

bool take_document(Flow& flow, const struct varlena* value, probe::Contents& document, Uuid& id) {
  probe::Header header;
  const bool taken = take_probe(flow, value, header, document);
  id = header.probe;
  return taken;
}

bool compare_with_document(Flow& flow, const probe::Contents& document) {
  if (!match::comparable(*flow.contents, document)) return refuse(flow, Reason::kModelMismatch);
  if (!find_flow_threshold(flow, match::kSchemePlain.data())) return false;
  begin_scoring(flow);
  return decide(flow, match::compare_probes(*flow.contents, document).score);
}

}  // namespace visage::pg
