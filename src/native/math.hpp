// Exponential, logarithm, hyperbolic tangent and error function on vectors.
//
// In float32 they are computed on the whole vector, within 4 units in the last place of the true
// value (tests/native/test_native_math.py); in float64 lane by lane with the C library, whose
// results a comparison to 1e-9 after hundreds of steps can rest on.
#pragma once

#include "simd.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// e^x = scale + scale * rest, with scale a power of two and rest = e^r - 1, |r| <= ln(2) / 2.
struct Exponential {
  Vec<float> scale;
  Vec<float> rest;
};

inline Exponential exponential_parts(Vec<float> x) {
  x = x > 88.0f ? all(88.0f) : x;
  x = x < -87.0f ? all(-87.0f) : x;
  const Vec<float> shifter = all(12582912.0f);  // 1.5 * 2^23: adding it rounds to whole numbers
  const Vec<float> shifted = x * 1.44269504f + shifter;
  const Vec<float> n = shifted - shifter;
  const Vec<float> r = (x - n * 0.693359375f) + n * 2.12194440e-4f;  // ln 2 in two parts
  Vec<float> p = all(1.9875691500e-4f);  // Cephes expf: e^r = 1 + r + r^2 p(r)
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const Bits<float> exponent = (bits_as<Bits<float>>(shifted) << 23) + (127u << 23);
  return {bits_as<Vec<float>>(exponent), (r * r) * p + r};
}

// e^x for x <= 88; 0 below -87, where the true value is under 1.7e-38.
inline Vec<float> exponential(Vec<float> x) {
  const Exponential e = exponential_parts(x);
  const Vec<float> y = e.scale + e.scale * e.rest;
  return x < -87.0f ? Vec<float>{} : y;
}

// e^x - 1 for x <= 88, exact to the last digits near 0 too.
inline Vec<float> exponential_minus_one(Vec<float> x) {
  const Exponential e = exponential_parts(x);
  return e.scale * e.rest + (e.scale - 1.0f);
}

// tanh x = sign(x) e / (e + 2) with e = e^(2|x|) - 1.
inline Vec<float> hyperbolic_tangent(Vec<float> x) {
  Vec<float> size = absolute<float>(x);
  size = size > 10.0f ? all(10.0f) : size;  // tanh(9.02) rounds to 1 already
  const Vec<float> e = exponential_minus_one(size + size);
  return copy_sign<float>(e / (e + 2.0f), x);
}

// erf x: an odd polynomial near 0, 1 - exp(polynomial) beyond (fitted by N. Juffa).
inline Vec<float> error_function(Vec<float> x) {
  const Vec<float> t = absolute<float>(x);
  const Vec<float> s = x * x;
  Vec<float> far = all(-1.72853470e-5f) * t + 3.83197126e-4f;
  const Vec<float> u = all(-3.88396438e-3f) * t + 2.42546219e-2f;
  far = far * s + u;
  far = far * t + -1.06777877e-1f;
  far = far * t + -6.34846687e-1f;
  far = far * t + -1.28717512e-1f;
  far = far * t - t;
  far = t > 4.0f ? all(-20.0f) : far;  // erf(4) rounds to 1; keeps the polynomial in its range
  far = copy_sign<float>(1.0f - exponential(far), x);
  Vec<float> near = all(-5.96761703e-4f);
  near = near * s + 4.99119423e-3f;
  near = near * s + -2.67681349e-2f;
  near = near * s + 1.12819925e-1f;
  near = near * s + -3.76125336e-1f;
  near = near * s + 1.28379166e-1f;
  near = near * x + x;
  return t > 0.927734375f ? far : near;
}

// log(1 + f) for f from 1 / sqrt(2) - 1 to sqrt(2) - 1: f - f^2 / 2 + f^3 p(f) (Cephes logf).
inline Vec<float> logarithm_near_one(Vec<float> f) {
  Vec<float> p = all(7.0376836292e-2f);
  p = p * f + -1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f + -1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f + -1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f + -2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  const Vec<float> square = f * f;
  return f + square * (p * f - 0.5f);
}

// log x for normal x > 0 as exponent * ln 2 + log of the rest; NaN and infinity stay.
inline Vec<float> logarithm(Vec<float> x) {
  const Bits<float> bits = bits_as<Bits<float>>(x);
  // The exponent that leaves a rest from 1 / sqrt(2) to sqrt(2), whose bits are 0x3F3504F3 on.
  const Bits<float> above = bits - 0x3F3504F3u;
  const Mask<float> exponent = bits_as<Mask<float>>(above) >> 23;
  const Vec<float> rest = bits_as<Vec<float>>((above & 0x007FFFFFu) + 0x3F3504F3u);
  const Vec<float> n = __builtin_convertvector(exponent, Vec<float>);
  const Vec<float> y = n * 0.693359375f + (n * -2.12194440e-4f + logarithm_near_one(rest - 1.0f));
  return x - x == 0.0f ? y : x;
}

// log(1 + u) for u from 0 to 1, exact to the last digits near 0 too: (1 + u) / 2 - 1 = (u - 1) / 2.
inline Vec<float> logarithm_of_one_plus(Vec<float> u) {
  const Mask<float> far = u > 0.41421356f;
  const Vec<float> near = logarithm_near_one(far ? (u - 1.0f) * 0.5f : u);
  return far ? near + 0.69314718f : near;
}

template <class Function>
inline Vec<double> lane_by_lane(Vec<double> x, Function function) {
  for (int i = 0; i < lanes<double>; ++i) x[i] = function(x[i]);
  return x;
}

inline Vec<double> exponential(Vec<double> x) {
  return lane_by_lane(x, [](double v) { return std::exp(v); });
}
inline Vec<double> exponential_minus_one(Vec<double> x) {
  return lane_by_lane(x, [](double v) { return std::expm1(v); });
}
inline Vec<double> logarithm(Vec<double> x) {
  return lane_by_lane(x, [](double v) { return std::log(v); });
}
inline Vec<double> logarithm_of_one_plus(Vec<double> x) {
  return lane_by_lane(x, [](double v) { return std::log1p(v); });
}
inline Vec<double> hyperbolic_tangent(Vec<double> x) {
  return lane_by_lane(x, [](double v) { return std::tanh(v); });
}
inline Vec<double> error_function(Vec<double> x) {
  return lane_by_lane(x, [](double v) { return std::erf(v); });
}

// 1 / (1 + e^-x) as (1 + tanh(x / 2)) / 2, which cannot overflow.
template <class T>
inline Vec<T> logistic_function(Vec<T> x) {
  return T(0.5) * (T(1) + hyperbolic_tangent(T(0.5) * x));
}

}  // namespace deepwell::DEEPWELL_LEVEL
