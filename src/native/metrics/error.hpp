#pragma once

#include "predictions.hpp"

namespace deepwell {

// Weighted share of rows whose likeliest class is wrong.
template <class T>
struct Error {
  static constexpr const char* name = "error";

  static double of(const Predictions<T>& p) {
    return p.mean([&](std::size_t i) { return p.said(i) == p.truth(i) ? 0.0 : 1.0; });
  }
};

}  // namespace deepwell
