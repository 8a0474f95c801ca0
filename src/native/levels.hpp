// The instruction-set levels of this build, and which of them this machine can run.
#pragma once

#include <span>
#include <string_view>

#include "network.hpp"

namespace deepwell {

// Levels that were compiled and that this machine has the instructions for, fastest first.
std::span<const Level* const> runnable_levels();

// The level of that name; null when it cannot run here.
const Level* level_named(std::string_view name);

}  // namespace deepwell
