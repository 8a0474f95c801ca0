// What a metric sees: raw outputs of the dev rows with their true values, weights and losses.
//
// All metrics are lower-is-better and weighted; sums are in float64.
#pragma once

#include <cstddef>
#include <span>

namespace deepwell {

template <class T>
struct Predictions {
  const T* z;  // (outputs, stride)
  std::ptrdiff_t stride;
  int outputs;
  std::span<const T> y;
  std::span<const T> weight;
  std::span<const T> losses;

  std::size_t rows() const { return y.size(); }
  int classes() const { return outputs < 2 ? 2 : outputs; }
  T at(int output, std::size_t row) const {
    return z[output * stride + static_cast<std::ptrdiff_t>(row)];
  }

  // The likeliest class, the first one of equals.
  int said(std::size_t row) const {
    if (outputs == 1) return at(0, row) > T(0) ? 1 : 0;
    int best = 0;
    for (int c = 1; c < outputs; ++c) {
      if (at(c, row) > at(best, row)) best = c;
    }
    return best;
  }

  int truth(std::size_t row) const { return static_cast<int>(y[row]); }

  // sum of weight * value(row) / sum of weight.
  template <class Value>
  double mean(Value value) const {
    double sum = 0, total = 0;
    for (std::size_t i = 0; i < rows(); ++i) {
      sum += static_cast<double>(weight[i]) * value(i);
      total += static_cast<double>(weight[i]);
    }
    return sum / total;
  }
};

}  // namespace deepwell
