#include "api/inflate.hpp"

#include <algorithm>
#include <limits>
#include <memory>

#include <fmt/format.h>
#include <zlib.h>

namespace varde::api {

using core::Errc;

core::Result<std::string> gunzip(std::string_view body, std::uint64_t limit) {
    constexpr int kGzipOnly = MAX_WBITS + 16;
    const auto broken = [] { return core::fail(Errc::invalid_argument, "the body is not complete gzip data"); };
    if (body.size() > std::numeric_limits<unsigned>::max()) return broken();
    z_stream stream{};
    if (inflateInit2(&stream, kGzipOnly) != Z_OK) return core::fail(Errc::overloaded, "no memory to unpack the body");
    const std::unique_ptr<z_stream, int (*)(z_stream*)> owner{&stream, &inflateEnd};
    // zlib does not write to its input; its interface only lacks the const.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
    stream.avail_in = static_cast<unsigned>(body.size());
    std::string text;
    for (;;) {
        if (text.size() > limit)
            return core::fail(Errc::too_large, fmt::format("the unpacked body has more than {} bytes", limit));
        const auto before = text.size();
        const auto room = std::min<std::uint64_t>(std::max<std::uint64_t>(before, 1u << 16), limit + 1 - before);
        text.resize(before + room);
        stream.next_out = reinterpret_cast<Bytef*>(text.data() + before);
        stream.avail_out = static_cast<unsigned>(room);
        const int outcome = inflate(&stream, Z_NO_FLUSH);
        text.resize(text.size() - stream.avail_out);
        if (outcome == Z_STREAM_END && stream.avail_in == 0 && text.size() <= limit) return text;
        if (outcome == Z_STREAM_END && stream.avail_in > 0) {  // gzip members may follow each other
            if (inflateReset(&stream) != Z_OK) return broken();
            continue;
        }
        if (outcome == Z_STREAM_END) continue;  // over the limit
        if (outcome != Z_OK || (stream.avail_in == 0 && stream.avail_out > 0)) return broken();
    }
}

}  // namespace varde::api
