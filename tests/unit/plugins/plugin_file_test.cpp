#include "plugins/plugin_file.hpp"
#include "plugins/directory_catalogue.hpp"

#include <doctest/doctest.h>

#include <varde/rule.h>

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;
using namespace varde;
using core::FailureReason;

namespace {

template <class T>
void put(std::vector<std::byte>& image, std::size_t offset, const T& value) {
    if (image.size() < offset + sizeof(T)) image.resize(offset + sizeof(T));
    std::memcpy(image.data() + offset, &value, sizeof(T));
}

varde_note note_of(const char* rule_id) {
    varde_note note{};
    note.name_size = 8;
    note.desc_size = sizeof(varde_note) - 20;
    note.type = VARDE_NOTE_TYPE;
    std::strcpy(note.name, "varde");
    note.abi_major = VARDE_ABI_MAJOR;
    note.abi_minor_needed = VARDE_ABI_MINOR;
    std::strncpy(note.rule_id, rule_id, sizeof note.rule_id - 1);
    std::strcpy(note.version, "1.0.0");
    std::strcpy(note.sdk, "test");
    return note;
}

/// The smallest file that passes: header, note, section names, three section headers.
std::vector<std::byte> library(const varde_note& note) {
    constexpr std::string_view names{"\0.shstrtab\0.note.varde\0", 23};
    const std::size_t note_at = sizeof(Elf64_Ehdr);
    const std::size_t names_at = note_at + sizeof(varde_note);
    const std::size_t sections_at = names_at + 32;
    std::vector<std::byte> image;
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_DYN;
    header.e_machine = EM_X86_64;
    header.e_shoff = sections_at;
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = 3;
    header.e_shstrndx = 1;
    put(image, 0, header);
    put(image, note_at, note);
    image.resize(sections_at);
    std::memcpy(image.data() + names_at, names.data(), names.size());
    Elf64_Shdr strings{};
    strings.sh_name = 1;
    strings.sh_offset = names_at;
    strings.sh_size = names.size();
    Elf64_Shdr notes{};
    notes.sh_name = 11;
    notes.sh_offset = note_at;
    notes.sh_size = sizeof(varde_note);
    put(image, sections_at + sizeof(Elf64_Shdr), strings);
    put(image, sections_at + 2 * sizeof(Elf64_Shdr), notes);
    return image;
}

/// A folder of the test's own.
struct Folder {
    fs::path path;
    Folder() {
        auto pattern = (fs::temp_directory_path() / "varde-plugins-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    ~Folder() { fs::remove_all(path); }
    fs::path write(const std::string& name, const std::vector<std::byte>& bytes) const {
        auto file = path / name;
        std::ofstream{file, std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()),
                                                    static_cast<std::streamsize>(bytes.size()));
        ::chmod(file.c_str(), 0644);
        return file;
    }
};

}  // namespace

TEST_CASE("what a note says is read without running the file") {
    const auto plugin = plugins::read_note(library(note_of("R-777")));
    REQUIRE(plugin.has_value());
    CHECK(plugin->rule_id == "R-777");
    CHECK(plugin->version == "1.0.0");
    CHECK(plugin->abi_major == VARDE_ABI_MAJOR);
}

TEST_CASE("no prefix of a good file is read past its end, and none is accepted") {
    const auto whole = library(note_of("R-777"));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        // A copy of exactly that size, so that the address sanitizer sees a read past it.
        const std::vector<std::byte> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        CAPTURE(size);
        CHECK_FALSE(plugins::read_note(part).has_value());
    }
}

TEST_CASE("no single damaged byte makes the reader leave the file") {
    const auto whole = library(note_of("R-777"));
    for (std::size_t i = 0; i < whole.size(); ++i) {
        for (const auto value : {std::byte{0x00}, std::byte{0x7f}, std::byte{0xff}}) {
            auto damaged = whole;
            damaged[i] = value;
            const auto plugin = plugins::read_note(damaged);
            if (plugin) CHECK(plugin->rule_id.size() <= 31);
        }
    }
}

