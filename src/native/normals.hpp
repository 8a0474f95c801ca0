// Standard normal numbers by the coordinate hash of docs/hash.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace deepwell {

// Fills `out`, (rows, columns), with `deviation` times the normal number at each place (row,
// column) under fold(... fold(key(seed), folds[0]) ..., folds.back()); computed in double, rounded
// once.
template <class T>
void draw_normals(std::uint64_t seed, std::span<const std::uint32_t> folds, double deviation,
                  std::size_t rows, std::size_t columns, T* out);

}  // namespace deepwell
