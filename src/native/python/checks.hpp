// What every part of the Python face uses: arrays as they come, and refusals in one sentence.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace deepwell {

namespace nb = nanobind;

template <class T>
using Matrix = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using Column = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

template <class... Parts>
[[noreturn]] void refuse(const Parts&... parts) {
  std::string text;
  ((text += parts), ...);
  throw std::invalid_argument(text);
}

// The place of a name in a family.
inline int index_of(std::string_view family, std::span<const std::string_view> names,
                    const std::string& name) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<int>(i);
  }
  refuse("the native core has no ", std::string(family), " of the name given: \"", name, "\"");
}

// A size that fits the core's integers with room to spare.
inline int small(std::size_t n, const char* what) {
  if (n > static_cast<std::size_t>(std::numeric_limits<int>::max()) / 2) {
    refuse(what, " must be below 2^30, got ", std::to_string(n));
  }
  return static_cast<int>(n);
}

}  // namespace deepwell
