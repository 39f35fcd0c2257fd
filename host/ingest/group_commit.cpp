#include "ingest/group_commit.hpp"

#include "ingest/event_reader.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>
#include <iterator>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace varde::ingest {

using core::Errc;
using core::Result;
using ports::Appended;
using SteadyTime = std::chrono::steady_clock::time_point;

namespace {

/// One submission on its way to the database. Answered once, by the writer or by the watch.
struct Job {
    std::vector<core::Event> events;
    std::function<void(Result<std::vector<Appended>>)> done;
    SteadyTime deadline;
    std::atomic<bool> taken = false;     // by the one that answers
    std::atomic<bool> answered = false;  // the callback has returned

    void answer(Result<std::vector<Appended>> result) {
        if (taken.exchange(true)) return;
        // The callback goes now and not with the job: it may hold a connection, and the watch keeps an answered job for a while.
        std::exchange(done, {})(std::move(result));
        answered = true;
        answered.notify_all();
    }
};
using JobPtr = std::shared_ptr<Job>;

}  // namespace

struct GroupCommit::Impl {
    ports::EventLog& log;
    const time::Clock& clock;
    const config::HostConfig::Ingest settings;
    ports::LogSink& sink;
    const RoomSource rooms;
    const Stored stored;

    mutable std::mutex mutex;
    std::condition_variable work;     // the writer waits here
    std::condition_variable overdue;  // the watch waits here
    std::condition_variable drained;  // stop() waits here
    std::deque<JobPtr> queue;         // to be written
    std::deque<JobPtr> watched;       // everything unanswered, by deadline; answered ones are dropped when they come to the front
    std::size_t queued_events = 0;    // queued or being written
    bool writer_idle = false;
    bool watch_idle = false;
    bool database_ok = true;
    bool attempting = false;  // a commit is under way, its outcome not known
    bool refusing = false;    // stop() was called
    bool quitting = false;    // the threads shall end
    State counts;

    std::mutex readers_mutex;
    std::vector<EventReader> readers;  // one for each thread that reads at the same time

    std::thread writer;
    std::thread watch;

    Impl(ports::EventLog& l, const time::Clock& c, const config::HostConfig::Ingest& s, ports::LogSink& k, RoomSource r, Stored t)
        : log{l}, clock{c}, settings{s}, sink{k}, rooms{std::move(r)}, stored{std::move(t)} {
        writer = std::thread{[this] { write_until_quit(); }};
        watch = std::thread{[this] { watch_until_quit(); }};
    }

    EventReader borrow_reader() {
        const std::lock_guard lock{readers_mutex};
        if (readers.empty()) return EventReader{settings};
        auto reader = std::move(readers.back());
        readers.pop_back();
        return reader;
    }

    void return_reader(EventReader reader) {
        const std::lock_guard lock{readers_mutex};
        readers.push_back(std::move(reader));
    }

    /// Why a submission of `count` events cannot be taken now.
    std::optional<core::Error> refusal(std::size_t count) const {
        if (refusing) return core::Error{Errc::stopping, "the host is going down"};
        if (!database_ok && (attempting || !queue.empty())) {
            return core::Error{Errc::database_unavailable, "the last commit of events failed and is being tried again"};
        }
        if (queued_events > 0 && queued_events + count > settings.max_queued_events) {
            return core::Error{Errc::overloaded, "the queue of events is full (ingest.max_queued_events)"};
        }
        return std::nullopt;
    }

    /// Queues the job, or says why not.
    std::optional<core::Error> enqueue(const JobPtr& job) {
        job->deadline = std::chrono::steady_clock::now() + settings.commit_timeout;
        bool wake_writer = false;
        bool wake_watch = false;
        {
            const std::lock_guard lock{mutex};
            if (auto error = refusal(job->events.size())) return error;
            queued_events += job->events.size();
            queue.push_back(job);
            watched.push_back(job);
            wake_writer = std::exchange(writer_idle, false);
            wake_watch = std::exchange(watch_idle, false);
        }
        if (wake_writer) work.notify_one();
        if (wake_watch) overdue.notify_one();
        return std::nullopt;
    }

    // ------------------------------------------------------------------------------------------------------------- the writer

