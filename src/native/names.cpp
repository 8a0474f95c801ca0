#include "names.hpp"

#include "activations/registry.hpp"
#include "losses/registry.hpp"
#include "optimizers/registry.hpp"

namespace deepwell {

namespace here = DEEPWELL_LEVEL;

std::span<const std::string_view> activation_names() { return here::Activations<float>::names; }
std::span<const std::string_view> optimizer_names() { return here::Optimizers<float>::names; }
std::span<const std::string_view> loss_names() { return here::Losses<float>::names; }

int optimizer_slots(int optimizer) {
  static constexpr auto slots = here::Optimizers<float>::table([]<class O>() { return O::slots; });
  return slots[static_cast<std::size_t>(optimizer)];
}

}  // namespace deepwell