TEST_CASE("a plugin from the future is refused with both versions and what to do") {
    auto note = note_of("R-777");
    note.abi_minor_needed = VARDE_ABI_MINOR + 1;
    const auto plugin = plugins::read_note(library(note));
    REQUIRE_FALSE(plugin.has_value());
    CHECK(plugin.error().reason == FailureReason::abi_mismatch);
    CHECK(plugin.error().rule_id == "R-777");
    CHECK(plugin.error().message.find("1.1") != std::string::npos);
    CHECK(plugin.error().message.find("upgrade the host") != std::string::npos);
}

TEST_CASE("the copy is sealed and hashed") {
    const Folder folder;
    const auto plugin = plugins::inspect(folder.write("a.so", library(note_of("R-777"))));
    REQUIRE(plugin.has_value());
    CHECK(plugin->sha256.size() == 64);
    CHECK(::fcntl(plugin->bytes->fd(), F_GET_SEALS) == (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL));
    CHECK(::write(plugin->bytes->fd(), "x", 1) == -1);
}

TEST_CASE("files that others could have written, links, fifos and folders are not trusted") {
    const Folder folder;
    const auto file = folder.write("open.so", library(note_of("R-1")));
    ::chmod(file.c_str(), 0666);
    fs::create_symlink(file, folder.path / "link.so");
    REQUIRE(::mkfifo((folder.path / "fifo.so").c_str(), 0600) == 0);
    fs::create_directory(folder.path / "folder.so");
    for (const auto* name : {"open.so", "link.so", "fifo.so", "folder.so"}) {
        CAPTURE(name);
        const auto plugin = plugins::inspect(folder.path / name);
        REQUIRE_FALSE(plugin.has_value());
        CHECK(plugin.error().reason == FailureReason::untrusted_file);
        CHECK(plugin.error().path == (folder.path / name).string());
    }
}

TEST_CASE("a scan lists usable plugins by id and says why the others are not") {
    const Folder folder;
    folder.write("b.so", library(note_of("R-2")));
    folder.write("a.so", library(note_of("R-1")));
    folder.write("text.so", std::vector<std::byte>(100, std::byte{'x'}));
    folder.write("notes.txt", {});
    plugins::DirectoryCatalogue catalogue{folder.path};
    const auto found = catalogue.scan();
    REQUIRE(found.has_value());
    REQUIRE(found->plugins.size() == 2);
    CHECK(found->plugins[0].rule_id == "R-1");
    REQUIRE(found->rejected.size() == 1);
    CHECK(found->rejected[0].reason == FailureReason::load_failed);
}

TEST_CASE("unchanged files keep their sealed bytes, replaced ones get new ones") {
    const Folder folder;
    folder.write("a.so", library(note_of("R-1")));
    plugins::DirectoryCatalogue catalogue{folder.path};
    const auto first = catalogue.scan()->plugins.at(0).bytes;
    CHECK(catalogue.scan()->plugins.at(0).bytes == first);
    fs::rename(folder.write("a.tmp", library(note_of("R-1"))), folder.path / "a.so");
    CHECK(catalogue.scan()->plugins.at(0).bytes != first);
}

TEST_CASE("two files with one rule id are both refused, each naming the other") {
    const Folder folder;
    folder.write("a.so", library(note_of("R-1")));
    folder.write("b.so", library(note_of("R-1")));
    plugins::DirectoryCatalogue catalogue{folder.path};
    const auto found = catalogue.scan();
    REQUIRE(found.has_value());
    CHECK(found->plugins.empty());
    REQUIRE(found->rejected.size() == 2);
    CHECK(found->rejected[0].message.find("a.so and ") != std::string::npos);
}

TEST_CASE("a folder that is not there is an error that names it") {
    plugins::DirectoryCatalogue catalogue{"/nonexistent/plugins"};
    const auto found = catalogue.scan();
    REQUIRE_FALSE(found.has_value());
    CHECK(found.error().context.find("/nonexistent/plugins") != std::string::npos);
}
