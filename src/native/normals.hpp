// Standard normal numbers by the coordinate hash of docs/hash.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace deepwell {

// A matrix whose rows begin `stride` elements apart.
template <class T>
struct Rectangle {
  T* data;
  std::size_t rows;
  std::size_t columns;
  std::size_t stride;
};

// Fills a matrix with `deviation` times the normal number at each place (row, column) under
// fold(... fold(key(seed), folds[0]) ..., folds.back()); computed in double, rounded once.
template <class T>
void draw_normals(std::uint64_t seed, std::span<const std::uint32_t> folds, double deviation,
                  const Rectangle<T>& out);

}  // namespace deepwell
