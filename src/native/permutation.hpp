// Random orders of rows by the coordinate hash of docs/hash.md.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace deepwell {

// Fills `out` with its places, sorted by their words under a key, ties by place.
void permute(const std::array<std::uint32_t, 2>& key, std::span<std::int32_t> out);

}  // namespace deepwell
