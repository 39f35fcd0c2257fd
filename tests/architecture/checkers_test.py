#!/usr/bin/env python3
"""The checkers find what they are for: each case is a small wrong text, or a right one that must pass."""
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tools")]
import check_includes  # noqa: E402
import check_source  # noqa: E402
import test_summary  # noqa: E402

EDGES = {"core": set(), "time": {"core"}, "ports": {"core"}, "ingest": {"core", "ports"}, "store": {"core", "ports"},
         "worker": set(), "app": {"core", "ports", "ingest", "store"}}


class Includes(unittest.TestCase):
    def found(self, module, text):
        return [what for _, what in check_includes.check_file(module, text, EDGES)]

    def test_an_allowed_include_passes(self):
        self.assertEqual(self.found("ingest", '#include "ports/event_log.hpp"\n#include "ingest/reader.hpp"\n#include <vector>\n'), [])

    def test_a_module_of_layer_2_must_not_include_another(self):
        self.assertEqual(len(self.found("ingest", '#include "store/sql_event_log.hpp"\n')), 1)

    def test_a_lower_layer_must_not_include_a_higher_one(self):
        self.assertEqual(len(self.found("core", '#  include "ports/event_log.hpp"\n')), 1)

    def test_a_library_outside_its_home_is_found(self):
        for module, text in (("ingest", "#include <soci/soci.h>"), ("store", "#include <boost/beast/http.hpp>"),
                             ("app", "#include <boost/dll.hpp>"), ("core", "#include <nlohmann/json.hpp>"),
                             ("app", "#include <dlfcn.h>"), ("store", "#include <CLI/CLI.hpp>")):
            with self.subTest(text):
                self.assertEqual(len(self.found(module, text)), 1)

    def test_a_header_named_without_its_module_is_found(self):
        self.assertEqual(len(self.found("core", '#include "event.hpp"')), 1)

    def test_the_plugin_api_includes_nothing_of_the_host(self):
        text = '#include "core/event.hpp"\n#include <boost/json.hpp>\n#include <stdint.h>\n#include <varde/rule.h>\n'
        self.assertEqual([line for line, _ in check_includes.check_plugin_api(text, EDGES)], [1, 2])

    def test_an_edge_between_modules_of_layer_2_is_refused_in_the_list_itself(self):
        edges = {**EDGES, "ingest": {"core", "store"}}
        self.assertEqual(len(list(check_includes.check_lists(edges))), 1)

    def test_a_cycle_in_the_list_is_refused(self):
        edges = {"core": {"time"}, "time": {"core"}}
        self.assertEqual(len(list(check_includes.check_lists(edges))), 2)

    def test_the_list_is_read_from_cmake(self):
        text = 'set(VARDE_ALLOWED_core "")\nset(VARDE_ALLOWED_store "core;ports")\n'
        self.assertEqual(check_includes.allowed_edges(text), {"core": set(), "store": {"core", "ports"}})

    def test_a_wrong_edge_in_a_tree_is_found_with_file_and_line(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "cmake").mkdir()
            (root / "cmake/VardeModule.cmake").write_text('set(VARDE_ALLOWED_core "")\nset(VARDE_ALLOWED_ports "core")\n')
            (root / "host/core").mkdir(parents=True)
            (root / "host/core/event.hpp").write_text('#pragma once\n#include "ports/event_log.hpp"\n')
            (root / "host/odd").mkdir()
            (root / "host/odd/odd.cpp").write_text("int odd;\n")
            found = list(check_includes.check_tree(root))
        self.assertEqual([what.split(" ")[0] for what in found], ["host/core/event.hpp:2:", "host/odd/odd.cpp:1:"])


