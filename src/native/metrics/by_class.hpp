// Weighted rows of each class: said rightly, truly there, said.
#pragma once

#include <vector>

#include "predictions.hpp"

namespace deepwell {

struct ByClass {
  double hits = 0;
  double truly = 0;
  double said = 0;
};

template <class T>
std::vector<ByClass> count_classes(const Predictions<T>& p) {
  std::vector<ByClass> classes(static_cast<std::size_t>(p.classes()));
  for (std::size_t i = 0; i < p.rows(); ++i) {
    const double weight = static_cast<double>(p.weight[i]);
    const auto said = static_cast<std::size_t>(p.said(i));
    const auto truth = static_cast<std::size_t>(p.truth(i));
    classes[said].said += weight;
    classes[truth].truly += weight;
    if (said == truth) classes[said].hits += weight;
  }
  return classes;
}

}  // namespace deepwell
