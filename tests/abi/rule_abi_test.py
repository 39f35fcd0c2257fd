#!/usr/bin/env python3
"""tools/rule_abi.py sees what changes the binary interface, and nothing else. Run by ./dev check, which installs abigail-tools."""
import contextlib
import io
import pathlib
import shutil
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools"))
import rule_abi  # noqa: E402


class RuleAbi(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="varde-rule-abi-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        shutil.copytree(ROOT / "plugin-api", self.root / "plugin-api")
        self.header = self.root / "plugin-api/include/varde/rule.h"

    def replace(self, old, new):
        text = self.header.read_text(encoding="utf-8")
        self.assertEqual(text.count(old), 1, old)
        self.header.write_text(text.replace(old, new), encoding="utf-8")

    def difference(self):
        return rule_abi.difference(self.root / "plugin-api/abi/rule.abi", self.root / "plugin-api/include")

    def assert_difference(self, *parts):
        said = self.difference()
        for part in parts:
            self.assertIn(part, said)

    def test_the_header_is_what_is_on_record(self):
        self.assertEqual(list(rule_abi.problems(ROOT)), [])

    def test_a_dump_does_not_depend_on_where_it_was_made(self):
        again = self.root / "again.abi"
        rule_abi.dump(self.root / "plugin-api/include", again)
        text = again.read_text(encoding="utf-8")
        self.assertNotIn(str(self.root), text)
        rule_abi.dump(ROOT / "plugin-api/include", again)
        self.assertEqual(text, again.read_text(encoding="utf-8"))
        self.assertNotIn(str(ROOT), text)

    def test_comments_and_inline_functions_are_free(self):
        self.replace("/* A rule's parameters:", "/* What a rule is given:")
        self.replace("uint32_t low = slice->first;", "uint32_t low = slice->first + 0u;")
        self.assertEqual(self.difference(), "")

    def test_a_field_of_another_width_is_seen_with_what_it_moves(self):
        self.replace("uint32_t n_nodes; ", "uint64_t n_nodes; ")
        self.assert_difference("struct varde_params", "n_nodes", "offset changed from 64 to 128")

    def test_two_fields_that_change_places_are_seen(self):
        self.replace("    uint32_t first;\n    uint32_t count;\n", "    uint32_t count;\n    uint32_t first;\n")
        self.assert_difference("struct varde_slice", "count", "first")

    def test_a_new_name_for_a_field_is_seen(self):
        self.replace("int64_t now_us; ", "int64_t clock_us; ")
        self.assert_difference("struct varde_window", "clock_us")

    def test_another_sign_is_seen(self):
        self.replace("int32_t offset_s;", "uint32_t offset_s;")
        self.assert_difference("struct varde_transition", "offset_s")

    def test_another_argument_of_a_function_is_seen(self):
        self.replace("(*declare_wants)(void* ctx, uint32_t wants)", "(*declare_wants)(void* ctx, uint64_t wants)")
        self.assert_difference("declare_wants")

    def test_another_value_of_a_constant_is_seen(self):
        self.replace("#define VARDE_TEXT 6u", "#define VARDE_TEXT 16u")
        self.assert_difference("VARDE_TEXT_value' from value '6' to '16'")

    def test_a_constant_of_64_bits_is_seen(self):
        self.replace("#define VARDE_NEVER INT64_MAX", "#define VARDE_NEVER (INT64_MAX - 1)")
        self.assert_difference("VARDE_NEVER_value", "9223372036854775806")

    def test_new_constants_texts_too_and_new_structs_are_seen(self):
        self.replace("#define VARDE_NOTE_TYPE 1u", '#define VARDE_NOTE_TYPE 1u\n#define VARDE_NEW "varde.new/1"\n'
                                                   "typedef struct varde_new {\n    uint32_t struct_size;\n} varde_new;")
        self.assert_difference("abi_VARDE_NEW", "varde_new* abi_varde_new")

    def test_a_change_says_what_to_do(self):
        self.replace("#define VARDE_TEXT 6u", "#define VARDE_TEXT 16u")
        found = "".join(rule_abi.problems(self.root))
        for part in ("VARDE_TEXT", "./dev abi", "CHANGES.md", "VARDE_ABI_MINOR", "abi.samples"):
            self.assertIn(part, found)

    def raise_the_minor(self):
        self.replace("#define VARDE_ABI_MINOR 0u", "#define VARDE_ABI_MINOR 7u")
        shutil.copytree(ROOT / "tests/abi", self.root / "tests/abi", dirs_exist_ok=True)

    def write(self):
        with contextlib.redirect_stdout(io.StringIO()):
            rule_abi.write(self.root)

    def test_a_version_that_changes_md_does_not_name_is_found(self):
        self.raise_the_minor()
        self.assertIn("no section '## 1.7'", "".join(rule_abi.problems(self.root)))

    def test_a_frozen_version_is_not_recorded_anew(self):
        shutil.copytree(ROOT / "tests/abi", self.root / "tests/abi")
        self.replace("#define VARDE_TEXT 6u", "#define VARDE_TEXT 16u")
        with self.assertRaisesRegex(rule_abi.AbiError, "1.0 is frozen"):
            self.write()

    def test_what_a_new_minor_adds_is_recorded(self):
        self.raise_the_minor()
        self.replace("#define VARDE_NOTE_TYPE 1u", "#define VARDE_NOTE_TYPE 1u\n#define VARDE_NEW 1u")
        self.write()
        self.assertEqual(self.difference(), "")
        self.assertEqual(rule_abi.recorded_version(self.root / "plugin-api/abi/rule.abi"), "1.7")
        self.assertEqual((self.root / "plugin-api/abi/offsets.txt").read_text(), (ROOT / "plugin-api/abi/offsets.txt").read_text())

    def test_a_field_that_moves_is_no_minor(self):
        self.raise_the_minor()
        self.replace("    int64_t since_us; /* the range as", "    uint64_t new_field;\n    int64_t since_us; /* the range as")
        with self.assertRaisesRegex(rule_abi.AbiError, "varde_slice"):
            self.write()

    def test_only_reserved_slots_may_be_used_up(self):
        before = "s 16\n    s.a 0 4\n    s.b 4 4\n    s.reserved 8 8\n"
        self.assertEqual(rule_abi.moved(before, "s 24\n    s.a 0 4\n    s.b 4 4\n    s.c 8 8\n    s.reserved 16 8\n"), [])
        self.assertEqual(rule_abi.moved(before, "s 16\n    s.a 0 8\n    s.reserved 8 8\n"), ["s.a 0 4", "s.b 4 4"])

    def replace_in_job(self, old, new):
        self.header = self.root / "plugin-api/include/varde/job.h"
        self.replace(old, new)

    def test_the_interface_of_jobs_is_guarded_too(self):
        self.replace_in_job("    uint32_t attempt; ", "    uint64_t attempt; ")
        said = "".join(rule_abi.problems(self.root))
        self.assertIn("struct varde_job_call", said)
        self.assertIn("Raise VARDE_JOB_ABI_MINOR in job.h", said)

    def test_a_constant_of_jobs_that_changes_is_seen(self):
        self.replace_in_job("#define VARDE_JOB_GIVE_UP (-2)", "#define VARDE_JOB_GIVE_UP (-3)")
        self.assertIn("VARDE_JOB_GIVE_UP", "".join(rule_abi.problems(self.root)))

    def test_jobs_have_a_version_of_their_own(self):
        self.replace_in_job("#define VARDE_JOB_ABI_MINOR 0u", "#define VARDE_JOB_ABI_MINOR 3u")
        said = "".join(rule_abi.problems(self.root))
        self.assertIn("no section '## Jobs 1.3'", said)
        self.assertNotIn("no section '## 1.", said)
        shutil.copytree(ROOT / "tests/abi", self.root / "tests/abi")
        self.write()
        self.assertEqual(rule_abi.recorded_version(self.root / "plugin-api/abi/job.abi", rule_abi.JOB), "1.3")

    def test_a_field_of_a_job_that_moves_is_no_minor(self):
        shutil.copytree(ROOT / "tests/abi", self.root / "tests/abi")
        self.replace_in_job("#define VARDE_JOB_ABI_MINOR 0u", "#define VARDE_JOB_ABI_MINOR 3u")
        self.replace_in_job("    int64_t nominal_us; ", "    uint64_t new_field;\n    int64_t nominal_us; ")
        with self.assertRaisesRegex(rule_abi.AbiError, "varde_job_call"):
            self.write()


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{max(0, result.testsRun - failed)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
