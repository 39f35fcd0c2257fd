#include "direct_rule.hpp"

#include "report.hpp"
#include "worker/declaration_recorder.hpp"

#include <dlfcn.h>

namespace varde::bench {

DirectRule::DirectRule(const std::string& file, const wire::ParamsTree& params, std::span<const std::byte> batch) {
    view_.attach(batch);
    void* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) give_up(::dlerror());
    entry_ = static_cast<const varde_rule_entry*>(::dlsym(library, "varde_rule_v1"));
    if (entry_ == nullptr) give_up("the plugin has no entry");
    worker::DeclarationRecorder recorder{{}};
    const auto made = recorder.create(*entry_, params, rule_);
    if (const auto* fault = std::get_if<wire::Fault>(&made)) give_up(fault->message);
}

DirectRule::~DirectRule() { entry_->destroy(rule_); }

std::int64_t DirectRule::evaluate(const wire::Item& item, const wire::Binding& binding) {
    std::int64_t sum = 0;
    varde_sink sink{};
    sink.struct_size = sizeof sink;
    sink.ctx = &sum;
    sink.outcome = [](void* ctx, std::int32_t, const char* reason, std::uint32_t length, std::int64_t) -> std::int32_t {
        *static_cast<std::int64_t*>(ctx) += number_of({reason, length});
        return VARDE_OK;
    };
    sink.finding = [](void* ctx, const varde_finding*) -> std::int32_t {
        ++*static_cast<std::int64_t*>(ctx);
        return VARDE_OK;
    };
    sink.field = [](void*, const varde_field*) -> std::int32_t { return VARDE_OK; };
    sink.fail = [](void*, const char*, std::uint32_t) -> std::int32_t { return VARDE_OK; };
    sink.log = [](void*, std::int32_t, const char*, std::uint32_t) {};
    sink.should_stop = [](void*) -> std::uint32_t { return 0; };
    sink.query = [](void*, const char*) -> const void* { return nullptr; };
    if (entry_->evaluate(rule_, view_.show(item, binding), &sink) != VARDE_OK) give_up("the rule failed");
    return sum;
}

}  // namespace varde::bench
