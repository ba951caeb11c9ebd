#include "pg/envelope_io.h"

#include "core/base/text_form.h"
#include "pg/boundary.h"

namespace visage::pg {
namespace {

void check(const EnvelopeType& type, Bytes envelope, int sqlstate) {
  const Status status = guarded([&] { return type.check(envelope); });
  if (status.ok()) return;
  if (status.code == Code::kUnsupported) raise(status, type.name);
  ereport(ERROR, (errcode(sqlstate), errmsg("invalid %s: %s", type.name, status.message)));
}

}  // namespace

struct varlena* new_envelope(size_t size) {
  auto* value = static_cast<struct varlena*>(palloc(VARHDRSZ + size));
  SET_VARSIZE(value, VARHDRSZ + size);
  return value;
}

Datum envelope_in(const EnvelopeType& type, const char* text) {
  const size_t length = strlen(text);
  if (length > encoded_text_size(type.max_size))
    ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                    errmsg("invalid %s: text of %zu characters is too long", type.name, length)));
  struct varlena* value = new_envelope(decoded_bound(length));
  size_t size = 0;
  const Status status = guarded([&] { return decode_text({text, length}, envelope_span(value), size); });
  if (!status.ok())
    ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                    errmsg("invalid %s: %s", type.name, status.message)));
  SET_VARSIZE(value, VARHDRSZ + size);
  check(type, envelope_bytes(value), ERRCODE_INVALID_TEXT_REPRESENTATION);
  return PointerGetDatum(value);
}

char* envelope_out(const struct varlena* value) {
  const Bytes bytes = envelope_bytes(value);
  const size_t length = encoded_text_size(bytes.size());
  char* text = static_cast<char*>(palloc(length + 1));
  encode_text(bytes, text);
  text[length] = '\0';
  return text;
}

Datum envelope_recv(const EnvelopeType& type, StringInfo message) {
  const int size = message->len - message->cursor;
  if (static_cast<size_t>(size) > type.max_size)
    ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
                    errmsg("invalid %s: %d bytes are too long", type.name, size)));
  struct varlena* value = new_envelope(static_cast<size_t>(size));
  pq_copymsgbytes(message, VARDATA(value), size);
  check(type, envelope_bytes(value), ERRCODE_INVALID_BINARY_REPRESENTATION);
  return PointerGetDatum(value);
}

bytea* envelope_send(struct varlena* value) {
  const Bytes bytes = envelope_bytes(value);
  struct varlena* copy = new_envelope(bytes.size());
  memcpy(VARDATA(copy), bytes.data(), bytes.size());
  return copy;
}

}  // namespace visage::pg
