#pragma once
#include <doctest/doctest.h>

#include <varde/job.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <elf.h>
#include <sys/stat.h>

/// Real rule libraries, whole and damaged, and folders to put them in.
namespace rule_file {

namespace fs = std::filesystem;
using Bytes = std::vector<std::byte>;

inline fs::path linked(const std::string& name) { return fs::path{VARDE_RULES} / (name + ".so"); }

inline Bytes read(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    REQUIRE_MESSAGE(!text.empty(), file.string());
    Bytes bytes(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    return bytes;
}

inline const Bytes& sound() {
    static const Bytes bytes = read(linked("sound"));
    return bytes;
}

template <class T>
T get(const Bytes& image, std::size_t offset) {
    T value;
    REQUIRE(offset + sizeof value <= image.size());
    std::memcpy(&value, image.data() + offset, sizeof value);
    return value;
}
template <class T>
void put(Bytes& image, std::size_t offset, const T& value) {
    REQUIRE(offset + sizeof value <= image.size());
    std::memcpy(image.data() + offset, &value, sizeof value);
}

/// Where the note of the rule stands.
inline std::size_t note_at(const Bytes& image) {
    const auto header = get<Elf64_Ehdr>(image, 0);
    const auto names = get<Elf64_Shdr>(image, header.e_shoff + header.e_shstrndx * sizeof(Elf64_Shdr));
    for (std::size_t i = 0; i < header.e_shnum; ++i) {
        const auto section = get<Elf64_Shdr>(image, header.e_shoff + i * sizeof(Elf64_Shdr));
        const auto* name = reinterpret_cast<const char*>(image.data()) + names.sh_offset + section.sh_name;
        if (std::strcmp(name, ".note.varde") == 0) return section.sh_offset;
    }
    FAIL("the library has no note");
    return 0;
}

/// The sound rule under another name. Files of different rules, and of versions of a rule, differ in the note alone.
inline Bytes rule(const char* id, const char* version = "1.0.0") {
    Bytes image = sound();
    const auto at = note_at(image);
    auto note = get<varde_note>(image, at);
    std::memset(note.rule_id, 0, sizeof note.rule_id);
    std::memset(note.version, 0, sizeof note.version);
    std::strncpy(note.rule_id, id, sizeof note.rule_id - 1);
    std::strncpy(note.version, version, sizeof note.version - 1);
    put(image, at, note);
    return image;
}

/// The same with the note of a job.
inline Bytes job(const char* id, const char* version = "1.0.0") {
    Bytes image = rule(id, version);
    const auto at = note_at(image);
    auto note = get<varde_note>(image, at);
    note.type = VARDE_JOB_NOTE_TYPE;
    put(image, at, note);
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
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    /// In place: the file keeps its inode, as with `cp`.
    fs::path write(const std::string& name, const Bytes& bytes) const {
        auto file = path / name;
        std::ofstream{file, std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()),
                                                    static_cast<std::streamsize>(bytes.size()));
        REQUIRE(::chmod(file.c_str(), 0644) == 0);
        return file;
    }
    /// Complete at once, as with `mv`.
    fs::path move_in(const std::string& name, const Bytes& bytes) const {
        fs::rename(write(name + ".new", bytes), path / name);
        return path / name;
    }
};

}  // namespace rule_file
