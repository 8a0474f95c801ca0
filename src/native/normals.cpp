#include "normals.hpp"

#include <cmath>

#include "hash.hpp"

namespace deepwell {
namespace {

using Words = DEEPWELL_LEVEL::Key<std::uint32_t>;

template <std::size_t N>
double polynomial(const double (&coefficients)[N], double x) {
  double sum = coefficients[N - 1];
  for (std::size_t i = N - 1; i-- > 0;) sum = sum * x + coefficients[i];
  return sum;
}

// Where the normal distribution reaches p, 2^-33 <= p <= 1 - 2^-33: Wichura 1988 (algorithm AS 241,
// PPND16), relative error 1e-16. Its branch for p below 1e-11 cannot be reached by a word.
double quantile(double p) {
  static constexpr double a[] = {3.3871328727963666080e0, 1.3314166789178437745e2,
                                 1.9715909503065514427e3, 1.3731693765509461125e4,
                                 4.5921953931549871457e4, 6.7265770927008700853e4,
                                 3.3430575583588128105e4, 2.5090809287301226727e3};
  static constexpr double b[] = {1.0,
                                 4.2313330701600911252e1,
                                 6.8718700749205790830e2,
                                 5.3941960214247511077e3,
                                 2.1213794301586595867e4,
                                 3.9307895800092710610e4,
                                 2.8729085735721942674e4,
                                 5.2264952788528545610e3};
  static constexpr double c[] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                 5.76949722146069140550e0,  3.64784832476320460504e0,
                                 1.27045825245236838258e0,  2.41780725177450611770e-1,
                                 2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr double d[] = {1.0,
                                 2.05319162663775882187e0,
                                 1.67638483018380384940e0,
                                 6.89767334985100004550e-1,
                                 1.48103976427480074590e-1,
                                 1.51986665636164571966e-2,
                                 5.47593808499534494600e-4,
                                 1.05075007164441684324e-9};
  const double middle = p - 0.5;
  if (std::abs(middle) <= 0.425) {
    const double r = 0.180625 - middle * middle;
    return middle * polynomial(a, r) / polynomial(b, r);
  }
  const double r = std::sqrt(-std::log(middle < 0 ? p : 1 - p)) - 1.6;
  const double size = polynomial(c, r) / polynomial(d, r);
  return middle < 0 ? -size : size;
}

// key(s) of docs/hash.md.
Words key_of(std::uint64_t seed) {
  using DEEPWELL_LEVEL::golden;
  using DEEPWELL_LEVEL::mix;
  const auto low = static_cast<std::uint32_t>(seed);
  const auto high = static_cast<std::uint32_t>(seed >> 32);
  const std::uint32_t first = mix(low + golden);
  const std::uint32_t second = mix(mix(high + golden) ^ low);
  return DEEPWELL_LEVEL::fold(first, second, 0u);
}

}  // namespace

template <class T>
void draw_normals(std::uint64_t seed, std::span<const std::uint32_t> folds, double deviation,
                  const Rectangle<T>& out) {
  Words parent = key_of(seed);
  for (const std::uint32_t word : folds) {
    parent = DEEPWELL_LEVEL::fold(parent.first, parent.second, word);
  }
  for (std::size_t i = 0; i < out.rows; ++i) {
    const Words row =
        DEEPWELL_LEVEL::fold(parent.first, parent.second, static_cast<std::uint32_t>(i));
    T* to = out.data + i * out.stride;
    for (std::size_t j = 0; j < out.columns; ++j) {
      const auto along = static_cast<std::uint32_t>(j) * DEEPWELL_LEVEL::golden;
      const double uniform = (DEEPWELL_LEVEL::word_at(row, along) + 0.5) * 0x1p-32;
      *to++ = static_cast<T>(deviation * quantile(uniform));
    }
  }
}

template void draw_normals(std::uint64_t, std::span<const std::uint32_t>, double,
                           const Rectangle<float>&);
template void draw_normals(std::uint64_t, std::span<const std::uint32_t>, double,
                           const Rectangle<double>&);

}  // namespace deepwell
