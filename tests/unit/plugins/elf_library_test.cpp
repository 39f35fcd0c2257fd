#include "plugins/elf_library.hpp"
#include "plugins/plugin_file.hpp"

#include <algorithm>
#include <functional>
#include <random>

#include "rule_file.hpp"

using namespace varde;
using core::FailureReason;
using rule_file::Bytes;

namespace {

using Segment = Elf64_Phdr;

/// Changes the first segment that `which` picks.
Bytes with_segment(const std::function<bool(const Segment&)>& which, const std::function<void(Segment&)>& change) {
    Bytes image = rule_file::sound();
    const auto header = rule_file::get<Elf64_Ehdr>(image, 0);
    for (std::size_t i = 0; i < header.e_phnum; ++i) {
        const auto at = header.e_phoff + i * sizeof(Segment);
        auto segment = rule_file::get<Segment>(image, at);
        if (!which(segment)) continue;
        change(segment);
        rule_file::put(image, at, segment);
        return image;
    }
    FAIL("the library has no such segment");
    return image;
}
std::function<bool(const Segment&)> of_type(std::uint32_t type) {
    return [type](const Segment& segment) { return segment.p_type == type; };
}
bool writable(const Segment& segment) { return segment.p_type == PT_LOAD && (segment.p_flags & PF_W) != 0; }

/// Changes the first entry of the dynamic section with that tag.
Bytes with_dynamic(Bytes image, Elf64_Sxword tag, const std::function<void(Elf64_Dyn&)>& change) {
    const auto header = rule_file::get<Elf64_Ehdr>(image, 0);
    for (std::size_t i = 0; i < header.e_phnum; ++i) {
        const auto segment = rule_file::get<Segment>(image, header.e_phoff + i * sizeof(Segment));
        if (segment.p_type != PT_DYNAMIC) continue;
        for (auto at = segment.p_offset;; at += sizeof(Elf64_Dyn)) {
            auto entry = rule_file::get<Elf64_Dyn>(image, at);
            if (entry.d_tag != tag && entry.d_tag != DT_NULL) continue;
            REQUIRE(entry.d_tag == tag);
            change(entry);
            rule_file::put(image, at, entry);
            return image;
        }
    }
    FAIL("the library has no dynamic section");
    return image;
}
Bytes with_tag(Elf64_Sxword tag, std::uint64_t value) {
    return with_dynamic(rule_file::sound(), DT_FLAGS_1, [&](Elf64_Dyn& entry) { entry.d_tag = tag, entry.d_un.d_val = value; });
}
Bytes with_header(const std::function<void(Elf64_Ehdr&)>& change) {
    Bytes image = rule_file::sound();
    auto header = rule_file::get<Elf64_Ehdr>(image, 0);
    change(header);
    rule_file::put(image, 0, header);
    return image;
}

void check_refused(const Bytes& image, FailureReason reason, const std::string& says) {
    CAPTURE(says);
    const auto library = plugins::read_library(image);
    REQUIRE_FALSE(library.has_value());
    INFO(library.error().message);
    CHECK(library.error().reason == reason);
    CHECK(library.error().message.find(says) != std::string::npos);
}

/// Everything that reads an image, on a copy of exactly its size, so that the address sanitizer sees a read past its end.
bool read_all(const Bytes& image) {
    const Bytes copy{image.begin(), image.end()};
    const auto note = plugins::read_note(copy);
    const auto library = plugins::read_library(copy);
    const auto symbols = plugins::exported_symbols(copy);
    const auto frames = plugins::frame_pointers(copy);
    if (note) CHECK(note->rule_id.size() <= 31);
    if (library) CHECK(library->needed.size() <= 64);
    if (symbols) CHECK(symbols->size() <= 10'000);
    if (frames) CHECK(frames->kept <= copy.size());
    return note.has_value() && library.has_value();
}

}  // namespace

TEST_CASE("what a library wants is read without running it") {
    const auto library = plugins::read_library(rule_file::sound());
    REQUIRE(library.has_value());
    CHECK(library->build_id.size() == 40);
    CHECK(library->build_id.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(library->binds_now);
    CHECK(library->relro);
    for (const auto& soname : library->needed) CHECK(soname == "libc.so.6");
}

TEST_CASE("the one symbol of a rule is found, and so are the frame pointers of its functions") {
    const auto symbols = plugins::exported_symbols(rule_file::sound());
    REQUIRE(symbols.has_value());
    REQUIRE(symbols->size() == 1);
    CHECK(symbols->front().name == "varde_rule_v1");
    CHECK_FALSE(symbols->front().weak);
    const auto frames = plugins::frame_pointers(rule_file::sound());
    REQUIRE(frames.has_value());
    CHECK(frames->functions >= 3);
    CHECK(frames->kept >= 3);
}

TEST_CASE("memory that is writable and executable is refused, and so is a stack that is") {
    check_refused(with_segment(writable, [](Segment& segment) { segment.p_flags |= PF_X; }), FailureReason::untrusted_file,
                  "both writable and executable");
    check_refused(rule_file::read(rule_file::linked("executable_stack")), FailureReason::untrusted_file, "-Wl,-z,noexecstack");
    // Without the header the loader makes the stack executable.
    check_refused(with_segment(of_type(PT_GNU_STACK), [](Segment& segment) { segment.p_type = PT_NULL; }),
                  FailureReason::untrusted_file, "-Wl,-z,noexecstack");
}

TEST_CASE("a search path for libraries is refused with the path") {
    check_refused(rule_file::read(rule_file::linked("search_path")), FailureReason::untrusted_file, "'/opt/somewhere'");
    check_refused(with_tag(DT_RPATH, 0), FailureReason::untrusted_file, "RPATH");
}

TEST_CASE("code that must be made writable to be loaded is refused") {
    check_refused(with_tag(DT_TEXTREL, 0), FailureReason::untrusted_file, "-fPIC");
    check_refused(with_tag(DT_FLAGS, DF_TEXTREL), FailureReason::untrusted_file, "-fPIC");
}

TEST_CASE("filters and auditors, which load further libraries, are refused") {
    for (const auto tag : {DT_FILTER, DT_AUXILIARY, DT_AUDIT, DT_DEPAUDIT, DT_CONFIG})
        check_refused(with_tag(tag, 0), FailureReason::untrusted_file, "names a filter");
}

TEST_CASE("a needed library must be known, or allowed by name") {
    const auto image = rule_file::read(rule_file::linked("needs_zlib"));
    check_refused(image, FailureReason::untrusted_file, "'libz.so.1'");
    check_refused(image, FailureReason::untrusted_file, "plugins.libraries");
    const std::vector<std::string> allowed{"libother.so.2", "libz.so.1"};
    const auto library = plugins::read_library(image, allowed);
    REQUIRE(library.has_value());
    CHECK(std::ranges::find(library->needed, "libz.so.1") != library->needed.end());
}

TEST_CASE("a needed library with a path is refused even if that path is allowed, and its name cannot forge a log line") {
    auto image = rule_file::read(rule_file::linked("needs_zlib"));
    const std::string_view wanted{"libz.so.1"};
    const std::string_view all{reinterpret_cast<const char*>(image.data()), image.size()};
    const auto at = all.find(wanted);
    REQUIRE(at != std::string_view::npos);
    image[at + 1] = std::byte{'/'};
    const auto with_path = plugins::read_library(image, std::vector<std::string>{"l/bz.so.1"});
    REQUIRE_FALSE(with_path.has_value());
    image[at + 1] = std::byte{'\n'};
    const auto with_line = plugins::read_library(image);
    REQUIRE_FALSE(with_line.has_value());
    CHECK(with_line.error().message.find("'l?bz.so.1'") != std::string::npos);
}

TEST_CASE("files of another kind or machine are refused by name") {
    check_refused(with_header([](Elf64_Ehdr& header) { header.e_ident[0] = 'M'; }), FailureReason::load_failed,
                  "not an ELF file");
    check_refused(with_header([](Elf64_Ehdr& header) { header.e_ident[EI_CLASS] = ELFCLASS32; }), FailureReason::load_failed,
                  "64-bit");
    check_refused(with_header([](Elf64_Ehdr& header) { header.e_ident[EI_DATA] = ELFDATA2MSB; }), FailureReason::load_failed,
                  "little-endian");
    check_refused(with_header([](Elf64_Ehdr& header) { header.e_machine = EM_RISCV; }), FailureReason::load_failed,
                  "built for RISC-V");
    for (const auto type : {ET_EXEC, ET_REL, ET_CORE})
        check_refused(with_header([&](Elf64_Ehdr& header) { header.e_type = static_cast<Elf64_Half>(type); }),
                      FailureReason::load_failed, "-shared");
    check_refused(with_tag(DT_FLAGS_1, DF_1_PIE), FailureReason::load_failed, "is a program");
}

TEST_CASE("segments that lie, overlap or reach out of the file are refused") {
    using Change = std::function<void(Segment&)>;
    const auto broken = [](const std::string& says, const Change& change) {
        check_refused(with_segment(writable, change), FailureReason::load_failed, says);
    };
    broken("cut off", [](Segment& segment) { segment.p_filesz = ~0ull - 7; });
    broken("cut off", [](Segment& segment) { segment.p_offset = ~0ull - 7; });
    broken("larger in the file", [](Segment& segment) { segment.p_memsz = segment.p_filesz - 1; });
    broken("1024 MiB", [](Segment& segment) { segment.p_memsz = 1ull << 40; });
    broken("1024 MiB", [](Segment& segment) { segment.p_vaddr = ~0ull - 4095 + segment.p_vaddr % 4096; });
    broken("not aligned", [](Segment& segment) { segment.p_vaddr += 8; });
    broken("share a page", [](Segment& segment) { segment.p_vaddr %= 4096; });
}

TEST_CASE("the dynamic section counts where the loader looks for it, not where a header says") {
    check_refused(with_segment(of_type(PT_DYNAMIC), [](Segment& segment) { segment.p_offset -= 16; }), FailureReason::load_failed,
                  "not its place");
    check_refused(with_segment(of_type(PT_DYNAMIC), [](Segment& segment) { segment.p_filesz = 32; }), FailureReason::load_failed,
                  "no end");
    check_refused(with_segment(of_type(PT_DYNAMIC), [](Segment& segment) { segment.p_type = PT_NULL; }),
                  FailureReason::load_failed, "no dynamic section");
    check_refused(with_segment(of_type(PT_GNU_STACK), [](Segment& segment) { segment.p_type = PT_DYNAMIC; }),
                  FailureReason::load_failed, "two of a kind");
    // Of two tables of texts the loader takes the last one.
    check_refused(with_tag(DT_STRTAB, 1ull << 40), FailureReason::load_failed, "texts lie outside");
    check_refused(with_tag(DT_STRSZ, ~0ull), FailureReason::load_failed, "texts lie outside");
    check_refused(with_tag(DT_NEEDED, 1ull << 40), FailureReason::load_failed, "damaged list");
}

TEST_CASE("two notes are two rules, and a note that is cut is none") {
    Bytes image = rule_file::sound();
    const auto header = rule_file::get<Elf64_Ehdr>(image, 0);
    const auto note = rule_file::note_at(image);
    for (std::size_t i = 0; i < header.e_shnum; ++i) {
        const auto at = header.e_shoff + i * sizeof(Elf64_Shdr);
        auto section = rule_file::get<Elf64_Shdr>(image, at);
        if (section.sh_offset != note) continue;
        section.sh_size = 2 * sizeof(varde_note);
        rule_file::put(image, at, section);
        CHECK(plugins::read_note(image).error().message.find("one rule into one library") != std::string::npos);
        section.sh_size = 100;
        rule_file::put(image, at, section);
        CHECK(plugins::read_note(image).error().message.find("damaged .note.varde") != std::string::npos);
    }
}

TEST_CASE("no part of a real library is taken for the whole, and none is read past its end") {
    const auto& whole = rule_file::sound();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(read_all({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}));
    }
    CHECK(read_all(whole));
}

TEST_CASE("no single damaged byte makes a reader leave the file") {
    const auto& whole = rule_file::sound();
    for (std::size_t i = 0; i < whole.size(); ++i) {
        for (const auto value : {std::byte{0x00}, std::byte{0x01}, std::byte{0x7f}, std::byte{0xff}}) {
            auto damaged = whole;
            damaged[i] = value;
            read_all(damaged);
        }
    }
}

TEST_CASE("no handful of damaged words makes a reader leave the file") {
    std::mt19937_64 random{7};
    const auto& whole = rule_file::sound();
    // Numbers at which arithmetic breaks; half of them go into the tables at the beginning, where most of the meaning is.
    const std::uint64_t nasty[] = {0,         1,    7, whole.size() - 1, whole.size(), whole.size() + 1, 0x7fff'ffff'ffff'ffff,
                                   ~0ull - 7, ~0ull};
    for (int round = 0; round < 20'000; ++round) {
        auto damaged = whole;
        for (int word = 0; word < 3; ++word) {
            const auto reach = word % 2 == 0 ? std::size_t{1024} : whole.size();
            rule_file::put(damaged, random() % (reach / 8) * 8,
                           random() % 2 == 0 ? nasty[random() % std::size(nasty)] : random());
        }
        read_all(damaged);
    }
}
