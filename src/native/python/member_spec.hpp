// What Python says of a member, checked.
#pragma once

#include "../session.hpp"
#include "checks.hpp"

namespace deepwell {

// The numbers that may change while it trains.
MemberNumbers member_numbers(const nb::dict& from);

MemberSpec member_spec(const nb::dict& from);

}  // namespace deepwell
