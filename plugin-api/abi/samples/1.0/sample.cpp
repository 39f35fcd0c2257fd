// SAMPLE-1.0-CPP: the C++ layer of 1.0: what a rule keeps, its steps, its self-test. Built once, loaded for ever: see built.txt. Kept
// for the reader.
#include <varde/rule.hpp>

namespace {

class Sample {
  public:
    explicit Sample(varde::Setup& setup) { doors_ = setup.window({setup.literal("door")}); }

    void evaluate(const varde::Window& window, varde::Findings& out) const {
        const std::string before{out.state()};
        int64_t doors = 0;
        for ([[maybe_unused]] const varde::Row row : window.rows(doors_)) ++doors;
        out.keep(std::to_string(doors));
        out.step(doors > 0, "a door was seen");
        out.note("before there were " + (before.empty() ? std::string("none") : before));
        if (doors == 0) return out.no_data("no door");
        out.finding({varde::Severity::low, "Sample: doors"})
            .field("doors", doors)
            .field("before", before)
            .field("explains", out.explains());
    }

    void selftest() const {
        if (varde::us(varde::Instant{}) != 0) throw std::logic_error("time does not begin at 0");
    }

  private:
    varde::Read doors_;
};

}  // namespace

VARDE_RULE(Sample, "SAMPLE-1.0-CPP", "1.0.0")
