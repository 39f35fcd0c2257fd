/// The C++ layer over varde/rule.h, header-only, C++20. A rule is a class:
///
///     class NoMotion {
///       public:
///         explicit NoMotion(varde::Setup& setup);                                      // read parameters, declare reads
///         void evaluate(const varde::Window& window, varde::Findings& out) const;      // judge one window
///     };
///     VARDE_RULE(NoMotion, "R-001", "1.0.0")
///
/// It may have `void selftest() const`, which throws if the rule is not fit for use: called when a running host meets a new file.
/// Both may throw: what is thrown is caught at the edge and becomes an error of this rule alone. A constructor refuses a parameter
/// with varde::ParamError, most easily through Value::refuse(). Everything runs on one thread.
#pragma once
#include <cxxabi.h>

#include <varde/rule.h>

#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <vector>

#include <varde/findings.hpp>
#include <varde/params.hpp>
#include <varde/window.hpp>

namespace varde {

/// An edge of a read: `at_until - hours(24)`.
struct Edge {
    uint32_t anchor;
    microseconds offset;
    friend Edge operator+(Edge edge, microseconds span) { return {edge.anchor, edge.offset + span}; }
    friend Edge operator-(Edge edge, microseconds span) { return {edge.anchor, edge.offset - span}; }
};
inline constexpr Edge at_since{VARDE_AT_SINCE, microseconds(0)};
inline constexpr Edge at_until{VARDE_AT_UNTIL, microseconds(0)};

enum class Day : uint32_t {
    of_until = VARDE_DAY_OF_UNTIL,      ///< the span that starts on the local date of `until`
    containing = VARDE_DAY_CONTAINING,  ///< the span that contains `until`, else the last one that ended before it
};

/// Given to a rule's constructor: its parameters, and where it declares what it wants to see. Only what is declared is seen.
class Setup {
  public:
    Setup(const varde_host& host, const varde_params& params) : host_(&host), params_(params) {}
    Setup(const Setup&) = delete;
    Setup& operator=(const Setup&) = delete;

    /// Root of the parameters. See Value::nested().
    [[nodiscard]] Value params() const { return params_; }

    [[nodiscard]] Key key(std::string_view name) {
        return {accepted("payload key", name, host_->declare_key(host_->ctx, name.data(), size(name)))};
    }
    [[nodiscard]] Keys keys(const std::vector<std::string>& names) {
        Keys out;
        for (const auto& name : names) out.push_back(key(name));
        return out;
    }
    [[nodiscard]] Literal literal(std::string_view text) {
        return {accepted("literal", text, host_->declare_literal(host_->ctx, text.data(), size(text)))};
    }
    [[nodiscard]] Literals literals(const std::vector<std::string>& texts) {
        Literals out;
        for (const auto& text : texts) out.push_back(literal(text));
        return out;
    }
    /// For `str(value) == text`.
    [[nodiscard]] Word word(std::string text) {
        const Literal declared = literal(text);
        return {std::move(text), declared, false};
    }
    /// For `str(value).lower() == text`; `text` is in lower case.
    [[nodiscard]] Word word_any_case(std::string text) {
        const Literal declared = literal(text);
        return {std::move(text), declared, true};
    }
    [[nodiscard]] std::vector<Word> words(const std::vector<std::string>& texts) {
        std::vector<Word> out;
        out.reserve(texts.size());
        for (const auto& text : texts) out.push_back(word(text));
        return out;
    }

    /// An IANA zone; an unknown one is refused, as a fault of the parameter `path` names.
    [[nodiscard]] Zone zone(std::string_view name, std::string path) {
        const int32_t handle = host_->declare_zone(host_->ctx, name.data(), size(name), VARDE_ZONE_REQUIRED);
        if (handle == VARDE_E_PARAM)
            throw ParamError(std::move(path), quote(name) + " is not a time zone such as \"Europe/Oslo\"");
        return {accepted("time zone", name, handle)};
    }
    /// An IANA zone; an unknown one counts as UTC.
    [[nodiscard]] Zone zone_or_utc(std::string_view name) {
        return {accepted("time zone", name, host_->declare_zone(host_->ctx, name.data(), size(name), 0))};
    }

