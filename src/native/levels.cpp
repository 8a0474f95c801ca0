#include "levels.hpp"

#include <vector>

namespace deepwell {

namespace plain {
extern const Level level;
}
#if defined(DEEPWELL_X86_LEVELS)
namespace avx2 {
extern const Level level;
}
namespace avx512 {
extern const Level level;
}
#endif

std::span<const Level* const> runnable_levels() {
  static const std::vector<const Level*> levels = [] {
    std::vector<const Level*> found;
#if defined(DEEPWELL_X86_LEVELS)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
      found.push_back(&avx512::level);
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
      found.push_back(&avx2::level);
    }
#endif
    found.push_back(&plain::level);
    return found;
  }();
  return levels;
}

const Level* level_named(std::string_view name) {
  for (const Level* level : runnable_levels()) {
    if (level->name == name) return level;
  }
  return nullptr;
}

}  // namespace deepwell
