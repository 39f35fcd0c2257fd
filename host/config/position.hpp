#pragma once

namespace varde::config {

/// A place in a file. 1-based, as editors count; columns in characters.
struct Position {
    int line = 1;
    int column = 1;
};

}  // namespace varde::config
