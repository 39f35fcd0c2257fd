#pragma once
#include "ports/event_intake.hpp"

#include <mutex>
#include <utility>

namespace varde::fakes {

/// An EventIntake that records what it is given and answers what the test says: at once, or when release() is called. Thread-safe.
class EventIntake final : public ports::EventIntake {
  public:
    using Answer = core::Result<std::vector<ports::IntakeItem>>;
    struct Submission {
        std::string body;
        ports::BodyFormat format;
        ports::IntakeContext context;
    };

    /// The answer from now on. Without one: one stored item.
    void answer_with(Answer answer) {
        const std::lock_guard lock{mutex_};
        answer_ = std::move(answer);
    }
    /// From now on answers wait for release().
    void hold() {
        const std::lock_guard lock{mutex_};
        holding_ = true;
    }
    void release() {
        std::unique_lock lock{mutex_};
        holding_ = false;
        auto held = std::exchange(held_, {});
        const auto answer = answer_;
        lock.unlock();
        for (auto& done : held) done(answer);
    }
    [[nodiscard]] std::vector<Submission> submissions() const {
        const std::lock_guard lock{mutex_};
        return submissions_;
    }

    void submit(std::string_view body, ports::BodyFormat format, const ports::IntakeContext& context, Done done) override {
        std::unique_lock lock{mutex_};
        submissions_.push_back({std::string{body}, format, context});
        if (holding_) return held_.push_back(std::move(done));
        auto answer = answer_;
        lock.unlock();
        done(std::move(answer));
    }
    core::Result<std::vector<ports::Appended>> store(std::vector<core::Event> events) override {
        const std::lock_guard lock{mutex_};
        if (!answer_) return tl::unexpected{answer_.error()};
        std::vector<ports::Appended> appended;
        for (auto& event : events) {
            stored_.push_back(std::move(event));
            appended.push_back({static_cast<std::int64_t>(stored_.size()), false});
        }
        return appended;
    }
    [[nodiscard]] std::vector<core::Event> stored() const {
        const std::lock_guard lock{mutex_};
        return stored_;
    }

  private:
    mutable std::mutex mutex_;
    Answer answer_ = std::vector<ports::IntakeItem>{{"e-1", true, false, {}, {}}};
    bool holding_ = false;
    std::vector<Done> held_;
    std::vector<Submission> submissions_;
    std::vector<core::Event> stored_;
};

}  // namespace varde::fakes
