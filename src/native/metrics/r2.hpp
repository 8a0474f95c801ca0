#pragma once

#include "predictions.hpp"

namespace deepwell {

// 1 - R^2: weighted squared error over the weighted variance of y.
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
    return error / spread;
  }
};

}  // namespace deepwell
