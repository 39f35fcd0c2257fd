#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace varde::evaluate {

/// Writes a JSON object as text, member by member. The caller keeps the order right (EvidenceShape) and gives UTF-8.
class EvidenceText {
  public:
    EvidenceText() : text_{"{"} {}

    void open(std::string_view key, bool list);
    void close(bool list);
    void null(std::string_view key);
    void boolean(std::string_view key, bool value);
    void integer(std::string_view key, std::int64_t value);
    /// Finite. Shortest text that reads back the same, always recognisable as a real: 1.0, not 1.
    void real(std::string_view key, double value);
    void text(std::string_view key, std::string_view value);

    /// Ends the object; then the object is empty again.
    [[nodiscard]] std::string finish();

  private:
    void begin(std::string_view key);
    void quote(std::string_view value);
    std::string text_;
    std::string in_list_;  ///< one character per open level: 'l' or 'o'
};

}  // namespace varde::evaluate