    /// Events with begin <= time < end. No categories: every category.
    [[nodiscard]] Read range(Edge begin, Edge end, Literals categories = {}) {
        varde_read read = blank(VARDE_READ_RANGE);
        read.begin_anchor = begin.anchor;
        read.begin_offset_us = begin.offset.count();
        read.end_anchor = end.anchor;
        read.end_offset_us = end.offset.count();
        return declare(read, std::move(categories));
    }
    /// Events of [since, until).
    [[nodiscard]] Read window(Literals categories = {}) { return range(at_since, at_until, std::move(categories)); }
    /// Events of a span of local clock time such as 22:00 .. 07:00; an end that is not after begin is on the next local date.
    [[nodiscard]] Read local_day(Zone zone, microseconds begin, microseconds end, Day day, Literals categories = {}) {
        varde_read read = blank(VARDE_READ_LOCAL_DAY);
        read.zone = static_cast<int32_t>(zone.handle);
        read.local_pick = static_cast<uint32_t>(day);
        read.local_begin_us = begin.count();
        read.local_end_us = end.count();
        return declare(read, std::move(categories));
    }
    /// The newest event at any age, also one in the future.
    [[nodiscard]] Read latest(Literals categories, std::optional<Literal> stream = {}) {
        return declare(from_stream(blank(VARDE_READ_LATEST), stream), std::move(categories));
    }
    /// The newest event before `end`, at any age.
    [[nodiscard]] Read latest_before(Edge end, Literals categories, std::optional<Literal> stream = {}) {
        varde_read read = from_stream(blank(VARDE_READ_LATEST_BEFORE), stream);
        read.end_anchor = end.anchor;
        read.end_offset_us = end.offset.count();
        return declare(read, std::move(categories));
    }

    void want_event_id() { accepted("column", "event_id", host_->declare_wants(host_->ctx, VARDE_WANT_EVENT_ID)); }
    void want_payload() { accepted("column", "payload", host_->declare_wants(host_->ctx, VARDE_WANT_PAYLOAD)); }

    void log(int32_t level, std::string_view text) { host_->log(host_->ctx, level, text.data(), size(text)); }

  private:
    static uint32_t size(std::string_view text) { return static_cast<uint32_t>(text.size()); }
    static varde_read blank(uint32_t kind) {
        varde_read read{};
        read.struct_size = sizeof read;
        read.kind = kind;
        read.stream = -1;
        return read;
    }
    static varde_read from_stream(varde_read read, std::optional<Literal> stream) {
        if (stream) read.stream = static_cast<int32_t>(stream->handle);
        return read;
    }
    Read declare(varde_read read, Literals categories) {
        std::vector<uint32_t> handles;
        for (const Literal literal : categories) handles.push_back(literal.handle);
        read.categories = handles.data();
        read.n_categories = static_cast<uint32_t>(handles.size());
        return {accepted("read", "", host_->declare_read(host_->ctx, &read)), std::move(categories)};
    }
    static uint32_t accepted(std::string_view what, std::string_view name, int32_t handle) {
        if (handle >= 0) return static_cast<uint32_t>(handle);
        throw ParamError("", "the host refused " + std::string(what) + " '" + std::string(name) + "'" +
                                 (handle == VARDE_E_LIMIT ? ": too many are declared" : " (" + std::to_string(handle) + ")"));
    }

