// The coordinate hash of docs/hash.md: integers in, integers out, all modulo 2^32.
//
// Written for any unsigned type W: one word, or a vector of them.
#pragma once

#include <cstdint>

namespace deepwell::DEEPWELL_LEVEL {

inline constexpr std::uint32_t golden = 0x9E3779B9u;
inline constexpr std::uint32_t fold_offset = 0x3C6EF372u;
inline constexpr std::uint32_t fold_factor = 0x85EBCA6Bu;
inline constexpr std::uint32_t mix_first = 0x7FEB352Du;
inline constexpr std::uint32_t mix_second = 0x846CA68Bu;

template <class W>
struct Key {
  W first;
  W second;
};

template <class W>
inline W mix(W x) {
  x ^= x >> 16;
  x *= mix_first;
  x ^= x >> 15;
  x *= mix_second;
  return x ^ (x >> 16);
}

// The child key for a word: fold(k, w) of docs/hash.md.
template <class W>
inline Key<W> fold(std::uint32_t first, std::uint32_t second, W word) {
  const W a = mix<W>(word * golden + (first + fold_offset));
  const W b = mix<W>(second ^ a);
  return {mix<W>(a + b * golden), mix<W>(b ^ (a * fold_factor))};
}

// The word at place `along * golden` of the row with key `row`; of many rows, or at many places.
template <class Row, class Along>
inline auto word_at(const Key<Row>& row, const Along& along) {
  auto x = row.first + along;
  x ^= x >> 16;
  x *= mix_first;
  x ^= x >> 15;
  x += row.second;
  x *= mix_second;
  return x ^ (x >> 16);
}

}  // namespace deepwell::DEEPWELL_LEVEL
