// `visaged quality FILE…`: the measures of pictures on disk, as a table, JSON lines or drawings. For whoever
// sets up cameras and limits; needs neither database nor key.
#pragma once

namespace visage::sidecar {

// `argv[0]` is "quality". The exit code: 0 all good, 1 some picture is not, 2 misuse or missing models.
int run_quality_command(int argc, char** argv);

}  // namespace visage::sidecar
