// Matrix products whose second factor has few rows: C(m, o) = sum over c of P(m, c) Q(o, c).
//
// In tiles along o, most lanes of a vector would be empty. Here both factors are read along c, a
// vector at a time, and the lanes of each sum are added up at the end.
#pragma once

#include <algorithm>
#include <utility>

#include "product.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// Rows of Q up to which this is the cheaper way; they fit one vector.
template <class T>
inline constexpr int few_rows = std::min(4, lanes<T>);
inline constexpr int dots_at_once = 4;  // rows of P

// The sum of a vector's lanes, by halves.
template <int Distance, class T, std::size_t... Lane>
inline T sum_of_lanes(Vec<T> x, std::index_sequence<Lane...> order) {
  constexpr std::size_t n = sizeof...(Lane);
  x += __builtin_shufflevector(x, x, static_cast<int>((Lane + Distance) % n)...);
  if constexpr (Distance > 1) {
    return sum_of_lanes<Distance / 2, T>(x, order);
  } else {
    return x[0];
  }
}

// A vector's lanes below `count`, 0 in the others, whatever they hold.
template <class T>
inline Vec<T> first_lanes(Vec<T> x, int count) {
  Mask<T> lane;
  for (int i = 0; i < lanes<T>; ++i) lane[i] = i;
  return lane < count ? x : Vec<T>{};
}

// A tile of `Height` rows and one vector, whose first `Count` lanes are the sums.
template <class T, int Height, int Count>
void dots(Rows<T> p, Rows<T> q, int columns, Tile<T>& tile) {
  Vec<T> sum[Height][Count] = {};
  const auto add = [&](int first, auto kept) {
    Vec<T> factor[Count];
    for (int o = 0; o < Count; ++o) factor[o] = kept(load(q.data + o * q.row + first));
    for (int m = 0; m < Height; ++m) {
      const Vec<T> row = kept(load(p.data + m * p.row + first));
      for (int o = 0; o < Count; ++o) sum[m][o] += row * factor[o];
    }
  };
  const int left = columns % lanes<T>;
  for (int c = 0; c < columns - left; c += lanes<T>) add(c, [](Vec<T> x) { return x; });
  if (left > 0) add(columns - left, [&](Vec<T> x) { return first_lanes<T>(x, left); });
  for (int m = 0; m < Height; ++m) {
    Vec<T> row{};
    for (int o = 0; o < Count; ++o) {
      row[o] = sum_of_lanes<lanes<T> / 2, T>(sum[m][o], std::make_index_sequence<lanes<T>>{});
    }
    tile.at[m] = row;
  }
}

template <class T>
using Dots = void (*)(Rows<T>, Rows<T>, int, Tile<T>&);

// The kernel for every count of rows, of P and of Q.
template <class T>
struct DotKernels {
  Dots<T> of[few_rows<T> + 1][dots_at_once + 1] = {};

  constexpr DotKernels() { fill<few_rows<T>, dots_at_once>(); }

 private:
  template <int Count, int Height>
  constexpr void fill() {
    of[Count][Height] = &dots<T, Height, Count>;
    if constexpr (Height > 1) {
      fill<Count, Height - 1>();
    } else if constexpr (Count > 1) {
      fill<Count - 1, dots_at_once>();
    }
  }
};

template <class T>
inline constexpr DotKernels<T> dot_kernels{};

// Computes C of `height` rows and `count` columns, sums over `depth` elements, tile by tile;
// `ahead` and `done` are those of `product`.
template <class T, class Ahead, class Epilogue>
void product_of_few(Rows<T> p, Rows<T> q, int height, int count, int depth, Ahead&& ahead,
                    Epilogue&& done) {
  Tile<T> tile;
  for (int m = 0; m < height; m += dots_at_once) {
    const Place at{m, std::min(dots_at_once, height - m), 0, 1};
    ahead(at);
    dot_kernels<T>.of[count][at.height]({p.data + m * p.row, p.row}, q, depth, tile);
    done(at, tile);
  }
}

}  // namespace deepwell::DEEPWELL_LEVEL
