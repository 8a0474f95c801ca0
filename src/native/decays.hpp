// Learning-rate decay by the epoch, counted from 1: adding one is a function and a line.
#pragma once

#include <array>
#include <string_view>

namespace deepwell {

template <class T>
T constant(T rate, T, T) {
  return rate;
}

// alpha / (1 + decay * epoch)
template <class T>
T inverse_time(T rate, T decay, T epoch) {
  return rate / (T(1) + decay * epoch);
}

template <class T>
inline constexpr std::array decays{&constant<T>, &inverse_time<T>};
inline constexpr std::array<std::string_view, 2> decay_names{"constant", "inverse_time"};

}  // namespace deepwell
