#include "app/json_output.hpp"

#include <fmt/format.h>

namespace varde::app {

std::string json_line(const nlohmann::ordered_json& value) {
    return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void print_json(const nlohmann::ordered_json& value) { fmt::print("{}\n", json_line(value)); }

}  // namespace varde::app
