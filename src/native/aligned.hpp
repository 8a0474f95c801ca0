// Zeroed memory on a cache line.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

#include "network.hpp"

namespace deepwell {

template <class T>
class Aligned {
 public:
  Aligned() = default;
  explicit Aligned(std::size_t size)
      : size_(size),
        data_(static_cast<T*>(::operator new[](std::max<std::size_t>(size, 1) * sizeof(T),
                                               std::align_val_t{line_bytes}))) {
    std::uninitialized_fill_n(data_.get(), size, T{});
  }

  T* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

  // Makes room for `size` elements; what was there is lost when it grows.
  void grow(std::size_t size) {
    if (size > size_) *this = Aligned(size);
  }

 private:
  struct Free {
    void operator()(T* data) const { ::operator delete[](data, std::align_val_t{line_bytes}); }
  };
  std::size_t size_ = 0;
  std::unique_ptr<T[], Free> data_;
};

}  // namespace deepwell
