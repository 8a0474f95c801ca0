// The rows that a session sees: train rows to draw batches from, dev rows in blocks.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <utility>
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

  // Makes room for the batches of `order`, (steps, batch) rows of a table, which `fill` then
  // copies.
  void lay_out(const Table<T>& table, std::span<const std::int32_t> order, int steps, int batch) {
    planned_.clear();
    ends_.clear();
    const int pieces = (batch + rows_of_block - 1) / rows_of_block;
    std::size_t size = 0;
    for (int s = 0; s < steps; ++s) {
      const auto rows = order.subspan(static_cast<std::size_t>(s) * static_cast<std::size_t>(batch),
                                      static_cast<std::size_t>(batch));
      const std::size_t first_block = planned_.size();
      for (int p = 0, first = 0; p < pieces; ++p) {
        const int count = piece(batch, pieces, p);
        auto some = rows.subspan(static_cast<std::size_t>(first),
                                 static_cast<std::size_t>(used(table, rows, first, count)));
        if (some.empty() && p == 0) some = rows.first(1);
        if (!some.empty()) {
          planned_.push_back({some, first, size});
          size += blocks_.size_of(static_cast<int>(some.size()));
        }
        first += count;
      }
      ends_.push_back({first_block, planned_.size()});
    }
    blocks_.reserve(size);
    described_.resize(planned_.size());
    batches_.resize(ends_.size());
  }

  // Copies the rows of one step; different steps may be filled at the same time.
  void fill(const Table<T>& table, int step) {
    const auto [first, end] = ends_[static_cast<std::size_t>(step)];
    T weight = 0;
    for (std::size_t i = first; i < end; ++i) {
      const Planned& at = planned_[i];
      described_[i] = blocks_.gather(table, at.rows, at.first, at.offset);
      for (int r = 0; r < described_[i].rows; ++r) weight += described_[i].weight[r];
    }
    batches_[static_cast<std::size_t>(step)] = {
        std::span<const Block<T>>(described_).subspan(first, end - first),
        std::max(weight, std::numeric_limits<T>::min())};
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

  struct Planned {
    std::span<const std::int32_t> rows;
    int first;           // place of the first row in its batch
    std::size_t offset;  // of the block in the memory of all
  };

  Blocks<T> blocks_;
  std::vector<Planned> planned_;
  std::vector<std::pair<std::size_t, std::size_t>> ends_;  // blocks of each step
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
