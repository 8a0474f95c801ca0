// Augmentation of a step's rows for one member: mixup, then noise; dev rows never come here.
#pragma once

#include "gradient_noise.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// The key of a row at its place in the batch.
template <class T>
inline Key<std::uint32_t> place_key(const std::array<std::uint32_t, 2>& key, int place) {
  return fold(key[0], key[1], static_cast<std::uint32_t>(place));
}

// Mixup (Zhang et al. 2018): row i becomes s x_i + (1 - s) x_j, with a partner j among the batch's
// real rows and a share s from the table of quantiles, drawn for each row.
template <class T>
void mix(std::span<const Block<T>> blocks, std::span<Block<T>> mixed, const Augment<T>& how,
         int inputs) {
  const Block<T>& last = blocks.back();
  const auto count = static_cast<std::uint32_t>(last.first + last.rows);
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const Block<T>& from = blocks[b];
    T* x = const_cast<T*>(mixed[b].x);
    T* other = const_cast<T*>(mixed[b].other);
    T* share = const_cast<T*>(mixed[b].share);
    for (int i = 0; i < from.rows; ++i) {
      const auto key = place_key<T>(how.mix_key, from.first + i);
      const auto partner = static_cast<int>(word_at(key, 0u) % count);
      const T mine = how.shares[word_at(key, golden) >> shares_shift];
      const Block<T>* theirs = &blocks.front();
      for (const Block<T>& block : blocks) {
        if (block.first <= partner) theirs = &block;
      }
      const int column = partner - theirs->first;
      for (int d = 0; d < inputs; ++d) {
        x[d * from.stride + i] = mine * from.x[d * from.stride + i] +
                                 (T(1) - mine) * theirs->x[d * theirs->stride + column];
      }
      other[i] = theirs->y[column];
      share[i] = mine;
    }
  }
}

// x += deviation * normal number at (place in the batch, input).
template <class T>
void add_input_noise(Block<T>& block, const Augment<T>& how, int inputs) {
  T* x = const_cast<T*>(block.x);
  for (int v = 0; v < vectors<T>(block.rows); ++v) {
    Words<T> places;
    for (int i = 0; i < lanes<T>; ++i) {
      places[i] = static_cast<std::uint32_t>(block.first + v * lanes<T> + i);
    }
    const Key<Words<T>> rows = fold<Words<T>>(how.noise_key[0], how.noise_key[1], places);
    for (int d = 0; d < inputs; ++d) {
      T* at = x + d * block.stride + v * lanes<T>;
      const Words<T> words = word_at(rows, static_cast<std::uint32_t>(d) * golden);
      store(at, load(at) + how.noise * normal_of<T>(words));
    }
  }
}

// Returns the batch with its rows changed, in the workspace's memory.
template <class T>
Batch<T> augment(const Batch<T>& batch, const Augment<T>& how, int inputs, Workspace<T>& work) {
  std::size_t room = 0;
  for (const Block<T>& block : batch.blocks) {
    room += static_cast<std::size_t>(inputs + 3) * static_cast<std::size_t>(block.stride);
  }
  work.augmented.grow(room);
  work.augmented_blocks.assign(batch.blocks.begin(), batch.blocks.end());
  T* memory = work.augmented.data();
  for (Block<T>& block : work.augmented_blocks) {
    std::copy_n(block.x, (inputs + 1) * block.stride, memory);
    block.x = memory;
    memory += (inputs + 1) * block.stride;
    if (how.shares != nullptr) {
      std::fill_n(memory, 2 * block.stride, T(0));
      block.other = memory;
      block.share = memory + block.stride;
    }
    memory += 2 * block.stride;
  }
  const std::span<Block<T>> changed(work.augmented_blocks);
  if (how.shares != nullptr) mix<T>(batch.blocks, changed, how, inputs);
  if (how.noise > T(0)) {
    for (Block<T>& block : changed) add_input_noise(block, how, inputs);
  }
  return {changed, batch.weight};
}

}  // namespace deepwell::DEEPWELL_LEVEL
