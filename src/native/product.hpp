// Small matrix products in register tiles.
//
//     C(m, n) = sum over k of P(m, k) Q(k, n)
//
// P is read element by element (each one is broadcast), at any strides, so no operand is ever
// transposed for it; Q is read in vectors along n. A tile of C stays in registers over the whole
// sum and is then handed to an epilogue that does everything else (bias, activation, dropout, the
// optimizer's update) before a result is written anywhere.
#pragma once

#include "simd.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// P: element (m, k) lies at data[m * row + k * step].
template <class T>
struct Scalars {
  const T* data;
  std::ptrdiff_t row;
  std::ptrdiff_t step;
};

// Q: row k is a run of aligned vectors at data + k * row.
template <class T>
struct Rows {
  const T* data;
  std::ptrdiff_t row;
};

// Where a tile of C lies: rows m to m + height, vectors v to v + width.
struct Place {
  int m;
  int height;
  int v;
  int width;
};

inline constexpr int widest_tile = registers == 32 ? 4 : 3;

// Rows of the tallest tile of a width: the sums, one row of Q and one broadcast fill the registers.
constexpr int tallest_tile(int width) {
  if (registers == 32) return width == 1 ? 12 : width == 2 ? 12 : width == 3 ? 8 : 6;
  return width == 1 ? 8 : width == 2 ? 6 : 4;
}

inline constexpr int most_rows = 12;

// The vectors of one tile, row after row.
template <class T>
struct Tile {
  Vec<T> at[registers];
};

template <class T, int Height, int Width>
void multiply(Scalars<T> p, Rows<T> q, int depth, Tile<T>& tile) {
  Vec<T> sum[Height][Width] = {};
  const T* scalar = p.data;
  const T* vector = q.data;
  for (int k = 0; k < depth; ++k, scalar += p.step, vector += q.row) {
    Vec<T> row[Width];
#pragma GCC unroll 4
    for (int v = 0; v < Width; ++v) row[v] = load(vector + v * lanes<T>);
#pragma GCC unroll 12
    for (int m = 0; m < Height; ++m) {
      const Vec<T> factor = all(scalar[m * p.row]);
#pragma GCC unroll 4
      for (int v = 0; v < Width; ++v) sum[m][v] += factor * row[v];
    }
  }
#pragma GCC unroll 12
  for (int m = 0; m < Height; ++m) {
#pragma GCC unroll 4
    for (int v = 0; v < Width; ++v) tile.at[m * Width + v] = sum[m][v];
  }
}

template <class T>
using Multiply = void (*)(Scalars<T>, Rows<T>, int, Tile<T>&);

// The kernel of every tile shape that fits the registers.
template <class T>
struct Kernels2D {
  Multiply<T> of[widest_tile + 1][most_rows + 1] = {};

  constexpr Kernels2D() { fill_widths<1>(); }

 private:
  template <int Width>
  constexpr void fill_widths() {
    fill_heights<Width, 1>();
    if constexpr (Width < widest_tile) fill_widths<Width + 1>();
  }
  template <int Width, int Height>
  constexpr void fill_heights() {
    of[Width][Height] = &multiply<T, Height, Width>;
    if constexpr (Height < tallest_tile(Width)) fill_heights<Width, Height + 1>();
  }
};

template <class T>
inline constexpr Kernels2D<T> kernels_2d{};

// Cuts n into pieces of at most `most`, as equal as can be: the size of piece i of `pieces`.
constexpr int share(int n, int pieces, int i) { return n / pieces + (i < n % pieces ? 1 : 0); }
constexpr int pieces_of(int n, int most) { return (n + most - 1) / most; }

// Computes C of `height` rows and `width` vectors tile by tile. `ahead(place)` is told each tile
// before its sums, to ask for memory early; `done(place, tile)` takes it.
template <class T, class Ahead, class Epilogue>
void product(Scalars<T> p, Rows<T> q, int height, int width, int depth, Ahead&& ahead,
             Epilogue&& done) {
  Tile<T> tile;
  const int panels = pieces_of(width, widest_tile);
  for (int panel = 0, v = 0; panel < panels; ++panel) {
    const int wide = share(width, panels, panel);
    const int tiles = pieces_of(height, tallest_tile(wide));
    for (int i = 0, m = 0; i < tiles; ++i) {
      const Place at{m, share(height, tiles, i), v, wide};
      ahead(at);
      kernels_2d<T>.of[wide][at.height]({p.data + m * p.row, p.row, p.step},
                                        {q.data + v * lanes<T>, q.row}, depth, tile);
      done(at, tile);
      m += at.height;
    }
    v += wide;
  }
}

template <class T, class Epilogue>
void product(Scalars<T> p, Rows<T> q, int height, int width, int depth, Epilogue&& done) {
  product(p, q, height, width, depth, [](const Place&) {}, done);
}

}  // namespace deepwell::DEEPWELL_LEVEL
