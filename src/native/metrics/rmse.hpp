#pragma once

#include <cmath>

#include "predictions.hpp"

namespace deepwell {

// Root of the weighted mean squared error.
template <class T>
struct Rmse {
  static constexpr const char* name = "rmse";

  static double of(const Predictions<T>& p) {
    return std::sqrt(p.mean([&](std::size_t i) {
      const double off = static_cast<double>(p.at(0, i)) - static_cast<double>(p.y[i]);
      return off * off;
    }));
  }
};

}  // namespace deepwell