    void write_until_quit() {
        std::vector<JobPtr> group;
        for (;;) {
            {
                std::unique_lock lock{mutex};
                writer_idle = queue.empty();
                work.wait(lock, [this] { return quitting || !queue.empty(); });
                writer_idle = false;
                if (quitting) return;
                take_group(group);
            }
            commit(group);
            std::size_t written = 0;
            for (const auto& job : group) written += job->events.size();
            group.clear();
            const std::lock_guard lock{mutex};
            queued_events -= written;
            drop_answered();
            if (queued_events == 0) drained.notify_all();
        }
    }

    void drop_answered() {
        while (!watched.empty() && watched.front()->answered) watched.pop_front();
    }

    void take_group(std::vector<JobPtr>& group) {
        attempting = true;
        std::size_t events = 0;
        while (!queue.empty() && (group.empty() || events + queue.front()->events.size() <= settings.max_commit_events)) {
            events += queue.front()->events.size();
            group.push_back(std::move(queue.front()));
            queue.pop_front();
        }
    }

    void commit(const std::vector<JobPtr>& group) {
        if (group.size() == 1) {
            auto result = log.append(group.front()->events);
            note_outcome(result);
            tell_stored(group.front()->events, result);
            return group.front()->answer(std::move(result));
        }
        std::vector<core::Event> events;
        std::size_t count = 0;
        for (const auto& job : group) count += job->events.size();
        events.reserve(count);
        for (const auto& job : group) std::ranges::move(job->events, std::back_inserter(events));
        const auto result = log.append(events);
        if (!result && result.error().code != Errc::database_unavailable) {
            // Maybe it is one event that the database refuses: the jobs get theirs back and are tried one by one.
            auto from = events.begin();
            for (const auto& job : group) {
                for (auto& event : job->events) event = std::move(*from++);
            }
            for (const auto& job : group) commit({job});
            return;
        }
        note_outcome(result);
        tell_stored(events, result);
        auto next = result ? result->begin() : std::vector<Appended>::const_iterator{};
        for (const auto& job : group) {
            if (!result) {
                job->answer(tl::unexpected{result.error()});
                continue;
            }
            const auto end = next + static_cast<std::ptrdiff_t>(job->events.size());
            job->answer(std::vector<Appended>{next, end});
            next = end;
        }
    }

    void tell_stored(const std::vector<core::Event>& events, const Result<std::vector<Appended>>& result) const {
        if (!result || !stored) return;
        std::vector<std::string> categories;  // a handful
        for (std::size_t i = 0; i < events.size(); ++i) {
            const auto& category = events[i].category;
            if (!(*result)[i].deduped && std::ranges::find(categories, category) == categories.end())
                categories.push_back(category);
        }
        if (!categories.empty()) stored(categories);
    }

    void note_outcome(const Result<std::vector<Appended>>& result) {
        std::vector<JobPtr> failed_with_it;
        bool changed = false;
        {
            const std::lock_guard lock{mutex};
            const bool ok = result || result.error().code != Errc::database_unavailable;
            changed = std::exchange(database_ok, ok) != ok;
            attempting = false;  // before the answers go out: who repeats an event at once must be let in
            if (result) {
                ++counts.commits;
                for (const auto& appended : *result) ++(appended.deduped ? counts.deduped : counts.stored);
            }
            // What waited for this commit would only wait for the next failure.
            if (!ok) failed_with_it = give_up_queue();
        }
        if (changed && !result) {
            sink.log(ports::LogLevel::error, "ingest", "ingest_database_unavailable", result.error().context,
                     {{"reason", std::string{core::name_of(result.error().code)}},
                      {"failed_submissions", static_cast<std::int64_t>(failed_with_it.size() + 1)}});
        } else if (changed) {
            sink.log(ports::LogLevel::info, "ingest", "ingest_database_available", "events are stored again");
        }
        for (const auto& job : failed_with_it) job->answer(tl::unexpected{result.error()});
    }

    std::vector<JobPtr> give_up_queue() {
        std::vector<JobPtr> jobs{queue.begin(), queue.end()};
        queue.clear();
        for (const auto& job : jobs) queued_events -= job->events.size();
        return jobs;
    }

    // -------------------------------------------------------------------------------------------------------------- the watch

