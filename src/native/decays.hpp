// Learning-rate decay: the factor on the rate. Adding one is a function and two lines.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string_view>

namespace deepwell {

// What schedules read of a member and a step; epochs and steps count from 1.
template <class T>
struct Schedule {
  T decay_rate, decay_factor, decay_scale, decay_every, epochs, warmup_epochs;
  T epoch, step, per_epoch;

  T done() const { return (step - T(1)) / per_epoch; }  // epochs done before this step
};

template <class T>
T constant(const Schedule<T>&) {
  return T(1);
}

// 1 / (1 + decay_rate epoch)
template <class T>
T inverse_time(const Schedule<T>& s) {
  return T(1) / (T(1) + s.decay_rate * s.epoch);
}

// decay_factor ^ epoch
template <class T>
T exponential_decay(const Schedule<T>& s) {
  return std::pow(s.decay_factor, s.epoch);
}

// decay_scale / sqrt(epoch)
template <class T>
T inverse_sqrt_epoch(const Schedule<T>& s) {
  return s.decay_scale / std::sqrt(s.epoch);
}

// decay_scale / sqrt(step)
template <class T>
T inverse_sqrt_step(const Schedule<T>& s) {
  return s.decay_scale / std::sqrt(s.step);
}

// decay_factor ^ floor((epoch - 1) / decay_every)
template <class T>
T staircase(const Schedule<T>& s) {
  return std::pow(s.decay_factor, std::floor((s.epoch - T(1)) / s.decay_every));
}

// A smooth fall from 1 at 0 to 0 at 1.
template <class T>
T half_wave(T share) {
  return (T(1) + std::cos(std::numbers::pi_v<T> * std::clamp(share, T(0), T(1)))) / T(2);
}

// (1 + cos(pi p)) / 2, p the share done of the epochs after the warm-up (Loshchilov & Hutter 2017).
template <class T>
T cosine(const Schedule<T>& s) {
  const T falls = std::max(s.epochs - s.warmup_epochs, T(1e-6));
  return half_wave((s.done() - s.warmup_epochs) / falls);
}

// From 1/25 up to 1 over the first 30 % of the epochs, then down to 1/250,000 (Smith & Topin 2019).
template <class T>
T one_cycle(const Schedule<T>& s) {
  constexpr T rise = T(0.3), start = T(1 / 25.0), end = T(1 / 25e4);
  const T share = s.done() / s.epochs;
  if (share < rise) return T(1) + (start - T(1)) * half_wave(share / rise);
  return end + (T(1) - end) * half_wave((share - rise) / (T(1) - rise));
}

template <class T>
inline constexpr std::array decays{&constant<T>,
                                   &inverse_time<T>,
                                   &exponential_decay<T>,
                                   &inverse_sqrt_epoch<T>,
                                   &inverse_sqrt_step<T>,
                                   &staircase<T>,
                                   &cosine<T>,
                                   &one_cycle<T>};
inline constexpr std::array<std::string_view, 8> decay_names{
    "constant",          "inverse_time", "exponential", "inverse_sqrt_epoch",
    "inverse_sqrt_step", "staircase",    "cosine",      "one_cycle"};

// The warm-up's factor min(1, step / warm-up steps).
template <class T>
T warmed(const Schedule<T>& s) {
  return std::min(s.step / std::max(s.warmup_epochs * s.per_epoch, T(1)), T(1));
}

}  // namespace deepwell
