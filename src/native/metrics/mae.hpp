#pragma once

#include <cmath>

#include "predictions.hpp"

namespace deepwell {

// Weighted mean absolute error.
template <class T>
struct Mae {
  static constexpr const char* name = "mae";

  static double of(const Predictions<T>& p) {
    return p.mean([&](std::size_t i) {
      return std::abs(static_cast<double>(p.at(0, i)) - static_cast<double>(p.y[i]));
    });
  }
};

}  // namespace deepwell
