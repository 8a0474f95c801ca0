// Vectors of one instruction-set level, written once with the compiler's vector extensions.
//
// The kernel headers are compiled once for each level with other flags; `DEEPWELL_LEVEL` names the
// namespace, so that the code of one level can never be linked in place of another's.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

namespace deepwell::DEEPWELL_LEVEL {

#if defined(__AVX512F__)
inline constexpr std::size_t vector_bytes = 64;
inline constexpr int registers = 32;
#elif defined(__AVX2__)
inline constexpr std::size_t vector_bytes = 32;
inline constexpr int registers = 16;
#elif defined(__aarch64__)
inline constexpr std::size_t vector_bytes = 16;
inline constexpr int registers = 32;
#else
inline constexpr std::size_t vector_bytes = 16;
inline constexpr int registers = 16;
#endif

// The vector types that belong to an element type: lanes of the type itself, unsigned integers of
// the same size (comparisons, bits), and 32-bit words, one a lane (random draws).
template <class T>
struct Vectors;

template <>
struct Vectors<float> {
  typedef float Reals __attribute__((vector_size(vector_bytes)));
  typedef std::int32_t Mask __attribute__((vector_size(vector_bytes)));
  typedef std::uint32_t Bits __attribute__((vector_size(vector_bytes)));
  typedef std::uint32_t Words __attribute__((vector_size(vector_bytes)));
  typedef std::int32_t WordMask __attribute__((vector_size(vector_bytes)));
};

template <>
struct Vectors<double> {
  typedef double Reals __attribute__((vector_size(vector_bytes)));
  typedef std::int64_t Mask __attribute__((vector_size(vector_bytes)));
  typedef std::uint64_t Bits __attribute__((vector_size(vector_bytes)));
  typedef std::uint32_t Words __attribute__((vector_size(vector_bytes / 2)));
  typedef std::int32_t WordMask __attribute__((vector_size(vector_bytes / 2)));
};

template <class T>
using Vec = typename Vectors<T>::Reals;
template <class T>
using Mask = typename Vectors<T>::Mask;
template <class T>
using Bits = typename Vectors<T>::Bits;
template <class T>
using Words = typename Vectors<T>::Words;

template <class T>
inline constexpr int lanes = static_cast<int>(vector_bytes / sizeof(T));

// Vectors that hold n elements.
template <class T>
constexpr int vectors(int n) {
  return (n + lanes<T> - 1) / lanes<T>;
}

template <class T>
inline Vec<T> load(const T* from) {
  return *reinterpret_cast<const Vec<T>*>(__builtin_assume_aligned(from, vector_bytes));
}

template <class T>
inline void store(T* to, Vec<T> value) {
  *reinterpret_cast<Vec<T>*>(__builtin_assume_aligned(to, vector_bytes)) = value;
}

template <class T>
inline Vec<T> all(T value) {
  return value - Vec<T>{};  // x - 0 keeps -0 and NaN, and compiles to one broadcast
}

template <class To, class From>
inline To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

template <class T>
inline Vec<T> absolute(Vec<T> x) {
  return bits_as<Vec<T>>(bits_as<Bits<T>>(x) & ~bits_as<Bits<T>>(all<T>(T(-0.0))));
}

// |x| with the sign of `sign`.
template <class T>
inline Vec<T> copy_sign(Vec<T> x, Vec<T> sign) {
  const Bits<T> top = bits_as<Bits<T>>(all<T>(T(-0.0)));
  return bits_as<Vec<T>>((bits_as<Bits<T>>(x) & ~top) | (bits_as<Bits<T>>(sign) & top));
}

inline Vec<float> square_root(Vec<float> x) {
#if defined(__AVX512F__)
  return _mm512_maskz_sqrt_ps(0xFFFF, x);
#elif defined(__AVX2__)
  return _mm256_sqrt_ps(x);
#else
  for (int i = 0; i < lanes<float>; ++i) x[i] = std::sqrt(x[i]);
  return x;
#endif
}

inline Vec<double> square_root(Vec<double> x) {
#if defined(__AVX512F__)
  return _mm512_maskz_sqrt_pd(0xFF, x);
#elif defined(__AVX2__)
  return _mm256_sqrt_pd(x);
#else
  for (int i = 0; i < lanes<double>; ++i) x[i] = std::sqrt(x[i]);
  return x;
#endif
}

}  // namespace deepwell::DEEPWELL_LEVEL
