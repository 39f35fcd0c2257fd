#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace varde::wire {

/// Appends values to a buffer of the caller. Once something did not fit nothing more is written and ok() is false. One thread.
class ByteWriter {
  public:
    explicit ByteWriter(std::span<std::byte> area) : area_{area} {}

    template <class T>
    void put(const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        put_bytes(&value, sizeof value);
    }
    /// u32 length, then the bytes.
    void put_text(std::string_view text) {
        put(static_cast<std::uint32_t>(text.size()));
        put_bytes(text.data(), text.size());
    }
    /// u32 count, then the elements.
    template <class T>
    void put_array(std::span<const T> values) {
        static_assert(std::is_trivially_copyable_v<T>);
        put(static_cast<std::uint32_t>(values.size()));
        put_bytes(values.data(), values.size_bytes());
    }
    void put_bytes(const void* bytes, std::size_t count) {
        if (!ok_ || count > area_.size() - size_) {
            ok_ = false;
            return;
        }
        if (count > 0) std::memcpy(area_.data() + size_, bytes, count);
        size_ += count;
    }

    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::size_t room() const { return area_.size() - size_; }
    /// Forgets what was written after `size`, also a failure.
    void rewind(std::size_t size) {
        size_ = size;
        ok_ = true;
    }

  private:
    std::span<std::byte> area_;
    std::size_t size_ = 0;
    bool ok_ = true;
};

/// Takes values from a buffer that nobody else writes to. After the first value that is not there ok() is false and every further
/// value is zero or empty: a decoder can read a whole message and look once.
class ByteReader {
  public:
    explicit ByteReader(std::span<const std::byte> area) : area_{area} {}

    template <class T>
    T take() {
        static_assert(std::is_trivially_copyable_v<T>);
        T value{};
        if (const std::byte* from = claim(sizeof(T))) std::memcpy(&value, from, sizeof(T));
        return value;
    }
    /// Borrows from the buffer.
    std::string_view take_text() {
        const auto length = take<std::uint32_t>();
        const std::byte* from = claim(length);
        return from == nullptr ? std::string_view{} : std::string_view{reinterpret_cast<const char*>(from), length};
    }
    /// At most `limit` elements, else the message is bad.
    template <class T>
    void take_array(std::vector<T>& out, std::size_t limit) {
        static_assert(std::is_trivially_copyable_v<T>);
        const auto count = take<std::uint32_t>();
        if (count > limit || count > (area_.size() - at_) / sizeof(T)) ok_ = false;
        if (!ok_) {
            out.clear();
            return;
        }
        out.resize(count);
        if (count > 0) std::memcpy(out.data(), claim(count * sizeof(T)), count * sizeof(T));
    }
    /// A count of things that follow; more than `limit` makes the message bad.
    std::uint32_t take_count(std::size_t limit) {
        const auto count = take<std::uint32_t>();
        if (count > limit) ok_ = false;
        return ok_ ? count : 0;
    }

    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] bool at_end() const { return at_ == area_.size(); }
    void refuse() { ok_ = false; }

  private:
    const std::byte* claim(std::size_t count) {
        if (!ok_ || count > area_.size() - at_) {
            ok_ = false;
            return nullptr;
        }
        const std::byte* from = area_.data() + at_;
        at_ += count;
        return from;
    }

    std::span<const std::byte> area_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

}  // namespace varde::wire
