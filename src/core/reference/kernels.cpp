#include "core/reference/kernels.h"

#include <initializer_list>

namespace visage::reference {

const Kernels* kernels_of(Level level) {
  switch (level) {
    case Level::kScalar:
      return &kScalarKernels;
    case Level::kAvx2:
      return avx2_kernels();
    case Level::kAvx512:
      return avx512_kernels();
    case Level::kNeon:
      return neon_kernels();
  }
  return nullptr;
}

const Kernels& best_kernels() {
  static const Kernels& best = [&]() -> const Kernels& {
    for (Level level : {Level::kAvx512, Level::kAvx2, Level::kNeon})
      if (const Kernels* kernels = kernels_of(level)) return *kernels;
    return kScalarKernels;
  }();
  return best;
}

}  // namespace visage::reference
