// Rows that come from Python: checked once, and kept alive for as long as they are pointed into.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "../data.hpp"
#include "checks.hpp"

namespace deepwell {

template <class T>
Table<T> table(const Matrix<T>& x, const Column<T>& y, const Column<T>& weight, const char* part) {
  if (x.shape(0) != y.shape(0) || x.shape(0) != weight.shape(0)) {
    refuse("x, y and weight of the ", part, " rows must be equally long, got ",
           std::to_string(x.shape(0)), ", ", std::to_string(y.shape(0)), " and ",
           std::to_string(weight.shape(0)));
  }
  const bool may_come_later = std::string_view(part) == "train";  // in windows, call by call
  if ((x.shape(0) == 0 && !may_come_later) || x.shape(1) == 0) {
    refuse("the ", part, " rows must hold a row and a feature, got ", std::to_string(x.shape(0)),
           " x ", std::to_string(x.shape(1)));
  }
  return {x.data(), y.data(), weight.data(), small(x.shape(0), "rows"),
          small(x.shape(1), "features")};
}

// The arrays stay alive for as long as the data that points into them.
template <class T>
struct HeldData {
  HeldData(Matrix<T> x, Column<T> y, Column<T> w, Matrix<T> xd, Column<T> yd, Column<T> wd)
      : held{x, xd},
        columns{y, w, yd, wd},
        data(table(x, y, w, "train"), table(xd, yd, wd, "dev")) {
    if (x.shape(1) != xd.shape(1)) {
      refuse("train and dev rows must have the same features, got ", std::to_string(x.shape(1)),
             " and ", std::to_string(xd.shape(1)));
    }
  }
  std::array<Matrix<T>, 2> held;
  std::array<Column<T>, 4> columns;
  Data<T> data;
};

// Train rows of one call; the arrays stay alive for as long as the window.
template <class T>
struct HeldWindow {
  HeldWindow(Matrix<T> x, Column<T> y, Column<T> weight)
      : held(x), columns{y, weight}, rows(table(x, y, weight, "window's")) {}
  Matrix<T> held;
  std::array<Column<T>, 2> columns;
  Table<T> rows;
};

// Checks that the labels of a table can be outputs of the members.
template <class T>
void check_labels(const Table<T>& rows, int classes) {
  for (int i = 0; i < rows.rows; ++i) {
    if (!(rows.y[i] >= T(0) && rows.y[i] < static_cast<T>(classes))) {
      refuse("y must hold class numbers from 0 to ", std::to_string(classes - 1), ", got ",
             std::to_string(rows.y[i]), " in row ", std::to_string(i));
    }
  }
}

void bind_rows(nb::module_& module);

}  // namespace deepwell
