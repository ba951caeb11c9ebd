// EditorNamed (ours, 7.4d): 1 when the file's metadata names a program that edits or makes pictures, else 0.
// A 0 proves nothing, as metadata is easy to remove.
#include "sidecar/capture/metadata.h"
#include "sidecar/quality/measures.h"

namespace visage::quality {

Reading editor_named(const View& view) {
  if (view.scene.file.empty()) return undetermined();
  const bool named = capture::names_editor(view.scene.file);
  return mapped(named ? 1 : 0, named ? 0 : 100);
}

}  // namespace visage::quality
