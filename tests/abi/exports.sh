#!/bin/sh
# exports.sh PLUGIN.so...: each exports one symbol, has the note with the id of its file name, no executable stack, no lazy binding.
set -u
bad=0
complain() { echo "$1: $2"; bad=1; }
for so in "$@"; do
    id=$(basename "$so" .so)
    exported=$(nm -D --defined-only "$so" | awk '{print $3}' | tr '\n' ' ')
    case $exported in
    "varde_rule_v1 " | "varde_job_v1 ") ;;
    *) complain "$so" "exports '$exported'" ;;
    esac
    readelf -nW "$so" | grep -q '^  varde .*0x00000064' || complain "$so" "has no varde note of 100 bytes"
    readelf -p .note.varde "$so" | grep -q "  $id\$" || complain "$so" "its note does not name $id"
    readelf -nW "$so" | grep -q 'Build ID' || complain "$so" "has no build id"
    readelf -lW "$so" | grep 'GNU_STACK' | grep -q 'RW ' || complain "$so" "has an executable stack"
    readelf -dW "$so" | grep -q 'NOW' || complain "$so" "is bound lazily"
    nm -D --undefined-only "$so" | grep -q '__asan\|__ubsan\|__tsan' && complain "$so" "is built with a sanitizer"
    yaml=${so%.so}.yaml
    if [ -f "$yaml" ]; then
        grep -q "^id: $id\$" "$yaml" || complain "$yaml" "names another id"
        version=$(sed -n 's/^version: //p' "$yaml")
        readelf -p .note.varde "$so" | grep -q "  $version\$" || complain "$so" "version differs from $yaml ($version)"
    fi
    echo "$id: exports $exported"
done
exit $bad
