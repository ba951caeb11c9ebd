// What an authority said of a person before the registration, where the scenario asks for it.   [5.3.1, 6.6d]
//
// Nothing here asks an authority: whoever does so calls visage.record_authority_check().
#pragma once

#include "pg/flow.h"

namespace visage::pg {

// The record that a registration rests on.
struct AuthorityRecord {
  bool found;
  Uuid id;
};

// Refuses as IDENTITY_UNCHECKED where the scenario needs an authority and its newest word about the subject
// is none that counts; else the flow's record names the one that it rests on. So it does where the session
// requires a document and there is none.
//
// `document`: the photo that the registration itself compares, null for none. Where the record names the
// authority's photo, it must be that one.
bool check_identity(Flow& flow, const text* subject, const probe::Contents* document,
                    AuthorityRecord& record);
// Ties it to the new subject: it serves one registration. For use after the subject's row was made.
void use_authority_record(const Flow& flow, const AuthorityRecord& record);

// Raises where policy does not let a reference of an authority's photo be kept.
void require_kept_photo(const Flow& flow);
// Refuses as IDENTITY_UNCHECKED unless the newest photo of an authority was compared with the subject and
// accepted. For somebody who is not registered it refuses nothing: the flow goes on to say so.
bool check_photo(Flow& flow);

}  // namespace visage::pg
