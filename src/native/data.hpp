// The rows that a session sees: train rows to draw batches from, dev rows in blocks.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "aligned.hpp"
#include "metrics/predictions.hpp"

namespace deepwell {

inline constexpr int rows_of_block = 256;  // more rows than this go through in several blocks
inline constexpr int rows_of_dev_block = 128;

// Rows of a table that somebody else keeps alive.
template <class T>
struct Table {
  const T* x;  // (rows, inputs)
  const T* y;
  const T* weight;
  int rows;
  int inputs;
};

// Memory of blocks: x (inputs + 1, stride), y (stride,), weight (stride,) one after another.
template <class T>
class Blocks {
 public:
  explicit Blocks(int inputs) : inputs_(inputs) {}

  std::size_t size_of(int rows) const {
    return static_cast<std::size_t>(inputs_ + 3) * static_cast<std::size_t>(stride_of<T>(rows));
  }

  void reserve(std::size_t elements) { memory_.grow(elements); }

  // Copies the rows of `table` at `places` (an index past the end is no row) into a block.
  Block<T> gather(const Table<T>& table, std::span<const std::int32_t> places, int first,
                  std::size_t offset) {
    const auto count = static_cast<int>(places.size());
    const std::ptrdiff_t stride = stride_of<T>(count);
    T* x = memory_.data() + offset;
    T* y = x + (inputs_ + 1) * stride;
    T* weight = y + stride;
    std::fill(x, weight + stride, T(0));
    for (int i = 0; i < count; ++i) {
      const std::int32_t row = places[static_cast<std::size_t>(i)];
      if (row >= table.rows) continue;
      const T* from = table.x + static_cast<std::ptrdiff_t>(row) * inputs_;
      for (int d = 0; d < inputs_; ++d) x[d * stride + i] = from[d];
      y[i] = table.y[row];
      weight[i] = table.weight[row];
    }
    std::fill_n(x + inputs_ * stride, stride, T(1));
    return {x, y, weight, count, first, stride};
  }

 private:
  int inputs_;
  Aligned<T> memory_;
};

// The batches of some steps, gathered once and shared by all members.
template <class T>
class Batches {
 public:
  explicit Batches(int inputs) : blocks_(inputs) {}

  // order: (steps, batch) rows.
  void gather(const Table<T>& table, std::span<const std::int32_t> order, int steps, int batch) {
    described_.clear();
    batches_.clear();
    const int pieces = (batch + rows_of_block - 1) / rows_of_block;
    described_.reserve(static_cast<std::size_t>(steps) * static_cast<std::size_t>(pieces));
    std::size_t each = 0;
    for (int p = 0; p < pieces; ++p) each += blocks_.size_of(piece(batch, pieces, p));
    blocks_.reserve(each * static_cast<std::size_t>(steps));
    std::size_t offset = 0;
    for (int s = 0; s < steps; ++s) {
      const auto rows = order.subspan(static_cast<std::size_t>(s) * static_cast<std::size_t>(batch),
                                      static_cast<std::size_t>(batch));
      const std::size_t first_block = described_.size();
      T weight = 0;
      for (int p = 0, first = 0; p < pieces; ++p) {
        const int count = piece(batch, pieces, p);
        const auto some = rows.subspan(static_cast<std::size_t>(first),
                                       static_cast<std::size_t>(used(table, rows, first, count)));
        if (!some.empty() || p == 0) {
          described_.push_back(
              blocks_.gather(table, some.empty() ? rows.first(1) : some, first, offset));
          const Block<T>& block = described_.back();
          for (int i = 0; i < block.rows; ++i) weight += block.weight[i];
          offset += blocks_.size_of(block.rows);
        }
        first += count;
      }
      const std::span<const Block<T>> all(described_);
      batches_.push_back(
          {all.subspan(first_block), std::max(weight, std::numeric_limits<T>::min())});
    }
  }

  std::span<const Batch<T>> batches() const { return batches_; }

 private:
  static int piece(int batch, int pieces, int i) {
    return batch / pieces + (i < batch % pieces ? 1 : 0);
  }
  // Rows up to the last real one: a short batch costs what it holds.
  static int used(const Table<T>& table, std::span<const std::int32_t> rows, int first, int count) {
    while (count > 0 && rows[static_cast<std::size_t>(first + count - 1)] >= table.rows) --count;
    return count;
  }

  Blocks<T> blocks_;
  std::vector<Block<T>> described_;
  std::vector<Batch<T>> batches_;
};

template <class T>
class Data {
 public:
  Data(const Table<T>& train, const Table<T>& dev) : train_(train), dev_(dev), memory_(dev.inputs) {
    std::vector<std::int32_t> places(static_cast<std::size_t>(rows_of_dev_block));
    const int pieces = (dev.rows + rows_of_dev_block - 1) / rows_of_dev_block;
    memory_.reserve(memory_.size_of(rows_of_dev_block) * static_cast<std::size_t>(pieces));
    std::size_t offset = 0;
    for (int first = 0; first < dev.rows; first += rows_of_dev_block) {
      const int count = std::min(rows_of_dev_block, dev.rows - first);
      for (int i = 0; i < count; ++i) places[static_cast<std::size_t>(i)] = first + i;
      const std::span<const std::int32_t> some(places);
      blocks_.push_back(
          memory_.gather(dev, some.first(static_cast<std::size_t>(count)), first, offset));
      offset += memory_.size_of(count);
    }
  }
  Data(const Data&) = delete;
  Data& operator=(const Data&) = delete;

  const Table<T>& train() const { return train_; }
  const Table<T>& dev() const { return dev_; }
  std::span<const Block<T>> dev_blocks() const { return blocks_; }

 private:
  Table<T> train_;
  Table<T> dev_;
  Blocks<T> memory_;
  std::vector<Block<T>> blocks_;
};

}  // namespace deepwell
