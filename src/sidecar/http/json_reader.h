// Takes the members of a request body's JSON object one by one (RFC 8259), from the text as it lies in
// memory.
//
// nlohmann's parser would do, but its lexer keeps each token a second time for its error messages, in a
// vector that it gives back unwiped, and in a failed parse a third time in the message. Here a token is a
// picture.
#pragma once

#include <string_view>

#include "sidecar/app/wiped.h"

namespace visage::sidecar::http {

class JsonReader {
 public:
  // `text` is well-formed UTF-8 and outlives the reader.
  explicit JsonReader(std::string_view text) : rest_(text) {}

  // Each skips white space first, and takes nothing when it returns false.
  bool take(char mark);
  bool next_is(char mark);
  bool at_end();
  // A string, unescaped.
  bool take_string(WipedString& out);
  // An object's text with its brackets balanced; whether it is JSON is for a parser to say.
  bool take_object(std::string_view& out);

 private:
  void skip_space();

  std::string_view rest_;
};

}  // namespace visage::sidecar::http
