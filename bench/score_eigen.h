// Eigen against the kernels of the comparison; see bench/README.md.
#pragma once

namespace visage::bench {

void run_eigen();

}  // namespace visage::bench
