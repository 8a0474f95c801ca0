// The techniques by name; a technique's number is its place in its family's list.
#pragma once

#include <span>
#include <string_view>

namespace deepwell {

std::span<const std::string_view> activation_names();
std::span<const std::string_view> optimizer_names();
std::span<const std::string_view> loss_names();
int optimizer_slots(int optimizer);

}  // namespace deepwell