    void watch_until_quit() {
        std::unique_lock lock{mutex};
        while (!quitting) {
            drop_answered();
            if (watched.empty()) {
                watch_idle = true;
                overdue.wait(lock, [this] { return quitting || !watch_idle; });
                continue;
            }
            const auto first = watched.front();
            if (std::chrono::steady_clock::now() < first->deadline) {
                overdue.wait_until(lock, first->deadline, [this] { return quitting; });
                continue;
            }
            const auto waiting = std::ranges::find(queue, first);
            if (waiting != queue.end()) {  // not written yet: it never will be
                queue.erase(waiting);
                queued_events -= first->events.size();
            }
            lock.unlock();
            first->answer(core::fail(Errc::database_unavailable, "no answer from the database within ingest.commit_timeout_ms"));
            lock.lock();
            if (queued_events == 0) drained.notify_all();
        }
    }

    void stop(std::chrono::milliseconds bound) {
        std::deque<JobPtr> left;
        {
            std::unique_lock lock{mutex};
            refusing = true;
            drained.wait_for(lock, bound, [this] { return queued_events == 0; });
            (void)give_up_queue();
            left.swap(watched);
        }
        for (const auto& job : left) {
            job->answer(core::fail(Errc::stopping, "the host went down before the events were durable"));
            job->answered.wait(false);  // another thread may be in its callback
        }
    }

    void quit() {
        {
            const std::lock_guard lock{mutex};
            quitting = true;
        }
        work.notify_all();
        overdue.notify_all();
        writer.join();
        watch.join();
    }
};

GroupCommit::GroupCommit(ports::EventLog& log, const time::Clock& clock, const config::HostConfig::Ingest& settings,
                         ports::LogSink& sink, RoomSource rooms, Stored stored)
    : impl_{std::make_unique<Impl>(log, clock, settings, sink, std::move(rooms), std::move(stored))} {}

GroupCommit::~GroupCommit() {
    stop(std::chrono::milliseconds{0});
    impl_->quit();
}

void GroupCommit::submit(std::string_view body, ports::BodyFormat format, const ports::IntakeContext& context, Done done) {
    auto reader = impl_->borrow_reader();
    const auto rooms = impl_->rooms ? impl_->rooms() : nullptr;
    auto batch = reader.read(body, format, context, rooms.get());
    impl_->return_reader(std::move(reader));
    if (!batch) return done(tl::unexpected{std::move(batch.error())});
    if (batch->items.size() != batch->events.size()) {
        const std::lock_guard lock{impl_->mutex};
        impl_->counts.refused += batch->items.size() - batch->events.size();
    }
    if (batch->events.empty()) return done(std::move(batch->items));

    struct Answer {
        std::vector<ports::IntakeItem> items;
        std::vector<std::uint32_t> item_of;
        Done done;
    };
    auto answer = std::make_shared<Answer>(Answer{std::move(batch->items), std::move(batch->item_of), std::move(done)});
    const auto job = std::make_shared<Job>();
    job->events = std::move(batch->events);
    job->done = [answer](Result<std::vector<Appended>> appended) {
        if (!appended) return answer->done(tl::unexpected{std::move(appended.error())});
        for (std::size_t i = 0; i < appended->size(); ++i) {
            auto& item = answer->items[answer->item_of[i]];
            item.stored = true;
            item.deduped = (*appended)[i].deduped;
        }
        answer->done(std::move(answer->items));
    };
    if (auto error = impl_->enqueue(job)) answer->done(tl::unexpected{std::move(*error)});
}

Result<std::vector<Appended>> GroupCommit::store(std::vector<core::Event> events) {
    if (events.empty()) return std::vector<Appended>{};
    // Shared with the callback: it may come while this call is already returning.
    const auto promise = std::make_shared<std::promise<Result<std::vector<Appended>>>>();
    auto future = promise->get_future();
    const auto job = std::make_shared<Job>();
    job->events = std::move(events);
    job->done = [promise](Result<std::vector<Appended>> appended) { promise->set_value(std::move(appended)); };
    if (auto error = impl_->enqueue(job)) return tl::unexpected{std::move(*error)};
    return future.get();
}

void GroupCommit::stop(std::chrono::milliseconds bound) { impl_->stop(bound); }

GroupCommit::State GroupCommit::state() const {
    const std::lock_guard lock{impl_->mutex};
    auto state = impl_->counts;
    state.queued_events = impl_->queued_events;
    state.queue_limit = impl_->settings.max_queued_events;
    state.database_ok = impl_->database_ok;
    return state;
}

}  // namespace varde::ingest
