#include "worker/replay.hpp"

#include "wire/control_layout.hpp"
#include "wire/replay_bundle.hpp"
#include "wire/window_image.hpp"
#include "worker/answer_recorder.hpp"
#include "worker/declaration_recorder.hpp"
#include "worker/window_view.hpp"

#include <boost/dll/shared_library.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace varde::worker {
namespace {

std::optional<wire::ReplayBundle> read_bundle(const char* file) {
    std::ifstream in{file, std::ios::binary};
    const std::vector<char> bytes{std::istreambuf_iterator<char>{in}, {}};
    return wire::decode_bundle(std::as_bytes(std::span{bytes}));
}

int refuse(const std::string& what) {
    std::fprintf(stderr, "varde-worker: %s\n", what.c_str());
    return 66;
}

void print_answer(std::span<const std::byte> answer) {
    wire::ByteReader in{answer};
    while (in.ok() && !in.at_end()) {
        switch (in.take<wire::RecordKind>()) {
            case wire::RecordKind::outcome: {
                const auto outcome = in.take<std::int32_t>();
                in.take<std::int64_t>();
                std::printf("outcome %d %s\n", outcome, std::string{in.take_text()}.c_str());
                break;
            }
            case wire::RecordKind::finding: {
                const auto severity = in.take<std::int32_t>();
                for (int i = 0; i < 3; ++i) in.take<std::int64_t>();
                std::printf("finding, severity %d: %s\n", severity, std::string{in.take_text()}.c_str());
                in.take_text();
                break;
            }
            case wire::RecordKind::fault: {
                wire::Fault fault;
                wire::take(in, fault);
                std::printf("failed: %s\n", fault.message.c_str());
                break;
            }
            case wire::RecordKind::field:
                in.take<std::uint32_t>();
                in.take_text();
                in.take_text();
                in.take<std::int64_t>();
                break;
            case wire::RecordKind::end: in.take<std::uint64_t>(); break;
            default: return;
        }
    }
}

}  // namespace

int replay(const char* bundle_file, const char* plugin_file) {
    auto bundle = read_bundle(bundle_file);
    if (!bundle) return refuse(std::string{bundle_file} + " is not a replay bundle of this version");
    try {
        namespace dll = boost::dll;
        static const dll::shared_library library{plugin_file, dll::load_mode::rtld_now | dll::load_mode::rtld_local};
        const auto& entry = library.get<const varde_rule_entry>("varde_rule_v1");
        varde_rule* rule = nullptr;
        DeclarationRecorder declarations{bundle->unknown_zones};
        const auto made = declarations.create(entry, bundle->params, rule);
        if (const auto* fault = std::get_if<wire::Fault>(&made)) return refuse("create: " + fault->message);
        const std::size_t size =
            (bundle->image.size() + wire::image_alignment - 1) / wire::image_alignment * wire::image_alignment;
        auto* image = static_cast<std::byte*>(std::aligned_alloc(4096, (size + 4095) / 4096 * 4096));
        std::memcpy(image, bundle->image.data(), bundle->image.size());
        WindowView view;
        view.attach({image, size});
        const varde_window* window = view.show(bundle->item, bundle->binding);
        if (window == nullptr) return refuse("the window of the bundle is damaged");
        std::vector<std::byte> answer(wire::response_bytes);
        wire::ByteWriter out{answer};
        AnswerRecorder recorder{out};
        recorder.evaluate(entry, rule, *window, bundle->timeout_ms * 1'000'000, {bundle->state, true});
        print_answer({answer.data(), out.size()});
        return 0;
    } catch (const std::exception& error) {
        return refuse(error.what());
    }
}

}  // namespace varde::worker
