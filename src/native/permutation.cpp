#include "permutation.hpp"

#include <algorithm>
#include <vector>

#include "hash.hpp"

namespace deepwell {
namespace {

constexpr int digit_bits = 11;  // three passes over a word, each with counts in the first cache
constexpr std::uint32_t digits = 1u << digit_bits;

struct Drawn {
  std::uint32_t word;
  std::int32_t place;
};

// One pass of a radix sort: stable, by the digit at `shift`.
void sort_by_digit(const std::vector<Drawn>& from, int shift, std::vector<Drawn>& to) {
  std::array<std::uint32_t, digits> ends{};
  for (const Drawn& one : from) ++ends[(one.word >> shift) % digits];
  std::uint32_t before = 0;
  for (std::uint32_t& end : ends) {
    const std::uint32_t count = end;
    end = before;
    before += count;
  }
  for (const Drawn& one : from) to[ends[(one.word >> shift) % digits]++] = one;
}

}  // namespace

void permute(const std::array<std::uint32_t, 2>& key, std::span<std::int32_t> out) {
  const auto row = DEEPWELL_LEVEL::fold(key[0], key[1], 0u);
  std::vector<Drawn> drawn(out.size()), sorted(out.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto along = static_cast<std::uint32_t>(i) * DEEPWELL_LEVEL::golden;
    drawn[i] = {DEEPWELL_LEVEL::word_at(row, along), static_cast<std::int32_t>(i)};
  }
  for (int shift = 0; shift < 32; shift += digit_bits) {
    sort_by_digit(drawn, shift, sorted);
    std::swap(drawn, sorted);
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = drawn[i].place;
}

}  // namespace deepwell
