#!/usr/bin/env bash
# abi_samples.sh FOLDER BUILD_FOLDER: builds the sample plugins of a release, once, with that release's own SDK.
#
#   FOLDER         plugin-api/abi/samples/VERSION with sample.c, sample.cpp and cases.jsonl, and no plugins yet
#   BUILD_FOLDER   where the host of this tree is built, e.g. build/dev: it gives the answers that are kept
#
# Makes FOLDER/MACHINE/*.so (stripped), SHA256SUMS, answers.jsonl and built.txt. See plugin-api/abi/samples/README.md.
set -euo pipefail
[[ $# -eq 2 && -f $1/sample.c ]] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
folder=$(realpath "$1")
varde=$(realpath "$2")/bin/varde
source=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
machine=$(uname -m)
[[ ! -e $folder/$machine ]] || { echo "$folder/$machine is there already; samples are built once and never again" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The ids are what the notes say: SAMPLE-D1-C, SAMPLE-D1-CPP.
c_id=$(sed -n 's/^VARDE_RULE_NOTE("\([^"]*\)".*/\1/p' "$folder/sample.c")
cpp_id=$(sed -n 's/^VARDE_RULE([^,]*, "\([^"]*\)".*/\1/p' "$folder/sample.cpp")
cmake -G Ninja -S "$source/plugin-api" -B "$work/api" >"$work/log" 2>&1
cmake --install "$work/api" --prefix "$work/sdk" --component plugin_api >>"$work/log"
mkdir "$work/rule"
cp "$folder/sample.c" "$folder/sample.cpp" "$work/rule"
cat >"$work/rule/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.25)
project(samples LANGUAGES C CXX)
find_package(varde_plugin_api REQUIRED)
varde_add_rule($c_id SOURCES sample.c)
varde_add_rule($cpp_id SOURCES sample.cpp)
CMAKE
cmake -G Ninja -S "$work/rule" -B "$work/build" -DCMAKE_BUILD_TYPE=MinSizeRel -DCMAKE_PREFIX_PATH="$work/sdk" >>"$work/log" 2>&1
cmake --build "$work/build" >>"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }

mkdir "$work/stripped"
for id in "$c_id" "$cpp_id"; do
    strip --strip-unneeded -R .comment -o "$work/stripped/$id.so" "$work/build/plugins/$id.so"
    [[ $(stat -c %s "$work/stripped/$id.so") -lt 65536 ]] || { echo "$id.so has more than 64 KiB" >&2; exit 1; }
done
mkdir "$folder/$machine"
install -m 644 "$work"/stripped/*.so "$folder/$machine"
(cd "$folder" && sha256sum "$machine"/*.so >SHA256SUMS)
"$varde" --plugins "$folder/$machine" eval "$folder/cases.jsonl" >"$folder/answers.jsonl"
{
    printf 'Built by tools/abi_samples.sh on %s:\n\n' "$(uname -s) $machine"
    printf '    %s\n' "$(${CC:-cc} --version | head -n 1)" "$(${CXX:-c++} --version | head -n 1)" "$(ld --version | head -n 1)" \
        "$(getconf GNU_LIBC_VERSION)"
    printf '\nfrom sample.c and sample.cpp, with varde_add_rule() of the SDK of this release, CMAKE_BUILD_TYPE=MinSizeRel, and stripped:\n'
    printf '    strip --strip-unneeded -R .comment\n\nsha256\n\n'
    sed 's/^/    /' "$folder/SHA256SUMS"
} >"$folder/built.txt"
cat "$folder/built.txt"
