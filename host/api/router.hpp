#pragma once
#include "api/authentication.hpp"
#include "api/message.hpp"
#include "ports/token_repository.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace varde::api {

using RouteAction = std::function<void(const Request&, const Identity&, Reply)>;

struct Route {
    Method method = Method::get;
    /// A literal: "/deviations"; with one "/{id}" for a number: "/runs/{id}/cancel"; or with one "/{name}" for a text. A literal that such
    /// a pattern fits too is added before it.
    std::string_view pattern;
    /// The least role; nullopt: open to everybody.
    std::optional<ports::Role> role;
    RouteAction action;
};

/// Finds the route of a request among a dozen. Paths come without "/v1".
class Router {
  public:
    void add(Route route) { routes_.push_back(std::move(route)); }

    struct Match {
        const Route* route = nullptr;
        std::string allow;  ///< the path's methods, "GET, PATCH", if there is no route but the path exists; else empty
    };
    /// Sets request.id or request.name.
    [[nodiscard]] Match match(Request& request) const;

  private:
    std::vector<Route> routes_;
};

}  // namespace varde::api
