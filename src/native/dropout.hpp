// Dropout masks by the coordinate hash: the word at (row of the batch, unit) decides.
#pragma once

#include "hash.hpp"
#include "simd.hpp"
#include "workspace.hpp"

namespace deepwell::DEEPWELL_LEVEL {

// The words at (place in the batch, unit) for a vector of rows, whose keys are given.
template <class T>
inline Words<T> words_at(const std::uint32_t* row_first, const std::uint32_t* row_second, int unit,
                         int vector) {
  Key<Words<T>> rows;
  std::memcpy(&rows.first, row_first + vector * lanes<T>, sizeof(rows.first));
  std::memcpy(&rows.second, row_second + vector * lanes<T>, sizeof(rows.second));
  return word_at(rows, static_cast<std::uint32_t>(unit) * golden);
}

// Which units of a vector of rows are kept.
template <class T>
inline Mask<T> kept_rows(const std::uint32_t* row_first, const std::uint32_t* row_second,
                         std::uint32_t threshold, int unit, int vector) {
  const Words<T> word = words_at<T>(row_first, row_second, unit, vector);
  return __builtin_convertvector(word >= threshold, Mask<T>);
}

// Folds the layer and the rows' places into the step's key: one key a row.
template <class T>
void row_keys(const Dropout<T>& dropout, std::uint32_t layer, std::uint32_t first, int columns,
              Workspace<T>& work) {
  const Key<std::uint32_t> of_layer = fold(dropout.key[0], dropout.key[1], layer);
  for (int v = 0; v < columns; v += lanes<T>) {
    Words<T> places;
    for (int i = 0; i < lanes<T>; ++i) places[i] = first + static_cast<std::uint32_t>(v + i);
    const Key<Words<T>> keys = fold<Words<T>>(of_layer.first, of_layer.second, places);
    std::memcpy(work.row_first.data() + v, &keys.first, sizeof(keys.first));
    std::memcpy(work.row_second.data() + v, &keys.second, sizeof(keys.second));
  }
}

// Calls `each(unit, row, factors)` for all units and vectors of a block's rows: the factor is the
// drop's scale where the unit is kept, else 0.
template <class T, class Each>
void drop_rows(const Dropout<T>& dropout, const Drop<T>& drop, std::uint32_t layer,
               const Block<T>& block, int units, Workspace<T>& work, Each&& each) {
  const int wide = vectors<T>(block.rows);
  row_keys(dropout, layer, static_cast<std::uint32_t>(block.first), wide * lanes<T>, work);
  for (int unit = 0; unit < units; ++unit) {
    for (int v = 0; v < wide; ++v) {
      const Mask<T> keep =
          kept_rows<T>(work.row_first.data(), work.row_second.data(), drop.threshold, unit, v);
      each(unit, v * lanes<T>, keep ? all(drop.train_scale) : Vec<T>{});
    }
  }
}

}  // namespace deepwell::DEEPWELL_LEVEL
