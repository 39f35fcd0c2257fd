#include "api/authentication.hpp"
#include "app/composition.hpp"
#include "app/json_output.hpp"
#include "app/modules.hpp"
#include "time/utc_text.hpp"

#include <fmt/format.h>

namespace varde::app {
namespace {

std::string or_all(const std::string& part) { return part.empty() ? "*" : part; }

/// Without its hash. An empty part of the scope means all of them.
nlohmann::ordered_json json_of(const ports::Token& token) {
    nlohmann::ordered_json out{{"id", token.id},
                               {"name", token.name},
                               {"role", ports::name_of(token.role)},
                               {"org_id", token.scope.org_id},
                               {"home_id", token.scope.home_id},
                               {"subject_id", token.scope.subject_id},
                               {"created_at", time::format_utc(token.created_at)},
                               {"revoked_at", nullptr}};
    if (token.revoked_at) out["revoked_at"] = time::format_utc(*token.revoked_at);
    return out;
}

}  // namespace

int token_create(const Globals& globals, const TokenOptions& options) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    auto storage = Storage::open(*settings, Storage::Schema::migrate);
    if (!storage) return report(storage.error());
    const auto secret = "varde_" + random_hex(32);
    ports::Token token;
    token.name = options.name;
    token.sha256 = api::token_hash(secret);
    token.role = ports::role_from(options.role).value_or(ports::Role::viewer);
    token.scope = {options.org, options.home, options.subject};
    token.created_at = time::SystemClock{}.now();
    const auto id = storage->tokens().insert(token);
    if (!id) return report(id.error());
    if (globals.json) {
        print_json({{"id", *id}, {"role", options.role}, {"token", secret}});
    } else {
        fmt::print("token {} ({}): {}\nKeep it now: only its hash is stored.\n", *id, options.role, secret);
    }
    return kOk;
}

int token_list(const Globals& globals) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    auto storage = Storage::open(*settings, Storage::Schema::must_be_current);
    if (!storage) return report(storage.error());
    const auto tokens = storage->tokens().list();
    if (!tokens) return report(tokens.error());
    for (const auto& token : *tokens) {
        if (globals.json) {
            print_json(json_of(token));
            continue;
        }
        fmt::print("{:>4}  {:<8} {}/{}/{}  {}  {}{}\n", token.id, ports::name_of(token.role), or_all(token.scope.org_id),
                   or_all(token.scope.home_id), or_all(token.scope.subject_id), time::format_utc(token.created_at), token.name,
                   token.revoked_at ? "  revoked " + time::format_utc(*token.revoked_at) : "");
    }
    return kOk;
}

int token_revoke(const Globals& globals, const TokenOptions& options) {
    auto settings = load_settings(globals);
    if (!settings) return report(settings.error());
    auto storage = Storage::open(*settings, Storage::Schema::must_be_current);
    if (!storage) return report(storage.error());
    if (auto revoked = storage->tokens().revoke(options.id, time::SystemClock{}.now()); !revoked) return report(revoked.error());
    fmt::print("token {} revoked; a running host forgets it within 5 s\n", options.id);
    return kOk;
}

}  // namespace varde::app
