/// Whether a home has any sensor of the kind a rule needs: where there is none, that nothing was seen means nothing.
#pragma once
#include <varde/rule.hpp>

#include <utility>

namespace varde::home {

/// Kept in the rule; made once in its constructor, where it declares two reads if it is asked for.
///
/// Parameter `no_sensor_after_hours`, 0 .. 8760: a home that has sent events for so many hours, and never one of the rule's categories, has
/// no such sensor. 0, the default, asks nothing, as the reference does. A home that is new is not known yet, and counts as having one.
class NeededSensor {
  public:
    NeededSensor() = default;
    NeededSensor(Setup& setup, const Value& params, Literals categories)
        : after_(params.strict_int("no_sensor_after_hours", 0, 0, 8760)) {
        if (after_ == hours(0)) return;
        ever_ = setup.latest(std::move(categories));
        older_ = setup.latest_before(at_until - after_, {});
    }

    /// Says no_data if the home has none; the rule has nothing to add then. Called after the rule said until when its answer holds.
    [[nodiscard]] bool missing(const Window& window, Findings& out) const {
        if (after_ == hours(0) || !window.rows(ever_).empty()) return false;
        if (window.rows(older_).empty()) {  // when the oldest event comes of age is not known
            out.valid_until(window.until() + microseconds(1));
            return false;
        }
        out.no_data("no sensor of this home tells that somebody is there");
        return true;
    }

  private:
    hours after_{};
    Read ever_, older_;
};

}  // namespace varde::home