    const varde_host* host_;
    Value params_;
};

template <class T>
concept Rule = std::constructible_from<T, Setup&> && requires(const T& rule, const Window& window, Findings& out) {
    rule.evaluate(window, out);
};

template <class T>
concept ChecksItself = requires(const T& rule) {
    rule.selftest();
};

namespace detail {

/// "std::runtime_error: what" of the exception being handled.
inline std::string exception_text() {
    std::string text = "an exception that is no std::exception";
    if (const std::type_info* type = abi::__cxa_current_exception_type()) {
        int status = 0;
        const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(type->name(), nullptr, nullptr, &status),
                                                          std::free);
        text = status == 0 && name ? name.get() : type->name();
    }
    try {
        throw;
    } catch (const std::exception& error) {
        text += ": ";
        text += error.what();
    } catch (...) {  // the type is all there is to say
    }
    return text;
}

/// The three functions of a rule. Nothing thrown by T gets out of them.
template <Rule T>
struct Boundary {
    static int32_t create(const varde_host* host, const varde_params* params, varde_rule** out) noexcept try {
        Setup setup(*host, *params);
        *out = reinterpret_cast<varde_rule*>(new T(setup));
        return VARDE_OK;
    } catch (const ParamError& error) {
        const std::string_view text = error.what();
        host->fail(host->ctx, error.path().data(), static_cast<uint32_t>(error.path().size()), text.data(),
                   static_cast<uint32_t>(text.size()));
        return VARDE_E_PARAM;
    } catch (...) {
        const std::string text = exception_text();
        host->fail(host->ctx, "", 0, text.data(), static_cast<uint32_t>(text.size()));
        return VARDE_E_RULE;
    }

    static int32_t evaluate(varde_rule* rule, const varde_window* window, const varde_sink* sink) noexcept try {
        Findings out(*sink);
        std::as_const(*reinterpret_cast<T*>(rule)).evaluate(Window(*window), out);
        out.close();
        return VARDE_OK;
    } catch (...) {
        const std::string text = exception_text();
        sink->fail(sink->ctx, text.data(), static_cast<uint32_t>(text.size()));
        return VARDE_E_RULE;
    }

    static void destroy(varde_rule* rule) noexcept { delete reinterpret_cast<T*>(rule); }

    static int32_t selftest(varde_rule* rule, void* ctx, int32_t (*fail)(void*, const char*, uint32_t)) noexcept try {
        if constexpr (ChecksItself<T>) std::as_const(*reinterpret_cast<T*>(rule)).selftest();
        return VARDE_OK;
    } catch (...) {
        const std::string text = exception_text();
        fail(ctx, text.data(), static_cast<uint32_t>(text.size()));
        return VARDE_E_RULE;
    }

    static const void* query(varde_rule*, const char* id) noexcept {
        static constexpr varde_selftest_1 test{sizeof(varde_selftest_1), 0, &Boundary::selftest, {}};
        return std::string_view(id) == VARDE_SELFTEST_1 ? &test : nullptr;
    }
};

template <Rule T>
constexpr varde_rule_entry make_entry(const char* id, const char* version, const char* sdk) {
    varde_rule_entry entry{};
    entry.magic = VARDE_MAGIC;
    entry.struct_size = sizeof entry;
    entry.abi_major = VARDE_ABI_MAJOR;
    entry.abi_minor_needed = VARDE_ABI_MINOR;
    entry.rule_id = id;
    entry.version = version;
    entry.sdk = sdk;
    entry.create = &Boundary<T>::create;
    entry.evaluate = &Boundary<T>::evaluate;
    entry.destroy = &Boundary<T>::destroy;
    if constexpr (ChecksItself<T>) entry.query = &Boundary<T>::query;
    return entry;
}

}  // namespace detail
}  // namespace varde

#define VARDE_SDK "varde-c++ 1.0"

/// Makes the library a rule: exports its entry and writes its note. Once, at file scope.
#define VARDE_RULE(Type, id, version)        \
    VARDE_RULE_NOTE(id, version, VARDE_SDK); \
    constinit const varde_rule_entry varde_rule_v1 = varde::detail::make_entry<Type>(id, version, VARDE_SDK);
