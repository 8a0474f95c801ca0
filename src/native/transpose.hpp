// Transposes a matrix in squares of one vector by one vector, in registers.
#pragma once

#include <utility>

#include "simd.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// Swaps the off-diagonal squares of size Distance between two rows.
template <int Distance, class T, std::size_t... Lane>
inline void exchange(Vec<T>& a, Vec<T>& b, std::index_sequence<Lane...>) {
  constexpr int n = static_cast<int>(sizeof...(Lane));
  constexpr auto upper = [](int lane) { return lane & Distance ? lane - Distance + n : lane; };
  constexpr auto lower = [](int lane) { return lane & Distance ? lane + n : lane + Distance; };
  const Vec<T> first = __builtin_shufflevector(a, b, upper(static_cast<int>(Lane))...);
  b = __builtin_shufflevector(a, b, lower(static_cast<int>(Lane))...);
  a = first;
}

template <int Distance, class T>
inline void transpose_square(Vec<T> (&row)[lanes<T>]) {
#pragma GCC unroll 16
  for (int i = 0; i < lanes<T>; ++i) {
    if (!(i & Distance)) {
      exchange<Distance, T>(row[i], row[i + Distance], std::make_index_sequence<lanes<T>>{});
    }
  }
  if constexpr (Distance > 1) transpose_square<Distance / 2, T>(row);
}

// to(j, i) = from(i, j) for whole squares; `height` and `width` in vectors.
template <class T>
void transpose(const T* from, std::ptrdiff_t from_stride, int height, int width, T* to,
               std::ptrdiff_t to_stride) {
  for (int i = 0; i < height * lanes<T>; i += lanes<T>) {
    for (int j = 0; j < width * lanes<T>; j += lanes<T>) {
      Vec<T> row[lanes<T>];
#pragma GCC unroll 16
      for (int r = 0; r < lanes<T>; ++r) row[r] = load(from + (i + r) * from_stride + j);
      transpose_square<lanes<T> / 2, T>(row);
#pragma GCC unroll 16
      for (int r = 0; r < lanes<T>; ++r) store(to + (j + r) * to_stride + i, row[r]);
    }
  }
}

}  // namespace deepwell::DEEPWELL_LEVEL
