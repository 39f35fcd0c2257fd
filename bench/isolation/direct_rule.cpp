#include "direct_rule.hpp"

#include "worker/declaration_recorder.hpp"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace varde::bench {
namespace {

[[noreturn]] void give_up(const char* what) {
    std::fprintf(stderr, "bench_isolation: %s\n", what);
    std::exit(1);
}

}  // namespace

DirectRule::DirectRule(const std::string& file, const wire::ParamsTree& params, std::span<const std::byte> batch) {
    view_.attach(batch);
    void* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) give_up(::dlerror());
    entry_ = static_cast<const varde_rule_entry*>(::dlsym(library, "varde_rule_v1"));
    if (entry_ == nullptr) give_up("the plugin has no entry");
    worker::DeclarationRecorder recorder{{}};
    auto made = recorder.create(*entry_, params, rule_);
    if (const auto* fault = std::get_if<wire::Fault>(&made)) give_up(fault->message.c_str());
    declarations_ = std::get<wire::Declarations>(std::move(made));
}

DirectRule::~DirectRule() { entry_->destroy(rule_); }

int DirectRule::evaluate(const wire::Item& item, const wire::Binding& binding) {
    int findings = 0;
    varde_sink sink{};
    sink.struct_size = sizeof sink;
    sink.ctx = &findings;
    sink.outcome = [](void*, std::int32_t, const char*, std::uint32_t, std::int64_t) -> std::int32_t { return VARDE_OK; };
    sink.finding = [](void* ctx, const varde_finding*) -> std::int32_t {
        ++*static_cast<int*>(ctx);
        return VARDE_OK;
    };
    sink.field = [](void*, const varde_field*) -> std::int32_t { return VARDE_OK; };
    sink.fail = [](void*, const char*, std::uint32_t) -> std::int32_t { return VARDE_OK; };
    sink.log = [](void*, std::int32_t, const char*, std::uint32_t) {};
    sink.should_stop = [](void*) -> std::uint32_t { return 0; };
    sink.query = [](void*, const char*) -> const void* { return nullptr; };
    if (entry_->evaluate(rule_, view_.show(item, binding), &sink) != VARDE_OK) give_up("the rule failed");
    return findings;
}

}  // namespace varde::bench