class Source(unittest.TestCase):
    def rules(self, path, text):
        return [rule for _, rule, _ in check_source.check_text(path, text)]

    def test_a_clean_file_passes(self):
        self.assertEqual(self.rules("host/core/event.hpp", "#pragma once\nstruct Event {};\n"), [])

    def test_names_that_say_nothing(self):
        self.assertEqual(self.rules("host/core/event_utils.cpp", "int a;\n"), ["name"])
        self.assertEqual(self.rules("host/core/a.cpp", "class EventManager {};\n"), ["name"])
        self.assertEqual(self.rules("host/core/a.cpp", "// an EventManager would be wrong\nclass Handlers;\n"), ["name"])

    def test_long_files_and_lines(self):
        self.assertEqual(self.rules("host/core/a.cpp", "int a;\n" * 401), ["length"])
        self.assertEqual(self.rules("host/core/a.cpp", "int a;\n" * 400), [])
        self.assertEqual(self.rules("host/core/a.cpp", f"int {'a' * 130};\n"), ["width"])

    def test_sleeps_in_tests(self):
        self.assertEqual(self.rules("tests/unit/core/a_test.cpp", "std::this_thread::sleep_for(1s);\n"), ["sleep"])
        self.assertEqual(self.rules("plugins/R-001/rule_test.cpp", "usleep(5);\n"), ["sleep"])
        self.assertEqual(self.rules("host/core/a.cpp", "wait_until(at);\n"), [])

    def test_ambient_clocks(self):
        self.assertEqual(self.rules("host/store/a.cpp", "auto now = std::chrono::system_clock::now();\n"), ["clock"])
        self.assertEqual(self.rules("host/time/clock.cpp", "auto now = std::chrono::system_clock::now();\n"), [])
        self.assertEqual(self.rules("host/store/a.cpp", "auto t = time(nullptr);\n"), ["clock"])
        self.assertEqual(self.rules("host/store/a.cpp", "event.time(0); // time(0)\n"), [])

    def test_machine_paths(self):
        self.assertEqual(self.rules("tests/a.py", "open('/wor" + "k/main/x')\n"), ["path"])
        self.assertEqual(self.rules("docs/a.md", "see https://example.org/hom" + "e/x and ./hom" + "e/y\n"), [])

    def test_pragma_once_comes_first(self):
        self.assertEqual(self.rules("host/core/a.hpp", "#include <vector>\n#pragma once\n"), ["pragma"])
        self.assertEqual(self.rules("plugin-api/include/varde/a.hpp", "/* What it is. */\n#pragma once\n"), [])

    def test_globs(self):
        self.assertEqual(self.rules("host/CMakeLists.txt", "file(GLOB sources *.cpp)\n"), ["glob"])
        self.assertEqual(self.rules("host/CMakeLists.txt", "# no file(GLOB) here\n"), [])

    def test_braces_inside_a_co_await_expression(self):
        for text in ('co_await f({.s = "a"});', "co_await f(Agg{1});", "auto x = co_await g(a,\n  Agg{1}, use_awaitable);",
                     "if (co_await f(Agg{1})) { g(); }"):
            with self.subTest(text):
                self.assertEqual(self.rules("host/api/a.cpp", text + "\n"), ["co_await"])

    def test_capturing_lambdas_inside_a_co_await_expression(self):
        for text in ("co_await f([p] { return p; });", "co_await co_spawn(ex, [&]() -> awaitable<int> { co_return 1; }, use_awaitable);"):
            with self.subTest(text):
                self.assertEqual(self.rules("host/api/a.cpp", text + "\n"), ["co_await"])

    def test_what_is_safe_around_co_await(self):
        for text in ("co_await f(std::move(job));", "if (co_await f(a)) { g(); }", "for (;;) { co_await t.wait(use_awaitable); }",
                     "auto g = [p] { return p; }; co_await f(g);", 'co_await f("a {b}");', "x = g(co_await f(a), Agg{1});",
                     "// co_await f(Agg{1})"):
            with self.subTest(text):
                self.assertEqual(self.rules("host/api/a.cpp", text + "\n"), [])

    def test_an_exception_that_is_not_needed_is_reported(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "host").mkdir()
            (root / "host/a.cpp").write_text("int a;\n")
            (root / "host/b.cpp").write_text("int b;\n" * 500)
            exceptions = {("host/a.cpp", "length"): "why", ("host/b.cpp", "length"): "why"}
            found = [(path, rule) for path, _, rule, _ in check_source.check_tree(root, exceptions)]
        self.assertEqual(found, [("host/a.cpp", "length")])


class Counting(unittest.TestCase):
    def count(self, status, output, skipped=None):
        element = test_summary.ElementTree.Element("testcase", status=status)
        if skipped:
            test_summary.ElementTree.SubElement(element, "skipped", message=skipped)
        test_summary.ElementTree.SubElement(element, "system-out").text = output
        return test_summary.count(element)

    def test_a_doctest_program_counts_as_its_cases(self):
        line = "[doctest] test cases:  12 |  11 passed | 1 failed | 0 skipped\n[doctest] assertions: 99 | 98 passed | 1 failed |\n"
        self.assertEqual(self.count("fail", line), (11, 1, 0))

    def test_several_doctest_programs_in_one_entry_are_added(self):
        line = "[doctest] test cases: 3 | 3 passed | 0 failed | 0 skipped\n"
        self.assertEqual(self.count("run", line * 2), (6, 0, 0))

    def test_a_script_counts_as_its_closing_line_says(self):
        self.assertEqual(self.count("run", "a\n7 passed, 0 failed, 2 skipped\n"), (7, 0, 2))

    def test_anything_else_counts_as_one(self):
        self.assertEqual(self.count("run", "fine"), (1, 0, 0))
        self.assertEqual(self.count("fail", "Segmentation fault"), (0, 1, 0))

    def test_what_skips_itself_is_skipped_and_what_cannot_start_has_failed(self):
        self.assertEqual(self.count("notrun", "no server", "SKIP_RETURN_CODE=77"), (0, 0, 1))
        self.assertEqual(self.count("disabled", ""), (0, 0, 1))
        self.assertEqual(self.count("notrun", "", "Unable to find executable"), (0, 1, 0))

    def test_colours_do_not_matter(self):
        line = "[33m[doctest] [0mtest cases: [0m 9 | [32m 9 passed[0m | 0 failed | 0 skipped\n"
        self.assertEqual(self.count("run", line), (9, 0, 0))

    def test_a_program_that_fails_beside_its_cases_has_failed(self):
        self.assertEqual(self.count("fail", "[doctest] test cases: 3 | 3 passed | 0 failed | 0 skipped\nLeakSanitizer\n"), (3, 1, 0))


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{max(0, result.testsRun - failed)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
