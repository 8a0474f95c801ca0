// A family of techniques as a list of types, looked up by name.
#pragma once

#include <array>
#include <string_view>

namespace deepwell {

template <class... Members>
struct Types {
  static constexpr std::array<std::string_view, sizeof...(Members)> names{Members::name...};

  // What `make.operator()<Member>()` returns for each member, in order: a table of functions.
  template <class Make>
  static constexpr auto table(Make make) {
    return std::array { make.template operator()<Members>()... };
  }
};

}  // namespace deepwell
