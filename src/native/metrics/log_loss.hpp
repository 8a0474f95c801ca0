#pragma once

#include "predictions.hpp"

namespace deepwell {

// Weighted mean loss of a row.
template <class T>
struct LogLoss {
  static constexpr const char* name = "log_loss";

  static double of(const Predictions<T>& p) {
    return p.mean([&](std::size_t i) { return static_cast<double>(p.losses[i]); });
  }
};

}  // namespace deepwell
