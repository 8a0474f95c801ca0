// Exponential, hyperbolic tangent and error function on vectors.
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
