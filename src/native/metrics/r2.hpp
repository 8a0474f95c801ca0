#pragma once

#include "predictions.hpp"

namespace deepwell {

// 1 - R^2: weighted squared error over the weighted variance of y. Where y is constant (but for
// rounding) it is 0 for a perfect network and 1 for any other, as in scikit-learn.
template <class T>
struct R2 {
  static constexpr const char* name = "r2";

  static double of(const Predictions<T>& p) {
    const double center = p.mean([&](std::size_t i) { return static_cast<double>(p.y[i]); });
    const double spread = p.mean([&](std::size_t i) {
      const double off = static_cast<double>(p.y[i]) - center;
      return off * off;
    });
    const double error = p.mean([&](std::size_t i) {
      const double off = static_cast<double>(p.at(0, i)) - static_cast<double>(p.y[i]);
      return off * off;
    });
    const double size = p.mean([&](std::size_t i) {
      const double value = static_cast<double>(p.y[i]);
      return value * value;
    });
    if (spread > 1e-12 * size) return error / spread;
    return error > 0 ? 1.0 : 0.0;
  }
};

}  // namespace deepwell
