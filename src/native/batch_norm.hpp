// Batch normalization: z_norm = (z - mu) / sqrt(var + eps), z_tilde = gamma z_norm + beta, with
// mu = sum_i s_i z_i and var = sum_i s_i (z_i - mu)^2 over the rows of a batch; s_i is a row's
// share of the batch's weight, 0 where there is no row (Ioffe & Szegedy 2015).
#pragma once

#include "dots.hpp"
#include "simd.hpp"
#include "workspace.hpp"

namespace deepwell::DEEPWELL_LEVEL {

template <class T>
inline T total(Vec<T> sums) {
  return sum_of_lanes<lanes<T> / 2, T>(sums, std::make_index_sequence<lanes<T>>{});
}

// Calls `each(block, vector)` for every vector of rows of a batch.
template <class T, class Each>
inline void over_rows(std::span<const Block<T>> blocks, Each&& each) {
  for (const Block<T>& block : blocks) {
    for (int v = 0; v < vectors<T>(block.rows); ++v) each(block, v * lanes<T>);
  }
}

// mu and var of one unit over a batch.
template <class T>
struct Moments {
  T mean;
  T variance;
};

template <class T>
Moments<T> batch_moments(std::span<const Block<T>> blocks, const Sheet<T>& z, int unit,
                         const Sheet<T>& shares) {
  Vec<T> sum{};
  over_rows(blocks, [&](const Block<T>& block, int at) {
    sum += load(shares.row(block, 0) + at) * load(z.row(block, unit) + at);
  });
  const T mean = total<T>(sum);
  Vec<T> squares{};
  over_rows(blocks, [&](const Block<T>& block, int at) {
    const Vec<T> off = load(z.row(block, unit) + at) - mean;
    squares += load(shares.row(block, 0) + at) * (off * off);
  });
  return {mean, total<T>(squares)};
}

// Goes back through the normalization of one unit: with d the gradient at z_tilde, `slope`,
//     d_beta = sum_i d_i          d_gamma = sum_i d_i z_norm_i
//     d_z_i = gamma / sqrt(var + eps) (d_i - s_i d_beta - s_i z_norm_i d_gamma)
// where the last two terms come from mu and var, which depend on every row.
template <class T>
Moments<T> through_norm(std::span<const Block<T>> blocks, const Sheet<T>& slope,
                        const Sheet<T>& normed, int unit, const Sheet<T>& shares, T factor) {
  Vec<T> plain{}, weighed{};
  over_rows(blocks, [&](const Block<T>& block, int at) {
    const Vec<T> d = load(slope.row(block, unit) + at);
    plain += d;
    weighed += d * load(normed.row(block, unit) + at);
  });
  const T shift = total<T>(plain), scale = total<T>(weighed);
  over_rows(blocks, [&](const Block<T>& block, int at) {
    T* place = slope.row(block, unit) + at;
    const Vec<T> both = shift + scale * load(normed.row(block, unit) + at);
    store(place, factor * (load(place) - load(shares.row(block, 0) + at) * both));
  });
  return {shift, scale};
}

}  // namespace deepwell::DEEPWELL_LEVEL
