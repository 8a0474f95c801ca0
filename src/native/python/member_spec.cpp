#include "member_spec.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "../decays.hpp"
#include "../names.hpp"

namespace deepwell {
namespace {

constexpr std::array<std::string_view, 3> norm_names{"none", "before", "after"};

}  // namespace

MemberNumbers member_numbers(const nb::dict& from) {
  MemberNumbers n;
  const std::pair<const char*, double*> fields[] = {
      {"learning_rate", &n.learning_rate},
      {"decay_rate", &n.decay_rate},
      {"decay_factor", &n.decay_factor},
      {"decay_scale", &n.decay_scale},
      {"decay_every", &n.decay_every},
      {"epochs", &n.epochs},
      {"warmup_epochs", &n.warmup_epochs},
      {"momentum", &n.momentum},
      {"beta1", &n.beta1},
      {"beta2", &n.beta2},
      {"epsilon", &n.epsilon},
      {"epsilon_root", &n.epsilon_root},
      {"l2", &n.l2},
      {"l1", &n.l1},
      {"weight_decay", &n.weight_decay},
      {"max_norm", &n.max_norm},
      {"clip_value", &n.clip_value},
      {"clip_norm", &n.clip_norm},
      {"gradient_noise", &n.gradient_noise},
      {"batch_norm_momentum", &n.batch_norm_momentum},
      {"label_smoothing", &n.label_smoothing},
      {"input_noise", &n.input_noise},
  };
  for (const auto& [name, field] : fields) *field = nb::cast<double>(from[name]);
  for (const auto& drop :
       nb::cast<std::vector<std::tuple<std::uint32_t, double, double>>>(from["drops"])) {
    n.drops.push_back({std::get<0>(drop), std::get<1>(drop), std::get<2>(drop)});
  }
  n.shares = nb::cast<std::vector<double>>(from["shares"]);
  if (!n.shares.empty() && n.shares.size() != shares_count) {
    refuse("mixup needs ", std::to_string(shares_count), " shares, got ",
           std::to_string(n.shares.size()));
  }
  return n;
}

MemberSpec member_spec(const nb::dict& from) {
  const auto text = [&](const char* key) { return nb::cast<std::string>(from[key]); };
  const auto number = [&](const char* key) { return nb::cast<double>(from[key]); };
  MemberSpec spec;
  const std::string dtype = text("dtype");
  if (dtype != "float32" && dtype != "float64") {
    refuse("dtype must be float32 or float64, got ", dtype);
  }
  spec.single = dtype == "float32";
  spec.widths = nb::cast<std::vector<int>>(from["widths"]);
  if (spec.widths.size() < 2) refuse("a network must have inputs and outputs");
  for (const int width : spec.widths) {
    if (width < 1 || width > (1 << 24)) {
      refuse("a layer must have 1 to 2^24 units, got ", std::to_string(width));
    }
  }
  spec.activation = index_of("activation", activation_names(), text("activation"));
  spec.optimizer = index_of("optimizer", optimizer_names(), text("optimizer"));
  spec.decay = index_of("decay", decay_names, text("decay"));
  spec.slope = number("slope");
  spec.numbers = member_numbers(from);
  const auto& drops = spec.numbers.drops;
  if (drops.size() + 1 != spec.widths.size()) {
    refuse("the inputs and each hidden layer need their dropout, got ",
           std::to_string(drops.size()), " of ", std::to_string(spec.widths.size() - 1));
  }
  spec.pieces = nb::cast<int>(from["pieces"]);
  if (spec.pieces < 1 || spec.pieces > 64) {
    refuse("a unit must have 1 to 64 pieces, got ", std::to_string(spec.pieces));
  }
  spec.norm = static_cast<Norm>(index_of("batch_norm", norm_names, text("batch_norm")));
  spec.norm_epsilon = number("norm_epsilon");
  spec.residual = nb::cast<int>(from["residual"]);
  spec.dropout_key = nb::cast<std::array<std::uint32_t, 2>>(from["dropout_key"]);
  spec.input_noise_key = nb::cast<std::array<std::uint32_t, 2>>(from["input_noise_key"]);
  spec.mix_key = nb::cast<std::array<std::uint32_t, 2>>(from["mix_key"]);
  spec.noise_key = nb::cast<std::array<std::uint32_t, 2>>(from["noise_key"]);
  spec.rms_from_first = nb::cast<bool>(from["rms_from_first"]);
  spec.per_epoch = nb::cast<std::int64_t>(from["per_epoch"]);
  if (spec.per_epoch < 1) {
    refuse("an epoch must have at least 1 step, got ", std::to_string(spec.per_epoch));
  }
  spec.patience = nb::cast<std::int64_t>(from["patience"]);
  return spec;
}

}  // namespace deepwell
